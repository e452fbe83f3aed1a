--- What a skill file must look like: how it is run, which fields it needs, and where in it a
--- fault stands. Whoever wrote the file reads the message, so it names file and line.

local confined = require "runtime.confined"
local failure = require "runtime.failure"
local log_templates = require "runtime.log_templates"
local stand_in = require "runtime.stand_in"

---@alias Class
---| "SAFE"       # reads, bounded
---| "CAUTION"    # has side effects that end
---| "DANGEROUS"  # changes or kills

---@class Arg
---@field name string            `sort_by` is the variable SortBy in the query
---@field type "integer"|"number"|"string"|"choice"|"any"   any: whatever JSON can say
---@field default? any           an argument without one is required
---@field min? number
---@field max? number
---@field of? string[]           the words a choice may be
---@field waits? boolean         the query itself waits this many milliseconds, so its deadline is that much later

---@class Callback
---@field brief? string          a few words for the prompt, "" where the name says it; else the first sentence of doc
---@field doc string             one or two sentences, read by the model that asks for them
---@field args? Arg[]            in the order the model passes them
---@field class Class
---@field returns string[]       fields, the unit in the name or behind it
---@field cost? string           what it costs the node, for people: what is read of how many, and what it disturbs
---@field query? string          the declared query that answers it
---@field run? fun(node: SkillNode, args: table): any, any?   for what one query cannot say
---@field timeout? number        seconds, where the usual 30 are too short
---@field every? number          seconds: run at most once in that time on one node
---@field home? Skill            set here: the skill whose queries it asks, when that is another

---@class Figure                 a value that anybody can read again
---@field look integer           which answer, counted as in Check.look
---@field path string            where in it, as in "tables[1].size_delta"
---@field value any

---@class Finding
---@field object string          the process, table, port or limit
---@field figures Figure[]
---@field severity "info"|"warning"|"critical"
---@field confidence? "low"|"medium"|"high"
---@field hypothesis string
---@field unlike table<string, string>   look-alike -> what told it apart
---@field next_steps { text: string, risk: Class }[]
---@field since? string           since when, where the figures tell it

---@class Check                  what an expert looks for, and how to be sure of it
---@field id string
---@field mechanism string       one word, the same for every skill that may find it
---@field suspect fun(snapshot: table, history: History): boolean   cheap, may be wrong
---@field urgent? fun(snapshot: table): boolean   its first look goes before those of all others
---@field holds? fun(results: any[], snapshot: table): boolean   of an urgent one: what it saw leaves nobody any time;
---  so the others wait, and when it is confirmed they are not looked for
---@field look (any[]|fun(results: any[]): any[]?)[]   callback and arguments, run one after another, `after` so many
---  seconds where it has that field; a function that says nil has seen enough: no longer suspect
---@field confirm fun(results: any[]): Finding?
---@field expert? string         one line for the model, where a snapshot makes the check suspect

---@alias History fun(metric: string, minutes: number): { age: number, value: any }[]
---  A metric is a field of the snapshot or a query named in `keep`. Oldest first, age in seconds.

---@class SkillNode              what a skill is handed
---@field ask fun(query: string, bindings?: table, seconds?: number): any, any?   by name, never by text; the node
---  may take that long
---@field sleep fun(seconds: number)
---@field history? History
---@field events? SkillEvents
---@field tcp? SkillTcp
---@field http? SkillHttp
---@field secret? fun(name: string): string   what stands for a secret in what it sends by tcp or http, once

---@class SkillEvents            what the relays that a skill names bring from the node
---@field of fun(relay: string, minutes: number, least?: number): Heard   starts the relay when it is not on, and waits
---  until it listened `least` seconds
---@field start fun(relay: string, variables?: table): true|nil, string|Heard|nil   what is off, or nil and why not
---@field stop fun(relay: string)

---@class Heard
---@field unavailable? string    why nobody listens, and what would help; then nothing else
---@field listened_seconds number   of the minutes asked for
---@field events table[]         oldest first, each with age (seconds) and datetime (ISO 8601, UTC)
---@field total integer          events in that time, those included that are not kept any more
---@field dropped integer        of these, what never came here: a storm
---@field ended? string          why the relay is off, where it is

---@class Skill
---@field name string
---@field title string
---@field about string           one line, read by the coordinator when it picks operators
---@field prompt string          who the operator is and what it watches for
---@field uses? string[]         out of history, events, monitor, http, tcp
---@field relays? string[]       the relays that `events` may start: files of `skills/relays/`
---@field from_node? true        set here: a module of the node says it, not a file
---@field needs? string          what the node must have for it, one line for people
---@field available? fun(node: SkillNode): true|string   whether this node has it, or why not and what would help
---@field queries table<string, string>   Erlang, and all of it that is ever sent
---@field urgent? string[]       queries that run at high priority, before the node's own work: each is bounded in what
---  it reads and ends by itself within 50 ms, by its own clock
---@field keep? string[]         queries without variables whose answers `history` remembers
---@field snapshot string|fun(node: SkillNode): table?, any?   a query, for a small map of health figures
---@field callbacks table<string, Callback>
---@field also? string[]         other names it is opened by
---@field aliases? table<string, any[]>   older names of callbacks: { the callback, and its first arguments }; they
---  work, and stand in no prompt
---@field lines? LogLists         where its answers hold lines of a log; for a provider they become templates
---@field checks? Check[]
---@field texts? table<string, string>   Erlang for the parts in `skills/NAME/`, beside what `skills/texts/` has for all
---@field source? string         set here: the texts it was loaded from
---@field shares? string         set here: what it stands on beside them, the shared texts and `base`
---@field opened? string         set here: the name or path that it was opened by

local form = {}

local FUNCTIONS = { "assert", "error", "ipairs", "next", "pairs", "select", "tonumber", "tostring", "type", "unpack" }
local LIBRARIES = { "math", "string", "table" }

-- All that a file of ours may use; another's has less, see runtime/confined.lua. The libraries are copies,
-- so no skill can change ours.
local function environment()
  local env = {}
  for _, name in ipairs(FUNCTIONS) do env[name] = _G[name] end
  for _, library in ipairs(LIBRARIES) do
    env[library] = {}
    for name, f in pairs(_G[library]) do env[library][name] = f end
  end
  return env
end

local function broken(message)
  return failure.new("skill", message, "correct that line, or move the file away", 2)
end

-- What we ship was read by people and runs as it is.
local function evaluate_ours(text, file, given)
  local chunk, err = load(text, "@" .. file, "t")
  if not chunk then return nil, confined.fault(file, err) end
  local ok, value = pcall(setfenv(chunk, environment()), given)
  if not ok then return nil, confined.fault(file, value) end
  return value
end

--- What a file returns when it runs with the listed names and no others. Of a file that is not ours it is
--- a copy, and each function in it a stand-in: see runtime/stand_in.lua.
---@param text string
---@param file string    for messages
---@param given? any     the argument it is run with
---@param shipped? boolean  it is a file of ours
---@return table?
---@return Failure? err  with file and line
function form.evaluate(text, file, given, shipped)
  local value, err
  if shipped then value, err = evaluate_ours(text, file, given) else value, err = stand_in.load(text, file, given) end
  if err then return nil, err end
  if type(value) ~= "table" then return nil, broken(("%s:%d: must return a table"):format(file,
    select(2, text:gsub("\n", "")) + 1)) end
  return value
end

local TEXTS = { "name", "title", "about", "prompt" }
local TABLES = { "queries", "callbacks" }
local USES = { history = true, events = true, monitor = true, http = true, tcp = true }
local CLASSES = { SAFE = true, CAUTION = true, DANGEROUS = true }

--- An Erlang variable for a name of ours: sort_by is SortBy.
---@return string
function form.variable(name)
  return (("_" .. name):gsub("_(%w)", string.upper))
end

--- What is wrong where a list may stand.
---@param of string?   the type that all in it have
---@return string? why
function form.list_fault(t, key, of)
  local list = t[key]
  if list == nil then return end
  if type(list) ~= "table" then return key .. " must be a list" end
  for _, item in ipairs(list) do
    if of and type(item) ~= of then return ("%s must be a list of %ss"):format(key, of) end
  end
end

local KINDS = { integer = true, number = true, string = true, choice = true, any = true }

local function argument_fault(arg)
  if type(arg) ~= "table" or type(arg.name) ~= "string" then return "an argument wants a name" end
  if not KINDS[arg.type] then return arg.name .. ": type must be integer, number, string, choice or any" end
  if arg.type == "choice" and (type(arg.of) ~= "table" or form.list_fault(arg, "of", "string")) then
    return arg.name .. ": a choice wants `of`, a list of strings"
  end
  for _, key in ipairs { "min", "max" } do
    if arg[key] ~= nil and type(arg[key]) ~= "number" then return ("%s: %s must be a number"):format(arg.name, key) end
  end
end

--- The same for one callback.
---@return string? why
function form.callback_fault(s, c)
  if type(c) ~= "table" then return "must be a table" end
  if type(c.doc) ~= "string" then return "doc must be a string" end
  if c.brief ~= nil and type(c.brief) ~= "string" then return "brief must be a string" end
  if not c.returns or form.list_fault(c, "returns", "string") then return "returns must list the fields" end
  if not CLASSES[c.class] then return "class must be SAFE, CAUTION or DANGEROUS" end
  for _, key in ipairs { "timeout", "every" } do
    if c[key] ~= nil and type(c[key]) ~= "number" then return key .. " must be a number of seconds" end
  end
  if c.cost ~= nil and type(c.cost) ~= "string" then return "cost must be a string" end
  if (c.query == nil) == (c.run == nil) then return "wants either query or run" end
  local unlisted = form.list_fault(c, "args", "table")
  if unlisted then return unlisted end
  for _, arg in ipairs(c.args or {}) do
    local why = argument_fault(arg)
    if why then return why end
  end
  if c.run then return type(c.run) ~= "function" and "run must be a function" or nil end
  local text = s.queries[c.query]
  if not text then return "no query " .. tostring(c.query) end
  for _, arg in ipairs(c.args or {}) do
    local word = form.variable(arg.name)
    if not text:find(word, 1, true) then return "the query never reads " .. word end
  end
end

local function check_fault(s, check)
  if type(check) ~= "table" or type(check.id) ~= "string" then return "a check wants an id", "return" end
  local function bad(why) return ("check %s: %s"):format(check.id, why), check.id end
  if type(check.mechanism) ~= "string" then return bad "mechanism must be a string" end
  for _, key in ipairs { "suspect", "confirm" } do
    if type(check[key]) ~= "function" then return bad(key .. " must be a function") end
  end
  if type(check.look) ~= "table" then return bad "look must list callbacks" end
  for _, call in ipairs(check.look) do
    if type(call) ~= "function" and type(call) ~= "table" then
      return bad "each look must be a function or { callback, arguments }"
    end
    if type(call) == "table" and not (call[1] and s.callbacks[call[1]]) then
      return bad("looks with an unknown callback " .. tostring(call[1]))
    end
  end
end

--- The same for checks that stand, or shall stand, in skill `s`.
---@return string? why
---@return string? word
function form.checks_fault(s, checks)
  for _, check in ipairs(checks) do
    local why, word = check_fault(s, check)
    if why then return why, word end
  end
end

--- The same for the other names of a skill's callbacks, once it has all its parts.
---@return string? why
---@return string? word
function form.alias_fault(s)
  for alias, call in pairs(s.aliases or {}) do
    if type(alias) ~= "string" then return ("aliases: %s is no name"):format(tostring(alias)), "aliases" end
    if s.callbacks[alias] then return alias .. " is a callback already", alias end
    if type(call) ~= "table" or not s.callbacks[call[1] or ""] then
      return ("alias %s wants { callback, its first arguments }"):format(alias), alias
    end
  end
end

---@return string? why
function form.urgent_fault(s)
  for _, name in ipairs(s.urgent or {}) do
    local text = s.queries[name]
    if not text then return "urgent names no query: " .. name end
    if text:find "receive" or text:find "sleep" then return ("urgent query %s may not wait"):format(name) end
  end
end

--- What is wrong with a skill, and the word in its file nearest to that.
---@return string? why
---@return string? word
function form.fault(s)
  for _, key in ipairs(TEXTS) do
    if type(s[key]) ~= "string" then return key .. " must be a string", key end
  end
  for _, key in ipairs(TABLES) do
    if type(s[key]) ~= "table" then return key .. " must be a table", key end
  end
  if not s.name:match "^%l[%w_]*$" then return "name must be of letters, digits and _, a small letter first", "name" end
  for key, of in pairs { uses = "string", keep = "string", urgent = "string", relays = "string", also = "string",
    checks = "table" } do
    local why = form.list_fault(s, key, of)
    if why then return why, key end
  end
  for _, key in ipairs(TABLES) do
    for name in pairs(s[key]) do
      if type(name) ~= "string" then return ("%s: %s is no name"):format(key, tostring(name)), key end
    end
  end
  for _, use in ipairs(s.uses or {}) do
    if not USES[use] then return "uses knows no " .. use, "uses" end
  end
  for name, text in pairs(s.queries) do
    if type(text) ~= "string" then return ("query %s must be a string"):format(name), name end
  end
  if s.needs ~= nil and type(s.needs) ~= "string" then return "needs must be a string", "needs" end
  if s.available ~= nil and type(s.available) ~= "function" then return "available must be a function", "available" end
  for _, name in ipairs(s.keep or {}) do
    if not s.queries[name] then return "keep names no query: " .. name, "keep" end
  end
  if s.aliases ~= nil and type(s.aliases) ~= "table" then return "aliases must be a table", "aliases" end
  local misread = log_templates.fault(s.lines)
  if misread then return misread, "lines" end
  local hasty = form.urgent_fault(s)
  if hasty then return hasty, "urgent" end
  if type(s.snapshot) ~= "function" and not s.queries[s.snapshot] then
    return "snapshot must be a function or name a query", "snapshot"
  end
  for name, c in pairs(s.callbacks) do
    local why = form.callback_fault(s, c)
    if why then return name .. ": " .. why, name end
  end
  return form.checks_fault(s, s.checks or {})
end

--- The line where a file writes this word, so that an editor can go there. What
--- the file should say and does not has no line: then where it begins to say anything.
local function line_of(text, word)
  local at = text:find("%f[%w_]" .. word:gsub("%p", "%%%0") .. "%f[^%w_]%s*=")
    or text:find('"' .. word .. '"', 1, true) or text:find "%f[%w_]return%f[^%w_]" or 1
  return select(2, text:sub(1, at):gsub("\n", "")) + 1
end

--- What is wrong as a Failure, with file and line.
---@return Failure
function form.broken(why, word, text, file)
  return broken(("%s:%d: %s"):format(file, line_of(text, word), why))
end

return form
