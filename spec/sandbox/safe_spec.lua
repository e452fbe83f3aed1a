--- What is called SAFE is run on a real node, all of it, and the node is looked at before and after.

local live = require "spec.support.live_node"

local TEXTS = require "spec.sandbox.expressions.erlang_safe"

-- Tables that the runtime fills by itself when a module is loaded.
local LOOK = [=[
  Loading = [ac_tab, code, code_names, elixir_modules, elixir_config],
  Named = [{N, ets:info(T, size)} || T <- ets:all(), N <- [ets:info(T, name)], not lists:member(N, Loading)],
  Envs = [{A, lists:sort(application:get_all_env(A))} || {A, _, _} <- application:loaded_applications()],
  [{K, iolist_to_binary(io_lib:format("~tp", [V]))} || {K, V} <- [
    {registered, lists:sort(registered())},
    {tables, lists:sort(Named)},
    {rows, ets:tab2list(t)},
    {persistent_terms, maps:get(count, persistent_term:info())},
    {settings, lists:sort(Envs)},
    {applications, lists:sort([A || {A, _, _} <- application:which_applications()])},
    {ports, length(erlang:ports())},
    {nodes, nodes()},
    {logger, logger:get_config()},
    {flags, [erlang:system_info(schedulers_online), erlang:system_monitor(), erlang:system_profile()]},
    {cookie, erlang:get_cookie()},
    {environment, lists:sort(os:getenv())},
    {folder, file:get_cwd()},
    {children, [{N, is_pid(P)} || {N, P, _, _} <- supervisor:which_children(kernel_sup)]},
    {signals, erlang:process_info(whereis(kernel_sup), [links, monitors, message_queue_len, trap_exit, priority])}]].]=]

-- Each in a process of its own, which prints to nowhere and has no more than the eval command gives it.
local RUN = [=[
  Nowhere = spawn(fun Loop() -> receive {io_request, P, R, _} -> P ! {io_reply, R, ok} end, Loop() end),
  Run = fun(S) ->
    {ok, T, _} = erl_scan:string(unicode:characters_to_list(S)),
    {ok, Es} = erl_parse:parse_exprs(T),
    {P, R} = spawn_monitor(fun() ->
      group_leader(Nowhere, self()),
      process_flag(max_heap_size, #{size => 20000000, kill => true, error_logger => false}),
      catch erl_eval:exprs(Es, []),
      exit(normal)
    end),
    receive {'DOWN', R, _, _, _} -> ok after 10000 -> exit(P, kill), {late, S} end
  end,
  Late = [X || S <- Texts, X <- [Run(S)], X =/= ok],
  exit(Nowhere, kill),
  Late.]=]

describe("what is SAFE", function()
  local at, before, after, late

  local function look()
    local found = {}
    for _, pair in ipairs(at.eval(LOOK)) do found[tostring(pair[1])] = pair[2] end
    return found
  end

  setup(live.test(function()
    at = live.start { elixir = true }
    local stopped = {}
    for i, text in ipairs(TEXTS) do stopped[i] = text .. "." end
    at.eval [[
      spawn(fun() -> ets:new(t, [named_table, public]), ets:insert(t, {k, 1}), register(owner, self()),
        receive never -> ok end end),
      (fun Wait() -> case whereis(owner) of undefined -> Wait(); _ -> ok end end)().]]
    before = look()
    late = at.eval(RUN, { Texts = stopped })
    after = look()
  end))

  teardown(function() live.stop_all() end)

  it("comes to an end", function()
    assert.are.equal(0, #late)
  end)

  for _, what in ipairs { "registered", "tables", "rows", "persistent_terms", "settings", "applications", "ports",
    "nodes", "logger", "flags", "cookie", "environment", "folder", "children", "signals" } do
    it(("leaves the node as it was: %s"):format(what), function()
      assert.is_not_nil(before[what])
      assert.are.equal(before[what], after[what])
    end)
  end

  it("was looked at in a way that finds a change", live.test(function()
    at.eval "ets:insert(t, {other, 1})."
    local changed = look()
    at.eval "ets:delete(t, other)."
    assert.are_not.equal(before.rows, changed.rows)
  end))
end)

