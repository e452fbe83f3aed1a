--- Whether a host of an URL is this machine, by name or number. As host/http.c has it, or what is meant for this
--- machine would go through a proxy: 127.999.1.1 is a name, and whoever answers for names says whose.

---@param host string   in small letters: localhost, 127.0.0.1, [::1]
---@return boolean
return function(host)
  if host == "localhost" or host == "[::1]" then return true end
  local a, b, c = host:match "^127%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$"
  return a ~= nil and math.max(tonumber(a), tonumber(b), tonumber(c)) < 256
end
