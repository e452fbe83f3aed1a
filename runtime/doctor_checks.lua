--- What `doctor` looks at, as data: each check says in one line how it is, and where it is not well what to do.
--- None changes anything; a key, a cookie or a secret is never part of what one says.

local ffi = require "ffi"
local uv = require "luv"
local approval = require "runtime.approval"
local counted = require "runtime.counted"
local cookie = require "runtime.node.cookie"
local failure = require "runtime.failure"
local files = require "runtime.files"
local policy = require "runtime.policy"
local private = require "runtime.private"
local runs = require "runtime.runs"
local skill = require "runtime.skill"
local store = require "runtime.store"
local there = require "runtime.doctor_there"

---@class DoctorCheck
---@field name string
---@field node? true      only where a node or a way to one was named
---@field run fun(c: DoctorContext): ("ok"|"warn"|"bad")?, string?, (string|Failure)?  how it is, in words, what to do;
---  nothing where there is nothing to say of it

---@class DoctorContext
---@field options table
---@field fault? Failure  of the config file or the environment
---@field node? table     once it is attached
---@field refused? Failure  why it is not

ffi.cdef "const char *curl_version(void);"

-- What it stands on, as it is at this moment: a library may be another one than it was built with.
local function program()
  local libraries = {}
  for name, version in ffi.string(ffi.C.curl_version()):gmatch "(%a+)/([%w.]+)" do
    if name == "libcurl" or name:find "SSL" then libraries[#libraries + 1] = ("%s %s"):format(name, version) end
  end
  return "ok", ("beamlens-run %s, %s, libuv %s, %s"):format(require "runtime.version", jit.version, uv.version_string(),
    table.concat(libraries, ", "))
end

local function config(c)
  if c.fault then return "bad", c.fault.message, c.fault end
  local wrong = require("runtime.settings_files").fault(c.options)
  if wrong then return "bad", wrong.message, wrong end
  local path = c.options.config or os.getenv "BEAMLENS_CONFIG" or files.config_home() .. "/config.lua"
  if not uv.fs_stat(path) then return "ok", ("no %s: the defaults hold"):format(path) end
  return "ok", path
end

-- `weak`: only a worker without the filter needs it.
local LAYERS = {
  { "seccomp", "system calls filtered" }, { "no_new_privs", "no new privileges" }, { "mdwe", "no new code in memory" },
  { "landlock", "no files" }, { "other_user", "a user of its own", weak = true },
}

local function sandbox(c)
  local protection = require("runtime.sandbox").protection()
  local has, lacks = {}, {}
  for _, layer in ipairs(LAYERS) do
    if protection[layer[1]] then has[#has + 1] = layer[2] elseif not layer.weak then lacks[#lacks + 1] = layer[2] end
  end
  local words = table.concat(has, ", ")
  if protection.strength == "strict" then
    local weak = c.options.sandbox == "allow-weak" and "; weak is allowed" or ""
    return "ok", "strict: " .. words .. weak .. (#lacks > 0 and ("; not here: " .. table.concat(lacks, ", ")) or "")
  end
  local why = tostring(protection.why)
  if protection.strength == "none" then
    return "bad", ("no worker can be started (%s), so a model can run no Lua"):format(why),
      "see that memory and processes are left"
  end
  if c.options.sandbox == "allow-weak" then
    return "warn", ("weak: this system refuses seccomp filters (%s); what holds: %s"):format(why, words),
      "allow the seccomp system call where this runs"
  end
  return "bad", ("this system refuses seccomp filters (%s), so execute is disabled"):format(why),
    "allow the seccomp system call, or --sandbox allow-weak to run with what else holds: " .. words
end

local function provider(c)
  local mind, err = require("runtime.llm").choose(c.options)
  if not mind then return "bad", err.message, err end
  if mind.name == "analyst" then
    return "ok", "analyst: rules, no key needed; set ANTHROPIC_API_KEY or --provider for a model"
  elseif not mind.destination then
    return "ok", mind.name
  end
  local lines = {}
  for i, leaf in ipairs(mind.leaves) do
    lines[i] = ("%s, %s, at %s; %s"):format(leaf.name, leaf.model, leaf.destination, leaf.key)
  end
  local of = mind.leaves[1].name ~= mind.name and mind.name .. ": " or ""
  return "ok", of .. table.concat(lines, "; ")
end

local READ_BY_OTHERS = { 32, 4 } -- bits of the mode: the group, others

local function others_read(path)
  local stat = uv.fs_stat(path)
  for _, bit in ipairs(READ_BY_OTHERS) do
    if stat and math.floor(stat.mode / bit) % 2 == 1 then return true end
  end
end

local function cookie_found(c)
  if c.options.via and not c.options.cookie_file then return "ok", "not needed here: it is used where the node runs" end
  local found, err, where = cookie.find(c.options.cookie_file)
  if found and others_read(where) then
    return "warn", ("found in %s, which others may read: who has it may do anything on the node"):format(where),
      "chmod 400 " .. where
  end
  if found then return "ok", "found in " .. where end
  return (c.options.node or c.options.cookie_file) and "bad" or "warn", err.message, err
end

-- Each has been read as a run reads it, by the function that says what is wrong.
local function of_failure(err, well)
  if err then return "bad", err.message, err end
  return "ok", well
end

local function secrets()
  local path = files.config_home() .. "/secrets.lua"
  local _, err = require("runtime.secret_patterns").load()
  return of_failure(err, uv.fs_stat(path) and path or ("no %s: our patterns hold"):format(path))
end

-- A skill of the owner's may be away, so a callback that none has is no fault; but it forbids nothing.
local function of_no_skill(rules)
  local known, names = {}, {}
  for _, name in ipairs(skill.names()) do
    local s = skill.open(name)
    for callback in pairs(s and s.callbacks or {}) do
      if not known[callback] then names[#names + 1] = callback end
      known[callback] = true
    end
  end
  for name in pairs(rules) do
    if not known[name] then return name, failure.meant(name, names, "correct it, or take it out") end
  end
end

local function owners_policy()
  local path = policy.path()
  local rules, err = policy.look()
  if not rules then return of_failure(err) end
  local stray, next_step = of_no_skill(rules.callbacks)
  if not stray then return "ok", uv.fs_stat(path) and path or ("no %s: our classes hold"):format(path) end
  local line = require "runtime.key_line"(path, { "callbacks", stray })
  local place = line and ("%s:%d"):format(path, line) or path
  return "warn", ("%s: no skill has a callback %s"):format(place, stray), next_step
end

local function opened(names)
  local list = {}
  for _, name in ipairs(names) do list[#list + 1] = skill.open(name) end
  return list
end

local function alone(c)
  local autonomy, o = require "runtime.autonomy", c.options
  local settled, err = autonomy.settle(o.autonomy, o.store)
  if not settled then return of_failure(err) end
  local _, wrong = autonomy.check_callbacks(o.autonomy, opened(o.skills))
  local names = table.concat(o.autonomy.runbooks, ", ")
  return of_failure(wrong, names == "" and "no runbook acts by itself"
    or settled.dry_run and names .. ": dry, they only tell" or names .. ": may act")
end

-- The folder next above that is there.
local function next_above(path)
  repeat path = path:match "^(.*)/[^/]*$" until not path or path == "" or uv.fs_stat(path)
  return path and path ~= "" and path or "/"
end

local function approval_key(c)
  local path, usual = approval.path(c.options)
  local text, err = private.read(path, "gate", not usual or nil)
  if text then return "ok", path end
  if err then return of_failure(err) end
  if usual or uv.fs_access(next_above(path), "W") then return "ok", path .. " is made with the first approval" end
  return "bad", ("there is no %s, and it cannot be made"):format(path), "correct approval_key in the config"
end

local function settings()
  local told = files.ignored()
  if #told > 0 then return "warn", table.concat(told, "; "), "take it away, so that nobody counts on it" end
  local tools, err = require("runtime.own_tools").open()
  if not tools then return of_failure(err) end
  return "ok", files.config_home() .. (#tools > 0 and (", %s of your own"):format(counted.of(#tools, "tool")) or "")
end

local KEPT = { "approval.key", "audit.jsonl", "beamlens.db", "pseudonyms" }
local ONLY_OURS = 448 -- 0700

local function state()
  local folder = files.state_home()
  local stat = uv.fs_stat(folder)
  if not stat then
    local above = next_above(folder)
    if uv.fs_access(above, "W") then return "ok", folder .. " is made when it is needed" end
    return "bad", ("%s cannot be made: %s may not be written"):format(folder, above), "set XDG_STATE_HOME"
  end
  local unfit = private.folder_fault(folder, stat, "state")
  if unfit then return of_failure(unfit) end
  if not uv.fs_access(folder, "W") then return "bad", folder .. " may not be written by you", "set XDG_STATE_HOME" end
  for _, name in ipairs(KEPT) do
    local path = folder .. "/" .. name
    local of = uv.fs_stat(path)
    local fault = of and private.fault(path, of, "state")
    if fault then return "bad", fault.message, fault end
  end
  if stat.mode % 512 ~= ONLY_OURS then return "warn", folder .. " is open to others", "chmod 700 " .. folder end
  return "ok", folder .. ", nobody's but yours"
end

-- Who only looks is not the first to make it.
local function kept(c)
  local path = c.options.store or files.state_home() .. "/beamlens.db"
  if path == ":memory:" then return "ok", "nothing is kept" end
  local folder = uv.fs_stat(path) and path:match "^(.*)/[^/]*$" or next_above(path)
  if folder and not uv.fs_access(folder ~= "" and folder or "/", "W") then
    return "bad", ("%s: %s may not be written by you"):format(path, folder), "choose another file with --store"
  end
  if not uv.fs_stat(path) then return "ok", path .. " is made with the first run" end
  local s, err = store.shared(c.options)
  if not s then return of_failure(err) end
  local extent
  extent, err = runs.extent(s)
  store.close_all()
  if not extent then return of_failure(err) end
  local since = extent.first and (" since %s"):format(os.date("!%Y-%m-%d", extent.first)) or ""
  return "ok", ("%s: %s%s, %.1f MB"):format(path, counted.of(extent.runs, "run"), since,
    uv.fs_stat(path).size / 1e6)
end

-- Names alone: the cookie is a value of one.
local function variables()
  local set = {}
  for name, value in pairs(uv.os_environ()) do
    if name:find "^BEAMLENS_" and value ~= "" then set[#set + 1] = name end
  end
  table.sort(set)
  local locale = os.getenv "LC_ALL" or os.getenv "LC_CTYPE" or os.getenv "LANG" or "no locale"
  return "ok", ("%s; %s"):format(#set > 0 and "set: " .. table.concat(set, ", ") or "no BEAMLENS_… is set", locale)
end

---@type DoctorCheck[]
return {
  { name = "program", run = program },
  { name = "config", run = config },
  { name = "sandbox", run = sandbox },
  { name = "provider", run = provider },
  { name = "cookie", run = cookie_found },
  { name = "state", run = state },
  { name = "store", run = kept },
  { name = "settings", run = settings },
  { name = "policy", run = owners_policy },
  { name = "secrets", run = secrets },
  { name = "autonomy", run = alone },
  { name = "approval", run = approval_key },
  { name = "variables", run = variables },
  { name = "epmd", run = there.epmd },
  { name = "way", node = true, run = there.way },
  { name = "door", node = true, run = there.door },
  { name = "node", node = true, run = there.node },
  { name = "limits", node = true, run = there.limits },
  { name = "skills", node = true, run = there.skills },
}
