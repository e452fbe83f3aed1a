--- The classes of Erlang expressions. They are parsed on one real node, at once, as `eval` parses them.

local etf = require "host.etf"
local expressions = require "spec.support.expressions"
local classify = require "sandbox.classify"
local live = require "spec.support.live_node"

local LISTS = {
  { "SAFE", require "spec.sandbox.expressions.erlang_safe" },
  { "CAUTION", require "spec.sandbox.expressions.erlang_caution" },
  { "DANGEROUS", require "spec.sandbox.expressions.erlang_dangerous" },
  { "DANGEROUS", require "spec.sandbox.expressions.erlang_adversarial" },
}

local forms

setup(live.test(function()
  local texts = {}
  for _, list in ipairs(LISTS) do for _, text in ipairs(list[2]) do texts[#texts + 1] = text end end
  forms = expressions.parse(live.start(), texts)
end))

teardown(function() live.stop_all() end)

describe("the class of", function()
  for _, list in ipairs(LISTS) do
    for _, text in ipairs(list[2]) do
      it(("`%s` is %s"):format(text:gsub("%s+$", ""), list[1]), function()
        local judged = classify.expressions(forms[text])
        assert.are.equal(list[1], judged.class, judged.reasons[1].what .. ": " .. judged.reasons[1].why)
      end)
    end
  end
end)

describe("a form", function()
  local A, tuple = etf.A, etf.tuple

  local function atom(name) return tuple(A.atom, 1, A[name]) end
  local function call(module, name, args)
    return tuple(A.call, 1, tuple(A.remote, 1, atom(module), atom(name)), args)
  end
  local function class(form) return classify.expressions({ form }).class end
  local function var(name) return tuple(A.var, 1, A[name]) end
  local halt = call("erlang", "halt", {})

  -- What the parser of this node does not make: later releases, or a node that lies.
  local SHAPES = {
    { "SAFE", "a maybe", tuple(A["maybe"], 1, { tuple(A.maybe_match, 1, atom "a", atom "a") }) },
    { "DANGEROUS", "the body of a maybe", tuple(A["maybe"], 1, { halt }) },
    { "DANGEROUS", "the else of a maybe", tuple(A["maybe"], 1, { atom "a" },
      tuple(A["else"], 1, { tuple(A.clause, 1, { var "_" }, {}, { halt }) })) },
    { "DANGEROUS", "what maybe_match binds", tuple(A.block, 1, {
      tuple(A["maybe"], 1, { tuple(A.maybe_match, 1, tuple(A.tuple, 1, { var "F" }), call("erlang", "get", {})) }),
      tuple(A.call, 1, var "F", {}) }) },
    { "SAFE", "a map comprehension", tuple(A.mc, 1, tuple(A.map_field_assoc, 1, var "K", var "V"),
      { tuple(A.m_generate, 1, tuple(A.map_field_exact, 1, var "K", var "V"), tuple(A.map, 1, {})) }) },
    { "DANGEROUS", "the value of a map comprehension",
      tuple(A.mc, 1, tuple(A.map_field_assoc, 1, atom "a", halt), {}) },
    { "SAFE", "a zip of generators", tuple(A.lc, 1, var "X", { tuple(A.zip, 1, {
      tuple(A.generate, 1, var "X", tuple(A["nil"], 1)),
      tuple(A.generate_strict, 1, var "Y", tuple(A["nil"], 1)) }) }) },
    { "DANGEROUS", "a generator in a zip", tuple(A.lc, 1, var "X", { tuple(A.zip, 1, {
      tuple(A.generate, 1, var "X", halt) }) }) },
    { "DANGEROUS", "a name that is not known", tuple(A.surprise, 1, atom "a") },
    { "DANGEROUS", "no tuple", A.a },
    { "DANGEROUS", "a number", 1 },
    { "DANGEROUS", "an empty tuple", etf.decode "\131h\0" },
    { "DANGEROUS", "a call without arguments", tuple(A.call, 1, atom "self") },
    { "DANGEROUS", "a call of nothing", tuple(A.call, 1) },
    { "DANGEROUS", "arguments with an improper tail", tuple(A.call, 1, atom "self",
      setmetatable({ tail = halt }, getmetatable({}))) },
    { "DANGEROUS", "arguments that are a text", tuple(A.call, 1, atom "self", etf.chars "abc") },
    { "DANGEROUS", "a module that is no atom", tuple(A.call, 1,
      tuple(A.remote, 1, tuple(A.atom, 1, "erlang"), atom "self"), {}) },
    { "DANGEROUS", "an atom that is none", tuple(A.atom, 1, 5) },
    { "DANGEROUS", "an atom without a name", tuple(A.atom, 1) },
    { "DANGEROUS", "a variable without a name", tuple(A.var, 1, 5) },
    { "DANGEROUS", "a clause that is none", tuple(A["if"], 1, { atom "a" }) },
    { "DANGEROUS", "a fun of the old kind", tuple(A["fun"], 1, tuple(A["function"], A.os, A.cmd, 1)) },
    { "DANGEROUS", "a record's field", tuple(A.record_field, 1, var "X", A.rec, atom "a") },
    { "DANGEROUS", "an operator that is not known", tuple(A.op, 1, A.zap, atom "a", atom "b") },
    { "DANGEROUS", "a type", tuple(A.remote_type, 1, { atom "a", atom "b", {} }) },
    { "DANGEROUS", "an error", tuple(A.error, tuple(1, A.erl_parse, "x")) },
  }

  for _, shape in ipairs(SHAPES) do
    it(("that is %s is %s"):format(shape[2], shape[1]), function()
      assert.are.equal(shape[1], class(shape[3]))
    end)
  end

  it("that is nested too deep to be read is DANGEROUS", function()
    local form = atom "a"
    for _ = 1, 3000 do form = tuple(A.tuple, 1, { form }) end
    assert.are.equal("DANGEROUS", class(form))
  end)

  it("that is a long list is not nested", function()
    local form = tuple(A["nil"], 1)
    for _ = 1, 3000 do form = tuple(A.cons, 1, atom "a", form) end
    assert.are.equal("SAFE", class(form))
  end)

  it("that is not there at all is DANGEROUS", function()
    assert.are.equal("DANGEROUS", classify.expressions({}).class)
  end)

  it("that is no list of forms is DANGEROUS", function()
    assert.are.equal("DANGEROUS", classify.expressions(A.a).class)
  end)

  -- Whatever is made of forms, they are judged: no error, and no loop. What stands in a dangerous call is kept
  -- whole, so that it stays dangerous.
  it("that was scrambled is judged all the same, and what calls halt stays DANGEROUS", function()
    local random = 1
    local function chance(n)
      random = (random * 16807) % 2147483647
      return random % n + 1
    end
    local pool = {}
    local function gather(node)
      if type(node) ~= "table" then return end
      pool[#pool + 1] = node
      for _, inner in ipairs(node) do gather(inner) end
    end
    for _, form in pairs(forms) do gather(form) end
    local ODD = { 5, "text", A.a, true, {}, etf.decode "\131h\0", etf.chars "ab" }
    local function scrambled(node, depth)
      if type(node) ~= "table" or depth > 12 then return node end
      if chance(12) == 1 then return pool[chance(#pool)] end
      if chance(40) == 1 then return ODD[chance(#ODD)] end
      local copy = {}
      for i, inner in ipairs(node) do copy[i] = scrambled(inner, depth + 1) end
      return etf.kind(node) == "tuple" and tuple(unpack(copy)) or copy
    end
    local safe = 0
    for _ = 1, 3000 do
      local form = scrambled(pool[chance(#pool)], 1)
      if class(tuple(A.block, 1, { form, halt })) ~= "DANGEROUS" then safe = safe + 1 end
    end
    assert.are.equal(0, safe)
  end)
end)

describe("the reasons", function()
  local function judge(text) return classify.expressions(forms[text]) end

  it("come worst first", function()
    local judged = judge "lists:foreach(fun erlang:garbage_collect/1, processes())"
    assert.are.equal("erlang:garbage_collect/1", judged.reasons[1].what)
  end)

  it("name a function of Elixir as Elixir does", function()
    assert.are.equal("Process.list/0", judge("'Elixir.Process':list()").reasons[1].what)
  end)

  it("say what was recognised where it is SAFE", function()
    assert.are.equal("reads how memory is used", judge("erlang:memory()").reasons[1].why)
  end)

  it("say something even where nothing is called", function()
    assert.are.equal("it only computes and calls nothing", judge("1 + 1").reasons[1].why)
  end)

  it("write names as a text has them, so that none makes up another", function()
    local A, tuple = etf.A, etf.tuple
    local function call(module, name)
      local callee = tuple(A.remote, 1, tuple(A.atom, 1, A[module]), tuple(A.atom, 1, A[name]))
      return classify.expressions({ tuple(A.call, 1, callee, {}) }).reasons[1].what
    end
    assert.same({ "'os\\nSAFE':cmd/0", "'\\xd0\\xb5rlang':memory/0", "'a: b':f/0", "Foo.Bar.get!/0" },
      { call("os\nSAFE", "cmd"), call("\208\181rlang", "memory"), call("a: b", "f"), call("Elixir.Foo.Bar", "get!") })
  end)

  it("name what is known before what is not", function()
    assert.are.equal("init:stop/0", judge("{a1:f(), a2:f(), init:stop()}").reasons[1].what)
  end)

  it("come once", function()
    assert.are.equal(1, #judge("{erlang:memory(), erlang:memory()}").reasons)
  end)

  it("tell the line", function()
    local two = { etf.tuple(etf.A.atom, 1, etf.A.a),
      etf.tuple(etf.A.op, 2, etf.A["!"], etf.tuple(etf.A.atom, 2, etf.A.a), etf.tuple(etf.A.atom, 2, etf.A.a)) }
    assert.are.equal(2, classify.expressions(two).reasons[1].line)
  end)

  it("mark what is guarded where it runs", function()
    assert.are.equal("function", judge("ets:tab2list(t)").reasons[1].guard)
  end)
end)

describe("the owner's policy", function()
  local function by(rule)
    return function(text)
      return classify.expressions(forms[text], { entry = rule })
    end
  end

  it("can forbid what is SAFE", function()
    local judge = by(function(_, entry)
      return setmetatable({ class = "DANGEROUS", why = "not here" }, { __index = entry })
    end)
    assert.are.equal("DANGEROUS", judge("erlang:memory()").class)
  end)

  it("can let go what is not known", function()
    local judge = by(function(mfa, entry)
      return mfa == "foo:bar/0" and { class = "SAFE", effect = "reads", why = "ours" } or entry
    end)
    assert.are.equal("SAFE", judge("foo:bar()").class)
  end)

  it("does not let go what an argument forbids", function()
    local judge = by(function(_, entry) return setmetatable({ class = "SAFE" }, { __index = entry }) end)
    assert.are.equal("DANGEROUS", judge("process_info(self(), messages)").class)
  end)

  it("is not undercut by what the table would let go", function()
    local judge = by(function(mfa, entry)
      if mfa ~= "ets:insert/2" then return entry end
      return setmetatable({ class = "CAUTION", why = "ours" }, { __index = entry })
    end)
    assert.are.equal("CAUTION", judge("T = ets:new(mine, [set]), ets:insert(T, {a, 1}), ets:lookup(T, a)").class)
  end)
end)
