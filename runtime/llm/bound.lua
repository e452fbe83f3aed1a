--- Thinking that a model has signed is bound to what stood before it: system, tools, every earlier message. Newer
--- models of Anthropic refuse a whole request where any of that is another now, as it is once a conversation was
--- made shorter or a prompt was edited. So a reply remembers what stood before it, as a digest; where that is no
--- longer so, its thoughts stay out, and with them those of every later reply, since theirs changed by that too.

local crypto = require "host.crypto"

local bound = {}

local NEVER = "" -- no digest is

---@class Bound   what stands before the next block
---@field digest string
local Bound = {}
Bound.__index = Bound

---@param head string   all that stands before the conversation
---@return Bound
function bound.new(head) return setmetatable({ digest = crypto.sha256(head) }, Bound) end

--- Takes in a block that is sent.
---@param block string
function Bound:add(block) self.digest = crypto.sha256(self.digest .. block) end

--- The blocks of a reply as they may go back.
---@param raw table          list of blocks; `raw.before`: the digest when they were made, nil: not known
---@param is_thought fun(block: string): boolean
---@param words string       a block to send where nothing else is left
---@return string[]
function Bound:blocks(raw, is_thought, words)
  if not raw.before or raw.before == self.digest then return raw end
  local kept = {}
  for _, block in ipairs(raw) do
    if not is_thought(block) then kept[#kept + 1] = block end
  end
  if #kept == 0 then kept[1] = words end
  return kept
end

--- Whether a request was refused for a thought in it, whatever it was that changed; then all thoughts of this
--- conversation stay out from now on, and it may be sent again.
---@param err ProviderFault?
---@param messages table[]
---@return boolean
function bound.was_refused(err, messages)
  if not (err and err.status == 400 and err.message:find("Invalid `signature` in `thinking`", 1, true)) then
    return false
  end
  local thoughts = false
  for _, message in ipairs(messages) do
    if message.raw and message.raw.before ~= NEVER then message.raw.before, thoughts = NEVER, true end
  end
  return thoughts
end

return bound
