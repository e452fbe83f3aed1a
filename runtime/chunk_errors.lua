--- What went wrong with a chunk, in words for the model that wrote it: which line, what is wrong,
--- what to do. LuaJIT's own messages assume a reader who knows Lua well; the slips that models
--- make most often get a hint after them.

local hints = require "runtime.chunk_hints"

local explain = {}

local SIGSYS = 31 -- how the filter of host/jail.c ends a process

explain.nothing_returned = "the chunk returned nothing: put `return` before the value that you want to see, "
  .. "for example `return beam_get_memory()`"

-- The edits that turn one word into the other (Levenshtein), row by row.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local change = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + change)
    end
  end
  return row[#b]
end

local function nearest(word, names)
  local found = {}
  for _, name in ipairs(names) do
    local edits = distance(word, name)
    if edits <= math.max(2, #name / 4) then found[#found + 1] = { name = name, edits = edits } end
  end
  table.sort(found, function(a, b)
    if a.edits ~= b.edits then return a.edits < b.edits end
    return a.name < b.name
  end)
  return found
end

local function no_callback(name, names)
  local found = nearest(name, names)
  if found[1] then
    local near = found[1].name .. (found[2] and " or " .. found[2].name or "")
    return ("no callback %s; did you mean %s?"):format(name, near)
  end
  if #names == 0 then return ("no function %s here"):format(name) end
  local sorted = {}
  for i, known in ipairs(names) do sorted[i] = known end
  table.sort(sorted)
  return ("no callback or function %s; the callbacks are %s"):format(name, table.concat(sorted, ", "))
end

local function source_line(code, wanted)
  local n = 0
  for text in (code .. "\n"):gmatch "(.-)\r?\n" do
    n = n + 1
    if n == wanted then return text end
  end
  return ""
end

-- What stands in quotes is no slip.
local function without_texts(line) return (line:gsub('"[^"]*"', '""'):gsub("'[^']*'", "''")) end

-- What cannot be read says where, or what is missing.
local function is_syntax(message, names)
  for _, name in ipairs(names) do if message:sub(1, #name + 1) == name .. ":" then return false end end
  return message:find " near '" or message:find "^malformed number" or message:find "^undefined label"
end

-- A function that is called behind `return` takes the place of who called it, and an error in it has no line. Where
-- the code has one such call, that is it.
local function tail_call(code)
  local line, name, n = nil, nil, 0
  for text in (code .. "\n"):gmatch "(.-)\r?\n" do
    n = n + 1
    local called = text:match "%f[%w_]return%s+([%a_][%w_.:]*)%s*[%(\"'{]"
      or text:match "%f[%w_]return%s+%b():([%a_][%w_]*)%s*[%(\"'{]"
    if called and line then return nil end
    if called then line, name = n, called end
  end
  return line, name
end

--- An error as the worker reported it.
---@param message string    "chunk:3: what"
---@param code string
---@param names string[]    the callbacks that there are
---@param known? integer    the line where the worker was
---@return integer? line
---@return string message   without the position
function explain.error(message, code, names, known)
  local at, what = message:match "^chunk:(%d+): (.*)$"
  local line = tonumber(at) or known
  what = (what or message):gsub("chunk:(%d+):", "line %1:")
  local called
  if not line and not what:find "^the result cannot" then line, called = tail_call(code) end
  if called then what = what:gsub("^(bad argument #%d+ to )'%?'", "%1'" .. called:gsub("^.*[.:]", "") .. "'") end
  local list, text = hints.RUNTIME, source_line(code, line or 1)
  if is_syntax(what, names) then list, text = hints.SYNTAX, without_texts(text) end
  local hint = hints.find(list, what, { line = text, names = names, near = no_callback })
  return line, hint and what .. "; " .. hint or what
end

--- Why a chunk was ended from outside.
---@param kind string
---@param run { limits: ChunkLimits, over?: boolean, line?: integer, signal?: integer, why?: string }
---@return string
function explain.stop(kind, run)
  local limits = run.limits
  if kind == "timeout" and run.over then
    return ("the chunk and its callbacks took more than %g s: ask for less at once"):format(limits.total_s)
  elseif kind == "timeout" then
    local where = run.line and ("at line %d"):format(run.line) or "inside a library function such as string.find"
    return ("stopped after %g s of running, %s: look for a loop or a pattern that does not end")
      :format(limits.run_s, where)
  elseif kind == "memory" then
    return ("stopped at %.3g MiB of memory: keep less at a time, return only what you need")
      :format(limits.memory / 2 ^ 20)
  elseif kind == "callbacks" then
    return ("more than %d callbacks in one chunk: ask for lists instead of single items, or use another execute")
      :format(limits.callbacks)
  elseif kind == "crash" then
    local why = run.signal == SIGSYS and "it made a system call that the jail does not allow"
      or "the usual cause is recursion without an end"
    return ("the process that ran the chunk died%s: %s")
      :format(run.signal and (" (signal %d)"):format(run.signal) or "", why)
  elseif kind == "protocol" then
    return "the process that ran the chunk broke the protocol and was killed; nothing of what it said was used"
  end
  return ("execute is not available: the worker process could not be started (%s); go on with snapshots")
    :format(tostring(run.why))
end

return explain
