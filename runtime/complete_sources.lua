--- The words there are of each kind, for completions: asked of who knows them. A command says what its words are by
--- `takes`, an option by `values`.

local async = require "runtime.async"
local columns = require "runtime.columns"
local knowledge = require "runtime.knowledge"
local manual = require "runtime.manual"
local ours = require "host.files"
local skill = require "runtime.skill"
local sorted_keys = require "runtime.sorted_keys"

---@type table<string, fun(context: { options: table, words: string[] }): Offer[]>
local sources = {}

local EPMD_S = 0.2
local LATEST = 30 -- runs, actions

local function plainly(words)
  local offers = {}
  for i, word in ipairs(words) do offers[i] = { word } end
  return offers
end

function sources.command()
  local offers = { { "script", manual.command("script").doc }, { "events", "what scripts and sinks may hear" } }
  for _, name in ipairs(manual.COMMANDS) do offers[#offers + 1] = { name, manual.command(name).doc } end
  return offers
end

-- Commands, those that matter first, and the scripts of ours.
function sources.script()
  local offers = {}
  for _, group in ipairs(manual.GROUPS) do
    for _, name in ipairs(group) do
      if name ~= "script" then offers[#offers + 1] = { name, manual.command(name).doc } end
    end
  end
  for _, name in ipairs(manual.command("script").ours()) do
    offers[#offers + 1] = { name, ours.read("examples/" .. name):match "^%-%-%- *([^\n]*)" }
  end
  return offers
end

local function each_skill(tell)
  for _, name in ipairs(skill.names()) do
    local s = skill.open(name)
    if s then tell(s) end
  end
end

function sources.skill()
  local offers = {}
  each_skill(function(s) offers[#offers + 1] = { s.name, s.title } end)
  return offers
end

function sources.callback()
  local offers = {}
  each_skill(function(s)
    for _, name in ipairs(skill.callable(s)) do
      offers[#offers + 1] = { name, (s.callbacks[skill.resolve(s, name)] or {}).doc }
    end
  end)
  return offers
end

--- Of the callback that stands before it.
function sources.argument(context)
  local name, at, offers = context.words[2], #context.words - 1, {}
  each_skill(function(s)
    local callback = s.callbacks[skill.resolve(s, name)]
    local arg = callback and callback.args and callback.args[at]
    if arg and arg.type == "choice" then offers = plainly(arg.of) end
  end)
  return offers
end

function sources.allowable()
  local offers = { { "caution", "whatever has a side effect and ends by itself" } }
  each_skill(function(s)
    for _, name in ipairs(sorted_keys(s.callbacks)) do
      if s.callbacks[name].class == "CAUTION" then offers[#offers + 1] = { name, s.callbacks[name].doc } end
    end
  end)
  return offers
end

function sources.topic()
  local offers = { { "mechanisms", "all that goes wrong" } }
  for i, t in ipairs((knowledge.all())) do offers[i + 1] = { t.topic, t.about } end
  return offers
end

function sources.copy() return plainly(require("runtime.commands.init").copies()) end

function sources.provider(context)
  return plainly(require("runtime.llm").names(context.options.client_registry))
end

function sources.strategy() return plainly(require("runtime.strategy").names()) end

function sources.limit()
  local offers = {}
  for i, name in ipairs(require("runtime.chunk_limits").names()) do offers[i] = { name .. "=" } end
  return offers
end

function sources.shell() return plainly(sorted_keys(require "runtime.completion_scripts")) end

function sources.action_verb() return plainly(manual.command("actions").WORDS) end

function sources.way(context)
  local WAYS, offers = require("runtime.door.ways").WAYS, {}
  for i, name in ipairs(sorted_keys(WAYS)) do
    offers[i] = { WAYS[name].shown == name and name or name .. ":", WAYS[name].shown }
  end
  for _, name in ipairs(require("runtime.door.profiles").names(context.options)) do
    offers[#offers + 1] = { name, "a profile of the config file" }
  end
  return offers
end

-- Of the profile that stands there, else of all.
function sources.env(context)
  local profiles, envs = context.options.profiles or {}, {}
  local one = profiles[context.options.via or context.words[2]]
  for _, profile in pairs(one and { one } or profiles) do
    for env in pairs(profile.envs or {}) do envs[env] = true end
  end
  return plainly(sorted_keys(envs))
end

-- What `list` reads of the store, where there is one.
local function kept(context, list)
  return require("runtime.store").asked(context.options, function(s) return list(s, LATEST) end) or {}
end

function sources.run(context)
  local offers = { { "last", "the latest" } }
  for _, run in ipairs(kept(context, require("runtime.runs").list)) do
    offers[#offers + 1] = { run.id, ("%s %s: %s"):format(columns.moment(run.started_at), run.node,
      (tostring(run.verdict or run.state):gsub("_", " "))) }
  end
  return offers
end

function sources.feedback() return plainly(require("runtime.feedback").WORDS) end

--- What runs found, as `feedback --cause` names it.
function sources.cause(context)
  local offers = { { "healthy", "there was nothing" } }
  for _, found in ipairs(kept(context, function(s) return require("runtime.insights").list(s) end)) do
    offers[#offers + 1] = { ("%s:%s"):format(found.object, found.mechanism), found.node }
  end
  return offers
end

function sources.action(context)
  local offers = {}
  for i, p in ipairs(kept(context, require("runtime.actions").list)) do
    offers[i] = { p.id, ("%s: %s of %s"):format(p.state, p.action, p.object) }
  end
  return offers
end

--- Those that were looked at before, and what the epmd of this machine knows, under the names that a host may have.
function sources.node(context)
  local offers, known = {}, {}
  for _, run in ipairs(kept(context, require("runtime.runs").list)) do
    offers[#offers + 1], known[run.node:match "^[^@]*"] = { run.node, "looked at before" }, true
  end
  local host = require("luv").os_gethostname()
  for _, name in ipairs(require("runtime.node.epmd").names("127.0.0.1", async.now() + EPMD_S) or {}) do
    if not known[name] then
      offers[#offers + 1] = { name .. "@127.0.0.1", "runs here" }
      offers[#offers + 1] = { ("%s@%s"):format(name, host), "runs here" }
    end
  end
  return offers
end

return sources
