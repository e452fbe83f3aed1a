--- The interval in which a share lies that was counted k times in n (Wilson, 95 %): honest also for few runs and for
--- none or all.

local Z = 1.959964

---@param k integer
---@param n integer
---@return number? low    nil where nothing was counted
---@return number? high
return function(k, n)
  if n == 0 then return nil end
  local p, z2 = k / n, Z * Z
  local middle = (p + z2 / (2 * n)) / (1 + z2 / n)
  local half = Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
  return math.max(0, middle - half), math.min(1, middle + half)
end
