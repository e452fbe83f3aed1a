--- What the owner of the program decided beyond our own classes, in `policy.lua` of the settings folder:
--- data, and nothing else.
---
---   return {
---     callbacks = { tracer_start = "DANGEROUS", ecto_explain = "never" },
---     actions = { kill_process = "never" },
---     functions = { ["recon:proc_count/2"] = "DANGEROUS",
---                   ["shop_stats:read/0"] = { class = "SAFE", why = "reads one counter" } },
---     texts = { ["<sha-256 of a query>"] = { class = "SAFE", why = "reviewed: it reads the pool's state" } },
---   }
---
--- It makes things stricter, at once. Laxer is only what we ourselves know nothing of and therefore call
--- dangerous: a function without an entry in our table, a text of the owner's own skill. That takes a reason,
--- holds from the next start on, and is written to the audit. What we do know is never made laxer.

local uv = require "luv"
local audit = require "runtime.audit"
local crypto = require "host.crypto"
local failure = require "runtime.failure"
local files = require "runtime.files"
local json = require "runtime.json"
local stand_in = require "runtime.stand_in"
local telemetry = require "runtime.telemetry"

local policy = {}

local RANK = { SAFE = 1, CAUTION = 2, DANGEROUS = 3, never = 4 }
local PARTS = { "actions", "callbacks", "functions", "texts" }
local CLASSES = "SAFE, CAUTION, DANGEROUS or never"

---@class Rule
---@field class "SAFE"|"CAUTION"|"DANGEROUS"|"never"
---@field why? string

local held                 -- part -> name -> Rule, what is in force
local broken               -- the Failure that keeps it from being read
local generation = 0       -- how often what is in force was set

function policy.path() return files.config_home() .. "/policy.lua" end

local function fault(message, next_step) return failure.new("policy", message, next_step or "mend the line", 2) end

-- With the file, and the line of these keys there.
local function placed(err, ...)
  local line = require "runtime.key_line"(policy.path(), { ... })
  return failure.new("policy", ("%s:%s %s"):format(policy.path(), line and line .. ":" or "", err.message), err.next, 2)
end

local function known_entry(mfa)
  local module, name, arity = mfa:match "^([^:]+):(.+)/(%d+)$"
  if not module then return nil, "is no module:function/arity" end
  return require("sandbox.functions").find(module, name, tonumber(arity))
end

-- What our own class of it is, as far as we know it; what must have a reason is laxer than that.
local function base_of(part, name)
  if part == "texts" then return not name:match "^%x+$" and "is no SHA-256 in hex digits" or nil, "DANGEROUS" end
  if part == "actions" then -- a slip would forbid nothing, and its owner counts on it
    local entry, err = require("runtime.action_entry").find(name)
    return not entry and "is no action" or nil, entry and entry.class, true, err and err.next
  end
  if part ~= "functions" then return nil, nil end
  local entry, why = known_entry(name)
  return why, entry and entry.class or "DANGEROUS", entry ~= nil
end

local function rule_of(part, name, given)
  local rule = type(given) == "table" and { class = given.class, why = given.why } or { class = given }
  local where = ("%s: %s"):format(part, tostring(name))
  if type(name) ~= "string" then return nil, fault(where .. " is no name") end
  if not RANK[rule.class] then return nil, fault(("%s wants %s"):format(where, CLASSES)) end
  if rule.why ~= nil and type(rule.why) ~= "string" then return nil, fault(where .. ": why must be a text") end
  local wrong, base, ours, next_step = base_of(part, name)
  if wrong then return nil, fault(("%s %s"):format(where, wrong), next_step) end
  if not base then
    if rule.class ~= "SAFE" then return rule end
    return nil, fault(where .. " can only be made stricter", "say CAUTION, DANGEROUS or never, or take it out")
  end
  if RANK[rule.class] >= RANK[base] then return rule end
  if ours then
    return nil, fault(("%s is %s, and what we know is never made laxer"):format(where, base),
      "take it out, or make it stricter")
  end
  if not rule.why or rule.why == "" then
    return nil, fault(where .. " wants { class = …, why = … }", "say why it is no danger")
  end
  rule.laxer = true
  return rule
end

local function checked(data)
  local rules = {}
  for _, part in ipairs(PARTS) do rules[part] = {} end
  for part, given in pairs(data) do
    if not rules[part] then
      return nil, placed(fault(("there is no %s"):format(tostring(part)),
        failure.meant(part, PARTS, "it takes " .. table.concat(PARTS, ", "))), part)
    end
    if type(given) ~= "table" then return nil, placed(fault(part .. " must be a table"), part) end
    for name, value in pairs(given) do
      local rule, err = rule_of(part, name, value)
      if not rule then return nil, placed(err, part, name) end
      rules[part][name] = rule
    end
  end
  return rules
end

local function read()
  if not uv.fs_stat(policy.path()) then return checked {} end
  local text, err = files.read_users(policy.path(), "policy")
  if not text then return nil, err end
  local data
  data, err = stand_in.load(text, policy.path())
  if err then return nil, failure.new("policy", err.message, "mend the line", 2) end
  if type(data) ~= "table" then return nil, placed(fault "it must return a table") end
  return checked(data)
end

local function each(rules, visit)
  for _, part in ipairs(PARTS) do
    for name, rule in pairs(rules[part]) do visit(part, name, rule) end
  end
end

-- Once for each wording: the audit tells it until the owner writes another.
local function tell_laxer(rules)
  local laxer, any = {}, false
  each(rules, function(part, name, rule)
    if not rule.laxer then return end
    laxer[("%s %s"):format(part, name)], any = { class = rule.class, why = rule.why }, true
  end)
  if not any then return true end
  local sum = crypto.sha256(json.encode(laxer))
  local told, err = audit.tells(sum)
  if told then return true end
  if told == nil and err then return nil, err end
  return audit.record { kind = "policy.laxer", rules = laxer, sum = sum }
end

--- What stands in it now. Puts nothing in force.
---@return table<string, table<string, Rule>>?   by part, then by name
---@return Failure? err
function policy.look() return read() end

--- Reads it, as a start does: all of it is in force.
---@return true?
---@return Failure? err   then nothing but SAFE is permitted
function policy.start()
  local rules, err = read()
  local ok = rules
  if rules then ok, err = tell_laxer(rules) end
  held, broken, generation = ok and rules or checked {}, not ok and err or nil, generation + 1
  if broken then return nil, broken end
  return true
end

--- A number that is another one when another policy may be in force.
---@return integer
function policy.generation() return generation end

local function in_force()
  if not held then policy.start() end
  return held
end

--- Reads it again. What is stricter than before is in force at once, the rest at the next start.
---@return string[]? waiting   what waits, a sentence each
---@return Failure? err        then all is as it was
function policy.reload()
  local before = in_force()
  local rules, err = read()
  if not rules then return nil, err end
  local waiting = {}
  local function wait(part, name, now)
    waiting[#waiting + 1] = ("%s: %s stays %s until the next start"):format(part, name, now)
  end
  local after = checked {}
  each(rules, function(part, name, rule)
    local old = before[part][name]
    -- Of what it never spoke of it only says more: stricter, unless it says that it is laxer than we are.
    local stricter = not rule.laxer or old and old.laxer and RANK[rule.class] >= RANK[old.class]
    if old and not old.laxer and RANK[rule.class] < RANK[old.class] then stricter = false end
    after[part][name] = stricter and rule or old
    if not stricter then wait(part, name, old and old.class or "DANGEROUS") end
  end)
  each(before, function(part, name, rule)
    if rules[part][name] or rule.laxer then return end
    after[part][name] = rule
    wait(part, name, rule.class)
  end)
  held, generation = after, generation + 1
  table.sort(waiting)
  return waiting
end

--- What a run begins with: the first of a program starts it, the others read it again.
---@return true?
---@return Failure? err
function policy.load()
  if not held or broken then return policy.start() end
  local waiting, err = policy.reload()
  if not waiting then return nil, err end
  if #waiting > 0 then telemetry.emit("policy.waiting", nil, { waiting = waiting }) end
  return true
end

local function stricter(part, name, class)
  if broken and class ~= "SAFE" then return "never" end
  local rule = in_force()[part][name]
  return rule and RANK[rule.class] > (RANK[class] or RANK.DANGEROUS) and rule.class or class
end

--- The class of a callback, by ours and by the owner's word.
---@param name string
---@param class string
---@return string class   "never" among them
function policy.callback(name, class) return stricter("callbacks", name, class) end

--- The same for an action.
function policy.action(name, class) return stricter("actions", name, class) end

--- What the owner says of a function.
---@param mfa string     "module:function/arity"
---@param entry? table   what our own table has of it
---@return table? entry  of the same form
function policy.entry(mfa, entry)
  local rule = in_force().functions[mfa]
  if not rule or broken then return entry end
  if entry and RANK[rule.class] <= RANK[entry.class] then return entry end
  local class = rule.class == "never" and "DANGEROUS" or rule.class
  local merged = { class = class, effect = class == "SAFE" and "reads" or class == "CAUTION" and "leased" or "changes",
    cost = "as the policy's author knows", why = rule.why or "your policy says so", roles = {} }
  for key, value in pairs(entry or {}) do
    if key ~= "class" and key ~= "effect" and key ~= "why" then merged[key] = value end
  end
  return merged
end

--- Whether the owner forbids a function, to whomever.
---@param mfa string
---@return boolean
function policy.forbids(mfa)
  local rule = in_force().functions[mfa]
  return rule ~= nil and rule.class == "never"
end

--- What the owner says of a text that we cannot follow.
---@param text string
---@return Rule?
function policy.text(text)
  return not broken and in_force().texts[crypto.sha256(text)] or nil
end

return policy
