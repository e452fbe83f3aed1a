--- A skill's check on a live node, look by look as the analyst makes them, but for the rests between two looks: what
--- a spec makes there stands.

local skill = require "runtime.skill"

local looked = {}

local function check_of(s, id)
  for _, check in ipairs(s.checks) do
    if check.id == id then return check end
  end
  error("no check " .. id)
end

--- Erlang that loads a module there, written as its forms, each a text that ends with a full stop.
---@param forms string[]
---@return string   for eval
function looked.module(forms)
  local texts = {}
  for i, form in ipairs(forms) do texts[i] = ("%q"):format(form) end
  return ([=[
    Form = fun(X) -> {ok, T, _} = erl_scan:string(X), {ok, F} = erl_parse:parse_form(T), F end,
    {ok, M, B} = compile:forms([Form(X) || X <- [%s]], [export_all, nowarn_export_all]),
    {module, M} = code:load_binary(M, "src", B), ok.]=]):format(table.concat(texts, ", "))
end

---@param name string    of the skill
---@param node table
---@param window? integer   milliseconds of each look at what rises, in place of the check's own
---@return fun(id: string): table? finding, integer looks   made before it had seen enough
function looked.at(name, node, window)
  local s = assert(skill.open(name))
  local callback = skill.functions(s, node)
  return function(id)
    local check, results = check_of(s, id), {}
    for i, look in ipairs(check.look) do
      local call = look
      if type(look) == "function" then call = look(results) end
      if not call then return nil, i - 1 end
      local args = { unpack(call, 2) }
      for k, arg in ipairs(args) do args[k] = window and type(arg) == "number" and arg >= 1000 and window or arg end
      results[i] = assert(callback[call[1]](unpack(args)))
    end
    return check.confirm(results), #check.look
  end
end

return looked
