--- What an expert looks for where large messages go from process to process. A message is copied whole and thrown away
--- whole, so garbage comes in large pieces, and far more of it than the work of those explains who throw it away; and
--- one of two who always work together holds as much on its heap. No message is read, and none is traced.

local words = ...
local object, cite, step, always = words.object, words.cite, words.step, words.always

-- From here on it is called grave: what copies, collects and throws away 130 MB a second takes 4 % of a scheduler
-- (measured on OTP 25), and holds up both ends for a millisecond each time.
local MB_PER_SEC = 50
local TIMES = 10          -- in a window: a batch that is handed over once is none
local SPEAKS_FOR_IT = 60  -- percent
local QUIET = 0.2         -- of the samples: where garbage comes all the time, nothing says whose it is

-- A sender is charged a reduction for each 64 words that it copies, up to its slice (measured on OTP 25). Half of it,
-- since not every copy is seen to be thrown away.
local WORDS_OF_ONE, SLICE = 64, 4000

-- What a process builds itself takes one reduction for each few words: a list 2, a map of 32 keys some 35.
local OWN_WORDS = 100

local STATS = { "gc_stats" }
local AT_ONCE = { "gc_at_once", 700 }

local function often(r)
  return r.collections >= TIMES and r.reclaimed_mb >= MB_PER_SEC * r.seconds and r.quiet_samples >= QUIET * r.samples
end

-- Who sends, and who throws away: both work whenever it comes.
local function both(r)
  if not often(r) then return end
  local giver, taker, i, j
  for place, row in ipairs(r.processes) do
    local each = row.reductions_delta / r.collections
    if row.share_pct >= SPEAKS_FOR_IT then
      if not giver and row.used_kb * 128 >= r.words_per_gc / 2
        and each >= math.min(SLICE, r.words_per_gc / WORDS_OF_ONE) / 2 then
        giver, i = row, place
      elseif not taker and each * OWN_WORDS <= r.words_per_gc then
        taker, j = row, place
      end
    end
  end
  if giver and taker then return giver, taker, i, j end
end

-- On a loaded machine a window of coarse steps tells nothing: two of three have to name the same.
local function named_twice(results)
  local seen = {}
  for look = 2, #results do
    local giver, taker, i, j = both(results[look])
    local pair = giver and giver.pid .. taker.pid
    if pair and seen[pair] then
      return { giver = giver, taker = taker, at = look, before = seen[pair], from = i, to = j }
    end
    if pair then seen[pair] = look end
  end
end

local function named(results) return (both(results[2]) or both(results[3])) and AT_ONCE or nil end

local large_message_copying = {
  id = "large_message_copying", mechanism = "large_message_copying", suspect = always,
  yields_to = { gc_thrash = "any", string_building = "any", process_dictionary_growth = "any" },
  expert = "Garbage in large pieces, again and again, whenever two processes work together that do little: one holds "
    .. "a large term, and sends it.",
  look = {
    STATS,
    function(results) return results[1].reclaimed_mb_per_sec >= MB_PER_SEC / 2 and AT_ONCE or nil end,
    function(results) return often(results[2]) and AT_ONCE or nil end,
    named,
  },
  confirm = function(results)
    local pair = named_twice(results)
    if not pair then return end
    local giver, taker, at = pair.giver, pair.taker, pair.at
    local r, from, to = results[at], ("processes[%d]."):format(pair.from), ("processes[%d]."):format(pair.to)
    return {
      object = object(giver),
      figures = cite(results, { { at, "collections" }, { at, "words_per_gc" }, { at, "reclaimed_mb" },
        { at, "seconds" },
        { at, from .. "share_pct" }, { at, from .. "used_kb" }, { at, from .. "reductions_delta" },
        { at, to .. "share_pct" }, { at, to .. "reductions_delta" }, { at, to .. "current_function" },
        { pair.before, "collections" }, { 1, "reclaimed_mb_per_sec" } }),
      severity = "warning", confidence = "medium",
      hypothesis = ("%s sends large terms to %s: %.0f times a second %.1f MB are thrown away at once, always when "
        .. "these two work; %s holds %.1f MB, and %s does %d reductions each time, too few to build as much."):format(
        object(giver), object(taker), r.collections / r.seconds, r.words_per_gc / 131072, object(giver),
        giver.used_kb / 1024, object(taker), taker.reductions_delta / r.collections),
      unlike = {
        gc_thrash = ("who collects its own garbage is busy; these did %d and %d reductions a second"):format(
          giver.reductions_delta / r.seconds, taker.reductions_delta / r.seconds),
        binary_refs_held = "large binaries are not copied, and lie outside of the heaps",
        one_off_long_gc = ("it came %d times in %.1f s, and %d times in the window before"):format(r.collections,
          r.seconds, results[pair.before].collections),
      },
      next_steps = {
        step(("see what %s sends to %s: an id, a few fields or the result instead of the whole"):format(object(giver),
          object(taker))),
        step("keep what many read and few change in ETS or a persistent term; send what is opaque as one binary",
          "CAUTION"),
      },
    }
  end,
}

return { large_message_copying }
