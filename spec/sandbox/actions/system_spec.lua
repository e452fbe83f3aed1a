-- The actions on the system's settings and on suspended processes, done and undone on a live node.
local A = require("host.etf").A
local async = require "runtime.async"
local entry = require "spec.support.entry"
local live = require "spec.support.live_node"

local at, eval
local open = {}

local function settled(look)
  local deadline = async.now() + 20
  while true do
    local answer = look()
    if answer[1] ~= "not_yet" or async.now() > deadline then return { answer[1], answer[2] } end
    async.sleep(0.02)
  end
end

local function said(answer) return { answer[1], answer[2] } end

local function text(expression) return eval(("list_to_binary(io_lib:format(\"~0p\", [%s]))."):format(expression)) end

describe("the action", function()
  setup(live.test(function()
    at = live.start { args = { "+S", "4:4", "+SDcpu", "4:4" } }
    eval = at.eval
    for _, name in ipairs { "gc_holders", "set_log_level", "set_system_flag", "resume_process", "suspend_process" } do
      open[name] = entry.open(at.node, name)
    end
  end))

  teardown(function() live.stop_all() end)

  describe("gc_holders", function()
    before_each(live.test(function()
      eval [=[
        Me = self(),
        [spawn(fun() -> register(N, self()), [binary:copy(<<0>>, 1000000) || _ <- lists:seq(1, 20)],
           Me ! ready, receive stop -> ok end end) || N <- [holder_one, holder_two] ],
        receive ready -> ok end, receive ready -> ok end.]=]
    end))

    after_each(live.test(function()
      eval [=[ [begin R = monitor(process, N), exit(whereis(N), kill), receive {'DOWN', R, _, _, _} -> ok end end
        || N <- [holder_one, holder_two], whereis(N) =/= undefined].]=]
    end))

    it("gives back the binaries that its holders no longer refer to", live.test(function()
      local was = eval "erlang:memory(binary)."
      local seen, _, after = open.gc_holders.run { limit = 5 }
      assert.equal("bl_spec@127.0.0.1", seen.object)
      assert.matches("^holder_%a+, .*: [%d,]+ kB of binaries$", seen.figures.processes[1])
      assert.equal("ok", after[1])
      assert.matches("collected; binary memory was [%d,]+ kB and was [%d,]+ kB after it$", after[2])
      assert.is_true(eval "erlang:memory(binary)." < was - 20000000)
    end))

    it("collects those that were shown and still are, and no others", live.test(function()
      local seen = open.gc_holders.preview { limit = 2 }
      eval "exit(whereis(holder_one), kill)."
      local done = open.gc_holders.deed({ limit = 2 }, seen.identity)
      local after = open.gc_holders.after({ limit = 2 }, seen.identity, done.before)
      assert.matches("^1 of 2 process", after[2])
    end))

    it("does nothing when all of them have ended", live.test(function()
      local seen = open.gc_holders.preview { limit = 2 }
      eval [=[
        [begin R = monitor(process, N), exit(whereis(N), kill), receive {'DOWN', R, _, _, _} -> ok end end
          || N <- [holder_one, holder_two] ].]=]
      assert.same({ "changed", "all of these processes have ended" },
        said(open.gc_holders.deed({ limit = 2 }, seen.identity)))
    end))
  end)

  describe("set_log_level", function()
    local function primary() return text "maps:get(level, logger:get_primary_config())" end

    it("sets the primary level, and back", live.test(function()
      local args = { level = "error" }
      local seen, done, after = open.set_log_level.run(args)
      assert.equal("primary", seen.object)
      assert.equal("messages below error are not logged from then on", seen.figures.lost)
      assert.same({ "ok", "it is error now" }, said(after))
      assert.equal("error", primary())
      local undo = open.set_log_level.entry.undo(args, done[2])
      assert.same({ name = "set_log_level", args = { level = "notice", module = "" } }, undo)
      open.set_log_level.run(undo.args)
      assert.equal("notice", primary())
    end))

    it("sets one module's level, and unsets it again", live.test(function()
      local args = { level = "debug", module = "lists" }
      local seen, done = open.set_log_level.run(args)
      assert.equal("lists", seen.object)
      assert.equal("[{lists,debug}]", text "logger:get_module_level(lists)")
      local undo = open.set_log_level.entry.undo(args, done[2])
      assert.same({ level = "unset", module = "lists" }, undo.args)
      open.set_log_level.run(undo.args)
      assert.equal("[]", text "logger:get_module_level(lists)")
    end))

    it("leaves it alone when somebody has set it since", live.test(function()
      local seen = open.set_log_level.preview { level = "critical" }
      eval "logger:set_primary_config(level, info)."
      assert.same({ "changed", "somebody has set it since; it is info now" },
        said(open.set_log_level.deed({ level = "critical" }, seen.identity)))
      assert.equal("info", primary())
      eval "logger:set_primary_config(level, notice)."
    end))

    it("refuses a module that is not loaded, and the level that it is", live.test(function()
      assert.equal("no such module is loaded; without a module the primary level is set",
        open.set_log_level.preview({ level = "debug", module = "no_module" })[2])
      assert.equal("that is the level already", open.set_log_level.preview({ level = "notice" })[2])
      assert.equal("the primary level cannot be unset; name one", open.set_log_level.preview({ level = "unset" })[2])
    end))
  end)

  describe("set_system_flag", function()
    for flag, value in pairs { fullsweep_after = 10, min_heap_size = 2000, min_bin_vheap_size = 100000,
      max_heap_size = 20000000 } do
      it("sets " .. flag .. ", and back", live.test(function()
        local function now() return text("erlang:system_info(" .. flag .. ")") end
        local was, args = now(), { flag = flag, value = value }
        local seen, done, after = open.set_system_flag.run(args)
        assert.equal(flag, seen.object)
        assert.equal("ok", after[1])
        assert.is_false(was == now())
        open.set_system_flag.run(open.set_system_flag.entry.undo(args, done[2]).args)
        assert.equal(was, now())
      end))
    end

    it("sets schedulers_online, and back with the dirty ones that went along", live.test(function()
      -- They come and go one after another.
      local function online(normal, dirty)
        local deadline, there = async.now() + 20, false
        while not there and async.now() < deadline do
          there = eval([=[ {Normal, Dirty} =:= {erlang:system_info(schedulers_online),
            erlang:system_info(dirty_cpu_schedulers_online)}.]=], { Normal = normal, Dirty = dirty })
        end
        return there
      end
      eval "erlang:system_flag(schedulers_online, 4), erlang:system_flag(dirty_cpu_schedulers_online, 3)."
      assert.is_true(online(4, 3))
      local args = { flag = "schedulers_online", value = 1 }
      local _, done = open.set_system_flag.run(args)
      assert.is_true(online(1, 1))
      local undo = open.set_system_flag.entry.undo(args, done[2])
      assert.same({ flag = "schedulers_online", value = 4 }, undo.args)
      open.set_system_flag.run(undo.args, done.before)
      assert.is_true(online(4, 3))
    end))

    it("leaves it alone when somebody has set it since", live.test(function()
      local args = { flag = "fullsweep_after", value = 20 }
      local seen = open.set_system_flag.preview(args)
      eval "erlang:system_flag(fullsweep_after, 30)."
      assert.same({ "changed", "somebody has set it since; it is 30 now" },
        said(open.set_system_flag.deed(args, seen.identity)))
      assert.equal("{fullsweep_after,30}", text "erlang:system_info(fullsweep_after)")
    end))

    it("refuses what is out of range, or would kill every new process", live.test(function()
      local function why(flag, value) return open.set_system_flag.preview({ flag = flag, value = value })[2] end
      assert.matches("^schedulers_online must be from 1 to %d+ here$", why("schedulers_online", 0))
      assert.equal("max_heap_size must be from 10000000 to 1000000000000 here, or 0 for no limit",
        why("max_heap_size", 1000))
      assert.equal("that is its value already", why("max_heap_size", 0))
    end))
  end)

  describe("resume_process", function()
    before_each(live.test(function()
      eval [=[
        Me = self(),
        spawn(fun() -> {ok, P} = gen_event:start({local, ticker}), Me ! ready, P end), receive ready -> ok end.]=]
    end))

    after_each(live.test(function()
      eval "R = monitor(process, ticker), exit(whereis(ticker), kill), receive {'DOWN', R, _, _, _} -> ok end."
    end))

    -- By another road: who is suspended stands in the loop of sys.
    local function suspended()
      return eval "element(2, process_info(whereis(ticker), current_function)) =:= {sys, suspend_loop, 6}."
    end

    it("lets it go on, and suspends it again", live.test(function()
      eval "sys:suspend(ticker), gen_event:notify(ticker, a), gen_event:notify(ticker, b)."
      local args = { process = "ticker" }
      local seen, done, after = open.resume_process.run(args)
      assert.equal("nothing; it works off 2 messages in its queue", seen.figures.lost)
      assert.same({ "ok", false }, { after[1], suspended() })
      local undo = open.resume_process.entry.undo(args, done[2])
      assert.same({ name = "suspend_process", args = args, given = true }, undo)
      local again, deed = open.suspend_process.run(undo.args, done.before)
      assert.same({ "ok", "it is suspended" },
        settled(function() return open.suspend_process.after(args, again.identity, deed.before) end))
      assert.is_true(suspended())
    end))

    it("does nothing when somebody has resumed it since", live.test(function()
      eval "sys:suspend(ticker)."
      local seen = open.resume_process.preview { process = "ticker" }
      eval "sys:resume(ticker)."
      assert.same({ "changed", "it is not suspended any more" },
        said(open.resume_process.deed({ process = "ticker" }, seen.identity)))
    end))

    it("does nothing to another process of that name", live.test(function()
      eval "sys:suspend(ticker)."
      local seen = open.resume_process.preview { process = "ticker" }
      eval [=[
        Me = self(), R = monitor(process, ticker), exit(whereis(ticker), kill), receive {'DOWN', R, _, _, _} -> ok end,
        spawn(fun() -> gen_event:start({local, ticker}), sys:suspend(ticker), Me ! ready end),
        receive ready -> ok end.]=]
      assert.same({ "changed", "the process is gone" },
        said(open.resume_process.deed({ process = "ticker" }, seen.identity)))
      assert.is_true(suspended())
    end))

    it("says who suspended it where only that one can resume it", live.test(function()
      eval [=[
        Me = self(),
        spawn(fun() -> register(keeper, self()), erlang:suspend_process(whereis(ticker)), Me ! ready,
          receive stop -> ok end end), receive ready -> ok end.]=]
      assert.matches("^it was suspended by erlang:suspend_process, which only who did it can take back, or that one's "
        .. "end: keeper", open.resume_process.preview({ process = "ticker" })[2])
      eval "R = monitor(process, keeper), exit(whereis(keeper), kill), receive {'DOWN', R, _, _, _} -> ok end."
    end))

    it("refuses one that is not suspended, or is of the system", live.test(function()
      assert.matches("^it is not suspended", open.resume_process.preview({ process = "ticker" })[2])
      assert.matches("^this is not done", open.resume_process.preview({ process = "rex" })[2])
    end))

    it("suspends nobody that was not resumed by an action", live.test(function()
      assert.equal("only a process that was resumed by an action is suspended again",
        open.suspend_process.preview({ process = "ticker" })[2])
      assert.equal("not_yet", open.suspend_process.after({ process = "ticker" },
        open.gc_holders and entry.open(at.node, "gc_process").preview({ process = "ticker" }).identity, A.none)[1])
    end))
  end)
end)
