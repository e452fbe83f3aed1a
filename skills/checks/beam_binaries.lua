--- What an expert looks for in large binaries that become more: one process that keeps references to ever more of them
--- while its own heap hardly grows. From outside nobody sees whether it keeps them whole or a slice of each; where they
--- are large and what it has beside each of them is next to nothing, slices are what it keeps. Where no process refers
--- to them, tables do.

local words = ...
local object, cite, row_of, step, always = words.object, words.cite, words.row_of, words.step, words.always

local FIRST, CLOSE = 1500, 1500 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }
local HOLDERS = { "beam_binary_top_memory", 5 }

-- Of all binaries, a second: ten items of 50 kB. Sockets and files at work take and give back that much, so the same
-- has to show in the references of one process, and after it collected its garbage.
local GAIN_MB = 0.5
local ITEMS = 10      -- more references between two looks
local LARGE_KB = 32   -- of a binary, on average: what is stored whole on purpose is mostly smaller
local HEAP_PART = 64  -- its own memory is less than this part of what it refers to

local function rises(o) return o.binary_mb - o.binary_mb_before >= GAIN_MB * o.seconds end

-- Who holds most of all binaries, each of them large, with next to no heap.
local function keeper(o, holders)
  for i, row in ipairs(holders.processes) do
    if row.binary_count and row.binary_count >= ITEMS and row.binary_memory_kb >= 0.5 * 1024 * o.binary_mb_before
      and row.binary_memory_kb >= LARGE_KB * row.binary_count
      and row.memory_kb * HEAP_PART <= row.binary_memory_kb and not words.interpreted(row) then return row, i end
  end
end

local sub_binary_pins_parent = {
  id = "sub_binary_pins_parent", mechanism = "sub_binary_pins_parent", suspect = always,
  expert = "Binary memory rises, one process of a tiny heap refers to ever more large binaries, collections or not.",
  look = {
    OVERVIEW,
    function(results) return rises(results[1]) and HOLDERS or nil end,
    function(results)
      local row = keeper(results[1], results[2])
      return row and { "beam_watch_process", row.pid, CLOSE } or nil
    end,
    function(results) return results[3].collections > 0 and HOLDERS or nil end,
  },
  confirm = function(results)
    local was, j = keeper(results[1], results[2])
    local now, i = row_of(results[4].processes, "pid", was.pid)
    if not now or not now.binary_count or now.binary_count - was.binary_count < ITEMS
      or now.binary_memory_kb - was.binary_memory_kb < GAIN_MB * 1024 * results[3].seconds
      or now.memory_kb * HEAP_PART > now.binary_memory_kb then return end
    local at, before = ("processes[%d]."):format(i), ("processes[%d]."):format(j)
    local each = now.binary_memory_kb / now.binary_count
    return {
      object = object(now),
      figures = cite(results, { { 4, at .. "binary_count" }, { 4, at .. "binary_memory_kb" }, { 4, at .. "memory_kb" },
        { 2, before .. "binary_count" }, { 2, before .. "binary_memory_kb" }, { 3, "collections" }, { 3, "seconds" },
        { 1, "binary_mb_before" }, { 1, "binary_mb" } }),
      severity = "warning", confidence = "medium",
      hypothesis = ("%s most likely keeps slices of large binaries, each of which holds on to the whole: it refers to "
        .. "%d binaries of %d kB each (%.0f MB), %d more than %.1f s before, while all its own memory is %d kB.")
        :format(object(now), now.binary_count, each, now.binary_memory_kb / 1024, now.binary_count - was.binary_count,
        results[3].seconds, now.memory_kb),
      unlike = {
        binary_refs_held = ("there a collection lets go of them; it collected %d times and has more"):format(
          results[3].collections),
        unbounded_state = ("kept whole they would be a state that grows; its memory is %d kB for %d of them"):format(
          now.memory_kb, now.binary_count),
        large_static_binary = ("what is kept on purpose stands still; it went from %d to %d references"):format(
          was.binary_count, now.binary_count),
      },
      next_steps = {
        step(("where %s stores a part of what it received or read, store binary:copy of that part"):format(
          object(now))),
        step "compare binary:referenced_byte_size with byte_size of what it keeps, in a test: far more is the proof",
        step("give what it keeps an age or a number at which it goes", "CAUTION"),
        step("restarting it frees the memory and loses what it keeps", "DANGEROUS"),
      },
    }
  end,
}

--- Binaries that no process refers to ---------------------------------------------------------

-- Rows of a table hold their large binaries outside of the table's own memory, so no look at tables shows them; nor
-- does one at processes. What comes and goes with work is referred to by who works.
local REST = 3         -- seconds, so that the two looks are some six
local LEAST_MB = 16
local REFERRED = 0.2   -- of all, by the five processes with most

local function pace(o) return (o.binary_mb - o.binary_mb_before) / o.seconds end

local function referred_mb(holders)
  local sum = 0
  for _, row in ipairs(holders.processes) do sum = sum + (row.binary_memory_kb or 0) end
  return sum / 1024
end

local function of_nobody(o, holders) return referred_mb(holders) <= REFERRED * o.binary_mb_before end

local unreferred_binaries = {
  id = "unreferred_binaries", mechanism = "other", suspect = always, yields_to = { ["*"] = "any" },
  expert = "Binary memory rises at two looks some seconds apart, and next to nothing of it is referred to by "
    .. "processes: rows of a table keep it. Say so, and see which table gains rows.",
  look = {
    OVERVIEW,
    function(results) return rises(results[1]) and results[1].binary_mb_before >= LEAST_MB and HOLDERS or nil end,
    function(results)
      return of_nobody(results[1], results[2]) and { "beam_overview", FIRST, after = REST } or nil
    end,
    function(results) return rises(results[3]) and HOLDERS or nil end,
  },
  confirm = function(results)
    local first, o, holders = results[1], results[3], results[4]
    local least, most = math.min(pace(first), pace(o)), math.max(pace(first), pace(o))
    if o.binary_mb_before < first.binary_mb or most > 3 * least or not of_nobody(o, holders) then return end
    return {
      object = "binaries", severity = "warning", confidence = "low",
      figures = cite(results, { { 3, "binary_mb" }, { 3, "binary_mb_before" }, { 3, "seconds" }, { 1, "binary_mb" },
        { 1, "binary_mb_before" }, { 4, "processes[1].binary_memory_kb" }, { 2, "processes[1].binary_memory_kb" },
        { 3, "ets_mb_before" }, { 3, "ets_mb" } }),
      hypothesis = ("Binaries take %.0f MB and %.1f MB more each second, at two looks, and the five processes with "
        .. "most refer to %.1f MB of them: rows of a table, or what is kept beside processes, hold them. Which, was "
        .. "not seen."):format(o.binary_mb, pace(o), referred_mb(holders)),
      unlike = {
        binary_refs_held = ("processes that hold them would be seen; the first refers to %d kB"):format(
          (holders.processes[1] or {}).binary_memory_kb or 0),
        ets_growth = ("the tables' own memory went from %.1f to %.1f MB: large binaries of rows lie outside of it")
          :format(o.ets_mb_before or 0, o.ets_mb or 0),
      },
      next_steps = {
        step "see which table gains rows: ets_growth_stats; they most likely hold these binaries, or slices of them",
        step "where it stores a part of what was received or read, store binary:copy of that part",
        step("give the rows an age or a number at which they go", "CAUTION"),
      },
    }
  end,
}

return { sub_binary_pins_parent, unreferred_binaries }
