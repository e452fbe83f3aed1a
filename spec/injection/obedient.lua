--- A model that does what it reads. Each agent looks at its domain, the ets operator tells the one true
--- finding, and then all do what the texts of the node say (spec/injection/texts.lua), whoever wrote them.

local obedient = {}

local PAGES = { "zqxa", "zqxb", "zqxc", "zqxd", "zqxe" }
local BATCH = 8
local MOST_LOOKS = 7 -- the loop has 25 steps, and lines come at their own pace

-- Two calls a page, so that no answer is cut.
local LOOKS = {
  beam = function(page)
    return ([[local out = {}
      for _, p in ipairs(beam_top_processes(50, "message_queue").processes) do
        if (p.name or ""):find("%s", 1, true) then out[#out + 1] = p.name end
      end
      return { names = out }]]):format(page)
  end,
  ets = function(page)
    return ([[local out = {}
      for _, t in ipairs(ets_list_tables(50).tables) do
        if (t.name or ""):find("%s", 1, true) then out[#out + 1] = t.name end
      end
      return { names = out }]]):format(page)
  end,
  logger = function(page)
    return ([[local out = logger_search("%s", 50)
      for i, e in ipairs(out.entries) do
        out.entries[i] = { message = e.message:sub(1, 300), count = e.count, example = (e.example or ""):sub(1, 300) }
      end
      return out]]):format(page)
  end,
  exception = function(page)
    return ([[local out = exception_search("%s", 50)
      for i, e in ipairs(out.exceptions) do
        out.exceptions[i] = { type = e.type, message = e.message:sub(1, 300), count = e.count }
      end
      return out]]):format(page)
  end,
}

local function who_asks(talk)
  if talk.who == "coordinator" then return "coordinator" end
  for name in pairs(LOOKS) do
    local callback = ({ beam = "beam_top_processes(", ets = "ets_top_tables(", logger = "logger_recent(",
      exception = "exception_recent(" })[name]
    if talk.system:find(callback, 1, true) then return name end
  end
end

-- The results of the calls of one turn.
local function turn(calls)
  local talk = coroutine.yield { calls = calls }
  local results = {}
  for i = #talk.results - #calls + 1, #talk.results do results[#results + 1] = talk.results[i] end
  return results
end

-- What a text makes it do, with the ids of this conversation.
local function filled(value, ids)
  if type(value) == "string" then return ids[value] or value end
  if type(value) ~= "table" then return value end
  local out = {}
  for k, v in pairs(value) do out[k] = filled(v, ids) end
  return setmetatable(out, getmetatable(value))
end

-- Does what it was told by the texts that it saw.
local function obey(self, who, ids)
  local mine = {}
  for _, text in ipairs(self.texts) do
    if text.who == who and self.seen[who][text.mark] and (text.does or text.echo) then mine[#mine + 1] = text end
  end
  for first = 1, #mine, BATCH do
    local calls = {}
    for i = first, math.min(#mine, first + BATCH - 1) do
      calls[#calls + 1] = mine[i].echo and { "think", { thought = self.quoted[mine[i].mark] } }
        or filled(mine[i].does, ids)
    end
    for i, result in ipairs(turn(calls)) do
      local text = mine[first + i - 1]
      self.results[text.mark] = { result }
      if text.after then
        ids.LAST = result.data.observation
        self.results[text.mark][2] = turn({ filled(text.after, ids) })[1]
      end
    end
  end
end

local function all_seen(self, who)
  for _, text in ipairs(self.texts) do
    if not self.seen[who][text.mark] then return false end
  end
  return true
end

local function operate(self, who)
  local ids = { SNAPSHOT = turn({ { "take_snapshot", {} } })[1].data.id }
  for _ = 1, MOST_LOOKS do
    local calls = {}
    for i, page in ipairs(PAGES) do calls[i] = { "execute", { code = LOOKS[who](page) .. " -- " .. self:number() } } end
    turn(calls)
    if all_seen(self, who) then break end
    turn { { "wait", { ms = 2000 } } }
  end
  if who == "ets" then
    local result = turn({ { "execute", { code = "return ets_table_growth(1800)" } } })[1]
    local group, quoted = result.data.result.groups[1], {}
    for _, text in ipairs(self.texts) do
      if text.who == "coordinator" then quoted[#quoted + 1] = self.quoted[text.mark] end
    end
    turn { { "send_notification", {
      type = "leak", context = table.concat(quoted, "; "), severity = "critical", confidence = "high",
      observation = ("%d new tables %s"):format(group.tables, group.name), hypothesis = "none is deleted",
      snapshot_ids = { ids.SNAPSHOT }, root_cause = { object = group.name, mechanism = "ets_table_leak" },
      evidence = { { observation = result.data.observation, path = "groups[1].tables", value = group.tables } },
    } } }
  end
  obey(self, who, ids)
  turn { { "set_state", { state = "healthy", reason = "the node says that it is" } } }
  while true do turn { { "done", {} } } end
end

local function coordinate(self)
  turn { { "invoke_operators", { skills = { "ets" } } } }
  turn { { "wait", { ms = 60000 } } }
  turn { { "get_notifications", {} } }
  turn { { "invoke_operators", { skills = { "beam", "logger", "exception" }, context = "the node is healthy" } } }
  turn { { "wait", { ms = 60000 } } }
  local told = turn({ { "get_notifications", {} } })[1].data.notifications
  obey(self, "coordinator", { EVIDENCE = told[1].evidence })
  while true do turn { { "done", { summary = "the node says that it is healthy" } } } end
end

-- Keeps which texts an agent was shown, and in what: the mind is the only one who sees the conversation.
local function notice(self, who, talk)
  self.read[who] = self.read[who] or 0
  self.seen[who] = self.seen[who] or {}
  for i = self.read[who] + 1, #talk.results do
    local result = talk.results[i]
    for mark in result.text:gmatch "zqx%l%l" do
      self.seen[who][mark] = true
      local quoted = result.text:match(mark .. " ([^\\\"]+)")
      self.quoted[mark] = self.quoted[mark] or quoted and mark .. " " .. quoted
      local marked = type(result.data) == "table" and result.data.trust == "node"
      if not marked then self.unmarked[#self.unmarked + 1] = result.text end
    end
  end
  self.read[who] = #talk.results
end

local Mind = {}
Mind.__index = Mind

function Mind:number()
  self.count = self.count + 1
  return self.count
end

--- Answers one request of the played provider.
---@param talk table
---@return table
function Mind:answer(talk)
  local who = who_asks(talk)
  notice(self, who, talk)
  if talk.outside[#talk.outside]:find "there are no tools any more" then return { text = "The node is healthy." } end
  local agent = self.agents[who]
  if not agent then
    agent = coroutine.create(who == "coordinator" and coordinate or operate)
    self.agents[who] = agent
    return select(2, assert(coroutine.resume(agent, self, who)))
  end
  return select(2, assert(coroutine.resume(agent, talk)))
end

--- @param texts table[]   of spec/injection/texts.lua
function obedient.new(texts)
  return setmetatable({ texts = texts, agents = {}, seen = {}, read = {}, quoted = {}, results = {}, unmarked = {},
    count = 0 }, Mind)
end

return obedient
