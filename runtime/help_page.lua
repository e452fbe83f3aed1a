--- The texts of `help`: the overview, and what one command does.

local filled = require "runtime.filled"
local manual = require "runtime.manual"
local typeset = require "runtime.typeset"

local page = {}

local INDENT, ROOM = 2, 34 -- columns; what is said beside a line wants some
local CODE = { on = "\27[36m", off = "\27[0m" }

local function options(command, out)
  local list = {}
  for i, option in ipairs(manual.options(command)) do list[i] = { manual.flag(option), manual.about(option) } end
  return #list > 0 and typeset.entries(list, out) or ""
end

local function prose(text, out) return filled.text(text, 0, out.width) end

local function paragraphs(text, out)
  local parts = {}
  for part, as_it_is in manual.paragraphs(text) do
    parts[#parts + 1] = as_it_is and part or prose(part, out)
  end
  return table.concat(parts, "\n\n") .. "\n"
end

-- Beside each other where there is room, else what it is for stands below the line.
local function examples(list, out)
  local longest = 0
  for _, example in ipairs(list) do longest = math.max(longest, #example[1]) end
  if longest <= out.width - ROOM then return typeset.entries(list, out) end
  local lines = {}
  for _, example in ipairs(list) do
    local shown = out.color and CODE.on .. example[1] .. CODE.off or example[1]
    lines[#lines + 1] = ("  %s\n      %s\n"):format(shown, filled.text(example[2], 6, out.width))
  end
  return table.concat(lines)
end

local function exits(out)
  local parts = {}
  for i, exit in ipairs(manual.EXITS) do parts[i] = ("%d %s"):format(exit[1], exit[2]) end
  return prose("Exit: " .. table.concat(parts, "; ") .. ".", out) .. "\n"
end

--- All commands, those that matter first, and the options of every one.
---@param out { width: integer, color?: boolean }
---@return string
function page.overview(out)
  local parts = { prose("beamlens-run attaches to a running BEAM node and says what is wrong with it and why, "
    .. "by looking only. The first to type:", out) .. "\n\n  beamlens-run health --node shop@host\n" }
  local widest = 0
  for _, group in ipairs(manual.GROUPS) do
    for _, name in ipairs(group) do widest = math.max(widest, #manual.command(name).usage) end
  end
  for _, group in ipairs(manual.GROUPS) do
    local list = {}
    for i, name in ipairs(group) do
      local command = manual.command(name)
      list[i] = { command.usage .. (" "):rep(widest - #command.usage), command.doc }
    end
    parts[#parts + 1] = group.title .. ":\n" .. typeset.entries(list, out)
  end
  parts[#parts + 1] = prose("`beamlens-run help COMMAND` tells its own options, with examples. "
    .. manual.OF_EVERY:gsub("%.$", ":"), out)
    .. "\n" .. options(nil, out)
  parts[#parts + 1] = prose("What only the config file sets (limits, anomaly, watchers, sinks, hosts, …) stands in "
    .. "examples/config.lua: `beamlens-run init` makes one.", out) .. "\n"
  parts[#parts + 1] = exits(out)
  return table.concat(parts, "\n")
end

--- One command.
---@param name string
---@param out { width: integer, color?: boolean }
---@return string
function page.of(name, out)
  local command = manual.command(name)
  local parts = { ("beamlens-run %s\n  %s\n"):format(command.usage, filled.text(command.doc, INDENT, out.width)) }
  local own = options(name, out)
  if own ~= "" then parts[#parts + 1] = own end
  parts[#parts + 1] = examples(command.examples, out)
  if command.more then parts[#parts + 1] = paragraphs(command.more, out) end
  parts[#parts + 1] = prose("--node and the other options of every command: `beamlens-run help`", out) .. "\n"
  return table.concat(parts, "\n")
end

return page
