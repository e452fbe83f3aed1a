local own_secrets = require "runtime.llm.own_secrets"

local KEY = "zz-Plain.Word_Of/Mine+0123456789"

describe("the secrets of a client", function()
  local own

  before_each(function()
    own = own_secrets.new "ollama"
    own:know(KEY)
  end)

  it("go from a text, as often as they stand in it", function()
    assert.equal("no such key: <key>, nor <key>.", own:hide(("no such key: %s, nor %s."):format(KEY, KEY)))
  end)

  it("go from it in large letters, and whatever stands between their signs", function()
    assert.equal("x <key> y", own:hide("x " .. KEY:upper() .. " y"))
    for _, between in ipairs { "\226\128\139", " ", "\n", "*" } do
      assert.equal("a: <key>", own:hide("a: " .. KEY:gsub("%W", { ["-"] = between, ["."] = between })))
    end
  end)

  it("go from it in pieces of twelve letters and digits", function()
    assert.equal("starts <key> and ends <key>", own:hide "starts zz-Plain.Word_O and ends ine+0123456789")
    assert.equal("starts zz-Plain.Word", own:hide "starts zz-Plain.Word")
  end)

  it("are all that goes", function()
    local text = "Für heute ist Schluß: 0123456789 Tokens, Wort 3 von 4"
    assert.equal(text, own:hide(text))
  end)

  it("may be several, of several lengths", function()
    own:know "short-1"
    own:know "Another.Key.That.Was.Renewed"
    assert.equal("a <key>, b <key>, c <key>", own:hide("a SHORT_1, b another key that was renewed, c " .. KEY))
  end)

  it("are forgotten when many came after, so that a token that is renewed each hour fills nothing", function()
    for i = 1, 31 do own:know(("Token.%02d.Of.Today.%02d"):format(i, i)) end
    assert.equal("x <key>", own:hide("x " .. KEY))
    own:know "Token.32.Of.Today.32"
    assert.equal("x " .. KEY, own:hide("x " .. KEY))
    assert.equal("x <key> and <key>", own:hide "x Token.01.Of.Today.01 and Token.32.Of.Today.32")
  end)

  it("are none where they are a word that anybody may say", function()
    own:know "ollama"
    own:know "none"
    assert.equal("ollama has none", own:hide "ollama has none")
  end)
end)
