--- How grave something is, in the words that notifications, insights and findings have.

local gravity = {
  words = { "info", "warning", "critical" },
  rank = { info = 1, warning = 2, critical = 3 },
  grave = { warning = true, critical = true }, -- somebody should act
}

--- Figures that stand and say that something is wrong: no words of a model undo these.
---@param n { severity: string, evidence: Claim[] }   its evidence has been checked
---@return boolean
function gravity.proven(n) return gravity.grave[n.severity] == true and #n.evidence > 0 end

return gravity
