local failure = require "runtime.failure"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local uv = require "luv"

local ROOT = require("host.files").root

-- What people do to a copy of ours: one line of one file. Then the callback is called.
local EDITS = {
  { "a limit of ets", "ets", "ets.lua", "lists:sublist(L, 5)", "lists:sublist(L, 8)", "ets_table_info", { "ac_tab" } },
  { "a field of ets, of a list that is written there", "ets", "ets.lua", "[compressed, read_concurrency,",
    "[compressed, heir, read_concurrency,", "ets_table_info", { "ac_tab" } },
  { "a field of every table", "ets", "ets.lua", "size => maps:get(size, I), memory_kb",
    "size => maps:get(size, I), keypos => maps:get(keypos, I), memory_kb", "ets_list_tables", {} },
  { "rows of ports", "ports", "ports.lua", "lists:sublist(lists:reverse(Ports), 50)",
    "lists:sublist(lists:reverse(Ports), 80)", "ports_list", {} },
  { "owners of ports", "ports", "ports.lua", "lists:sublist(L, 10)]", "lists:sublist(L, 20)]", "ports_list", {} },
  { "rows of supervisors", "sup", "sup.lua", "lists:sublist(L, 50)]", "lists:sublist(L, 100)]", "sup_children",
    { "kernel_sup" } },
  { "the length of a name", "sup", "sup.lua", "[X, 8])), 80)", "[X, 8])), 120)", "sup_children", { "kernel_sup" } },
  { "a field of supervisors", "sup", "sup.lua", "{name, Who(P)}, {active_children, N}",
    "{name, Who(P)}, {seen, true}, {active_children, N}", "sup_list", {} },
  { "a wait of system", "system", "system.lua", "receive after 20 -> Q()", "receive after 30 -> Q()", "system_get_cpu",
    {} },
  { "a wait of gc", "gc", "gc.lua", "receive after 1000 -> ok", "receive after 300 -> ok", "gc_stats", {} },
  { "a sort of gc", "gc", "gc/idle.lua", "lists:sublist(L0 -- Us, 50)", "lists:sublist(lists:sort(L0 -- Us), 50)",
    "gc_recommend_hibernation", { 300 } },
  { "instances of allocators", "allocator", "allocator.lua", "S = lists:sublist(I, 50)", "S = lists:sublist(I, 90)",
    "allocator_by_type", {} },
  { "a field of allocators", "allocator", "allocator.lua", "{total, length(I)},", "{total, length(I)}, {all, length(I)},",
    "allocator_by_type", {} },
  { "rows of a window", "beam", "beam/load.lua", "lists:sublist(U, 50)", "lists:sublist(U, 20)", "beam_top_processes",
    {} },
  { "groups of births", "beam", "beam/growth.lua", "lists:keysort(2, maps:to_list(M))), 10)",
    "lists:keysort(2, maps:to_list(M))), 12)", "beam_process_growth", {} },
  { "kilobytes of a thousand", "beam", "texts/processes.lua", "div 1024 end,", "div 1000 end,", "beam_top_processes",
    {} },
  { "the rounding of megabytes", "beam", "texts/processes.lua", "round(X / 10485.76) / 100", "round(X / 104857.6) / 10",
    "beam_get_memory", {} },
  { "a field of every process", "beam", "texts/processes.lua", "{status, Text(S)},", "{status, Text(S)}, {heap, H},",
    "beam_top_processes", {} },
  { "the depth of a label", "sup", "texts/processes.lua", '[X, 8])) end', '[X, 12])) end', "sup_list", {} },
  { "connections listed", "overload", "overload.lua", "--- ", "---  ", "overload_state", {} },
}

local function written(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local folder

-- A user's folder with copies of ours.
local function copy()
  folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
  os.execute(("mkdir -p %s/beamlens/skills && cp -r %s/skills/* %s/beamlens/skills && chmod -R go-w %s")
    :format(folder, ROOT, folder, folder))
  uv.os_setenv("XDG_CONFIG_HOME", folder)
end

local function away()
  uv.os_unsetenv "XDG_CONFIG_HOME"
  os.execute("rm -rf " .. folder)
end

local function edit(file, from, to)
  local path = folder .. "/beamlens/skills/" .. file
  local text = read(path)
  local at, last = text:find(from, 1, true)
  assert(at, "nothing to change: " .. from)
  written(path, text:sub(1, at - 1) .. to .. text:sub(last + 1))
end

describe("a copy of ours with a change in it", function()
  local at

  setup(function() at = live.start() end)
  teardown(function() at.stop() end)
  before_each(copy)
  after_each(away)

  for _, case in ipairs(EDITS) do
    it("still runs: " .. case[1], live.test(function()
      edit(case[3], case[4], case[5])
      local s = assert(skill.open(case[2]))
      assert.is_true(s.theirs)
      assert.is_true(skill.parse(s, at.node))
      assert.is_table(assert(skill.call(s, case[6], case[7], at.node)))
    end))
  end
end)
