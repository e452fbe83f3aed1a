-- What a person types unseen, at a door that does not keep it to itself.

local async = require "runtime.async"
local console = require "runtime.door.console"
local digest = require "runtime.door.digest"
local troubles = require "runtime.door.troubles"
local uv = require "luv"

-- It says aloud what it was told, asks again and ends.
local LOUD = [[printf 'Password: '; read -r a; printf 'not %s\nPassword: ' "$a"; read -r b; printf 'nor %s' "$b"]]

-- What stood before each question, and what is left in the end.
local function tried(...)
  local answers, asked = { ... }, {}
  return async.run(function()
    local shell = assert(console.start({ "sh", "-c", "stty -echo; " .. LOUD }, {
      stop_at = troubles.question, silent = true, on_end = function() end,
      answer = function(said)
        asked[#asked + 1] = said:gsub("\r", "")
        return answers[#asked], true
      end,
    }))
    local _, why = shell:await("never", async.now() + 20)
    shell:close()
    return asked, shell.said, why
  end)
end

describe("a secret that was typed at a door", function()
  it("is not in what it says before it asks again, nor in what it said last", function()
    local asked, said, why = tried("hunter2secret", "hunter3secret")
    assert.same({ "Password: ", "not ****\nPassword: " }, asked)
    assert.same({ "nor ****", "end" }, { said, why })
  end)

  it("is no secret where it is a word of three letters", function()
    local _, said = tried("not", "nor")
    assert.equal("nor nor", said)
  end)
end)

-- As in mksh, where printf is a program, whose arguments everybody may read.
local BASH = [[#!/bin/sh
exec bash --norc -c "enable -n printf
$2"
]]

describe("the cookie of a node", function()
  it("is given to no program", function()
    local folder = assert(uv.fs_mkdtemp "/tmp/spec-secret-XXXXXX")
    local fd = assert(uv.fs_open(folder .. "/sh", "w", tonumber("755", 8)))
    assert(uv.fs_write(fd, BASH))
    uv.fs_close(fd)
    async.run(function()
      local words = { "env", "PATH=" .. folder .. ":" .. os.getenv "PATH", "RELEASE_COOKIE=of_the_shell", "dash" }
      local shell = assert(console.start(words, { silent = true, on_end = function() end }))
      assert(shell:take_over(async.now() + 20))
      local itself = { pid = tostring(uv.os_getpid()), root = "/nowhere" }
      assert.same({ nil, "its printf would show the cookie" }, { digest.of(shell, itself, "x1", async.now() + 20) })
      shell:close()
    end)
    os.remove(folder .. "/sh")
    uv.fs_rmdir(folder)
  end)
end)
