--- `eval 'EXPR'`: one expression of a person on the node, by the gate.

local audit = require "runtime.audit"
local etf = require "host.etf"
local eval = require "runtime.eval"
local failure = require "runtime.failure"
local json = require "runtime.json"
local leave = require "runtime.eval_leave"
local plain = require "runtime.plain"
local policy = require "runtime.policy"
local privacy = require "runtime.privacy"
local screen = require "runtime.screen"
local term_text = require "runtime.term_text"
local terminal = require "runtime.terminal"

local command = {
  usage = "eval 'EXPR'",
  words = 1,
  too_many = "put the expression in quotes",
  doc = "one expression on the node, Erlang or --elixir",
  takes = { "text" },
  examples = {
    { "beamlens-run eval 'erlang:memory(total)' --node shop@host", "SAFE: runs" },
    { "beamlens-run eval --elixir 'Process.list() |> Enum.count()' --node shop@host", "in Elixir, where it runs" },
    { "beamlens-run eval 'erlang:garbage_collect(whereis(cache))' --node shop@host",
      "CAUTION: asks; where nobody is asked, --allow caution" },
    { "beamlens-run eval 'P = self(), erlang:garbage_collect(P)' --allow erlang:garbage_collect/1 --node shop@host",
      "one function allowed by its name" },
    { "beamlens-run eval 'exit(whereis(cache), kill)' --node shop@host",
      "DANGEROUS: you type what is shown, or it does not run" },
  },
  more = [[
The text is parsed on the node, judged here, and what was judged is what runs: within --deadline, 60 s at most, and
160 MB of heap. A full stop at the end may be left out. Secrets in the answer are masked.
]],
}

local LONGEST_S = 60
local LONGEST_VALUE = 1024 * 1024 -- bytes of JSON

local function masked(mask, text)
  return text and (text:gsub("[^\n]+", function(line) return mask:text(line) end))
end

local function shown(text)
  return ((text:gsub("\n$", "") .. "\n"):gsub("(.-)\n", function(line) return plain.text(line) .. "\n" end))
end

local function as_text(answer)
  local text = shown(answer.result)
  if answer.printed ~= json.null then text = shown(answer.printed) .. text end
  if answer.cut ~= json.null then text = text .. ("(cut: %d are left out)\n"):format(answer.cut.left_out) end
  return text
end

local function answer_of(n, expression, evaluated, mask, width)
  local value, why = etf.decode(evaluated.raw, 1, true)
  if value == nil then
    return nil, failure.new("query", "the expression has an answer that cannot be read: " .. tostring(why),
      "ask for less of it", 4)
  end
  local result, left_out = term_text.of(value, mask, expression.elixir, width)
  local clean = mask:clean(value)
  if clean ~= nil and #json.encode { clean } > LONGEST_VALUE then
    clean, left_out = json.null, math.max(left_out, 1)
  end
  local reasons = {}
  for i, r in ipairs(expression.reasons) do
    reasons[i] = { class = r.class, what = r.what, why = r.why, line = r.line, cost = r.cost }
  end
  return {
    schema = 1, node = n.name, class = expression.class, reasons = reasons, result = result, value = clean,
    cut = left_out > 0 and { left_out = left_out } or json.null, printed = masked(mask, evaluated.printed) or json.null,
    elapsed_ms = math.floor(evaluated.elapsed_ms * 100 + 0.5) / 100,
  }
end

-- What changes something is written down before it is done, and what became of it after.
local function evaluate(n, text, expression, limits, mask)
  local told = { node = n.name, text = text, elixir = expression.elixir, class = expression.class,
    what = expression.reasons[1].what }
  local dangerous = expression.class == "DANGEROUS"
  if dangerous then
    told.kind = "eval"
    local ok, err = audit.record(told)
    if not ok then return nil, err end
  end
  local evaluated, err, printed = eval.run(n, expression, limits)
  if dangerous then
    told.kind, told.outcome = "eval.done", evaluated and "done" or mask:text(tostring(err))
    local ok, unwritten = audit.record(told)
    if not ok then terminal.show("the outcome could not be written to the audit: " .. tostring(unwritten)) end
  end
  return evaluated, err, printed
end

local function answer(c, n)
  local o, text = c.options, c.words[1]
  local limits = { timeout = math.min(o.deadline, LONGEST_S) }
  local mask, err = privacy.open(true)
  if not mask then return nil, err end
  mask:keep(n.name)
  n:conceal(mask)
  local expression
  expression, err = eval.read(n, text, { elixir = o.elixir, timeout = limits.timeout })
  if not expression then return nil, err end
  if not (o.json or o.quiet) or terminal.is_interactive(o) then
    for _, line in ipairs(leave.lines(expression)) do terminal.show(line) end
  end
  local may
  may, err = leave.take(expression, o, n.name)
  if not may then return nil, err end
  local evaluated, printed
  evaluated, err, printed = evaluate(n, text, expression, limits, mask)
  if not evaluated then
    if printed then terminal.show(masked(mask, printed)) end
    return nil, failure.new(err.stage, mask:text(err.message), err.next, err.exit)
  end
  local told
  told, err = answer_of(n, expression, evaluated, mask, not o.json and screen.out().width or nil)
  if not told then return nil, err end
  if not o.json then return as_text(told), 0 end
  return json.encode(told) .. "\n", 0
end

function command.run(c)
  if not c.words[1] then
    return nil, failure.new("usage", "no expression was given",
      "for example: beamlens-run eval 'erlang:memory(total)'", 2)
  end
  local ok, err = policy.load()
  if ok then ok, err = leave.check(c.options.allow) end
  if not ok then return nil, err end
  local beamlens = require "runtime.beamlens"
  beamlens.options = c.options
  local node, missing = beamlens.connect()
  if not node then return nil, missing end
  local text, code = answer(c, node)
  beamlens.close()
  return text, code
end

return command
