--- Several clients in turn: each agent has the next one for all its requests, so that what a
--- provider has cached of a conversation is of use.

local round_robin = {}

local given = {} -- by name: how many agents had one

--- The provider of the next agent.
---@param name string
---@param makers (fun(): table)[]
---@return table provider
function round_robin.next(name, makers)
  local n = given[name] or 0
  given[name] = n + 1
  return makers[n % #makers + 1]()
end

return round_robin
