--- A live node for the specs of the skill overload. What should happen between two of its looks happens in their
--- pause, which is shorter here; `real` makes the looks in real time.

local async = require "runtime.async"
local crowd = require "spec.support.crowd"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local until_true = require "spec.support.until_true"

local mailboxes = {}

local PACE_S = 0.2 -- a pace is of windows that are alike, so they are longer than what is done in them

--- Takes as many messages as it is told, when it is told.
mailboxes.TAKER = [[crowd:start(desk, fun() -> (fun L() -> receive {take, K, R} ->
  [receive {noise, _} -> ok end || _ <- lists:seq(1, K)], R ! done, L() end end)() end), ok.]]

---@class Mailboxes
---@field at table             what live_node.start gave
---@field eval function
---@field callback table<string, function>
---@field real table<string, function>   the same, with the node's own history and pauses
---@field during? function     done at each pause
---@field past? table[]        what history says
local Mailboxes = {}
Mailboxes.__index = Mailboxes

---@param overload Skill
---@return Mailboxes
function mailboxes.start(overload)
  local self = setmetatable({ at = live.start { args = { "+S", "2:2" } } }, Mailboxes)
  self.eval = self.at.eval
  local node = { query = self.at.node.query, history = function() return self.past or {} end,
    sleep = function()
      if not self.during then return end
      async.sleep(PACE_S)
      self.during()
    end }
  self.callback, self.real = skill.functions(overload, node), skill.functions(overload, self.at.node)
  live.test(function() crowd.load(self.at) end)()
  return self
end

--- Ends what a spec may have left, and what it meant to happen.
function Mailboxes:clear()
  self.during, self.past = nil, nil
  live.test(function()
    self.eval "[crowd:stop(X) || X <- [sink, pond, desk, tap, a, b, c, engine, shop]], ok."
  end)()
end

function Mailboxes:send(name, count)
  self.eval(("[%s ! {noise, N} || N <- lists:seq(1, %d)], ok."):format(name, count))
end

--- Does this at each pause: one step each, nothing when they are used up.
---@param list function[]
function Mailboxes:steps(list)
  self.during = function()
    local step = table.remove(list, 1)
    if step then step() end
  end
end

--- Waits until the node says true to this.
function Mailboxes:wait_for(text)
  until_true(text, function() return self.eval(text) end)
end

return mailboxes
