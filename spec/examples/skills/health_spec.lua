-- The skill of a health endpoint as a user uses it, by its path and confined, with a service of ours that is well, and
-- then is not.

local async = require "runtime.async"
local http_server = require "spec.support.http_server"
local json = require "runtime.json"
local reach = require "runtime.reach"
local root = require("host.files").root
local skill = require "runtime.skill"

describe("the skill of a health endpoint", function()
  local server, node, s, answer

  local function in_task(fn) return function() async.run(fn) end end

  setup(function()
    server = http_server.start { ["GET /health"] = function(_, response) response:send(unpack(answer)) end }
    local file = assert(io.open(root .. "/examples/skills/health.lua"))
    local text = file:read("*a"):gsub("http://127.0.0.1:4000", server.url)
    file:close()
    s = assert(skill.load(text, "health.lua"))
    node = { sleep = async.sleep }
    reach.attach(node, assert(reach.hosts { server.url:match "//(.*)" }))
  end)
  teardown(function() server.stop() end)

  local function judged()
    local check = s.checks[1]
    if not check.suspect(skill.snapshot(s, node)) then return nil end
    return check.confirm { skill.call(s, "health_look", {}, node) }
  end

  it("says what the service says", in_task(function()
    answer = { 200, { status = "up", parts = { database = "up" } } }
    local seen = assert(skill.call(s, "health_look", {}, node))
    assert.same({ 200, "up", 0, {} }, { seen.http_status, seen.says, seen.down_count, seen.down })
    assert.is_nil(judged())
  end))

  it("finds the parts that are not up", in_task(function()
    answer = { 503, { status = "down", parts = { database = "down", queue = "up", cache = json.null } } }
    local finding = judged()
    assert.same({ "database", 503, 1 }, { finding.object, finding.figures[1].value, finding.figures[2].value })
  end))

  it("goes by the status alone where the answer is no JSON", in_task(function()
    answer = { 500, "Internal Server Error" }
    assert.same({ "service", 500 }, { judged().object, judged().figures[1].value })
  end))

  it("says what stands in its way where it may not go there", in_task(function()
    reach.attach(node, {})
    assert.matches("^health_look may not reach 127.0.0.1:", skill.call(s, "health_look", {}, node).unavailable)
  end))
end)
