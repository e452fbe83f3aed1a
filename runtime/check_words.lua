--- What checks are written with: a file in skills/checks is handed these as its argument, since
--- it can require nothing. They read results of looks; a result may lack anything.

local words = {}

-- "processes[2].queue_growth" of a table.
local function read(value, path)
  for key in path:gmatch "[%w_]+" do
    if type(value) ~= "table" then return nil end
    value = value[tonumber(key) or key]
  end
  return value
end

--- Figures for a finding, read here so that what is cited is what was measured.
---@param results any[]
---@param cited any[][]   { look, path }, …; what is not there is left out
---@return Figure[]
function words.cite(results, cited)
  local figures = {}
  for _, c in ipairs(cited) do
    local value = read(results[c[1]], c[2])
    if value ~= nil then figures[#figures + 1] = { look = c[1], path = c[2], value = value } end
  end
  return figures
end

--- The first row whose key has this value, and its place.
---@return table? row
---@return integer? place
function words.row_of(rows, key, value)
  for i, row in ipairs(rows or {}) do
    if row[key] == value then return row, i end
  end
end

--- How much of the time a watched process was in one of these states, in percent.
---@param watched table    what beam_watch_process answers
---@param ... string       states: "running", "runnable", …
---@return number
function words.share(watched, ...)
  local sum = 0
  for _, state in ipairs { ... } do
    local row = words.row_of(watched.statuses, "status", state)
    sum = sum + (row and row.share_pct or 0)
  end
  return sum
end

--- What a person would call a process: its name, else what it does, else its pid.
---@return string
function words.object(row) return row.name or row.current_function or row.pid end

-- Where servers stand between two messages, whatever they serve; those of Elixir stand there too.
local BETWEEN = { "^gen_server:loop/", "^gen_statem:loop_receive/", "^gen_event:fetch_msg/", "^erlang:hibernate/" }

--- What many equal processes are called: the function that they are in. Servers between two messages are all in the
--- same, so they are called by what they were started as.
---@param row { current_function?: string, initial_call?: string, name?: string }
---@return string? kind
---@return boolean server   whether it is one between two messages
function words.kind(row)
  for _, loop in ipairs(BETWEEN) do
    if (row.current_function or ""):find(loop) then
      return row.initial_call or row.name or row.current_function, true
    end
  end
  return row.current_function, false
end

--- Whether a process waits as interpreted code does: what we have on the node (relays, questions), or somebody's shell.
--- What it takes is no fault of the node's.
---@return boolean
function words.interpreted(row) return (row.current_function or ""):find "^prim_eval:" ~= nil end

--- The module of a function as text: "timer:sleep/1" is timer.
---@return string   empty when there is none
function words.module_of(func) return (func or ""):match "^'?([%w_%.]+)'?:" or "" end

--- The innermost function of a stack that is of none of these modules, and its place: whose code brought it there.
---@param stack? string[]
---@param passed table<string, true>   modules
---@return string? func
---@return integer? place
function words.own_function(stack, passed)
  for i, func in ipairs(stack or {}) do
    if not passed[words.module_of(func)] then return func, i end
  end
end

-- The supervisors of OTP and of Elixir. Elixir's Supervisor is OTP's own.
local SUPERVISORS = { "^supervisor:", "^DynamicSupervisor:" }

--- Whether a function is a supervisor's own: who has it on the stack starts or ends a child.
---@param func string
---@return boolean
function words.supervises(func)
  for _, pattern in ipairs(SUPERVISORS) do
    if func:find(pattern) then return true end
  end
  return false
end

--- A next step; without a word about its risk it is harmless.
---@return { text: string, risk: Class }
function words.step(text, risk) return { text = text, risk = risk or "SAFE" } end

local MINUTE, HOUR, DAY = 60, 3600, 86400

--- Since when, for what there is now and what is gained in a second: "about 3 min before it was seen, at that rate". It
--- holds for what began at nothing. Nothing where that would be a guess: where it hardly grows, or would have begun
--- more than a week ago, longer than rates stay as they are.
---@param amount number
---@param per_second number
---@return string?
function words.since(amount, per_second)
  local seconds = per_second > 0 and amount / per_second or math.huge
  if amount <= 0 or seconds > 7 * DAY then return nil end
  local about = seconds < 90 and ("%d s"):format(math.max(1, seconds)) or seconds < 90 * MINUTE
    and ("%d min"):format(seconds / MINUTE + 0.5) or seconds < 36 * HOUR and ("%d h"):format(seconds / HOUR + 0.5)
    or ("%d days"):format(seconds / DAY + 0.5)
  return ("about %s before it was seen, at that rate"):format(about)
end

--- For checks whose looks are cheap enough to be made at every run.
function words.always() return true end

--- For checks of mailboxes: one that has grown for a second has messages in it. A snapshot that does not count them is
--- no reason to leave it out.
function words.mail_waits(snapshot) return (snapshot.max_message_queue or 1) > 0 end

return words
