--- `doctor`: what is here, what is missing, and how to get it.

local checks = require "runtime.doctor_checks"
local config = require "runtime.config"
local failure = require "runtime.failure"
local json = require "runtime.json"
local filled = require "runtime.filled"
local screen = require "runtime.screen"

local doctor = {
  usage = "doctor",
  words = 0,
  doc = "what is here, what is missing, how to get it",
  examples = {
    { "beamlens-run doctor", "what is set up here" },
    { "beamlens-run doctor --node shop@host", "attaches, and says what of that node can be looked at" },
    { "beamlens-run doctor --via docker:shop", "the same through a door: its program, what is found behind it" },
  },
  more = "Exit 0 when nothing is bad, else that of the first that is: 2 for what is set up here, 3 for a node that is "
    .. "not reached.",
}

local SETUP = 2

-- What to do as text, and what not doing it leads to.
local function advice(step)
  if failure.is(step) then return step.next, step.exit end
  return step, SETUP
end

local function look(context)
  local rows, exit = {}, 0
  for _, check in ipairs(checks) do
    local status, text, step
    if not check.node or context.options.node or context.options.via then status, text, step = check.run(context) end
    if status then
      if failure.is(step) and step.keys then
        step = config.placed(context.options, step)
        text = step.message
      end
      local next_step, code = advice(step)
      rows[#rows + 1] = { name = check.name, status = status, text = text, next = next_step }
      if status == "bad" and exit == 0 then exit = code end
    end
  end
  return rows, exit
end

local COLUMN = 16

local function as_text(rows, width)
  local lines = {}
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("%-9s %-5s %s"):format(row.name, row.status, filled.text(row.text, COLUMN, width))
    if row.next and row.status ~= "ok" then
      lines[#lines + 1] = (" "):rep(COLUMN) .. filled.text(row.next, COLUMN, width)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

function doctor.run(c)
  local beamlens = require "runtime.beamlens"
  beamlens.options = c.options
  local rows, exit = look { options = c.options, fault = c.fault }
  beamlens.close()
  require("runtime.sandbox").close()
  if not c.options.json then return as_text(rows, screen.out().width or math.huge), exit end
  for _, row in ipairs(rows) do row.next = row.next or json.null end
  return json.encode { schema = 1, well = exit == 0, checks = rows } .. "\n", exit
end

return doctor
