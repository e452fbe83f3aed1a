--- How text may look where stdout goes: its width in columns and whether it may have colours, where that is a terminal.

local uv = require "luv"

local screen = {}

---@param options? { no_color?: boolean }
---@return { color?: boolean, width?: integer }   empty where it is no terminal
function screen.out(options)
  if uv.guess_handle(1) ~= "tty" then return {} end
  local tty = uv.new_tty(1, false)
  local width = tty:get_winsize()
  tty:close()
  local plain = not options or options.no_color or os.getenv "NO_COLOR"
  return { color = not plain, width = width and width > 0 and width or nil }
end

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
