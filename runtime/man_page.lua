--- The man page, in roff's own words, from the tables that do the work.

local manual = require "runtime.manual"

local man_page = {}

-- What roff would show as something else.
local GLYPHS = { ["\\"] = "\\e", ["-"] = "\\-", ["'"] = "\\(aq", ["`"] = "\\(ga", ["^"] = "\\(ha", ["~"] = "\\(ti",
  ['"'] = "\\(dq" }

-- ASCII only: of what a terminal cannot show, it would have nothing. A dot at the beginning of a line is an order.
local function escaped(text)
  text = text:gsub("[\\%-'`^~\"]", GLYPHS):gsub("…", "...")
  text = text:gsub(",(%S)", ",\\:%1") -- a list may be broken there
  return (text:gsub("^%.", "\\&."):gsub("\n%.", "\n\\&."))
end

local function bold(text) return ".B " .. escaped(text) end

local function tagged(head, text) return { ".TP", bold(head), escaped(text) } end

local function add(page, lines) for _, line in ipairs(lines) do page[#page + 1] = line end end

local function prose(page, text)
  for part, as_it_is in manual.paragraphs(text) do
    if as_it_is then
      add(page, { ".PP", ".nf", escaped(part), ".fi" })
    else
      add(page, { ".PP", escaped((part:gsub("\n", " "))) })
    end
  end
end

local function command(page, name)
  local c = manual.command(name)
  add(page, { ".SS " .. escaped(c.usage) })
  add(page, { escaped(c.doc:gsub("^%l", string.upper) .. ".") })
  for _, option in ipairs(manual.options(name)) do add(page, tagged(manual.flag(option), manual.about(option))) end
  if c.more then prose(page, c.more) end
  for _, example in ipairs(c.examples) do add(page, tagged(example[1], example[2])) end
end

---@return string
function man_page.text()
  local page = {
    ('.TH BEAMLENS\\-RUN 1 "" "beamlens\\-run %s" "User Commands"'):format(escaped(require "runtime.version")),
    ".ad l", ".nh", -- lines are copied: no room between words, no hyphens in them
    ".SH NAME", "beamlens\\-run \\- says what is wrong with a running BEAM node, and why",
    ".SH SYNOPSIS", bold "beamlens-run COMMAND [words] [options]", ".br",
    bold "beamlens-run SCRIPT.lua [options] [-- args]",
    ".SH DESCRIPTION",
  }
  prose(page, manual.ABOUT)
  add(page, { ".SH COMMANDS" })
  for _, group in ipairs(manual.GROUPS) do
    for _, name in ipairs(group) do command(page, name) end
  end
  add(page, { ".SH OPTIONS" })
  prose(page, manual.OF_EVERY)
  for _, option in ipairs(manual.options()) do add(page, tagged(manual.flag(option), manual.about(option))) end
  add(page, { ".SH EXIT STATUS" })
  for _, exit in ipairs(manual.EXITS) do add(page, tagged(tostring(exit[1]), exit[2])) end
  add(page, { ".SH ENVIRONMENT" })
  for _, variable in ipairs(manual.VARIABLES) do add(page, tagged(variable[1], variable[2])) end
  add(page, { ".SH FILES" })
  for _, file in ipairs(manual.FILES) do add(page, tagged(file[1], file[2])) end
  return table.concat(page, "\n") .. "\n"
end

return man_page
