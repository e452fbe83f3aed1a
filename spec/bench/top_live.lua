--- What `top` costs while somebody looks at it: on a node of a hundred thousand processes, at a terminal, asked for a
--- look each second. Of the node the time that its schedulers worked more than without it, and what the operating
--- system says of the whole VM, which is also what schedulers spin for before they sleep; of ours what the operating
--- system says.

local uv = require "luv"
local async = require "runtime.async"
local live = require "spec.support.live_node"
local measure = require "spec.bench.measure"
local pty = require "spec.support.pty"

local PROCESSES, SECONDS, SETTLES_S = 100000, 60, 15
local SORTS = { "memory", "reductions" }
local TICKS = 100 -- of a second, in /proc

-- The flag is somebody's as long as he lives.
local ACCOUNTED = "spawn(fun() -> erlang:system_flag(scheduler_wall_time, true), timer:sleep(infinity) end), ok."
local TOTAL = [[
  K = erlang:system_info(schedulers), L = erlang:statistics(scheduler_wall_time_all),
  #{active => lists:sum([A || {I, A, _} <- L, I =< K]), total => lists:sum([T || {I, _, T} <- L, I =< K]) / K}.]]

-- Seconds of CPU that a process has used.
local function cpu_of(pid)
  local file = assert(io.open(("/proc/%d/stat"):format(pid)))
  local user, system = file:read("*a"):match "%) %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ %S+ (%d+) (%d+)"
  file:close()
  return (user + system) / TICKS
end

-- Percents of one scheduler and of one core in so many seconds.
local function used(at, seconds, pid)
  local before, vm, ours, began = at.eval(TOTAL), cpu_of(at.os_pid), pid and cpu_of(pid), uv.hrtime()
  async.sleep(seconds)
  local after, took = at.eval(TOTAL), (uv.hrtime() - began) / 1e9
  return 100 * (after.active - before.active) / (after.total - before.total), 100 * (cpu_of(at.os_pid) - vm) / took,
    pid and 100 * (cpu_of(pid) - ours) / took
end

local function row(name, percent, peer, target)
  return { name = name, ours = ("%.2f %%"):format(percent), peer = peer, ratio = percent, target = target }
end

return async.run(function()
  local rows, at = {}, live.start { args = { "+P", "2000000" } }
  at.eval(measure.CROWD, { N = PROCESSES })
  at.eval(ACCOUNTED)
  used(at, SETTLES_S)
  local idle, idle_vm = used(at, SECONDS / 3)
  for _, sort in ipairs(SORTS) do
    local running = pty.start({ "top", "--every", "1", "--sort", sort, "--node", at.name },
      { whole = true, columns = 120, env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = at.home } })
    running.see "of a core"
    async.sleep(SETTLES_S)
    local there, vm, here = used(at, SECONDS, running.pid)
    local every = running.screen():match ".*every (%S+) s:"
    running.keys "q"
    running.wait()
    local name = ("top at 100k by %s, every %s s: "):format(sort, every)
    rows[#rows + 1] = row(name .. "of a scheduler there", there - idle, ("%.2f %% without"):format(idle), "<= 5")
    rows[#rows + 1] = row(name .. "of a core, the VM", vm - idle_vm, ("%.2f %% without"):format(idle_vm), "-")
    rows[#rows + 1] = row(name .. "of a core here", here, "-", "<= 5")
  end
  at.stop()
  return rows
end)
