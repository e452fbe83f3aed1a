-- A process that proposes, approves and performs for a spec, and waits before each step until a file says
-- go: `spec-host spec/support/performer.lua NODE COOKIE_FILE PORT FOLDER [ID]`. It says on stdout how far it is.

local async = require "runtime.async"
local actions = require "runtime.actions"
local approval = require "runtime.approval"
local incarnation = require "runtime.incarnation"
local node = require "runtime.node"
local uv = require "luv"

local name, cookie_file, port, folder, id = unpack(arg)

local function said(text)
  io.stdout:write(text, "\n")
  io.stdout:flush()
end

local function wait_for(step)
  said("before " .. step)
  while not uv.fs_stat(("%s/%s"):format(folder, step)) do async.sleep(0.005) end
end

async.run(function()
  local at = assert(node.connect { name = name, cookie_file = cookie_file, port = tonumber(port),
    deadline = async.now() + 60 })
  local store = assert(actions.store {})
  local p
  if id then
    p = assert(actions.get(store, id))
  else
    wait_for "propose"
    p = assert(actions.propose(at, "kill_process", { process = "victim" }, { store = store }))
    wait_for "approve"
    p = assert(actions.approve(p, assert(approval.key {})))
  end
  -- Then all that it has to ask before the deed was asked.
  assert(at:parse(actions.find(p.action).queries.deed))
  assert(incarnation.of(at))
  wait_for "perform"
  local outcome, err = actions.perform(at, p, { kind = "person" })
  said(outcome and "performed: " .. outcome.state or "refused: " .. err.message)
  at:close()
end)
