-- `explain` as a person types it, and as a program reads it.
local async = require "runtime.async"
local json = require "runtime.json"
local knowledge = require "runtime.knowledge"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local typeset = require "runtime.typeset"
local uv = require "luv"

local home

local function run(...)
  local args = { "explain", ... }
  return async.run(function() return program.run(args, { env = { HOME = home, XDG_CONFIG_HOME = home } }) end)
end

local function save(name, text)
  local path = ("%s/beamlens/prompts/knowledge/%s"):format(home, name)
  os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/"))
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  uv.fs_chmod(path, 384)
  return path
end

local OWN = "---\ngroup: live\nabout: what we do at night\nalso: pager\n---\n# On call\n\nCall `Ada`.\n"

-- What a terminal of so many columns shows of a topic.
local function shown(columns, ...)
  local args = { "explain", ... }
  return async.run(function()
    local running = pty.start(args, { whole = true, columns = columns, env = { HOME = home, XDG_CONFIG_HOME = home } })
    running.wait()
    return running.screen()
  end)
end

local function widest(text)
  local most = 0
  for line in text:gsub("\27%[%d*m", ""):gmatch "[^\n]+" do
    most = math.max(most, select(2, line:gsub("[^\128-\191]", "")))
  end
  return most
end

describe("explain", function()
  before_each(function()
    home = os.tmpname()
    os.remove(home)
    uv.fs_mkdir(home, 448)
    home = uv.fs_realpath(home)
  end)
  after_each(function() os.execute(("rm -rf '%s'"):format(home)) end)

  it("lists every topic with a line, and every mechanism, in 80 columns", function()
    local result = run()
    assert.same({ 0, "" }, { result.code, result.stderr })
    for _, t in ipairs(knowledge.all()) do
      local said = t.group == "mechanisms" and "%f[%w_]" .. t.topic .. "%f[^%w_]"
        or "\n  " .. t.topic .. " +" .. t.about:gsub("%p", "%%%0") .. "\n"
      assert.matches(said, result.stdout)
    end
    assert.is_true(widest(result.stdout) <= 80)
  end)

  it("says of every mechanism what it is", function()
    assert.matches("\n  monitor_leak +a process sets monitors and never removes them\n", run("mechanisms").stdout)
  end)

  it("tells a topic, by its name or by what it is about, in words or with a question mark", function()
    local whole = run("links_or_monitors")
    assert.same({ 0, "" }, { whole.code, whole.stderr })
    assert.matches("^Links or monitors\n\n  end together, or only know: exit signals, DOWN\n\n    What should the end",
      whole.stdout)
    assert.equal(whole.stdout, run("links", "or", "monitors").stdout)
    assert.equal(whole.stdout, run("Links or monitors?").stdout)
    assert.equal(whole.stdout, run("links").stdout:match "^(.-\n)\nNear to it\n")
  end)

  it("tells a mechanism with what to change", function()
    assert.matches("^monitor_leak\n\n  a process sets monitors .*\nChange\n\n.*\nErlang\n\n    ask%(Server",
      run("monitor_leak").stdout)
  end)

  it("lists what speaks of words that name no topic", function()
    local result = run("netsplit", "lock")
    assert.equal(0, result.code)
    assert.matches("^What speaks of netsplit lock\n\n  %l[%l_]+ +%S", result.stdout)
  end)

  it("says what is near to a slip of the fingers, and exits with 2", function()
    local result = run "mailbx"
    assert.same({ 2, "", "beamlens-run: no topic speaks of mailbx; did you mean mailbox?\n" },
      { result.code, result.stdout, result.stderr })
    assert.equal("beamlens-run: no topic speaks of frobnicate; see `beamlens-run explain`\n", run("frobnicate").stderr)
  end)

  it("gives the same as JSON", function()
    local one = json.decode(run("memory", "--json").stdout)
    local topic = knowledge.of "memory"
    assert.same({ 1, "memory", topic.title, topic.about, "routes", topic.text },
      { one.schema, one.topic, one.title, one.about, one.group, one.text })
    local all = json.decode(run("--json").stdout)
    assert.equal(#knowledge.all(), #all.topics)
    local wrong = run("mailbx", "--json")
    assert.equal(2, wrong.code)
    assert.same({ stage = "usage", message = "no topic speaks of mailbx", next = "did you mean mailbox?" },
      json.decode(wrong.stdout).error)
  end)

  it("takes the user's own file before ours, and one of theirs beside it", function()
    save("memory.md", (OWN:gsub("pager", "ram")))
    save("night.md", OWN)
    assert.equal("On call\n\n  what we do at night\n\n  Call `Ada`.\n", run("memory").stdout)
    assert.matches("\n  night +what we do at night\n", run().stdout)
    assert.equal(run("night").stdout, run("pager").stdout)
  end)

  it("shows ours where the user's does not read, and says why", function()
    local path = save("memory.md", "# Memory\n")
    local result = run "memory"
    assert.matches("^Memory\n\n  which kind, whose", result.stdout)
    assert.equal(("beamlens-run: %s:1: it does not begin with ---; begin with ---, then group: and about:, "
      .. "and --- again; ours is shown\n"):format(path), result.stderr)
  end)

  it("tells of a file of the user's that stands for none of ours and does not read", function()
    local path = save("night.md", "so\n")
    assert.matches(path .. ":1: it does not begin with", run("night").stderr, 1, true)
    local list = run()
    assert.equal(0, list.code)
    assert.matches(path .. ":1: it does not begin with", list.stderr, 1, true)
  end)

  it("copies a topic to edit, as the help says", function()
    local result = async.run(function()
      return program.run({ "init", "prompts/knowledge/mailbox.md" }, { env = { HOME = home, XDG_CONFIG_HOME = home } })
    end)
    assert.same({ 0, "" }, { result.code, result.stderr })
    assert.is_truthy(uv.fs_stat(home .. "/beamlens/prompts/knowledge/mailbox.md"))
  end)

  for _, columns in ipairs { 60, 80, 100 } do
    it(("fits a terminal of %d columns"):format(columns), function()
      for _, topic in ipairs { "memory", "safety", "mechanisms" } do
        local screen = shown(columns, topic)
        assert.matches("\27[1m", screen, 1, true)
        assert.is_true(widest(screen) <= columns, topic)
      end
    end)
  end

  it("fits a terminal of 80 columns, whatever the topic, with its code", function()
    for _, topic in ipairs(knowledge.all()) do
      if topic.group ~= "mechanisms" then
        assert.is_true(widest(typeset.text(topic.text, { width = 80 })) <= 80, topic.topic)
      end
    end
  end)

  it("has no colours where it is piped, or where they are not wanted", function()
    assert.is_nil(run("memory").stdout:find("\27", 1, true))
    assert.is_nil(shown(80, "memory", "--no-color"):find("\27[", 1, true))
  end)
end)
