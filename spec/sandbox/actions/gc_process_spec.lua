-- Collecting one process, on a live node: what it holds without need goes, and nobody else is collected.
local entry = require "spec.support.entry"
local live = require "spec.support.live_node"

local at, gc, eval

describe("the action gc_process", function()
  setup(live.test(function()
    at = live.start()
    eval = at.eval
    gc = entry.open(at.node, "gc_process")
    eval [[
      Me = self(),
      spawn(fun() -> register(hoarder, self()), lists:seq(1, 500000), Me ! ready, receive stop -> ok end end),
      receive ready -> ok end.]]
  end))

  teardown(function() live.stop_all() end)

  local function memory(name) return eval("element(2, process_info(whereis(Name), memory)).", { Name = name }) end
  local A = require("host.etf").A

  it("shows what it would collect by the name that the node has for it", live.test(function()
    local seen = gc.preview { process = "hoarder" }
    assert.equal("hoarder", seen.object)
    assert.equal(math.floor(memory(A.hoarder) / 1024), seen.figures.memory_kb)
    assert.equal("gc_process", gc.entry.name)
  end))

  it("takes a process to be the same however much it has worked since", live.test(function()
    local seen = gc.preview { process = "hoarder" }
    gc.preview { process = "hoarder" }
    assert.equal("same", gc.check({ process = "hoarder" }, seen.identity))
  end))

  it("gives back what the process no longer refers to, and says how much", live.test(function()
    local was = memory(A.hoarder)
    local _, done, after = gc.run { process = "hoarder" }
    assert.equal("done", done[1])
    assert.is_true(memory(A.hoarder) < was / 10)
    assert.equal("ok", after[1])
    assert.matches("^its memory was [%d,]+ kB and was %d+ kB after it$", after[2])
  end))

  it("does nothing to a process that took the pid, which its reductions tell", live.test(function()
    local seen = gc.preview { process = "hoarder" }
    seen.identity[7] = seen.identity[7] + 1000000
    eval "hoarder ! nothing."
    local collections = [[element(2, lists:keyfind(minor_gcs, 1, element(2, process_info(whereis(hoarder),
      garbage_collection)))).]]
    local was = eval(collections)
    local done = gc.deed({ process = "hoarder" }, seen.identity)
    assert.same({ "changed", "another process has this pid now" }, { done[1], done[2] })
    assert.equal(was, eval(collections))
  end))

  it("does nothing when another process goes by the name", live.test(function()
    eval [[
      Me = self(),
      spawn(fun() -> register(twin, self()), Me ! ready, receive stop -> ok end end), receive ready -> ok end.]]
    local seen = gc.preview { process = "twin" }
    eval [[
      Me = self(), R = monitor(process, twin), exit(whereis(twin), kill), receive {'DOWN', R, _, _, _} -> ok end,
      spawn(fun() -> register(twin, self()), Me ! ready, receive stop -> ok end end), receive ready -> ok end.]]
    local done = gc.deed({ process = "twin" }, seen.identity)
    assert.same({ "changed", "the process is gone" }, { done[1], done[2] })
  end))

  it("refuses what is no process of this node", live.test(function()
    local seen = gc.preview { process = "nobody_here" }
    assert.same({ "refused", "no such process now; give a pid like <0.123.0> or a registered name of this node" },
      { seen[1], seen[2] })
  end))
end)
