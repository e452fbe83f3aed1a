local uv = require "luv"
local crypto = require "host.crypto"
local gate = require "runtime.gate"
local json = require "runtime.json"
local policy = require "runtime.policy"

local LAXER = '{ functions = { ["shop:stats/0"] = { class = "SAFE", why = "reads one counter" } } }'

describe("the owner's policy", function()
  local folder

  local function write(text, mode)
    local path = folder .. "/config/beamlens/policy.lua"
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    assert(uv.fs_chmod(path, mode or 384))
  end

  local function start(text)
    write("return " .. text)
    return policy.start()
  end

  local function reload(text)
    write("return " .. text)
    return policy.reload()
  end

  before_each(function()
    folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
    os.execute("mkdir -p " .. folder .. "/config/beamlens")
    uv.os_setenv("XDG_CONFIG_HOME", folder .. "/config")
    uv.os_setenv("XDG_STATE_HOME", folder .. "/state")
  end)
  after_each(function()
    os.execute("rm -rf " .. folder)
    uv.os_setenv("XDG_CONFIG_HOME", "/nonexistent")
    policy.start()
    uv.os_unsetenv "XDG_CONFIG_HOME"
    uv.os_unsetenv "XDG_STATE_HOME"
  end)

  local function audited()
    local file = io.open(folder .. "/state/beamlens/audit.jsonl")
    local lines = {}
    for line in file and file:lines() or function() end do lines[#lines + 1] = json.decode(line) end
    if file then file:close() end
    return lines
  end

  local function complaint(text)
    local ok, err = start(text)
    assert.is_nil(ok)
    assert.same({ "policy", 2 }, { err.stage, err.exit })
    return (tostring(err):gsub(".*policy%.lua:1: ", "")), err
  end

  it("is nothing where there is none", function()
    assert.is_true(policy.start())
    assert.same({ "SAFE", "CAUTION" }, { policy.callback("x", "SAFE"), policy.action("y", "CAUTION") })
  end)

  describe("makes stricter", function()
    it("a callback, which the gate then refuses", function()
      assert(start '{ callbacks = { beam_get_memory = "CAUTION" } }')
      local ok, why = gate.new({}):permit("beam_get_memory", "SAFE")
      assert.is_nil(ok)
      assert.matches("^beam_get_memory has a side effect", tostring(why))
    end)

    it("a callback to never, whatever the command line allows", function()
      assert(start '{ callbacks = { tracer_start = "never" } }')
      local ok, why = gate.new({ allow = { "caution", "tracer_start" } }):permit("tracer_start", "CAUTION")
      assert.is_nil(ok)
      assert.equal("tracer_start is forbidden by the owner's policy; go on without it", tostring(why))
    end)

    it("an action", function()
      assert(start '{ actions = { gc_process = "DANGEROUS", kill_process = "never" } }')
      assert.same({ "DANGEROUS", "never" }, { policy.action("gc_process", "CAUTION"),
        policy.action("kill_process", "DANGEROUS") })
    end)

    it("a function, of which all else stays as we know it", function()
      assert(start '{ functions = { ["erlang:memory/0"] = "DANGEROUS" } }')
      local entry = policy.entry("erlang:memory/0", { class = "SAFE", effect = "reads", cost = "small", why = "w",
        roles = { "_" } })
      assert.same({ class = "DANGEROUS", effect = "changes", cost = "small", why = "your policy says so",
        roles = { "_" } }, entry)
    end)
  end)

  describe("makes laxer", function()
    it("no callback", function()
      assert.equal("callbacks: tracer_start can only be made stricter; say CAUTION, DANGEROUS or never, or take it out",
        (complaint '{ callbacks = { tracer_start = "SAFE" } }'))
    end)

    it("no callback by saying less than we do", function()
      assert(start '{ callbacks = { kill = "CAUTION" } }')
      assert.equal("DANGEROUS", policy.callback("kill", "DANGEROUS"))
    end)

    it("no action", function()
      for _, class in ipairs { "SAFE", "CAUTION" } do
        assert.matches("^actions: kill_process is DANGEROUS, and what we know is never made laxer",
          (complaint(('{ actions = { kill_process = "%s" } }'):format(class))))
      end
    end)

    it("no slip in the name of an action, which would forbid nothing", function()
      assert.equal("actions: kill_proces is no action; did you mean kill_process?",
        (complaint '{ actions = { kill_proces = "never" } }'))
    end)

    it("no function that we know", function()
      local said = complaint '{ functions = { ["erlang:halt/0"] = { class = "CAUTION", why = "w" } } }'
      assert.equal("functions: erlang:halt/0 is DANGEROUS, and what we know is never made laxer; take it out, "
        .. "or make it stricter", said)
    end)

    it("a function that we know nothing of, and writes that to the audit", function()
      assert(start(LAXER))
      local entry = policy.entry "shop:stats/0"
      assert.same({ "SAFE", "reads one counter" }, { entry.class, entry.why })
      local line = audited()[1]
      assert.same({ "policy.laxer", { ["functions shop:stats/0"] = { class = "SAFE", why = "reads one counter" } } },
        { line.kind, line.rules })
    end)

    it("once in the audit for each wording", function()
      assert(start(LAXER))
      assert(start(LAXER))
      assert(start(LAXER:gsub("one counter", "two counters")))
      assert.equal(2, #audited())
    end)

    it("nothing without a reason", function()
      assert.equal("functions: shop:stats/0 wants { class = …, why = … }; say why it is no danger",
        (complaint '{ functions = { ["shop:stats/0"] = "SAFE" } }'))
    end)

    it("nothing that cannot be written to the audit", function()
      os.execute(("mkdir -p %s/state/beamlens && chmod 700 %s/state/beamlens && mkdir %s/state/beamlens/audit.jsonl")
        :format(folder, folder, folder))
      assert.is_nil((start(LAXER)))
      assert.is_nil(policy.entry "shop:stats/0")
    end)

    it("one text of the owner's own", function()
      local sum = crypto.sha256 "shop:all()."
      assert(start(('{ texts = { ["%s"] = { class = "SAFE", why = "reviewed" } } }'):format(sum)))
      assert.equal("SAFE", policy.text("shop:all().").class)
      assert.is_nil(policy.text "shop:all( ).")
    end)
  end)

  describe("read again", function()
    it("is stricter at once", function()
      assert(start "{}")
      assert.same({}, reload '{ callbacks = { ets_get = "never" } }')
      assert.equal("never", policy.callback("ets_get", "SAFE"))
    end)

    it("is laxer only at the next start, and says what waits", function()
      assert(start '{ callbacks = { ets_get = "never" }, actions = { gc_process = "DANGEROUS" } }')
      assert.same({ "actions: gc_process stays DANGEROUS until the next start",
        "callbacks: ets_get stays never until the next start" }, reload '{ callbacks = { ets_get = "CAUTION" } }')
      local function now() return { policy.callback("ets_get", "SAFE"), policy.action("gc_process", "CAUTION") } end
      assert.same({ "never", "DANGEROUS" }, now())
      assert(policy.start())
      assert.same({ "CAUTION", "CAUTION" }, now())
    end)

    it("lets a function stay unknown until the next start", function()
      assert(start "{}")
      assert.same({ "functions: shop:stats/0 stays DANGEROUS until the next start" }, reload(LAXER))
      assert.is_nil(policy.entry "shop:stats/0")
    end)

    it("takes back at once what was laxer", function()
      assert(start(LAXER))
      assert.same({}, reload "{}")
      assert.is_nil(policy.entry "shop:stats/0")
    end)

    it("stays as it was where the file is broken", function()
      assert(start '{ callbacks = { ets_get = "never" } }')
      local ok, err = reload "{"
      assert.is_nil(ok)
      assert.matches("policy%.lua:1: ", err.message)
      assert.equal("never", policy.callback("ets_get", "SAFE"))
    end)
  end)

  describe("that cannot be read", function()
    it("permits nothing but what is SAFE", function()
      start "{"
      assert.same({ "SAFE", "never", "never" }, { policy.callback("a", "SAFE"), policy.callback("b", "CAUTION"),
        policy.action("c", "CAUTION") })
    end)

    it("is told with file and line", function()
      assert.matches("^.*policy%.lua:1: .*; mend the line$", tostring(select(2, start "{ callbacks = ")))
    end)

    it("for others may write it is told as such", function()
      write("return {}", 438)
      assert.matches("policy%.lua may be written by others", tostring(select(2, policy.start())))
    end)

    it("for it loops is stopped", function()
      write "while true do end"
      assert.matches("policy%.lua:1: ran for 20 million steps", tostring(select(2, policy.start())))
    end)

    it("names what it does not know", function()
      assert.equal("there is no callback; did you mean callbacks?", (complaint "{ callback = {} }"))
      assert.equal("callbacks: x wants SAFE, CAUTION, DANGEROUS or never; mend the line",
        (complaint '{ callbacks = { x = "safe" } }'))
      assert.equal("functions: halt is no module:function/arity; mend the line",
        (complaint '{ functions = { halt = "never" } }'))
      assert.equal("texts: xyz is no SHA-256 in hex digits; mend the line", (complaint '{ texts = { xyz = "SAFE" } }'))
    end)

    it("names the line", function()
      for text, said in pairs {
        ["{\n  callbacks = {},\n  action = {} }"] = "policy.lua:3: there is no action; did you mean actions?",
        ['{\n  callbacks = {\n    -- x = "safe"\n    x = "safe" } }'] = "policy.lua:4: callbacks: x wants SAFE, ",
        ["{\n\n  texts = 5 }"] = "policy.lua:3: texts must be a table; mend the line",
        ["5"] = "policy.lua: it must return a table; mend the line",
      } do
        assert.matches(said, tostring(select(2, start(text))), 1, true)
      end
    end)
  end)
end)
