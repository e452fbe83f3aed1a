--- What a relay file must look like: it is data and small functions like a skill's, of `skills/relays/`.

local files = require "runtime.files"
local form = require "runtime.skill_form"
local node_relay = require "runtime.node.relay"
local ours = require "host.files"

local relay_form = {}

---@class Relay
---@field name string
---@field about string           one line for people
---@field class "SAFE"|"CAUTION"
---@field keep integer           events that are kept here, the newest
---@field per_second integer     events that the worker passes on; more are dropped on the node, and counted
---@field variables table<string, number|string>   of its Erlang, with their defaults
---@field text string            Erlang expressions that bind State, On, Off, Take, Every and Beat, the last with a
---  comma: On = fun(Worker) -> ok | {taken, Text} | {missing, Text}, run by the janitor before the worker goes;
---  Off = fun(Worker), may run twice and undoes only what is ours; Take = fun(Message, State) ->
---  {event, Payload, State} | {drop, Count, State} | {none, State} | {stop, Why, State};
---  Beat = fun(State) -> State, each Every ms (0: never)
---@field read fun(payload: any): table?   an event as a flat table, nothing when it is none for us; `unix_us` tells
---  when it was, by the node's clock, better than when the worker passed it on
---@field query string           set here: the whole text that starts it
---@field shipped? boolean       set here: what runs on the node is ours

local FIELDS = { name = "string", about = "string", class = "string", keep = "number", per_second = "number",
  variables = "table", text = "string", read = "function" }
local CLASSES = { SAFE = true, CAUTION = true }
local BOUND = { "State", "On", "Off", "Take", "Every", "Beat" }
local TAKEN = { Ctl = true, PerSecond = true, Lease = true }

local function fault(r)
  for key, wanted in pairs(FIELDS) do
    if type(r[key]) ~= wanted then return ("%s must be a %s"):format(key, wanted), key end
  end
  if not CLASSES[r.class] then return "class must be SAFE or CAUTION", "class" end
  for _, key in ipairs { "keep", "per_second" } do
    if r[key] < 1 or r[key] % 1 ~= 0 then return key .. " must be a whole number above 0", key end
  end
  for _, word in ipairs(BOUND) do
    if not r.text:find("%f[%w]" .. word .. "%s*=") then return "the text never binds " .. word, "text" end
  end
  if not r.text:match ",%s*$" then return "the text must end in a comma", "text" end
  for name, value in pairs(r.variables) do
    if TAKEN[name] then return name .. " is bound by the runtime", name end
    if type(value) ~= "number" and type(value) ~= "string" then return name .. " must be a number or a string", name end
  end
end

-- A copy of one of ours, with another `keep` perhaps: what runs on the node is the same.
local function is_ours(name, r)
  local text = ours.read(("skills/relays/%s.lua"):format(name))
  local own = text and form.evaluate(text, name, nil, true)
  return own ~= nil and own.text == r.text and own.class == r.class
end

---@param name string
---@return Relay?
---@return Failure? err   with file and line
function relay_form.open(name)
  local text, file, shipped = files.read(("skills/relays/%s.lua"):format(name))
  if not text then return nil, file end
  local r, err = form.evaluate(text, file, nil, shipped)
  if not r then return nil, err end
  local why, word = fault(r)
  if why then return nil, form.broken(why, word, text, file) end
  r.query, r.shipped = node_relay.text(r.text), shipped or is_ours(name, r)
  return r
end

--- All that there are.
---@return string[] sorted
function relay_form.names() return files.list("skills/relays", ".lua") end

return relay_form
