--- What may stand next on a command line, for the completions of shells: from the same tables that read it. It asks no
--- node; what is broken offers nothing, for nobody reads an error while they type.

local config = require "runtime.config"
local manual = require "runtime.manual"
local plain = require "runtime.plain"
local sources = require "runtime.complete_sources"

local complete = {}

---@class Offer
---@field [1] string    the word
---@field [2]? string   what is said of it

-- A name may come from epmd or the store, and a shell puts it into the line as it is; there it would not be a name
-- where it begins as an option does.
local SAFE = "^[%w_@.:/+-][%w_@.:/+,=-]*$"
local LONGEST_ABOUT = 60 -- bytes

local KIND_OF = { FILE = "file", ["FILE.md"] = "file", ["DIR|FILE"] = "file", DIR = "folder" }
-- Where a path may stand in the place of a name.
local OR_PATH = { script = true, skill = true, strategy = true }

-- What was typed so far: the words, the option that waits for its value, and what stands behind `--`.
local function walk(typed)
  local so_far = { words = {}, given = {} }
  for i, word in ipairs(typed) do
    if so_far.waits then
      so_far.waits = nil
    elseif word == "--" then
      so_far.behind = { unpack(typed, i + 1) }
      break
    elseif word:find "^%-%-." then
      local option = config.option(word:match "^[^=]+")
      if option then so_far.given[option.name] = true end
      if option and option.type ~= "flag" and not word:find "=" then so_far.waits = option end
    else
      table.insert(so_far.words, word)
    end
  end
  return so_far
end

-- Those that begin as what was typed, each once, in their order.
local function fitting(offers, current, before, options)
  local list, seen = {}, {}
  for _, offer in ipairs(offers) do
    local word = before .. offer[1]
    if word:sub(1, #current) == current and word:find(SAFE) and not seen[word]
      and (options or not offer[1]:find "^%-") then
      list[#list + 1] = { word, plain.cut(offer[2] or "", LONGEST_ABOUT) }
      seen[word] = true
    end
  end
  return list
end

local function of_kind(kind, current, before, context)
  local own = current:sub(#before + 1)
  if kind == "file" or kind == "folder" or OR_PATH[kind] and own:find "[/~]" then
    return {}, kind == "folder" and "folder" or "file"
  end
  local source = sources[kind]
  return source and fitting(source(context), current, before) or {}
end

-- The value of an option; of a list, what stands behind the last comma.
local function of_option(option, current, before, context)
  if option.type == "list" then before = before .. (current:sub(#before + 1):match "^.*," or "") end
  if not option.of then
    return of_kind(option.values or KIND_OF[option.shown], current, before, context)
  end
  local offers = {}
  for i, word in ipairs(option.of) do offers[i] = { word } end
  return fitting(offers, current, before)
end

local function flags(name, given, current)
  local offers = {}
  for _, list in ipairs { name and manual.options(name) or {}, manual.options() } do
    for _, option in ipairs(list) do
      if option.type == "list" or not given[option.name] then
        offers[#offers + 1] = { config.flag(option), option.doc }
      end
    end
  end
  offers[#offers + 1] = { "--help", "what this command does" }
  return fitting(offers, current, "", true)
end

-- What the next word of a command is.
local function of_word(name, words, current, context)
  local takes = manual.command(name).takes or {}
  local count = name == "script" and #words + 1 or #words -- its own name is its first word
  if count > manual.command(name).words then return {} end
  return of_kind(takes[math.min(count, #takes)], current, "", context)
end

--- The words that may stand where the last one of these stands, or is to stand.
---@param typed string[]      without the program; the last is what is being typed, perhaps ""
---@return Offer[]
---@return "file"|"folder"|nil   what the shell itself knows to complete
function complete.next(typed)
  local current = typed[#typed] or ""
  local before = { unpack(typed, 1, #typed - 1) }
  local so_far = walk(before)
  local words = so_far.words
  local name = words[1] and (manual.is_command(words[1]) and words[1] or "script")
  if so_far.behind then
    local further = name and name ~= "script" and manual.command(name).further
    if not further then return {}, "file" end
    table.insert(so_far.behind, current)
    return complete.next(so_far.behind)
  end
  local line, _, read = config.parse(before)
  local options, _, settled = config.settle(line and line.options or read, os.getenv)
  local context = { options = options or settled, words = words }
  if so_far.waits then return of_option(so_far.waits, current, "", context) end
  local inline, flag = current:match "^((%-%-[^=]+)=)"
  if inline then
    local option = config.option(flag)
    if option then return of_option(option, current, inline, context) end
    return {}
  end
  if current:find "^%-" then return flags(name, so_far.given, current) end
  if not name then return of_kind("script", current, "", context) end
  return of_word(name, words, current, context)
end

return complete
