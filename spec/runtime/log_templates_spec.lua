local log_templates = require "runtime.log_templates"
local skill = require "runtime.skill"

local LOGGER, EXCEPTION = skill.open("logger").lines, skill.open("exception").lines

-- A line, and what stands for all that are like it.
local LINES = {
  { "request 4711 took 12.5 ms", "request <n> took <n> ms" },
  { "<0.123.0> exits, #PID<0.9.1> stays, #Ref<0.1.2.3> and #Port<0.5>", "<pid> exits, <pid> stays, <ref> and <port>" },
  { "at 2026-11-21T17:30:05.123Z, or 17:30:05", "at <time>, or <time>" },
  { "id 0f8fad5b-d9cb-469f-a165-70867728950e gone", "id <uuid> gone" },
  { "from 10.0.0.7:51234 and fe80::1:2:3", "from <ip> and <ip>" },
  { "at 0xdeadbeef, hash 3f2a9c0b7d, beef and decade", "at <hex>, hash <hex>, beef and decade" },
  { 'no user "bob 7" in {badmatch,{error,"x"}}', "no user <text> in {badmatch,{error,<text>}}" },
  { "gen_server:call/3 in Shop.Cart.add/12, GET /users/7/carts", "gen_server:call/3 in Shop.Cart.add/12, "
    .. "GET /users/<n>/carts" },
  { "password=<secret:9f3a0c1b2d4e> of <email:0123456789ab>", "password=<secret> of <email>" },
  { "worker_17 of x86_64", "worker_<n> of x<n>_<n>" },
  { "Grüße, 漢字 5", "Grüße, 漢字 <n>" },
}

local function entry(second, message, pid)
  return { timestamp = "2026-11-21T17:30:0" .. second .. "Z", level = "error", module = "shop", message = message,
    pid = pid }
end

describe("the template of a log line", function()
  for _, line in ipairs(LINES) do
    it("of: " .. line[1], function() assert.equal(line[2], log_templates.of(line[1])) end)
  end

  it("of itself is itself", function()
    for _, line in ipairs(LINES) do assert.equal(line[2], log_templates.of(line[2])) end
  end)

  it("is made of any text in a time that grows with it", function()
    for _, part in ipairs { "0", "a", ":", "0:", "a:", '"', "1.", ".a", "<", "0x", "-", "f0" } do
      assert.is_string(log_templates.of(part:rep(math.floor(100000 / #part))))
    end
  end)
end)

describe("the log of an answer", function()
  it("has one row for lines that differ in their figures, with count, first, last and the newest of them", function()
    local answer = log_templates.applied(LOGGER, { total = 4, showing = 4, entries = {
      entry(9, "user 3 failed", "<0.9.0>"), entry(8, "disk full"), entry(5, "user 2 failed", "<0.8.0>"),
      entry(1, "user 1 failed", "<0.7.0>"),
    } })
    assert.same({ total = 4, showing = 4, templates = 2, entries = {
      { timestamp = "2026-11-21T17:30:09Z", level = "error", module = "shop", message = "user <n> failed",
        pid = "<0.9.0>", count = 3, first = "2026-11-21T17:30:01Z", last = "2026-11-21T17:30:09Z",
        example = "user 3 failed" },
      { timestamp = "2026-11-21T17:30:08Z", level = "error", module = "shop", message = "disk full", count = 1,
        first = "2026-11-21T17:30:08Z", last = "2026-11-21T17:30:08Z" },
    } }, answer)
  end)

  it("keeps apart what another module or level wrote", function()
    local other = entry(2, "user 1 failed")
    other.module = "cart"
    assert.equal(2, log_templates.applied(LOGGER, { entries = { entry(3, "user 2 failed"), other } }).templates)
  end)

  it("keeps the counts of exceptions that were counted before", function()
    local answer = log_templates.applied(EXCEPTION, { types = {
      { type = "badarg", count = 7, first = "a", last = "b", message = "in 5", func = "f/1" } } })
    assert.same({ { type = "badarg", count = 7, first = "a", last = "b", message = "in <n>", func = "f/1",
      example = "in 5" } }, answer.types)
  end)

  for _, name in ipairs { "logger", "exception" } do
    it(("goes by fields that the callbacks of %s have"):format(name), function()
      local s = skill.open(name)
      local returned = {}
      for _, c in pairs(s.callbacks) do returned[#returned + 1] = table.concat(c.returns, "; ") end
      returned = table.concat(returned, "\n")
      for list, way in pairs(s.lines) do
        assert.matches(("%s%%[%%]:[^\n]*%%f[%%w]%s%%f[%%W]"):format(list, way.text), returned)
        assert.matches(("%s%%[%%]:[^\n]*%%f[%%w]%s%%f[%%W]"):format(list, way.at), returned)
      end
    end)
  end

  it("leaves other answers as they are", function()
    local given = { entries = { { message = "user 1" } } }
    assert.equal(given, log_templates.applied(nil, given))
    assert.equal(5, log_templates.applied(LOGGER, 5))
  end)
end)
