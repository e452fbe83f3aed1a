-- What was made is found again by the next bench, also when the last one was ended in the middle of a line.
local uv = require "luv"
local kept = require "spec.diagnosis.kept"

local ABOUT = { version = "v1", provider = "analyst", under = "" }

describe("the runs of a bench that was ended", function()
  local folder

  before_each(function() folder = assert(uv.fs_mkdtemp "/tmp/kept-spec-XXXXXX") end)
  after_each(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  local function cut(text)
    local file = assert(io.open(kept.open(ABOUT, folder).path, "a"))
    file:write(text)
    file:close()
  end

  it("are kept", function()
    kept.open(ABOUT, folder):add("idle 1.1", { verdict = "healthy" })
    assert.equal("healthy", kept.open(ABOUT, folder):get("idle 1.1").verdict)
  end)

  it("are kept apart for another program", function()
    kept.open(ABOUT, folder):add("idle 1.1", { verdict = "healthy" })
    local other = { version = "v2", provider = "analyst", under = "" }
    assert.is_nil(kept.open(other, folder):get "idle 1.1")
  end)

  it("lose no more than the line that was cut", function()
    kept.open(ABOUT, folder):add("idle 1.1", { verdict = "healthy" })
    cut '{"key":"idle 1.2","verd'
    kept.open(ABOUT, folder):add("idle 1.3", { verdict = "sick" })
    local again = kept.open(ABOUT, folder)
    assert.same({ "healthy", nil, "sick" }, { again:get("idle 1.1").verdict, again:get "idle 1.2",
      again:get("idle 1.3").verdict })
  end)
end)
