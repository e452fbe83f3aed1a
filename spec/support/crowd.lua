--- Loads spec/support/crowd.erl, or another of that folder, into a live node, which compiles it in memory.

local LOAD = [[
  Forms = fun Forms([], _) -> [];
              Forms([{dot, _} = D | T], A) ->
                {ok, F} = erl_parse:parse_form(lists:reverse([D | A])), [F | Forms(T, [])];
              Forms([X | T], A) -> Forms(T, [X | A]) end,
  {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Source)),
  {ok, M, Code} = compile:forms(Forms(Tokens, [])),
  {module, M} = code:load_binary(M, "crowd.erl", Code),
  true.]]

local crowd = {}

---@param at table         what live_node.start gave
---@param module? string   another file beside it
function crowd.load(at, module)
  local file = assert(io.open(("spec/support/%s.erl"):format(module or "crowd")))
  local source = file:read "*a"
  file:close()
  at.eval(LOAD, { Source = source })
end

--- Whether `value` lies between what the node said before and after it, the ends included.
function crowd.between(low, value, high)
  assert(low <= value and value <= high, ("%s is not between %s and %s"):format(value, low, high))
end

function crowd.find(rows, name)
  for _, row in ipairs(rows) do if row.name == name then return row end end
end

return crowd
