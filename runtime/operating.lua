--- Operators as scripts start them: one that is waited for, one that is followed while it runs, one that goes on for
--- ever, and those that the config names. It is handed what a run is made of (runtime/beamlens.lua).

local async = require "runtime.async"
local config = require "runtime.config"
local operator = require "runtime.operator"
local roster = require "runtime.roster"

local operating = {}

local going = {} -- handle -> the task that puts away what it stood on

local MODES = { on_demand = true, continuous = true }
local NAMES = { operator = true, watcher = true }

-- The operators of the config, checked with the first that is asked for.
local function posts_of(o)
  if not o.operators then return {} end
  return roster.of(o.operators, "operators")
end

local function post_named(posts, name)
  for _, post in ipairs(posts) do
    if post.name == name then return post end
  end
  return { name = name, skill = name }
end

--- The skills of a run: those that are asked for, by name of skill or operator; else those of the config's operators.
---@param o table   settled options
---@return string[]?
---@return Failure? err
function operating.skills(o)
  local posts, err = posts_of(o)
  if not posts then return nil, err end
  local names, skills, seen = {}, {}, {}
  if #posts > 0 and o.skills == config.default "skills" then
    for i, post in ipairs(posts) do names[i] = post.name end
  else
    names = o.skills
  end
  for _, name in ipairs(names) do
    local wanted = post_named(posts, name).skill
    if not seen[wanted] then skills[#skills + 1], seen[wanted] = wanted, true end
  end
  return skills
end

local function check(means, given)
  if given.mode ~= nil and not MODES[given.mode] then
    means.slip(("an operator has no mode %s"):format(tostring(given.mode)), "it is on_demand or continuous")
  end
  if given.names ~= nil and not NAMES[given.names] then
    means.slip(("tools have no names of %s"):format(tostring(given.names)), "it is operator or watcher")
  end
  if given.every ~= nil and not (type(given.every) == "number" and given.every > 0) then
    means.slip("every wants seconds", "for example every = 30")
  end
end

-- What it stood on is put away when it ended, whoever waits for it or not.
local function start(means, name, opts, called)
  if type(name) ~= "string" then
    means.slip(called .. " wants a skill", ('for example %s("ets")'):format(called))
  end
  local o = means.settled(opts)
  check(means, o)
  local posts, err = posts_of(o)
  if not posts then return nil, err end
  local post = post_named(posts, name)
  local run
  run, err = means.prepare(setmetatable({ mode = o.mode or post.mode }, { __index = o }), { post.skill }, "operator")
  if not run then return nil, err end
  run.mode, run.names, run.every, run.called = o.mode or post.mode, o.names, o.every, o.called or post.name
  local handle
  handle, err = operator.start(run)
  if not handle then return means.finish(run, nil, err) end
  handle.name = post.name
  going[handle] = async.spawn(function()
    local ended = handle:join()
    going[handle] = nil
    means.finish(run, ended)
  end)
  return handle
end

--- One operator alone, to its end.
local function run(means, name, opts)
  if type(name) ~= "string" then means.slip("operator.run wants a skill", 'for example operator.run("ets")') end
  local o = means.settled(opts)
  check(means, o)
  if o.mode == "continuous" then
    means.slip("operator.run waits for the end, and continuous has none", "use operator.start")
  end
  local posts, err = posts_of(o)
  if not posts then return nil, err end
  local prepared
  prepared, err = means.prepare(o, { post_named(posts, name).skill }, "operator")
  if not prepared then return nil, err end
  return means.finish(prepared, operator.run(prepared))
end

--- The functions of `beamlens.operator`.
---@param means { settled: function, prepare: function, finish: function, slip: function }
---@return table
function operating.api(means)
  return {
    run = function(name, opts) return run(means, name, opts) end,
    run_async = function(name, opts)
      means.settled(opts) -- told here, if it is no table
      local given = { mode = "on_demand" }
      for key, value in pairs(opts or {}) do given[key] = value end
      return start(means, name, given, "operator.run_async")
    end,
    start = function(name, opts) return start(means, name, opts, "operator.start") end,
  }
end

--- Starts the continuous operators of the config.
---@param means table     as for api
---@param opts? table
---@return Handle[]?
---@return Failure? err   of the first that cannot start; those before it go on
function operating.all(means, opts)
  local posts, err = posts_of(means.settled(opts))
  if not posts then return nil, err end
  local handles = {}
  for _, post in ipairs(posts) do
    if post.mode == "continuous" then
      handles[#handles + 1], err = start(means, post.name, opts, "operators")
      if err then return nil, err end
    end
  end
  return handles
end

--- Ends all that still runs.
function operating.close()
  for handle in pairs(going) do handle:stop "interrupted" end
  for _, task in pairs(going) do async.shield(function() task:join(async.now() + 2) end) end
end

return operating
