--- `beamlens-run SCRIPT.lua`: the user's own Lua, with `require "beamlens"`. What it returns is
--- the result: a report, an exit code, or nothing.

local uv = require "luv"
local failure = require "runtime.failure"
local files = require "runtime.files"
local json = require "runtime.json"
local ours = require "host.files"
local plain = require "runtime.plain"
local report_file = require "runtime.report_file"
local screen = require "runtime.screen"

local script = {
  usage = "SCRIPT.lua [-- ARGS]",
  words = math.huge, -- those behind its name are its arguments
  takes = { "script", "file" },
  doc = "look into a node: coordinator.lua, or one of yours",
  examples = {
    { "beamlens-run coordinator.lua --node shop@host", "the usual one: what is wrong, and why" },
    { "beamlens-run coordinator.lua --node shop@host --reason 'checkout is slow' --json", "for an alert" },
    { "beamlens-run coordinator.lua --node shop@host --report handoff.md", "with a document to hand on" },
    { "beamlens-run operator.lua --node shop@host -- ets", "one skill by itself" },
  },
  more = [[
`beamlens-run init examples/coordinator.lua` copies one to edit. What a script returns is the result: a report, whose
verdict is the exit code; or an exit code; or nothing.
]],
}

local SCRIPT_ERROR = 2

--- The scripts among our examples.
---@return string[]
function script.ours()
  local names = {}
  for _, path in ipairs(ours.embedded "examples/") do
    local name = path:match "^examples/([^/]+%.lua)$"
    if name and ours.read(path):find('require "beamlens"', 1, true) then names[#names + 1] = name end
  end
  return names
end

--- The text of a script: the file of that path, else ours of that name in examples/.
---@param word string
---@return string? text
---@return string|Failure shown   its name, or what is wrong
function script.find(word)
  if uv.fs_stat(word) then
    local text, err = files.read_users(word, "script")
    if not text then return nil, err end
    return text, word
  end
  local is_path, bare = word:find("/", 1, true) ~= nil, word:gsub("%.lua$", "")
  local name = ("examples/%s.lua"):format(bare)
  local text = not is_path and ours.read(name) or nil
  if text then return text, name end
  return nil, failure.new("script", "there is no script " .. word, failure.meant(bare .. ".lua",
    is_path and {} or script.ours(),
    "give the path of a Lua file, or copy one: `beamlens-run init examples/coordinator.lua`"), SCRIPT_ERROR)
end

local function is_report(result)
  return type(result) == "table" and result.schema == 1 and result.verdict and result.nodes
end

-- On stdout, and as a file where that was asked for. What could not be written is said, and the answer stands.
local function told(options, result)
  local report = require "runtime.report"
  local text = options.json and json.encode(result) .. "\n" or report.text(result, screen.out(options))
  local err = report_file.write(options.report, result)
  if err then io.stderr:write("beamlens-run: ", plain.text(tostring(err)), "\n") end
  return text, err and err.exit or report.exit(result)
end

-- A Failure that a script passes on keeps its stage and exit code.
local function outcome(options, shown, result, err)
  if result == nil and err ~= nil then return nil, failure.of(err, "script", SCRIPT_ERROR) end
  if is_report(result) then return told(options, result) end
  if options.report then
    return nil, failure.new("script", ("%s returned no report, so %s was not written"):format(shown,
      plain.text(options.report)), "return what coordinator.run gives, or leave out --report", SCRIPT_ERROR)
  end
  if result == nil then result = 0 end
  if type(result) == "number" and result % 1 == 0 and result >= 0 and result <= 255 then
    return options.json and json.encode { schema = 1, exit = result } .. "\n" or "", result
  end
  if type(result) == "table" and type(result.callbacks) == "table" then
    return nil, failure.new("script", shown .. " is a skill, and no script",
      ("look with it: beamlens-run coordinator.lua --skills %s"):format(shown:find("/", 1, true) and shown
        or "./" .. shown), SCRIPT_ERROR) -- a word without a / would be a skill's name
  end
  return nil, failure.new("script", "the script returned a " .. type(result),
    "return a report, an exit code from 0 to 255, or nothing", SCRIPT_ERROR)
end

local function wordless(err)
  return err == nil or type(err) == "table" and not (getmetatable(err) or {}).__tostring
end

-- Called where an error was raised: the script's line is still known there.
local function without_text(shown)
  local level = 3
  local info = debug.getinfo(level, "Sl")
  while info and info.source ~= "@" .. shown do
    level = level + 1
    info = debug.getinfo(level, "Sl")
  end
  return ("%s:%d: the script raised an error without a text"):format(shown, info and info.currentline or 0)
end

function script.run(call)
  local text, shown = script.find(call.words[1])
  if not text then return nil, shown end
  local refusal = report_file.refusal(call.options.report)
  if refusal then return nil, refusal end
  local chunk, why = load(text, "@" .. shown, "t")
  if not chunk then
    local named = why:find(":%d+: ") and why or ("%s: %s"):format(shown, why) -- of bytecode no line is told
    return nil, failure.new("script", named, "mend the line", SCRIPT_ERROR)
  end
  local beamlens = require "runtime.beamlens"
  beamlens.options = call.options
  package.loaded.beamlens = beamlens
  for i = 2, #call.words do table.insert(call.options.args, i - 1, call.words[i]) end
  local trace
  local function keep_trace(err)
    trace = debug.traceback(tostring(err), 2)
    return wordless(err) and without_text(shown) or err
  end
  local ok, result, err = xpcall(chunk, keep_trace, unpack(call.options.args))
  beamlens.close()
  if ok then return outcome(call.options, shown, result, err) end
  if os.getenv "BEAMLENS_DEBUG" then io.stderr:write(plain.lines(trace), "\n") end
  -- A text that names one of our own files is a fault of ours, whoever's script met it.
  if type(result) == "string" and result:match "^runtime/" then error(trace, 0) end
  return nil, failure.of(failure.is(result) and result or tostring(result):match "^[^\n]*", "script", SCRIPT_ERROR)
end

return script
