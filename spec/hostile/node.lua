--- A node that wants our end, on loopback: breaks the handshake off, or plays it to the end, knows what it is asked,
--- and answers with frames and terms out of spec/hostile/terms.lua.

local bytes = require "runtime.node.bytes"
local crypto = require "host.crypto"
local etf = require "host.etf"
local played = require "spec.support.played_node"
local terms = require "spec.hostile.terms"

local node = {}

local A, u16, u32 = etf.A, bytes.u16, bytes.u32

local SPAWN_REQUEST, REG_SEND = 29, 6
local MOST_ANSWERS = 60 -- of one connection: some who ask ask on for ever

local function packet(text) return u16(#text) .. text end
local function frame(body) return u32(#body) .. body end
local function distribution(control, payload) return frame("p" .. control .. (payload or "")) end
local function encoded(v) return etf.encode(v):sub(2) end

-- The three packets of the node in a handshake, each of which may be something else.
local function handshake_packet(dice, good)
  if dice:chance(94) then return packet(good) end
  return dice:pick {
    packet(dice:spoil(good)), packet(good):sub(1, dice:int(1, #good)), dice:bytes(dice:int(1, 400)), u16(0), u16(65535),
    packet(good:sub(1, dice:int(1, #good))), packet "snok", packet "salive", packet("s" .. dice:bytes(30)), "\21\3\1\0",
    packet("snamed:" .. u16(60000) .. "x"), packet(good .. dice:bytes(2000)),
  }
end

local frames = {}

-- As the node answers a call: the reference that was asked with, and a term.
function frames.answer(dice, ref, calm)
  local value = terms.term(dice)
  local form = calm and 0 or dice:int(1, 10)
  local reason = "\131h\3" .. encoded(ref) .. encoded(A["return"]) .. value
  if form == 1 then reason = "\131" .. value end
  if form == 2 then reason = dice:bytes(dice:int(0, 40)) end
  if form == 3 then reason = "\131h\2" .. encoded(A.error) .. value end
  if form == 4 then reason = reason .. dice:bytes(9) end
  return distribution(etf.encode(etf.tuple(28, etf.pid("shop@localhost", 90, 0, 7), A["nil"], ref)), reason)
end

function frames.spawned(dice, ref)
  local pid = dice:chance(70) and etf.pid("shop@localhost", dice:int(1, 9999), 0, 7) or A.badarg
  return distribution(etf.encode(etf.tuple(31, ref, etf.pid("us@localhost", 1, 0, 7), 2, pid)))
end

function frames.old_exit(dice, ref)
  local head = "\131h\5a\21" .. encoded(etf.pid("shop@localhost", 90, 0, 7)) .. encoded(A["nil"]) .. encoded(ref)
  return distribution(head .. terms.term(dice))
end

-- Any operation with arguments of any kind.
function frames.any(dice)
  local count = dice:int(0, 6)
  local parts = { "\131h", string.char(count + 1), "a", string.char(dice:int(0, 40)) }
  for _ = 1, count do parts[#parts + 1] = terms.any(dice, 2) end
  return distribution(table.concat(parts), dice:chance(60) and "\131" .. terms.term(dice) or "")
end

function frames.noise(dice) return frame("p" .. dice:bytes(dice:int(0, 200))) end
function frames.no_message(dice) return frame(dice:bytes(dice:int(1, 50))) end
function frames.fragment(dice) return frame("p\131" .. string.char(dice:int(68, 70)) .. dice:bytes(dice:int(0, 60))) end
function frames.ticks(dice) return ("\0\0\0\0"):rep(dice:int(1, 5000)) end
function frames.cut(dice) return u32(dice:int(10, 2 ^ 20)) .. "p" .. dice:bytes(5) end
function frames.endless(dice) return u32(dice:pick { 2 ^ 32 - 1, 2 ^ 31, 17 * 2 ^ 20 }) .. "p" .. dice:bytes(3000) end
-- A term that can be read, and is not what was expected.
local function sound(dice, depth)
  local kind = depth <= 0 and dice:int(1, 7) or dice:int(1, 10)
  if kind == 1 then return dice:pick { 0, -1, 2 ^ 52, 1e308, 0.5, -2 ^ 31 } end
  if kind == 2 then return dice:bytes(dice:int(0, 30)) end
  if kind == 3 then return A[dice:pick { "undefined", "true", "error", "nil", "lease" }] end
  if kind == 4 then return etf.pid("shop@localhost", dice:int(1, 99), 0, 7) end
  if kind == 5 then return {} end
  if kind == 6 then return dice:chance(50) end
  if kind == 7 then return ("x"):rep(dice:int(0, 20000)) end
  if kind == 8 then return etf.tuple(sound(dice, depth - 1), sound(dice, depth - 1), sound(dice, depth - 1)) end
  if kind == 9 then return { sound(dice, depth - 1), sound(dice, depth - 1) } end
  return etf.amap { level = sound(dice, depth - 1), msg = sound(dice, depth - 1), meta = sound(dice, depth - 1) }
end

local WORDS = { "event", "event", "event", "dropped", "ended", "lease" }

-- To a pid of ours that stood in what we asked, a relay's mailbox among them; in its words or in none.
function frames.wide(dice, _, _, pids)
  local pid = pids and #pids > 0 and dice:chance(80) and dice:pick(pids) or etf.pid("us@localhost", 1, 0, 7)
  local message = dice:chance(15) and "\131" .. terms.term(dice)
    or etf.encode(etf.tuple(A[dice:pick(WORDS)], sound(dice, 2), sound(dice, 4)))
  return distribution("\131h\3a\2w\0" .. encoded(pid), message)
end

function frames.unlink(dice) return distribution("\131h\4a\35" .. terms.any(dice, 1) .. terms.any(dice, 1) .. "j") end

function frames.spoilt(dice, ref) return dice:spoil(frames.answer(dice, ref)) end

local KINDS = {
  "answer", "answer", "answer", "answer", "answer", "answer", "spawned", "old_exit", "any", "any", "noise",
  "no_message", "fragment", "ticks", "cut", "endless", "wide", "unlink", "spoilt",
}

local MOST_PIDS = 20

local function find_pids(v, found, depth)
  local kind = etf.kind(v)
  if kind == "pid" and #found < MOST_PIDS then found[#found + 1] = v end
  if depth == 0 then return end
  if kind == "tuple" or kind == "list" then
    for i = 1, #v do find_pids(v[i], found, depth - 1) end
  elseif kind == "map" and type(v) == "table" then
    for _, of in pairs(v) do find_pids(of, found, depth - 1) end
  end
end

-- What stands before other questions is often answered as it should be, or those would never be asked.
local PROPER = {
  otp_release = "k\0\00225", atom_count = "b\0\0\200\0", loaded = "j",
  user = encoded(etf.pid("shop@localhost", 60, 0, 7)),
}

function frames.proper(_, ref, _, _, value)
  return distribution(etf.encode(etf.tuple(28, etf.pid("shop@localhost", 90, 0, 7), A["nil"], ref)),
    "\131h\3" .. encoded(ref) .. encoded(A["return"]) .. value)
end

local function proper(call)
  if etf.kind(call) ~= "list" then return nil end
  local args = call[4]
  local last = etf.kind(args) == "list" and #args == 1 and args[1] or call[3]
  return etf.kind(last) == "atom" and PROPER[tostring(last)] or nil
end

-- What was asked in one frame: the reference, for an answer has to carry it, and the pids in it.
local function asked(body, pids)
  local control, payload_at = etf.decode(body, 2)
  if etf.kind(control) ~= "tuple" or control[1] ~= SPAWN_REQUEST and control[1] ~= REG_SEND then return nil end
  local payload = payload_at and payload_at <= #body and etf.decode(body, payload_at) or nil
  find_pids(payload, pids, 12)
  return { ref = control[2], proper = proper(payload) }
end

-- The whole frames of what came so far.
local function requests_of(self, chunk)
  self.buffer = self.buffer .. chunk
  local list = {}
  while #self.buffer >= 4 do
    local length = bytes.read_u32(self.buffer, 1)
    if #self.buffer < 4 + length then break end
    if length > 0 then list[#list + 1] = asked(self.buffer:sub(5, 4 + length), self.pids) end
    self.buffer = self.buffer:sub(5 + length)
  end
  return list
end

local function serve(self, socket, chunk, dice)
  local known = #self.pids
  local requests = requests_of(self, chunk)
  if #self.pids > known then
    for _ = 1, dice:int(1, 4) do socket:write(frames.wide(dice, nil, nil, self.pids)) end
  end
  for _, request in ipairs(requests) do
    local ref = request.ref
    for _ = 1, dice:pick { 0, 1, 1, 1, 2, 5 } do
      self.left = self.left - 1
      if self.left <= 0 or socket:is_closing() then return end
      local kind = etf.kind(ref) ~= "ref" and "any" or request.proper and dice:chance(75) and "proper"
        or #self.pids > 0 and dice:chance(30) and "wide" or self.calm and "answer" or dice:pick(KINDS)
      socket:write(frames[kind](dice, ref, self.calm, self.pids, request.proper))
      if dice:chance(2) then
        socket:close()
        return
      end
    end
  end
end

--- A listener that speaks so to whoever comes next: `turn` is called before each attack.
---@param o { name: string, cookie: string }
function node.listen(o)
  local self = { left = 0 }
  local state, dice
  local server = played.listen(function(socket, chunk)
    if not dice or socket:is_closing() then return end
    if state == "name" then
      state = "digest"
      socket:write(handshake_packet(dice, "snamed:" .. u16(11) .. "1@localhost" .. u32(7)))
      local name = dice:chance(97) and o.name or dice:bytes(20)
      socket:write(handshake_packet(dice,
        "N" .. u32(dice:chance(90) and 5 or 0) .. u32(0x7FFFFFF) .. u32(1) .. u32(9) .. u16(#name) .. name))
    elseif state == "digest" then
      state = "talk"
      local challenge = #chunk >= 7 and bytes.read_u32(chunk, 4) or 0
      socket:write(handshake_packet(dice, "a" .. crypto.md5(o.cookie .. ("%.0f"):format(challenge))))
      if dice:chance(20) then socket:write(frames[dice:pick { "any", "noise", "ticks", "wide", "fragment" }](dice)) end
    else
      serve(self, socket, chunk, dice)
    end
  end)
  self.port, self.close = server.port, server.close
  function self.turn(with)
    dice, state, self.left, self.calm, self.pids = with, "name", MOST_ANSWERS, with:chance(50), {}
    self.buffer = ""
  end
  return self
end

--- An epmd that says anything at all.
function node.listen_as_epmd(port)
  local dice
  local server = played.listen(function(socket)
    if not dice or socket:is_closing() then return end
    if dice:chance(70) then
      socket:write("w\0" .. u16(port) .. "M\0\6\0\6\0\4shop\0\0")
    else
      socket:write(dice:pick { "w\1", "w", dice:bytes(dice:int(1, 300)), "", ("w\0"):rep(40000) })
    end
    if dice:chance(80) then socket:shutdown(function() if not socket:is_closing() then socket:close() end end) end
  end)
  return { port = server.port, close = server.close, turn = function(with) dice = with end }
end

return node
