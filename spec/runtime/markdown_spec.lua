local markdown = require "runtime.markdown"

describe("runtime.markdown", function()
  it("lets a sentence be a sentence", function()
    assert.equal("it grows by 5,000 messages a second (21 now), 30 % of all.",
      markdown.prose "it grows by 5,000 messages a second (21 now), 30 % of all.")
  end)

  local WORDS = {
    { "a function", "in shop_cart:total/1, waiting", "in `shop_cart:total/1`, waiting" },
    { "an address", "see http://evil.example/x now", "see `http://evil.example/x` now" },
    { "a bare domain", "go to evil.example.", "go to `evil.example`." },
    { "a domain of another script", "и.com, и.рф", "`и.com`, `и.рф`" },
    { "an issue of a repository", "a/b#12 of us", "`a/b#12` of us" },
    { "a node", "on shop@host:", "on `shop@host`:" },
    { "HTML", "<script>alert(1)</script>", "`<script>alert(1)</script>`" },
    { "a picture", "![x](y)", "`![x](y)`" },
    { "a link over two words", "[click me](x)", "`[click` `me](x)`" },
    { "emphasis", "**bold** ~~gone~~", "\\*\\*bold\\*\\* \\~\\~gone\\~\\~" },
    { "an entity", "&lt;b&gt;", "\\&lt;b\\&gt;" },
    { "a formula", "$x$ {y}", "\\$x\\$ \\{y\\}" },
    { "a row of a table", "a | b", "a \\| b" },
    { "code that wants to end", "x` y", "`` x` `` y" },
    { "an issue", "#12 of us", "`#12` of us" },
    { "a heading", "# big", "\\# big" },
    { "a list", "- item", "\\- item" },
    { "a numbered list", "1. item", "1\\. item" },
    { "a quotation", "> said", "`>` said" },
    { "a rule", "--- end", "\\--- end" },
    { "lines", "one\n\n# two", "one # two" },
    { "escapes of a terminal", "a\27[2Jb", "`a\\x1b[2Jb`" },
  }
  for _, case in ipairs(WORDS) do
    it("takes the meaning from " .. case[1], function() assert.equal(case[3], markdown.prose(case[2])) end)
  end

  it("shows a name as code, whatever is in it", function()
    assert.equal("`kettle`", markdown.code "kettle")
    assert.equal("```a``b```", markdown.code " a``b ")
    assert.equal("`` `x ``", markdown.code "`x")
    assert.equal("(empty)", markdown.code " \n ")
  end)

  -- Where a text is read again for each of its characters, this takes minutes.
  it("reads a long text once", function()
    local gap, dots, marks = (" "):rep(300000), ("."):rep(300000), ("\\"):rep(300000)
    assert.equal(300004, #markdown.code(" a" .. gap .. "b "))
    assert.equal("a" .. dots .. "b", markdown.prose("a" .. dots .. "b"))
    assert.equal(marks .. "a", markdown.cell(marks .. "a"))
  end)

  it("keeps a bar from ending a cell, in code too", function()
    assert.equal("`a\\|b` c\\|d e\\|f", markdown.cell "`a|b` c\\|d e\\\\|f")
  end)

  it("fences code longer than any fence in it", function()
    assert.equal("````erlang\n```\nx\n````", markdown.fenced("```\nx", "erlang"))
  end)
end)
