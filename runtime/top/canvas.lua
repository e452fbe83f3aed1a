--- The terminal while `top` has it: raw, on the alternate screen, each frame one write of the lines that changed.
--- However it ends, the person gets it back as it was.

local uv = require "luv"
local interrupt = require "host.interrupt"
local outlet = require "runtime.outlet"

local canvas = {}

local ENTER = "\27[?1049h\27[?25l\27[?7l\27[2J" -- alternate screen, no cursor, no wrapping
local LEAVE = "\27[2J\27[?7h\27[?25h\27[?1049l"
local STYLES = { bold = "1", head = "1;4", reverse = "7", dim = "2", good = "32", attention = "33", bad = "31" }
local COLOURS = { good = true, attention = true, bad = true }
local GONE_S = 1             -- a terminal that takes nothing is not waited for
local ROWS, COLUMNS = 24, 80 -- of a terminal that does not know its size

---@class Canvas
---@field private input any    uv_tty_t
---@field private drawn string[]
local Canvas = {}
Canvas.__index = Canvas

--- Takes the terminal of stdin and stdout.
---@param o { color: boolean, on_bytes: fun(bytes: string?), on_signal: fun(name: string) }   on_bytes: nil at the
---  end of the input; on_signal: sigwinch, sigtstp
---@return Canvas
function canvas.open(o)
  local self = setmetatable({ color = o.color, on_bytes = o.on_bytes, on_signal = o.on_signal }, Canvas)
  self.drawn, self.signals = {}, {}
  self.input, self.output = uv.new_tty(0, true), uv.new_tty(1, false)
  for _, name in ipairs { "sigwinch", "sigtstp" } do
    local signal = uv.new_signal()
    signal:start(name, function() self.on_signal(name) end)
    self.signals[name] = signal
  end
  self:take()
  return self
end

--- Has it, also again after `give_back`.
function Canvas:take()
  self.input:set_mode(1)
  self.input:read_start(function(err, bytes) self.on_bytes(not err and bytes or nil) end)
  outlet.out:write(ENTER)
  interrupt.parting(LEAVE)
  self.drawn, self.taken = {}, true
end

--- The terminal as it was.
function Canvas:give_back()
  if not self.taken then return end
  self.taken = false
  self.input:read_stop()
  self.input:set_mode(0)
  uv.tty_reset_mode()
  outlet.out:write(LEAVE)
  interrupt.parting ""
end

--- Stops as any job does on Ctrl-Z, and comes back when it is continued. Inside a task.
function Canvas:suspend()
  self:give_back()
  outlet.out:finish(GONE_S)
  local signal = self.signals.sigtstp
  signal:stop()         -- so that it does to us what it does to everybody
  uv.kill(0, "sigtstp") -- the whole job, as the terminal would
  signal:start("sigtstp", function() self.on_signal "sigtstp" end)
  self:take()
end

---@return integer rows
---@return integer columns
function Canvas:size()
  local columns, rows = self.output:get_winsize()
  return rows and rows > 0 and rows or ROWS, columns and columns > 0 and columns or COLUMNS
end

--- All is drawn anew the next time, as after another size.
function Canvas:forget() self.drawn = {} end

local function dressed(self, line)
  local code = line.style and (self.color or not COLOURS[line.style]) and STYLES[line.style]
  return code and ("\27[%sm%s\27[0m"):format(code, line.text) or line.text
end

--- Shows these lines; what is on the screen already is not written again. Where the terminal has not taken the frame
--- before, this one is left out.
---@param lines { text: string, style?: string }[]   each no wider than the terminal
---@return boolean shown
function Canvas:draw(lines)
  if not self.taken or outlet.out:is_stuck() then return false end
  local out, rows = {}, self:size()
  if #self.drawn == 0 then out[1] = "\27[2J" end
  for i = 1, rows do
    local text = lines[i] and dressed(self, lines[i]) or ""
    if self.drawn[i] ~= text then
      out[#out + 1] = ("\27[%d;1H\27[K%s"):format(i, text)
      self.drawn[i] = text
    end
  end
  if #out > 0 then outlet.out:write(table.concat(out)) end
  return true
end

--- Gives the terminal back for good.
function Canvas:close()
  self:give_back()
  for _, signal in pairs(self.signals) do signal:close() end
  self.input:close()
  self.output:close()
end

return canvas
