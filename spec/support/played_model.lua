--- A model for specs: a provider that says what it is told to, turn by turn, and keeps what it
--- was asked. A turn is a reply, or a function of the request that makes one (or nil, err); the
--- last turn is repeated. Only the model is ever played; what it calls is real.

local played_model = {}

---@param turns (table|string|fun(request: table): table?, table?)[]
function played_model.played(turns)
  local provider = { name = "played", asked = {} }
  function provider:ask(request)
    self.asked[#self.asked + 1] = {
      system = request.system, tools = request.tools, messages = { unpack(request.messages) },
      max_tokens = request.max_tokens,
    }
    local turn = turns[#self.asked] or turns[#turns]
    if type(turn) == "function" then return turn(request) end
    return turn
  end
  return provider
end

--- Words and no call.
function played_model.says(text)
  return { text = text, calls = {}, stop = "done", usage = { input = 10, output = 2 } }
end

--- Calls, each { name, args, bad = text? }.
function played_model.calls(...)
  local list = {}
  for i, call in ipairs { ... } do
    list[i] = { id = "c" .. i, name = call[1], args = call[2] or {}, bad_args = call.bad }
  end
  return { text = "", calls = list, stop = "calls", usage = { input = 10, output = 2 } }
end

--- A mind of played providers: one for the coordinator, one for each skill.
---@param operators table<string, table>
---@param coordinator? table
function played_model.mind(operators, coordinator)
  return {
    name = "played",
    operator = function(s) return operators[s.name] end,
    coordinator = function() return coordinator end,
  }
end

--- The results that a request came with: of the calls of the turn before.
---@param request table   as kept in `asked`, or as given to a turn
function played_model.results(request)
  return request.messages[#request.messages].results
end

return played_model
