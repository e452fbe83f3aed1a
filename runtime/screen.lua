--- How text may look where stdout goes: its width in columns and whether it may have colours, where that is a terminal.

local uv = require "luv"

local screen = {}

local STDOUT, STDERR = 1, 2

local function columns(fd)
  local tty = uv.new_tty(fd, false)
  local width = tty:get_winsize()
  tty:close()
  return width and width > 0 and width or nil
end

---@param options? { no_color?: boolean }
---@return { color?: boolean, width?: integer }   empty where it is no terminal
function screen.out(options)
  if uv.guess_handle(STDOUT) ~= "tty" then return {} end
  local plain = not options or options.no_color or os.getenv "NO_COLOR"
  return { color = not plain, width = columns(STDOUT) }
end

--- The width where stderr goes.
---@return integer? columns   nil where it is no terminal, or one that does not know its width
function screen.err_columns() return uv.guess_handle(STDERR) == "tty" and columns(STDERR) or nil end

local USUAL, WIDEST, NARROWEST = 80, 100, 30 -- columns; longer lines are read with the finger

--- The same for a page that is read: what is piped has one width everywhere.
---@param options? { no_color?: boolean }
---@return { color?: boolean, width: integer }
function screen.page(options)
  local out = screen.out(options)
  out.width = math.max(NARROWEST, math.min(out.width or USUAL, WIDEST))
  return out
end

return screen
