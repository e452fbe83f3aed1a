--- A skill that reaches beside its node: it runs confined, as a user's does.

local async = require "runtime.async"
local reach = require "runtime.reach"
local skill = require "runtime.skill"

local far_skill = {}

local HEAD = [[
return {
  name = "far", title = "Far", about = "a", prompt = "p", uses = { "http", "tcp" }, queries = {},
  snapshot = function() return {} end,
  callbacks = { far_look = { doc = "d", class = "%s", returns = { "x" }, timeout = %s,
    args = { { name = "url", type = "string", default = "" }, { name = "port", type = "integer", default = 1 } },
    run = function(node, args) %s end } },
}]]

--- With one callback, far_look(url, port), of this body.
---@param body string
---@param o? { class?: Class, timeout?: number }
---@return Skill
function far_skill.load(body, o)
  o = o or {}
  return assert(skill.load(HEAD:format(o.class or "SAFE", o.timeout or 30, body), "far.lua"))
end

--- What such a callback answers, on a node whose owner allows these hosts.
---@param body string
---@param o { hosts: string[], url?: string, port?: integer, class?: Class, timeout?: number }
function far_skill.look(body, o)
  local s = far_skill.load(body, o)
  local node = { sleep = async.sleep }
  reach.attach(node, assert(reach.hosts(o.hosts)))
  return skill.call(s, "far_look", { o.url or "", o.port or 1 }, node)
end

return far_skill
