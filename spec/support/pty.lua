--- Runs the program as a person does who sits before it: stdin and stderr are a real terminal of its
--- own, stdout is a pipe, so that the result can be told from the talk.

local ffi = require "ffi"
local uv = require "luv"
local async = require "runtime.async"
local program = require "spec.support.program"

local pty = { PATIENCE_S = 60 }

ffi.cdef [[
  int posix_openpt(int flags);
  int grantpt(int fd);
  int unlockpt(int fd);
  char *ptsname(int fd);
  int open(const char *path, int flags);
  int close(int fd);
  long write(int fd, const char *bytes, size_t count);
  int ioctl(int fd, unsigned long request, ...);
]]

local END = "\1end of the terminal\1"
local TIOCSWINSZ = 0x5414
local O_RDWR, O_NOCTTY, O_CLOEXEC = 2, 256, 524288

local function open_pair()
  local C = ffi.C
  local master = C.posix_openpt(O_RDWR + O_NOCTTY + O_CLOEXEC)
  assert(master >= 0 and C.grantpt(master) == 0 and C.unlockpt(master) == 0, "there is no terminal to be had")
  local slave = C.open(C.ptsname(master), O_RDWR + O_NOCTTY + O_CLOEXEC)
  assert(slave >= 0, "the terminal cannot be opened")
  return master, slave
end

local function reader(stream, parts, wake)
  stream:read_start(function(_, chunk)
    -- A terminal that nobody holds any more ends in an error.
    if chunk then parts[#parts + 1] = chunk elseif not stream:is_closing() then stream:close() end
    wake()
  end)
end

--- Starts it inside a task.
---@param args string[]
---@param opts? { env: table<string, string>, path: string, whole: boolean, columns: integer }   whole: stdout is the
---  terminal, too; columns: of a terminal that knows its width
---@return table running   { pid, path: of the terminal, screen() -> all that the terminal showed, stdout(),
---  see(text, seconds?) waits until the terminal shows that plain text, type(line) types it and Enter, keys(bytes)
---  types only that, hang_up(), resize(rows, columns), kill(signal), wait(seconds?) -> exit code, signal; raises an
---  error when it has not ended by then }
function pty.start(args, opts)
  opts = opts or {}
  local master, slave = open_pair()
  if opts.columns then ffi.C.ioctl(master, TIOCSWINSZ, ffi.new("unsigned short[4]", 24, opts.columns)) end
  local out, shown, printed, waiting = uv.new_pipe(false), {}, {}, {}
  local function wake()
    local all = waiting
    waiting = {}
    for _, resume in ipairs(all) do resume(true) end
  end
  local code, signal
  local process, pid = uv.spawn(opts.path or program.path, {
    args = args, env = program.environment(opts.env), stdio = { slave, opts.whole and slave or out, slave },
    detached = true,
  }, function(c, s)
    code, signal = program.exit_code(c, s), s
    wake()
  end)
  assert(process, pid)
  local terminal = uv.new_pipe(false)
  terminal:open(master)
  reader(terminal, shown, wake)
  if opts.whole then out:close() else reader(out, printed, wake) end

  local running = { pid = pid, path = ffi.string(ffi.C.ptsname(master)) }
  local function until_true(seconds, check)
    local deadline = async.now() + (seconds or pty.PATIENCE_S)
    while not check() do
      local ok = async.await(function(resume) waiting[#waiting + 1] = resume end, deadline)
      if not ok then return false end
    end
    return true
  end
  function running.screen() return (table.concat(shown):gsub(END, ""):gsub("\r\n", "\n")) end
  function running.stdout() return table.concat(printed) end
  function running.kill(name) process:kill(name) end
  function running.keys(bytes) terminal:write(bytes) end
  function running.type(line) terminal:write(line .. "\r") end
  -- It is not the controlling terminal of the program, so the kernel does not tell it.
  function running.resize(rows, columns)
    ffi.C.ioctl(master, TIOCSWINSZ, ffi.new("unsigned short[4]", rows, columns))
    process:kill "sigwinch"
  end
  function running.hang_up() terminal:close() end
  function running.see(text, seconds)
    local there = until_true(seconds, function() return running.screen():find(text, 1, true) or code end)
    if not (there and running.screen():find(text, 1, true)) then
      error(("the terminal never showed %q but:\n%s%s"):format(text, running.screen(), running.stdout()), 2)
    end
  end
  function running.wait(seconds)
    local hung = not until_true(seconds, function() return code end)
    if hung then
      process:kill "sigkill"
      until_true(nil, function() return code end)
    end
    -- libuv takes a hang-up for the end, whatever is still to be read: so there is none before all was.
    if not terminal:is_closing() then ffi.C.write(slave, END, #END) end
    until_true(5, function()
      return out:is_closing() and (terminal:is_closing() or table.concat(shown):find(END, 1, true))
    end)
    ffi.C.close(slave)
    if not terminal:is_closing() then terminal:close() end
    process:close()
    if hung then error(program.hung(args, seconds or pty.PATIENCE_S, running.screen() .. running.stdout()), 2) end
    return code, signal
  end
  return running
end

return pty
