--- Looks at a node while a run goes on, so that skills have a history to stand on: asks the queries
--- that they keep, at once and then ever more rarely. It is never in the way: its questions are of low
--- priority with a short deadline, a beat is left out while the node is down, what was slow is
--- asked more rarely, and it ends with the run. An error is of no consequence and only counted.

local async = require "runtime.async"
local in_use = require "runtime.in_use"

local sampler = {}

local PAUSES = { 1, 2, 5, 10, 20, 30 } -- seconds; the last one again and again
local PATIENCE_S = 5
local SLOW_S = 1
local DEAR_S = 0.02  -- what took so many times as long is left out of as many beats,
local MOST_LEFT = 9  -- and of no more
local SHARE = 20 -- of the time a beat takes at most one part in so many

---@class Sampler
---@field asked integer      questions that were answered
---@field failed integer     that were not
---@field skipped integer    beats left out, or broken off, because the node was down or slow
---@field spared integer     questions left out of a beat because their last answer was dear
---@field private task? Task
---@field private turn integer  which question comes next
local Sampler = {}
Sampler.__index = Sampler

-- The same text may be kept by two skills; it is asked once.
local function wanted_of(skills)
  local texts, by_text = {}, {}
  for _, opened in ipairs(skills) do
    local s = in_use.now(opened)
    for _, name in ipairs(s.keep or {}) do
      local text = s.queries[name]
      if not by_text[text] then
        by_text[text] = { text = text, left_out = 0 }
        texts[#texts + 1] = by_text[text]
      end
      table.insert(by_text[text], { skill = s.name, metric = name })
    end
  end
  return texts
end

-- One question; `false` when the answer was slow, nothing when the run is over.
function Sampler:ask(wanted)
  local began = async.now()
  local value = self.node.query(wanted.text, nil, { timeout = PATIENCE_S, priority = "low" })
  if async.current().cancelled then return end
  local now = async.now()
  wanted.left_out = math.min(MOST_LEFT, math.floor((now - began) / DEAR_S))
  if value == nil then
    self.failed = self.failed + 1
  else
    self.asked = self.asked + 1
    for _, place in ipairs(wanted) do
      self.node.past:remember(place.skill, place.metric, value, (began + now) / 2)
    end
  end
  return now - began <= SLOW_S
end

--- Asks everything once that was not dear of late. After an answer that was slow it leaves the others for the next
--- beat, which begins there.
---@return boolean over   the run is
function Sampler:beat()
  for _ = 1, #self.wanted do
    local wanted = self.wanted[self.turn]
    self.turn = self.turn % #self.wanted + 1
    if wanted.left_out > 0 then
      wanted.left_out, self.spared = wanted.left_out - 1, self.spared + 1
    else
      local quick = self:ask(wanted)
      if quick == nil then return true end
      if not quick then
        self.skipped = self.skipped + 1
        return false
      end
    end
  end
  return false
end

-- What a skill keeps may be another since somebody edited it.
local function renew(self)
  if self.generation == in_use.generation() then return end
  self.generation, self.wanted, self.turn = in_use.generation(), wanted_of(self.skills), 1
end

local function run(self)
  local turn = 1
  while true do
    local began = async.now()
    renew(self)
    if self.node.state ~= "up" then
      self.skipped = self.skipped + 1
    elseif self:beat() then
      return
    end
    local pause = math.max(PAUSES[math.min(turn, #PAUSES)], SHARE * (async.now() - began))
    turn = turn + 1
    if not async.sleep(pause) then return end
  end
end

--- Starts it, where a skill keeps anything and the node has a history to keep it in.
---@param node AttachedNode
---@param skills Skill[]
---@return Sampler
function sampler.start(node, skills)
  local self = setmetatable({ node = node, skills = skills, wanted = wanted_of(skills), turn = 1, asked = 0, failed = 0,
    skipped = 0, spared = 0, generation = in_use.generation() }, Sampler)
  if node.past and #self.wanted > 0 then self.task = async.spawn(run, self) end
  return self
end

--- Ends it; a question that is out is taken back. Safe to call twice.
function Sampler:stop()
  if self.task then self.task:cancel "the run is over" end
end

return sampler
