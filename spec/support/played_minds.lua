--- Minds for the played provider: how a model investigates that does its work, and models that
--- do not. Each reads the conversation (spec/support/played_provider.lua) and answers it.

local played_minds = {}

-- The results of one tool, in order.
local function of(talk, name)
  local list = {}
  for _, result in ipairs(talk.results) do
    if result.name == name then list[#list + 1] = result end
  end
  return list
end

local function last(talk, name)
  local list = of(talk, name)
  return list[#list]
end

local function call(...) return { calls = { ... } } end

local function execute(code) return { "execute", { code = code } } end

-- The longest mailbox, and where it stands in the answer.
local function longest(result)
  local best
  for i, row in ipairs(result.data.result.processes) do
    if not best or row.message_queue > best.row.message_queue then best = { row = row, at = i } end
  end
  return best
end

local function claim(result, path, value)
  return { observation = result.data.observation, path = path, value = value }
end

local function names_of(result)
  local names = {}
  for i, row in ipairs(result.data.result.processes) do names[i] = row.name or row.pid end
  return table.concat(names, ", ")
end

-- Looks, looks again, tells it with its figures (and one that is not there), and is done.
local function look_at_mailboxes(talk)
  if not last(talk, "take_snapshot") then
    return { text = "I begin with the figures of the whole node.", calls = { { "take_snapshot", {} } } }
  end
  if not last(talk, "execute") then
    return call(execute 'return beam_top_processes(5, "message_queue")', execute "return beam_queue_growth(100, 5)")
  end
  if not last(talk, "send_notification") then
    local top, growth = unpack(of(talk, "execute"))
    local one, again = longest(top), longest(growth)
    return call({ "send_notification", {
      type = "mailbox", context = "looked at " .. names_of(top), severity = "critical", confidence = "high",
      observation = ("%s has %d messages"):format(one.row.name, one.row.message_queue),
      hypothesis = "it never takes these messages out", snapshot_ids = { last(talk, "take_snapshot").data.id },
      evidence = {
        claim(top, ("processes[%d].message_queue"):format(one.at), one.row.message_queue),
        claim(growth, ("processes[%d].message_queue"):format(again.at), again.row.message_queue),
        claim(top, ("processes[%d].message_queue"):format(one.at), 123456789),
      },
      root_cause = { object = one.row.name, mechanism = "unhandled_messages" },
      considered = { { mechanism = "bursty_mailbox", why_not = "the second look shows as many" } },
      next_steps = { { text = "read its receive clauses", risk = "SAFE" } },
    } }, { "set_state", { state = "critical", reason = "a mailbox that nobody empties" } })
  end
  return call { "done", {} }
end

-- Begins with a text that is none, as models do.
local function look_at_tables(talk)
  if not last(talk, "take_snapshot") then return { text = "\n\n", calls = { { "take_snapshot", {} } } } end
  if not last(talk, "execute") then return call(execute "return ets_list_tables(50)") end
  if not last(talk, "set_state") then return call { "set_state", { state = "healthy", reason = "small tables" } } end
  return call { "done", {} }
end

-- Starts whom there is, asks back once with what it was told, and joins.
local function coordinate(talk)
  local started = #of(talk, "invoke_operators")
  if started > #of(talk, "wait") then return call { "wait", { ms = 60000 } } end
  if started == 0 then
    local skills = { "beam" }
    if talk.system:find("- `ets`", 1, true) then skills[2] = "ets" end
    return { text = "All at once.", calls = { { "invoke_operators", { skills = skills } } } }
  end
  if #of(talk, "get_notifications") < started then return call { "get_notifications", {} } end
  local n = last(talk, "get_notifications").data.notifications[1]
  if n and started == 1 then
    return call { "invoke_operators", { skills = { n.operator }, context = "Is it still so? " .. n.context } }
  end
  if n and not last(talk, "produce_insight") then
    return call { "produce_insight", {
      notification_ids = { n.id }, correlation_type = "single", summary = n.observation, severity = n.severity,
      matched_observations = { n.observation }, root_cause_hypothesis = n.hypothesis, root_cause = n.root_cause,
      confidence = n.confidence, evidence = n.evidence, considered = n.considered, next_steps = n.next_steps,
    } }
  end
  return call { "done", { summary = "one mailbox" } }
end

local AGENTS = { coordinator = coordinate, beam = look_at_mailboxes, ets = look_at_tables }

--- Does its work.
function played_minds.good(talk) return AGENTS[talk.who](talk) end

--- Has nothing to do with tools.
function played_minds.talker() return { text = "Have you tried to restart it?" } end

--- Calls tools of its own invention.
function played_minds.inventor(talk)
  return call { "restart_node", { force = true, turn = talk.turn } }
end

--- Never comes to an end by itself.
function played_minds.thinker(talk)
  if talk.outside[#talk.outside]:find "there are no tools any more" then return { text = "I was still thinking." } end
  return call { "think", { thought = "a thought of turn " .. talk.turn } }
end

--- Makes each slip once, and works well when it was told.
function played_minds.slipping(talk)
  if talk.turn == 1 then return call { "look_around", {} } end
  if talk.turn == 2 then return call { "wait", bad = '{"ms": 10' } end
  if talk.turn == 3 then return call({ "wait", { ms = "soon" } }, { "think", { thought = "a number" } }) end
  if not table.concat(talk.outside):find "Your answer was empty" then return {} end
  local rest = {}
  for _, result in ipairs(talk.results) do
    if result.ok or result.data.error:find("^not yet") then rest[#rest + 1] = result end
  end
  return played_minds.good { who = talk.who, system = talk.system, results = rest }
end

--- Cites figures that nobody measured, and does not take no for an answer.
function played_minds.liar(talk)
  local reply = played_minds.good(talk)
  for _, given in ipairs(reply.calls) do
    local args = given[2]
    if args.evidence then args.evidence = { { observation = "o2", path = "processes[1].message_queue", value = 7 } } end
  end
  return reply
end

return played_minds
