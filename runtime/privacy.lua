--- What is done with a node's words before any of them leaves for a provider: what no eye can see
--- goes, what is too long is cut, and secrets (runtime/secrets.lua) get names that stay the same for
--- the whole run: "<secret:3>" is one secret wherever it stands. Which is which stays in memory.
---
--- This bounds what leaves and how it looks. It cannot make a hostile text harmless, which is why
--- node text goes into tool results only, and why no model can act.

local json = require "runtime.json"
local secrets = require "runtime.secrets"

local privacy = {
  longest = 2000,  -- bytes of one string
}

-- Beyond this a string is not even searched; it must be far above what is shown.
local MOST_READ = 16384

---@class Privacy
---@field private names table<string, string>   secret -> what stands for it
---@field private count integer
---@field private keep table<string, boolean>
local Privacy = {}
Privacy.__index = Privacy

-- Terminal sequences, then controls but tab and newline, then what Unicode has that shows
-- nothing: zero-width, direction and variation marks, and the tag letters, which are used to
-- write to a model what no person sees.
local UNSEEN = {
  "\27%[[%d;?]*%a", "\27%][^\7\27]*\7?", "[%z\1-\8\11-\31\127]", "\194[\128-\159]", "\194\173",
  "\226\128[\139-\143]", "\226\128[\170-\174]", "\226\129[\160-\175]", "\239\184[\128-\143]", "\239\187\191",
  "\243\160[\128-\135][\128-\191]",
}

-- More than once, for taking one out may join the halves of another. A text that is built to
-- make this go on is left with its ASCII.
local function without_unseen(s)
  if not s:find "[%c\128-\255]" then return s end
  s = s:gsub("\r\n?", "\n")
  for _ = 1, 4 do
    local before = s
    for _, pattern in ipairs(UNSEEN) do s = s:gsub(pattern, "") end
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
---@return Privacy
function privacy.new(keep)
  local p = setmetatable({ names = {}, count = 0, keep = {} }, Privacy)
  for _, name in ipairs(keep or {}) do p.keep[name] = true end
  return p
end

function Privacy:name(secret, kind)
  local name = self.names[secret]
  if not name then
    self.count = self.count + 1
    name = ("<%s:%d>"):format(kind or "secret", self.count)
    self.names[secret] = name
  end
  return name
end

-- Too short and too plain for any form: most of what a node says (pids, names, functions).
local function is_plain(s) return #s < 14 and not s:find "[=:,@%c\128-\255]" end

--- One string as it may leave.
---@param s string
---@return string
function Privacy:text(s)
  -- A secret seen before beside its name is one without it too.
  if #s >= 4 and self.names[s] then return self.names[s] end
  if is_plain(s) then return s end
  local size = #s
  if size > MOST_READ then s = cut(s, MOST_READ) end
  s = without_unseen(s)
  -- The last word may be the half of a secret, which no form would know again.
  if size > MOST_READ then s = s:gsub("%S+$", "") end
  s = secrets.hide(s, function(secret, kind) return self:name(secret, kind) end,
    function(found) return self.keep[found] end)
  if #s <= privacy.longest and size <= MOST_READ then return s end
  -- Not through the middle of a name that stands for a secret.
  local shown = cut(s, privacy.longest):gsub("<%a*:?%d*$", "")
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
