--- What an expert looks for in the allocators: carriers that few blocks pin. A node at work may be between two
--- spikes, so blocks have to stand still at two looks, and what is unused has to be worth a restart.

local words = ...
local cite, row_of, step = words.cite, words.row_of, words.step

local UNUSED_MB = 64
local USED = 0.4   -- of the carriers
local REST = 2     -- seconds
local STILL = 0.05 -- of the figure

local function fragmented(row)
  return row.current.unused_mb >= UNUSED_MB and row.current.usage_ratio < USED
    and row.maximum.blocks_mb >= 2 * row.current.blocks_mb
end

local function still(before, now) return math.abs(now - before) <= STILL * before + 1 end

local allocator_fragmentation = {
  id = "allocator_fragmentation", mechanism = "allocator_fragmentation",
  expert = "Carriers that are mostly empty at two looks, their blocks standing still, after a spike that is over.",
  suspect = function(snapshot)
    return (snapshot.unused_mb or 0) >= UNUSED_MB and (snapshot.usage_ratio or 1) < USED
  end,
  look = {
    { "allocator_problematic" },
    function(results)
      for _, row in ipairs(results[1].allocators) do
        if fragmented(row) then return { "allocator_problematic", after = REST } end
      end
    end,
  },
  confirm = function(results)
    for i, row in ipairs(results[2].allocators) do
      local was, j = row_of(results[1].allocators, "name", row.name)
      local now, before = row.current, was and was.current
      if was and fragmented(row) and fragmented(was) and still(before.carriers_mb, now.carriers_mb)
        and still(before.blocks_mb, now.blocks_mb) then
        local at = ("allocators[%d]."):format(i)
        return {
          object = row.name,
          figures = cite(results, { { 2, at .. "current.carriers_mb" }, { 2, at .. "current.blocks_mb" },
            { 2, at .. "current.unused_mb" }, { 2, at .. "current.usage_ratio" }, { 2, at .. "maximum.blocks_mb" },
            { 1, ("allocators[%d].current.carriers_mb"):format(j) },
            { 1, ("allocators[%d].current.blocks_mb"):format(j) } }),
          severity = now.unused_mb >= 1024 and "critical" or "warning", confidence = "high",
          hypothesis = ("%s holds %.0f MB of carriers for %.0f MB of blocks (%.0f %% used), and did so at both looks: "
            .. "a spike of %.0f MB is over, and what stayed of it lies scattered and pins the carriers. %.0f MB cannot "
            .. "go back to the machine."):format(row.name, now.carriers_mb, now.blocks_mb, now.usage_ratio * 100,
            row.maximum.blocks_mb, now.unused_mb),
          unlike = {
            memory_returned = ("carriers that are empty go back; these were %.0f MB at both looks"):format(
              before.carriers_mb),
            binary_refs_held = ("there blocks are in use; here they are %.0f of %.0f MB"):format(now.blocks_mb,
              now.carriers_mb),
            changing_load = ("blocks come and go under load; these went from %.1f to %.1f MB"):format(before.blocks_mb,
              now.blocks_mb),
          },
          next_steps = {
            step "find what made the spike, and do that work in smaller portions",
            step "see who still holds blocks of it: beam_binary_groups, beam_top_processes",
            step("start the node with an allocation strategy that fills low addresses first (+M…as aobf)", "CAUTION"),
            step("only a restart gives the carriers back now", "DANGEROUS"),
          },
        }
      end
    end
  end,
}

return { allocator_fragmentation }
