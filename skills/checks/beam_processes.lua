--- What an expert looks for where processes gather: they come at two looks and few end. Who they are is told by what
--- they wait in, and of servers, which all wait in the same loop, by what they were started as.

local words = ...
local module_of, cite, row_of, step, always = words.module_of, words.cite, words.row_of, words.step, words.always

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local GROUPS = { "beam_process_growth", FIRST }

-- Where callers wait for an answer: processes that gather there are the symptom of another's
-- trouble. And the servers of opened files: what gathers there is files.
local NOT_THEMSELVES = { gen = true, gen_server = true, gen_statem = true, global = true, rpc = true, erpc = true,
  file_io_server = true }

local BORN_PER_SECOND = 10
local OURS = 8 -- our own questions come and go as well

-- The group that most of the newborn belong to, when they come faster than they go.
local function gathering(g)
  local group = g.groups[1]
  if not group or g.after - g.before < BORN_PER_SECOND * g.seconds or g.died > 0.2 * g.born + OURS then return nil end
  return group
end

local GATHERING = {
  GROUPS,
  function(results) return gathering(results[1]) and { "beam_process_growth", CLOSE } end,
  function(results)
    local group = gathering(results[2])
    local here = group and group.parent and group.parent:find "^<0%." -- of another node's nothing can be asked
    return group and (here and { "beam_process_info", group.parent } or { "beam_get_processes" })
  end,
}

--- Why processes gather: nobody ends them, their parent keeps them, or something unknown.
local function gathering_word(results)
  local now = gathering(results[2])
  local was = now and row_of(results[1].groups, "current_function", now.current_function)
  if not was then return nil end
  local sampled = 0
  for _, group in ipairs(results[2].groups) do sampled = sampled + group.count end
  if NOT_THEMSELVES[module_of(now.current_function)] or now.count < 0.5 * sampled then return "other", now end
  -- Links to all its children mean that their parent meant to look after them.
  return (results[3].link_count or 0) >= results[2].born and "link_leak" or "process_leak", now
end

local function gathering_check(id, word, expert, tell)
  return {
    id = id, mechanism = word, suspect = always, expert = expert, look = GATHERING,
    yields_to = word == "other" and { ["*"] = "any" } or nil,
    confirm = function(results)
      local found, now = gathering_word(results)
      if found ~= word then return end
      local rate = (results[2].after - results[2].before) / results[2].seconds
      local finding = tell(results, now, rate)
      finding.object = finding.object or now.current_function
      finding.figures = cite(results, { { 2, "before" }, { 2, "after" }, { 2, "seconds" }, { 2, "born" },
        { 2, "died" }, { 2, "groups[1].current_function" }, { 2, "groups[1].count" }, { 1, "before" }, { 1, "after" },
        { 3, "link_count" } })
      finding.severity = finding.severity or "critical"
      finding.since = word == "link_leak" and words.since(results[3].link_count, rate) or nil
      finding.confidence = finding.confidence or rate >= 50 and "high" or "medium"
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
  "The process count rises at two looks, few end, and the new ones stand in one function: nobody ends them.",
  function(results, now, rate)
    local spawner = now.parent_name or now.parent
    return {
      hypothesis = ("%d processes more every second (%d now), nearly all of them waiting in %s%s, and none ends: "
        .. "they wait for something that never comes."):format(rate, results[2].after, now.current_function,
        spawner and ", spawned by " .. spawner or ""),
      unlike = { many_processes_by_design = stands_still(results), spawn_storm = they_stay(results),
        link_leak = ("their parent has %d links, far from one to each of them"):format(results[3].link_count or 0) },
      next_steps = {
        step(("find who spawns %s and what the process waits for; give that wait a timeout or a monitor"):format(
          now.current_function)),
        step "count them again: beam_process_groups(10, \"current_function\")",
        step("end the orphans in groups, once it is known that nobody needs them", "DANGEROUS"),
      },
    }
  end)

local link_leak = gathering_check("link_leak", "link_leak",
  "The process count rises at two looks, and one process is linked to all the new ones: it never lets its children go.",
  function(results, now, rate)
    local spawner = now.parent_name or now.parent
    return {
      object = spawner,
      hypothesis = ("%s starts %d processes a second, stays linked to all of them (%d links) and none ends: they wait "
        .. "in %s."):format(spawner, rate, results[3].link_count, now.current_function),
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
        .. "are servants of something that is opened and not closed."):format(rate, results[2].after,
        now.current_function),
      unlike = { many_processes_by_design = stands_still(results) },
      next_steps = { step "ask one of them what it waits for: beam_process_info, its stack and its links" },
    }
  end)

return { process_leak, link_leak, unexplained_processes }
