--- What is done with a node's words before any of them leaves for a provider: what no eye can see
--- goes, what is too long is cut, and secrets (runtime/secrets.lua) get names (runtime/pseudonyms.lua):
--- "<secret:9f3a0c1b2d4e>" is one secret wherever it stands. Which is which stays at home.
---
--- This bounds what leaves and how it looks. It cannot make a hostile text harmless, which is why
--- node text goes into tool results only, and why a model can but propose.

local json = require "runtime.json"
local pseudonyms = require "runtime.pseudonyms"
local secret_patterns = require "runtime.secret_patterns"
local secrets = require "runtime.secrets"
local unseen = require "runtime.unseen"

local privacy = {
  longest = 2000,  -- bytes of one string
}

-- Beyond this a string is not even searched; it must be far above what is shown.
local MOST_READ = 16384

---@class Privacy
---@field private book Pseudonyms               what stands for a secret
---@field private names table<string, string>   those that were met in this run
---@field private kept table<string, boolean>   what looks like a secret and is none
---@field private whole string[]                secrets that are known beforehand, hidden inside any text
local Privacy = {}
Privacy.__index = Privacy

-- Terminal sequences, then controls but tab and newline; what Unicode hides comes after them.
local STEERING = { "\27%[[%d;?]*%a", "\27%][^\7\27]*\7?", "[%z\1-\8\11-\31\127]" }

-- More than once, for taking one out may join the halves of another. A text that is built to
-- make this go on is left with its ASCII.
local function without_unseen(s)
  if not s:find "[%c\128-\255]" then return s end
  s = s:gsub("\r\n?", "\n")
  for _ = 1, 4 do
    local before = s
    for _, pattern in ipairs(STEERING) do s = s:gsub(pattern, "") end
    s = unseen.replace(s, "")
    if s == before then return s end
  end
  return (s:gsub("[%z\1-\8\11-\31\127-\255]", ""))
end

-- Cuts between characters, not inside one.
local function cut(s, most)
  local at = most
  while at > most - 4 and (s:byte(at + 1) or 0) >= 0x80 and s:byte(at + 1) < 0xC0 do at = at - 1 end
  return s:sub(1, at)
end

---@param keep? string[]   names that look like e-mail addresses and are not: nodes, host.example.com
---@param book? Pseudonyms   names for this run only, if left out
---@return Privacy
function privacy.new(keep, book)
  local p = setmetatable({ book = book or pseudonyms.new(), names = {}, kept = {}, whole = {} }, Privacy)
  for _, name in ipairs(keep or {}) do p:keep(name) end
  return p
end

--- With what the user added to the patterns, and with the names of this home.
---@param forget? boolean   names for this run only
---@return Privacy?         `why` says why its names are for this run only, where that was not asked for
---@return Failure? err     a broken pattern; a map that others may read
function privacy.open(forget)
  local ok, err = secret_patterns.load()
  if not ok then return nil, err end
  local book = pseudonyms.new()
  if not forget then book, err = pseudonyms.open() end
  if not book then return nil, err end
  local p = privacy.new({}, book)
  p.why = book.why
  return p
end

--- Lets stand what looks like an e-mail address and is none: a node's name.
---@param name string
function Privacy:keep(name) self.kept[name] = true end

--- A secret of our own: it is hidden wherever it stands, inside other words too.
---@param secret string
function Privacy:know(secret)
  if #secret < 6 then return end -- would be found in half of all words
  for _, known in ipairs(self.whole) do
    if known == secret then return end -- a watch tells it with every run
  end
  table.insert(self.whole, secret)
  self.names[secret] = self.book:name(secret, "secret", true)
end

function Privacy:name(secret, kind)
  local name = self.names[secret] or self.book:name(secret, kind)
  self.names[secret] = name
  return name
end

--- A text in which names of secrets that were met in this run stand for themselves again. It goes to
--- the node that they came from, and nowhere else; secrets of our own are not given to it.
---@param text string
---@return string
function Privacy:original(text)
  if not text:find("<%a+:%x+>") then return text end
  local ours, by_name = {}, {}
  for _, secret in ipairs(self.whole) do ours[secret] = true end
  for secret, name in pairs(self.names) do by_name[name] = not ours[secret] and secret or nil end
  return (text:gsub("<%a+:%x+>", by_name))
end

local function without_whole(self, s)
  for _, secret in ipairs(self.whole) do
    local first, last = s:find(secret, 1, true)
    while first do
      local name = self.names[secret]
      s = s:sub(1, first - 1) .. name .. s:sub(last + 1)
      first, last = s:find(secret, first + #name, true)
    end
  end
  return s
end

-- Too short and too plain for any form: most of what a node says (pids, names, functions).
local function is_plain(s) return #s < 14 and not s:find "[=:,@%c\128-\255]" end

--- One string as it may be written down: as it may leave, but not cut to what is shown.
---@param s string
---@return string
---@return integer? size   in all, where it was looked through
function Privacy:uncut(s)
  -- A secret seen before beside its name is one without it too.
  if #s >= 4 and self.names[s] then return self.names[s] end
  if self.whole[1] then s = without_whole(self, s) end
  if is_plain(s) then return s end
  local size = #s
  if size > MOST_READ then s = cut(s, MOST_READ) end
  s = without_unseen(s)
  if self.whole[1] then s = without_whole(self, s) end -- what stood apart is joined now
  -- The last word may be the half of a secret, which no form would know again.
  if size > MOST_READ then s = s:gsub("%S+$", "") end
  s = secrets.hide(s, function(secret, kind) return self:name(secret, kind) end,
    function(found) return self.kept[found] end)
  return s, size
end

--- One string as it may leave.
---@param s string
---@return string
function Privacy:text(s)
  local size
  s, size = self:uncut(s)
  if not size or #s <= privacy.longest and size <= MOST_READ then return s end
  -- Not through the middle of a name that stands for a secret.
  local shown = cut(s, privacy.longest):gsub("<%a*:?%x*$", "")
  return ("%s… (cut: %d bytes in all)"):format(shown, size)
end

local clean

-- A field named as a secret hides every text below it.
local function below(self, value, secret)
  if secret and type(value) == "string" then
    return secrets.is_value(value) and self:name(value) or value
  end
  return clean(self, value, secret)
end

-- {password, "…"}: the pair of a property list.
local function is_secret_pair(t)
  return #t == 2 and type(t[2]) ~= "number" and (type(t[1]) == "string" or type(t[1]) == "userdata")
    and secrets.names(tostring(t[1]))
end

local function walk(self, t, mark, secret)
  local out = {}
  local pair = is_secret_pair(t)
  for k, v in pairs(t) do
    local key, named = k, secret or (pair and k == 2)
    if type(k) ~= "number" or mark == "object" then
      local text = tostring(k)
      named = named or secrets.names(text)
      key = self:text(text)
      while out[key] ~= nil do key = key .. "~" end  -- two that look alike once cleaned
    end
    out[key] = below(self, v, named)
  end
  return mark == "object" and json.object(out) or out
end

function clean(self, value, secret)
  local kind = type(value)
  if kind == "string" then return self:text(value) end
  if kind ~= "table" and kind ~= "userdata" then return value end
  local mark = (debug.getmetatable(value) or {}).__jsontype
  if mark == "text" then return below(self, tostring(value), secret) end
  if kind == "userdata" or mark == "number" then return value end
  return walk(self, value, mark, secret)
end

--- A Lua value as it may leave: tables copied, keys and strings cleaned, numbers as they are.
--- Atoms, pids and the like become their text.
---@param value any
---@return any
function Privacy:clean(value) return clean(self, value, false) end

return privacy
