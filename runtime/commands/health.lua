--- `health`: the figures that an on-call person asks for first, without a judgement.

local async = require "runtime.async"
local failure = require "runtime.failure"
local json = require "runtime.json"
local render = require "runtime.render"
local skill = require "runtime.skill"

local health = { usage = "health", doc = "memory, processes, limits, queues of a node in one look" }

-- part of the answer -> skill, callback, arguments
local PARTS = {
  memory = { "beam", "beam_get_memory" },
  processes = { "beam", "beam_get_processes" },
  schedulers = { "beam", "beam_get_schedulers" },
  atoms = { "beam", "beam_get_atoms" },
  system = { "beam", "beam_get_system" },
  top_by_memory = { "beam", "beam_top_processes", 5, "memory" },
  top_by_mailbox = { "beam", "beam_top_processes", 5, "message_queue" },
}

local function ask(node)
  local beam, err = skill.open "beam"
  if not beam then return nil, err end
  local ets
  ets, err = skill.open "ets"
  if not ets then return nil, err end
  local looks, names = {}, {}
  for name, part in pairs(PARTS) do
    names[#names + 1] = name
    looks[#looks + 1] = function() return skill.call(beam, part[2], { unpack(part, 3) }, node) end
  end
  names[#names + 1] = "ets"
  looks[#looks + 1] = function() return skill.snapshot(ets, node) end
  local answer = {}
  for i, result in ipairs(async.all(looks)) do
    if result.value == nil then return nil, failure.of(result.err, "query", 4) end
    answer[names[i]] = result.value
  end
  return answer
end

local function share(part, whole) return whole > 0 and 100 * part / whole or 0 end

local function text(node, of)
  local m, p, a, s = of.memory, of.processes, of.atoms, of.schedulers
  return ([[
%s  OTP %s, up %d s

memory     %.1f MB: processes %.1f, binary %.1f, ets %.1f, code %.1f, atom %.1f, system %.1f
processes  %d of %d (%.1f %%)
ports      %d of %d (%.1f %%)
atoms      %d of %d (%.1f %%)
ets        %d tables, %.1f MB, largest %.1f MB
run queue  %d on %d schedulers

top by memory
%s
top by mailbox
%s]]):format(node, of.system.otp_release, of.system.uptime_seconds,
    m.total_mb, m.processes_mb, m.binary_mb, m.ets_mb, m.code_mb, m.atom_mb, m.system_mb,
    p.process_count, p.process_limit, share(p.process_count, p.process_limit),
    p.port_count, p.port_limit, share(p.port_count, p.port_limit),
    a.atom_count, a.atom_limit, share(a.atom_count, a.atom_limit),
    of.ets.table_count, of.ets.total_memory_mb, of.ets.largest_table_mb,
    s.run_queue, s.schedulers_online,
    render.value(of.top_by_memory.processes, "  "), render.value(of.top_by_mailbox.processes, "  "))
end

function health.run(call)
  local beamlens = require "runtime.beamlens"
  beamlens.options = call.options
  local node, err = beamlens.connect()
  if not node then return nil, err end
  local of
  of, err = ask(node)
  beamlens.close()
  if not of then return nil, err end
  if not call.options.json then return text(node.name, of), 0 end
  of.schema, of.node = 1, node.name
  return json.encode(of) .. "\n", 0
end

return health
