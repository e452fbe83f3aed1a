--- What a POST /run asks for: a plain reason, a JSON object, or what Alertmanager sends to a webhook. curl -d calls all
--- of these a form, so there it is the first character that tells.
--- Whoever sends it may start a run, but the words come from wherever the alert did: they are cut,
--- bounded, stand in quotes, and are never a message of ours to a model (runtime/occasion.lua).

local json = require "runtime.json"
local occasion = require "runtime.occasion"
local plain = require "runtime.plain"
local utf8 = require "runtime.utf8"

local reason = {}

---@class RunWanted
---@field reason string
---@field occasion string   what we say of it ourselves
---@field skills? string[]
---@field node? string
---@field key string     two wants with one key are the same want

local LONGEST = 1000
local LABELS, LABEL_NAME, LABEL_VALUE = 8, 40, 80
local ALERTS = 5
local MOST_SKILLS = 20
local ASKED = "somebody asked for a run"
local FIELDS = { reason = true, skills = true, node = true }

local function fail(message) return nil, message end

local function words(text)
  if type(text) ~= "string" then return nil end
  text = plain.cut(text, LONGEST):match "^%s*(.-)%s*$"
  return text ~= "" and text or nil
end

local function read_skills(list)
  if list == nil then return nil end
  if type(list) ~= "table" or #list == 0 or #list > MOST_SKILLS then
    return nil, ("skills must be a list of 1 to %d names"):format(MOST_SKILLS)
  end
  local names = {}
  for i, name in ipairs(list) do
    -- A path would have us load a file that the sender chose.
    if type(name) ~= "string" or not name:match "^[a-z][a-z0-9_]*$" or #name > LABEL_NAME then
      return nil, "a skill is named by a word, as `beamlens-run skills` lists them"
    end
    names[i] = name
  end
  return names
end

local function of_object(body, node)
  for key in pairs(body) do
    if not FIELDS[key] then
      return fail(("there is no field %s; there are reason, skills and node"):format(plain.cut(key, LABEL_NAME)))
    end
  end
  local text = words(body.reason)
  if not text then return fail "say why in reason, a text" end
  local skills, err = read_skills(body.skills)
  if err then return fail(err) end
  if body.node ~= nil and type(body.node) ~= "string" then return fail "node must be a text" end
  if node and body.node and body.node ~= node then
    return fail "the body names another node than the address does; name it in one of them"
  end
  node = body.node or node
  return { reason = text, occasion = ASKED, skills = skills, node = node,
    key = json.encode { text, node or "", skills or {} } }
end

local function quoted(text, most) return json.encode(plain.cut(text, most)) end

local function sorted_labels(labels)
  local names, out = {}, {}
  for name, value in pairs(labels) do
    if type(name) == "string" and type(value) == "string" and name ~= "alertname" then names[#names + 1] = name end
  end
  table.sort(names)
  for i = 1, math.min(#names, LABELS) do
    out[i] = ("%s=%s"):format(plain.cut(names[i], LABEL_NAME), quoted(labels[names[i]], LABEL_VALUE))
  end
  if #names > LABELS then out[#out + 1] = ("%d more labels"):format(#names - LABELS) end
  return table.concat(out, ", ")
end

local function table_of(value) return type(value) == "table" and value or {} end

local function of_alert(alert)
  local labels, notes = table_of(alert.labels), table_of(alert.annotations)
  local text = quoted(type(labels.alertname) == "string" and labels.alertname or "an alert without a name", LABEL_VALUE)
  local shown = sorted_labels(labels)
  if shown ~= "" then text = ("%s (%s)"):format(text, shown) end
  local says = words(notes.summary) or words(notes.description) or words(notes.message)
  return says and ("%s: %s"):format(text, quoted(says, LONGEST / 2)) or text
end

local function firing_of(alerts)
  local firing = {}
  for _, alert in ipairs(alerts) do
    if type(alert) == "table" and alert.status ~= "resolved" then firing[#firing + 1] = alert end
  end
  return firing
end

-- The one node that runs on the host of an instance: 10.0.0.7:9100.
local function on_host(instance, known)
  local host, found = instance:match "^%[?([^%]]-)%]?:%d+$" or instance, nil
  for _, watched in ipairs(known) do
    if watched:match "@(.+)$" == host then
      if found then return nil end
      found = watched
    end
  end
  return found
end

-- The node that an alert is about, where it is watched: by its label `node`, else by the host of `instance`.
local function node_of(firing, known)
  for _, alert in ipairs(firing) do
    local labels = table_of(alert.labels)
    for _, watched in ipairs(known) do
      if watched == labels.node then return watched end
    end
    local there = type(labels.instance) == "string" and on_host(labels.instance, known)
    if there then return there end
  end
end

-- The names of alerts that are names, as rules have them.
local function occasion_of(firing)
  local names, seen = {}, {}
  for i = 1, math.min(#firing, ALERTS) do
    local name = occasion.name(table_of(firing[i].labels).alertname, LABEL_VALUE)
    if name and not seen[name] then names[#names + 1], seen[name] = name, true end
  end
  return #names > 0 and "an alert fired: " .. table.concat(names, ", ") or "an alert fired"
end

local function of_alerts(body, known, node)
  local firing = body.status == "resolved" and {} or firing_of(body.alerts)
  if #firing == 0 then return { resolved = true } end
  local texts = {}
  for i = 1, math.min(#firing, ALERTS) do texts[i] = of_alert(firing[i]) end
  if #firing > ALERTS then texts[#texts + 1] = ("%d more alerts"):format(#firing - ALERTS) end
  local text = "firing, as Alertmanager reports it: " .. table.concat(texts, "; ")
  text = #text <= LONGEST and text or utf8.cut(text, LONGEST - 3) .. "…"
  node = node_of(firing, known) or node
  local group = type(body.groupKey) == "string" and body.groupKey ~= "" and body.groupKey or text
  return { reason = text, occasion = occasion_of(firing), node = node, key = ("%s on %s"):format(group, node or "any") }
end

local UNSAID = { [""] = true, ["application/x-www-form-urlencoded"] = true } -- curl -d says so, whatever it sends
local JSON = "application/json"
local EXAMPLE = [[curl -d '{"reason":"memory alert","skills":["beam"]}']]

local function kind_of(body, kind)
  kind = (kind or ""):lower():match "^%s*([^;%s]*)"
  if UNSAID[kind] then return body:find "^%s*{" and JSON or "text/plain" end
  return kind
end

local function decode(body)
  local object, err = json.decode(body)
  if type(object) == "table" then return object end
  local place = err and tostring(err):match "at character (%d+)"
  if not place then return fail("the body is no JSON object, as in " .. EXAMPLE) end
  if tonumber(place) > #body then return fail("the body is JSON that breaks off; send it whole, as in " .. EXAMPLE) end
  return fail(("the body is no JSON from character %s on; send it as in %s"):format(place, EXAMPLE))
end

--- Reads the body of a POST /run.
---@param body string
---@param kind? string      its Content-Type
---@param known string[]    the nodes that are watched
---@param node? string      that the address names
---@return RunWanted|{ resolved: true }|nil
---@return string? why       what is wrong with it
---@return integer? status   of the answer, if not 400
function reason.read(body, kind, known, node)
  kind = kind_of(body, kind)
  if utf8.well_formed(body) ~= body then return fail "the body is not in UTF-8" end
  if kind == "text/plain" then
    local text = words(body)
    if not text then return fail "say why in the body: curl -d 'memory alert'" end
    return { reason = text, occasion = ASKED, node = node, key = json.encode { text, node or "", {} } }
  end
  if kind ~= JSON then return nil, "send text/plain or application/json", 415 end
  local object, err = decode(body)
  if not object then return fail(err) end
  if type(object.alerts) == "table" then return of_alerts(object, known, node) end
  return of_object(object, node)
end

return reason
