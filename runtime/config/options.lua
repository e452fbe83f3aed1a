--- Every option there is. Each may also be set by environment (BEAMLENS_NODE) and in the config file, where its entry
--- does not say otherwise.

local chunk_limits = require "runtime.chunk_limits"

local options = {}

---@class Option
---@field name string      as a key of `options`; --cookie-file is cookie_file
---@field type "text"|"number"|"list"|"flag"|"boolean"|"group"|"table"   boolean: a flag that no text sets; table: of a
---  form that its owner checks
---@field shown? string    what stands for the value in the help
---@field default any
---@field of? string[]     the values there are
---@field values? string   what kind they are of, for completions: runtime/complete_sources.lua (not of FILE, DIR)
---@field min? number       of a number
---@field max? number
---@field whole? true
---@field line_only? true  neither environment nor config may set it
---@field command? string  on the command line it belongs to this command alone
---@field also? string     and to this one
---@field file_only? true  only the config file and scripts may set it
---@field fields? Option[]  of a group: what it holds, each with a default
---@field checked_by? string  a module whose `check` says what is wrong with a table of the config file
---@field live? true        an edit of the config file holds while the program runs; else from the next start on
---@field doc string

---@type Option[]
options.LIST = {
  { name = "node", type = "text", shown = "NAME", values = "node", doc = "the node to look at: shop@host" },
  { name = "cookie_file", type = "text", shown = "FILE",
    doc = "where its cookie is; else BEAMLENS_COOKIE, else ~/.erlang.cookie" },
  { name = "port", type = "number", shown = "N", min = 1, max = 65535, whole = true,
    doc = "the node's distribution port, when there is no epmd" },
  { name = "via", type = "text", shown = "WAY:TARGET", values = "way",
    doc = "through a shell beside it: ssh:USER@HOST, docker:NAME, kubectl:[NS/]POD, ecs:[CLUSTER/]SERVICE, "
      .. "shell:COMMAND, local, or a profile of the config file" },
  { name = "env", type = "text", shown = "ENV", values = "env", doc = "which environment of that profile: prod" },
  { name = "task", type = "text", shown = "ID", doc = "which task of an ECS service: its first letters will do" },
  { name = "through", type = "text", shown = "HOW", of = { "forward", "console", "rpc" },
    doc = "forward leads the node's port here, console starts a helper there, rpc asks by the release's own rpc; "
      .. "else the first of them that goes" },
  { name = "profiles", type = "table", file_only = true, checked_by = "runtime.door.profiles",
    doc = "nodes by name: where they are, and how one gets there" },
  { name = "reason", type = "text", shown = "TEXT", default = "", doc = "what made you look: an alert, a complaint" },
  { name = "skills", type = "list", shown = "a,b", values = "skill", doc = "which skills look",
    default = { "beam", "ets", "gc", "allocator", "overload", "ports", "sup", "system", "vm_events", "logger",
      "exception" } },
  { name = "provider", type = "text", shown = "P", values = "provider",
    doc = "who thinks: analyst (rules, no key), anthropic, …, or a client of client_registry" },
  { name = "model", type = "text", shown = "M", doc = "the provider's model" },
  { name = "client_registry", type = "table", file_only = true, doc = "clients of providers by name, and the first" },
  { name = "prices", type = "table", file_only = true, live = true,
    doc = "USD for a million tokens of a model, over our list" },
  { name = "limits", type = "group", file_only = true, live = true,
    doc = "what a run may use before its last answer", fields = {
    { name = "iterations", type = "number", default = 25, min = 1, max = 1000, whole = true },
    { name = "calls", type = "number", min = 1, max = 1e6, whole = true },
    { name = "tokens", type = "number", min = 1, max = 1e9, whole = true },
    { name = "usd", type = "number", min = 0, max = 1e6 },
    { name = "node_reductions", type = "number", min = 1, max = 1e15 },
  } },
  { name = "strategy", type = "text", shown = "S", values = "strategy",
    doc = "how it works: hybrid (rules, then the model), agent_loop, pipeline, specialist, or a file" },
  { name = "deadline", type = "number", shown = "SECONDS", default = 300, min = 1, max = 86400,
    doc = "when the run must have its answer" },
  { name = "allow", type = "list", shown = "WHAT", values = "allowable", default = {}, line_only = true,
    doc = "callbacks with side effects: caution, or single ones by name" },
  { name = "no_relays", type = "flag", default = false, doc = "no event relays on the node" },
  { name = "sandbox", type = "text", default = "strict", of = { "strict", "allow-weak" }, shown = "HOW",
    doc = "strict, or allow-weak: run a model's Lua without seccomp" },
  { name = "show_outgoing", type = "flag", default = false, doc = "print on stderr what is sent to the provider" },
  { name = "elixir", type = "flag", default = false, line_only = true, command = "eval",
    doc = "the expression is Elixir" },
  { name = "limit", type = "list", shown = "NAME=N", values = "limit", default = {}, line_only = true,
    command = "sandbox", doc = "another limit for the chunk: wall_ms=300" },
  { name = "demo_callbacks", type = "flag", default = false, line_only = true, command = "sandbox",
    doc = "four callbacks to try: beam_get_memory, beam_top_processes, echo, boom" },
  { name = "store", type = "text", shown = "FILE",
    doc = "where everything is kept, or :memory: for nothing; left out, in a file at home" },
  { name = "retention", type = "group", file_only = true, live = true, doc = "how long the store keeps what", fields = {
    { name = "runs_days", type = "number", default = 90, min = 1, max = 36500 },
    { name = "events_days", type = "number", default = 7, min = 1, max = 36500 },
  } },
  { name = "record", type = "text", shown = "FILE", line_only = true, command = "script", also = "ask",
    doc = "keep what node and model answer, for `replay`" },
  { name = "report", type = "text", shown = "FILE.md", line_only = true, command = "script", also = "show",
    doc = "the report as Markdown too, to hand on" },
  { name = "prompts", type = "text", shown = "DIR", line_only = true, command = "replay",
    doc = "replay with the prompts of this folder" },
  { name = "cause", type = "text", shown = "OBJECT:MECHANISM", values = "cause", line_only = true, command = "feedback",
    doc = "what it really was; healthy: nothing" },
  { name = "note", type = "text", shown = "TEXT", line_only = true, command = "feedback",
    doc = "kept with it" },
  { name = "cassettes", type = "list", shown = "DIR|FILE", line_only = true, command = "lessons",
    doc = "recorded runs beside those that the store knows of" },
  { name = "diff", type = "text", shown = "FILE", line_only = true, command = "lessons",
    doc = "write the proposed changes there, for patch" },
  { name = "operators", type = "table", file_only = true, live = true, doc = "operators by name, skill and mode" },
  { name = "watchers", type = "table", file_only = true, live = true,
    doc = "skills that `watch` keeps an operator on for ever" },
  { name = "sort", type = "text", default = "memory", of = { "memory", "mailbox", "reductions", "binary" },
    shown = "BY", line_only = true, command = "top", doc = "by memory, mailbox, reductions or binary" },
  { name = "every", type = "number", shown = "SECONDS", min = 1, max = 3600, line_only = true,
    command = "top", doc = "seconds from look to look, 2 if left out; more where a look costs much" },
  { name = "escalate", type = "flag", default = false, line_only = true, command = "watch",
    doc = "watch by rules for nothing; call the model only on an anomaly" },
  { name = "listen", type = "text", shown = "ADDRESS", command = "watch",
    doc = "serve /healthz, /metrics and POST /run there: 127.0.0.1:9464" },
  { name = "token_file", type = "text", shown = "FILE", doc = "the bearer token of POST /run, mode 0600",
    command = "watch" },
  { name = "sinks", type = "table", file_only = true, live = true,
    doc = "where events go: jsonl, prometheus, webhook, syslog" },
  { name = "hosts", type = "list", default = {}, file_only = true, live = true,
    doc = "host:port that skills may reach" },
  { name = "approval_key", type = "text", file_only = true,
    doc = "the key of who approves actions: whoever can read it may" },
  { name = "config", type = "text", shown = "FILE", doc = "the config file" },
  { name = "json", type = "flag", default = false, doc = "the result as one JSON object" },
  { name = "quiet", type = "flag", default = false, doc = "no progress on stderr" },
  { name = "no_color", type = "flag", default = false, doc = "no colours; NO_COLOR does the same" },
  { name = "no_input", type = "flag", default = false, doc = "never ask" },
  { name = "autonomy", type = "group", file_only = true, doc = "what runbooks may do without a person", fields = {
    { name = "runbooks", type = "list", default = {} },
    { name = "callbacks", type = "list", default = {} },
    { name = "per_hour", type = "number", default = 3, min = 0, max = 100, whole = true },
    { name = "quiet_hours", type = "text", default = "" },
    { name = "dry_run", type = "boolean", default = true },
  } },
  { name = "anomaly", type = "group", file_only = true, live = true, doc = "how `watch` judges", fields = {
    { name = "collection_interval_ms", type = "number", default = 30000, min = 100, max = 3600000 },
    { name = "learning_duration_ms", type = "number", default = 300000, min = 0, max = 86400000 },
    { name = "z_threshold", type = "number", default = 3, min = 1, max = 100 },
    { name = "consecutive_required", type = "number", default = 3, min = 1, max = 100, whole = true },
    { name = "cooldown_ms", type = "number", default = 900000, min = 0, max = 86400000 },
    { name = "auto_trigger", type = "flag", default = true },
    { name = "max_triggers_per_hour", type = "number", default = 3, min = 0, max = 1000, whole = true },
  } },
  { name = "chunk", type = "group", file_only = true, doc = "the limits of a model's Lua",
    fields = chunk_limits.FIELDS },
}

local by_name = {}
for _, option in ipairs(options.LIST) do by_name[option.name] = option end

---@param name string   cookie_file
---@return Option?
function options.of(name) return by_name[name] end

--- As it is typed.
---@param option Option
---@return string   --cookie-file
function options.flag(option) return "--" .. option.name:gsub("_", "-") end

---@return string[]
function options.names()
  local names = {}
  for i, option in ipairs(options.LIST) do names[i] = option.name end
  return names
end

--- What an option is where nobody sets it: the very table, so that it can be told from a list that says the same.
---@param name string
---@return any
function options.default(name) return by_name[name].default end

return options
