--- Who looks without being named: where a run was given no skills, those of the applications that run on the node
--- join the usual ones. An application is known by the name of its supervisor.

local config = require "runtime.config"
local sorted_keys = require "runtime.sorted_keys"

local joining = {}

local WITH = { rabbit_sup = "rabbitmq", ejabberd_sup = "ejabberd" }

-- The names come as binaries, so that a node that has none of them gets no atom from the question.
local RUNS = "[B || B <- Names, try is_pid(whereis(binary_to_existing_atom(B))) catch error:badarg -> false end]."

local ANSWER = { timeout = 3, priority = "normal" }

--- For the build, which parses what is sent.
function joining.own_texts() return { RUNS } end

--- A run's skills with those that join; nobody joins where they were named by somebody. A node that does not answer
--- this is investigated all the same, and the others' questions tell of it.
---@param names string[]
---@param o table      settled options
---@param node table   one question to it
---@return string[] names
function joining.with(names, o, node)
  local all = { unpack(names) }
  if o.skills ~= config.default "skills" or #(o.operators or {}) > 0 then return all end
  local found, runs = node.query(RUNS, { Names = sorted_keys(WITH) }, ANSWER), {}
  for _, name in ipairs(type(found) == "table" and found or {}) do runs[tostring(name)] = true end
  for _, name in ipairs(sorted_keys(WITH)) do -- each once, whatever a node answers
    if runs[name] then all[#all + 1] = WITH[name] end
  end
  return all
end

return joining
