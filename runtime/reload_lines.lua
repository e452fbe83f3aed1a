--- What is said of hot reload where people read what goes on: beside a run, and in the lines of a watch.

local function config(m)
  local applied, waiting = table.concat(m.applied, ", "), table.concat(m.waiting, ", ")
  if waiting == "" then return applied .. " from now on" end
  if applied == "" then return waiting .. " from the next start on" end
  return ("%s from now on, %s from the next start on"):format(applied, waiting)
end

local NAMED = { settings = "the %s", tools = "the tools %s" }

local function what(m) return (NAMED[m.kind] or m.kind .. " %s"):format(m.name) end

return {
  ["reload.loaded"] = function(m)
    if m.version == m.before then return ("%s: is as it was before, and used (%s)"):format(what(m), m.version) end
    return ("%s: edited, and used from now on (%s, was %s)"):format(what(m), m.version, m.before)
  end,
  ["reload.rejected"] = function(m) return ("%s: edited, and not used: %s"):format(what(m), m.reason) end,
  ["reload.looked"] = function(m) return m.asked and "all files were looked at again" or nil end,
  ["reload.config"] = function(m) return "the config: edited, " .. config(m) end,
  ["reload.unwatched"] = function(m)
    return ("edits in %s are not noticed; SIGHUP has all files read again"):format(m.reason)
  end,
  ["policy.waiting"] = function(m) return "policy: " .. table.concat(m.waiting, "; ") end,
}
