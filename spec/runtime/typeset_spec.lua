-- Markdown as a terminal shows it.
local typeset = require "runtime.typeset"

local function lines(text)
  local list = {}
  for line in text:gmatch "(.-)\n" do list[#list + 1] = line end
  return list
end

local function set(markdown, width, color) return lines(typeset.text(markdown, { width = width, color = color })) end

-- Without colours.
local function shown(line) return (line:gsub("\27%[%d*m", "")) end

describe("runtime.typeset", function()
  it("wraps paragraphs, below headings and with a line between", function()
    assert.same({ "Head", "", "  one two three", "  four", "", "  five" },
      set("# Head\n\none two\nthree four\n\nfive", 17))
  end)

  it("hangs what a list says beside its mark, and keeps its items together", function()
    assert.same({ "  - one two", "    three", "  - four", "    - five", "  1. six", "", "  Seven" },
      set("- one two three\n- four\n  - five\n1. six\n\nSeven", 12))
  end)

  it("goes on with an item in its next line", function()
    assert.same({ "  1. one two", "  2. three" }, set("1. one\n   two\n2. three", 40))
  end)

  it("never wraps or joins code, and says its language", function()
    assert.same({ "  Erlang", "    f(X) ->", "", "        a_long_line_that_is_copied(X)." },
      set("```erlang\nf(X) ->\n\n    a_long_line_that_is_copied(X).\n```", 20))
  end)

  it("does not say the language again below a heading that does", function()
    assert.same({ "Erlang", "", "    f() -> ok." }, set("## Erlang\n```erlang\nf() -> ok.\n```", 40))
  end)

  it("takes nothing inside of code for Markdown", function()
    assert.same({ "    # no heading", "    | no | table |", "    - no item" },
      set("```text\n# no heading\n| no | table |\n- no item\n```", 40))
  end)

  it("sets a table in columns as wide as they are", function()
    assert.same({ "  A   Bee", "  --  ----", "  aa  b|b", "  a   four" },
      set("| A | Bee |\n|---|---|\n| aa | b\\|b |\n| a | four |", 40))
  end)

  it("wraps cells where the table is too wide, with a line between its rows", function()
    assert.same({ "  A   B", "  --  -----------", "  aa  one two", "      three", "", "  a   four" },
      set("| A | B |\n|---|---|\n| aa | one two three |\n| a | four |", 17))
  end)

  it("sets rows below each other where what cannot be broken does not fit beside it", function()
    assert.same({ "  `a long piece`", "    `of code`", "  `b`", "    c" },
      set("| A | B |\n|---|---|\n| `a long piece` | `of code` |\n| `b` | c |", 20))
    assert.same({ "  `a long piece`", "    B: `of code`", "    C: so", "", "  `b`", "    B: c", "    C: d" },
      set("| A | B | C |\n|---|---|---|\n| `a long piece` | `of code` | so |\n| `b` | c | d |", 20))
  end)

  it("does not break code that fits a line", function()
    assert.same({ "  say", "  `one two`", "  then" }, set("say `one two` then", 12))
  end)

  it("breaks a word that is longer than the line, and no character of it", function()
    assert.same({ "  abcdef", "  gh" }, set("abcdefgh", 8))
    assert.same({ "  éééé", "  éé" }, set("éééééé", 6))
  end)

  it("breaks a list of names behind a comma, and not inside of a name", function()
    assert.same({ "  sup,system,", "  vm_events,logger" }, set("sup,system,vm_events,logger", 18))
  end)

  it("gives code a colour in the place of its ticks, line by line", function()
    assert.same({ "  say \27[36mone\27[0m.", "  \27[36mtwo three\27[0m" },
      set("say `one`. `two three`", 14, true))
  end)

  it("has no line that is wider than the terminal, in colour as without", function()
    local text = "| A | B |\n|---|---|\n| `a b` c d e f g | `h i j` k l m n o p |\n\n"
      .. "- `a b c d` e f `g h` i j k l `m n`"
    for width = 16, 40 do
      for _, color in ipairs { true, false } do
        for _, line in ipairs(set(text, width, color)) do assert.is_true(#shown(line) <= width, line) end
      end
    end
  end)

  it("has the same words in colour as without", function()
    local text = "# H\n\na `b c` d\n\n- `e`\n\n| `f` | g |\n|---|---|\n| `h` | i |\n\n```erlang\nj().\n```"
    local plain = typeset.text(text, { width = 80 })
    local colored = typeset.text(text, { width = 80, color = true })
    assert.equal(plain:gsub("[`%s%-]", ""), shown(colored):gsub("[`%s%-]", ""))
  end)

  it("comes to an end where there is no room at all", function()
    assert.same({ (" "):rep(42) .. "- abcd", (" "):rep(44) .. "ef" }, set((" "):rep(40) .. "- abcdef", 30))
    assert.equal("  " .. ("n"):rep(40) .. "  abcd\n" .. (" "):rep(44) .. "ef\n",
      typeset.entries({ { ("n"):rep(40), "abcdef" } }, { width = 30 }))
  end)

  it("lets no escape of a file through", function()
    for _, place in ipairs { "# %s", "%s", "- %s", "```\n%s\n```", "| %s |\n|---|\n| %s |" } do
      local text = typeset.text((place:gsub("%%s", "a\27[31mb\155\7c")), { width = 80 })
      assert.is_nil(text:find("[%z\1-\9\11-\31\127\155]"), place)
    end
  end)

  it("sets names and what is said of them in two columns", function()
    assert.equal("  a                     one\n                        two\n  b                     three\n",
      typeset.entries({ { "a", "one two" }, { "b", "three" } }, { width = 30 }))
  end)
end)
