--- Runs the program as a user does: a process of its own, its output, its exit code.

local uv = require "luv"
local async = require "runtime.async"
local ours = require "host.files"

local program = { path = os.getenv "BEAMLENS_PROGRAM" or ours.root .. "/beamlens-run" }

local PATIENCE_S = 120

local function reader(pipe, parts)
  pipe:read_start(function(_, chunk)
    if chunk then parts[#parts + 1] = chunk else pipe:close() end
  end)
end

--- What the program is started with. Little is inherited, so that a spec sees it without anybody's settings. With no
--- home of its own it keeps what it keeps where this process does.
---@param more? table<string, string>
---@return string[]
function program.environment(more)
  -- Played models play the whole conversation; a spec of another strategy says so.
  local values, list = { LANG = "C.UTF-8", BEAMLENS_STRATEGY = "agent_loop" }, {}
  for _, name in ipairs { "PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS" } do values[name] = os.getenv(name) end
  if not (more and more.HOME) then values.XDG_STATE_HOME = os.getenv "XDG_STATE_HOME" or os.getenv "SPEC_STATE_HOME" end
  for name, value in pairs(more or {}) do values[name] = value end
  for name, value in pairs(values) do list[#list + 1] = name .. "=" .. value end
  return list
end

--- What it exited with, as a shell tells it: one that a signal ended would else look like success.
---@param code integer
---@param signal integer
---@return integer
function program.exit_code(code, signal) return signal == 0 and code or 128 + signal end

--- A spec must end, so it kills what does not; and says so.
---@param args string[]
---@param seconds number   that it was waited for
---@param said string
---@return string
function program.hung(args, seconds, said)
  return ("did not end within %d s, and was killed: %s\nit had said: %s"):format(seconds, table.concat(args, " "), said)
end

--- Starts it inside a task.
---@param args string[]
---@param opts? { env: table<string, string>, cwd: string, path: string, stdout?: integer, stderr?: integer }
---  stdout, stderr: a descriptor in the place of a pipe that is read here
---@return table running   { pid, stdout(), stderr(), kill(signal), wait(seconds?) -> exit code, signal; raises an error
---  when it has not ended by then }
function program.start(args, opts)
  opts = opts or {}
  local out, err, out_parts, err_parts = uv.new_pipe(false), uv.new_pipe(false), {}, {}
  local env = program.environment(opts.env)
  local done, code, signal, wake
  local process, pid = uv.spawn(opts.path or program.path,
    { args = args, env = env, cwd = opts.cwd, stdio = { nil, opts.stdout or out, opts.stderr or err } },
    function(c, s)
      code, signal, done = program.exit_code(c, s), s, true
      if wake then wake() end
    end)
  assert(process, pid)
  if opts.stdout then out:close() else reader(out, out_parts) end
  if opts.stderr then err:close() else reader(err, err_parts) end
  local running = { pid = pid }
  function running.stdout() return table.concat(out_parts) end
  function running.stderr() return table.concat(err_parts) end
  function running.kill(name) process:kill(name) end
  function running.wait(seconds)
    seconds = seconds or PATIENCE_S
    if not done then async.await(function(resume) wake = resume end, async.now() + seconds) end
    local hung = not done
    if hung then
      process:kill "sigkill"
      async.await(function(resume) wake = resume end)
    end
    while not (out:is_closing() and err:is_closing()) do async.sleep(0.005) end
    process:close()
    if hung then error(program.hung(args, seconds, running.stdout() .. running.stderr()), 2) end
    return code, signal
  end
  return running
end

--- Runs it to its end.
---@return { code: integer, signal: integer, stdout: string, stderr: string }
function program.run(args, opts)
  local running = program.start(args, opts)
  local code, signal = running.wait()
  return { code = code, signal = signal, stdout = running.stdout(), stderr = running.stderr() }
end

return program
