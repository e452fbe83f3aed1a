-- Locks of global, on a live node: what global itself says of them is the other road.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local overload = assert(skill.open "overload")

local WAITING = [[length([P || P <- processes(), process_info(P, current_function) =:=
  {current_function, {global, random_sleep, 1}}])]]

describe("overload skill, locks of global", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(overload, at.node)
    live.test(function() crowd.load(at) end)()
  end)

  teardown(function() live.stop_all() end)

  it("finds none where none is held", live.test(function()
    local seen = callback.overload_locks(100)
    assert.same({ 0, 0 }, { seen.total, seen.waiting })
  end))

  it("names the lock, who holds it, and how many wait for it", live.test(function()
    eval(([==[crowd:start(holder, fun() -> global:set_lock({till, self()}), crowd:idle() end),
      [crowd:start(N, fun() -> global:trans({till, self()}, fun() -> ok end) end) || N <- [a, b, c]],
      (fun L() -> %s =:= 3 orelse L() end)().]==]):format(WAITING))
    local seen = callback.overload_locks(100)
    local pid = eval "list_to_binary(pid_to_list(whereis(holder)))."
    eval "[crowd:stop(N) || N <- [a, b, c, holder]]."
    assert.same({ 1, "till", pid, "holder", "crowd:idle/0", 3 }, { seen.total, seen.locks[1].lock,
      seen.locks[1].holder, seen.locks[1].holder_name, seen.locks[1].holder_function, seen.waiting })
  end))
end)
