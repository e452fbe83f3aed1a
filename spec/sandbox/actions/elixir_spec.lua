-- What is other under Elixir: dynamic supervisors, which die of a question of OTP's, the Registry, names.
local entry = require "spec.support.entry"
local live = require "spec.support.live_node"
local async = require "runtime.async"

local at, eval
local open = {}

-- All is kept by a process of its own, for it is linked to who starts it.
local MAKE = [=[
  Me = self(),
  Kept = spawn(fun() ->
    {ok, _} = 'Elixir.DynamicSupervisor':start_link([{strategy, one_for_one}, {name, 'Elixir.Shop.Workers'},
      {max_restarts, 50}]),
    {ok, _} = 'Elixir.Registry':start_link([{keys, unique}, {name, 'Elixir.Shop.Names'}]),
    {ok, _} = 'Elixir.Agent':start_link(erlang, node, [], [{name, 'Elixir.Shop.Prices'}]),
    Me ! ready, receive stop -> ok end end),
  receive ready -> Kept end.]=]

local CHILD = [=[
  {ok, P} = 'Elixir.DynamicSupervisor':start_child('Elixir.Shop.Workers', #{id => worker, restart => Restart,
    start => {'Elixir.Agent', start_link, [erlang, node, [] ]}}),
  list_to_binary(pid_to_list(P)).]=]

local function child(restart) return eval(CHILD, { Restart = require("host.etf").A[restart] }) end

local function alive(pid) return eval("is_process_alive(list_to_pid(binary_to_list(P))).", { P = pid }) end

local function supervisor() return eval "list_to_binary(pid_to_list(whereis('Elixir.Shop.Workers')))." end

local function children()
  return eval "maps:get(active, 'Elixir.DynamicSupervisor':count_children('Elixir.Shop.Workers'))."
end

describe("actions on an Elixir node", function()
  local was

  setup(live.test(function()
    at = live.start { elixir = true }
    eval = at.eval
    for _, name in ipairs { "kill_process", "terminate_child", "restart_child", "flush_table", "set_log_level" } do
      open[name] = entry.open(at.node, name)
    end
    eval(MAKE)
    was = supervisor()
  end))

  teardown(function() live.stop_all() end)

  it("ask a dynamic supervisor nothing that it would die of", live.test(function()
    local pid = child "permanent"
    local seen = open.kill_process.preview { process = pid }
    assert.same({ "Shop.Workers", "permanent: its supervisor starts it again" },
      { seen.figures.supervisor, seen.figures.restart })
    assert.equal(was, supervisor())
  end))

  it("terminate a child of a dynamic supervisor for good", live.test(function()
    local pid, before = child "permanent", children()
    local args = { supervisor = "Shop.Workers", child = pid }
    local seen, done, after = open.terminate_child.run(args)
    assert.equal("Shop.Workers/" .. pid, seen.object)
    assert.equal("its specification goes with it: it cannot be started again from here", seen.figures["then"])
    assert.same({ "ok", "it has ended, and stays so until somebody starts it" }, { after[1], after[2] })
    assert.same({ false, before - 1 }, { alive(pid), children() })
    assert.matches("^its supervisor has forgotten it", open.terminate_child.entry.undo(args, done[2]))
    assert.equal(was, supervisor())
  end))

  it("refuse to restart one there, and say what would", live.test(function()
    local pid = child "permanent"
    assert.matches("kill_process ends it, and one that is permanent is then started again",
      open.restart_child.preview({ supervisor = "Shop.Workers", child = pid })[2])
  end))

  it("see a permanent one come back after it was killed", live.test(function()
    local pid, before = child "permanent", children()
    local args = { process = pid }
    local _, _, after = open.kill_process.run(args)
    assert.same({ "ok", "it has ended; its supervisor starts another" }, { after[1], after[2] })
    local deadline = async.now() + 20
    while children() ~= before and async.now() < deadline do async.sleep(0.02) end
    assert.same({ false, before }, { alive(pid), children() })
  end))

  it("name processes and modules as Elixir does", live.test(function()
    local seen = open.kill_process.preview { process = "Shop.Prices" }
    assert.same({ "Shop.Prices", "erlang:node/0" }, { seen.object, seen.figures.what })
    assert.equal("Agent.Server", open.set_log_level.preview({ level = "debug", module = "Agent.Server" }).object)
  end))

  it("leave the tables of a Registry alone", live.test(function()
    local seen = open.flush_table.preview { table = "Shop.Names" }
    assert.equal("this is not done: it is a table of Elixir's Registry, which forgets its processes when they end",
      seen[2])
  end))

  it("leave Elixir's own processes and tables alone", live.test(function()
    local spared = {}
    for _, name in ipairs { "elixir_sup", "elixir_config", "elixir_code_server" } do
      spared[#spared + 1] = open.kill_process.preview({ process = name })[1]
    end
    for _, name in ipairs { "elixir_config", "elixir_modules" } do
      spared[#spared + 1] = open.flush_table.preview({ table = name })[1]
    end
    assert.same({ "refused", "refused", "refused", "refused", "refused" }, spared)
  end))
end)
