--- What the Erlang texts of a skill do to a node, for skills that are not ours: each is judged by its
--- forms when it is first used, and refused where it does more than its callback declares. A text that
--- we ship is known by its hash, wherever it is copied to: what people found in it stands in
--- sandbox/reviewed.lua, beside what the classifier says.

local classify = require "sandbox.classify"
local changed_text = require "runtime.changed_text"
local crypto = require "host.crypto"
local failure = require "runtime.failure"
local parsed = require "runtime.node.parsed"
local plain = require "runtime.plain"
local policy = require "runtime.policy"
local query = require "runtime.node.query"
local reviewed = require "sandbox.reviewed"

local effects = {}

local RANK = { SAFE = 1, CAUTION = 2, DANGEROUS = 3, never = 4 }

-- What is CAUTION in free text, and undoes itself with the process that asks: a query may do it.
local LEASED = {
  receive = true, ["ets:safe_fixtable/2"] = true, ["erlang:system_flag/2"] = true,
}

local by_what = {}
for _, entry in ipairs(reviewed) do by_what[entry.what] = entry end

---@class Effect
---@field class Class
---@field why string     the worst of it, in words
---@field known? Class   what it is by what we know for certain: nobody can vouch for less
---@field line? integer  of the text, where that stands
---@field changed? boolean  expressions of ours stand in it, and others

-- What we know to be worse than its owner says of the text, nobody can vouch for.
local function vouched_for(reason, rule)
  local entry = reason.mfa and classify.entry(reason.mfa)
  return not entry or RANK[entry.class] <= RANK[rule.class]
end

-- A word that is made an atom of harms where code of Elixir is handed it: it can be the tag of a struct.
local LOOKED_UP = {
  ["erlang:binary_to_existing_atom/1"] = true, ["erlang:binary_to_existing_atom/2"] = true,
  ["erlang:list_to_existing_atom/1"] = true,
}

-- What its arguments alone make dangerous, the function being harmless to us and to the owner.
local function by_arguments(reason)
  local ours = classify.entry(reason.mfa)
  local theirs = policy.entry(reason.mfa, ours)
  return ours and theirs and ours.class == "SAFE" and theirs.class == "SAFE"
end

local function explained(reason, judged)
  if LOOKED_UP[reason.what] then return not judged.elixir and by_arguments(reason) end
  return reason.what == "erlang:process_info/2" and judged.items_written and by_arguments(reason)
end

-- A reason as a query has it.
local function class_of(reason, shipped, rule, judged)
  if reason.class == "CAUTION" and reason.effect == "leased" and LEASED[reason.what] then return "SAFE" end
  if judged and explained(reason, judged) then return "SAFE" end
  local entry = shipped and by_what[reason.what] or rule and vouched_for(reason, rule) and rule
  return entry and RANK[entry.class] < RANK[reason.class] and entry.class or reason.class
end

local function add(effect, reasons, shipped, rule, judged)
  for _, reason in ipairs(reasons) do
    local class = class_of(reason, shipped, rule, judged)
    if RANK[class] > RANK[effect.class] then
      effect.class, effect.line = class, reason.line
      effect.why = ("%s (line %d): %s"):format(reason.what, reason.line, reason.why)
    end
  end
end

local function is_safe(judged)
  local effect = { class = "SAFE" }
  add(effect, judged.reasons, false, nil, judged)
  return effect.class == "SAFE" and #judged.misused == 0
end

--- The class of a text's forms, as a query has it.
---@param forms any[]
---@param shipped? boolean   the text is one of ours
---@param rule? Rule         what its owner says of it
---@return Effect
function effects.judge(forms, shipped, rule)
  local effect = { class = "SAFE", why = "it only reads" }
  local options = { entry = policy.entry, generation = policy.generation() }
  if shipped then
    add(effect, classify.expressions(forms, options).reasons, true, rule)
    return effect
  end
  local text = changed_text.read(forms, options, is_safe)
  for _, judged in ipairs(text.judged) do
    add(effect, judged.misused, false, rule)
    add(effect, judged.reasons, false, rule, judged)
  end
  effect.changed = text.ours > 0 and text.ours < text.whole or nil
  add(effect, text.reviewed, true, rule)
  return effect
end

local POLICY = "your policy says so"

local judged, by_policy = {}, nil

--- What a text does. What was not judged yet is parsed on the node.
---@param node table
---@param text string
---@return Effect?
---@return Failure? err
function effects.of(node, text)
  local rule = policy.text(text)
  if rule and rule.class == "never" then return { class = "never", why = POLICY } end
  if by_policy ~= policy.generation() then judged, by_policy = {}, policy.generation() end
  if not judged[text] then
    local forms, err = node:forms_of(text)
    if not forms then return nil, err end
    local shipped = parsed.has(query.wrap(text) or "")
    local effect = effects.judge(forms, shipped, rule)
    if rule and RANK[rule.class] > RANK[effect.class] then effect = { class = rule.class, why = POLICY } end
    effect.known = effect.class == "SAFE" and "SAFE" or effects.judge(forms, shipped, { class = "SAFE" }).class
    judged[text] = effect
  end
  return judged[text]
end

--- A text that nobody asks any more.
---@param text string
function effects.forget(text) judged[text] = nil end

local function vouch(text, class)
  return ('vouch for it in policy.lua: texts = { ["%s"] = { class = "%s", why = "…" } }'):format(crypto.sha256(text),
    class)
end

local CHANGED = "%s is declared %s; you changed this text, so our review of it no longer holds: it is %s by %s"

-- What a line of a text says, by which it is found in a file.
local function line_of(text, wanted)
  local at = 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    at = at + 1
    if at == wanted then return line:match "^%s*(.-)%s*$" end
  end
end

--- Whether a text does no more than what asks it declares. The Failure has what the line says that is to blame, in
--- `written`.
---@param node table      one of a spec, that cannot parse, is asked nothing
---@param text string
---@param class Class     what is declared
---@param who string      for the message: "query now of callback clock_time"
---@return true?
---@return Failure? err
function effects.permit(node, text, class, who)
  if not node.forms_of then return true end
  local effect, err = effects.of(node, text)
  if not effect then return nil, err end
  if RANK[effect.class] <= RANK[class] then return true end
  local back = effect.changed and "take back the change" or "correct it"
  local next_step = back .. ", or declare the class it has"
  if effect.known and RANK[effect.known] <= RANK[class] then
    next_step = back .. ", declare the class it has, or " .. vouch(text, class)
  end
  local said = effect.changed and CHANGED or "%s is declared %s, and is %s: %s"
  local refusal = failure.new("gate", said:format(who, class, effect.class, plain.cut(effect.why, 300)), next_step, 5)
  refusal.written = effect.line and line_of(text, effect.line)
  return nil, refusal
end

-- What we read of the text that reads files holds for these alone. Their names come from Lua.
local FILES = { "^/proc/loadavg$", "^/proc/meminfo$", "^/proc/self/cgroup$", "^/sys/fs/cgroup/" }

local function may_be_read(path)
  if type(path) ~= "string" or path:find("..", 1, true) then return false end
  for _, pattern in ipairs(FILES) do if path:match(pattern) then return true end end
  return false
end

-- What we read of the text that asks a database holds for a transaction that begins so: read-only, and bounded.
local BEGINS = {
  Begin = "^SET TRANSACTION READ ONLY$",
  Limits = "^SELECT set_config%('statement_timeout', '5000', true%), set_config%('lock_timeout', '1000', true%),",
}

local function begins_otherwise(text, variables)
  if not text:find("R:transaction(", 1, true) then return false end
  for name, pattern in pairs(BEGINS) do
    local given = variables[name]
    if type(given) ~= "string" or not given:find(pattern) then return true end
  end
  return false
end

--- Whether a text is handed what we read it for.
---@param text string
---@param variables table<string, any>
---@param class Class     what is declared
---@param who string      for the message
---@return true?
---@return Failure? err
function effects.permit_values(text, variables, class, who)
  if class == "SAFE" and begins_otherwise(text, variables) then
    return nil, failure.new("gate", ("%s is declared SAFE, and begins its transaction otherwise than ours, which only "
      .. "reads"):format(who), "ask with texts.read, or declare the class that it has", 5)
  end
  local paths = variables.Paths
  if class ~= "SAFE" or not paths or not text:find("prim_file", 1, true) then return true end
  for _, path in pairs(type(paths) == "table" and paths or { paths }) do
    if not may_be_read(path) then
      return nil, failure.new("gate", ("%s is declared SAFE, and reads the file %s of the node's machine"):format(who,
        plain.cut(tostring(path), 100)), "declare the class that it has", 5)
    end
  end
  return true
end

jit.off(begins_otherwise)
jit.off(effects.permit_values) -- a compiled pairs() may go zero rounds

--- Whether a relay may be put on a node for a skill. One works unasked, in a process of its own, and no
--- classifier follows it: so it is one of ours, or its owner vouched for its text.
---@param relay Relay
---@param class? Class   of the callback that starts it; none where it is on anyhow
---@return true?
---@return Failure? err
function effects.permit_relay(relay, class)
  if RANK[relay.class] > RANK[class or "SAFE"] and class then
    return nil, failure.new("gate", ("the relay %s is %s, and what starts it is declared %s"):format(relay.name,
      relay.class, class), "declare the class that it has", 5)
  end
  if relay.shipped then return true end
  local rule = policy.text(relay.text)
  if rule and RANK[rule.class] and RANK[rule.class] <= RANK[relay.class] then return true end
  return nil, failure.new("gate", ("the relay %s is none of ours, and works on the node unasked"):format(relay.name),
    "remove its file, or " .. vouch(relay.text, relay.class), 5)
end

return effects
