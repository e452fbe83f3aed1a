--- Questions to the node: Erlang text with bindings, evaluated there by the node's own erl_eval.
--- The text comes from a file that a person wrote and is constant; what varies travels as
--- bindings and is never pasted in.
---
--- A text is wrapped so that its answer comes back with what it cost, and nothing else does: not
--- the variables it bound, which may be a million pids. The wrapped text is one expression, and
--- what is sent is its form: parsed when we were built, or else once per attach on the node. It is
--- a block and no fun, for erl_eval lints a fun as a whole before it enters it, at a cost that grows
--- faster than the text: the funs in it one by one, as it comes to them, are a fifth less.

local async = require "runtime.async"
local etf = require "host.etf"
local failure = require "runtime.failure"
local parsed = require "runtime.node.parsed"
local term = require "runtime.node.term"

local query = {}

local A, kind, tuple = etf.A, etf.kind, etf.tuple

local HEAP_WORDS = 20000000
local INCOMPLETE = 4

--- The text that is really parsed. The first line stays the first, for the line numbers.
---@param text string   expressions, with the full stop
---@return string|nil
---@return string? err
function query.wrap(text)
  local expressions = text:match "^(.*)%.%s*$"
  if not expressions then return nil, "a query must end in a full stop" end
  return ("{begin %s\nend, erlang:process_info(self(), reductions)}."):format(expressions)
end

-- Parses a text on the node. The forms go home in external form, so no term is changed on the
-- way (1.0 would come back as 1).
local PARSE = [[
case erl_scan:string(unicode:characters_to_list(S)) of
  {ok, T, _} ->
    case erl_parse:parse_exprs(T) of
      {ok, [E]} -> {ok, term_to_binary(E)};
      {error, {L, M, D}} -> {error, L, unicode:characters_to_binary(M:format_error(D))}
    end;
  {error, {L, M, D}, _} -> {error, L, unicode:characters_to_binary(M:format_error(D))}
end.]]

--- The texts of this file, for the build step that parses what we ship.
---@return string[]
function query.own_texts() return { PARSE } end

local function fail(message, next_step) return nil, failure.new("query", message, next_step, INCOMPLETE) end

-- When even PARSE was not parsed at home. It holds no float, so it survives being decoded.
local function parse_the_parser(calls, wrapped, o)
  local scanned, err = calls:run("erl_scan", "string", { etf.chars(wrapped) }, o)
  if scanned == nil then return nil, err end
  local exprs
  exprs, err = calls:run("erl_parse", "parse_exprs", { scanned[2] }, o)
  if exprs == nil then return nil, err end
  return etf.raw(etf.encode(exprs[2][1]):sub(2))
end

local evaluate

local function parse_on_node(n, wrapped, o)
  local answer, err = evaluate(n, PARSE, { S = wrapped }, { deadline = o.deadline, priority = o.priority })
  if answer == nil then return nil, err end
  if answer[1] ~= A.ok then
    local wrong = ("line %s: %s"):format(tostring(answer[2]), tostring(answer[3]))
    local _, fault = fail("the query does not parse, " .. wrong, "correct the text of the query")
    fault.wrong = wrong
    return nil, fault
  end
  local readable, raw = pcall(etf.raw, answer[2]:sub(2))
  if not readable then return fail("the query is nested too deep to be read", "write it in smaller parts") end
  return raw, nil, answer[2]
end

local function form_of(n, text, o)
  local form = n.forms[text]
  if form then return form end
  local wrapped, err = query.wrap(text)
  if not wrapped then return fail(err, "correct the text of the query") end
  form = parsed.find(wrapped)
  if not form then
    if text == PARSE then
      form, err = parse_the_parser(n.calls, wrapped, o)
    else
      form, err = parse_on_node(n, wrapped, o)
    end
  end
  n.forms[text] = form
  return form, err
end

local FIRST_WITH_MAPS = 25 -- of erl_eval's bindings

-- Asked once for each node that we attach to; where it does not say, the old way is always right. An error is told
-- where the time of the question was over meanwhile.
local function takes_maps(n, o)
  if n.map_bindings == nil then
    local release, err = n.calls:run("erlang", "system_info", { A.otp_release },
      { deadline = o.deadline, priority = o.priority, subject = o.subject })
    if release == nil then return false, o.deadline and async.now() >= o.deadline and err or nil end
    n.map_bindings = (tonumber(tostring(release)) or 0) >= FIRST_WITH_MAPS
  end
  return n.map_bindings
end

local US = "link" -- our pid, where we have one, as a variable: no text has one of that name; the atom is there already

-- erl_eval merges bindings after each argument of a call and each element of a tuple or list: as an
-- ordered list of pairs that takes time by the square of the variables that are bound. What it is
-- given, it goes on with; a map halves the time of a long text.
local function bindings_of(n, variables, o)
  local names, list, map = {}, {}, {}
  for name, value in pairs(variables or {}) do
    names[#names + 1] = name
    map[name] = value
  end
  local us = n.calls:pid()
  if us then names[#names + 1], map[US] = US, us end
  local maps, err = takes_maps(n, o)
  if err then return nil, err end
  if maps then return etf.amap(map) end
  table.sort(names)
  for i, name in ipairs(names) do list[i] = tuple(A[name], map[name]) end
  return list
end

-- rex starts a process without limits, so the expression sets them itself. As forms, because
-- this is not worth a parse: erlang:process_flag(Flag, Value).
local function atom_form(name) return tuple(A.atom, 1, A[name]) end

local function flag_form(flag, value)
  local remote = tuple(A.remote, 1, atom_form "erlang", atom_form "process_flag")
  return tuple(A.call, 1, remote, { atom_form(flag), value })
end

local function limited_form(form, o)
  local heap = { { "size", tuple(A.integer, 1, o.heap_words) }, { "kill", atom_form "true" },
    { "error_logger", atom_form "false" } }
  for i, pair in ipairs(heap) do heap[i] = tuple(A.map_field_assoc, 1, atom_form(pair[1]), pair[2]) end
  return tuple(A.block, 1, {
    flag_form("priority", atom_form(o.priority)),
    flag_form("max_heap_size", tuple(A.map, 1, heap)),
    form,
  })
end

local LARGEST_INTEGER = 11  -- bytes, of a count of 64 bits

-- {Value, {reductions, N}} in external form, cut without decoding the value.
local function cut_pair(raw)
  for _, spelling in ipairs { "h\2w\10reductions", "h\2d\0\10reductions" } do
    local from = #raw - #spelling - LARGEST_INTEGER
    local at = raw:find(spelling, math.max(4, from), true)
    if at then
      local count = etf.decode("\131" .. raw:sub(at))
      if count and type(count[2]) == "number" then return "\131" .. raw:sub(4, at - 1), count[2] end
    end
  end
end

-- What was thrown comes back from rex as if it were the value.
local function is_pair(answer)
  return kind(answer) == "tuple" and kind(answer[2]) == "tuple" and answer[2][1] == A.reductions
    and type(answer[2][2]) == "number"
end

local function unwrap(answer, form, subject)
  if not form then
    if not is_pair(answer) then return fail(subject .. " failed: throw " .. term.text(answer)) end
    return answer[1], answer[2][2]
  end
  local raw, reductions = cut_pair(answer)
  if not raw then return fail(subject .. " failed: throw " .. term.text((etf.decode(answer)))) end
  if form == "json" then return etf.json(raw), reductions end
  return raw, reductions
end

-- One question may take several calls: what it may take is counted from here for all of them.
local function settled(n, given)
  local deadline = given.deadline or n.deadline
  if given.timeout then deadline = math.min(async.now() + given.timeout, deadline or math.huge) end
  return {
    deadline = deadline, runs_out = deadline ~= nil and deadline == n.deadline,
    group_leader = given.group_leader, outlives = given.outlives,
    subject = given.subject or "the query",
    heap_words = given.heap_words or HEAP_WORDS, priority = given.priority or "low",
    form = (given.raw or given.json) and "raw" or nil,
  }
end

local function call_form(module, func, arguments)
  return tuple(A.call, 1, tuple(A.remote, 1, atom_form(module), atom_form(func)), arguments)
end

local function number_form(value) return tuple(A.integer, 1, value) end
local function op_form(word, left, right) return tuple(A.op, 1, A[word], left, right) end

-- Work of low priority gets every eighth turn of the queue. Where the queue is long, that is hardly ever: there our
-- question is one among all of them, and takes its turn as they do. As long as that, our own questions, 16 at most,
-- never make it. Nor do they make one of theirs wait for so long: a turn is a millisecond. Where a few others take
-- theirs for longer, since they are in native code or wait for a lock, the queue is short and the wait the same.
local OURS_AT_MOST, EACH, WAITED_MS = 16, 4, 30

local NOW = call_form("erlang", "monotonic_time", { atom_form "millisecond" })

-- When it was, less when it is once we had to wait for our next turn.
local WAITED = op_form("-", NOW, call_form("erlang", "element", { number_form(2),
  tuple(A.tuple, 1, { call_form("erlang", "yield", {}), NOW }) }))

local LONG = op_form("orelse",
  op_form(">=", call_form("erlang", "statistics", { atom_form "total_run_queue_lengths" }),
    op_form("+", number_form(OURS_AT_MOST),
      op_form("*", number_form(EACH), call_form("erlang", "system_info", { atom_form "schedulers_online" })))),
  op_form("=<", WAITED, number_form(-WAITED_MS)))

local RAISED = tuple(A.case, 1, LONG, {
  tuple(A.clause, 1, { atom_form "true" }, {}, { flag_form("priority", atom_form "normal") }),
  tuple(A.clause, 1, { tuple(A.var, 1, A._) }, {}, { atom_form "ok" }),
})

-- Linked to us while it is evaluated, so that it ends when the connection does: killed or cut off, we cannot end it.
-- Unlinked before it answers, for an exit signal would carry the whole answer a second time.
local function linked_form(form, low, us)
  local function with_us(func)
    return us and call_form("erlang", func, { tuple(A.var, 1, A[US]) }) or atom_form "ok"
  end
  local all = tuple(A.tuple, 1, { with_us "link", low and RAISED or atom_form "ok", form, with_us "unlink" })
  return call_form("erlang", "element", { number_form(3), all })
end

local function send(n, form, variables, o, given)
  if not (given.outlives or given.group_leader == "user") then
    form = linked_form(form, o.priority == "low", n.calls:pid())
  end
  if not n.calls:limited() then form = limited_form(form, o) end
  -- With the last argument the value alone comes back, without the bindings.
  local bindings, late = bindings_of(n, variables, o)
  if not bindings then return nil, late end
  local arguments = { form, bindings, A.none, A.none, A.value }
  local answer, err, cost = n.calls:run("erl_eval", "expr", arguments, o)
  n.load:count(cost)
  if answer == nil then return nil, err, cost.printed end
  local value, reductions = unwrap(answer, given.raw and "raw" or given.json and "json" or nil, o.subject)
  if value == nil then return nil, reductions, cost.printed end
  n.load.reductions = n.load.reductions + reductions
  return value, nil, cost.printed
end

function evaluate(n, text, variables, given)
  local o = settled(n, given)
  local form, err = form_of(n, text, o)
  if not form then return nil, err end
  return send(n, form, variables, o, given)
end

--- Makes sure that the node understands a text, without evaluating it.
---@return true?
---@return Failure? err   `wrong` says where the text is no Erlang
function query.parse(n, text)
  local form, err = form_of(n, text, {})
  if not form then return nil, err end
  return true
end

--- The form of a text of one expression, decoded and without what `wrap` puts around it: for who builds with it.
---@return any form
---@return Failure? err
function query.form(n, text, o)
  local wrapped, err = form_of(n, text, o or {})
  if not wrapped then return nil, err end
  return query.unwrapped(etf.decode(etf.encode(wrapped)))[1]
end

--- The expressions of a text inside what `wrap` put around them.
---@param form any
---@return any[]
function query.unwrapped(form)
  local block = form[3][1]
  return block[3]
end

--- The expressions of a text as forms to be read here, from home or from the node.
---@return any[]?
---@return Failure? err
function query.forms(n, text)
  local wrapped, err = query.wrap(text)
  if not wrapped then return fail(err, "correct the text of the query") end
  local form = parsed.read(wrapped)
  if form then return query.unwrapped(form) end
  local raw, fault, bytes = parse_on_node(n, wrapped, {})
  if not raw then return nil, fault end
  return query.unwrapped(etf.decode(bytes, 1, true))
end

--- Evaluates a text on the node.
---@param n table                what holds `calls`, `forms` and `load`: the node
---@param text string            Erlang expressions, ending in a full stop
---@param variables? table       name of an Erlang variable -> value, as host.etf encodes it
---@param o? CallOptions         heap_words is 20,000,000 and priority low if left out;
---                              `raw` and `json` ask for bytes or JSON text
---@return any value             nil when it failed
---@return Failure? err
---@return string? printed       what the query wrote to its output
function query.run(n, text, variables, o)
  return evaluate(n, text, variables, o or {})
end

-- What `wrap` does to a text, done to forms and in a fun: nothing that they hold can reach out of it.
local function wrapped_forms(forms)
  local body = tuple(A["fun"], 1, tuple(A.clauses, { tuple(A.clause, 1, {}, {}, forms) }))
  local remote = tuple(A.remote, 1, atom_form "erlang", atom_form "process_info")
  local cost = tuple(A.call, 1, remote, { tuple(A.call, 1, atom_form "self", {}), atom_form "reductions" })
  return tuple(A.tuple, 1, { tuple(A.call, 1, body, {}), cost })
end

--- Evaluates forms that came home and were judged there: those, and no text that is read once more.
---@param n table
---@param forms any[]        of the expressions, as host.etf encodes them
---@param o? CallOptions     as for `run`; subject: how errors call it
---@return any value
---@return Failure? err
---@return string? printed   also of a failed one
function query.evaluate(n, forms, o)
  o = o or {}
  return send(n, wrapped_forms(forms), {}, settled(n, o), o)
end

return query
