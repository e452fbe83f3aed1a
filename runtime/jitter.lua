--- A pause of a length of its own: those who were stopped together do not come back in one instant.

local crypto = require "host.crypto"

---@param seconds number
---@return number   somewhere between half of it and the whole
return function(seconds) return seconds * (0.5 + crypto.random(1):byte() / 510) end
