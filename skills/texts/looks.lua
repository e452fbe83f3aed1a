--- Lua that a skill's parts share: mailboxes seen several times, and what moved between. A look is what
--- `texts.mailboxes` finds, with the `queues` of the longest, most first, and `at_ms`.

local LOOKS, STEP = 4, 1 -- so many, so many seconds apart
local MOVED = 20         -- messages, and
local MOVED_PART = 0.02  -- part of what was there: less between two looks is traffic
local FASTER = 1.5       -- growth is called accelerating when each window gained so many times the one before
local NOISE = 100000     -- bytes a second that the memory of any node may gain for a while

local looks = {}

function looks.round(x) return math.floor(x * 100 + 0.5) / 100 end

--- A look at each step, as a skill with the query `look` takes it.
function looks.take(node)
  local list = {}
  for i = 1, LOOKS do
    local look, err = node.ask "look"
    if not look then return nil, err end
    list[i] = look
    if i < LOOKS then node.sleep(STEP) end
  end
  return list
end

--- Seconds from the first to the last.
function looks.span(list) return math.max(0.001, (list[#list].at_ms - list[1].at_ms) / 1000) end

--- Messages of one process in a look. Who is not among the longest had as many as the last of them
--- at most: that is taken, so that a gain is never made out of what was not seen.
function looks.size_of(look, pid)
  for _, queue in ipairs(look.queues) do
    if queue.pid == pid then return queue.size end
  end
  local last = look.queues[#look.queues]
  return last and look.nonempty > #look.queues and last.size or 0
end

--- Whether a gain is more than traffic.
function looks.gained(delta, start) return delta > math.max(MOVED, MOVED_PART * start) end

--- One figure over looks, as windows of { start, delta, seconds }.
function looks.windows(list, figure)
  local windows = {}
  for i = 2, #list do
    local start = figure(list[i - 1])
    windows[i - 1] = { start = start, delta = figure(list[i]) - start,
      seconds = math.max(0.001, (list[i].at_ms - list[i - 1].at_ms) / 1000) }
  end
  return windows
end

--- How a figure moved over them.
function looks.pattern(list, figure)
  local windows = looks.windows(list, figure)
  local up, down, faster = 0, 0, true
  for i, w in ipairs(windows) do
    if looks.gained(w.delta, w.start) then up = up + 1
    elseif looks.gained(-w.delta, w.start) then down = down + 1 end
    local before = windows[i - 1]
    if before then faster = faster and w.delta / w.seconds >= FASTER * before.delta / before.seconds end
  end
  if up == #windows then return #windows >= 3 and faster and "accelerating" or "growing" end
  if up == 0 and down == 0 then return "steady" end
  return up == 0 and "draining" or "fluctuating"
end

function looks.grows(word) return word == "growing" or word == "accelerating" end

--- Seconds until the memory is full: only where its limit is known and it grew in every window.
function looks.time_to_crash(node, list)
  local least = math.huge
  for _, w in ipairs(looks.windows(list, function(look) return look.memory end)) do
    least = math.min(least, w.delta)
  end
  local per_second = (list[#list].memory - list[1].memory) / looks.span(list)
  if least <= 0 or per_second < NOISE then return end
  local room = node.ask "room"
  return room and room.available and math.floor(room.available / per_second) or nil
end

return { looks = looks }
