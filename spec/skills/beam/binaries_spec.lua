-- Binaries that processes refer to, on a live node. What process_info says is the other road.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local beam = assert(skill.open "beam")
local find = crowd.find

describe("beam skill, binaries", function()
  local at, callback, eval

  setup(function()
    at = live.start()
    eval, callback = at.eval, skill.functions(beam, at.node)
    live.test(function() crowd.load(at) end)()
  end)

  before_each(live.test(function() -- Under 370 kB: with more, the node would collect it by itself.
    eval "crowd:proxy(relay, 20, 15000), crowd:keeper(attic, 100, 2500)."
  end))

  after_each(live.test(function() eval "crowd:stop(relay), crowd:stop(attic)." end))

  teardown(function() live.stop_all() end)

  it("ranks the holders without a GC", live.test(function()
    local top = callback.beam_binary_top_memory(2)
    local kb = eval "lists:sum([S || {_, S, _} <- element(2, process_info(whereis(relay), binary))]) div 1024."
    local first, second = top.processes[1], top.processes[2]
    assert.same({ "relay", 20, kb }, { first.name, first.binary_count, first.binary_memory_kb })
    assert.same({ "attic", 100, math.floor(100 * 2500 / 1024) },
      { second.name, second.binary_count, second.binary_memory_kb })
    assert.equal(20, eval "length(element(2, process_info(whereis(relay), binary))).")
  end))

  it("counts a binary once that is referred to twice", live.test(function()
    eval [[crowd:settled(crowd:start(twice, fun() -> B = binary:copy(<<1>>, 6000000), crowd:hold({B, [B, B]}) end)).]]
    eval [[twice ! other, B = binary:copy(<<2>>, 6000000), twice ! {B, B}, true.]]
    local row = find(callback.beam_binary_top_memory(5).processes, "twice")
    eval "crowd:stop(twice)."
    assert.is_true(row.binary_memory_kb <= 2 * 6000000 / 1024)
  end))

  it("shows the largest binaries of one process, with who else refers to them", live.test(function()
    eval [=[crowd:settled(crowd:start(shelf, fun() ->
      crowd:hold([binary:copy(<<1>>, N) || N <- [700, 9000 | lists:duplicate(60, 100)]])
    end)), true.]=]
    local info = callback.beam_binary_info "shelf"
    eval "crowd:stop(shelf)."
    assert.same({ 62, 62, 50, 50 }, { info.binary_count, info.total, info.showing, #info.binaries })
    assert.same({ { size_bytes = 9000, refcount = 1 }, { size_bytes = 700, refcount = 1 } },
      { info.binaries[1], info.binaries[2] })
    assert.has_error(function() callback.beam_binary_info "<0.99999.0>" end,
      "beam_binary_info: no such process now; pid is text like <0.123.0>, or a registered name")
  end))

  it("finds a real leak: by a GC who let go of binaries, and not who keeps them; once a minute", live.test(function()
    local before = eval "erlang:memory(binary)."
    local leak = callback.beam_binary_leak(10)
    local relay = find(leak.processes, "relay")
    assert.same({ 20, 0, 0 }, { relay.binary_delta, relay.binary_count, relay.binary_memory_kb })
    assert.equal("relay", leak.processes[1].name)
    assert.is_nil(find(leak.processes, "attic"))
    assert.near(before / 2 ^ 20, leak.binary_mb_before, 1)
    assert.equal(100, eval "length(element(2, process_info(whereis(attic), binary))).")
    assert.error_matches(function() callback.beam_binary_leak(10) end, "at most once in 60 s")
    assert.equal("CAUTION", beam.callbacks.beam_binary_leak.class)
  end))
end)
