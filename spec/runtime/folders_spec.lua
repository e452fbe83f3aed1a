local uv = require "luv"
local async = require "runtime.async"
local edited = require "spec.support.edited"
local folders = require "runtime.folders"
local left_open = require "spec.support.left_open"
local live = require "spec.support.live_node"

describe("runtime.folders", function()
  local watched, wake, stirred, count

  before_each(function()
    edited.open()
    stirred, count = false, 0
    watched = folders.new(function()
      stirred, count = true, count + 1
      if wake then wake(true) end
    end)
  end)
  after_each(function()
    watched:close()
    edited.close()
  end)

  -- Whether anything was heard of what it does.
  local function heard(deed)
    stirred = false
    deed()
    if not stirred then async.await(function(resume) wake = resume end, async.now() + 30) end
    wake = nil
    return stirred
  end

  it("hears a file that is saved in place, by a rename, and removed", live.test(function()
    edited.save("skills/a.lua", "1")
    watched:watch { edited.path "skills" }
    assert.is_true(heard(function() edited.save("skills/a.lua", "2") end))
    assert.is_true(heard(function() edited.rename("skills/a.lua", "3") end))
    assert.is_true(heard(function() edited.remove "skills/a.lua" end))
  end))

  it("waits for a folder that is not there, and hears what happens in it then", live.test(function()
    local wanted = { edited.path "skills" }
    watched:watch(wanted)
    assert.is_true(heard(function() edited.save("prompts/x.md", "1") end))
    watched:watch(wanted)
    assert.is_true(heard(function() edited.save("skills/a.lua", "1") end))
    watched:watch(wanted)
    assert.is_true(heard(function() edited.save("skills/a.lua", "2") end))
  end))

  it("hears a folder that was removed and made again", live.test(function()
    local wanted = { edited.path "skills" }
    edited.save("skills/a.lua", "1")
    watched:watch(wanted)
    assert.is_true(heard(function() os.execute("rm -r " .. edited.path "skills") end))
    watched:watch(wanted)
    assert.is_true(heard(function() edited.save("skills/a.lua", "1") end))
    watched:watch(wanted)
    assert.is_true(heard(function() edited.save("skills/a.lua", "2") end))
  end))

  it("hears nothing of what lies beside the folder that it waits for", live.test(function()
    edited.save("prompts/x.md", "1")
    watched:watch { edited.path "skills" }
    edited.save("notes", "1")
    edited.remove "notes"
    heard(function() assert(uv.fs_mkdir(edited.path "skills", tonumber("700", 8))) end)
    async.sleep(0) -- what came with it
    assert.equal(1, count)
  end))

  it("leaves neither handles nor watches of the kernel behind", live.test(function()
    edited.save("skills/a.lua", "1")
    local wanted = { edited.path "skills", edited.path "prompts", edited.home }
    watched:watch(wanted)
    watched:close()
    async.sleep(0)
    local before, of_kernel = left_open.handles(), left_open.watches()
    for i = 1, 1000 do
      edited.save("skills/a.lua", tostring(i))
      watched:watch(wanted)
      if i % 10 == 0 then watched:close() end
    end
    watched:close()
    async.sleep(0)
    assert.same({ before, of_kernel }, { left_open.handles(), left_open.watches() })
  end))
end)
