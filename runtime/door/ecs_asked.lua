--- What AWS and a person are asked on the way to a service of ECS, and what is said where an answer leads no further.
--- Where there is a choice the person at the terminal is asked; where there is none, the names are told.

local aws = require "runtime.door.aws"
local failure = require "runtime.failure"
local terminal = require "runtime.terminal"
local troubles = require "runtime.door.troubles"

local asked = {}

--- How long a person may take.
asked.LONGEST_S = 120

---@param target Target
---@param message string
---@param next_step string
---@return nil
---@return Failure
function asked.fail(target, message, next_step)
  return nil, failure.new("connect", ("%s: %s"):format(target.via, message), next_step, 3)
end

local fail = asked.fail

--- The last part of an ARN, which is the name or the id.
---@param arn any
---@return string
function asked.last(arn) return tostring(arn):match "[^/]+$" end

--- Those of a list, which is left out, or null, where AWS has none.
---@param list any
function asked.each(list) return ipairs(type(list) == "table" and list or {}) end

---@param value any
---@return string?
function asked.text(value) return type(value) == "string" and value or nil end

---@param arns any
---@return string[]   sorted
function asked.names_of(arns)
  local list = {}
  for i, arn in asked.each(arns) do list[i] = asked.last(arn) end
  table.sort(list)
  return list
end

---@param names string[]
---@return string
function asked.listed(names) return #names > 0 and table.concat(names, ", ") or "none" end

-- One of several, by its number.
local function chosen(what, rows)
  local lines = {}
  for i, row in ipairs(rows) do lines[i] = ("  %d  %s"):format(i, row) end
  terminal.show(what .. ":\n" .. table.concat(lines, "\n"))
  local typed = terminal.ask(("which one? (1 to %d)"):format(#rows), asked.LONGEST_S)
  return rows[tonumber(typed) or 0] and tonumber(typed) or nil
end

--- The only one, or the one that a person takes.
---@param target Target
---@param ask? boolean   a person is there
---@param of { what: string, names: string[], rows?: string[], none: string, none_next: string, how: string }
---@return string? name
---@return Failure? err
function asked.pick(target, ask, of)
  if #of.names == 0 then return fail(target, of.none, of.none_next) end
  if #of.names == 1 then return of.names[1] end
  local i = ask and chosen(of.what, of.rows or of.names)
  if i then return of.names[i] end
  return fail(target, ("there are several %s: %s"):format(of.what, asked.listed(of.rows or of.names)), of.how)
end

--- What it means that AWS said this in place of an answer.
---@param target Target   `told` is set on it, for the words
---@param said string     "timeout" where it said nothing
---@return nil
---@return Failure
function asked.refused(target, said)
  if said:find "ClusterNotFound" or said:lower():find("cluster not found", 1, true) then
    local there = aws.json(target.aws, { "ecs", "list-clusters" }, "the clusters")
    local names = asked.names_of(there and there.clusterArns)
    target.told.there = failure.meant(target.ecs.cluster or "", names,
      "there: " .. asked.listed(names) .. "; another region is set by the profile or AWS_REGION")
    target.told.region = aws.region(target.aws)
  elseif said:find "endpoint URL" then
    target.told.region = aws.region(target.aws)
  end
  if said == "timeout" then return fail(target, "AWS does not answer", "is there a way to the internet from here?") end
  return nil, troubles.of(said, "end", target.via, target.told)
end

--- Asks AWS.
---@param target Target
---@param words string[]
---@param what string     in words: "the clusters"
---@return table? answer
---@return Failure? err
function asked.of_aws(target, words, what)
  local answer, said = aws.json(target.aws, words, what)
  if answer then return answer end
  return asked.refused(target, said)
end

--- The services of a cluster.
---@param target Target
---@param cluster string
---@return string[]? names
---@return Failure? err
function asked.services(target, cluster)
  local answer, err = asked.of_aws(target, { "ecs", "list-services", "--cluster", cluster },
    "the services of " .. cluster)
  return answer and asked.names_of(answer.serviceArns), err
end

return asked
