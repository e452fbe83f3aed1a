-- What a person types unseen, at a door that does not keep it to itself.

local async = require "runtime.async"
local console = require "runtime.door.console"
local troubles = require "runtime.door.troubles"

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
