local approval = require "runtime.approval"
local state_home = require "spec.support.state_home"
local uv = require "luv"

local folder

local function proposal(more)
  local p = { id = "a1", node = "shop@host", life = "1/2/3", action = "kill_process", written = '{"process":"x"}',
    class = "DANGEROUS", object = "x", identity = "8361" }
  for key, value in pairs(more or {}) do p[key] = value end
  return p
end

local function refusal(p, key)
  local ok, err = approval.check(p, key)
  assert.is_nil(ok)
  assert.same({ "gate", 5 }, { err.stage, err.exit })
  return err.message
end

describe("an approval", function()
  local key
  before_each(function()
    folder = state_home.open()
    key = assert(approval.key {})
  end)
  after_each(state_home.close)

  it("holds for what was signed", function()
    local p = proposal()
    p.approval = approval.sign(p, key)
    assert.is_true(approval.check(p, key))
  end)

  for field, value in pairs { id = "a2", node = "other@host", life = "1/2/4", action = "gc_process",
    written = '{"process":"y"}', class = "CAUTION", object = "y", identity = "8362", given = "83" } do
    it("does not hold for another " .. field, function()
      local p = proposal()
      p.approval = approval.sign(p, key)
      p[field] = value
      assert.matches("it was forged, or the action was changed", refusal(p, key), 1, true)
    end)
  end

  for field, value in pairs { approved_at = 1, nonce = "another", approver = "root?", mac = ("0"):rep(64) } do
    it(("does not hold when its %s was changed"):format(field), function()
      local p = proposal()
      p.approval = approval.sign(p, key)
      p.approval[field] = value
      assert.matches("it was forged, or the action was changed", refusal(p, key), 1, true)
    end)
  end

  for _, field in ipairs { "approved_at", "nonce", "approver", "mac" } do
    it(("does not hold without its %s"):format(field), function()
      local p = proposal()
      p.approval = approval.sign(p, key)
      p.approval[field] = nil
      assert.matches("it was forged, or the action was changed", refusal(p, key), 1, true)
    end)
  end

  it("does not hold by another key", function()
    local p = proposal()
    p.approval = approval.sign(p, key)
    assert.matches("it was forged", refusal(p, ("ab"):rep(32)))
  end)

  it("holds for ten minutes and no longer", function()
    local p = proposal()
    p.approval = approval.sign(p, key, os.time() - 590)
    assert.is_true(approval.check(p, key))
    p.approval = approval.sign(p, key, os.time() - 605)
    assert.equal("the approval of a1 is 10 minutes old, and one lives 10", refusal(p, key))
  end)

  it("is never the same twice", function()
    local p = proposal()
    assert.not_equal(approval.sign(p, key, 1).mac, approval.sign(p, key, 1).mac)
  end)
end)

describe("the key of approvals", function()
  before_each(function() folder = state_home.open() end)
  after_each(state_home.close)

  it("is made once, is its owner's alone, and nobody can guess it", function()
    local key = assert(approval.key {})
    assert.matches("^" .. ("%x"):rep(64) .. "$", key)
    assert.equal(key, approval.key {})
    assert.equal("600", ("%o"):format(uv.fs_stat(state_home.path "approval.key").mode % 512))
  end)

  for bits, said in pairs { [416] = "may be read by others, so it is not used; chmod go-r",
    [388] = "may be read by others, so it is not used; chmod go-r",
    [402] = "may be written by others, so it is not used; chmod go-w" } do
    it(("is refused with %o"):format(bits), function()
      local path = state_home.path "approval.key"
      assert(approval.key {})
      uv.fs_chmod(path, bits)
      local key, err = approval.key {}
      assert.is_nil(key)
      assert.same({ ("%s %s %s"):format(path, said, path), 5 }, { tostring(err), err.exit })
    end)
  end

  it("may be read by the approvers' group where the config names it", function()
    local options = { approval_key = folder .. "/key" }
    local key = assert(approval.key(options))
    uv.fs_chmod(options.approval_key, 416)
    assert.equal(key, approval.key(options))
    uv.fs_chmod(options.approval_key, 420)
    assert.is_nil((approval.key(options)))
  end)

  it("is refused when it is none", function()
    assert(approval.key {})
    local file = assert(io.open(state_home.path "approval.key", "w"))
    file:write "short"
    file:close()
    local key, err = approval.key {}
    assert.is_nil(key)
    assert.equal(state_home.path "approval.key"
      .. " holds no key of ours; move it away; the next approval makes another", tostring(err))
  end)
end)
