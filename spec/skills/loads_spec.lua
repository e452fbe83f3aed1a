-- A node that loads a module asks its code server and its disk, which is what hangs on a node whose disk
-- does. What the texts call has to be there before.
local at_work = require "spec.support.at_work"
local every = require "spec.support.every_callback"
local live = require "spec.support.live_node"

-- Called only where the node has loaded them by itself: asked with module_loaded, or by the name of their process.
local GUARDED = { socket = true, cpu_sup = true, disksup = true, memsup = true, mnesia = true, rabbit_alarm = true,
  vm_memory_monitor = true }
-- A node that has written a line to its log has these, another one has not.
local BY_CHANCE = { string = true, unicode_util = true }

-- Modules called in Erlang text: `module:name(` and `fun module:name/1`.
local function calls(text, add)
  for module in text:gsub("'[^'\n]*'", ""):gmatch "%f[%w_'.]([a-z][%w_]*):[a-z_][%w_]*[%(/]" do add(module) end
end

describe("the texts of skills", function()
  local at

  setup(live.test(function()
    at = live.start()
    at.eval(at_work)
  end))
  teardown(function() live.stop_all() end)

  local function missing(texts)
    local seen, absent = {}, {}
    for where, text in pairs(texts) do
      calls(text, function(module)
        if seen[module] == nil then
          seen[module] = GUARDED[module] or not BY_CHANCE[module]
            and at.eval("erlang:module_loaded(binary_to_atom(M)).", { M = module })
        end
        if not seen[module] then absent[#absent + 1] = module .. " in " .. where end
      end)
    end
    table.sort(absent)
    return absent, seen
  end

  it("call nothing that a fresh node would have to load", live.test(function()
    local texts = {}
    for _, s in ipairs(every.skills()) do
      for name, text in pairs(s.queries) do texts[s.name .. "." .. name] = text end
    end
    local absent, seen = missing(texts)
    assert.same({}, absent)
    assert.is_true(seen.lists and seen.erlang and seen.ets and seen.inet)
  end))

  it("would be caught if they did", live.test(function()
    assert.same({ "digraph in b", "sofs in a", "string in c" }, (missing {
      a = "F = fun sofs:family/1, lists:seq(1, 2).",
      b = "[digraph:new() || 'queue:x(' <- []].",
      c = "string:split(X, Y)." }))
  end))
end)
