--- What the Erlang texts of a skill do to a node, for skills that are not ours: each is judged by its
--- forms when it is first used, and refused where it does more than its callback declares. A text that
--- we ship is known by its hash, wherever it is copied to: what people found in it stands in
--- sandbox/reviewed.lua, beside what the classifier says.

local classify = require "sandbox.classify"
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

-- What we know to be worse than its owner says of the text, nobody can vouch for.
local function vouched_for(reason, rule)
  local entry = reason.mfa and classify.entry(reason.mfa)
  return not entry or RANK[entry.class] <= RANK[rule.class]
end

-- A reason as a query has it.
local function class_of(reason, shipped, rule)
  if reason.class == "CAUTION" and reason.effect == "leased" and LEASED[reason.what] then return "SAFE" end
  local entry = shipped and by_what[reason.what] or rule and vouched_for(reason, rule) and rule
  return entry and RANK[entry.class] < RANK[reason.class] and entry.class or reason.class
end

--- The class of a text's forms, as a query has it.
---@param forms any[]
---@param shipped? boolean   the text is one of ours
---@param rule? Rule         what its owner says of it
---@return Effect
function effects.judge(forms, shipped, rule)
  local worst = { class = "SAFE", why = "it only reads" }
  for _, reason in ipairs(classify.expressions(forms, { entry = policy.entry }).reasons) do
    local class = class_of(reason, shipped, rule)
    if RANK[class] > RANK[worst.class] then
      worst = { class = class, why = ("%s (line %d): %s"):format(reason.what, reason.line, reason.why) }
    end
  end
  return worst
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
    effect.known = effects.judge(forms, shipped, { class = "SAFE" }).class
    judged[text] = effect
  end
  return judged[text]
end

local function vouch(text, class)
  return ('vouch for it in policy.lua: texts = { ["%s"] = { class = "%s", why = "…" } }'):format(crypto.sha256(text),
    class)
end

--- Whether a text does no more than what asks it declares.
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
  local next_step = "correct it, or declare the class it has"
  if effect.known and RANK[effect.known] <= RANK[class] then
    next_step = "correct it, declare the class it has, or " .. vouch(text, class)
  end
  return nil, failure.new("gate", ("%s is declared %s, and is %s: %s"):format(who, class, effect.class,
    plain.cut(effect.why, 300)), next_step, 5)
end

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
