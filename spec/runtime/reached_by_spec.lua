-- A command as it is typed next for the same node. What sh makes of it is asked of sh.

local reached_by = require "runtime.reached_by"

local function by_sh(command)
  local pipe = io.popen(("for word in %s; do printf '%%s\\n' \"$word\"; done"):format(command))
  local words = {}
  for line in pipe:lines() do words[#words + 1] = line end
  pipe:close()
  return words
end

describe("a command for the same node", function()
  it("names the node and what leads there, and nothing else", function()
    assert.equal("beamlens-run call beam_get_memory --node shop@host --cookie-file /home/me/c --port 4370",
      reached_by.command({ cookie_file = "/home/me/c", port = 4370, deadline = 5 }, "shop@host",
        "call beam_get_memory"))
  end)

  it("goes through the same door, and names the node there only where it was named", function()
    assert.equal("beamlens-run top --via docker:shop", reached_by.command({ via = "docker:shop" }, "shop@h", "top"))
    assert.equal("beamlens-run top --node shop --via prod --env eu",
      reached_by.command({ via = "prod", env = "eu", node = "shop" }, "shop@h", "top"))
  end)

  for _, word in ipairs { "shell:ssh -J jump shop 'exec sh'", "$HOME", "`id`", "<0.9.0>", "a;b", "it's", "*", "~root",
    "--x", "a@b-c.example_1:2,3=4%5+6" } do
    it("stands in sh as it was given: " .. word, function()
      assert.same({ "--via", word }, by_sh("--via " .. reached_by.word(word)))
    end)
  end

  it("holds nothing that steers a terminal", function()
    assert.equal("'a\\x1b[2Jb'", reached_by.word "a\27[2Jb")
  end)
end)
