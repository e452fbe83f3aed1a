--- What made somebody look, as the agents of a run are told it. A person's reason, and a figure of the monitor's,
--- stand where we speak ourselves. The words of a watcher or an alert may quote the node, so they come inside a
--- tool's result, marked as what the node says is; we say but who spoke, in words of a closed list.

local utf8 = require "runtime.utf8"

local occasion = {}

local LONGEST = 2000 -- bytes, of others' words

--- A name that says nothing but what it names.
---@param text any
---@param most integer   bytes
---@return string?
function occasion.name(text, most)
  return type(text) == "string" and #text <= most and text:match "^[%w_.:-]+$" or nil
end

--- What we say of it ourselves.
---@param case Case
---@return string
function occasion.told(case)
  local text = case.occasion or case.reason
  return text ~= "" and case.clean(text) or "nothing in particular; find out how it is"
end

--- The same for who calls tools, and so gets to read the rest.
---@param case Case
---@return string
function occasion.task(case)
  return occasion.told(case) .. (case.occasion and '; its words come with your first result, as "alert"' or "")
end

--- The words that belong inside a tool's result.
---@param case Case
---@return string?
function occasion.alert(case)
  local words = case.occasion and case.reason
  return words and (#words <= LONGEST and words or utf8.cut(words, LONGEST - 3) .. "…")
end

return occasion
