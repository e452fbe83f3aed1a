--- Files of skills that mean harm: each is refused when it is loaded, or stopped when it runs, and after it
--- the program is as it was. `spec/hostile_skills/` holds them.

local async = require "runtime.async"
local program = require "spec.support.program"
local skill = require "runtime.skill"

-- A sound skill with a hostile line in it. The line stands first, so that a message names it.
local FRAME = [[
%s
return {
  name = "hostile", title = "Hostile", about = "a", prompt = "p", uses = { "history" }, keep = { "now" },
  queries = %s,
  snapshot = function(node) %s end,
  callbacks = { go = { doc = "d", class = "SAFE", returns = { "x" }, run = function(node, args) %s end } },
  checks = { { id = "c", mechanism = "m", look = {}, confirm = function() end, suspect = function() %s end } },
  %s
}]]

-- What stands in a function is told with the line where the function stands: all of it on the first one.
local function text_of(case)
  if case.whole then return case.whole() end
  local function on_top(name, body)
    return body and ("local function %s(node, args) %s end "):format(name, body) or ""
  end
  local top = (case.file or "") .. " " .. on_top("go", case.callback) .. on_top("shot", case.snapshot)
    .. on_top("suspect", case.suspect)
  local function call(name, body) return body and ("return %s(node, args)"):format(name) or "" end
  return FRAME:format(top, case.queries or '{ now = "7." }', call("shot", case.snapshot), call("go", case.callback),
    call("suspect", case.suspect), case.more or "")
end

-- A node that answers with the text it was asked.
local function node()
  local remembered = { { age = 1, value = { n = 7 } } }
  return {
    query = function(text) return text end, sleep = function() return true end,
    history = function() return remembered end,
  }
end

local function stopped(case)
  local s, err = skill.load(text_of(case), "hostile.lua")
  if not s then return err end
  if case.callback then return select(2, skill.call(s, "go", {}, node())) end
  if case.snapshot then return select(2, skill.snapshot(s, node())) end
  local ours = case.suspect and s.checks[1].suspect or select(2, next(s[case.calls[1]]))
  return select(2, pcall(ours, {}))
end

local function refuses(file)
  for _, case in ipairs(require("spec.hostile_skills." .. file)) do
    it("is refused or stopped that " .. case.what, function()
      local err = stopped(case)
      assert.matches(case.says, tostring(err))
      assert.is_true(#tostring(err) <= (case.most or 500))
    end)
  end
end

describe("a skill file", function() refuses "reaches" end)
describe("a skill file without an end", function() refuses "endless" end)
describe("a skill file with odd values", function() refuses "odd" end)

describe("a skill file that keeps something", function()
  for _, case in ipairs(require "spec.hostile_skills.states") do
    it("answers the second time as the first, which " .. case.what, function()
      local s, n = assert(skill.load(text_of(case), "hostile.lua")), node()
      assert(skill.call(s, "go", {}, n))
      assert.same(case.answers, skill.call(s, "go", {}, n))
    end)
  end
end)

describe("the program", function()
  it("tells a person where a file of theirs never ends", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write("\n\nlocal t = {}\nwhile true do t[1] = 1 end")
    file:close()
    local run = async.run(function() return program.run { "skills", path } end)
    os.remove(path)
    assert.equal(2, run.code)
    assert.equal(("beamlens-run: %s:4: ran for 20 million steps or 3 seconds without coming to an end; correct that "
      .. "line, or move the file away\n"):format(path), run.stderr)
  end)
end)

describe("after all of them", function()
  it("strings, libraries and hooks are as they were", function()
    local hook = { debug.gethook() }
    for _, file in ipairs { "states", "odd" } do
      for _, case in ipairs(require("spec.hostile_skills." .. file)) do
        local s = skill.load(text_of(case), "hostile.lua")
        if s then pcall(skill.call, s, "go", {}, node()) end
      end
    end
    assert.same(hook, { debug.gethook() })
    assert.equal(string, getmetatable("").__index)
    assert.equal("X", ("x"):upper())
    assert.equal(5000000, #("x"):rep(5000000))
  end)
end)
