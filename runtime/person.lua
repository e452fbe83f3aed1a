--- The person before a run, where there is one: a run of theirs at a terminal may ask and show them something. Nobody
--- sits before what somebody else's words had begin.

local terminal = require "runtime.terminal"

local person = {}

local function there(o) return not o.occasion and terminal.is_interactive(o) end

---@param o table   settled options
---@return (fun(question: string): string?)?   nil where nobody may be asked
function person.asker(o)
  if not there(o) then return nil end
  return function(question) return (terminal.ask(question)) end
end

--- What a person should see before anything of it is done, also where nobody can be asked.
---@param o table
---@return (fun(text: string))?   nil where nobody wants to see it
function person.shower(o)
  if o.quiet and not there(o) then return nil end
  return terminal.show
end

return person
