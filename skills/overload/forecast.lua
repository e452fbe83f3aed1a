--- Where mailboxes go, if it goes on. A line is drawn through what rose at every look, and through nothing else.

local texts = ...
local looks = texts.looks

local CRITICAL = 10000 -- messages in one mailbox
local LASTING = 60     -- seconds of looks that make a prediction more than a guess

-- What was kept and what is seen now, on one clock, as far back as it was kept.
local function long_looks(node, seen)
  local list, last = {}, seen[#seen]
  for _, kept in ipairs(node.history("mailboxes", 60)) do
    if kept.age > looks.span(seen) then
      list[#list + 1] = { at_ms = last.at_ms - kept.age * 1000, total = kept.value.total, longest = kept.value.longest }
    end
  end
  for _, look in ipairs(seen) do list[#list + 1] = look end
  return list
end

local function prediction(node)
  local seen, err = looks.take(node)
  if not seen then return nil, err end
  local all, last = long_looks(node, seen), seen[#seen]
  local seconds, word = looks.span(all), looks.pattern(all, function(look) return look.total end)
  local per_second = (last.total - all[1].total) / seconds
  local longest_per_second = (last.longest - all[1].longest) / seconds
  local memory = (last.memory - seen[1].memory) / looks.span(seen)
  local answer = { seconds = looks.round(seconds), looks = #all, pattern = word, total_queue_size = last.total,
    max_queue_size = last.longest, growth_per_minute = looks.round(per_second * 60),
    memory_growth_mb_per_minute = looks.round(memory * 60 / 2 ^ 20),
    time_to_crash_estimate_seconds = looks.time_to_crash(node, seen),
    confidence = seconds >= 10 * LASTING and "high" or seconds >= LASTING and "medium" or "low" }
  if looks.grows(word) then
    answer.predicted_in_5_minutes = math.floor(last.total + per_second * 300)
    answer.predicted_in_15_minutes = math.floor(last.total + per_second * 900)
    if last.longest < CRITICAL and longest_per_second > 0 then
      answer.seconds_to_10000 = math.floor((CRITICAL - last.longest) / longest_per_second)
    end
  end
  return answer
end

return {
  queries = {
    -- What the host has left, as os_mon says it where that runs. No file is read for it between looks; what a
    -- container may use is asked of the skill system.
    room = texts.words .. [=[
  D = case whereis(memsup) of
    undefined -> [];
    _ -> case catch gen_server:call(memsup, get_system_memory_data, 2000) of [_ | _] = L -> L; _ -> [] end end,
  Some([{available, Get(available_memory, D)}]).]=],
  },

  callbacks = {
    overload_predict_growth = {
      doc = "Where the mailboxes go if it goes on as it did since it was first looked at, an hour at most; nothing is "
        .. "predicted of what did not rise at every look.",
      class = "SAFE",
      cost = "one item of every process at each of four looks; the past is kept here",
      returns = { "seconds (looked back)", "looks", "pattern", "total_queue_size", "max_queue_size",
        "growth_per_minute (messages)", "memory_growth_mb_per_minute (of the last three seconds)",
        "predicted_in_5_minutes, predicted_in_15_minutes (messages in all)", "seconds_to_10000 (the longest mailbox)",
        "time_to_crash_estimate_seconds (only where os_mon runs, of the host's memory; system_get_memory knows more)",
        "confidence (low under a minute of looks, high from ten)" },
      run = prediction,
    },
  },
}
