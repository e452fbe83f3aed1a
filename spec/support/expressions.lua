--- Parses many Erlang expressions on a live node at once and brings their forms home.

local etf = require "host.etf"

local PARSE = [[
[case erl_scan:string(unicode:characters_to_list(S)) of
  {ok, T, _} ->
    case erl_parse:parse_exprs(T) of
      {ok, Es} -> term_to_binary(Es);
      {error, {L, M, D}} -> {L, unicode:characters_to_binary(M:format_error(D))}
    end;
  {error, {L, M, D}, _} -> {L, unicode:characters_to_binary(M:format_error(D))}
end || S <- Texts].]]

local expressions = {}

--- The forms of each text; the full stop may be left out.
---@param at table      the live node
---@param texts string[]
---@return table<string, table> forms  by text
function expressions.parse(at, texts)
  local stopped = {}
  for i, text in ipairs(texts) do stopped[i] = text:match "%.%s*$" and text or text .. "." end
  local parsed, forms, wrong = at.eval(PARSE, { Texts = stopped }), {}, {}
  for i, each in ipairs(parsed) do
    if etf.kind(each) == "binary" then
      forms[texts[i]] = etf.decode(each)
    else
      wrong[#wrong + 1] = ("%s: line %s: %s"):format(texts[i], tostring(each[1]), tostring(each[2]))
    end
  end
  if #wrong > 0 then error(table.concat(wrong, "\n")) end
  return forms
end

return expressions
