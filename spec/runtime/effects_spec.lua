local classify = require "sandbox.classify"
local crypto = require "host.crypto"
local effects = require "runtime.effects"
local failure = require "runtime.failure"
local live = require "spec.support.live_node"
local policy = require "runtime.policy"
local reviewed = require "sandbox.reviewed"
local skill = require "runtime.skill"
local uv = require "luv"

local FRAME = [[
return {
  name = "clock", title = "Clock", about = "a", prompt = "p",
  queries = {
    figures = "#{}.",
    now = %q,
  },
  snapshot = "figures",
  callbacks = { clock_now = { doc = "d", class = %q, returns = { "x" }, query = "now" } },
}]]

local RUN = [[
return {
  name = "clock", title = "Clock", about = "a", prompt = "p", %s
  queries = { figures = "#{}.", harm = %q },
  snapshot = "figures",
  callbacks = {
    clock_harm = { doc = "d", class = %q, returns = { "x" }, run = function(node) %s end },
    clock_other = { doc = "d", class = "DANGEROUS", returns = { "x" }, run = function() return 1 end },
  },
}]]

describe("what the texts of a skill do", function()
  local at

  setup(function() at = live.start() end)
  teardown(function() at.stop() end)

  local function clock(text, class) return assert(skill.load(FRAME:format(text, class), "clock.lua")) end

  local function refusal(text, class)
    local ok, err = skill.parse(clock(text, class), at.node)
    assert.is_nil(ok)
    assert.is_true(failure.is(err))
    assert.same({ "gate", 5 }, { err.stage, err.exit })
    return err.message
  end

  describe("is refused before a run stands on it, where it", function()
    for _, case in ipairs {
      { "ends the node", "erlang:halt().", "SAFE", "erlang:halt/0: " },
      { "ends the node and calls itself careful", "erlang:halt().", "CAUTION", "erlang:halt/0" },
      { "stops the node later", "\ninit:stop().", "SAFE", "init:stop/0: " },
      { "kills a process", "exit(whereis(logger), kill).", "SAFE", "erlang:exit/2" },
      { "starts a process", "spawn(fun() -> ok end).", "SAFE", "erlang:spawn/1" },
      { "sends a message", "logger ! stop.", "SAFE", "!" },
      { "runs a command of the system", "os:cmd(\"id\").", "SAFE", "os:cmd/1" },
      { "writes a file", "file:write_file(\"/tmp/x\", <<>>).", "SAFE", "file:write_file/2" },
      { "deletes a table", "ets:delete(T = ac_tab), T.", "SAFE", "ets:delete/1" },
      { "reads a mailbox", "process_info(whereis(logger), messages).", "SAFE", "erlang:process_info/2" },
      { "calls a module that it works out", "M = list_to_atom(\"ha\" ++ \"lt\"), erlang:M().", "SAFE", "" },
      { "hides it in a fun", "(fun erlang:halt/0)().", "SAFE", "erlang:halt/0" },
      { "hides it in a list", "lists:map(fun erlang:halt/1, [0]).", "SAFE", "erlang:halt/1" },
      { "builds the text there", "{ok, T, _} = erl_scan:string(\"halt().\"), erl_parse:parse_exprs(T).", "SAFE", "" },
      { "collects everybody's garbage", "[garbage_collect(P) || P <- processes()].", "SAFE",
        "erlang:garbage_collect/1" },
      { "calls what nobody knows", "shop:stats().", "SAFE", "shop:stats/0" },
    } do
      it(case[1], live.test(function()
        local said = refusal(case[2], case[3])
        assert.matches("^clock%.lua:%d+: query now of clock_now is declared " .. case[3] .. ", and is %u+: " .. case[4],
          said)
      end))
    end

    it("is asked by a function of a skill with no callback that may", live.test(function()
      local text = RUN:format("", "erlang:halt().", "SAFE", "return 1"):gsub('"DANGEROUS"', '"CAUTION"')
      local ok, err = skill.parse(assert(skill.load(text, "clock.lua")), at.node)
      assert.is_nil(ok)
      assert.matches("query harm of clock_other is declared CAUTION, and is DANGEROUS", err.message)
    end))
  end)

  it("is let through at the class that is declared", live.test(function()
    assert.is_true(skill.parse(clock("erlang:memory(total).", "SAFE"), at.node))
    assert.is_true(skill.parse(clock("garbage_collect(whereis(logger)).", "CAUTION"), at.node))
    assert.is_true(skill.parse(clock("erlang:halt().", "DANGEROUS"), at.node))
  end))

  it("may wait in the process that asks, and lease what goes with it", live.test(function()
    assert.is_true(skill.parse(clock("receive after 1 -> ok end.", "SAFE"), at.node))
    assert.is_true(skill.parse(clock("erlang:system_flag(scheduler_wall_time, true).", "SAFE"), at.node))
  end))

  it("is refused when a function asks it that declared less", live.test(function()
    local s = assert(skill.load(RUN:format("", "erlang:halt().", "SAFE", "return node.ask 'harm'"), "clock.lua"))
    assert.is_true(skill.parse(s, at.node))
    local answer, err = skill.call(s, "clock_harm", {}, at.node)
    assert.is_nil(answer)
    assert.matches("^clock%.lua:3: query harm of clock_harm is declared SAFE, and is DANGEROUS: erlang:halt/0",
      err.message)
    assert.is_true(at.eval "is_process_alive(whereis(init)).")
  end))

  it("is refused in a snapshot, which is SAFE", live.test(function()
    local text = FRAME:format("1.", "SAFE"):gsub('figures = "#{}."', 'figures = "erlang:halt(), #{}."')
    local figures, err = skill.snapshot(assert(skill.load(text, "clock.lua")), at.node)
    assert.is_nil(figures)
    assert.matches("^clock%.lua:%d: query figures of the snapshot is declared SAFE, and is DANGEROUS: erlang:halt/0",
      err.message)
  end))

  it("says how its owner can vouch for it", live.test(function()
    local _, err = skill.parse(clock("shop:stats().", "SAFE"), at.node)
    local hash = crypto.sha256 "shop:stats()."
    local vouch = ('vouch for it in policy.lua: texts = { ["%s"] = { class = "SAFE", '):format(hash)
    assert.matches(vouch, err.next, 1, true)
  end))

  describe("with a word of its owner", function()
    local folder

    before_each(function()
      folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
      os.execute("mkdir -p " .. folder .. "/beamlens")
      uv.os_setenv("XDG_CONFIG_HOME", folder)
      uv.os_setenv("XDG_STATE_HOME", folder .. "/state")
    end)
    after_each(function()
      os.execute("rm -rf " .. folder)
      policy.start()
      uv.os_unsetenv "XDG_CONFIG_HOME"
      uv.os_unsetenv "XDG_STATE_HOME"
    end)

    local function says(text, rule)
      local file = assert(io.open(folder .. "/beamlens/policy.lua", "w"))
      file:write(('return { texts = { ["%s"] = %s } }'):format(crypto.sha256(text), rule))
      file:close()
      assert(policy.start())
    end

    it("is let through where it is one that we know nothing of", live.test(function()
      says("shop:stats().", '{ class = "SAFE", why = "reads a counter" }')
      assert.is_true(skill.parse(clock("shop:stats().", "SAFE"), at.node))
    end))

    it("is refused where we know better: nobody can vouch for that", live.test(function()
      says("shop:stats(), erlang:halt().", '{ class = "SAFE", why = "trust me" }')
      local said = refusal("shop:stats(), erlang:halt().", "SAFE")
      assert.matches("is declared SAFE, and is DANGEROUS: erlang:halt/0", said)
      local _, err = skill.parse(clock("erlang:halt().", "SAFE"), at.node)
      assert.equal("correct it, or declare the class it has", err.next)
    end))

    it("is refused where the owner calls it worse than we do", live.test(function()
      says("erlang:memory(total).", '"DANGEROUS"')
      assert.matches("and is DANGEROUS: your policy says so", refusal("erlang:memory(total).", "CAUTION"))
    end))

    it("is refused at any class where the owner forbids it", live.test(function()
      says("erlang:memory(total).", '"never"')
      assert.matches("and is never: your policy says so", refusal("erlang:memory(total).", "DANGEROUS"))
    end))

    it("is judged by what the owner says of a function", live.test(function()
      local file = assert(io.open(folder .. "/beamlens/policy.lua", "w"))
      file:write 'return { functions = { ["erlang:memory/1"] = "CAUTION" } }'
      file:close()
      assert(policy.start())
      assert.matches("is declared SAFE, and is CAUTION: erlang:memory/1", refusal("erlang:memory(total).", "SAFE"))
    end))
  end)

  it("is not asked of our own, which people judged", live.test(function()
    for _, name in ipairs(skill.names()) do
      assert.is_true(skill.parse(assert(skill.open(name)), at.node))
    end
  end))

  it("starts no relay above the class of the callback", live.test(function()
    local more = 'uses = { "events" }, relays = { "trace" },'
    local code = "local ok, why = node.events.start('trace', {}) return { ok = ok, why = why }"
    local s = assert(skill.load(RUN:format(more, "1.", "SAFE", code), "clock.lua"))
    local answer = assert(skill.call(s, "clock_harm", {}, at.node))
    assert.matches("^the relay trace is CAUTION, and what starts it is declared SAFE", answer.why.unavailable)
  end))
end)

describe("a file of the user with texts of ours", function()
  local at, folder

  setup(function()
    at = live.start()
    folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
    local root = require("host.files").root
    os.execute(("mkdir -p %s/beamlens/skills && cp -r %s/skills/* %s/beamlens/skills && chmod -R go-w %s")
      :format(folder, root, folder, folder))
    uv.os_setenv("XDG_CONFIG_HOME", folder)
  end)
  teardown(function()
    uv.os_unsetenv "XDG_CONFIG_HOME"
    os.execute("rm -rf " .. folder)
    at.stop()
  end)

  it("may ask them as they are, confined as it is", live.test(function()
    for _, name in ipairs(skill.names()) do
      local s = assert(skill.open(name))
      assert.is_true(s.theirs)
      assert.is_true(skill.available(s, at.node) ~= nil)
    end
    local ets = assert(skill.open "ets")
    assert.is_true(skill.parse(ets, at.node))
    assert.is_true(skill.parse(assert(skill.open "logger"), at.node)) -- with a relay that is a copy of ours
    assert.is_number(assert(skill.snapshot(ets, at.node)).table_count)
  end))

  it("may not ask them under a class below theirs", live.test(function()
    local beam = assert(skill.open "beam")
    beam.callbacks.beam_binary_leak.class = "SAFE"
    local ok, err = skill.parse(beam, at.node)
    assert.is_nil(ok)
    assert.matches("query binary_leak of beam_binary_leak is declared SAFE, and is CAUTION: erlang:garbage_collect/1",
      err.message)
  end))

  it("puts no relay of its own on a node, be the skill ours or not", live.test(function()
    local path = folder .. "/beamlens/skills/relays/log.lua"
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    file = assert(io.open(path, "w"))
    file:write((text:gsub("State = ", "State  = ", 1)))
    file:close()
    os.execute(("rm -r %s/beamlens/skills/logger.lua %s/beamlens/skills/texts"):format(folder, folder))
    local logger = assert(skill.open "logger")
    assert.is_nil(logger.theirs)
    local figures = skill.snapshot(logger, at.node)
    local ok, err = skill.parse(logger, at.node)
    assert.is_nil(ok)
    local said = "^the relay log is none of ours, and works on the node unasked; remove its file, or vouch"
    assert.matches(said, tostring(err))
    assert.matches(said, figures.unavailable)
  end))
end)

describe("the list of what was reviewed", function()
  local at, found, above

  -- Every reason in every text of ours that is above SAFE, and what is above the class that is declared.
  setup(function()
    at, found, above = live.start(), {}, {}
    require("spec.support.held").in_task(function()
      for _, name in ipairs { "base", unpack(skill.names()) } do
        local s = assert(skill.open(name))
        local declared = {}
        for _, c in pairs(s.callbacks) do if c.query and not c.home then declared[c.query] = c.class end end
        for query, text in pairs(s.queries) do
          local forms = assert(at.node:forms_of(text))
          for _, reason in ipairs(classify.expressions(forms).reasons) do
            if reason.class ~= "SAFE" then found[reason.what] = true end
          end
          local class = effects.judge(forms, true).class
          local unlike = declared[query] and class ~= declared[query] or not declared[query] and class == "DANGEROUS"
          if unlike then above[#above + 1] = ("%s:%s is %s"):format(name, query, class) end
        end
      end
    end)
  end)
  teardown(function() at.stop() end)

  it("leaves nothing of ours above what is declared, nor below", function() assert.same({}, above) end)

  it("holds nothing that no text of ours does", function()
    local idle = {}
    for _, entry in ipairs(reviewed) do if not found[entry.what] then idle[#idle + 1] = entry.what end end
    assert.same({}, idle)
  end)

  it("gives a reason for each", function()
    for _, entry in ipairs(reviewed) do assert.is_true(#entry.why > 15, entry.what) end
  end)

  it("lets no text of ours ask for messages", function()
    for _, name in ipairs { "base", unpack(skill.names()) } do
      for query, text in pairs(assert(skill.open(name)).queries) do
        assert.is_nil(text:gsub("%%[^\n]*", ""):find "%f[%w_]messages%f[^%w_]", name .. ":" .. query)
      end
    end
  end)
end)
