local cut = require "runtime.cut"
local json = require "runtime.json"

describe("runtime.cut", function()
  local function rows(n)
    local list = {}
    for i = 1, n do list[i] = { pid = i, name = ("n"):rep(10) } end
    return list
  end

  it("leaves alone what fits", function()
    assert.equal('{"a":[1,2]}', cut.text({ a = { 1, 2 } }, 100))
  end)

  it("shows the first of a list, says how many there are and how to see others", function()
    local short = json.decode(cut.text({ result = { processes = rows(1200) } }, 4000))
    assert.equal(50, #short.result.processes)
    assert.same({ "result.processes: showing 50 of 1200 entries",
      "return fewer fields; what is left out can still be cited" }, short.cut)
  end)

  it("says with what one asks for less, where that is known", function()
    local short = json.decode(cut.text({ r = rows(1200) }, 1000, "beam_top_processes(limit?, sort_by?)"))
    assert.equal("narrow with beam_top_processes(limit?, sort_by?), or return fewer fields; what is left out can still "
      .. "be cited", short.cut[2])
  end)

  it("keeps every field of a record, and its place in the list", function()
    local short = json.decode(cut.text({ r = rows(1200) }, 1000))
    assert.same({ pid = 1, name = "nnnnnnnnnn" }, short.r[1])
  end)

  it("holds the limit whatever comes: one long text, many keys, lists in lists", function()
    local many, deep = {}, { 1 }
    for i = 1, 5000 do many["key" .. i] = i end
    for _ = 1, 60 do deep = { deep, ("x"):rep(100) } end
    for _, value in ipairs { { t = ("x"):rep(1e6) }, { m = many }, { d = deep }, { r = rows(5000) } } do
      local text = cut.text(value, 1000)
      assert.is_true(#text <= 1000)
      assert.is_table(json.decode(text))
    end
  end)
end)
