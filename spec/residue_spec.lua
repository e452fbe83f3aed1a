-- What stays behind on a node after attach, a whole run and detach: nothing of ours. What the
-- first run made the node load, it tells; a second identical one adds nothing at all.

local async = require "runtime.async"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"

-- OTP's logger keeps a term for the name of each handler that it ever had: of ours, which has one name, one.
local TERMS = [==[
  length([K || {K, _} <- persistent_term:get(),
    case K of {logger_config, H} when is_tuple(H) -> element(1, H) =/= '$handler_config$'; _ -> true end])]==]

-- By the specs' own connection, which stands all the while and is the same in both looks. An open
-- port is told by its name, for one that comes and goes has another number each time.
local STATE = [==[
  T = fun(X) -> iolist_to_binary(io_lib:format("~w", [X])) end,
  #{processes => [T(P) || P <- lists:sort(processes()), P =/= self()],
    registered => [T(R) || R <- lists:sort(registered())],
    ports => [T(N) || P <- lists:sort(erlang:ports()), {name, N} <- [erlang:port_info(P, name)]],
    tables => [T(E) || E <- lists:sort(ets:all())],
    connected => length(nodes(connected)),
    monitor => T(erlang:system_monitor()),
    wall_time => T(erlang:statistics(scheduler_wall_time)),
    trace => [T(erlang:trace_info(new, flags)), T(erlang:system_info(trace_control_word))],
    handlers => [T(H) || H <- lists:sort(logger:get_handler_ids())],
    logger => T(logger:get_primary_config()),
    terms => ]==] .. TERMS .. "}."

local GROWN = [[ #{atoms => erlang:system_info(atom_count), modules => length(erlang:loaded())}. ]]

local at

-- The node drops a connection a moment after it was closed.
local function once_alone(connected)
  local patience = async.now() + 10
  while at.eval "length(nodes(connected))." > connected and async.now() < patience do async.sleep(0.02) end
end

local function told_by(...)
  local words = { ... }
  for _, word in ipairs { "--node", at.name, "--json", "--quiet" } do words[#words + 1] = word end
  local result = program.run(words,
    { env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home } })
  assert.equal(0, result.code, result.stdout .. result.stderr)
  return json.decode(result.stdout)
end

local function run() return told_by("coordinator.lua", "--provider", "analyst").footprint end

describe("a whole run", function()
  setup(function() at = live.start() end)
  teardown(live.stop_all)

  it("leaves the node as it was, and tells what it made it load", live.test(function()
    at.eval(STATE) -- what the specs' own looks load comes first
    at.eval(GROWN)
    local before, grown = at.eval(STATE), at.eval(GROWN)
    local told = run()
    once_alone(before.connected)
    assert.same(before, at.eval(STATE))
    local after = at.eval(GROWN)
    -- One atom more than was told: the name that the node gave us, before we could count.
    assert.same({ after.atoms - grown.atoms, after.modules - grown.modules }, { told.atoms + 1, told.modules_loaded })
    assert.is_true(told.atoms > 0) -- else this node was not fresh, and the spec sees nothing

    -- Where the machine is busy the second one may look at more, and that it tells too.
    local again = run()
    once_alone(before.connected)
    assert.same(before, at.eval(STATE))
    local last = at.eval(GROWN)
    assert.same({ last.atoms - after.atoms, last.modules - after.modules }, { again.atoms, again.modules_loaded })
  end))

  it("adds nothing by looks that were made before", live.test(function()
    told_by("call", "beam_top_processes", "3", "memory")
    local after = at.eval(GROWN)
    told_by("call", "beam_top_processes", "3", "memory")
    assert.same(after, at.eval(GROWN))
  end))
end)
