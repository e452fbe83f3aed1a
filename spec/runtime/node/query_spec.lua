local async = require "runtime.async"
local crypto = require "host.crypto"
local etf = require "host.etf"
local held = require "spec.support.held"
local live = require "spec.support.live_node"
local node = require "runtime.node.init"
local parsed = require "runtime.node.parsed"
local query = require "runtime.node.query"
local skill = require "runtime.skill"

local A = etf.A

describe("a query", function()
  local at, n

  setup(function()
    at = live.start()
    n = at.node
  end)
  teardown(function() at.stop() end)

  it("is Erlang text, and its last expression is the answer", live.test(function()
    assert.equal(6, n.query "X = 1 + 1, Y = X * 3, Y.")
  end))

  it("has variables that are values, never text", live.test(function()
    local value = n.query("{Text, Count, Flag, Rows, Name}.", {
      Text = "halt().", Count = 3, Flag = true, Rows = { 1.5, 2 }, Name = A.shop,
    })
    assert.same({ "halt().", 3, true, { 1.5, 2 }, A.shop }, value)
  end))

  it("that fails says where, in Erlang's own spelling, and which variable nobody bound", live.test(function()
    assert.equal("the query failed: badarith in erlang:'/'/2", tostring(select(2, n.query "1 / 0.")))
    assert.equal("the query failed: the variable X is not bound; bind it before it is used",
      tostring(select(2, n.query "X + 1.")))
  end))

  it("ends with the connection, for whoever asked can no longer end it", live.test(function()
    local other = assert(node.connect { name = at.name, cookie_file = at.cookie_file })
    async.spawn(other.query, "register(spinner, self()), (fun F() -> F() end)().", {}, { timeout = 60 })
    local function until_it_is(kind)
      local deadline = async.now() + held.PATIENCE_S
      while at.eval "is_pid(whereis(spinner))." ~= kind and async.now() < deadline do async.sleep(0.01) end
      return at.eval "is_pid(whereis(spinner))."
    end
    assert.is_true(until_it_is(true))
    other:close()
    assert.is_false(until_it_is(false))
  end))

  it("has the same variables where erl_eval wants them as pairs, before OTP 25", live.test(function()
    local known = n.map_bindings
    n.map_bindings = false
    local value = n.query("{Text, Count, Flag, Rows, Name}.", {
      Text = "halt().", Count = 3, Flag = true, Rows = { 1.5, 2 }, Name = A.shop,
    })
    n.map_bindings = known
    assert.same({ "halt().", 3, true, { 1.5, 2 }, A.shop }, value)
    assert.is_true(known)
  end))

  it("sends only the answer back, not what its variables hold", live.test(function()
    local before = n.load.bytes
    n.query "X = lists:seq(1, 100000), hd(X)."
    n.query "X = lists:seq(1, 100000), hd(X)."
    assert.is_true(n.load.bytes - before < 20000)
  end))

  it("keeps floats floats, in its text too", live.test(function()
    assert.is_true(n.query "is_float(1.0).")
  end))

  it("may span lines and end in a comment", live.test(function()
    assert.equal(3, n.query("X = 1, % one\n  X + 2 % three\n.\n"))
  end))

  it("must end in a full stop", live.test(function()
    local _, err = n.query "erlang:node()"
    assert.equal("query", err.stage)
    assert.equal("a query must end in a full stop", err.message)
  end))

  it("that does not parse names the line", live.test(function()
    local _, err = n.query "X = 1,\nY = = 2,\nX + Y."
    assert.equal("the query does not parse, line 2: syntax error before: '='", err.message)
    _, err = n.query "X = 1,\n\n$"
    assert.equal("a query must end in a full stop", err.message)
    _, err = n.query "X = 1,\n\"open."
    assert.matches("^the query does not parse, line 2: unterminated string", err.message)
  end))

  it("that fails says what was raised and where", live.test(function()
    local _, err = n.query "ets:lookup(no_such_table, 1)."
    assert.equal("the query failed: badarg in ets:lookup/2", err.message)
  end))

  it("can be asked for as JSON", live.test(function()
    assert.equal('{"list":[1,2.5,"x"],"pid":true}',
      n.query("#{list => [1, 2.5, <<\"x\">>], pid => is_pid(self())}.", {}, { json = true }))
  end))

  it("can be asked for as bytes", live.test(function()
    local bytes = n.query("[{a, 1.0}, <<\"x\">>].", {}, { raw = true })
    assert.equal("\131l\0\0\0\2h\2", bytes:sub(1, 8))
    assert.same({ { A.a, 1 }, "x" }, (etf.decode(bytes)))
  end))

  it("tells a failure from JSON", live.test(function()
    local value, err = n.query("throw(ball).", {}, { json = true })
    assert.is_nil(value)
    assert.equal("the query failed: throw ball", err.message)
  end))

  it("is ended when it needs more heap than a query may have", live.test(function()
    local _, err = n.query "lists:seq(1, 100000000)."
    assert.matches("^the query was ended on the node: it needed more than its 152 MB of heap", err.message)
  end))

  it("that has no answer says when it was the time of the run that was over, and not its own", live.test(function()
    local function message(o) return select(2, n.query("timer:sleep(600000).", nil, o)).message end
    assert.not_matches("the time of the run", message { timeout = 0.1 }, 1, true)
    n.deadline = async.now() + 0.1
    local said = message { timeout = 30 }
    n.deadline = nil
    assert.matches("^the query had no answer after %S+ s %(the time of the run was over%)", said)
  end))

  it("is not cut off at the end of another run on the node", live.test(function()
    local early_is_over = n:bound(async.now() + 0.1)
    local late_is_over = n:bound(async.now() + 600)
    assert.equal(A.ok, n.query "timer:sleep(200).")
    late_is_over()
    assert.matches("the time of the run was over", select(2, n.query "timer:sleep(600000).").message, 1, true)
    early_is_over()
    local without_end_is_over, other_is_over = n:bound(), n:bound(async.now() - 1)
    assert.equal(A.ok, n.query "ok.")
    without_end_is_over()
    other_is_over()
    assert.is_nil(n.deadline)
  end))

  it("counts the reductions it took there", live.test(function()
    local before = n.load.reductions
    n.query "lists:foldl(fun(X, Y) -> X + Y end, 0, lists:seq(1, 20000))."
    assert.is_true(n.load.reductions - before > 100000)
  end))

  it("is parsed on the node once, and then its form is kept", live.test(function()
    local text = "is_integer(4242)."
    n.query(text)
    at.eval "erlang:trace_pattern({erl_parse, '_', '_'}, true, [call_count])."
    assert.is_true(n.query(text))
    local again = n.query "element(2, erlang:trace_info({erl_parse, parse_exprs, 1}, call_count))."
    at.eval "erlang:trace_pattern({erl_parse, '_', '_'}, false, [call_count])."
    -- The text that asks was parsed once itself.
    assert.equal(1, again)
  end))
end)

describe("the priority of a query", function()
  local at
  setup(function() at = live.start() end)
  teardown(function() at.stop() end)

  local function priority() return at.node.query "erlang:process_info(self(), priority)." end

  it("is low", live.test(function() assert.equal(A.low, priority()[2]) end))

  -- There it would have every eighth turn of a long queue.
  it("is that of all others where very many wait for a turn", live.test(function()
    at.eval "[spawn(fun F() -> F() end) || _ <- lists:seq(1, 60 * erlang:system_info(schedulers_online))], ok."
    assert.equal(A.normal, priority()[2])
  end))
end)

-- A few are enough where each keeps the scheduler for long: a term is copied into a table in one go.
describe("the priority of a query, where turns are long", function()
  local at
  setup(function() at = live.start { args = { "+S", "1:1" } } end)
  teardown(function() at.stop() end)

  it("is that of all others", live.test(function()
    at.eval [[
      L = lists:seq(1, 200000),
      [spawn(fun() -> T = ets:new(t, []), (fun F() -> ets:insert(T, {k, L}), F() end)() end) || _ <- lists:seq(1, 3)],
      ok.]]
    assert.equal(A.normal, at.node.query("erlang:process_info(self(), priority).", {}, { timeout = 60 })[2])
  end))
end)

describe("a shipped query", function()
  it("was parsed when the program was built", function()
    for _, text in ipairs(query.own_texts()) do
      assert.equal("raw", etf.kind(parsed.find(assert(query.wrap(text)))))
    end
  end)

  -- Every fun that is sent is linted there when it is come to.
  it("takes no words along that it never uses", function()
    local walked = skill.open("beam").queries.reducers
    assert.is_truthy(walked:find("Fattest = fun", 1, true))
    local sent = etf.encode(parsed.find(assert(query.wrap(walked))))
    assert.is_nil(sent:find("Fattest", 1, true))
  end)

  it("is found by its whole text only", function()
    assert.is_nil(parsed.find "1 + 1.")
  end)

  it("makes the node load neither scanner nor parser", live.test(function()
    local at = live.start()
    for _, module in ipairs { A.erl_scan, A.erl_parse } do
      at.node:call("code", "delete", { module })
      at.node:call("code", "purge", { module })
    end
    local text = skill.open("base").queries.time
    assert.equal("string", type(text))
    assert(at.node.query(text))
    for _, module in ipairs { A.erl_scan, A.erl_parse } do
      assert.is_false(at.node:call("erlang", "module_loaded", { module }))
    end
    at.stop()
  end))
end)

describe("the file of parsed queries", function()
  -- The build's own two steps, on texts of ours.
  local function built(texts)
    local input, output = os.tmpname(), os.tmpname()
    local bytes = require "runtime.node.bytes"
    local file = io.open(input, "wb")
    for _, text in ipairs(texts) do
      local wrapped = assert(query.wrap(text))
      file:write(crypto.sha256(wrapped), bytes.u32(#wrapped), wrapped)
    end
    file:close()
    local root = require("host.files").root
    local command = "escript '%s/runtime/build/parse_queries.escript' < %s > %s 2>&1"
    local status = os.execute(command:format(root, input, output))
    local content = io.open(output, "rb"):read "*a"
    os.remove(input)
    os.remove(output)
    return content, status
  end

  it("holds a form under the hash of each wrapped text, which the node evaluates", live.test(function()
    local text = "X = 1.0, {X, Limit, <<\"grün\"/utf8>>}."
    local content = built { text }
    assert.equal(crypto.sha256(query.wrap(text)), content:sub(1, 64))
    local at = live.start()
    at.node.forms[text] = etf.raw(content:sub(69))
    assert.same({ 1, 5, "grün" }, at.node.query(text, { Limit = 5 }))
    at.stop()
  end))

  it("is not built from a text that does not parse", function()
    local content, status = built { "X = ,." }
    assert.matches("line 1: syntax error before: ','", content, 1, true)
    assert.not_equal(0, status)
  end)
end)
