local config = require "runtime.config"

local function none() end

local function write(text, mode)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  require("luv").fs_chmod(path, mode or 384)
  return path
end

local function settle(text, given)
  local path = write(text)
  given = given or {}
  given.config = path
  local options, err = config.settle(given, none)
  os.remove(path)
  return options, err, path
end

describe("config", function()
  it("keeps numbers in their bounds, wherever they come from", function()
    for word, want in pairs { ["--port=99999"] = "a whole number from 1 to 65535, not 99999",
      ["--port=1.5"] = "a whole number", ["--port=0"] = "a whole number",
      ["--deadline=inf"] = "a number from 1 to 86400",
      ["--deadline=1e300"] = "a number", ["--deadline=0x10"] = "a number", ["--deadline=0"] = "a number" } do
      local _, err = config.parse { word }
      assert.matches(word:match "%a+" .. " wants " .. want, tostring(err))
    end
    assert.matches(":1: port wants a whole number", tostring(select(2, settle "return { port = -1 }")))
    assert.same({ port = 65535, deadline = 2.5 }, config.parse { "--port", "65535", "--deadline", "2.5" }.options)
  end)

  it("hands out what else it read beside what is wrong", function()
    local _, err, options = config.parse { "--bogus", "--json" }
    assert.matches("no option %-%-bogus", tostring(err))
    assert.is_true(options.json)
    local path = write "return { json = true, port = 0 }"
    _, err, options = config.settle({ config = path }, none)
    os.remove(path)
    assert.matches("port wants", tostring(err))
    assert.is_true(options.json)
  end)

  it("refuses names that are no text", function()
    for _, list in ipairs { "{ 5, {} }", '{ "ets", 5 }', '{ 5, "ets" }', "{ {} }" } do
      assert.matches(":1: skills wants names, one at least, not that table",
        tostring(select(2, settle("return { skills = " .. list .. " }"))))
    end
  end)

  it("fills a group of settings with its defaults", function()
    local options = assert(settle "return { anomaly = { z_threshold = 4, auto_trigger = false } }")
    assert.same({
      collection_interval_ms = 30000, learning_duration_ms = 300000, z_threshold = 4, consecutive_required = 3,
      cooldown_ms = 900000, auto_trigger = false, max_triggers_per_hour = 3,
    }, options.anomaly)
    assert.equal(3, assert(settle "return {}").anomaly.z_threshold)
  end)

  for text, said in pairs {
    ["{ z_treshold = 4 }"] = ":1: anomaly has no z_treshold; did you mean z_threshold?",
    ["{ z_threshold = 0 }"] =
      ":1: anomaly.z_threshold wants a number from 1 to 100, not 0; see `beamlens-run init examples/config.lua`",
    ["{ consecutive_required = 2.5 }"] =
      ":1: anomaly.consecutive_required wants a whole number from 1 to 100, not 2.5; "
        .. "see `beamlens-run init examples/config.lua`",
    ["5"] = ":1: anomaly wants a table, not 5; see `beamlens-run init examples/config.lua`",
  } do
    it("names what is wrong in a group: " .. text, function()
      local _, err, path = settle(("return { anomaly = %s }"):format(text))
      assert.equal(path .. said, tostring(err))
    end)
  end

  it("takes a group from the file alone", function()
    assert.matches("^there is no option %-%-anomaly", tostring(select(2, config.parse { "--anomaly", "x" })))
    assert.equal(3, config.settle({}, function(name) return name == "BEAMLENS_ANOMALY" and "x" or nil end)
      .anomaly.z_threshold)
  end)

  it("lets the command line win over the environment, that over the file, that over the default", function()
    local path = write [[return { node = "file@h", reason = "file", model = "file" }]]
    local environment = { BEAMLENS_NODE = "env@h", BEAMLENS_REASON = "env", BEAMLENS_CONFIG = path }
    local options = assert(config.settle({ node = "line@h" }, function(name) return environment[name] end))
    os.remove(path)
    assert.same({ "line@h", "env", "file", 300 }, { options.node, options.reason, options.model, options.deadline })
  end)

  it("never takes --allow from environment or file", function()
    local options = assert(config.settle({}, function(name) return name == "BEAMLENS_ALLOW" and "caution" or nil end))
    assert.same({}, options.allow)
    local _, err = settle [[return { allow = { "caution" } }]]
    assert.matches("allow may only stand on the command line", tostring(err))
  end)

  it("lets no text end a dry run", function()
    local _, err, path = settle [[return { autonomy = { dry_run = "" } }]]
    assert.equal(path .. ":1: autonomy.dry_run wants true or false, without quotes, not ; "
      .. "see `beamlens-run init examples/config.lua`",
      tostring(err))
  end)

  it("gives a config file nothing to call", function()
    local _, err = settle [[os.execute "true" return {}]]
    assert.matches(":1: attempt to index global 'os'", tostring(err))
  end)

  it("stops a config file that never ends", function()
    local _, err, path = settle "return {\n  node = (function() while true do end end)()\n}"
    assert.matches(path .. ":2: ran for 20 million steps or 3 seconds without coming to an end; mend the line",
      tostring(err), 1, true)
  end)

  it("tells file and line of a broken config", function()
    local _, err, path = settle "return {\n  node = \n}"
    assert.matches(path:gsub("%p", "%%%0") .. ":3: ", tostring(err))
    assert.equal(2, err.exit)
  end)

  it("refuses a config file that others may write", function()
    local path = write("return {}", 438) -- 0666
    local options, err = config.settle({ config = path }, none)
    os.remove(path)
    assert.is_nil(options)
    assert.equal(path .. " may be written by others, so it is not used; chmod o-w " .. path, tostring(err))
  end)

  -- A file of settings, the line that is to blame, and what is said of it.
  for _, case in ipairs {
    { 'return { nod = "a@b" }', 1, "nod is no option; did you mean node?" },
    { "return {\n  -- nod = 1\n  reason = 'nod = 2',\n  nod = 3 }", 4, "nod is no option; did you mean node?" },
    { "return {\n  nod = 1,\n  alow = 2 }", 2, "nod is no option; did you mean node?" },
    { "return {\n  ['cookie-file'] = 'x' }", 2, "cookie-file is no option; did you mean cookie_file?" },
    { "return {\n  [5] = 1 }", 2, "5 is no option; take it out" },
    { "return {\n  reason = '',\n  allow = { 'caution' } }", 3,
      "allow may only stand on the command line; take it out" },
    { "return {\n  quiet = true,\n  deadline = 'soon' }", 3,
      "deadline wants a number from 1 to 86400, not soon; see `beamlens-run help`" },
    { "return {\n  node = {} }", 2, "node wants text, not that table; see `beamlens-run help`" },
    { "return {\n  node = function() end }", 2, "node wants text, not that function; see `beamlens-run help`" },
    { "return {\n  sandbox = 'strikt' }", 2,
      "sandbox must be one of strict, allow-weak, not strikt (did you mean strict?); see `beamlens-run help`" },
    { "return {\n  retention = {\n    runs_days = 5,\n    event_days = 1 } }", 4,
      "retention has no event_days; did you mean events_days?" },
    { "return {\n  limits = { calls = 5,\n    usd = -1 } }", 3,
      "limits.usd wants a number from 0 to 1000000, not -1; see `beamlens-run init examples/config.lua`" },
  } do
    it("tells file and line of " .. case[1]:gsub("%s+", " "), function()
      local _, err, path = settle(case[1])
      assert.same({ ("%s:%d: %s"):format(path, case[2], case[3]), "config", 2 }, { tostring(err), err.stage, err.exit })
    end)
  end

  it("tells the file alone where the line cannot be told", function()
    local _, err, path = settle "local all = {}\nall.port = 0\nreturn all"
    assert.equal(path .. ": port wants a whole number from 1 to 65535, not 0; see `beamlens-run help`", tostring(err))
  end)

  it("tells what others find wrong in the file with its line, and leaves what is not of the file", function()
    local path = write "return {\n  operators = { 'beam',\n    { skil = 'ets' } } }"
    local options = config.settle({ config = path, reason = "x" }, none)
    local err = select(2, require("runtime.roster").of(options.operators, "operators"))
    assert.equal(path .. ":3: operators[2] knows no skil; it has name, skill, mode; did you mean skill?",
      tostring(config.placed(options, err)))
    os.remove(path)
    local of_script = select(2, require("runtime.roster").of({ 5 }, "watchers"))
    assert.equal(of_script, config.placed(options, of_script))
  end)
end)
