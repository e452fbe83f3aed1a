--- The person before a run, where there is one: a run of theirs at a terminal may ask and show them something. Nobody
--- sits before what somebody else's words had begin.

local filled = require "runtime.filled"
local progress = require "runtime.progress"
local screen = require "runtime.screen"
local terminal = require "runtime.terminal"

local person = {}

local INDENT = 3

-- To the width of the terminal, lines that belong to what stands above them further in.
local function fitted(text)
  local columns = screen.err_columns()
  if not columns then return text end
  return (text:gsub("[^\n]+", function(line)
    local blank = line:match "^ *"
    return blank .. filled.text(line:sub(#blank + 1), #blank + INDENT, columns - 1)
  end))
end

local function show(text)
  progress.aside()
  terminal.show(fitted(text))
end

local function there(o) return not o.occasion and terminal.is_interactive(o) end

---@param o table   settled options
---@return (fun(question: string): string?)?   nil where nobody may be asked
function person.asker(o)
  if not there(o) then return nil end
  return function(question)
    show(question)
    return (terminal.ask "Run it? [y/N]")
  end
end

--- What a person should see before anything of it is done, also where nobody can be asked.
---@param o table
---@return (fun(text: string))?   nil where nobody wants to see it
function person.shower(o)
  if o.quiet and not there(o) then return nil end
  return show
end

return person
