-- Signals that come to the whole program early, or instead of an error.

local uv = require "luv"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local watching = require "spec.support.watching"

local shop

local SIGPIPE = 13

local function options()
  return { env = { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home,
    XDG_STATE_HOME = shop.home .. "/state" } }
end

-- Its first lines have run: it is the program, and not yet what starts it, that ignores SIGPIPE.
local function has_begun(pid)
  if uv.fs_readlink(("/proc/%d/exe"):format(pid)) ~= uv.fs_realpath(program.path) then return false end
  local file = assert(io.open(("/proc/%d/status"):format(pid)))
  local ignored = file:read("*a"):match "SigIgn:%s*(%x+)\n"
  file:close()
  return math.floor(tonumber(ignored:sub(-8), 16) / 2 ^ (SIGPIPE - 1)) % 2 == 1
end

describe("a signal", function()
  setup(function() shop = live.start {} end)
  teardown(live.stop_all)

  it("SIGHUP in the first moments has files read again, and ends nothing", live.test(function()
    local running = program.start({ "watch", "--json", "--store", ":memory:", "--node", shop.name, "--cookie-file",
      shop.cookie_file }, options())
    repeat until has_begun(running.pid) -- while nothing else turns
    running.kill "sighup"
    watching.until_told(running, "reload.looked", function(told) return told.asked end)
    assert.equal(0, watching.stop(running))
  end))

  it("SIGXFSZ is an error of the file that may not grow, and ends nothing", live.test(function()
    local script = shop.home .. "/grow.lua"
    local file = assert(io.open(script, "w"))
    file:write(('local f = assert(io.open(%q, "w"))\nf:setvbuf "no"\nlocal ok, why = f:write(("x"):rep(9000))\n'
      .. 'print(ok, why)\n'):format(shop.home .. "/grown"))
    file:close()
    local limited = options()
    limited.path = "/bin/sh"
    local result = program.run({ "-c", ('ulimit -f 8; exec "%s" "%s"'):format(program.path, script) }, limited)
    assert.same({ "", 0, 0 }, { result.stderr, result.code, result.signal })
    assert.matches("File too large", result.stdout)
  end))
end)
