--- What stands above the table: the node, and what it costs to look at it.

local cells = require "runtime.cells"
local counted = require "runtime.counted"

local header = {}

local function mb(value) return cells.memory(value * 1024) end

-- Of the node, in pieces that are not broken.
local function pieces(f)
  local m = f.memory
  return {
    "up " .. counted.span(f.uptime_seconds),
    ("%d schedulers %.0f %% busy"):format(f.schedulers_online, f.scheduler_pct),
    ("dirty CPU %.0f %%"):format(f.dirty_cpu_pct),
    ("run queue %d"):format(f.run_queue),
    ("processes %s of %s (%.0f %%)"):format(counted.grouped(f.process_count), counted.grouped(f.process_limit),
      100 * f.process_count / f.process_limit),
    ("memory %s: processes %s, binary %s, ets %s"):format(mb(m.total_mb), mb(m.processes_mb), mb(m.binary_mb),
      mb(m.ets_mb)),
  }
end

-- Pieces in as few lines as they fit.
local function filled(list, width)
  local lines, line = {}, nil
  for _, piece in ipairs(list) do
    local gap = line and line:find ";$" and " " or "  "
    if line and cells.width(line) + #gap + cells.width(piece) <= width then
      line = line .. gap .. piece
    else
      lines[#lines + 1] = line
      line = piece
    end
  end
  lines[#lines + 1] = line
  return lines
end

local function took(seconds) return seconds < 0.01 and ("%.1f ms"):format(seconds * 1e3)
  or ("%.0f ms"):format(seconds * 1e3) end

--- What a look costs, and the interval that follows from it.
---@param p Pace
---@return string[] pieces
local function cost(p)
  if not p.there_s then return { "looking for the first time" } end
  return { ("a look: %s there, %s here;"):format(took(p.there_s), took(p.here_s)),
    ("every %.3g s: %.1f %% of a scheduler, %.1f %% of a core"):format(p.wait, p.there_pct, p.here_pct) }
end

--- Lines about the node.
---@param name string
---@param seen? Look
---@param p? Pace    where it goes on
---@param width integer
---@param utf8 boolean
---@return string[]
function header.lines(name, seen, p, width, utf8)
  local first = { cells.text(name, utf8) }
  for _, piece in ipairs(seen and pieces(seen.figures) or {}) do first[#first + 1] = piece end
  local lines = filled(first, width)
  local second = p and cost(p) or {}
  if seen and seen.parts > 1 then
    second[#second + 1] = ("%s processes a look, all in %d"):format(counted.grouped(seen.walked), seen.parts)
  end
  for _, line in ipairs(filled(second, width)) do lines[#lines + 1] = line end
  return lines
end

return header
