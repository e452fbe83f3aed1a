-- `eval` as a person runs it: classes, leave, limits, what is shown; on a real node, at a real terminal.

local uv = require "luv"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"

-- A table with more rows than are copied, one with few, and a process whose heap is too large to be copied.
local CODE = [[
  Me = self(),
  spawn(fun() ->
    ets:new(spec_big, [named_table, public]), ets:insert(spec_big, [{I} || I <- lists:seq(1, 10001)]),
    ets:new(spec_small, [named_table, public]), ets:insert(spec_small, [{I} || I <- lists:seq(1, 3)]),
    register(spec_keeper, self()), Me ! ready, receive stop -> ok end
  end),
  receive ready -> ok end,
  Server = spawn(fun() ->
    Big = lists:seq(1, 4000000), register(spec_large, self()), Me ! large, receive stop -> length(Big) end
  end),
  receive large -> ok end, is_pid(Server).
]]

describe("eval", function()
  local at, home

  local function options(more)
    local env = { HOME = home, ERL_EPMD_PORT = tostring(at.epmd_port), BEAMLENS_NODE = at.name,
      BEAMLENS_COOKIE_FILE = at.cookie_file }
    for name, value in pairs(more or {}) do env[name] = value end
    return { env = env }
  end

  local function eval(...) return program.run({ "eval", ... }, options()) end

  local function audit()
    local file = io.open(home .. "/.local/state/beamlens/audit.jsonl")
    local lines = {}
    for line in file and file:lines() or function() end do lines[#lines + 1] = json.decode(line) end
    if file then file:close() end
    return lines
  end

  setup(function() at = live.start { code = CODE } end)
  teardown(live.stop_all)

  before_each(function()
    home = os.tmpname()
    os.remove(home)
    uv.fs_mkdir(home, 448)
  end)
  after_each(function() os.execute(("rm -rf '%s'"):format(home)) end)

  describe("of what is SAFE", function()
    it("prints the result, and the class with its reason beside it", live.test(function()
      local result = eval "ets:info(spec_small, size)"
      assert.equal("3\n", result.stdout)
      assert.matches("^SAFE\n  ets:info/2: [^\n]+\n$", result.stderr)
    end))

    it("needs no full stop, and takes one", live.test(function()
      assert.equal("3\n3\n", eval("1 + 2").stdout .. eval("1 + 2.").stdout)
    end))

    it("is quiet with --quiet", live.test(function() assert.equal("", eval("1", "--quiet").stderr) end))

    it("tells everything as JSON", live.test(function()
      local told = json.decode(eval("{length([a, b]), 3.0, \"text\"}", "--json").stdout)
      assert.is_true(told.elapsed_ms > 0)
      told.elapsed_ms = nil
      assert.same({ schema = 1, node = at.name, class = "SAFE", result = '{2, 3.0, "text"}', value = { 2, 3, "text" },
        cut = json.null, printed = json.null, reasons = { { class = "SAFE", what = "erlang:length/1", line = 1,
          why = "looks into a term", cost = "constant; length walks the list" } } }, told)
    end))

    it("shows what was printed before the result", live.test(function()
      assert.equal("hello\nworld\nok\n", eval('io:format("hello~nworld~n")').stdout)
    end))

    it("masks secrets in the result and in what was printed", live.test(function()
      local text = '{io:format("password=geheim123"), #{password => <<"geheim123">>}, [{cookie, "geheim123"}]}'
      assert.is_nil(eval(text).stdout:find("geheim123", 1, true))
    end))

    it("masks them in JSON too", live.test(function()
      assert.is_nil(eval('{io:format("password=geheim123"), #{password => <<"geheim123">>}}', "--json").stdout
        :find("geheim123", 1, true))
    end))

    it("masks them in what was raised", live.test(function()
      assert.is_nil(eval('error({password, "geheim123"})').stderr:find("geheim123", 1, true))
    end))

    it("shows a terminal's escapes and sends none", live.test(function()
      assert.equal('{ok, <<"␛[31mred">>}\n', eval('{ok, <<"\\e[31mred">>}').stdout)
    end))

    it("cuts what is long, and says how much is left out", live.test(function()
      local told = json.decode(eval("lists:seq(1, 20000)", "--json").stdout)
      local shown = tonumber(told.result:match "(%d+), … %d+ more")
      assert.equal(20000, shown + told.cut.left_out)
    end))
  end)

  describe("of what is CAUTION", function()
    local TEXT = "erlang:garbage_collect(whereis(spec_keeper))"

    it("is refused without a terminal, in words that say what would allow it", live.test(function()
      local result = eval(TEXT)
      assert.equal(5, result.code)
      assert.matches("it was not allowed; allow it with --allow caution (or --allow erlang:garbage_collect/1)",
        result.stderr, 1, true)
    end))

    it("is refused as JSON at the gate", live.test(function()
      assert.equal("gate", json.decode(eval(TEXT, "--json").stdout).error.stage)
    end))

    for _, word in ipairs { "caution", "erlang:garbage_collect/1" } do
      it("runs with --allow " .. word, live.test(function()
        assert.equal("true\n", eval(TEXT, "--allow", word).stdout)
      end))
    end

    it("is refused when another function is allowed", live.test(function()
      assert.equal(5, eval(TEXT, "--allow", "sys:trace/2").code)
    end))

    it("is refused when but one of two functions is allowed", live.test(function()
      assert.equal(5, eval(TEXT .. ", sys:trace(kernel_sup, true)", "--allow", "erlang:garbage_collect/1").code)
    end))

    for answer, stdout in pairs { y = "true\n", n = "", [""] = "" } do
      it(("asks at a terminal, and %q is as good as it looks"):format(answer), live.test(function()
        local person = pty.start({ "eval", TEXT }, options())
        person.see "run it? [y/N]"
        person.type(answer)
        person.wait()
        assert.equal(stdout, person.stdout())
      end))
    end

    it("is not asked about with --no-input", live.test(function()
      assert.equal(5, (pty.start({ "eval", TEXT, "--no-input" }, options()).wait()))
    end))

    it("is not run when the question is answered by Ctrl-C", live.test(function()
      local person = pty.start({ "eval", TEXT }, options())
      person.see "run it? [y/N]"
      person.kill "sigint"
      assert.equal(130, (person.wait()))
    end))

    it("is not run when the terminal goes away", live.test(function()
      local person = pty.start({ "eval", TEXT }, options())
      person.see "run it? [y/N]"
      person.hang_up()
      person.wait()
      assert.equal("", person.stdout())
    end))
  end)

  describe("of what is DANGEROUS", function()
    local TEXT = "ets:insert(spec_small, {typed})"

    local function is_done() return at.eval "ets:take(spec_small, typed) =/= []." end

    it("is refused without a terminal, whatever is allowed", live.test(function()
      local result = eval(TEXT, "--allow", "caution")
      assert.equal(5, result.code)
      assert.matches("it runs only after a person confirmed exactly this", result.stderr, 1, true)
    end))

    it("is not allowed by name", live.test(function()
      assert.matches("--allow cannot allow ets:insert/2, which is DANGEROUS",
        eval(TEXT, "--allow", "ets:insert/2").stderr, 1, true)
    end))

    it("leaves the node as it was when it is refused", live.test(function()
      eval(TEXT, "--json")
      assert.is_false(is_done())
    end))

    it("runs when the person types the deed and the node", live.test(function()
      local person = pty.start({ "eval", TEXT }, options())
      person.see("type: run ets:insert/2 on " .. at.name)
      person.type("run ets:insert/2 on " .. at.name)
      person.wait()
      assert.is_true(is_done())
    end))

    for what, typed in pairs { ["something else"] = "run ets:insert/2 on other@host", ["a yes"] = "y", nothing = "" } do
      it(("does not run when %s is typed"):format(what), live.test(function()
        local person = pty.start({ "eval", TEXT }, options())
        person.see "type: run"
        person.type(typed)
        assert.equal(5, (person.wait()))
        assert.is_false(is_done())
      end))
    end

    it("of several deeds is typed with the first and how many more", live.test(function()
      local person = pty.start({ "eval", TEXT .. ", ets:delete(spec_small, typed), init:stop()" }, options())
      person.see("type: run ets:insert/2 and 2 more on " .. at.name)
      person.type("run ets:insert/2 on " .. at.name)
      assert.equal(5, (person.wait()))
    end))

    it("that has no plain name is typed as what it is", live.test(function()
      local person = pty.start({ "eval", "M = ets, M:info(spec_small)" }, options())
      person.see("type: run a call on " .. at.name)
      person.type ""
      assert.equal(5, (person.wait()))
    end))

    it("is written down before and after", live.test(function()
      local person = pty.start({ "eval", TEXT }, options())
      person.see "type: run"
      person.type("run ets:insert/2 on " .. at.name)
      person.wait()
      is_done()
      local kinds = {}
      for i, line in ipairs(audit()) do kinds[i] = { line.kind, line.text, line.outcome } end
      assert.same({ { "eval", TEXT }, { "eval.done", TEXT, "done" } }, kinds)
    end))

    it("is not run when it cannot be written down", live.test(function()
      os.execute(("mkdir -p '%s/.local/state/beamlens/audit.jsonl'"):format(home))
      local person = pty.start({ "eval", TEXT }, options())
      person.see "type: run"
      person.type("run ets:insert/2 on " .. at.name)
      person.wait()
      assert.is_false(is_done())
    end))
  end)

  describe("has limits:", function()
    it("a table of many rows is refused with the way to narrow, before it is copied", live.test(function()
      local result = eval "ets:tab2list(spec_big)"
      assert.equal(5, result.code)
      assert.matches("ets:tab2list/1 is refused: the table has 10001 rows and %d+ MB, .*ets:select%(T, Spec, 20%)",
        result.stderr)
    end))

    it("one of few rows is not", live.test(function()
      assert.equal("[{1}, {2}, {3}]\n", eval("lists:sort(ets:tab2list(spec_small))").stdout)
    end))

    it("the state of a process with a large heap is refused before it is asked", live.test(function()
      assert.matches("sys:get_state/1 is refused: the heap of the process has %d+ MB",
        eval("sys:get_state(spec_large)").stderr)
    end))

    it("a process that does not answer sys is waited for but a second", live.test(function()
      at.eval [[proc_lib:spawn(fun() -> register(spec_deaf, self()), receive never -> ok end end),
        (fun Wait() -> case whereis(spec_deaf) of undefined -> Wait(); _ -> ok end end)().]]
      assert.matches("timeout,{sys,get_state,[spec_deaf,1000]}", eval("sys:get_state(spec_deaf)").stderr, 1, true)
    end))

    it("the deadline ends it on the node", live.test(function()
      local result = eval("(fun Loop() -> Loop() end)()", "--deadline", "1")
      assert.equal(4, result.code)
      assert.matches("the expression had no answer after [%d.]+ s and was ended on the node", result.stderr)
    end))

    it("so does too large a heap", live.test(function()
      assert.matches("it needed more than its %d+ MB of heap",
        eval("(fun Grow(L) -> Grow([L, L | L]) end)([])").stderr)
    end))

    it("an answer that is too large is not taken", live.test(function()
      assert.matches("has an answer of [%d.]+ MB, and more than 16 MB are not taken",
        eval("binary:copy(binary:copy(<<\"abcdefghij\">>, 100000), 20)").stderr)
    end))

    it("a text of more than 8 KB is not sent", live.test(function()
      assert.equal(2, eval('"' .. ("x"):rep(8192) .. '"').code)
    end))

    it("words that would all become atoms are not scanned", live.test(function()
      local words = {}
      for i = 1, 200 do words[i] = "spec_word_" .. i end
      eval("1") -- what the first of all loads is not counted
      local before = at.eval "erlang:system_info(atom_count)."
      assert.equal(2, eval("[" .. table.concat(words, ",") .. "]").code)
      assert.is_true(at.eval "erlang:system_info(atom_count)." - before < 20)
    end))
  end)

  describe("by the owner's policy", function()
    local function policy(text)
      os.execute(("mkdir -p '%s/.config/beamlens'"):format(home))
      local path = home .. "/.config/beamlens/policy.lua"
      local file = assert(io.open(path, "w"))
      file:write(text)
      file:close()
      uv.fs_chmod(path, 384)
    end

    it("refuses a function that is forbidden, at a terminal too", live.test(function()
      policy 'return { functions = { ["ets:info/2"] = "never" } }'
      local person = pty.start({ "eval", "ets:info(spec_small, size)" }, options())
      assert.equal(5, (person.wait()))
      assert.matches("your policy forbids ets:info/2; see ", person.screen(), 1, true)
    end))

    it("asks for a function that is CAUTION there", live.test(function()
      policy 'return { functions = { ["ets:info/2"] = "CAUTION" } }'
      assert.equal(5, eval("ets:info(spec_small, size)").code)
    end))

    it("runs nothing while the policy cannot be read", live.test(function()
      policy "return { functions = "
      assert.equal(2, eval("1").code)
    end))
  end)

  describe("says in a sentence", function()
    it("where the text is no Erlang", live.test(function()
      local result = eval "X = 1,\n  Y = = 2"
      assert.equal(2, result.code)
      assert.equal("beamlens-run: the expression is no Erlang, line 2, column 7: syntax error before: '='; "
        .. "correct it\n", result.stderr)
    end))

    it("what it raised", live.test(function()
      local result = eval("hd([])", "--quiet")
      assert.equal(4, result.code)
      assert.equal("beamlens-run: the expression failed: badarg in erlang:hd/1\n", result.stderr)
    end))

    it("that the node is not reached", live.test(function()
      assert.equal(3, eval("1", "--node", "nobody@127.0.0.1").code)
    end))

    it("that --allow has a slip", live.test(function()
      assert.matches("did you mean erlang:garbage_collect/1?",
        eval("1", "--allow", "erlang:garbage_colect/1").stderr, 1, true)
    end))

    it("that there is no expression", live.test(function() assert.equal(2, eval().code) end))

    it("that the text is no UTF-8", live.test(function()
      assert.matches("the expression is not UTF-8", eval("\"\255\"").stderr, 1, true)
    end))

    it("that no Elixir runs there", live.test(function()
      assert.matches("no Elixir runs on this node", eval("1", "--elixir").stderr, 1, true)
    end))

    it("that the node died while it ran", live.test(function()
      local other = live.start { name = "bl_mortal@127.0.0.1" }
      local env = { BEAMLENS_NODE = other.name, BEAMLENS_COOKIE_FILE = other.cookie_file,
        ERL_EPMD_PORT = tostring(other.epmd_port) }
      local person = pty.start({ "eval", "erlang:halt()" }, options(env))
      person.see "type: run erlang:halt/0"
      person.type("run erlang:halt/0 on " .. other.name)
      assert.equal(3, (person.wait()))
    end))
  end)
end)
