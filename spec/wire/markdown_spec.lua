-- What a report to hand on looks like where people read it: two readers of Markdown that others made see in it
-- what they see where every text is harmless, whatever a node or a model put into it.
local async = require "runtime.async"
local handoff = require "runtime.handoff"
local json = require "runtime.json"
local oracle = require "spec.wire.support.oracle"
local report_of = require "spec.support.hostile_report"

local READERS = { "markdown-it", "marked" }

-- Each form that a report may have, with the text in all of its places.
local FORMS = {
  sick = report_of,
  cannot_tell = function(text)
    return report_of(text, { verdict = "cannot_tell", insights = {}, incomplete = "budget", incomplete_why = text,
      would_tell = { text, text }, looks = { { skill = text, observation = "o1", figures = { [text] = text } } } })
  end,
}

local function rendered(reader, form, texts)
  local lines, seen = {}, {}
  for i, text in ipairs(texts) do
    lines[i] = json.encode { reader = reader, text = handoff.text(FORMS[form](text)) } .. "\n"
  end
  local said = async.run(function() return oracle.run("render.mjs", {}, table.concat(lines)) end)
  for line in said:gmatch "[^\n]+" do seen[#seen + 1] = json.decode(line) end
  return seen
end

local HOSTILE = {
  "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a <b>bold</b> <!-- gone",
  "[click](http://evil.example)", "![x](http://evil.example/a.png)", "http://evil.example/?q=1", "www.evil.example",
  "evil.example", "me@evil.example", "<http://evil.example>", "[a]: http://evil.example", "[a][b]",
  "# heading", "text\n# heading\n", "1. one\n2. two", "- item", "+ item", "* item", "> quote", "---", "===",
  "```", "```\nout\n```", "~~~", "` `` ```", "x` <b>y</b> `z", "| a | b |", "a | <b>b</b> | c", "\\", "\\\\|", "a\\| b",
  "tail\\", "&lt;b&gt; &#60;b&#62;", "**bold** __bold__ ~~gone~~", "*a* _b_", "$x$", "- [ ] task",
  "<details><summary>x</summary>", "a\27]8;;http://evil.example\7b", "\226\128\174evil", "<", ">", "<a", "a<b>c",
  "пример.com", "evil.рф", "россия.рф:80", "a/b#12", "xn--e1.com.", "evil.example...", "evil。com",
  "javascript:alert(1)", "tel:123", "ftp://evil.example", "a  \nb", "\t\tcode", "    code", " ",
}

describe("a report to hand on", function()
  for _, reader in ipairs(READERS) do
    for form in pairs(FORMS) do
      it(("is read by %s as it is meant, whatever text stands in it: %s"):format(reader, form), function()
        local plain = rendered(reader, form, { "harmless" })[1]
        assert.is_truthy(plain.html:find("<table>", 1, true))
        for i, seen in ipairs(rendered(reader, form, HOSTILE)) do
          assert.equal(table.concat(plain.tags, " "), table.concat(seen.tags, " "), HOSTILE[i])
        end
      end)
    end
  end
end)
