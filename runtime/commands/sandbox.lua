--- `sandbox FILE.lua`: one chunk in the sandbox, as a model's would run, and everything that came of it.

local async = require "runtime.async"
local chunk_limits = require "runtime.chunk_limits"
local config = require "runtime.config"
local demo = require "runtime.demo_callbacks"
local failure = require "runtime.failure"
local files = require "runtime.files"
local json = require "runtime.json"
local plain = require("runtime.plain").text
local sandbox = require "runtime.sandbox"

local command = {
  usage = "sandbox FILE.lua",
  words = math.huge, -- limits may follow one another: --limit wall_ms=300 max_calls=2
  doc = "Lua as a model's would run; - reads stdin",
  takes = { "file" },
  examples = {
    { "beamlens-run sandbox chunk.lua", "one chunk, and all that came of it" },
    { "beamlens-run sandbox chunk.lua --demo-callbacks --limit wall_ms=300", "with four callbacks; less time" },
    { "echo 'return 6 * 7' | beamlens-run sandbox -", "from stdin" },
  },
  more = ("Exit 0 when the chunk ended by itself, else 2. A line --[[NEXT]] begins another chunk: they run one after "
    .. "the other, and the last one's outcome is shown. Limits: %s; their defaults are `chunk` in the config file.")
    :format(table.concat(chunk_limits.names(), ", ")),
}

local FAILED, INTERRUPTED = 2, 130
local MOST_STDIN = 1024 * 1024

-- The file among the words, and the limits: several may follow one --limit.
local function sort_out(options, words)
  local file, limits = nil, { unpack(options.limit) }
  for _, word in ipairs(words) do
    if limits[1] and word:match "^[%w_]+=%d*$" then
      limits[#limits + 1] = word
    elseif file then
      return nil, failure.new("usage", "sandbox takes one file, and there is " .. word,
        "see `beamlens-run help sandbox`", 2)
    else
      file = word
    end
  end
  if not file then return nil, failure.new("usage", "no file was named", "beamlens-run sandbox FILE.lua", 2) end
  return file, limits
end

-- What the config file says, and over it what the command line does.
local function limits_of(options, words)
  local group = {}
  for name, value in pairs(options.chunk) do group[name] = value end
  for _, word in ipairs(words) do
    local name, value = word:match "^([%w_]+)=(.*)$"
    if not name then
      return nil, failure.new("usage", ("--limit wants NAME=N, not %s"):format(word),
        "for example --limit wall_ms=300", 2)
    end
    group[name] = value
  end
  local checked, err = config.check("chunk", group, "--limit")
  if not checked then
    err.message = err.message:gsub("^%-%-limit%.([%w_]+) wants", "--limit %1 wants")
    return nil, err
  end
  return chunk_limits.of(checked)
end

local function read(word)
  if word == "-" then return io.stdin:read(MOST_STDIN) or "" end
  return files.read_users(word, "sandbox")
end

-- The chunks of a file, in their order.
local function split(text)
  local chunks, lines = {}, {}
  for line, ending in text:gmatch "([^\n]*)(\n?)" do
    if line:match "^%-%-%[%[NEXT%]%]\r?$" then
      chunks[#chunks + 1], lines = table.concat(lines), {}
    else
      lines[#lines + 1] = line .. ending
    end
  end
  chunks[#chunks + 1] = table.concat(lines)
  return chunks
end

local function as_json(out)
  local result = json.null
  if out.result_json then result = json.decode(out.result_json) end
  return json.encode {
    schema = 1, kind = out.kind, line = out.line or json.null, result = result, message = out.message or json.null,
    print = out.print, calls = #out.calls, elapsed_ms = math.floor(out.elapsed_ms * 10 + 0.5) / 10,
  } .. "\n"
end

local function as_text(out)
  local calls = #out.calls == 0 and "" or (", %d callback%s"):format(#out.calls, #out.calls == 1 and "" or "s")
  local lines = { ("%s after %.1f ms%s"):format(out.kind, out.elapsed_ms, calls) }
  if out.message then
    local flag = out.message:find "^no function [%w_]+ here" and " (--demo-callbacks gives four to try)" or ""
    local where = out.kind == "error" and out.line and ("line %d: "):format(out.line) or ""
    lines[2] = where .. plain(out.message) .. flag
  end
  for line in out.print:gmatch "[^\n]+" do lines[#lines + 1] = "  | " .. plain(line) end
  if out.kind == "ok" then lines[#lines + 1] = plain(out.result_json) end
  return table.concat(lines, "\n") .. "\n"
end

function command.run(c)
  local file, words = sort_out(c.options, c.words)
  if not file then return nil, words end
  local limits, err = limits_of(c.options, words)
  if not limits then return nil, err end
  local text
  text, err = read(file)
  if not text then return nil, err end
  sandbox.allow_weak(c.options.sandbox == "allow-weak")
  local callbacks = c.options.demo_callbacks and demo or { names = {} }
  local out
  for _, code in ipairs(split(text)) do
    out = sandbox.execute { code = code, names = callbacks.names, call = callbacks.call, limits = limits }
  end
  sandbox.close()
  if async.current().cancelled then return nil, failure.new("interrupted", out.message, nil, INTERRUPTED) end
  return c.options.json and as_json(out) or as_text(out), out.kind == "ok" and 0 or FAILED
end

return command
