-- What we do on a node is not the node's: no list of processes names a relay of ours, no question of
-- ours loads a module there.
local crowd = require "spec.support.crowd"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local function call(at, name, args, of) return assert(skill.call(assert(skill.open(of)), name, args or {}, at.node)) end

describe("skills, of relays that are on", function()
  local at, ours

  setup(function()
    at = live.start()
    live.test(function()
      crowd.load(at)
      call(at, "gc_get_long_gcs", {}, "gc")
      call(at, "logger_stats", {}, "logger")
      ours = at.eval [=[[list_to_binary(pid_to_list(P)) || P <- processes(), {_, D} <- [process_info(P, dictionary)],
        lists:member({'$beamlens', relay}, D)].]=]
    end)()
  end)

  teardown(function() live.stop_all() end)

  local LISTS = {
    beam = { { "beam_top_processes", { 50, "memory" } }, { "beam_top_processes", { 50, "message_queue" } },
      { "beam_top_processes", { 50, "reductions" } }, { "beam_binary_top_memory", { 50 } },
      { "beam_link_holders", { 50, 100 } }, { "beam_dictionary_growth", { 50, 100 } },
      { "beam_process_groups", { "initial_call", 50 } }, { "beam_process_groups", { "parent", 50 } } },
    gc = { { "gc_top_processes", { 50 } }, { "gc_recommend_hibernation", { 100 } },
      { "gc_find_spiky_processes", { 0.1, 200 } } },
    sup = { { "sup_unlinked_processes" }, { "sup_orphaned_processes" } },
  }
  for name, lists in pairs(LISTS) do
    for _, list in ipairs(lists) do
      it(("%s(%s) names none of them"):format(list[1], table.concat(list[2] or {}, ", ")), live.test(function()
        local text = json.encode(call(at, list[1], list[2], name))
        for _, pid in ipairs(ours) do assert.is_nil(text:find(pid, 1, true), pid) end
      end))
    end
  end

  it("beam_process_groups has no group of them", live.test(function()
    for _, group in ipairs(call(at, "beam_process_groups", { "current_function", 50 }, "beam").groups) do
      assert.not_equal("prim_eval:receive/2", group.current_function)
    end
  end))

  it("there were four of them all the time", live.test(function()
    assert.equal(4, #ours)
    assert.is_true(at.eval([[lists:all(fun(P) -> is_process_alive(list_to_pid(binary_to_list(P))) end, L).]],
      { L = ours }))
  end))
end)

describe("beam skill, on a node that has loaded little", function()
  local at

  setup(function()
    at = live.start()
    live.test(function() crowd.load(at) end)()
  end)

  teardown(function() live.stop_all() end)

  -- As nobody needs them now, they can be taken away and seen to come back.
  local WITHOUT = [=[ [begin code:purge(M), code:delete(M), code:purge(M) end || M <- [timer, erts_debug]], ok.]=]
  local LOADED = [=[[M || M <- [timer, erts_debug], erlang:module_loaded(M)].]=]

  for name, args in pairs { beam_watch_process = { "code_server", 100 }, beam_atom_growth = { 500 },
    beam_dictionary_growth = { 10, 100 } } do
    it(name .. " loads no module", live.test(function()
      at.eval(WITHOUT)
      call(at, name, args, "beam")
      assert.same({}, at.eval(LOADED))
    end))
  end
end)
