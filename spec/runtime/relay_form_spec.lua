local uv = require "luv"
local relay_form = require "runtime.relay_form"

local WHOLE = {
  name = '"mine"', about = '"one line"', class = '"SAFE"', keep = "10", per_second = "5", variables = "{ Level = 1 }",
  text = '"State = 0, On = 1, Off = 1, Take = 1, Every = 0, Beat = 1,"', read = "function() end",
}

describe("a relay file", function()
  local folder

  setup(function()
    folder = uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX"
    for _, path in ipairs { "/beamlens", "/beamlens/skills", "/beamlens/skills/relays" } do
      uv.fs_mkdir(folder .. path, tonumber("700", 8))
    end
    uv.os_setenv("XDG_CONFIG_HOME", folder)
  end)
  teardown(function()
    uv.os_unsetenv "XDG_CONFIG_HOME"
    uv.fs_unlink(folder .. "/beamlens/skills/relays/mine.lua")
    for _, path in ipairs { "/beamlens/skills/relays", "/beamlens/skills", "/beamlens", "" } do
      uv.fs_rmdir(folder .. path)
    end
  end)

  local function open(changed)
    local lines = { "return {" }
    for key, value in pairs(WHOLE) do lines[#lines + 1] = ("  %s = %s,"):format(key, changed[key] or value) end
    local file = assert(io.open(folder .. "/beamlens/skills/relays/mine.lua", "w"))
    file:write(table.concat(lines, "\n"), "\n}\n")
    file:close()
    return relay_form.open "mine"
  end

  local function fault(changed)
    local r, err = open(changed)
    assert.is_nil(r)
    return tostring(err)
  end

  it("is opened with the text that starts it", function()
    local r = assert(open {})
    assert.equal("mine", r.name)
    assert.matches("State = 0, On = 1", r.query, 1, true)
  end)

  it("needs each of its fields", function()
    assert.matches("mine.lua:%d+: about must be a string", fault { about = "1" })
    assert.matches("keep must be a number", fault { keep = "nil" })
    assert.matches("read must be a function", fault { read = "nil" })
  end)

  it("is SAFE or CAUTION", function()
    assert.matches("class must be SAFE or CAUTION", fault { class = '"DANGEROUS"' })
  end)

  it("keeps and passes on whole numbers of events", function()
    assert.matches("keep must be a whole number above 0", fault { keep = "0" })
    assert.matches("per_second must be a whole number above 0", fault { per_second = "0.5" })
  end)

  it("has a text that binds what the runtime calls", function()
    assert.matches("the text never binds Off", fault { text = '"State = 0, On = 1, Take = 1, Every = 0, Beat = 1,"' })
  end)

  it("has a text that goes on behind its end", function()
    assert.matches("the text must end in a comma",
      fault { text = '"State = 0, On = 1, Off = 1, Take = 1, Every = 0, Beat = 1."' })
  end)

  it("has variables of its own, with values that can be told to the node", function()
    assert.matches("Ctl is bound by the runtime", fault { variables = "{ Ctl = 1 }" })
    assert.matches("Level must be a number or a string", fault { variables = "{ Level = {} }" })
  end)

  it("is listed beside those of the program", function()
    open {}
    local listed = {}
    for _, name in ipairs(relay_form.names()) do listed[name] = true end
    assert.same({ true, true }, { listed.mine, listed.monitor })
  end)
end)
