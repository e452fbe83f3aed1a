--- A cassette: one run in a file, to be run again without node or network. A line of JSON for each thing that came
--- from outside, in the order in which it came: what the node answered, what a model was asked and said, what skills
--- were told of the past and of events. The first line says what was run, the last what it came to, with a sum over
--- all lines before it: so a file that is cut short or changed is known.
---
--- What stands in it left the run through `clean`: secrets have their names, nothing else.

local uv = require "luv"
local async = require "runtime.async"
local crypto = require "host.crypto"
local failure = require "runtime.failure"
local form = require "runtime.cassette_form"
local ours = require "host.files"
local json = require "runtime.json"
local plain = require("runtime.plain").text

local cassette = { version = 1 }

local FILE = 384 -- 0600
-- A run of many skills has some hundred kB. What decoded JSON takes in memory is many times its text.
local LARGEST, LONGEST_LINE, MOST_LINES = 16 * 1024 * 1024, 4 * 1024 * 1024, 100000
local AT_ONCE = 65536

local function fault(path, why, next_step)
  return failure.new("cassette", ("%s %s"):format(plain(path), why), next_step, 2)
end

---@class Tape
---@field path string
---@field private fd? integer
---@field private lines string[]   not written yet
---@field private size integer
---@field private began number
local Tape = {}
Tape.__index = Tape

local HEAD = '{"cassette":'

-- What is there already is only taken away where it is a cassette.
local function may_replace(path)
  local stat = uv.fs_stat(path)
  if not stat then return true end
  local file = stat.type == "file" and io.open(path, "rb")
  local begins = file and (file:read(#HEAD) or "")
  if file then file:close() end
  return begins == HEAD or begins == ""
end

-- It is left as it is: cut short, and no cassette.
local function give_up(self, why)
  if self.fd then uv.fs_close(self.fd) end
  self.fd, self.why = nil, why
  io.stderr:write(plain(("the recording ends here: %s cannot be written: %s"):format(self.path, why)), "\n")
end

local function write_out(self)
  local text = table.concat(self.lines)
  self.lines, self.size = {}, 0
  if not self.fd or text == "" then return end
  local sent, why = uv.fs_write(self.fd, text, -1)
  if sent ~= #text then give_up(self, why or "there is no room") end
end

local function add_line(self, text)
  self.total = self.total + #text + 1
  if self.fd and (self.total > LARGEST or #text > LONGEST_LINE or #self.sum == MOST_LINES) then
    give_up(self, "the run is too long for one")
  end
  if not self.fd then return end
  self.sum[#self.sum + 1] = crypto.sha256(text)
  self.lines[#self.lines + 1] = text .. "\n"
  self.size = self.size + #text
  if self.size > AT_ONCE then write_out(self) end
end

--- Begins one.
---@param path string
---@param head table     what is run
---@return Tape?
---@return Failure? err
function cassette.create(path, head)
  if not may_replace(path) then
    return nil, fault(path, "is there and is no cassette, so it is left alone", "record into another file")
  end
  uv.fs_unlink(path)
  local fd, why = uv.fs_open(path, "wx", FILE)
  if not fd then return nil, fault(path, "cannot be written: " .. why, "record into another file") end
  local tape = setmetatable({ path = path, fd = fd, lines = {}, size = 0, total = 0, sum = {},
    began = async.now() }, Tape)
  add_line(tape, HEAD .. ("%d,"):format(cassette.version) .. json.encode(head):sub(2))
  return tape
end

--- How long the run goes on, to the millisecond.
---@return number
function Tape:seconds() return math.floor((async.now() - self.began) * 1000 + 0.5) / 1000 end

--- Adds what came in.
---@param entry table
function Tape:add(entry) add_line(self, json.encode(entry)) end

-- One sum over all lines, of their sums.
local function sum_of(sums) return crypto.sha256(table.concat(sums)) end

--- Ends it with what the run came to.
---@param last table
function Tape:finish(last)
  if self.over then return end
  self.over = true
  self:add(last)
  self.lines[#self.lines + 1] = json.encode { ["end"] = #self.sum, sum = sum_of(self.sum) } .. "\n"
  write_out(self)
  if self.fd then uv.fs_close(self.fd) end
end

local CUT = "was cut short: its last line is missing"
local ANEW = "record it anew; only a run that came to its end can be replayed"
local CHANGED = "was changed after it was recorded: its sum is another"

-- The lines as text. Nothing but the last is read as JSON before all of them are known to be as they were written.
local function whole_lines(path, text)
  local before, end_line = text:match "^(.*\n)([^\n]+)\n$"
  local last = end_line and #end_line < 1000 and json.decode(end_line)
  if not (type(last) == "table" and last["end"]) then return nil, fault(path, CUT, ANEW) end
  local lines, sums = {}, {}
  for line in before:gmatch "([^\n]*)\n" do
    if #line > LONGEST_LINE or #lines == MOST_LINES then
      return nil, fault(path, "is larger than any that we write", "use the file as it was recorded")
    end
    lines[#lines + 1], sums[#sums + 1] = line, crypto.sha256(line)
  end
  if last["end"] ~= #sums or last.sum ~= sum_of(sums) then
    return nil, fault(path, CHANGED, "use the file as it was recorded")
  end
  return lines
end

-- Whoever makes a file can make its sum as well: so what stands in it is looked at, too.
local function read_lines(path, lines)
  local function unfit(i)
    return nil, fault(path, ("is none that we wrote: line %d does not fit"):format(i), "record it anew")
  end
  local entries = {}
  for i, line in ipairs(lines) do
    entries[i] = json.decode(line)
    if type(entries[i]) ~= "table" then return unfit(i) end
  end
  local head, last = table.remove(entries, 1), table.remove(entries)
  if not (head and form.head(head)) then return unfit(1) end
  if not (last and form.last(last)) then return unfit(#lines) end
  for i, entry in ipairs(entries) do
    if not form.entry(entry) then return unfit(i + 1) end
  end
  return { head = head, entries = entries, last = last }
end

-- A file; else ours of that name in examples/cassettes.
local function text_of(path)
  local stat, missing = uv.fs_stat(path)
  if not stat then
    local text = ours.read(("examples/cassettes/%s.cassette"):format(path))
    if text then return text end
    return nil, fault(path, ("cannot be read (%s)"):format(missing:match "^%w+"), "check the path")
  end
  if stat.type ~= "file" then return nil, fault(path, "is no cassette", "name a file") end
  if stat.size > LARGEST then
    return nil, fault(path, "is larger than any that we write", "use the file as it was recorded")
  end
  local file, why = io.open(path, "rb")
  if not file then return nil, fault(path, "cannot be read: " .. why, "check its permissions") end
  local text = file:read "*a"
  file:close()
  return text
end

--- Reads one.
---@param path string   of a file, or the name of one in examples/cassettes
---@return { head: table, entries: table[], last: table }?
---@return Failure? err
function cassette.read(path)
  local text, missing = text_of(path)
  if not text then return nil, missing end
  if text:sub(1, #HEAD) ~= HEAD then return nil, fault(path, "is no cassette", "`--record FILE` of a run makes one") end
  local version = tonumber(text:match("^" .. HEAD .. "(%d+)"))
  if version ~= cassette.version then
    return nil, fault(path, ("is a cassette of version %s, and this program reads version %d"):format(
      tostring(version), cassette.version), "replay it with the program that recorded it, or record it anew")
  end
  local lines, err = whole_lines(path, text)
  if not lines then return nil, err end
  return read_lines(path, lines)
end

return cassette
