-- Garbage that comes in large pieces and who works whenever it does, on a live node.
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local find = crowd.find
local gc = assert(skill.open "gc")

local ITEMS = 300000 -- two words each

local TAKER = "fun Take() -> receive {From, _} -> From ! taken end, Take() end"
local GIVER = [[fun() -> L = lists:seq(1, Items), (fun Give() -> taker ! {self(), L}, receive taken -> ok end,
  receive after 20 -> ok end, Give() end)() end]]
local TICKING = "fun Tick() -> receive after 1 -> ok end, Tick() end"
-- Builds and throws away as much by its own work.
local BUILDER = [[fun Build() -> erlang:garbage_collect(), _ = length(lists:seq(1, Items)),
  receive after 20 -> ok end, Build() end]]

-- Who misses another may have ended by itself.
local END = [[lists:foreach(fun(Name) -> Ref = monitor(process, Name), catch exit(whereis(Name), kill),
  receive {'DOWN', Ref, _, _, _} -> ok end end, [%s]), true.]]

describe("gc skill, garbage at once", function()
  local at, look

  setup(function()
    at = live.start()
    look = skill.functions(gc, at.node).gc_at_once
  end)

  teardown(function() live.stop_all() end)

  local function run(names, test)
    local listed = {}
    for name in pairs(names) do listed[#listed + 1] = name end
    listed = table.concat(listed, ", ")
    return live.test(function()
      for name, text in pairs(names) do
        at.eval(("register(%s, spawn(%s)), true."):format(name, text), { Items = ITEMS })
      end
      local seen = look(1500)
      at.eval(END:format(listed))
      test(seen)
    end)
  end

  it("says how much a message was that is thrown away", run({ taker = TAKER, giver = GIVER }, function(seen)
    assert.near(2 * ITEMS, seen.words_per_gc, 0.2 * ITEMS)
  end))

  it("names who sends and who takes, and not who ticks beside them", run({ taker = TAKER, giver = GIVER,
    ticking = TICKING }, function(seen)
    assert.same({ true, true, true }, { find(seen.processes, "giver").share_pct >= 60,
      find(seen.processes, "taker").share_pct >= 60,
      (find(seen.processes, "ticking") or { share_pct = 0 }).share_pct < 60 })
  end))

  it("charges who sends what copying takes, and who takes next to nothing", run({ taker = TAKER, giver = GIVER },
    function(seen)
      local gave, took = find(seen.processes, "giver"), find(seen.processes, "taker")
      assert.same({ true, true }, { gave.reductions_delta >= 2000 * seen.collections,
        took.reductions_delta * 100 <= seen.words_per_gc * seen.collections })
    end))

  it("shows by its work who builds what it throws away", run({ builder = BUILDER }, function(seen)
    assert.is_true(find(seen.processes, "builder").reductions_delta * 100 > seen.words_per_gc * seen.collections)
  end))
end)
