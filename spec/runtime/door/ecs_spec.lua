local cloud = require "spec.support.cloud"
local ecs = require "runtime.door.ecs"
local live = require "spec.support.live_node"
local uv = require "luv"
local ways = require "runtime.door.ways"

local DENIED = "An error occurred (AccessDeniedException) when calling the %s operation: User: arn:aws:sts::1:x is not "
  .. "authorized to perform: %s on resource: y\n"
local NO_CLUSTER = "An error occurred (ClusterNotFoundException) when calling the ListTasks operation: "
  .. "Cluster not found.\n"

describe("a service of ECS", function()
  local aws

  setup(function()
    aws = cloud.new()
    aws:use()
  end)

  before_each(function() aws:is_well() end)

  teardown(function() aws:close() end)

  local function find(via, more)
    local target = assert(ways.read(via))
    for key, value in pairs(more or {}) do target[key] = value end
    return target, ecs.words(target)
  end

  local function said(via, more)
    local _, words, err = find(via, more)
    assert.is_nil(words)
    assert.equal(3, err.exit)
    return tostring(err):sub(#via + 3)
  end

  local function found(via, more)
    local target, words, err = find(via, more)
    assert(words, err)
    local is = target.ecs
    return table.concat({ is.cluster, is.service, is.task, is.container, is.runtime_id }, " ")
  end

  describe("is found", function()
    it("by nothing, where there is one of each", live.test(function()
      assert.equal("prod shop 0a1b2c app 0123-app", found "ecs")
    end))

    it("by its name", live.test(function() assert.equal("prod shop 0a1b2c app 0123-app", found "ecs:shop") end))

    it("in its cluster, which is then not looked for", live.test(function()
      found "ecs:prod/shop"
      assert.is_nil(aws:called():find("list-clusters", 1, true))
    end))

    it("with a container of several", live.test(function()
      aws:runs { { id = "0a1b2c", containers = { cloud.container "app", cloud.container "proxy" } } }
      assert.equal("prod shop 0a1b2c proxy 0123-proxy", found "ecs:prod/shop/proxy")
    end))

    it("with the task that was asked for, by its first letters", live.test(function()
      aws:runs { { id = "0a1b2c" }, { id = "0d4e5f" } }
      assert.equal("prod shop 0d4e5f app 0123-app", found("ecs:prod/shop", { task = "0d" }))
    end))

    it("with the profile and the region of who asks in every call", live.test(function()
      found("ecs:prod/shop", { aws = { profile = "qa", region = "eu-west-1" } })
      assert.equal(3, select(2, aws:called():gsub("%-%-profile qa %-%-region eu%-west%-1", "")))
    end))

    it("in another task, where the agent of the first one has stopped", live.test(function()
      local down = cloud.container("app", { agent = "STOPPED" })
      aws:runs { { id = "0a", containers = { down } }, { id = "0d" } }
      assert.equal("prod shop 0d app 0123-app", found("ecs:prod/shop"))
    end))

    it("again in the same task and container", live.test(function()
      local target = find "ecs:prod/shop"
      aws:runs { { id = "0d4e5f" }, { id = "0a1b2c" } }
      assert(ecs.words(target))
      assert.equal("0a1b2c", target.ecs.task)
    end))
  end)

  -- What the cloud says, and what we say then.
  local TROUBLES = {
    { "an expired login", { "sts-get-caller-identity.err", "Error when retrieving token from sso: Token has expired" },
      "ecs:shop", "the AWS login has expired; log in: aws sso login --profile qa", { aws = { profile = "qa" } } },
    { "an expired login of a profile that sh would read as more",
      { "sts-get-caller-identity.err", "Error when retrieving token from sso: Token has expired" },
      "ecs:shop", "the AWS login has expired; log in: aws sso login --profile 'a; id'",
      { aws = { profile = "a; id" } } },
    { "no login", { "sts-get-caller-identity.err", "Unable to locate credentials." },
      "ecs:shop", "there is no AWS login; log in: aws sso login" },
    { "a profile that there is not", { "sts-get-caller-identity.err",
      "The config profile (qaa) could not be found" }, "ecs:shop",
      "AWS knows no profile qaa here; see `aws configure list-profiles`", { aws = { profile = "qaa" } } },
    { "no right to list tasks", { "ecs-list-tasks.err", DENIED:format("ListTasks", "ecs:ListTasks") }, "ecs:prod/shop",
      "AWS denies ecs:ListTasks; use a profile whose role has ecs:ListTasks on this cluster and its tasks" },
    { "no right to describe tasks", { "ecs-describe-tasks.err", DENIED:format("DescribeTasks", "ecs:DescribeTasks") },
      "ecs:prod/shop",
      "AWS denies ecs:DescribeTasks; use a profile whose role has ecs:DescribeTasks on this cluster and its tasks" },
    { "a cluster in another region", { "ecs-list-tasks.err", NO_CLUSTER }, "ecs:live/shop",
      "there is no such cluster in us-east-2; there: prod; another region is set by the profile or AWS_REGION",
      { aws = { region = "us-east-2" } } },
    { "a cluster that is misspelt", { "ecs-list-tasks.err", NO_CLUSTER }, "ecs:prood/shop",
      "there is no such cluster in eu-west-1; did you mean prod?" },
    { "a service that is misspelt", { "ecs-list-tasks.err",
      "An error occurred (ServiceNotFoundException) when calling the ListTasks operation: Service not found." },
      "ecs:prod/shopp", "cluster prod has no service shopp; did you mean shop?" },
    { "a region that AWS has not", { "sts-get-caller-identity.err",
      'Could not connect to the endpoint URL: "https://sts.eu-wst-1.amazonaws.com/"' }, "ecs:shop",
      "nobody answers for AWS in eu-wst-1; check the region's name, and whether this machine reaches AWS",
      { aws = { region = "eu-wst-1" } } },
    { "no region", { "ecs-list-tasks.err", "You must specify a region." }, "ecs:prod/shop",
      "no AWS region is set; name it in the profile of the config file, or set AWS_REGION" },
    { "an answer that is no JSON", { "ecs-list-tasks.json", "<html>" }, "ecs:prod/shop",
      "the door closed, and said last: aws answered no JSON: <html>; try that command by hand" },
  }

  for _, case in ipairs(TROUBLES) do
    it("tells of " .. case[1], live.test(function()
      aws:says(case[2][1], case[2][2])
      assert.equal(case[4], said(case[3], case[5]))
    end))
  end

  -- What there is, and what we say of it.
  local HAS = {
    { "several clusters", function() aws:has("cluster", { "stage", "prod" }) end, "ecs:shop",
      "there are several clusters: prod, stage; write ecs:CLUSTER/SERVICE" },
    { "no cluster", function() aws:has("cluster", {}) end, "ecs:shop",
      "there is no cluster in eu-west-1; another region is set by the profile or AWS_REGION" },
    { "several services", function() aws:has("service", { "web", "shop" }) end, "ecs",
      "there are several services: shop, web; write ecs:prod/SERVICE" },
    { "no task", function() aws:runs {} end, "ecs:prod/shop",
      "no task of shop runs; see `aws ecs describe-services --cluster prod --services shop`" },
    { "several tasks", function() aws:runs { { id = "0a" }, { id = "0d" } } end, "ecs:prod/shop",
      "there are several tasks: 0a (RUNNING, HEALTHY, 2026-11-20T08:00:00+00:00), "
        .. "0d (RUNNING, HEALTHY, 2026-11-20T08:00:00+00:00); name one with --task: its first letters will do" },
    { "no such task", function() aws:runs { { id = "0a" }, { id = "0d" } } end, "ecs:prod/shop",
      "there is no task 0f; there: 0a, 0d", { task = "0f" } },
    { "two tasks of these letters", function() aws:runs { { id = "0a" }, { id = "0d" } } end, "ecs:prod/shop",
      "there is more than one task 0; there: 0a, 0d", { task = "0" } },
    { "several containers", function()
      aws:runs { { id = "0a", containers = { cloud.container "proxy", cloud.container "app" } } }
    end, "ecs:prod/shop", "there are several containers: app, proxy; write ecs:CLUSTER/SERVICE/CONTAINER" },
    { "no such container", function() end, "ecs:prod/shop/web", "the task has no container web; there: app" },
    { "a task without execute-command", function() aws:runs { { id = "0a", enabled = false } } end, "ecs:prod/shop",
      "the task was started without execute-command; let new ones have it: aws ecs update-service --cluster prod "
        .. "--service shop --enable-execute-command --force-new-deployment" },
    { "a container that is starting", function()
      aws:runs { { id = "0a", containers = { cloud.container("app", { lastStatus = "PENDING" }) } } }
    end, "ecs:prod/shop", "container app is PENDING; try again when a new task runs" },
    { "an agent that has stopped", function()
      aws:runs {
        { id = "0a", containers = { cloud.container("app", { agent = "STOPPED", reason = "exit 1" }) } }, { id = "0d" },
      }
    end, "ecs:prod/shop", "the agent in container app is STOPPED (exit 1); try another task: --task 0d; "
      .. "it stops where the file system is read-only or the memory is full", { task = "0a" } },
  }

  for _, case in ipairs(HAS) do
    it("tells of " .. case[1], live.test(function()
      case[2]()
      assert.equal(case[4], said(case[3], case[5]))
    end))
  end

  local function said_with_path(path)
    uv.os_setenv("PATH", path)
    local text = said "ecs:shop"
    uv.os_setenv("PATH", aws.env.PATH)
    return text
  end

  it("tells where aws is had", live.test(function()
    assert.equal("the program aws is not installed here; it is had at "
      .. "docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html", said_with_path "/nowhere")
  end))

  it("tells where the plugin is had", live.test(function()
    assert(uv.fs_symlink("/bin/true", aws.folder .. "/aws"))
    assert.equal("the Session Manager plugin is not installed here; it is had at docs.aws.amazon.com/systems-manager/"
      .. "latest/userguide/session-manager-working-with-install-plugin.html", said_with_path(aws.folder))
  end))

  it("takes no part of its name for an option", function()
    assert.is_nil((ways.read "ecs:prod/--debug"))
  end)
end)
