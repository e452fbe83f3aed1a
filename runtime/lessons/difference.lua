--- Files that changed as a unified diff, for `patch -p1`. Lines are only replaced by as many others, or a whole file is
--- new: there is nothing to compare.

local difference = {}

local AROUND = 3

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

local function changed_lines(was, now)
  local list = {}
  for i, line in ipairs(was) do
    if line ~= now[i] then list[#list + 1] = i end
  end
  return list
end

-- Changes that stand near each other, as first and last line with those around them.
local function hunks_of(changed, last)
  local hunks = {}
  for _, i in ipairs(changed) do
    local hunk = hunks[#hunks]
    if hunk and i - AROUND <= hunk.to + 1 then
      hunk.to = math.min(last, i + AROUND)
    else
      hunks[#hunks + 1] = { from = math.max(1, i - AROUND), to = math.min(last, i + AROUND) }
    end
  end
  return hunks
end

local function add_hunk(out, hunk, was, now)
  local count = hunk.to - hunk.from + 1
  out[#out + 1] = ("@@ -%d,%d +%d,%d @@"):format(hunk.from, count, hunk.from, count)
  local i = hunk.from
  while i <= hunk.to do
    local first = i
    while i <= hunk.to and was[i] ~= now[i] do i = i + 1 end
    for k = first, i - 1 do out[#out + 1] = "-" .. was[k] end
    for k = first, i - 1 do out[#out + 1] = "+" .. now[k] end
    if i <= hunk.to then out[#out + 1] = " " .. was[i] end
    i = i + 1
  end
end

--- One file.
---@param path string    as `patch -p1` shall find it
---@param was? string    nil for a new file
---@param now string     both end with a line break, and have as many lines
---@return string
function difference.of(path, was, now)
  local after = lines_of(now)
  if not was then
    local out = { "--- /dev/null", "+++ b/" .. path, ("@@ -0,0 +1,%d @@"):format(#after) }
    for _, line in ipairs(after) do out[#out + 1] = "+" .. line end
    return table.concat(out, "\n") .. "\n"
  end
  local before, out = lines_of(was), { "--- a/" .. path, "+++ b/" .. path }
  for _, hunk in ipairs(hunks_of(changed_lines(before, after), #before)) do add_hunk(out, hunk, before, after) end
  return table.concat(out, "\n") .. "\n"
end

return difference
