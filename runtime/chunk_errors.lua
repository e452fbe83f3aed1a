--- What went wrong with a chunk, in words for the model that wrote it: which line, what is wrong,
--- what to do. LuaJIT's own messages assume a reader who knows Lua well; the slips that models
--- make most often get a hint after them.

local explain = {}

explain.nothing_returned = "the chunk returned nothing: put `return` before the value that you want to see, "
  .. "for example `return beam_get_memory()`"

local RESERVED = {}
for word in ([[and break do else elseif end false for function if in local nil not or repeat return
  then true until while]]):gmatch "%a+" do RESERVED[word] = true end

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

-- `{ function = 1 }` or `x.end`: a reserved word where only a name may stand.
local function reserved_as_name(text)
  for word in text:gmatch "%.%s*(%a+)" do
    if RESERVED[word] then
      return ('`%s` is a reserved word: write `x["%s"]` instead of `x.%s`'):format(word, word, word)
    end
  end
  for word in text:gmatch "[{,]%s*(%a+)%s*=%f[^=]" do
    if RESERVED[word] then return ('`%s` is a reserved word: write `["%s"] = …` as a key'):format(word, word) end
  end
end

local OTHER_LANGUAGES = {
  { "!=", "Lua writes `~=` for not equal" },
  { "[%w_%]%)]%s*[+*/-]=", "Lua has no `+=`: write `x = x + 1`" },
  { "%+%+", "Lua has no `++`: write `x = x + 1`" },
  { "&&", "Lua writes `and`" },
  { "||", "Lua writes `or`" },
  { "%f[%a]else%s+if%f[%A]", "Lua writes `elseif`; `else if` needs an `end` more" },
  { "%f[%a]continue%f[%A]", "Lua has no `continue`: use `goto` or turn the condition round" },
  { "=>", "Lua's functions are `function(x) return … end`" },
}

local function syntax_hint(message, line, code)
  if not message:find " near " and not message:find "malformed" then return nil end
  local text = source_line(code, line or 1)
  local hint = reserved_as_name(text)
  if hint then return hint end
  for _, slip in ipairs(OTHER_LANGUAGES) do
    if text:find(slip[1]) then return slip[2] end
  end
end

local MISSING = "there is no `%s` in a chunk: it has string, table, math, bit, coroutine, os.time, os.clock, print "
  .. "and the callbacks"
local NOT_HERE = {}
for word in ([[io package require module dofile loadfile load loadstring debug jit ffi collectgarbage getfenv
  setfenv newproxy _G json cjson]]):gmatch "%S+" do NOT_HERE[word] = true end

local function runtime_hint(message, names)
  local called = message:match "attempt to call global '([^']+)' %(a nil value%)"
  if called and NOT_HERE[called] then return MISSING:format(called) end
  if called then return no_callback(called, names) end
  local indexed = message:match "attempt to index global '([^']+)' %(a nil value%)"
  if indexed and NOT_HERE[indexed] then return MISSING:format(indexed) end
  if message:find "attempt to index" and message:find "a nil value" then
    return "that value is nil: return the table around it to see which keys it has"
  end
  if message:find "attempt to call field" or message:find "attempt to call method" then
    return "there is no such function in that table"
  end
end

--- An error as the worker reported it.
---@param message string    "chunk:3: what"
---@param code string
---@param names string[]    the callbacks that there are
---@return integer? line
---@return string message   without the position
function explain.error(message, code, names)
  local at, what = message:match "^chunk:(%d+): (.*)$"
  local line = tonumber(at)
  what = (what or message):gsub("chunk:(%d+):", "line %1:")
  local hint = syntax_hint(what, line, code) or runtime_hint(what, names)
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
    return ("stopped at %d MiB of memory: keep less at a time, return only what you need")
      :format(limits.memory / 2 ^ 20)
  elseif kind == "callbacks" then
    return ("more than %d callbacks in one chunk: ask for lists instead of single items, or use another execute")
      :format(limits.callbacks)
  elseif kind == "crash" then
    return ("the process that ran the chunk died%s: the usual cause is recursion without an end")
      :format(run.signal and (" (signal %d)"):format(run.signal) or "")
  elseif kind == "protocol" then
    return "the process that ran the chunk broke the protocol and was killed; nothing of what it said was used"
  end
  return ("execute is not available: the worker process could not be started (%s); go on with snapshots")
    :format(tostring(run.why))
end

return explain
