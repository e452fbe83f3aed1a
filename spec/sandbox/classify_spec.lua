--- The classes of Erlang expressions. They are parsed on one real node, at once, as `eval` parses them.

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
