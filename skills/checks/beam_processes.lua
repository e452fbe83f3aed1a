--- What an expert looks for where processes gather: they come at two looks and few end. Who they are is told by what
--- they wait in, and of servers, which all wait in the same loop, by what they were started as.

local words = ...
local module_of, cite, step, always = words.module_of, words.cite, words.step, words.always

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local GROUPS = { "beam_process_growth", FIRST }

-- Where callers wait for an answer: processes that gather there are the symptom of another's
-- trouble. And the servers of opened files: what gathers there is files.
local NOT_THEMSELVES = { gen = true, gen_server = true, gen_statem = true, global = true, rpc = true, erpc = true,
  file_io_server = true }

local BORN_PER_SECOND = 10 -- the table of 262,144 is full within seven hours; fewer are told from traffic by days only
local OURS = 8 -- our own questions come and go as well

-- What kind most of the newborn are, whoever started them; and how many are of a kind that is shown.
local function commonest(g)
  local kinds, best, all = {}, nil, 0
  for i, group in ipairs(g.groups) do
    local name, server = words.kind(group)
    local kind = kinds[name] or { name = name, server = server, count = 0, group = group, place = i }
    kinds[name], kind.count, all = kind, kind.count + group.count, all + group.count
    if not best or kind.count > best.count then best = kind end
  end
  return best, all
end

-- That kind, when they come faster than they go.
local function gathering(g)
  if g.after - g.before < BORN_PER_SECOND * g.seconds or g.died > 0.2 * g.born + OURS then return nil end
  return commonest(g)
end

-- Who started most of them. Of another node's process nothing can be asked here.
local function spawner_of(kind)
  local group = kind.group
  return group.parent and group.parent:find "^<0%." and 2 * group.of_parent >= kind.count and group.parent or nil
end

local GATHERING = {
  GROUPS,
  function(results) return gathering(results[1]) and { "beam_process_growth", CLOSE } end,
  function(results)
    local kind = gathering(results[2])
    local parent = kind and spawner_of(kind)
    return kind and (parent and { "beam_process_info", parent } or { "beam_get_processes" })
  end,
}

-- A supervisor is linked to all that it starts, and ends none of them by itself. RabbitMQ has one of its own.
local function supervises(parent) return (parent.initial_call or ""):find "^supervisor2?:" ~= nil end

--- Why processes gather: nobody ends them, their parent keeps them, or something unknown.
local function gathering_word(results)
  local now, all = gathering(results[2])
  local was = now and commonest(results[1])
  if not was or was.name ~= now.name then return nil end
  if NOT_THEMSELVES[module_of(now.group.current_function)] and not now.server or now.count < 0.5 * all then
    return "other", now
  end
  -- Links to all its children mean that their parent meant to look after them.
  local kept = (results[3].link_count or 0) >= results[2].born and not supervises(results[3])
  return kept and "link_leak" or "process_leak", now
end

-- The table of processes has 262,144 places where nobody asks for more (1,048,576 from OTP 27 on): full within an hour
-- and a half.
local FULL_SOON = 50 -- a second

local function gathering_check(id, word, expert, tell)
  return {
    id = id, mechanism = word, suspect = always, expert = expert, look = GATHERING,
    yields_to = word == "other" and { ["*"] = "any" } or nil,
    confirm = function(results)
      local found, now = gathering_word(results)
      if found ~= word then return end
      local rate = (results[2].after - results[2].before) / results[2].seconds
      local finding, at = tell(results, now, rate), ("groups[%d]."):format(now.place)
      finding.object = finding.object or now.name
      finding.figures = cite(results, { { 2, "before" }, { 2, "after" }, { 2, "seconds" }, { 2, "born" },
        { 2, "died" }, { 2, at .. "current_function" }, { 2, now.server and at .. "initial_call" or at .. "parent" },
        { 2, at .. "count" }, { 1, "before" }, { 1, "after" }, { 3, "link_count" } })
      finding.severity = finding.severity or rate >= FULL_SOON and "critical" or "warning"
      finding.since = word == "link_leak" and words.since(results[3].link_count, rate) or nil
      finding.confidence = finding.confidence or rate >= FULL_SOON and not now.server and "high" or "medium"
      return finding
    end,
  }
end

local function stands_still(results)
  return ("a large number stands still; this one went from %d to %d, then on to %d"):format(results[1].before,
    results[1].after, results[2].after)
end

local function they_stay(results)
  return ("short-lived processes end; of the newborn %d stayed and %d others ended"):format(results[2].born,
    results[2].died)
end

local process_leak = gathering_check("process_leak", "process_leak",
  "The process count rises at two looks, few end, and the new ones are of one kind: nobody ends them.",
  function(results, now, rate)
    local spawner = spawner_of(now) and (now.group.parent_name or now.group.parent)
    return {
      hypothesis = ("%d processes more every second (%d now), most of the new ones %s %s%s, and next to none ends: %s.")
        :format(rate, results[2].after, now.server and "servers started as" or "waiting in", now.name,
        spawner and ", spawned by " .. spawner or "", now.server
        and "each waits for a next message, and nobody stops it" or "they wait for something that never comes"),
      unlike = { many_processes_by_design = stands_still(results), spawn_storm = they_stay(results),
        link_leak = supervises(results[3]) and "it is a supervisor that is linked to them, as to all its children"
          or ("their parent has %d links, far from one to each of them"):format(results[3].link_count or 0),
        rush_hour = now.server and "many that come at once look the same, until they go: look again in some minutes"
          or nil },
      next_steps = {
        step(("find who spawns %s and what the process waits for; give that wait a timeout or a monitor"):format(
          now.name)),
        step "count them again: beam_process_groups(10, \"current_function\")",
        step("end the orphans in groups, once it is known that nobody needs them", "DANGEROUS"),
      },
    }
  end)

local link_leak = gathering_check("link_leak", "link_leak",
  "The process count rises at two looks, and one process is linked to all the new ones: it never lets its children go.",
  function(results, now, rate)
    local spawner = now.group.parent_name or now.group.parent
    return {
      object = spawner,
      hypothesis = ("%s starts %d processes a second, stays linked to all of them (%d links) and none ends: %s %s.")
        :format(spawner, rate, results[3].link_count, now.server and "they are" or "they wait in", now.name),
      unlike = { many_processes_by_design = stands_still(results), spawn_storm = they_stay(results),
        process_leak = ("there nobody holds them; here %s has %d links"):format(spawner, results[3].link_count) },
      next_steps = {
        step(("see when %s should end its children, and why it does not"):format(spawner)),
        step("start them under a supervisor, with an end to each", "CAUTION"),
        step(("ending %s ends all its children with it"):format(spawner), "DANGEROUS"),
      },
    }
  end)

local unexplained_processes = gathering_check("unexplained_processes", "other",
  "A process count that rises with no cause in sight: say so, and accuse nobody.",
  function(results, now, rate)
    return {
      severity = "warning", confidence = "low",
      hypothesis = ("%d processes more every second (%d now), most of them in %s: they wait for another's answer, or "
        .. "are servants of something that is opened and not closed."):format(rate, results[2].after, now.name),
      unlike = { many_processes_by_design = stands_still(results) },
      next_steps = { step "ask one of them what it waits for: beam_process_info, its stack and its links" },
    }
  end)

return { process_leak, link_leak, unexplained_processes }
