local failure = require "runtime.failure"
local json = require "runtime.json"
local skill = require "runtime.skill"

-- A sound skill; a spec breaks one line of it.
local SOUND = [[
return {
  name = "clock", title = "Clock", about = "a", prompt = "p",
  uses = { "history" },
  queries = { now = "At.", figures = "#{}.", pause = "WindowMs." },
  snapshot = "figures",
  callbacks = {
    time_now = { doc = "The time.", args = { { name = "at", type = "integer" } },
                 class = "SAFE", returns = { "unix_ms" }, query = "now" },
    time_odd = { doc = "An odd one.", class = "CAUTION", returns = { "x" },
                 run = function(node) return node.ask "undeclared" end },
    time_slow = { doc = "Waits.", args = { { name = "window_ms", type = "integer", default = 500, waits = true } },
                  class = "SAFE", returns = { "x" }, timeout = 45, query = "pause" },
    time_rare = { doc = "Dear.", class = "CAUTION", returns = { "x" }, every = 60, query = "figures" },
    time_past = { doc = "History.", class = "SAFE", returns = { "x" },
                  run = function(node) return node.history("now", 5) end },
  },
  checks = { { id = "late", mechanism = "clock_jump", expert = "two clocks that differ", look = { { "time_now", 1 } },
               suspect = function() return true end, confirm = function() end } },
}]]

local function broken(line, by)
  local at, last = SOUND:find(line, 1, true)
  return skill.load(SOUND:sub(1, at - 1) .. by .. SOUND:sub(last + 1), "clock.lua")
end

local function complaint(line, by)
  local s, err = broken(line, by)
  assert.is_nil(s)
  assert.is_true(failure.is(err))
  assert.same({ "skill", 2 }, { err.stage, err.exit })
  return err.message
end

describe("skill.load", function()
  it("takes a sound skill", function()
    assert.equal("Clock", assert(skill.load(SOUND, "clock.lua")).title)
  end)

  it("hands it what marks a table as one with names, for JSON where it is empty", function()
    local s = assert(broken("return {", "local texts = ...\nreturn { marked = texts.object {},"))
    assert.equal("{}", json.encode(s.marked))
  end)

  it("names file, line and what is wrong there", function()
    assert.equal("clock.lua:2: about must be a string", complaint('about = "a"', "about = nil"))
    assert.equal("clock.lua:3: uses knows no disk", complaint('"history"', '"disk"'))
    assert.equal("clock.lua:4: queries must be a table", complaint("queries = {", "queries = 5 or {"))
    assert.matches("^clock.lua:2: lines wants { entries = ", complaint('about = "a"', 'about = "a", lines = { 5 }'))
    assert.equal("clock.lua:4: query now must be a string", complaint('"At."', "12"))
    assert.equal("clock.lua:1: snapshot must be a function or name a query", complaint('snapshot = "figures",', ""))
    assert.equal("clock.lua:7: time_now: class must be SAFE, CAUTION or DANGEROUS", complaint('class = "SAFE",', ""))
    assert.equal("clock.lua:7: time_now: no query then", complaint('query = "now"', 'query = "then"'))
    assert.equal("clock.lua:7: time_now: wants either query or run", complaint(', query = "now"', ""))
    assert.equal("clock.lua:7: time_now: the query never reads At", complaint('"At."', '"ok."'))
    assert.equal("clock.lua:7: time_now: returns must list the fields", complaint('returns = { "unix_ms" },', ""))
    assert.equal("clock.lua:7: time_now: at: type must be integer, number, string, choice or any",
      complaint('"integer"', '"int"'))
    assert.equal("clock.lua:3: urgent names no query: then", complaint("uses =", 'urgent = { "then" }, uses ='))
    assert.equal("clock.lua:4: urgent query now may not wait",
      complaint('queries = { now = "At.",', 'urgent = { "now" }, queries = { now = "receive after At -> ok end.",'))
    assert.equal("clock.lua:17: check late: looks with an unknown callback sundial",
      complaint('{ "time_now", 1 }', '{ "sundial" }'))
    assert.equal("clock.lua:17: check late: confirm must be a function", complaint("confirm = ", "confim = "))
    assert.matches("^clock.lua:2: ", complaint("name =", "name = ="))
    assert.equal("clock.lua:2: name must be of letters, digits and _, a small letter first",
      complaint('"clock"', '"../clock"'))
    assert.equal("clock.lua:19: must return a table", complaint("return {", "local _ = {"))
  end)

  it("names file and line where a value is of the wrong kind", function()
    assert.equal("clock.lua:3: uses must be a list", complaint('{ "history" }', "5"))
    assert.equal("clock.lua:3: uses must be a list of strings", complaint('{ "history" }', "{ {} }"))
    assert.equal("clock.lua:3: keep must be a list", complaint("uses =", "keep = 5, uses ="))
    assert.equal("clock.lua:3: urgent must be a list", complaint("uses =", "urgent = true, uses ="))
    assert.equal("clock.lua:4: queries: 1 is no name", complaint('now = "At."', '"At."'))
    assert.equal("clock.lua:6: callbacks: 1 is no name", complaint("time_odd =", "[1] ="))
    assert.equal("clock.lua:7: time_now: args must be a list", complaint('{ { name = "at", type = "integer" } }', "5"))
    assert.equal("clock.lua:7: time_now: args must be a list of tables",
      complaint('{ name = "at", type = "integer" }', "5"))
    assert.equal("clock.lua:7: time_now: at: min must be a number", complaint('"integer" }', '"integer", min = "1" }'))
    assert.equal("clock.lua:7: time_now: at: a choice wants `of`, a list of strings",
      complaint('"integer"', '"choice", of = { {} }'))
    assert.equal("clock.lua:7: time_now: returns must list the fields", complaint('{ "unix_ms" }', "{ {} }"))
    assert.equal("clock.lua:11: time_slow: timeout must be a number of seconds", complaint("= 45", '= "45"'))
    assert.equal("clock.lua:17: checks must be a list", complaint("checks = {", "checks = 5 or {"))
    assert.equal("clock.lua:17: checks must be a list of tables", complaint("checks = {", "checks = { 5,"))
    assert.equal("clock.lua:17: check late: each look must be a function or { callback, arguments }",
      complaint('{ "time_now", 1 }', "5"))
    assert.equal("clock.lua:17: check late: looks with an unknown callback nil", complaint('{ "time_now", 1 }', "{}"))
  end)

  it("names the file where a message has no place in it", function()
    for _, text in ipairs { string.dump(loadstring(SOUND)), "error {}" } do
      local s, err = skill.load(text, "clock.lua")
      assert.is_nil(s)
      assert.matches("^clock%.lua: ", err.message)
    end
  end)

  it("says where a file raised instead of returning", function()
    assert.matches("^clock.lua:5: attempt to index", complaint('"figures"', "nowhere.figures"))
  end)

  it("hands out neither files, nor processes, nor modules, nor the way back to them", function()
    for _, name in ipairs { "require", "io", "os", "ffi", "jit", "debug", "package", "load", "loadstring",
                            "loadfile", "dofile", "getfenv", "setfenv", "getmetatable", "rawset", "_G", "pcall" } do
      local s = broken('"Clock"', "type(" .. name .. ")")
      assert.equal("nil", s.title, name)
    end
  end)

  it("keeps what a skill does to a library or a global to itself", function()
    assert(skill.load("string.format = nil; leak = 1; " .. SOUND, "clock.lua"))
    assert.equal("function", type(string.format))
    assert.is_nil(rawget(_G, "leak"))
  end)

  it("refuses bytecode", function()
    local s, err = skill.load(string.dump(loadstring(SOUND)), "clock.lua")
    assert.is_nil(s)
    assert.matches("wrong mode", err.message)
  end)
end)

describe("the older names of a skill and of its callbacks", function()
  local aliased = SOUND:gsub('uses = {', 'aliases = { at_noon = { "time_now", 12 } }, uses = {')
  local node = { query = function(_, variables) return variables.At end }

  it("call the callback with its first arguments, and stand in no prompt", function()
    local s = assert(skill.load(aliased, "clock.lua"))
    assert.equal(12, skill.functions(s, node).at_noon())
    assert.is_nil(skill.describe(s):find("at_noon", 1, true))
    assert.same({ "time_now", { 12 } }, { skill.resolve(s, "at_noon") })
    assert.equal("time_now takes at most 1 argument, not 2", tostring(select(2, skill.call(s, "at_noon", { 1 }, node))))
  end)

  it("are refused with file and line where they call nothing", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write((aliased:gsub("time_now\", 12", "time_then\"")))
    file:close()
    local s, err = skill.open(path)
    os.remove(path)
    assert.is_nil(s)
    assert.equal(path .. ":3: alias at_noon wants { callback, its first arguments }", err.message)
  end)
end)

describe("an argument of any type", function()
  local any = SOUND:gsub('type = "integer"', 'type = "any"', 1)
  local s = assert(skill.load(any, "clock.lua"))
  local node = { query = function(_, variables) return { variables.At } end }

  it("is whatever JSON can say", function()
    for _, value in ipairs { 5, 0.5, "five", true, false, { 1, { 2 } }, { a = { b = "c" } }, {} } do
      assert.same({ value }, (assert(skill.call(s, "time_now", { value }, node))))
    end
  end)

  it("is refused where the node could not be told it", function()
    local loop = {}
    loop.loop = loop
    for _, value in ipairs { 0 / 0, math.huge, print, { 1, a = 2 }, { [1.5] = 1 }, loop } do
      local result, err = skill.call(s, "time_now", { value }, node)
      assert.is_nil(result)
      assert.equal("time_now: at must be a number, a text, true, false, a list or a table with names", tostring(err))
    end
  end)
end)

describe("skill.attach", function()
  local function attach(text) return skill.attach(assert(skill.load(SOUND, "clock.lua")), text, "checks/clock.lua") end

  it("adds checks from a file of their own, and makes another version of the skill", function()
    local s = assert(attach [[return { { id = "early", mechanism = "clock_jump",
      look = { { "time_now", 1 }, function(results) return results[1] and { "time_now", 2 } end },
      suspect = function() end, confirm = function() end } }]])
    assert.same({ "late", "early" }, { s.checks[1].id, s.checks[2].id })
    assert.not_equal(skill.version(assert(skill.load(SOUND, "clock.lua"))), skill.version(s))
    assert.equal(12, #skill.version(s))
  end)

  it("names file and line of a broken one", function()
    local s, err = attach 'return {\n  { id = "early", look = { { "sundial" } }, mechanism = "m" },\n}'
    assert.is_nil(s)
    assert.equal("checks/clock.lua:2: check early: suspect must be a function", err.message)
  end)
end)

describe("skill.extend", function()
  local PART = [[
local texts = ...
return {
  queries = { shared = texts.greeting .. " At." },
  callbacks = { time_more = { doc = "d", class = "SAFE", returns = { "x" }, query = "shared",
                              args = { { name = "at", type = "integer" } } } },
}]]

  local function extend(text)
    local s = assert(skill.load((SOUND:gsub("uses =", 'texts = { greeting = "ok," }, uses =')), "clock.lua"))
    return skill.extend(s, text, "clock/more.lua")
  end

  it("adds the queries and callbacks of a part, which shares the main file's texts", function()
    local s, asked = assert(extend(PART)), nil
    assert.equal(7, skill.call(s, "time_more", { 1 }, { query = function(text) asked = text return 7 end }))
    assert.equal("ok, At.", asked)
  end)

  it("names file and line of what is broken in a part, or stands in two", function()
    assert.equal("clock/more.lua:4: time_more: no query then",
      select(2, extend((PART:gsub('"shared"', '"then"')))).message)
    assert.equal("clock/more.lua:3: now stands in another part too",
      select(2, extend((PART:gsub("shared", "now")))).message)
  end)
end)

describe("skill.open", function()
  it("gives every skill the callbacks of base, which ask base's queries", function()
    local s = assert(skill.open "beam")
    local asked
    local node = { query = function(text) asked = text return {} end }
    assert(skill.call(s, "get_current_time", {}, node))
    local base = assert(skill.open "base")
    assert.equal(base.queries[base.callbacks.get_current_time.query], asked)
  end)

  it("does not list base, which is part of each", function()
    local names = table.concat(skill.names(), " ")
    assert.matches("beam", names)
    assert.not_matches("base", names)
  end)

  it("names the nearest skill when there is none of that name", function()
    local s, err = skill.open "beem"
    assert.is_nil(s)
    assert.equal("there is no skill beem; did you mean beam?", tostring(err))
  end)

  it("takes no file for a name, and says how it is named", function()
    assert.equal("there is no skill peers.lua; a file of your own is named by its path: ./peers.lua",
      tostring(select(2, skill.open "peers.lua")))
    assert.equal("there is no skill ets.lua; did you mean ets?", tostring(select(2, skill.open "ets.lua")))
  end)

  it("takes a path, and refuses a file that others may write", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(SOUND)
    file:close()
    os.execute("chmod 600 " .. path)
    assert.equal("Clock", assert(skill.open(path)).title)
    os.execute("chmod 666 " .. path)
    local s, err = skill.open(path)
    os.remove(path)
    assert.is_nil(s)
    assert.matches("may be written by others", tostring(err))
  end)
end)

describe("a loaded skill", function()
  local s, node, asked

  before_each(function()
    s, asked = assert(skill.load(SOUND, "clock.lua")), nil
    node = { query = function(text, variables, options) asked = { text, variables, options.timeout } return 7 end }
  end)

  it("sends a declared text, the values beside it", function()
    assert.equal(7, skill.call(s, "time_now", { 12 }, node))
    assert.same({ "At.", { At = 12 }, 30 }, asked)
  end)

  it("waits for the node as long as the callback says, and for its window besides", function()
    skill.call(s, "time_slow", { 2500 }, node)
    assert.same({ "WindowMs.", { WindowMs = 2500 }, 47.5 }, asked)
  end)

  it("lets an urgent question go first, and waits less for it", function()
    local urgent, options = assert(broken("uses =", 'urgent = { "now" }, uses =')), nil
    node.query = function(_, _, o) options = o return 7 end
    skill.call(urgent, "time_now", { 12 }, node)
    assert.same({ timeout = 5, priority = "high", by = "clock.time_now" }, options)
    skill.call(urgent, "time_slow", { 0 }, node)
    assert.same({ timeout = 45, by = "clock.time_slow" }, options)
  end)

  it("sends no other text", function()
    local answer, err = skill.call(s, "time_odd", {}, node)
    assert.is_nil(answer)
    assert.equal("clock asks what it never declared: undeclared; declare the text in queries, and ask for it by its "
      .. "name there", tostring(err))
  end)

  it("runs what is dear only once in its time on each node", function()
    assert.equal(7, skill.call(s, "time_rare", {}, node))
    local again, err = skill.call(s, "time_rare", {}, node)
    assert.is_nil(again)
    assert.matches("^time_rare: runs at most once in 60 s, and ran %d s ago$", err)
    assert.equal(7, skill.call(s, "time_rare", {}, { query = node.query }))
  end)

  it("hands an empty history to who declared it, where nobody kept one", function()
    assert.same({}, skill.call(s, "time_past", {}, node))
  end)

  it("passes a Failure of the node on, and names the callback in other errors", function()
    local lost = failure.new("node", "connection lost", nil, 3)
    node.query = function() return nil, lost end
    assert.equal(lost, select(2, skill.call(s, "time_now", { 1 }, node)))
    node.query = function() return nil, "badarg" end
    assert.equal("time_now: badarg", select(2, skill.call(s, "time_now", { 1 }, node)))
  end)

  it("raises in a script what went wrong, and gives nil to others", function()
    local functions = skill.functions(s, node)
    local _, raised = pcall(functions.time_now, "noon")
    local result, err = skill.call(s, "time_now", { 2.5 }, node)
    assert.is_nil(result)
    local said = "time_now: at must be an integer"
    assert.same({ said, said, "usage", 2 }, { tostring(raised), tostring(err), err.stage, err.exit })
    assert.same({ nil, "clock has no callback noon" }, { skill.call(s, "noon", {}, node) })
  end)

  it("refuses arguments that nobody would read", function()
    local function refused(name, given) return tostring(select(2, skill.call(s, name, given, node))) end
    assert.equal("time_now takes at most 1 argument, not 3", refused("time_now", { 1, nil, 3 }))
    assert.equal("time_rare takes no arguments", refused("time_rare", { 1 }))
    assert.is_nil(asked)
  end)

  it("takes no number that Erlang has not", function()
    local arguments = require "runtime.skill_arguments"
    for _, word in ipairs { "inf", "-inf", "nan" } do
      local _, err = arguments.bind("pace", { { name = "rate", type = "number" } }, { word })
      assert.equal("pace: rate must be a number", tostring(err))
    end
    assert.same({ rate = 1e300 }, (arguments.bind("pace", { { name = "rate", type = "number" } }, { "1e300" })))
  end)

  it("describes itself from the table that runs", function()
    local lines = {}
    for line in skill.describe(s):gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal("time_now(at): The time", lines[1])
    assert.equal("time_odd(): CAUTION. An odd one", lines[2])
  end)
end)
