--- What there is to know about the BEAM, by topic: prompts/knowledge/TOPIC.md, the user's own copy of it first, and
--- what prompts/mechanisms says of every mechanism. People read it by `explain`, a model by `help` in a script.

local advice = require "runtime.advice"
local failure = require "runtime.failure"
local files = require "runtime.files"
local mechanisms = require "runtime.mechanisms"
local ours = require "host.files"

local knowledge = {}

---@class Topic
---@field topic string     its name, and that of its file
---@field title string
---@field group string     of knowledge.GROUPS
---@field about string     one line
---@field also string[]    words that somebody may ask for and mean this
---@field text string      Markdown, without the title
---@field fault? string    why the user's own file was not taken

knowledge.GROUPS = {
  { name = "routes", title = "What to look at, in order" },
  { name = "choices", title = "Which one to take" },
  { name = "workings", title = "How it works" },
  { name = "live", title = "On a live node" },
  { name = "mechanisms", title = "What goes wrong" },
}

local FOLDER, MECHANISMS = "prompts/knowledge", "prompts/mechanisms"

local group_names = {}
for i, group in ipairs(knowledge.GROUPS) do group_names[i] = group.name end

local function fault(file, line, why, next_step)
  return failure.new("prompt", ("%s:%d: %s"):format(file, line, why), next_step, 2)
end

local FIELDS = { group = true, about = true, also = true }

-- The lines between the first two of three dashes, and the rest with the number of its first line.
local function head_of(text, file)
  local lines, at = {}, 0
  for line in (text:gsub("\r\n", "\n") .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  if lines[1] ~= "---" then
    return nil, fault(file, 1, "it does not begin with ---", "begin with ---, then group: and about:, and --- again")
  end
  local head = {}
  for i = 2, #lines do
    if lines[i] == "---" then at = i break end
    local key, value = lines[i]:match "^(%l+):%s*(.-)%s*$"
    if not FIELDS[key] then
      return nil, fault(file, i, ("%q is no line of the head"):format(lines[i]:sub(1, 60)),
        "it has group:, about: and also:, and ends with ---")
    end
    head[key] = value
  end
  if at == 0 then return nil, fault(file, 1, "the head does not end", "end it with a line of ---") end
  return head, lines, at + 1
end

-- A fence that nobody closes would swallow the rest.
local function open_fence(lines, from)
  local opened
  for i = from, #lines do
    if lines[i]:find "^%s*```" then opened = not opened and i or nil end
  end
  return opened
end

--- Reads the text of such a file.
---@param text string
---@param name string
---@param file string   its name, for messages
---@return Topic?
---@return Failure? err
function knowledge.read(text, name, file)
  local head, lines, at = head_of(text, file)
  if not head then return nil, lines end
  local groups = "groups are " .. table.concat(group_names, ", ")
  if not head.group then return nil, fault(file, 2, "the head has no group:", groups) end
  if failure.nearest(head.group, group_names) ~= head.group then
    return nil, fault(file, 2, "there is no group " .. head.group, failure.meant(head.group, group_names, groups))
  end
  if (head.about or "") == "" then return nil, fault(file, 2, "the head has no about:", "say it in one line") end
  local title = lines[at] and lines[at]:match "^# +(.-)%s*$"
  if not title then return nil, fault(file, at, "there is no title", "put # and the title below the head") end
  local opened = open_fence(lines, at)
  if opened then return nil, fault(file, opened, "the code is not closed", "close it with ```") end
  local body = table.concat(lines, "\n", at + 1):gsub("^%s+", ""):gsub("%s+$", "")
  if body == "" then return nil, fault(file, at, "it says nothing", "say it below the title") end
  local also = {}
  for word in ((head.also or "") .. ","):gmatch "%s*(.-)%s*," do
    if word ~= "" then also[#also + 1] = word end
  end
  return { topic = name, title = title, group = head.group, about = head.about, also = also, text = body }
end

local function mechanism(word)
  local known = advice.of(word)
  if not known then return nil end
  return { topic = word, title = word, group = "mechanisms", about = mechanisms[word] or known.means:match "^[^\n]*",
    also = {}, text = advice.markdown(known), fault = known.fault }
end

--- One topic. A file of the user's that does not read is told, and ours stands in its place where there is one.
---@param name string
---@return Topic?
---@return Failure? err   nil where there is no such topic
function knowledge.of(name)
  if not name:find "^[%w_]+$" then return nil end -- it becomes a path
  local path = ("%s/%s.md"):format(FOLDER, name)
  local text, shown, is_ours = files.read(path)
  if not text and shown.stage == "config" then return mechanism(name) end -- there is no such file
  local found, err
  if text then found, err = knowledge.read(text, name, shown) else err = shown end
  if found or is_ours then return found, err end
  local own = ours.read(path)
  found = own and knowledge.read(own, name, path) or nil
  if not found then return nil, err end
  found.fault = tostring(err)
  return found
end

local function place_of(group)
  for i, known in ipairs(group_names) do if known == group then return i end end
end

--- All that there are, by their groups.
---@return Topic[]
---@return Failure[] broken   files of the user's that do not read and stand for none of ours
function knowledge.all()
  local list, broken = {}, {}
  for _, folder in ipairs { FOLDER, MECHANISMS } do
    for _, name in ipairs(files.list(folder, ".md")) do
      local topic, err
      if folder == FOLDER then topic, err = knowledge.of(name) else topic = mechanism(name) end
      list[#list + 1], broken[#broken + 1] = topic, err
    end
  end
  table.sort(list, function(a, b)
    if a.group ~= b.group then return place_of(a.group) < place_of(b.group) end
    return a.topic < b.topic
  end)
  return list, broken
end

return knowledge
