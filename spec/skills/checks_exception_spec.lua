-- The checks of exception on played answers: that they find what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local find, suspect = played.of "exception"

local ALL = { "dependency_error_storm", "heap_limit_kills", "unexplained_crashes" }

-- So many crashes, newest first, 50 ms apart, the newest at this time in ms.
local function crashes(count, newest, fields)
  local rows = {}
  for i = 1, count do
    local pid, ms = ("<0.%d.0>"):format(newest - i), newest - 50 * (i - 1)
    rows[i] = { id = ("0.%d.0@%d000"):format(newest - i, ms), pid = pid, type = "badmatch", kind = "error",
      message = "{badmatch,{error,down}}", func = "shop:pay/1", datetime = tostring(ms) }
    for key, value in pairs(fields or {}) do rows[i][key] = value or nil end
  end
  return { listened_seconds = 2, total = count, exceptions = rows }
end

-- The mechanism and object that each check names, of two looks 2 s apart.
local function found(fields)
  local list = {}
  for _, id in ipairs(ALL) do
    local finding = find(id, { crashes(20, 10000, fields), crashes(50, 12000, fields) })
    if finding then list[#list + 1] = id .. " " .. finding.object end
  end
  return list
end

describe("the checks of exception", function()
  it("call crashes on the same {error, …} in one place a failing dependency", function()
    assert.same({ "dependency_error_storm shop:pay/1" }, found())
  end)

  it("name the process where all that crash have one name", function()
    assert.same({ "dependency_error_storm till" }, found { name = "till" })
  end)

  it("tell whom the VM ended for its heap limit", function()
    assert.same({ "heap_limit_kills max_heap_size" },
      found { type = "killed", kind = "exit", message = "maximum heap size reached", func = false })
  end)

  it("accuse no dependency of what the machine or the caller did wrong", function()
    assert.same({ "unexplained_crashes shop:pay/1" }, found { message = "{badmatch,{error,emfile}}" })
    assert.same({ "unexplained_crashes shop:pay/1" }, found { message = "badarg", type = "badarg" })
  end)

  it("find nothing in crashes that were all before the first look", function()
    assert.is_nil((find("dependency_error_storm", { crashes(20, 10000), crashes(20, 10000) })))
  end)

  it("look no further at a few crashes, or at many of one process", function()
    assert.same({ nil, 1 }, { find("dependency_error_storm", { crashes(4, 10000) }) })
    assert.same({ nil, 1 }, { find("dependency_error_storm", { crashes(20, 10000, { pid = "<0.9.0>" }) }) })
  end)

  it("are suspect of five at least", function()
    assert.same({ false, true }, { suspect(ALL[1], { total = 4 }), suspect(ALL[1], { total = 5 }) })
  end)
end)
