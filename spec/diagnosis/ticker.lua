--- How late a process of the target gets to run that wants to every ten milliseconds, without us and with us. It is
--- compiled, since an interpreted loop would measure itself, and lies beside what is planted under names drawn as well.

local ticker = {}

local EVERY_MS = 10
-- Lateness is kept in tenths of a millisecond, as how often each was.
local STEP_US = 100

ticker.part = {
  name = "ticker", asked_by = "$beat $take",
  source = ([==[
start() ->
  Me = self(),
  spawn(fun() -> register($beat, self()), Me ! up, $tick([]) end),
  receive up -> ok end.
$tick(Seen) ->
  Then = erlang:monotonic_time(microsecond),
  receive {$take, From} -> From ! {$take, Seen}, $tick([])
  after %d -> $tick([erlang:monotonic_time(microsecond) - Then - %d | Seen])
  end.
]==]):format(EVERY_MS, EVERY_MS * 1000),
}

--- The ticks since this was asked last; nil where there is no ticker.
---@param at table           the live node
---@param programs Planting[]
---@return table<string, integer>?   how often each lateness was, in steps
function ticker.take(at, programs)
  for _, p in ipairs(programs) do
    local beat, take = (p.asked_by or ""):match "^(%S+) (%S+)$"
    if beat then
      local counts = {}
      local late = at.eval(("%s ! {%s, self()}, receive {%s, L} -> [{X div %d} || X <- L] end."):format(beat, take,
        take, STEP_US))
      for _, one in ipairs(late) do -- in a tuple each: a list of small numbers would be a text
        local key = tostring(one[1])
        counts[key] = (counts[key] or 0) + 1
      end
      return counts
    end
  end
end

--- The lateness in milliseconds under which this share of all ticks of all runs stayed.
---@param list table<string, integer>[]
---@param share number
---@return number?
function ticker.quantile(list, share)
  local sums, steps, total = {}, {}, 0
  for _, counts in ipairs(list) do
    for key, n in pairs(counts) do
      local step = tonumber(key)
      if not sums[step] then steps[#steps + 1] = step end
      sums[step], total = (sums[step] or 0) + n, total + n
    end
  end
  table.sort(steps)
  local seen = 0
  for _, step in ipairs(steps) do
    seen = seen + sums[step]
    if seen >= share * total then return step * STEP_US / 1000 end
  end
end

return ticker
