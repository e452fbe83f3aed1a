--- Hot reload: while a run or a watch goes on, the files that people edit are watched, and looked at anew when
--- something happens in their folders, or on SIGHUP. What loads, passes its check and differs is in use from then on
--- (runtime/in_use.lua): operators meet it at their next turn. What does not pass changes nothing, and is told once.

local uv = require "luv"
local async = require "runtime.async"
local effects = require "runtime.effects"
local failure = require "runtime.failure"
local files = require "runtime.files"
local folders = require "runtime.folders"
local hangup = require "runtime.hangup"
local in_use = require "runtime.in_use"
local settings_files = require "runtime.settings_files"
local skill = require "runtime.skill"
local telemetry = require "runtime.telemetry"

local reload = { quiet_s = 0.1 } -- an editor writes in several steps

local LONGEST_S = 1 -- somebody who never stops is heard nevertheless

---@class Reload
---@field private attending table[]    { node?, skills }, for whom something must be right
---@field private folders Folders
---@field private texts table<string, string>   settings file -> what stood in it when it was looked at
---@field private refused table<string, string> settings file -> why it is not taken
local Reload = {}
Reload.__index = Reload

local current -- one for the process, for the files are there once

local function absolute(path) return path:sub(1, 1) == "/" and path or ("%s/%s"):format(uv.cwd(), path) end

local function add_file(list, path)
  if not path then return end
  path = absolute(path)
  list[#list + 1] = path:match "^(.*)/[^/]*$"
  local real = uv.fs_realpath(path)
  list[#list + 1] = real and real:match "^(.*)/[^/]*$"
end

-- Where something may change: our folders, and those of files that were named by their path.
local function places(self)
  local list = files.places()
  for _, file in ipairs(settings_files.list) do add_file(list, file.path(self.options)) end
  for _, one in ipairs(self.attending) do
    for _, s in ipairs(one.skills) do
      add_file(list, s.opened and s.opened:find("/", 1, true) and s.opened or nil)
    end
  end
  for i, path in ipairs(list) do if path == "" then list[i] = "/" end end
  return list
end

local function attends(one, unit)
  for _, s in ipairs(one.skills) do
    if s.opened == unit.name then return true end
  end
end

-- The skills of one run as they would be with this one.
local function with(one, unit, value)
  local list = {}
  for i, s in ipairs(one.skills) do list[i] = s.opened == unit.name and value or in_use.now(s) end
  return list
end

-- Beyond its form: each node that it is for understands it, and it clashes with nobody beside it.
local function check(self, unit, value)
  if unit.kind ~= "skill" then return true end
  if value.name ~= unit.value.name then
    return nil, failure.new("skill", ("the skill %s calls itself %s now"):format(unit.value.name, value.name),
      "start again to use it by that name", 2)
  end
  for _, one in ipairs { unpack(self.attending) } do
    if attends(one, unit) then
      local err = skill.clash(with(one, unit, value))
      if err then return nil, err end
      if one.node and one.node.state == "up" then
        local ok
        ok, err = skill.parse(value, one.node)
        if not ok then return nil, err end
      end
    end
  end
  return true
end

-- What was parsed and judged for the texts of a skill that nobody asks any more.
local function forget(self, was, now)
  local kept = {}
  for _, text in next, now.queries do kept[text] = true end
  for _, text in next, was.queries do
    if not kept[text] then
      effects.forget(text)
      for _, one in ipairs(self.attending) do
        if one.node and one.node.forget then one.node:forget(text) end
      end
    end
  end
end

local function rejected(kind, name, err)
  telemetry.emit("reload.rejected", {}, { kind = kind, name = name, reason = tostring(err) })
end

local function told(self, outcome)
  local unit = outcome.unit
  if outcome.err then return rejected(unit.kind, unit.name, outcome.err) end
  if unit.kind == "skill" then forget(self, outcome.was, unit.value) end
  telemetry.emit("reload.loaded", {}, {
    kind = unit.kind, name = unit.name, version = unit.version, before = outcome.before,
  })
end

local function apply(self, file)
  local done, err = file.apply(self.options)
  if not done then
    local why = tostring(err)
    if self.refused[file.name] ~= why then rejected("settings", file.name, why) end
    self.refused[file.name] = why
    return
  end
  self.refused[file.name] = nil
  if type(done) == "table" and done.applied and #done.applied + #done.waiting > 0 then
    telemetry.emit("reload.config", {}, done)
  end
end

local function text_of(path) return (files.read_users(path, "config")) or "" end

-- A settings file is applied when it says something else than before, or when that was asked for.
local function settings(self, asked)
  for _, file in ipairs(settings_files.list) do
    local path = file.path(self.options)
    local text = path and text_of(path)
    if text and (asked or text ~= self.texts[file.name]) then
      self.texts[file.name] = text
      apply(self, file)
    end
  end
end

local function watch(self)
  local list = self.folders:watch(places(self))
  local refused = #list > 1 and ("%s and %d more folders"):format(list[1], #list - 1) or list[1] or ""
  if refused ~= "" and refused ~= self.unwatched then
    telemetry.emit("reload.unwatched", {}, { reason = refused })
  end
  self.unwatched = refused
end

-- Everything anew.
local function look(self, asked)
  watch(self)
  settings(self, asked)
  in_use.renew(function(unit, value) return check(self, unit, value) end, function(outcome) told(self, outcome) end)
  telemetry.emit("reload.looked", {}, { asked = asked or false })
end

local function live(self)
  while true do
    if not (self.stirred or self.asked) then async.await(function(resume) self.wake = resume end) end
    if async.current().cancelled then return end
    local last = async.now() + LONGEST_S
    repeat
      self.stirred = false
      async.sleep(reload.quiet_s)
    until not self.stirred or async.now() > last or async.current().cancelled
    local asked = self.asked
    self.stirred, self.asked = false, false
    -- What a file made of ours trip over ends no run, nor the watching of the other files.
    local ok, why = true, nil
    if not async.current().cancelled then ok, why = pcall(look, self, asked) end
    if not ok then rejected("settings", "files", "a fault of ours: " .. tostring(why):match "^[^\n]*") end
  end
end

local function wake(self)
  local resume = self.wake
  self.wake = nil
  if resume then resume() end
end

local function start(options)
  local self = setmetatable({ attending = {}, texts = {}, refused = {}, options = options }, Reload)
  self.release = in_use.hold()
  self.folders = folders.new(function()
    self.stirred = true
    wake(self)
  end)
  for _, file in ipairs(settings_files.list) do
    local path = file.path(options)
    self.texts[file.name] = path and text_of(path)
  end
  self.deafen = hangup.listen(function()
    self.asked = true
    wake(self)
  end)
  self.task = async.spawn(live, self)
  return self
end

local function stop(self)
  current = nil
  self.folders:close()
  self.deafen()
  self.release()
  self.task:cancel "the run is over"
end

local function loader(name)
  return function()
    local s, err = skill.open(name)
    return s, s and skill.version(s) or err
  end
end

--- A skill by name or path: the last that passed its check, while a run or a watch goes on.
---@param name string
---@return Skill?
---@return Failure? err
function reload.skill(name)
  local s, err = in_use.open("skill", name, loader(name))
  return s, err
end

--- Looks at all files at once, for who does not want to wait until it is heard that they changed. Inside a task.
function reload.look()
  if current then look(current, true) end
end

--- Watches the files for a run, until the function it gives is called. Runs side by side share one watch.
---@param o { node?: table, skills: Skill[], options?: table }   options: what the config file is applied to
---@return fun() done
function reload.begin(o)
  current = current or start(o.options)
  local self, one = current, { node = o.node, skills = o.skills }
  self.attending[#self.attending + 1] = one
  for _, s in ipairs(one.skills) do -- a run that ended meanwhile may have let go of them
    if s.opened then in_use.adopt("skill", s.opened, s, skill.version(s), loader(s.opened)) end
  end
  watch(self)
  local over = false
  return function()
    if over then return end
    over = true
    for i, other in ipairs(self.attending) do
      if other == one then
        table.remove(self.attending, i)
        break
      end
    end
    if #self.attending == 0 then stop(self) end
  end
end

return reload
