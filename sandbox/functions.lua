--- What is known of the functions that an expression may call: one entry for each, by the name
--- "module:function/arity". The data is in sandbox/functions/*.lua, in groups that share a class, an
--- effect, what it costs and why; here a group becomes its entries. What has no entry is not known,
--- and what is not known is dangerous.
---
--- A group names its functions by module, as words: `abs/1`, `binary_part/2,3` where any argument may
--- be anything, else `map(fun,_)` with a role for each argument. The roles are the names of the
--- functions in sandbox/classify/arguments.lua; `_` is none, or what the group says by module of the `first`
--- argument or of `every` one.

local functions = {}

---@class FunctionEntry
---@field class "SAFE"|"CAUTION"|"DANGEROUS"
---@field effect "reads"|"leased"|"changes"
---@field cost string     in words
---@field why string      what it does, for a person who decides
---@field roles string[]  one for each argument
---@field guard? string   what has to stand before it where it runs (sandbox/guards.lua)
---@field since? integer  the first OTP that has it, where the oldest does not
---@field module string
---@field name string

-- Modules that are not part of OTP stand in files of their own.
local FILES = {
  "terms", "collections", "texts", "runtime", "processes", "tables", "machine", "control", "recon",
  "elixir_data", "elixir_runtime", "ecto",
}

local NONE = {}

local entries, shapes -- made when they are first asked for: most runs judge no text

local function roles_of(word)
  local name, inside = word:match "^(.-)%((.*)%)$"
  if not name then
    local plain, arities = word:match "^(.+)/([%d,]+)$"
    assert(plain, "neither name/arity nor name(roles): " .. word)
    local all = {}
    for arity in arities:gmatch "%d+" do
      local roles = {}
      for i = 1, tonumber(arity) do roles[i] = "_" end
      all[#all + 1] = roles
    end
    return plain, all
  end
  local roles = {}
  for role in inside:gmatch "[^,]+" do roles[#roles + 1] = role end
  return name, { roles }
end

local function add(into, group, module, word)
  local name, all = roles_of(word)
  local first, every = (group.first or NONE)[module], (group.every or NONE)[module]
  for _, roles in ipairs(all) do
    for i, role in ipairs(roles) do
      if role == "_" then roles[i] = i == 1 and first or every or role end
    end
    local key = ("%s:%s/%d"):format(module, name, #roles)
    assert(not into[key], "twice in the table of functions: " .. key)
    into[key] = {
      class = group.class, effect = group.effect, cost = group.cost, why = group.why, guard = group.guard,
      since = group.since, roles = roles, module = module, name = name,
    }
  end
end

local function load()
  entries, shapes = {}, {}
  for _, file in ipairs(FILES) do
    for _, group in ipairs(require("sandbox.functions." .. file)) do
      for module, words in pairs(group.functions) do
        for word in words:gmatch "%S+" do add(group.shape and shapes or entries, group, module, word) end
      end
    end
  end
end

--- The entry of a function.
---@param module string
---@param name string
---@param arity integer
---@return FunctionEntry|nil
function functions.find(module, name, arity)
  if not entries then load() end
  local rest = ("%s/%d"):format(name, arity)
  local entry = entries[module .. ":" .. rest]
  if entry then return entry end
  if module:match "^Elixir%..*Repo$" then return shapes["Repo:" .. rest] end
end

--- All entries by "module:function/arity"; those for any module of a shape stand under the shape's name.
---@return table<string, FunctionEntry> entries
---@return table<string, FunctionEntry> shapes
function functions.all()
  if not entries then load() end
  return entries, shapes
end

return functions
