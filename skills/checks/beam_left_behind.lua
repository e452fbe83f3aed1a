--- What an expert looks for in what was left behind by who is gone: processes that run the old version of a module, or
--- whose group leader is dead, and the names of nodes that never come again. The first look counts it where that costs
--- nothing; who it is, is asked only where there is some.

local words = ...
local object, cite, row_of, step, always = words.object, words.cite, words.row_of, words.step, words.always

local FIRST, CLOSE = 1500, 2000 -- milliseconds
local REST = 2 -- seconds; a load that just went on is over by then

local OVERVIEW = { "beam_overview", FIRST }

--- Old code -----------------------------------------------------------------------------------

local function users_of(result)
  local best
  for _, row in ipairs(result.users) do
    if not best or row.process_count > best.process_count then best = row end
  end
  return best
end

local old_code = {
  id = "old_code", mechanism = "old_code", suspect = always,
  expert = "A module has old code, and at two looks processes still run it: the next load of it ends them all.",
  look = {
    OVERVIEW,
    function(results) return results[1].old_code_count > 0 and { "beam_old_code" } or nil end,
    function(results) return #results[2].users > 0 and { "beam_old_code", after = REST } or nil end,
  },
  confirm = function(results)
    local now = users_of(results[3])
    local was, j = row_of(results[2].users, "module", now and now.module)
    if not was then return end
    local _, i = row_of(results[3].users, "module", now.module)
    local at = ("users[%d]."):format(i)
    return {
      object = now.module,
      figures = cite(results, { { 3, at .. "process_count" }, { 3, at .. "module" }, { 3, at .. "current_function" },
        { 3, "old_code_count" }, { 3, "looked_at" }, { 2, ("users[%d].process_count"):format(j) },
        { 1, "old_code_count" } }),
      severity = "warning", confidence = "high",
      hypothesis = ("%s was loaded anew, and %d processes still run its old version (%s): they never call themselves "
        .. "by the name of the module, so they stay in it, and the next load of %s ends them."):format(now.module,
        now.process_count, object(now), now.module),
      unlike = {
        deployment = ("old code that nobody runs is harmless; %d ran it, and %d a moment later"):format(
          was.process_count, now.process_count),
      },
      next_steps = {
        step(("let %s go over to the new version: a call of itself with the module's name, or a message that makes it "
          .. "do so"):format(object(now))),
        step(("before the next load: code:soft_purge(%s) says whether anybody would be ended"):format(now.module)),
        step("restart those processes one after another under their supervisor", "CAUTION"),
        step(("code:purge(%s) ends all of them at once"):format(now.module), "DANGEROUS"),
      },
    }
  end,
}

--- Dead group leaders -------------------------------------------------------------------------

local LEFTOVERS = { "beam_leftovers" }

-- Reductions between the looks. One look costs a process that only waits 5 of them, measured on OTP 25.
local LEAST = 50

-- One that works all the same: whoever only waits does no harm. With a name, where there is one.
local function led(before, after)
  local best, place, count = nil, nil, 0
  for i, row in ipairs(after.led_by_the_dead) do
    local was = row_of(before.led_by_the_dead, "pid", row.pid)
    if was and row.reductions - was.reductions >= LEAST then
      count = count + 1
      if not best or row.name and not best.name then best, place = row, i end
    end
  end
  return best, place, count
end

local dead_group_leader = {
  id = "dead_group_leader", mechanism = "dead_group_leader", suspect = always,
  expert = "Processes that work while their group leader is dead: whatever they or their children print fails.",
  look = {
    OVERVIEW,
    function(results) return results[1].led_by_the_dead_count > 0 and LEFTOVERS or nil end,
    function(results)
      return results[2].led_by_the_dead_count > 0 and { "beam_leftovers", after = REST } or nil
    end,
  },
  confirm = function(results)
    local row, i = led(results[2], results[3])
    if not row then return end
    local at = ("led_by_the_dead[%d]."):format(i)
    local _, j = row_of(results[2].led_by_the_dead, "pid", row.pid)
    return {
      object = object(row),
      figures = cite(results, { { 3, at .. "pid" }, { 3, at .. "reductions" },
        { 2, ("led_by_the_dead[%d].reductions"):format(j) }, { 3, "led_by_the_dead_count" },
        { 2, "led_by_the_dead_count" }, { 1, "led_by_the_dead_count" } }),
      severity = "warning", confidence = "medium",
      hypothesis = ("%s works on while its group leader is dead (%d processes are in that state): it was started from "
        .. "a shell or an application that has ended, and whatever it or its children print by io ends in an error "
        .. "`terminated`."):format(object(row), results[3].led_by_the_dead_count),
      unlike = {
        dependency_error_storm = "it is not another's answer that fails, but the process that output goes to is gone",
        leftover = ("one that only waits does no harm; %s went from %d to %d reductions"):format(object(row),
          results[2].led_by_the_dead[j].reductions, row.reductions),
      },
      next_steps = {
        step(("give it one that lives: group_leader(whereis(user), Pid) for %s and its children"):format(object(row)),
          "CAUTION"),
        step "start it under the supervisor of an application, not from a shell",
        step "write by logger, which needs no group leader",
      },
    }
  end,
}

--- Names of nodes -----------------------------------------------------------------------------

local ATOMS = { "beam_atom_growth", CLOSE }
local NODES = 1 -- a second, that were never seen before

local function nodes_per_second(o) return (o.known_nodes - o.known_nodes_before) / o.seconds end

-- What the new names look like, as far as they are names of nodes.
local function shape_of(atoms)
  for i, row in ipairs(atoms.shapes) do
    if row.shape:find("@", 1, true) then return row.shape, i end
  end
end

local node_name_atoms = {
  id = "node_name_atoms", mechanism = "node_name_atoms", suspect = always,
  expert = "Nodes that were never seen before come all the time: each name is an atom that stays.",
  look = {
    OVERVIEW,
    function(results) return nodes_per_second(results[1]) >= NODES and ATOMS or nil end,
    function(results) return results[2].atoms_per_sec >= NODES and { "beam_overview", CLOSE } or nil end,
  },
  confirm = function(results)
    local rate = nodes_per_second(results[3])
    if rate < NODES then return end
    local shape, i = shape_of(results[2])
    local left = (results[3].atom_limit - results[3].atom_count) / results[2].atoms_per_sec / 3600
    return {
      object = shape or "node names",
      figures = cite(results, { { 3, "known_nodes_before" }, { 3, "known_nodes" }, { 3, "seconds" },
        { 2, "atom_count_before" }, { 2, "atom_count" }, { 2, "atoms_per_sec" },
        { 2, i and ("shapes[%d].shape"):format(i) or "seconds" }, { 1, "known_nodes_before" },
        { 1, "known_nodes" } }),
      severity = "warning", confidence = shape and "high" or "medium",
      hypothesis = ("Nodes connect under a new name each time%s, %.1f a second (%d are known now): each name is "
        .. "an atom for ever, and the table is full in about %.1f hours."):format(shape and (", like %s"):format(shape)
        or "", rate, results[3].known_nodes, left),
      unlike = {
        atom_leak = "the new atoms are names of nodes that connect, nobody makes them out of input",
        cluster = ("nodes of a cluster come again under the same name; known were %d, then %d, then %d"):format(
          results[1].known_nodes_before, results[1].known_nodes, results[3].known_nodes),
      },
      next_steps = {
        step "find the tool that connects (a check, a script with erl_call or rpc), and give it one fixed name",
        step("let it connect hidden, and ask several things in one connection"),
        step("only a restart frees the atoms", "DANGEROUS"),
      },
    }
  end,
}

return { old_code, dead_group_leader, node_name_atoms }
