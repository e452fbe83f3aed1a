--- The ways to a shell where a node runs: what is called for each, and how its target is written. No far
--- terminal is asked for where a pipe will do: it has no echo, and what runs at its end sees the end.

local failure = require "runtime.failure"

local ways = {}

---@class Way
---@field shown string     how the target is written
---@field words fun(target: string): string[]?, string?   nil when it is no such target, and how it is written then
---@field program? string  what must be installed here
---@field from? string     where it is had
---@field silent? true      the shell has no terminal there, and so no prompt to wait for
---@field lead? string      the module that finds out what is called, where that is not known from the target alone

---@class Target
---@field via string        for messages
---@field name string       of the way
---@field way Way
---@field target string
---@field words string[]    what is called; nothing yet where the way has a lead
---@field flags? string[]   of its program, before its command, in whatever it is called for
---@field aws? { profile?: string, region?: string }
---@field ecs? { cluster: string, service: string, task: string, several: boolean, container: string,
---  runtime_id?: string, others: string[], fit: table[], passed?: string }   once found; others: tasks; fit: those of
---  them that can be entered; passed: the task that gave no shell
---@field task? string      the one that was asked for
---@field through? "forward"|"console"|"rpc"   what was asked for; else whichever goes
---@field release? string   the root of the node's release, where several run
---@field told? table<string, string>   for troubles.of

-- A word that begins with a hyphen would be an option of the program.
---@param target string
---@return string?
function ways.plain(target) return target:match "^[%w_@.:/%[%]-]+$" and not target:match "^%-" end

local plain = ways.plain

---@type table<string, Way>
ways.WAYS = {
  ["local"] = {
    shown = "local", silent = true,
    words = function() return { "sh" } end,
  },
  ssh = {
    shown = "ssh:USER@HOST", program = "ssh", silent = true, from = "openssh-client",
    words = function(target)
      if target:find "^[^:]+:%d+$" then return nil, "a port stands in ~/.ssh/config: Host, HostName, Port" end
      -- Without a person before it, whoever would ask for a password fails instead.
      return plain(target) and { "ssh", "-T", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "--", target,
        "exec sh" } or nil
    end,
  },
  docker = {
    shown = "docker:CONTAINER", program = "docker", silent = true, from = "docker.io, or the docs of Docker",
    words = function(target) return plain(target) and { "docker", "exec", "-i", target, "sh" } or nil end,
  },
  kubectl = {
    shown = "kubectl:[NAMESPACE/]POD[/CONTAINER]", program = "kubectl", silent = true,
    from = "kubernetes.io/docs/tasks/tools",
    words = function(target)
      if not plain(target) or target:find "/%-" then return nil end
      local parts = {}
      for part in target:gmatch "[^/]+" do parts[#parts + 1] = part end
      if #parts == 1 then return { "kubectl", "exec", "-i", parts[1], "--", "sh" } end
      local words = { "kubectl", "exec", "-i", "-n", parts[1], parts[2], "--", "sh" }
      if #parts == 3 then
        table.insert(words, 7, "-c")
        table.insert(words, 8, parts[3])
      end
      return #parts <= 3 and words or nil
    end,
  },
  ecs = {
    shown = "ecs:[CLUSTER/]SERVICE[/CONTAINER]", program = "aws", lead = "runtime.door.ecs",
    from = "docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    words = function(target)
      local is_plain = target == "" or plain(target) and not target:find "/%-"
      return is_plain and select(2, target:gsub("/", "")) < 3 and {} or nil
    end,
  },
  shell = {
    shown = "shell:COMMAND", -- whatever else leads to a shell: a jump host, a program of one's own
    words = function(target) return target:match "%S" and { "sh", "-c", "exec " .. target } or nil end,
  },
}

--- Their names, sorted.
---@return string[]
function ways.names()
  local list = {}
  for name in pairs(ways.WAYS) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function forms()
  local list = {}
  for i, name in ipairs(ways.names()) do list[i] = ways.WAYS[name].shown end
  return table.concat(list, ", ")
end

--- What a program is called with, whatever for.
---@param target Target
---@param words string[]   the program, then its command
---@return string[]
function ways.with_flags(target, words)
  local all = { words[1], unpack(target.flags or {}) }
  for i = 2, #words do all[#all + 1] = words[i] end
  return all
end

---@param target Target
---@param flags string[]
function ways.take_flags(target, flags)
  target.flags = flags
  target.words = ways.with_flags(target, target.words)
end

--- What is called for `ssh:shop@host`.
---@param via string
---@return Target?
---@return Failure? err
function ways.read(via)
  local name, target = via:match "^([%w_]+):(.+)$"
  name, target = name or via, target or ""
  local way = ways.WAYS[name]
  if not way then
    local near = failure.nearest(name, ways.names())
    return nil, failure.new("usage", "there is no way " .. name,
      near and ("did you mean %s?"):format(ways.WAYS[near].shown)
        or ("the ways are %s, or a profile of the config file"):format(forms()), 2)
  end
  local words, how = way.words(target)
  if not words then
    return nil, failure.new("usage", ("'%s' is no target of %s"):format(target, name), how or "write " .. way.shown, 2)
  end
  return { via = via, name = name, way = way, target = target, words = words }
end

return ways
