-- Elixir before and after its expansion, on a real Elixir: what may be expanded, and which class it has then.

local elixir = require "sandbox.elixir"
local etf = require "host.etf"
local eval = require "runtime.eval"
local live = require "spec.support.live_node"

-- Everything that could run while a text is expanded counts: macros, __using__, structs, calendars, dbg's callback.
local EVIL = [[
  :persistent_term.put(:runs, :counters.new(1, []))
  Application.put_env(:elixir, :dbg_callback, {Evil, :debug, []})
  defmodule Evil do
    def run(), do: :counters.add(:persistent_term.get(:runs), 1, 1)
    defmacro mac(), do: (run(); 1)
    defmacro mac(_), do: (run(); 1)
    defmacro __using__(_), do: (run(); 1)
    def __struct__(), do: (run(); %{__struct__: Evil, a: 1})
    def __struct__(_), do: (run(); %{__struct__: Evil, a: 1})
    def parse_date(_), do: (run(); {:ok, {2024, 1, 1}})
    def parse_time(_), do: (run(); {:ok, {1, 1, 1, {0, 0}}})
    def parse_naive_datetime(_), do: (run(); {:error, :x})
    def parse_utc_datetime(_), do: (run(); {:error, :x})
    def debug(code, _, _), do: (run(); code)
  end
  defmodule Evil.URI do
    def __struct__(), do: (Evil.run(); %{__struct__: Evil.URI})
    def __struct__(_), do: (Evil.run(); %{__struct__: Evil.URI})
  end
]]

-- The ways that were thought of, beside all texts that are refused.
local WAYS = {
  "Evil.mac()", "Evil.mac(1)", "1 |> Evil.mac()", "&Evil.mac/1", "alias Evil, as: E; E.mac()", "alias Evil; Evil.mac",
  "apply(Evil, :mac, [])", "Elixir.Evil.mac()", ":\"Elixir.Evil\".mac()", "alias Evil, as: Kernel; Kernel.mac()",
  "alias Evil, as: Kernel; Kernel.if(1)", "alias Evil, as: Application; Application.mac()", "fn -> Evil.mac() end",
  "for x <- [1], do: Evil.mac(x)", "<<1::Evil.mac()>>", "<<1::mac()>>", "x = 1; x in Evil.mac()", "raise Evil", "mac()",
  "mac", "case 1 do Evil.mac() -> 1 end", "fn x when Evil.mac(x) -> 1 end", "put_in(Evil.mac().a, 1)",
  "match?(Evil.mac(), 1)",
  "try do 1 rescue Evil -> 1 end", "try do 1 rescue e in [Evil] -> e end", "Evil.__using__([])", "is_struct(1, Evil)",
  "struct(Evil)", "~X(a)", "~mac(a)", "\"#{Evil.mac()}\"", "destructure([Evil.mac()], [1])", "Evil.{URI, X}",
  "Evil.\"MACRO-mac\"(1)",
}

local REFUSED = require "spec.sandbox.expressions.elixir_refused"

local A = etf.A

describe("Elixir", function()
  local at

  setup(function() at = live.start { elixir = true, code = EVIL } end)
  teardown(live.stop_all)

  local function read(text) return eval.read(at.node, text, { elixir = true }) end

  local function runs() return at.eval "counters:get(persistent_term:get(runs), 1)." end

  local function log()
    local file = assert(io.open(at.home .. "/node.log"))
    local text = file:read "*a"
    file:close()
    return text
  end

  for _, class in ipairs { "SAFE", "CAUTION", "DANGEROUS" } do
    it(("is classed as %s where it is, each expression of the list"):format(class), live.test(function()
      local wrong = {}
      for _, text in ipairs(require("spec.sandbox.expressions.elixir_" .. class:lower())) do
        local expression, err = read(text)
        if not expression or expression.class ~= class then
          wrong[#wrong + 1] = ("%s: %s"):format(text,
            expression and expression.class .. " " .. expression.reasons[1].what or tostring(err))
        end
      end
      assert.same({}, wrong)
    end))
  end

  it("is turned away for the name that would run while it is expanded", live.test(function()
    local wrong = {}
    for _, case in ipairs(REFUSED) do
      local expression, err = read(case[1])
      local named = not expression and err.message:match "^DANGEROUS: (.-) in line %d+ is not expanded"
      if named ~= case[2] then wrong[#wrong + 1] = case[1] .. ": " .. tostring(err or expression.class) end
    end
    assert.same({}, wrong)
  end))

  it("runs macros, structs and calendars where anybody else expands it: so the next can be told", live.test(function()
    local counts = {}
    for i, text in ipairs { "require Evil; Evil.mac()", "use Evil", "%Evil{}", "dbg(1)", "~D[2024-01-01 Evil]" } do
      local before = runs()
      at.eval("'Elixir.Code':eval_string(T).", { T = text })
      counts[i] = runs() > before
    end
    assert.same({ true, true, true, true, true }, counts)
  end))

  it("leaves nothing behind by being read: no macro of another module ever runs", live.test(function()
    local before = runs()
    for _, text in ipairs(WAYS) do read(text) end
    for _, case in ipairs(REFUSED) do read(case[1]) end
    assert.equal(before, runs())
  end))

  it("prints no warning on the node", live.test(function()
    local before = log()
    for _, text in ipairs { "x", "fn x -> 1 end", "_x = 1; _x", "self", "x = 1", "case 1 do y -> 2 end", ":\"foo\"",
      "'a'", "1 = 2", "if true do x = 1 end", "foo(1)", "Enum.nope()", "fn -> 1; 2 end", "x = 1; x; 2",
      "String.strip(\"a\")", "m = %{}; m.a" } do
      read(text)
    end
    assert.equal(before, log())
  end))

  it("makes few atoms of a text with many new words, and says so", live.test(function()
    local words = {}
    for i = 1, 200 do words[i] = ":new_word_" .. i end
    read ":new_word_0" -- what the first reading of all loads is not counted
    local before = at.eval "erlang:system_info(atom_count)."
    local _, err = read("[" .. table.concat(words, ", ") .. "]")
    assert.matches("more new words than are taken", tostring(err), 1, true)
    assert.is_true(at.eval "erlang:system_info(atom_count)." - before <= eval.NEW_ATOMS)
  end))

  it("with more names than an expression needs is turned away before each leaves an atom", live.test(function()
    local _, err = read(("x = 1; "):rep(501))
    assert.matches("uses more than 500 names", tostring(err), 1, true)
  end))

  -- A node may answer anything for a quoted text.
  local tuple, ODD = etf.tuple, {}
  for _, name in ipairs { "__aliases__", "alias", "%", ".", "sigil_D", "__block__", "x" } do
    for _, rest in ipairs { A["nil"], 5, {}, { {} }, { 1, 2, 3 }, etf.chars "a", { tuple(A.__aliases__, {}, 7) },
      { tuple(A["."], {}, {}) } } do
      table.insert(ODD, tuple(A[name], {}, rest))
      table.insert(ODD, tuple(tuple(A["."], {}, { tuple(A[name], {}, rest), A[name] }), { 1, A.line, {} }, rest))
    end
  end

  it("is no fault of ours when it is what no parser makes", function()
    local faults = {}
    for _, odd in ipairs(ODD) do
      local ok, why = pcall(elixir.screen, odd, { "mac" })
      if not ok then faults[#faults + 1] = why end
    end
    assert.same({}, faults)
  end)

  it("tells a slip by line and column", live.test(function()
    local _, err = read "x = 1\ny = )"
    assert.equal("the expression is no Elixir, line 2, column 5: unexpected token: ); correct it", tostring(err))
  end))

  it("tells what does not compile by its line", live.test(function()
    local _, err = read "x = 1\nx + y"
    assert.equal('the expression is no Elixir, line 2: undefined variable "y"; correct it', tostring(err))
  end))

  for _, text in ipairs { "x = 1; foo(x)", "&foo/1", "[1] |> Enum.map(&foo/1)", "1 |> foo()", "[a: foo(1)]" } do
    it("tells of a function that has no module: " .. text, live.test(function()
      local _, err = read(text)
      assert.equal("Kernel has no function foo/1; write its module before it", tostring(err))
    end))
  end

  it("loads no module by being read", live.test(function()
    read "1 |> Enum.count()" -- what Elixir itself loads is not counted
    read ":zip.foo(Calendar.ISO)"
    assert.is_false(at.eval "code:is_loaded(zip) =/= false.")
  end))
end)
