--- How an action looks to a person: a line of the list, and all there is to know before they decide. What
--- the node or a model wrote is shown plain, and a model's reason between quotes.

local actions = require "runtime.actions"
local json = require "runtime.json"
local plain, cut = require("runtime.plain").text, require("runtime.plain").cut

local action_words = {}

local LONGEST = 2000 -- bytes of one figure: fifty names are seen whole

local STATES = {
  proposed = "proposed: nothing was done", superseded = "proposed again since, under another id",
  rejected = "rejected", approved = "approved, and not done yet", executing = "being done now",
  executed = "done; whether it helped was not looked at yet", verified = "done, and it did what it was for",
  not_verified = "not verified", failed = "failed", unknown = "unknown: it may have been done",
}

--- How far it came.
---@param p Proposal
---@return string
function action_words.state(p) return STATES[p.state] or p.state end

--- Its arguments, as name = value.
---@param p { arguments: table<string, any> }
---@return string
function action_words.arguments(p)
  local names, out = {}, {}
  for name in pairs(p.arguments) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do out[i] = ("%s = %s"):format(name, json.encode(p.arguments[name])) end
  return plain(table.concat(out, ", "))
end

local function stamp(at) return os.date("!%Y-%m-%dT%H:%M:%SZ", at) end

--- A line of the list.
---@param p Proposal
---@return string
function action_words.line(p)
  return ("%-5s %-10s %s %s on %s  %s"):format(p.id, p.class, p.action, plain(p.object), plain(p.node),
    action_words.state(p))
end

local LONGEST_TYPED = 100

--- What a person types to approve it: the object's name; the id where the name is long, or not what it looks like.
---@param p Proposal
---@return string
function action_words.confirmation(p)
  local name = p.object
  local as_shown = plain(name) == name and not name:find "^%s" and not name:find "%s$"
  return as_shown and #name > 0 and #name <= LONGEST_TYPED and name or p.id
end

local function who(by)
  if type(by) ~= "table" then return "?" end
  local name = by.name and " " .. plain(by.name) or ""
  return plain(by.kind or "?") .. name .. (by.model and (" (%s)"):format(plain(by.model)) or "")
end

local function figure_lines(add, figures, heading)
  local names = {}
  for name in pairs(figures) do if name ~= "lost" then names[#names + 1] = name end end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = figures[name]
    local text = type(value) == "string" and value or json.encode(value)
    add(i == 1 and heading or "", ("%s: %s"):format(plain(name), cut(text, LONGEST)))
  end
  if figures.lost ~= nil then add("is lost", cut(figures.lost, LONGEST)) end
end

local function undo_text(p)
  local e = actions.find(p.action)
  return e and (e.undo_doc or "see `beamlens-run actions undo` after it") or "nobody knows: there is no such action now"
end

--- All there is to know of one.
---@param p Proposal
---@param figures? table   those of now, in place of those of the proposal
---@return string
function action_words.all(p, figures)
  local e = actions.find(p.action)
  local lines = { ("%s  %s %s  %s"):format(p.id, p.action, plain(p.object), p.class) }
  local function add(name, text) lines[#lines + 1] = ("   %-11s%s"):format(name, text) end
  add("state", plain(action_words.state(p) .. (p.outcome and p.outcome.message and ": " .. p.outcome.message or "")))
  add("node", plain(p.node))
  if e then add("it would", plain(e.title)) end
  if next(p.arguments) then add("with", action_words.arguments(p)) end
  figure_lines(add, figures or p.figures, p.performed_at and "it was" or "it is")
  add("to undo", plain(undo_text(p)))
  add("proposed", ("%s by %s"):format(stamp(p.proposed_at), who(p.by)))
  if p.reason ~= "" then add("because", ('"%s"'):format(plain(p.reason))) end
  if p.approval then
    add("approved", ("%s by %s"):format(stamp(p.approval.approved_at or 0), plain(p.approval.approver or "?")))
  end
  if p.performed_at then add("begun", stamp(p.performed_at)) end
  local undone_by = actions.undone_by(p)
  if undone_by then add("undone", "by " .. undone_by) end
  return table.concat(lines, "\n") .. "\n"
end

--- As JSON: what the text shows, and nothing that binds an approval.
---@param p Proposal
---@return table
function action_words.object(p)
  return {
    id = p.id, node = p.node, action = p.action, arguments = json.object(p.arguments), class = p.class,
    object = p.object, figures = json.object(p.figures), reason = p.reason, by = p.by, trace_id = p.trace_id,
    state = p.state, proposed_at = stamp(p.proposed_at),
    approved_at = p.approval and p.approval.approved_at and stamp(p.approval.approved_at) or json.null,
    approver = p.approval and p.approval.approver or json.null,
    performed_at = p.performed_at and stamp(p.performed_at) or json.null,
    authority = p.authority or json.null, outcome = p.outcome or json.null,
    undone_by = actions.undone_by(p) or json.null,
  }
end

return action_words
