local knobs = require "runtime.lessons.knobs"

local TEXT = [[
local words = ...
local GROWS = 20       -- messages gained in a window
local FIRST, CLOSE = 1500, 2000 -- milliseconds
local PART = 0.1
local QUEUES = { "beam_queue_growth", FIRST, 10 }
local NAME, LEAST = "x", 5
local lower = 3
  local INNER = 4
local BIG = 10000000
return {}
]]

local function names_of(list)
  local names = {}
  for i, knob in ipairs(list) do names[i] = ("%s %g %d"):format(knob.name, knob.value, knob.line) end
  return names
end

describe("the limits of a file of checks", function()
  it("are constants of capital letters at its top level that are numbers, with their lines", function()
    assert.same({ "GROWS 20 2", "FIRST 1500 3", "CLOSE 2000 3", "PART 0.1 4", "BIG 1e+07 9" }, names_of(knobs.of(TEXT)))
  end)

  it("are set one by one, and nothing else of the text changes", function()
    local list = knobs.of(TEXT)
    assert.equal((TEXT:gsub("2000", "2500")), knobs.set(TEXT, list[3], 2500))
    assert.equal((TEXT:gsub("0%.1", "0.25")), knobs.set(TEXT, list[4], 0.25))
  end)

  it("are found in every file of ours whose checks have any, and each text still loads with another number", function()
    local files = require "runtime.files"
    local count = 0
    for _, name in ipairs(files.list("skills/checks", ".lua")) do
      local text = files.read(("skills/checks/%s.lua"):format(name))
      for _, knob in ipairs(knobs.of(text)) do
        assert(loadstring(knobs.set(text, knob, knob.value * 3)))
        count = count + 1
      end
    end
    assert.is_true(count > 50)
  end)

  it("are none in a text without any", function() assert.same({}, knobs.of "return {}") end)
end)
