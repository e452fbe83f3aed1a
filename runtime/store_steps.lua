--- The tables of the store. Each step is taken once, in this order, and the file remembers how many it has: a step that
--- was released is never changed, what is to be different is one more step.

return {
  [[create table baselines (
      node text not null, metric text not null, body text not null, saved_at integer not null,
      primary key (node, metric)) without rowid;
    create table monitors (node text primary key, body text not null, saved_at integer not null) without rowid;]],
  -- Actions as runtime/ledger.lua writes them; `told` says whether a line of the audit stands in its file too.
  [[create table actions (
      number integer primary key, node text not null, life text not null, action text not null,
      arguments text not null, class text not null, object text not null, identity text not null, figures text not null,
      given text, reason text not null, proposed_by text not null, trace_id text, proposed_at integer not null,
      state text not null, approval text, authority text, performer text, performed_at integer, before text,
      outcome text);
    create table nonces (nonce text primary key) without rowid;
    create table audit (seq integer primary key, body text not null,
      told integer not null default 0);]],
  -- Runs as runtime/journal.lua writes them and runtime/runs.lua reads them. A run without an end either goes on, or
  -- its process is not there any more.
  [[create table runs (
      number integer primary key autoincrement, trace_id text not null, node text not null, skills text not null,
      reason text not null, mind text not null, started_at integer not null, process text not null,
      ended_at integer, verdict text, incomplete text, ms integer, cost_usd real, report text);
    create index runs_by_trace on runs (trace_id);
    create index runs_by_start on runs (started_at);
    create table notifications (run integer not null, id text not null, body text not null,
      primary key (run, id)) without rowid;
    create table insights (run integer not null, id text not null, node text not null, object text not null,
      mechanism text not null, operators text not null, at integer not null, body text not null,
      primary key (run, id)) without rowid;
    create table observations (run integer not null, id text not null, body text not null,
      primary key (run, id)) without rowid;
    create table history (node text not null, metric text not null, at integer not null, value real not null,
      primary key (node, metric, at)) without rowid;
    create table events (seq integer primary key, run integer not null, at integer not null, event text not null,
      body text not null);
    create index events_by_run on events (run);
    create index events_by_time on events (at);]],
  -- What a person said of a run (runtime/feedback.lua), once for each; and the cassette that it was recorded on.
  [[create table feedback (
      run integer primary key, word text not null, object text, mechanism text, note text not null,
      said_at integer not null);
    alter table runs add column cassette text;]],
}
