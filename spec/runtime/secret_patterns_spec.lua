-- What a user adds to the patterns of secrets, and what is said of what they got wrong.

local uv = require "luv"
local patterns = require "runtime.secret_patterns"
local privacy = require "runtime.privacy"

-- What stands in secrets.lua, and what is said of it.
local BROKEN = {
  { "return {\n  names = { 'pin'\n}", "/secrets.lua:%d+: .*expected" },
  { "return 5", "/secrets.lua:1: must return a table" },
  { "return {\n  formz = { 'pin' } }", "/secrets.lua:2: formz is none of .*: did you mean forms%?" },
  { "return { names = 'pin' }", "/secrets.lua:1: names must be a list" },
  { "return { names = {\n 'customer_pin',\n '.*' } }", "/secrets.lua:3: names wants words" },
  { "return { names_at_end = { 'A' } }", "/secrets.lua:1: names_at_end wants words" },
  { "return { texts = { 'abc' } }", "/secrets.lua:1: texts wants texts of four" },
  { "return { texts = { 'secret' } }", "/secrets.lua:1: texts would hide the names of secrets themselves" },
  { "return { forms = { 'acme' } }", "/secrets.lua:1: forms wants { begins" },
  { "return { forms = {\n\n{ begins = 'acme_', of = '[', least = 16 } } }", "/secrets.lua:3: forms wants of" },
  { "return { forms = { { begins = 'acme_', of = '%', least = 16 } } }", "/secrets.lua:1: forms wants of" },
  { "return { forms = { { begins = 'acme_', of = '^x', least = 16 } } }", "/secrets.lua:1: forms wants of" },
  { "return { forms = { { begins = '(a*)*b', of = '%w', least = 16 } } }", "/secrets.lua:1: forms wants begins" },
  { "return { forms = { { begins = 'acme_', of = '%w' } } }", "/secrets.lua:1: forms wants least" },
  { "return { forms = { { begins = 'acme_', of = '%w', least = 16, pattern = '.*' } } }", "form with pattern" },
  { "return { names = { os.getenv 'HOME' } }", "/secrets.lua:1: .*os" },
  { "while true do end", "/secrets.lua:1: ran for 20 million steps" },
}

describe("the patterns of secrets", function()
  local home

  local function write(text)
    local file = assert(io.open(home .. "/beamlens/secrets.lua", "w"))
    file:write(text)
    file:close()
  end

  before_each(function()
    home = assert(uv.fs_mkdtemp "/tmp/bl_patterns_XXXXXX")
    uv.fs_mkdir(home .. "/beamlens", 448)
    uv.os_setenv("XDG_CONFIG_HOME", home)
  end)

  after_each(function()
    os.execute("rm -rf " .. home)
    assert(patterns.load()) -- ours alone again
    uv.os_unsetenv "XDG_CONFIG_HOME"
  end)

  it("are what they were and what the user added", function()
    write [[return { names = { "customer_pin" }, names_at_end = { "iban" }, texts = { "Falcon-9 (draft)" },
      forms = { { begins = "acme.", of = "%u%d", least = 10 } } }]]
    assert(patterns.load())
    local p = privacy.new()
    assert.matches("^customer%-pin=<secret:%x+>;$", p:text "customer-pin=1234;")
    assert.matches("^his iban: <secret:%x+>$", p:text "his iban: DE02120300000000202051")
    assert.equal("an iban_count: 5 and ibans: 3", p:text "an iban_count: 5 and ibans: 3")
    assert.matches("^of <secret:%x+>%.$", p:text "of Falcon-9 (draft).")
    assert.matches("^key <secret:%x+>$", p:text "key acme.ABCDE12345")
    assert.equal("key acmeXABCDE12345 and acme.AB", p:text "key acmeXABCDE12345 and acme.AB")
    assert.matches("^password=<secret:%x+>$", p:text "password=hunter2")
  end)

  it("are told in an example that can be used as it is", function()
    write(require("host.files").read "examples/secrets.lua")
    assert.is_true(patterns.load())
    write((require("host.files").read "examples/secrets.lua":gsub("%-%- ([\"{])", "%1")))
    assert.is_true(patterns.load())
    assert.matches("^of <secret:%x+>$", privacy.new():text "of Project Falcon")
  end)

  it("cannot lose one of ours", function()
    write [[return { names = {}, names_at_end = {}, texts = {}, forms = {} }]]
    assert(patterns.load())
    local p = privacy.new()
    assert.matches("^password=<secret:%x+>$", p:text "password=hunter2")
    assert.matches("^a <secret:%x+>$", p:text "a sk-ant-api03-abcdefghijklmnop")
  end)

  it("of a file that is gone do not hold any longer", function()
    write [[return { texts = { "Falcon-9" } }]]
    assert(patterns.load())
    os.remove(home .. "/beamlens/secrets.lua")
    assert(patterns.load())
    assert.equal("the Falcon-9 is here", privacy.new():text "the Falcon-9 is here")
  end)

  it("are not read from a file that others may write", function()
    write "return {}"
    uv.fs_chmod(home .. "/beamlens/secrets.lua", 438)
    local ok, err = patterns.load()
    assert.is_nil(ok)
    assert.matches("may be written by others", err.message)
  end)

  for _, case in ipairs(BROKEN) do
    it("are refused with file and line: " .. case[1]:gsub("\n", " "), function()
      write(case[1])
      local ok, err = patterns.load()
      assert.is_nil(ok)
      assert.matches(case[2], err.message)
    end)
  end

  it("hold nobody up, whatever a text looks like", function()
    write [[return { forms = { { begins = "aa", of = "%w_a", least = 100000 },
      { begins = "a-", of = "a%-", least = 9 } }, texts = { "aaaaaaab" } }]]
    assert(patterns.load())
    -- A pattern that takes the square of a text's length would be at these for minutes.
    for _, text in ipairs { ("a"):rep(16384), ("aa-"):rep(5461), ("aa_"):rep(5461), ("a "):rep(8192),
      ("password= "):rep(1638), ("@a.b"):rep(4096), ("://a:"):rep(3276), ("-----BEGIN A-----"):rep(963) } do
      assert.matches(("%%(cut: %d bytes in all%%)$"):format(#text), privacy.new():text(text))
    end
  end)
end)
