local line = require "runtime.config.line"

describe("the command line", function()
  it("takes options with a space or an equals sign, and leaves the rest as words", function()
    local parsed = line.parse { "x.lua", "--node", "a@b", "--deadline=7", "--json", "--", "--not-ours", "1" }
    assert.same({ node = "a@b", deadline = 7, json = true }, parsed.options)
    assert.same({ "x.lua" }, parsed.words)
    assert.same({ "--not-ours", "1" }, parsed.args)
  end)

  it("names the nearest option for an unknown one", function()
    local parsed, err = line.parse { "--nod", "x" }
    assert.is_nil(parsed)
    assert.equal("there is no option --nod; did you mean --node?", tostring(err))
    assert.equal(2, err.exit)
  end)

  it("says what an option wants", function()
    assert.equal("--deadline wants a number from 1 to 86400, not soon; see `beamlens-run help`",
      tostring(select(2, line.parse { "--deadline", "soon" })))
    assert.equal("--every wants a number from 1 to 3600, not 0; see `beamlens-run help top`",
      tostring(select(2, line.parse { "--every", "0" })))
    assert.matches("^%-%-node wants a value", tostring(select(2, line.parse { "--node" })))
    assert.matches("must be one of strict, allow%-weak.*did you mean strict", tostring(select(2,
      line.parse { "--sandbox", "strikt" })))
  end)

  it("takes --help and --version for the commands of that name, with the command asked about", function()
    for flag, words in pairs { ["--help"] = { "help" }, ["-h"] = { "help" }, ["--version"] = { "version" },
      ["-v"] = { "version" } } do
      assert.same(words, line.parse({ flag }).words)
    end
    assert.same({ "help", "call" }, line.parse({ "call", "beam_get_memory", "--help" }).words)
  end)

  it("guesses only what is near", function()
    assert.equal("there is no option --verbose; see `beamlens-run help`",
      tostring(select(2, line.parse { "--verbose" })))
  end)

  it("adds up a list that is given twice", function()
    assert.same({ "a", "b", "c" }, line.parse({ "--allow", "a,b", "--allow", "c" }).options.allow)
  end)
end)
