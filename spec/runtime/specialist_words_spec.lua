-- What a strategy put into a report as `specialist`: whether it can be shown, and in which words.

local json = require "runtime.json"
local words = require "runtime.specialist_words"

local function given(more)
  local s = { phase_zero = { { name = "release", says = "OTP 27" } },
    plan = { { what = "trace", class = "CAUTION", state = "done" } },
    guidance = { { area = "flags", text = "+S 2:2" } } }
  for part, rows in pairs(more or {}) do s[part] = rows end
  return s
end

describe("the words of a specialist", function()
  it("take what can be shown", function() assert.is_nil(words.fault(given())) end)

  for what, case in pairs {
    ["is no table"] = { "7", "specialist must be an object, not a text" },
    ["has a part that is no list"] = { given { plan = { what = "trace" } },
      "specialist.plan must be a list, not an object" },
    ["lacks a part"] = { { phase_zero = {}, plan = {} }, "specialist.guidance is missing" },
    ["has a row without its text"] = { given { guidance = { { area = "flags" } } },
      "specialist.guidance[1].text must be a text" },
    ["has a row with a number for it"] = { given { phase_zero = { { name = 7 } } },
      "specialist.phase_zero[1].name must be a text" },
  } do
    it("say what is wrong where it " .. what, function() assert.equal(case[2], (words.fault(case[1]))) end)
  end

  it("say why something was not seen", function()
    assert.same({ { "release", "OTP 27" }, { "apps", "not seen: refused" } }, words.facts(given { phase_zero = {
      { name = "release", says = "OTP 27", why = json.null }, { name = "apps", says = json.null, why = "refused" } } }))
  end)

  it("say how far a step came, and why no farther", function()
    assert.same({ "done", "not run: nobody said yes", "put off: 90 wait", "halted: busy" }, {
      words.state { state = "done", why = json.null }, words.state { state = "refused", why = "nobody said yes" },
      words.state { state = "put_off", why = "90 wait" }, words.state { state = "halted", why = "busy" } })
  end)

  it("say who called what was traced, how often each", function()
    assert.equal("shop:work/1 was called by <0.1.0> (2), <0.2.0> (1)", words.heard { result = { tracing = "shop:work/1",
      calls = { { pid = "<0.1.0>" }, { pid = "<0.2.0>" }, { pid = "<0.1.0>" } } } })
    assert.equal("shop:work/1 was called by nobody meanwhile",
      words.heard { result = { tracing = "shop:work/1", calls = {} } })
    assert.is_nil(words.heard { result = { total = 3 } })
  end)
end)
