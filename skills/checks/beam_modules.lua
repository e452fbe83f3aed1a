--- What an expert looks for where modules are looked up: one that is nowhere is searched for in the whole code path,
--- each time that it is called. The code server does it for everybody, one search after the other.

local words = ...
local cite, row_of, step, always = words.cite, words.row_of, words.step, words.always

local FIRST, CLOSE = 1500, 1000 -- milliseconds; the first as the checks of the CPU want it, who look there anyway

-- Reductions a second of the code server. A node that has what it needs asks it nothing: 0. One search in a path of
-- a few folders is some 300 of them: MANY is a hundred searches a second, SOME a few, which is all that a slow disk
-- has; there it tells that the code server waits for the disk most of the time.
local SOME, MANY = 1000, 30000
local MOSTLY = 50 -- per cent of the samples

local REDUCERS, OVERVIEW = { "beam_top_reducers_window", 20, FIRST }, { "beam_overview", FIRST }

local function searching(result)
  local row, i = row_of(result.processes, "name", "code_server")
  if row and row.rate_per_sec >= SOME then return row, i end
end

local function at_the_disk(server)
  local sum = 0
  for _, row in ipairs(server.functions) do
    if row.current_function:find "^erl_prim_loader:" or row.current_function:find "^prim_file:" then
      sum = sum + row.share_pct
    end
  end
  return sum
end

-- One of those who wait for it, if any was seen.
local function waiting(result)
  for _, row in ipairs(result.processes) do
    if (row.current_function or ""):find "^code_server:call/" then return row end
  end
end

-- What stands above who called what is not there.
local MACHINERY = { code_server = true, code = true, error_handler = true, erlang = true }

-- By the handler of the VM for what is undefined, or by somebody who asks whether it is there.
local function by_a_call(stack)
  for _, func in ipairs(stack or {}) do
    if func:find "^error_handler:" then return true end
  end
  return false
end

return {
  {
    id = "undefined_module_storm", mechanism = "undefined_module_storm", suspect = always,
    expert = "The code server works without end and no module is loaded: one that is nowhere is called all the time.",
    look = {
      REDUCERS,
      -- At once, for who was seen waiting may be gone soon.
      function(results)
        if not searching(results[1]) then return nil end
        local row = waiting(results[1])
        return { "beam_process_info", row and row.pid or "code_server" }
      end,
      function() return OVERVIEW end,
      function(results)
        local o = results[3]
        if o.modules > o.modules_before then return nil end -- a start or a deploy: what it searches, it finds
        return { "beam_watch_process", "code_server", CLOSE }
      end,
    },
    confirm = function(results)
      local first, caller, o, server = unpack(results)
      local row, i = searching(first)
      if o.modules > o.modules_before or server.reductions_per_sec < SOME then return end
      if server.reductions_per_sec < MANY and at_the_disk(server) < MOSTLY then return end
      local func, at = words.own_function(caller.stack, MACHINERY)
      local known = func and caller.name ~= "code_server"
      local top = ("processes[%d]."):format(i)
      return {
        object = "code_server",
        figures = cite(results, { { 1, top .. "rate_per_sec" }, { 4, "reductions_per_sec" }, { 4, "queue_max" },
          { 4, "functions[1].current_function" }, { 4, "functions[1].share_pct" }, { 3, "modules" },
          { 3, "modules_before" }, { 3, "seconds" },
          known and { 2, ("stack[%d]"):format(at) } or { 2, "current_function" }, { 2, "pid" } }),
        severity = "warning", confidence = known and by_a_call(caller.stack) and "high" or "medium",
        hypothesis = ("The code server searches without end (%.1f thousand reductions a second, %d requests wait) "
          .. "and in %.1f s no module was loaded: a module that is nowhere is %s, and each time the whole code path "
          .. "is read%s."):format(row.rate_per_sec / 1000, server.queue_max, o.seconds,
          known and by_a_call(caller.stack) and "called again and again" or "asked for again and again",
          known and (", by " .. func) or ""),
        unlike = {
          hot_process = "the code server works for those who ask it; nothing of its own keeps it busy",
          dirty_io_exhausted = ("reading is the work here, and it is done: the dirty IO schedulers were busy for %s %%")
            :format(tostring(o.dirty_io_pct or 0)),
          deploy = ("what is loaded stays loaded: there were %d modules before and %d after"):format(o.modules_before,
            o.modules),
        },
        next_steps = {
          step(known and ("read what %s calls: which module of it is not on the node?"):format(func)
            or "find who calls what is not there: processes in code_server:call"),
          step("deliver the module, or take the call out", "CAUTION"),
          step("start releases in embedded mode: there nobody searches the disk for what is missing", "CAUTION"),
        },
      }
    end,
  },
}
