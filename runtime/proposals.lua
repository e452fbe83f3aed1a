--- What one run proposes: a few actions, none of them twice. They stand in the store, where a person
--- finds them; the report says of each how far it came by the end of the run.

local actions = require "runtime.actions"
local json = require "runtime.json"

local proposals = {}

local MOST = 5

---@class Proposals
---@field private list Proposal[]
---@field private count integer                those that are being made included
---@field private seen table<string, string>   what was asked for -> its id
local Proposals = {}
Proposals.__index = Proposals

---@param o { node: table, store?: string, trace_id: string, mind?: string }
---@return Proposals
function proposals.new(o)
  return setmetatable({ node = o.node, path = o.store, trace_id = o.trace_id, mind = o.mind, count = 0, list = {},
    told = {}, seen = {} }, Proposals)
end

local function propose(self, by, name, arguments, reason)
  local s, err = actions.store { store = self.path }
  if not s then return nil, err end
  by.model = self.mind
  return actions.propose(self.node, name, arguments, { store = s, reason = reason, by = by, trace_id = self.trace_id })
end

---@param by { kind: "operator"|"coordinator", name?: string }
---@param name string
---@param arguments table<string, any>
---@param reason string
---@return Proposal?
---@return Failure|string|nil err
function Proposals:add(by, name, arguments, reason)
  local key = name .. json.encode(json.object(arguments))
  if self.seen[key] then return nil, ("this stands already, as %s"):format(self.seen[key]) end
  if self.count >= MOST then
    return nil, ("%d actions were proposed in this run, and more are not taken; put it into next_steps"):format(MOST)
  end
  self.count, self.seen[key] = self.count + 1, "another call of the same answer" -- others may come while we wait
  local p, err = propose(self, by, name, arguments, reason)
  self.seen[key] = p and p.id
  if p then self.list[#self.list + 1] = p else self.count = self.count - 1 end
  return p, err
end

--- Takes up what a runbook put into the store.
---@param p Proposal
function Proposals:keep(p) self.list[#self.list + 1] = p end

--- Takes up what a runbook would have done, which stands in no store.
---@param row table   of a report
function Proposals:tell(row) self.told[#self.told + 1] = row end

--- The rows of a report: as they stand now, for a person may have decided meanwhile.
---@return table[]
function Proposals:rows()
  local rows = {}
  for i, proposed in ipairs(self.list) do
    local p = actions.get(proposed.store, proposed.id) or proposed
    rows[i] = {
      id = p.id, node = p.node, action = p.action, arguments = json.object(p.arguments), class = p.class,
      object = p.object, figures = json.object(p.figures), reason = p.reason, by = p.by, state = p.state,
      outcome = p.outcome or json.null,
    }
  end
  for _, row in ipairs(self.told) do rows[#rows + 1] = row end
  return rows
end

return proposals
