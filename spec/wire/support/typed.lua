--- Requests held against the types of the official SDKs: each body, as it went over the wire, becomes a
--- literal of its type in a file of TypeScript, and the compiler reads them all.

local async = require "runtime.async"
local aimock = require "spec.wire.support.aimock"
local program = require "spec.support.program"
local root = require("host.files").root

local typed = {}

local BODIES = root .. "/build/wire/bodies"
local OPTIONS = { "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext",
  "--moduleResolution", "bundler", "--allowImportingTsExtensions" }
local PATIENCE_S = 120

local folder

--- An empty folder for them, with the types that no SDK exports as they are sent.
---@param name string   of the folder
function typed.open(name)
  folder = ("%s/%s"):format(BODIES, name)
  os.execute(("rm -rf '%s' && mkdir -p '%s' && cp '%s'/spec/wire/types/*.ts '%s'"):format(folder, folder, root, folder))
end

--- Writes one down.
---@param name string
---@param form Form
---@param body string   JSON, which is TypeScript too
function typed.add(name, form, body)
  local file = assert(io.open(("%s/%s.ts"):format(folder, name), "w"))
  local literal = form.more and body:gsub("^{", function() return "{" .. form.more .. "," end) or body
  file:write(("%s\nexport const request: %s = %s;\n"):format(form.import, form.type, literal))
  file:close()
end

--- Has the compiler read what was written down.
---@param names string[]
---@return table<string, string> wrong   by name, what the compiler said first
function typed.check(names)
  assert(names[1], "nothing was recorded")
  local args = { root .. "/build/wire/node_modules/.bin/tsc", unpack(OPTIONS) }
  for _, name in ipairs(names) do args[#args + 1] = name .. ".ts" end
  local wrong, said, code = {}, nil, nil
  async.run(function()
    local running = program.start(args, { path = aimock.node, cwd = folder })
    code = running.wait(PATIENCE_S)
    said = running.stdout() .. running.stderr()
  end)
  for line in said:gmatch "[^\n]+" do
    local name, why = line:match "^([%w_%-]+)%.ts%(%d+,%d+%): error (.*)$"
    if name then
      wrong[name] = wrong[name] or why
    elseif line:find "error TS" or not line:find "^%s" then
      error("tsc: " .. said)
    end
  end
  if not (code == 0 or code and next(wrong)) then error(("tsc ended with %s: %s"):format(tostring(code), said)) end
  return wrong
end

return typed
