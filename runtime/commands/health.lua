--- `health`: the figures that an on-call person asks for first, without a judgement.

local async = require "runtime.async"
local failure = require "runtime.failure"
local json = require "runtime.json"
local plain = require "runtime.plain"
local filled = require "runtime.filled"
local render = require "runtime.render"
local screen = require "runtime.screen"
local skill = require "runtime.skill"

local health = {
  usage = "health",
  words = 0,
  doc = "memory, processes, limits, queues of a node in one look",
  examples = {
    { "beamlens-run health --node shop@host", "one screen" },
    { "beamlens-run health --node shop@host --json", "the same, for a program" },
  },
}

-- part of the answer, skill's callback, arguments
local PARTS = {
  { "memory", "beam_get_memory" },
  { "processes", "beam_get_processes" },
  { "schedulers", "beam_get_schedulers" },
  { "atoms", "beam_get_atoms" },
  { "system", "beam_get_system" },
  { "top_by_memory", "beam_top_processes", 5, "memory" },
  { "top_by_mailbox", "beam_top_processes", 5, "message_queue" },
}

-- One after the other: side by side, our own questions would stand among the busy processes.
local function ask(node)
  local beam, err = skill.open "beam"
  if not beam then return nil, err end
  local ets
  ets, err = skill.open "ets"
  if not ets then return nil, err end
  local answer = {}
  for _, part in ipairs(PARTS) do
    answer[part[1]], err = skill.call(beam, part[2], { unpack(part, 3) }, node)
    if answer[part[1]] == nil then return nil, failure.of(err, "query", 4) end
  end
  answer.ets, err = skill.snapshot(ets, node)
  if not answer.ets then return nil, failure.of(err, "query", 4) end
  return answer
end

local MEMORY = "%.1f MB: processes %.1f, binary %.1f, ets %.1f, code %.1f, atom %.1f, system %.1f"

local function share(part, whole) return whole > 0 and 100 * part / whole or 0 end

local function text(node, of, width)
  local m, p, a, s = of.memory, of.processes, of.atoms, of.schedulers
  return ([[
%s  OTP %s, up %d s

memory     %s
processes  %d of %d (%.1f %%)
ports      %d of %d (%.1f %%)
atoms      %d of %d (%.1f %%)
ets        %d tables, %.1f MB, largest %.1f MB
run queue  %d on %d schedulers

top by memory
%s
top by mailbox
%s]]):format(plain.text(node), plain.text(of.system.otp_release), of.system.uptime_seconds,
    filled.text(MEMORY:format(m.total_mb, m.processes_mb, m.binary_mb, m.ets_mb, m.code_mb, m.atom_mb, m.system_mb), 11,
      width),
    p.process_count, p.process_limit, share(p.process_count, p.process_limit),
    p.port_count, p.port_limit, share(p.port_count, p.port_limit),
    a.atom_count, a.atom_limit, share(a.atom_count, a.atom_limit),
    of.ets.table_count, of.ets.total_memory_mb, of.ets.largest_table_mb,
    s.run_queue, s.schedulers_online,
    render.value(of.top_by_memory.processes, "  ", width), render.value(of.top_by_mailbox.processes, "  ", width))
end

function health.run(call)
  local beamlens = require "runtime.beamlens"
  beamlens.options = call.options
  local node, err = beamlens.connect()
  if not node then return nil, err end
  node.deadline = async.now() + call.options.deadline
  local of
  of, err = ask(node)
  beamlens.close()
  if not of then return nil, err end
  if not call.options.json then return text(node.name, of, screen.out().width), 0 end
  of.schema, of.node = 1, node.name
  return json.encode(of) .. "\n", 0
end

return health
