--- The whole machine over minutes and hours, from what was kept of it: what only rises is told from what goes up
--- and down. Of what was not kept there are two looks now.

local WAIT = 2 -- seconds between two looks now; a shorter time is always looked at so

local function round(x) return math.floor(x * 100 + 0.5) / 100 end

-- What is kept of the whole machine, and under which metric.
local TRENDS = {
  { "figures", "process_count", "port_count", "atom_count", "modules", "total_mb", "processes_mb", "binary_mb",
    "ets_mb", "code_mb" },
  { "mailboxes", "total", "longest", "over_1000" },
}
local NAMED = { total = "queued_messages", longest = "longest_mailbox", over_1000 = "mailboxes_over_1000" }

--- One figure over several looks, oldest first.
local function trend(name, looks, seconds)
  local row = { figure = NAMED[name] or name, first = looks[1].value[name], rose = 0, fell = 0 }
  row.lowest, row.highest = row.first, row.first
  for i = 2, #looks do
    local was, now = looks[i - 1].value[name], looks[i].value[name]
    row.rose, row.fell = row.rose + (now > was and 1 or 0), row.fell + (now < was and 1 or 0)
    row.lowest, row.highest = math.min(row.lowest, now), math.max(row.highest, now)
    row.last = now
  end
  row.per_minute = round((row.last - row.first) / seconds * 60)
  return row
end

--- For each metric the looks that were kept and one now; two now where nothing was kept of one.
local function looks_at(node, minutes_back)
  local all, waits = {}, false
  for i, kept in ipairs(TRENDS) do
    local looks = minutes_back * 60 > WAIT and node.history(kept[1], minutes_back) or {}
    all[i] = {}
    for j, look in ipairs(looks) do all[i][j] = look end
    if #looks == 0 or looks[1].age < WAIT then
      local first, err = node.ask(kept[1])
      if not first then return nil, err end
      all[i], waits = { { age = 0, value = first } }, true
    end
  end
  if waits then node.sleep(WAIT) end
  for i, kept in ipairs(TRENDS) do
    local now, err = node.ask(kept[1])
    if not now then return nil, err end
    for j, look in ipairs(all[i]) do
      all[i][j] = { age = look.age + (waits and WAIT or 0), value = look.value }
    end
    table.insert(all[i], { age = 0, value = now })
  end
  return all
end

return {
  queries = {},

  callbacks = {
    beam_trends = {
      brief = "what rose since then",
      doc = "The figures of the whole machine since minutes_back ago, as far as they were kept: what only rose, what "
        .. "went up and down. Where nothing was kept it looks twice, 2 seconds apart.",
      args = { { name = "minutes_back", type = "number", min = 0.05, max = 1440, default = 60 } },
      class = "SAFE",
      cost = "counters, and one item of every process, none of them woken; the past is kept here",
      returns = { "seconds (looked back)", "looks", "total", "showing",
        "figures[]: figure, first, last, lowest, highest, per_minute, rose, fell (looks that saw more, or less, than "
          .. "the one before)" },
      run = function(node, args)
        local all, err = looks_at(node, args.minutes_back)
        if not all then return nil, err end
        local rows, answer = {}, { seconds = 0, looks = 0 }
        for at, kept in ipairs(TRENDS) do
          local looks = all[at]
          for i = 2, #kept do rows[#rows + 1] = trend(kept[i], looks, looks[1].age) end
          answer.seconds, answer.looks = math.max(answer.seconds, round(looks[1].age)), math.max(answer.looks, #looks)
        end
        answer.total, answer.showing, answer.figures = #rows, #rows, rows
        return answer
      end,
    },
  },
}
