--- How a sink is: whether it works, told when that changes and at no other time.

local plain = require("runtime.plain").text
local telemetry = require "runtime.telemetry"

local condition = {}

---@class Condition
---@field name string
---@field private failing? boolean
local Condition = {}
Condition.__index = Condition

---@param name string   of the sink, for who reads of it
---@return Condition
function condition.new(name) return setmetatable({ name = name }, Condition) end

---@param text string
function Condition:tell(text) io.stderr:write(plain(("the sink %s %s"):format(self.name, text)), "\n") end

---@param ok any     whether it took what it was given
---@param why? any
function Condition:is(ok, why)
  if ok and self.failing then
    self.failing = nil
    self:tell "works again"
    telemetry.emit("sink.recovered", nil, { sink = self.name })
  elseif not ok and not self.failing then
    self.failing = true
    self:tell("fails: " .. tostring(why))
    telemetry.emit("sink.failed", nil, { sink = self.name, reason = tostring(why) })
  end
end

return condition
