--- A person's approval of one action: bound by an HMAC to the node and its life, the action,
--- its arguments, what it acts on, and the moment. It lives ten minutes and is used once. The key
--- lies outside of the store, so who can only write there cannot approve; whoever can read it can.

local uv = require "luv"
local crypto = require "host.crypto"
local failure = require "runtime.failure"
local files = require "runtime.files"
local json = require "runtime.json"
local private = require "runtime.private"
local writing = require "runtime.writing"

local approval = {
  lives_s = 600,
}

local KEY_BYTES = 32
local CLOCKS_DIFFER_S = 60

local refused = failure.refused

--- Where the key is.
---@param options { approval_key?: string }
---@return string path
---@return boolean usual
function approval.path(options)
  if options.approval_key then return options.approval_key, false end
  return files.state_home() .. "/approval.key", true
end

--- The key; it is made where there is none.
---@param options { approval_key?: string }   approval_key: its group may read it too, for that is who approves
---@return string? key
---@return Failure? err
function approval.key(options)
  local path, usual = approval.path(options)
  local text, err = private.read(path, "gate", not usual or nil)
  if text == false then
    local ok
    ok, err = private.folder(path:match "^(.*)/[^/]*$" or ".", "gate")
    if ok then ok, err = writing.create(path, crypto.hex(crypto.random(KEY_BYTES)) .. "\n", "gate") end
    if ok == nil then return nil, err end
    text, err = private.read(path, "gate", not usual or nil)
  end
  if not text then
    err = err or failure.new("gate", path .. " is gone", "approve again", 5)
    err.exit = 5
    return nil, err
  end
  local key = text:match "^(%x+)%s*$"
  if not key or #key < 2 * KEY_BYTES then
    return refused(path .. " holds no key of ours", "move it away; the next approval makes another")
  end
  return key
end

-- One text for one approval: keys are sorted, and arguments stand as they were written down.
local function text_of(p, given)
  return json.encode {
    what = "beamlens action 1", id = p.id, node = p.node, life = p.life, action = p.action,
    arguments = p.written, class = p.class, object = p.object, identity = p.identity, given = p.given or "",
    approved_at = given.approved_at, nonce = given.nonce, approver = given.approver,
  }
end

--- An approval of this proposal, as of now.
---@param p Proposal
---@param key string
---@param at? integer   seconds since 1970
---@return { approved_at: integer, nonce: string, approver: string, mac: string }
function approval.sign(p, key, at)
  local given = { approved_at = at or os.time(), nonce = crypto.hex(crypto.random(16)),
    approver = (uv.os_get_passwd() or {}).username or "?" }
  given.mac = crypto.hmac(key, text_of(p, given))
  return given
end

--- Whether the approval that a proposal carries is one, of exactly this, and still holds.
---@param p Proposal
---@param key string
---@return true?
---@return Failure? err
function approval.check(p, key)
  local given = p.approval
  if type(given) ~= "table" then
    return refused(("nobody approved %s"):format(p.id), ("a person does: beamlens-run actions approve %s"):format(p.id))
  end
  local whole = type(given.mac) == "string" and type(given.nonce) == "string" and type(given.approver) == "string"
    and type(given.approved_at) == "number"
  if not whole or not crypto.same(given.mac, crypto.hmac(key, text_of(p, given))) then
    return refused(("the approval of %s is not of what stands there now: it was forged, or the action was changed")
      :format(p.id), ("look at it, and approve it anew: beamlens-run actions show %s"):format(p.id))
  end
  local age = os.time() - given.approved_at
  if age > approval.lives_s or age < -CLOCKS_DIFFER_S then
    return refused(age < 0 and ("the approval of %s is of a time to come"):format(p.id)
      or ("the approval of %s is %d minutes old, and one lives %d"):format(p.id, math.floor(age / 60),
        approval.lives_s / 60), ("approve it anew: beamlens-run actions approve %s"):format(p.id))
  end
  return true
end

return approval
