--- An expected failure on its way to a person: where it happened, what happened, and the
--- next step. As text it is one sentence; as JSON the three fields of the error object.

---@class Failure
---@field stage string    usage, config, script, node, cookie, epmd, connect, handshake, query, skill, …
---@field message string  what happened, lower case, no full stop
---@field next string?    what the reader can do about it
---@field exit integer    the exit code it leads to: 2 usage, 3 node, 4 incomplete, 5 gate, 6 provider, 70 ours
---@field keys? (string|number)[]  where in the config file it is, for config.placed: { "sinks", 1, "type" }

local failure = {}

local Failure = {}
Failure.__index = Failure
function Failure:__tostring() return self.next and (self.message .. "; " .. self.next) or self.message end

---@param stage string
---@param message string
---@param next_step string?
---@param exit integer
---@return Failure
function failure.new(stage, message, next_step, exit)
  return setmetatable({ stage = stage, message = message, next = next_step, exit = exit }, Failure)
end

--- What is wrong in the config file. Who tells it puts the file and the line before it: config.placed.
---@param keys (string|number)[]   the way to the value: { "sinks", 1, "type" }
---@param message string           begins with the key as people write it, for who has it from elsewhere
---@param next_step string?
---@return Failure
function failure.in_config(keys, message, next_step)
  local err = failure.new("config", message, next_step, 2)
  err.keys = keys
  return err
end

--- The keys of a fault are those within a value that itself stands behind these.
---@param err Failure
---@param ... string|number
---@return Failure
function failure.within(err, ...)
  local keys = { ... }
  for _, key in ipairs(err.keys) do keys[#keys + 1] = key end
  err.keys = keys
  return err
end

--- What is refused by the gate, as a return.
---@param message string
---@param next_step? string
---@return nil
---@return Failure
function failure.refused(message, next_step) return nil, failure.new("gate", message, next_step, 5) end

---@return boolean
function failure.is(v) return getmetatable(v) == Failure end

--- Any error as a Failure: one that is already stays as it is.
---@param err any
---@param stage string
---@param exit integer
---@return Failure
function failure.of(err, stage, exit)
  return failure.is(err) and err or failure.new(stage, tostring(err), nil, exit)
end

--- The word of a list that is most like one that is not in it, for "did you mean".
---@type fun(word: string, words: string[]): string?
failure.nearest = require "runtime.nearest"

--- The next step of who named something that is not there.
---@param word any
---@param words string[]      those that there are
---@param otherwise? string   where none of them is near
---@return string?
function failure.meant(word, words, otherwise)
  local near = failure.nearest(tostring(word), words)
  return near and ("did you mean %s?"):format(near) or otherwise
end

return failure
