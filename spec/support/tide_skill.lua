--- A skill for specs that say themselves what its checks see: the word that a spec has put into the table `tide` of the
--- node. `flood` is ets_growth of the table ledger, `ebb` is ets_table_leak of it, anything else is nothing.

local uv = require "luv"

local tide_skill = {}

local TEXT = [==[
local function check(word, mechanism, more)
  local c = {
    id = "tide_" .. mechanism, mechanism = mechanism, suspect = function() return true end,
    look = { { "tide_now" } },
    confirm = function(results)
      local now = results[1]
      if tostring(now.word) ~= word then return nil end
      return { object = now.name, severity = "warning", confidence = "high",
        figures = { { look = 1, path = "rows", value = now.rows },
          { look = 1, path = "word", value = tostring(now.word) } },
        hypothesis = ("%s has %d rows, by %s"):format(now.name, now.rows, mechanism),
        unlike = { large_stable = "it moves" }, next_steps = { { text = "look who writes", risk = "SAFE" } } }
    end,
  }
  for key, value in pairs(more or {}) do c[key] = value end
  return c
end

return {
  name = "tide", title = "Tide", about = "how a table moves", prompt = "You watch a table.",
  queries = {
    size = "#{rows => ets:info(ledger, size)}.",
    now = [[#{rows => ets:info(ledger, size), word => ets:lookup_element(tide, word, 2),
      name => ets:lookup_element(tide, name, 2)}.]],
  },
  snapshot = "size",
  callbacks = {
    tide_now = { doc = "What ledger does.", class = "SAFE", returns = { "rows", "word", "name" }, query = "now" },
    tide_rows = { doc = "How many rows.", class = "SAFE", returns = { "rows" }, query = "size" },
    tide_clean = { doc = "Cleans.", class = "CAUTION", returns = { "rows" }, query = "size" },
  },
  checks = { check("flood", "ets_growth"), check("ebb", "ets_table_leak", { yields_to = { ets_growth = "same" } }) },
}
]==]

--- Its file, in a folder.
---@param folder string
---@return string path
function tide_skill.write(folder)
  local path = folder .. "/tide.lua"
  local file = assert(io.open(path, "w"))
  file:write(TEXT)
  file:close()
  assert(uv.fs_chmod(path, 384))
  return path
end

--- What the node runs for it.
tide_skill.CODE = [=[spawn(fun() -> [ets:new(Name, [named_table, public]) || Name <- [ledger, tide]],
  ets:insert(tide, [{word, flood}, {name, <<"ledger">>}]), ets:insert(ledger, [{N} || N <- lists:seq(1, 700)]),
  receive stop -> ok end end).]=]

--- What its checks see from now on.
---@param at table    a live node
---@param word string
function tide_skill.turn(at, word) at.eval("ets:insert(tide, {word, binary_to_atom(Word)}).", { Word = word }) end

--- What its table is called from now on.
---@param at table
---@param name string
function tide_skill.call(at, name) at.eval("ets:insert(tide, {name, Name}).", { Name = name }) end

return tide_skill
