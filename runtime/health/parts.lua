--- One look at a node: what is asked of it for `health`, part by part. A part that is not answered leaves the others
--- as they are, and says why.

local async = require "runtime.async"
local failure = require "runtime.failure"
local ours = require "host.files"
local skill = require "runtime.skill"

local parts = {}

local FILE = "runtime/health/look.lua"
local CANNOT_TELL, LOST = 4, 3

---@class Health   the figures, each part absent where it was not answered
---@field memory? table      of beam_get_memory, and so on: see runtime/health/look.lua
---@field ets? table         of the skill's snapshot
---@field machine? table     of system_get_memory
---@field oban? table        of the skill's snapshot, where Oban is loaded
---@field starved? boolean   only a question of high priority was answered

---@class Unanswered
---@field part string
---@field why string
---@field next? string

-- It is ours and well-formed, or the build had failed.
local function look() return assert(skill.load(assert(ours.read(FILE)), FILE, true)) end

--- For the build, which parses what is sent.
---@return string[]
function parts.own_texts()
  local list = {}
  for _, text in pairs(look().queries) do list[#list + 1] = text end
  return list
end

local function snapshot(name)
  return function(node)
    local s, err = skill.open(name)
    if not s then return nil, err end
    return skill.snapshot(s, node)
  end
end

local function callback(name, called)
  return function(node)
    local s, err = skill.open(name)
    if not s then return nil, err end
    return skill.call(s, called, {}, node)
  end
end

local function processes(node, own) return skill.call(own, "health_processes", {}, node) end

-- After the figures, side by side: together they wait no longer than the slowest, and none is among the processes
-- that another one shows.
local BESIDE = {
  { part = "processes", ask = processes, whole = true },
  { part = "ets", ask = snapshot "ets" },
  { part = "machine", ask = callback("system", "system_get_memory") },
  { part = "oban", ask = snapshot "oban", only = function(of) return of.oban_version end },
}

local function put(of, answer)
  for name, value in pairs(answer) do of[name] = value end
end

-- Where the node has no turn for a question of low priority, that is the first thing to know of it; so half of the
-- time there is stays for what is asked then. False where it answers nothing at all: then nobody waits for more.
local function figures(node, own, of, missed)
  local whole = node.deadline
  node.deadline = whole and (async.now() + whole) / 2
  local answer, err = skill.call(own, "health_figures", {}, node)
  node.deadline = whole
  if answer then
    answer.oban_version, answer.oban = answer.oban, nil
    put(of, answer)
    return true
  end
  missed("figures", err)
  answer = skill.call(own, "health_pulse", {}, node)
  if not answer then return false end
  put(of, answer)
  of.starved = tostring(err):find("no answer after", 1, true) ~= nil
  return true
end

--- Asks for everything.
---@param node AttachedNode
---@return Health? of          nil where nothing at all was answered, or nobody waits any more
---@return Unanswered[]|Failure unanswered
---@return integer exit        0, or what the missing ones lead to
function parts.ask(node)
  local own, of, unanswered, first, exit = look(), {}, {}, nil, 0
  local function missed(part, err)
    local fault = failure.of(err, "query", CANNOT_TELL)
    unanswered[#unanswered + 1] = { part = part, why = fault.message, next = fault.next }
    first, exit = first or fault, math.max(exit, CANNOT_TELL)
  end
  if not figures(node, own, of, missed) then return nil, first, first.exit end
  local wanted, asks = {}, {}
  for _, one in ipairs(BESIDE) do
    if not one.only or one.only(of) then
      wanted[#wanted + 1] = one
      asks[#asks + 1] = function() return one.ask(node, own) end
    end
  end
  for i, outcome in ipairs(async.all(asks)) do
    local one, value = wanted[i], outcome.value
    if outcome.err or not outcome.ok then
      missed(one.part, outcome.err)
    else
      put(of, one.whole and value or { [one.part] = value })
    end
  end
  if async.current().cancelled then return nil, first, exit end
  return of, unanswered, node:is_gone() and LOST or exit
end

return parts
