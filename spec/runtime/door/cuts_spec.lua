local async = require "runtime.async"
local crypto = require "host.crypto"
local door = require "runtime.door"
local held = require "spec.support.held"
local line = require "runtime.door.line"
local live = require "spec.support.live_node"
local ours = require "host.files"
local until_true = require "spec.support.until_true"
local uv = require "luv"
local ways = require "runtime.door.ways"

local NAME = live.own_name "bl_cuts"
local AT_ONCE = 2000

local function soon() return async.now() + 45 end

local function shut(shell)
  local target = assert(ways.read(("shell:%s %s/spec/support/doors/session.lua 'shell=%s'"):format(ours.exe, ours.root,
    shell)))
  target.through = "console"
  return door.new(target, NAME)
end

-- What a door heard, and how much had been said to it before each piece.
local function heard_of(d)
  local pieces, real = {}, line.start
  line.start = function(words, o)
    local said, take = 0, o.on_bytes
    o.on_bytes = function(bytes)
      pieces[#pieces + 1] = { after = said, bytes = bytes }
      take(bytes)
    end
    local l = assert(real(words, o))
    local write = l.write
    l.write = function(self, bytes)
      said = said + 1
      write(self, bytes)
    end
    return l
  end
  local open, err = d:ready(soon())
  line.start = real
  assert(open, tostring(err))
  d:close()
  return pieces
end

-- A line that says the same again as soon as as much was said to it, so many bytes at a time, and is cut there.
local Again = {}
Again.__index = Again

function Again:write()
  self.said = self.said + 1
  self.wake()
end

function Again:finish()
  if self.ended then return end
  self.ended = { code = 1, signal = 0 }
  self.on_end()
end

Again.close, Again.wait = Again.finish, Again.finish

local function again(pieces, cut)
  return function(_, o)
    local self = setmetatable({ said = 0, on_end = o.on_end, wake = function() end }, Again)
    async.spawn(function()
      local left = cut
      for _, piece in ipairs(pieces) do
        while self.said < piece.after do
          async.await(function(resume) self.wake = resume end)
          if self.ended then return end
        end
        async.sleep(0)
        if self.ended then return end
        o.on_bytes(piece.bytes:sub(1, left))
        left = left - #piece.bytes
        if left <= 0 then return self:finish() end
      end
    end)
    return self
  end
end

local function open_descriptors()
  local count, scan = 0, uv.fs_scandir "/proc/self/fd"
  while uv.fs_scandir_next(scan) do count = count + 1 end
  return count
end

local function handles()
  local count = 0
  uv.walk(function(handle) count = count + (handle:is_closing() and 0 or 1) end)
  return count
end

describe("the session of a door", function()
  local random, start = crypto.random, line.start

  setup(function()
    live.start { attach = false, name = NAME }
    uv.os_setenv("ERL_EPMD_PORT", tostring(held.free_port()))
    crypto.random = function(count) return ("\7"):rep(count) end
  end)

  after_each(function() line.start = start end)

  teardown(function()
    crypto.random = random
    live.stop_all()
  end)

  -- The banner, the prompt, the echo of what is typed, what was looked for, the start of the helper.
  for name, shell in pairs { ["a shell that edits lines"] = "bash --norc -i", ["a plain shell"] = "dash -i" } do
    it("that is cut at any byte before it is open is told, and leaves nothing: " .. name, live.test(function()
      local pieces = heard_of(shut(shell))
      local parts = {}
      for i, piece in ipairs(pieces) do parts[i] = piece.bytes end
      local _, whole = table.concat(parts):find "{up %d+}"
      local before, wrong = { open_descriptors(), handles() }, {}
      local function cut_at(bytes)
        local d = shut(shell)
        line.start = again(pieces, bytes)
        local open, err = d:ready(soon())
        local told = not open and err.exit == 3 and err.message:find "^shell:.*: %S" and (err.next or ""):find "%S"
        if not told or d.shell or d.carrier then wrong[#wrong + 1] = bytes end
      end
      for from = 1, whole - 1, AT_ONCE do
        local cuts = {}
        for bytes = from, math.min(from + AT_ONCE, whole) - 1 do
          cuts[#cuts + 1] = function() cut_at(bytes) end
        end
        for _, done in ipairs(async.all(cuts)) do assert(done.ok, tostring(done.err)) end
      end
      assert.same({}, wrong)
      line.start = again(pieces, whole)
      local d = shut(shell)
      assert(d:ready(soon()))
      d:close()
      line.start = start
      until_true("the end of every wait", function() return handles() == before[2] end)
      assert.equal(before[1], open_descriptors())
    end))
  end
end)
