--- The secrets of one client, out of the sentences about it. A server was told the key with our request and
--- may say it back in any word of a refusal, also with signs between that nobody sees: so letters and
--- digits alone are compared, small ones and capitals alike, in pieces.

local own_secrets = {}

local PIECE = 12  -- so many of them in a row are no accident
local LEAST = 6   -- shorter ones stand in half of all words
local MOST = 32   -- a token that is renewed each hour is worth nothing after a day

---@class OwnSecrets
---@field private secrets string[]                their letters and digits, the oldest first
---@field private pieces table<string, integer>    in how many places of them each stands
---@field private lengths table<integer, true>
local OwnSecrets = {}
OwnSecrets.__index = OwnSecrets

-- Letters and digits, and where each of them stands.
local function folded(text)
  local signs, places = {}, {}
  for at, sign in text:lower():gmatch "()(%w)" do
    signs[#signs + 1], places[#places + 1] = sign, at
  end
  return table.concat(signs), places
end

-- Counts its pieces up or down.
local function count(self, signs, by)
  local length = math.min(PIECE, #signs)
  self.lengths[length] = true
  for at = 1, #signs - length + 1 do
    local piece = signs:sub(at, at + length - 1)
    local n = (self.pieces[piece] or 0) + by
    self.pieces[piece] = n > 0 and n or nil
  end
end

--- From now on it is hidden.
---@param secret string
function OwnSecrets:know(secret)
  local signs = folded(secret)
  if #signs < LEAST or signs == self.name then return end -- some servers at home want a key that is none
  table.insert(self.secrets, signs)
  count(self, signs, 1)
  if #self.secrets > MOST then count(self, table.remove(self.secrets, 1), -1) end
end

-- Calls `fn` with the ends of each stretch that is secret, the first one first.
local function each(self, text, fn)
  local signs, places = folded(text)
  local first, last
  for at = 1, #signs do
    for length in pairs(self.lengths) do
      if self.pieces[signs:sub(at, at + length - 1)] then
        if first and at > last + 1 then
          fn(places[first], places[last])
          first = nil
        end
        first, last = first or at, math.max(last or 0, at + length - 1)
      end
    end
  end
  if first then fn(places[first], places[last]) end
end

--- The text without them.
---@param text string
---@return string
function OwnSecrets:hide(text)
  local out, done = {}, 1
  each(self, text, function(first, last)
    out[#out + 1] = text:sub(done, first - 1)
    done = last + 1
  end)
  out[#out + 1] = text:sub(done)
  return table.concat(out, "<key>")
end

---@param name string   of the client
---@return OwnSecrets
function own_secrets.new(name)
  return setmetatable({ secrets = {}, pieces = {}, lengths = {}, name = (folded(name)) }, OwnSecrets)
end

return own_secrets
