--- What stands for a secret: "<secret:9f3a0c1b2d4e>", the same in every run of this home, for it is
--- made from the secret with a key that stays here. Two runs at once need not agree on anything, and
--- nobody who sees the names can try out what they stand for.
---
--- The key and what each name stands for are in one file that only its owner reads,
--- ~/.local/state/beamlens/pseudonyms: the key in its first line, then a line for each name.

local uv = require "luv"
local crypto = require "host.crypto"
local failure = require "runtime.failure"
local files = require "runtime.files"
local json = require "runtime.json"
local private = require "runtime.private"
local utf8 = require "runtime.utf8"
local writing = require "runtime.writing"

local pseudonyms = {
  largest = 4 * 1024 * 1024, -- a node can invent secrets without end; what does not fit has its name all the same
}

local DIGITS = 12
local OURS_ALONE = 384 -- 0600

---@class Pseudonyms
---@field why? string                  why the names are for this run only, where that was not asked for
---@field private key string
---@field private by_secret table<string, string>
---@field private by_name table<string, string>
---@field private path? string         where they are kept
---@field private size integer
local Pseudonyms = {}
Pseudonyms.__index = Pseudonyms

--- Names for this run only.
---@return Pseudonyms
function pseudonyms.new()
  return setmetatable({ key = crypto.hex(crypto.random(32)), by_secret = {}, by_name = {}, size = 0 }, Pseudonyms)
end

-- With its key, or not at all: of two that begin at once, one finds the other's.
local function create(path)
  local ok, err = private.folder(path:match "^(.+)/", "config")
  if not ok then return nil, err.message end
  ok, err = writing.create(path, "key\t" .. crypto.hex(crypto.random(32)) .. "\n", "config")
  return ok ~= nil, err and err.message
end

local function load_from(text, path)
  local key = text:match "^key\t(%x+)\n"
  if not key or #key ~= 64 then
    return nil, failure.new("config", path .. " does not begin with a key",
      "remove it; the names of secrets begin anew", 2)
  end
  local p = setmetatable({ key = key, by_secret = {}, by_name = {}, path = path, size = #text }, Pseudonyms)
  for name, said in text:gmatch "\n(<%a+:%x+>)\t([^\n]*)" do
    local secret = json.decode(said)
    if type(secret) == "string" then p.by_name[name] = secret end
  end
  return p
end

--- The names of this home. Where there is no home, or it cannot be written, they are for this run only.
---@return Pseudonyms?
---@return Failure? err   the file is there and others may read it, or it is none of ours
function pseudonyms.open()
  if (os.getenv "HOME" or "") == "" and (os.getenv "XDG_STATE_HOME" or "") == "" then return pseudonyms.new() end
  local path = files.state_home() .. "/pseudonyms"
  local text, err = private.read(path, "config")
  if text == false then
    local made, why = create(path)
    if not made then
      local p = pseudonyms.new()
      p.why = ("the names of secrets are for this run only: %s"):format(tostring(why))
      return p
    end
    text, err = private.read(path, "config")
  end
  if not text then return nil, err end
  return load_from(text, path)
end

-- One write at the end of the file, so that two runs do not write into each other's line.
local function keep(self, name, secret)
  local line = ("%s\t%s\n"):format(name, json.encode(secret))
  if not self.path or self.size + #line > pseudonyms.largest then return end
  local fd = uv.fs_open(self.path, "a", OURS_ALONE)
  if not fd then return end -- the name holds without it
  uv.fs_write(fd, line)
  uv.fs_close(fd)
  self.size = self.size + #line
end

--- What stands for a secret.
---@param secret string
---@param kind? "secret"|"email"
---@param unkept? boolean   a secret of our own: which one it is has no place in the file
---@return string
function Pseudonyms:name(secret, kind, unkept)
  local name = self.by_secret[secret]
  if name then return name end
  local digest, digits, written = crypto.hmac(self.key, secret), DIGITS, utf8.well_formed(secret)
  repeat
    name = ("<%s:%s>"):format(kind or "secret", digest:sub(1, digits))
    digits = digits + 4
  until self.by_name[name] == nil or self.by_name[name] == written
  if not (unkept or self.by_name[name]) then keep(self, name, secret) end
  self.by_secret[secret], self.by_name[name] = name, written
  return name
end

return pseudonyms
