--- What the lines of a cassette may hold. Somebody else may have made the file, so each line is looked at once, when it
--- is read, and everything behind that may rely on it. Values of a node (`answer`) and words of a model (`said`) are
--- any JSON; who uses them expects no more.

local config = require "runtime.config"
local json = require "runtime.json"

local cassette_form = {}

local LONGEST_S = 30 * 86400
local MOST_SKILLS = 64
local NAME_LENGTH = 200

local is = {}

function is.text(v) return type(v) == "string" end
function is.name(v) return type(v) == "string" and #v > 0 and #v <= NAME_LENGTH and not v:find "%c" end
-- A file of data chooses no code: no folders in it. Of a file of the user's only the last part was written down.
function is.bare(v) return is.name(v) and v:match "^[%w_%-.]+$" ~= nil and not v:find("..", 1, true) end
function is.flag(v) return type(v) == "boolean" end
function is.table(v) return type(v) == "table" end
function is.number(v) return type(v) == "number" and v == v and math.abs(v) < 1e15 end
function is.seconds(v) return type(v) == "number" and v >= 0 and v <= LONGEST_S end
function is.count(v) return type(v) == "number" and v >= 1 and v <= 1e9 and v % 1 == 0 end

local function list_of(check, most)
  return function(v)
    if type(v) ~= "table" or #v > (most or math.huge) then return false end
    local count = 0
    for _, item in pairs(v) do
      count = count + 1
      if not check(item) then return false end
    end
    return count == #v
  end
end

is.names = list_of(is.name)

function is.skills(v)
  local seen = {}
  for _, name in ipairs(list_of(is.bare, MOST_SKILLS)(v) and v or {}) do
    if seen[name] then return false end
    seen[name] = true
  end
  return next(seen) ~= nil
end

function is.agent(v) return v == "coordinator" or v == "operator" end

-- An option that would not be taken from a config file is not taken from here either.
local function as_option(name)
  return function(v) return (type(v) == "table" or type(v) == "number") and config.check(name, v) ~= nil end
end

local function fields(form)
  return function(v)
    if type(v) ~= "table" then return false end
    for name, check in pairs(form) do
      local optional = name:sub(-1) == "?"
      local value = v[optional and name:sub(1, -2) or name]
      if not (optional and value == nil or check(value)) then return false end
    end
    return true
  end
end

local usage = fields { ["input?"] = is.number, ["output?"] = is.number, ["cache_read?"] = is.number,
  ["cache_write?"] = is.number, ["cost_usd?"] = is.number }
local failed = fields { class = is.text, message = is.text }
local fault = fields { message = is.text, ["stage?"] = is.text }

--- The first line.
cassette_form.head = fields {
  agent = is.agent, node = is.name, skills = is.skills, recorded_at = is.name, ["reason?"] = is.text,
  ["task?"] = is.text, ["question?"] = is.text, ["strategy?"] = is.bare, ["hosts?"] = is.names,
  ["deadline?"] = as_option "deadline", ["limits?"] = as_option "limits", ["chunk?"] = as_option "chunk",
  mind = fields { name = is.name, ["model?"] = is.text, destination = is.flag },
}

local function or_null(check)
  return function(v) return v == json.null or check(v) end
end

local action = fields { ["id?"] = or_null(is.text), action = is.text, object = is.text, class = is.text,
  state = is.text, reason = is.text, ["figures?"] = is.table, ["outcome?"] = or_null(fields { message = is.text }) }
local insight = fields { severity = is.text, root_cause = fields { object = is.text, mechanism = is.text } }

--- The line before the last.
cassette_form.last = fields {
  ["state?"] = is.name, ["seconds?"] = is.seconds,
  report = fields { verdict = is.name, insights = list_of(insight), ["actions?"] = list_of(action),
    ["versions?"] = is.table },
}

-- A line is known by one of its fields.
local KINDS = {
  query = fields { query = is.name, with = is.text, ["by?"] = is.text, ["took?"] = is.seconds,
    ["answer?"] = is.table, ["fault?"] = fault },
  used = fields { used = is.text, with = is.name, ["took?"] = is.seconds, answer = is.table },
  reached = fields { reached = is.name, answer = is.table },
  ask = fields { ask = is.name, turn = is.count, sums = is.table },
  reply = fields { reply = is.name, turn = is.count, ["t?"] = is.seconds, ["failed?"] = failed,
    ["said?"] = fields { ["usage?"] = usage, ["calls?"] = is.table } },
  permit = fields { permit = is.name, ok = is.flag },
  observed = fields { observed = is.name, operator = is.name, kind = is.name, sum = is.name, ["at?"] = is.name },
}

--- Whether a line between them is one that we write.
---@param entry table
---@return boolean
function cassette_form.entry(entry)
  for kind, fits in pairs(KINDS) do
    if entry[kind] ~= nil then
      local whole = kind ~= "query" and kind ~= "reply" or entry.answer or entry.fault or entry.said or entry.failed
      return whole and fits(entry) or false
    end
  end
  return false
end

return cassette_form
