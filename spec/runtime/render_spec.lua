local etf = require "host.etf"
local render = require "runtime.render"

local A, tuple = etf.A, etf.tuple

-- What a node would send.
local function sent(term) return (assert(etf.decode(etf.encode(term)))) end

describe("a value for a person", function()
  it("is a table when it is a list of rows, names first, numbers to the right", function()
    assert.equal("  pid      name  queue\n  <0.1.0>  a         7\n  <0.2.0>          123\n",
      render.value({ { pid = "<0.1.0>", name = "a", queue = 7 }, { pid = "<0.2.0>", queue = 123 } }, "  "))
  end)

  it("is made to fit a width, where the widest texts give way", function()
    local rows = { { pid = "<0.1.0>", call = ("long_module_name"):rep(3), name = "short", queue = 7 } }
    local lines = {}
    for line in render.value(rows, "  ", 50):gsub("…", "..."):gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.matches("^  pid      name   call +queue$", lines[1])
    assert.matches("^  <0.1.0>  short  long_module_name[^ ]*%.%.%. +7$", lines[2])
    assert.is_true(#lines[1] <= 50 and #lines[2] <= 50, lines[2])
  end)

  it("is told one row below the other where the terminal is too narrow for a table, and no pid is cut", function()
    assert.equal("  - pid: <0.1234.0>\n    name: supervisor_of_all\n    queue: 7\n",
      render.value({ { pid = "<0.1234.0>", name = "supervisor_of_all", queue = 7 } }, "  ", 20))
  end)

  it("marks where each object of a list begins, names first, what has parts of its own last", function()
    assert.equal("tree:\n  - pid: <0.1.0>\n    name: a\n    size: 2\n    below:\n      - name: c\n        list:\n"
      .. "          1\n  - name: b\n    size: 1\n", render.value { tree = {
      { name = "a", pid = "<0.1.0>", size = 2, below = { { name = "c", list = { 1 } } } }, { name = "b", size = 1 } } })
  end)

  it("keeps every key of a map, whatever its kind", function()
    local map = assert(etf.decode "\131t\0\0\0\2a\1a\2a\3a\4") -- #{1 => 2, 3 => 4}
    assert.equal("1: 2\n3: 4\n", render.value(map))
  end)

  it("says none for what is empty", function()
    assert.equal("none\n", render.value(sent {}))
    assert.equal("list: none\n", render.value { list = {} })
  end)

  it("keeps the end of an improper list", function()
    assert.equal("1\n| 2\n", render.value((assert(etf.decode "\131l\0\0\0\1a\1a\2"))))
  end)

  it("shows atoms, pids and tuples as text and list", function()
    assert.equal("ok\n<0.5.0>\n", render.value(sent(tuple(A.ok, etf.pid("a@b", 5, 0, 1)))))
  end)
end)
