--- The profiles of the config file: where a node is and how one gets there, under a name. What its environments say
--- holds over what the profile itself says.

local failure = require "runtime.failure"
local ways = require "runtime.door.ways"

local profiles = {}

local THROUGH = { forward = true, console = true, rpc = true }

-- `of`: the way that it belongs to, or those, with the option of the program that it is; else to each.
---@type { name: string, of?: string|table<string, string>, shown: string }[]
profiles.FIELDS = {
  { name = "way", shown = "ssh, docker, kubectl, ecs, shell or local; none: over the network" },
  { name = "target", shown = "as behind the colon of --via" },
  { name = "cluster", of = "ecs", shown = "the ECS cluster" },
  { name = "service", of = "ecs", shown = "the ECS service" },
  { name = "container", of = "ecs", shown = "the container of its tasks" },
  { name = "profile", of = "ecs", shown = "the AWS profile" },
  { name = "region", of = "ecs", shown = "the AWS region" },
  { name = "context", of = { kubectl = "--context", docker = "--context" },
    shown = "the context of kubectl or docker" },
  { name = "namespace", of = { kubectl = "--namespace" }, shown = "the namespace of the pod" },
  { name = "through", shown = "forward, console or rpc, as --through; none: the first of them that goes" },
  { name = "node", shown = "the node: shop@host, or shop where it is behind a door" },
  { name = "release", shown = "the root of its release, where several nodes run" },
  { name = "cookie_file", shown = "its cookie here; none: the one beside the node" },
}

local names, by_name = {}, {}
for i, field in ipairs(profiles.FIELDS) do names[i], by_name[field.name] = field.name, field end

local function fault(keys, message, next_step)
  return failure.in_config({ "profiles", unpack(keys) },
    ("profiles.%s %s"):format(table.concat(keys, "."), message), next_step)
end

local function with(keys, key)
  local list = { unpack(keys) }
  list[#list + 1] = tostring(key)
  return list
end

-- Its fields, each of a kind that there is.
local function fields_fault(fields, keys, base)
  if type(fields) ~= "table" then return fault(keys, "wants a table, not " .. tostring(fields)) end
  local known = base and names or { "envs", unpack(names) }
  for key, value in pairs(fields) do
    key = tostring(key)
    if not by_name[key] and (base or key ~= "envs") then
      return fault(with(keys, key), "is no field of a profile",
        failure.meant(key, known, "it has " .. table.concat(known, ", ")))
    elseif key ~= "envs" and (type(value) ~= "string" or not value:match "%S") then
      return fault(with(keys, key), "wants a text", ('%s = "…": %s'):format(key, by_name[key].shown))
    end
  end
end

local function whole(profile, of)
  local all = {}
  for _, name in ipairs(names) do all[name] = of and of[name] or profile[name] end
  return all
end

-- How the target is written behind the colon of --via.
local function target_text(p)
  if p.way ~= "ecs" then return p.target or "" end
  return p.target or table.concat({ p.cluster or "", p.service or "", p.container or "" }, "/")
end

local function ways_of(of)
  local list = {}
  for name in pairs(type(of) == "table" and of or { [of] = true }) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, " or ")
end

-- What stands behind the program's name, before its command.
local function flags_of(p)
  local flags = {}
  for _, field in ipairs(profiles.FIELDS) do
    local option = type(field.of) == "table" and p[field.name] and field.of[p.way]
    if option then flags[#flags + 1], flags[#flags + 2] = option, p[field.name] end
  end
  return flags
end

-- Of a profile with all that holds for it: whether it leads anywhere. `keys` is where it stands.
local function way_fault(p, keys)
  if not p.way then
    if not p.node then return fault(keys, "says neither way nor node", "set node, or way and target") end
    for _, name in ipairs(names) do
      if p[name] and (by_name[name].of or name == "target" or name == "through") then
        return fault(keys, ("has a %s and no way"):format(name), 'set way = "ecs" or another')
      end
    end
    return nil
  end
  local way = ways.WAYS[p.way]
  if not way then
    return fault(with(keys, "way"), ("wants a way, not %s"):format(p.way), failure.meant(p.way, ways.names(),
      "the ways are " .. table.concat(ways.names(), ", ")))
  end
  if p.through and not THROUGH[p.through] then
    return fault(with(keys, "through"), ("wants a way through, not %s"):format(p.through), by_name.through.shown)
  end
  for _, name in ipairs(names) do
    local of = by_name[name].of
    local fits = not of or of == p.way or type(of) == "table" and of[p.way]
    if p[name] and not fits then
      return fault(with(keys, name), ("is of way %s, and this is %s"):format(ways_of(of), p.way))
    elseif p[name] and type(of) == "table" and not ways.plain(p[name]) then
      return fault(with(keys, name), ("is no plain name: %s"):format(p[name]), "letters, digits and _ @ . : / -")
    end
  end
  if p.namespace and (p.target or ""):find("/", 1, true) then
    return fault(keys, "says its namespace twice", "take out namespace, or write target as POD")
  end
  if p.way == "ecs" and p.target and (p.cluster or p.service or p.container) then
    return fault(keys, "says its target twice", "take out target, or cluster, service and container")
  end
  if not way.words(target_text(p)) then
    return fault(keys, ("has no target of %s"):format(p.way),
      p.way == "ecs" and "cluster, service and container are plain names" or "write target as in " .. way.shown)
  end
end

local function profile_fault(name, profile)
  if ways.WAYS[name] then return fault({ name }, "has the name of a way", "give it another one") end
  local wrong = fields_fault(profile, { name })
  if wrong then return wrong end
  if profile.envs == nil then return way_fault(whole(profile), { name }) end
  if type(profile.envs) ~= "table" or next(profile.envs) == nil then
    return fault({ name, "envs" }, "wants a table of environments", "envs = { prod = { … }, staging = { … } }")
  end
  for env, of in pairs(profile.envs) do
    local keys = { name, "envs", tostring(env) }
    wrong = fields_fault(of, keys, true) or way_fault(whole(profile, of), keys)
    if wrong then return wrong end
  end
end

--- What is wrong with `profiles` of the config file.
---@param all table
---@return Failure?   the first in the order of the names
function profiles.check(all)
  local list = {}
  for name in pairs(all) do list[#list + 1] = tostring(name) end
  table.sort(list)
  for _, name in ipairs(list) do
    if all[name] == nil then return fault({ name }, "has no name", 'profiles = { shop = { way = "ssh", … } }') end
    local wrong = profile_fault(name, all[name])
    if wrong then return wrong end
  end
end

--- The names of the profiles.
---@param options table
---@return string[]
function profiles.names(options)
  local list = {}
  for name in pairs(options.profiles or {}) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function usage(message, next_step) return nil, failure.new("usage", message, next_step, 2) end

local function envs_of(profile)
  local list = {}
  for env in pairs(profile.envs or {}) do list[#list + 1] = env end
  table.sort(list)
  return list
end

-- The profile as it is in the environment that was asked for, and how both are called.
local function choose(name, profile, env)
  local envs = envs_of(profile)
  env = env or #envs == 1 and envs[1] or nil
  if not env and #envs == 0 then return whole(profile), name end
  if not env then
    return usage(("profile %s has several environments"):format(name), "name one with --env: "
      .. table.concat(envs, ", "))
  elseif not (profile.envs and profile.envs[env]) then
    return usage(("profile %s has no environment %s"):format(name, env),
      #envs == 0 and "it has none: leave --env out"
        or failure.meant(env, envs, "it has " .. table.concat(envs, ", ")))
  end
  return whole(profile, profile.envs[env]), ("%s (%s)"):format(name, env)
end

-- A way written out: no profile of the file.
local function of_way(options)
  local target, err = ways.read(options.via)
  if not target then
    local list = profiles.names(options)
    local meant = not options.via:find(":", 1, true) and failure.meant(options.via, list)
    if meant then return usage(("there is no profile %s"):format(options.via), meant) end
    return nil, err
  end
  if options.env and target.name ~= "ecs" then
    return usage(("%s has no environments"):format(options.via),
      "--env is for profiles, and names the AWS profile of ecs")
  end
  target.aws = { profile = options.env }
  return { target = target, node = options.node, cookie_file = options.cookie_file }
end

--- Where `via` leads, and to whom: what the command line says holds over the profile.
---@param options table   settled: via, env, task, through, node, cookie_file, profiles
---@return { target?: Target, node?: string, cookie_file?: string }?   no target: over the network
---@return Failure? err
function profiles.resolve(options)
  local profile = options.profiles and options.profiles[options.via]
  local found, err
  if profile then
    local p, name = choose(options.via, profile, options.env)
    if not p then return nil, name end
    found = { node = options.node or p.node, cookie_file = options.cookie_file or p.cookie_file }
    if p.way then
      found.target, err = ways.read(p.way .. (target_text(p) ~= "" and ":" .. target_text(p) or ""))
      if not found.target then return nil, err end
      found.target.via, found.target.release, found.target.through = name, p.release, p.through
      ways.take_flags(found.target, flags_of(p))
      found.target.aws = { profile = p.profile, region = p.region }
    end
  else
    found, err = of_way(options)
    if not found then return nil, err end
  end
  if options.task and (found.target or {}).name ~= "ecs" then
    return usage("--task is for ecs", "leave it out")
  end
  local target = found.target
  if target then target.task, target.through = options.task, options.through or target.through end
  return found
end

return profiles
