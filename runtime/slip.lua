--- A slip in a script, told with the script's own line and not with one of ours.

local failure = require "runtime.failure"

---@param message string
---@param next_step? string
return function(message, next_step)
  local level, info = 2
  repeat
    level = level + 1
    info = debug.getinfo(level, "Sl")
  until not info or not info.source:match "^@runtime/"
  local where = info and info.currentline > 0 and ("%s:%d: "):format(info.short_src, info.currentline) or ""
  error(failure.new("script", where .. message, next_step, 2), 0)
end
