--- What an expert looks for in the table of atoms: nothing frees them, so what turns input into atoms ends the node.

local words = ...
local object, cite, step, always = words.object, words.cite, words.step, words.always

local FIRST, CLOSE = 1500, 2000 -- milliseconds

local OVERVIEW = { "beam_overview", FIRST }

local ATOMS_PER_SECOND = 20

-- To see who makes them, millions of reductions are spent; one counter, twice, tells before whether it is still so when
-- our own first questions are through, which bring some atoms each. So many minutes are a second.
local STILL = { "beam_atom_growth_rate", 0.0167 }

local function still(rate) return rate.growth_per_minute >= 60 * ATOMS_PER_SECOND end

-- The slower half of the window: what many skills bring with their first questions comes in the first.
local function atoms_per_second(o)
  local between = o.atom_count_between or o.atom_count_before
  return math.min(between - o.atom_count_before, o.atom_count - between) / (o.seconds / 2)
end

-- A module brings its own atoms: then the modules are what leaks, or a node starts. Those of RabbitMQ and OTP bring 46
-- when they are loaded first.
local function modules_bring_them(a) return a.modules_loaded * 50 >= a.atom_count - a.atom_count_before end

local function rising(a) return a.atoms_per_sec >= ATOMS_PER_SECOND and not modules_bring_them(a) end

-- A question that is asked for the first time brings some atoms as well, and many skills ask many.
local function ours(a) return a.makers[1] ~= nil and words.interpreted(a.makers[1]) end

local atom_leak = {
  id = "atom_leak", mechanism = "atom_leak", suspect = always, yields_to = { node_name_atoms = "any" },
  expert = "The atom count rises at two looks; atoms are never freed. A high count that stands still is no fault.",
  look = {
    OVERVIEW,
    function(results) return atoms_per_second(results[1]) >= ATOMS_PER_SECOND and STILL or nil end,
    function(results) return still(results[2]) and { "beam_atom_growth", CLOSE } or nil end,
    function(results) return rising(results[3]) and { "beam_atom_growth", CLOSE } or nil end,
  },
  confirm = function(results)
    local a = results[4]
    if not rising(results[3]) or not rising(a) or ours(a) then return end
    local first, second = a.makers[1], a.makers[2]
    local told = first and first.share_pct >= 70 and (not second or second.share_pct <= first.share_pct - 30)
    local hours = (a.atom_limit - a.atom_count) / a.atoms_per_sec / 3600
    local shape = a.shapes[1]
    return {
      object = told and ("atom_table (made by %s)"):format(object(first)) or "atom_table",
      figures = cite(results, { { 4, "atom_count_before" }, { 4, "atom_count" }, { 4, "atoms_per_sec" },
        { 4, "seconds" }, { 4, "atom_limit" }, { told and 4 or 1, told and "makers[1].share_pct" or "atom_count" },
        { 4, "shapes[1].shape" }, { 3, "atoms_per_sec" }, { 1, "atom_count_before" } }),
      severity = hours < 24 and "critical" or "warning", confidence = told and "high" or "medium",
      hypothesis = ("%d new atoms a second%s%s: the table of %d is full in about %s, and then the node stops at once.")
        :format(a.atoms_per_sec, shape and (", like %s"):format(shape.shape) or "",
        told and (", made by %s, which probably turns input into atoms"):format(object(first)) or "", a.atom_limit,
        hours < 1 and ("%d minutes"):format(math.ceil(hours * 60)) or ("%.1f hours"):format(hours)),
      unlike = {
        high_flat_atoms = ("a high count stands still; this one went from %d to %d in %.1f s"):format(
          a.atom_count_before, a.atom_count, a.seconds),
        module_leak = ("only %d modules were loaded meanwhile"):format(a.modules_loaded),
      },
      next_steps = {
        step(("look%s for list_to_atom and binary_to_atom on input; use the existing_atom forms"):format(
          told and " in " .. object(first) or "")),
        step("stop or slow that input until it is corrected", "CAUTION"),
        step("restart the node before the table is full: nothing else frees atoms", "DANGEROUS"),
      },
    }
  end,
}

return { atom_leak }
