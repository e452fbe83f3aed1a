--- Which of the nodes that run behind a door is meant.

-- An address that is good where the node runs need not be one elsewhere, and a host has more names than one.
local OTHER_HOST = "the part behind the @ is what it is called there, behind any address translation: pass --node %s"
-- Seen from the host of containers, each of which has a network of its own.
local SAME_NAME = "enter the container of one (docker:…, kubectl:…), or set the root of its release in a profile"

local function list(nodes)
  local names, seen = {}, {}
  for _, node in ipairs(nodes) do
    if not seen[node.name] then names[#names + 1] = node.name end
    seen[node.name] = true
  end
  return table.concat(names, ", ")
end

local function those(nodes, is)
  local some = {}
  for _, node in ipairs(nodes) do some[#some + 1] = is(node) and node or nil end
  return some
end

local function short(name) return name:match "^[^@]+" end

local function none(found)
  if found.nameless > 0 then
    return nil, "a VM runs there, but not as a node that can be told: without a name, or with hidden arguments",
      "start it with -name or -sname; in a release set RELEASE_DISTRIBUTION"
  end
  return nil, "no Erlang VM is to be seen there", "is it the right container? perhaps it runs as another user"
end

--- The one that was named, whole or by what stands before the @; else the one of the release, else the only one.
---@param found Found
---@param wanted? string
---@param release? string   its root
---@return FoundNode?
---@return string? message  why there is none, or no single one
---@return string? next_step
return function(found, wanted, release)
  if #found.nodes == 0 then return none(found) end
  local of = found.nodes
  if wanted then
    local whole = wanted:find("@", 1, true)
    of = those(found.nodes, function(node) return wanted == (whole and node.name or short(node.name)) end)
    if #of == 0 then
      local near = those(found.nodes, function(node) return short(node.name) == short(wanted) end)
      return nil, ("%s does not run there"):format(wanted),
        near[1] and OTHER_HOST:format(near[1].name) or "there is " .. list(found.nodes)
    end
  end
  if #of > 1 and release then of = those(of, function(node) return node.root == release end) end
  if #of == 1 then return of[1] end
  if #of == 0 then
    return nil, ("no node of the release in %s runs there"):format(release), "there is " .. list(found.nodes)
  end
  local names = list(of)
  if not names:find(",", 1, true) then return nil, ("several nodes %s run there"):format(names), SAME_NAME end
  return nil, "several nodes run there", "name one with --node: " .. names
end
