--- What a bench has go over a link: one large answer, and small calls one after the other.

local over_link = {}

local TEN = "0123456789"

--- A function that has an answer of so many bytes come.
---@param n AttachedNode
---@param bytes integer   tens
function over_link.large(n, bytes)
  return function() return n:call("binary", "copy", { TEN, bytes / #TEN }, { timeout = 60 }) end
end

--- A function that makes so many calls.
---@param n AttachedNode
---@param calls integer
function over_link.small(n, calls)
  return function()
    for _ = 1, calls do assert(n:call("erlang", "node", {})) end
    return true
  end
end

return over_link
