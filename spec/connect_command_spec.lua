local cloud = require "spec.support.cloud"
local erlang = require "spec.support.erlang"
local held = require "spec.support.held"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local until_true = require "spec.support.until_true"
local uv = require "luv"

local NAME = live.own_name "bl_connect"
local SHORT = NAME:match "^[^@]+"

local function said(done) return (done.stderr:match "beamlens%-run: ([^\n]*)" or "") end

describe("connect", function()
  local at, aws, env

  setup(function()
    at = live.start { attach = false, name = NAME }
    aws = cloud.new()
    env = { ERL_EPMD_PORT = tostring(held.free_port()), HOME = at.home, DOORS_CONTAINER = "web", DOORS_POD = "shop-0" }
    for name, value in pairs(aws.env) do env[name] = value end
  end)

  before_each(function() aws:is_well() end)

  teardown(function()
    aws:close()
    live.stop_all()
  end)

  local function run(...) return program.run({ ... }, { env = env }) end

  local function config(text)
    local path = at.home .. "/config.lua"
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    uv.fs_chmod(path, 384)
    return path
  end

  local function with_config(text, ...) return run("--config", config(text), ...) end

  describe("without a command", function()
    it("shows what is there, and what to do next", live.test(function()
      local done = run("connect", "local", "--node", at.name)
      assert.equal("", said(done))
      assert.matches("^node +" .. NAME .. "\n", done.stdout)
      assert.matches(("\n  beamlens-run connect local --node %s -- health\n"):format(NAME), done.stdout, 1, true)
    end))

    it("tells the release and the OTP", live.test(function()
      local told = json.decode(run("connect", "local", "--node", at.name, "--json").stdout)
      local otp = erlang.run "[erlang:system_info(otp_release)]."
      assert.same({ otp, { name = "Erlang/OTP", version = otp } }, { told.otp, told.release })
    end))

    it("writes a target with more than a word as a shell takes it", live.test(function()
      local done = run("connect", "shell:sh 2>&1", "--node", at.name)
      assert.matches(("\n  beamlens-run connect 'shell:sh 2>&1' --node %s -- top\n"):format(NAME), done.stdout, 1,
        true)
    end))

    it("says what to come again with: where its cookie is, too", live.test(function()
      local done = run("connect", "local", "--node", at.name, "--cookie-file", at.cookie_file)
      assert.matches(("--node %s --cookie-file %s -- top\n"):format(NAME, at.cookie_file), done.stdout, 1, true)
    end))

    it("prints no cookie", live.test(function()
      local file = assert(io.open(at.cookie_file))
      local cookie = file:read "*a"
      file:close()
      local done = run("connect", "local", "--node", at.name, "--json")
      assert.is_nil((done.stdout .. done.stderr):find(cookie, 1, true))
    end))

    it("or a target says how it is written", live.test(function()
      local done = run "connect"
      assert.equal(2, done.code)
      assert.equal("connect wants to know where to; beamlens-run connect ssh:shop@10.0.0.7", said(done))
    end))
  end)

  describe("with a command", function()
    it("runs it through the door", live.test(function()
      assert.matches(NAME,
        run("connect", "local", "--node", at.name, "--", "call", "beam_get_memory", "--json").stdout)
    end))

    it("hands the command its own options, and those before", live.test(function()
      local done = run("connect", "local", "--json", "--", "health", "--node", at.name)
      assert.equal(at.name, json.decode(done.stdout).node)
    end))

    it("that there is none is an error of the command line", live.test(function()
      local done = run("connect", "local", "--", "helth")
      assert.equal(2, done.code)
      assert.equal("there is no command or script helth; did you mean health?", said(done))
    end))

    it("that connects again is an error of the command line", live.test(function()
      assert.equal("connect leads to one place; leave the second one out",
        said(run("connect", "local", "--", "connect", "local")))
    end))
  end)

  describe("to a container", function()
    it("of docker", live.test(function()
      assert.equal(0, run("connect", "docker:web", "--node", at.name, "--", "health").code)
    end))

    it("that docker does not know names what to look at", live.test(function()
      assert.equal("docker:wbe: docker knows no such container; see `docker ps`", said(run("connect", "docker:wbe")))
    end))

    it("of a pod", live.test(function()
      assert.equal(0, run("connect", "kubectl:prod/shop-0/web", "--node", at.name, "--", "health").code)
    end))

    it("that the pod has not is told", live.test(function()
      assert.equal("kubectl:prod/shop-0/app: the pod has no such container; "
        .. "see `kubectl describe pod`; write kubectl:NAMESPACE/POD/CONTAINER",
        said(run("connect", "kubectl:prod/shop-0/app")))
    end))
  end)

  describe("to a service of ECS", function()
    it("goes from the login to the node, and asks nothing where there is one of each", live.test(function()
      local done = run("connect", "ecs", "--node", at.name, "--", "health")
      assert.equal("", said(done))
      assert.matches(NAME, done.stdout, 1, true)
      assert.equal([[
sts get-caller-identity --output json
ecs list-clusters --output json
ecs list-services --cluster prod --output json
ecs list-tasks --cluster prod --service-name shop --desired-status RUNNING --output json
ecs describe-tasks --cluster prod --tasks 0a1b2c --output json
ecs execute-command --cluster prod --task 0a1b2c --container app --interactive --command /bin/sh
]], aws:called():match "^.-/bin/sh\n")
    end))

    it("says on stderr what is asked meanwhile", live.test(function()
      local done = run("connect", "ecs:prod/shop", "--node", at.name, "--through", "console", "--", "health")
      assert.equal("asking aws for who we are\nasking aws for the tasks of shop\n"
        .. "asking aws for the state of these tasks\nwaiting for a shell of ecs:prod/shop\n",
        (done.stderr:gsub("[^\n]*: %d+ s\n", "")))
    end))

    it("and how long that has taken", live.test(function()
      aws:says("ecs-list-tasks.sh", [[sleep 2; cat "$at.json"]])
      local done = run("connect", "ecs:prod/shop", "--node", at.name, "--", "health")
      assert.matches("asking aws for the tasks of shop: %d+ s\n", done.stderr)
    end))

    it("on the changing line of a terminal", live.test(function()
      aws:says("ecs-list-tasks.sh", "exec sleep 3600")
      local running = pty.start({ "connect", "ecs:prod/shop", "--node", at.name, "--", "health" }, { env = env })
      until_true("the seconds", function()
        return running.screen():find "asking aws for the tasks of shop, [1-9]%d* s"
      end)
      running.kill "sigint"
      running.wait()
    end))

    it("or is quiet", live.test(function()
      assert.equal("", run("connect", "ecs:prod/shop", "--node", at.name, "--quiet", "--", "health").stderr)
    end))

    it("passes over a task that gives no shell, in one line", live.test(function()
      aws:runs { { id = "0a1b2c", containers = { cloud.container("app", { agent = "STOPPED" }) } }, { id = "0d4e5f" } }
      local done = run("connect", "ecs:prod/shop", "--node", at.name, "--", "health")
      assert.equal(0, done.code)
      assert.matches("task 0a1b2c is passed over: the agent in container app is STOPPED; trying task 0d4e5f\n",
        done.stderr, 1, true)
    end))

    it("tells which task it is", live.test(function()
      local told = json.decode(run("connect", "ecs:prod/shop", "--node", at.name, "--json").stdout)
      assert.equal("app of task 0a1b2c (cluster prod, service shop)", told.found.container)
    end))

    it("takes --env for the AWS profile", live.test(function()
      run("connect", "ecs:prod/shop/app", "--env", "qa", "--node", at.name, "--", "health")
      assert.matches("sts get-caller-identity --profile qa", aws:called(), 1, true)
    end))

    it("asks a person at a terminal which task", live.test(function()
      aws:runs { { id = "0a1b2c" }, { id = "0d4e5f" } }
      local running = pty.start({ "connect", "ecs:prod/shop", "--node", at.name, "--", "health" }, { env = env })
      running.see "which one? (1 to 2)"
      running.type "2"
      running.wait()
      assert.matches("%-%-task 0d4e5f", aws:called())
    end))

    it("and says how to come again to what was chosen", live.test(function()
      aws:runs { { id = "0a1b2c" }, { id = "0d4e5f" } }
      local done = run("connect", "ecs", "--task", "0d", "--node", at.name)
      assert.matches(("\n  beamlens-run connect ecs:prod/shop/app --task 0d4e5f --node %s -- health\n"):format(NAME),
        done.stdout, 1, true)
    end))

    it("offers a person at a terminal to log in again", live.test(function()
      aws:says("sts-get-caller-identity.err", "Error when retrieving token from sso: Token has expired\n")
      aws:says("sso-login.sh", [[rm "$DOORS_CLOUD/sts-get-caller-identity.err"; echo "logged in: $*"]])
      local running = pty.start({ "connect", "ecs:prod/shop", "--env", "qa", "--node", at.name, "--", "health" },
        { env = env })
      running.see "Run `aws sso login --profile qa`? (yes or no)"
      running.type "yes"
      running.see "logged in: --profile qa"
      running.wait()
      -- What comes then has its own specs, and bounds in time that a machine under load may miss.
      assert.matches("sso login %-%-profile qa\nsts get%-caller%-identity [^\n]*\necs list%-tasks ", aws:called())
    end))

    it("leaves no session behind it", live.test(function()
      run("connect", "ecs:prod/shop", "--node", at.name, "--", "health")
      assert.same({}, aws:sessions())
    end))
  end)

  describe("is left", function()
    local function interrupted(times)
      local running = program.start({ "connect", "ecs:prod/shop", "--node", at.name, "--", "watch" }, { env = env })
      until_true("word of being attached", function() return running.stdout():find "attached" end)
      for _ = 1, times do running.kill "sigint" end
      running.wait(30)
      until_true("the end of all that it started", function() return #aws:sessions() == 0 end)
      assert.is_not_nil(uv.fs_stat("/proc/" .. at.os_pid))
    end

    it("by Ctrl-C without anything behind it", live.test(function() interrupted(1) end))

    it("by Ctrl-C twice without anything behind it", live.test(function() interrupted(2) end))

    it("by Ctrl-C while the cloud is being asked", live.test(function()
      aws:says("ecs-list-tasks.sh", "exec sleep 3600")
      local running = program.start({ "connect", "ecs:prod/shop" }, { env = env })
      until_true("the question", function() return aws:called():find "list%-tasks" end)
      running.kill "sigint"
      assert.equal(130, (running.wait(30)))
      until_true("the end of the question", function() return #aws:sessions() == 0 end)
    end))
  end)

  it("works where the file system is read-only", live.test(function()
    local root = at.home .. "/read-only"
    uv.fs_mkdir(root, 448)
    -- Where a machine's root is no mount of its own, it cannot be made private, and is none that others see.
    local via = ("shell:unshare -m --propagation unchanged sh -c 'mount --make-rprivate / 2>/dev/null; mount --rbind "
      .. "/ %s && mount -o remount,ro,bind %s && exec chroot %s sh'"):format(root, root, root)
    assert.equal("", said(run("connect", via, "--node", at.name, "--", "health")))
  end))

  describe("tells", function()
    it("of a node that is called otherwise where it runs", live.test(function()
      assert.equal(("local: %s@203.0.113.7 does not run there; the part behind the @ is what it is called there, "
        .. "behind any address translation: pass --node %s"):format(SHORT, NAME),
        said(run("connect", "local", "--node", SHORT .. "@203.0.113.7")))
    end))

    it("of a cookie that was given and is another one", live.test(function()
      local path = at.home .. "/other"
      local file = assert(io.open(path, "w"))
      file:write "another one"
      file:close()
      uv.fs_chmod(path, 256)
      local done = run("connect", "local", "--node", at.name, "--cookie-file", path)
      assert.equal(3, done.code)
      assert.equal(("local: the cookie in %s is not that of %s; leave --cookie-file out: the node's own is then read "
        .. "beside it, and stays there"):format(path, at.name), said(done))
    end))

    it("of a cookie that lies there and is another one", live.test(function()
      local file = assert(io.open(at.cookie_file))
      local cookie = file:read "*a"
      file:close()
      local function lay(text)
        uv.fs_chmod(at.cookie_file, 384)
        file = assert(io.open(at.cookie_file, "w"))
        file:write(text)
        file:close()
        uv.fs_chmod(at.cookie_file, 256)
      end
      lay "another one"
      local done = run("connect", "local", "--node", at.name)
      lay(cookie)
      assert.equal(("local: the cookie that lies there (in a file) is not that of %s; it may have been set after its "
        .. "start: pass the node's own with --cookie-file"):format(at.name), said(done))
    end))
  end)

  describe("by the name of a profile", function()
    local CONFIG = [[return {
      profiles = {
        shop = { way = "ecs", service = "shop", node = "SHORT", envs = {
          prod = { cluster = "prod", profile = "live", region = "eu-west-1" },
          staging = { cluster = "stage", profile = "test" },
        } },
        here = { way = "local", node = "SHORT@127.0.0.1" },
        near = { node = "SHORT@127.0.0.1", cookie_file = "%s" },
      },
    }]]
    CONFIG = CONFIG:gsub("SHORT", SHORT)

    it("leads there", live.test(function()
      assert.equal(0, with_config(CONFIG, "connect", "here", "--", "health").code)
    end))

    it("without a way leads over the network", live.test(function()
      local file = config(CONFIG:format(at.cookie_file))
      local done = program.run({ "connect", "near", "--config", file },
        { env = { ERL_EPMD_PORT = tostring(at.epmd_port), HOME = "/nowhere" } })
      assert.equal("", said(done))
      assert.matches(("\n  beamlens-run connect near --config %s -- health\n"):format(file), done.stdout, 1, true)
    end))

    it("is taken by --via of any command", live.test(function()
      assert.equal(0, with_config(CONFIG, "health", "--via", "here").code)
    end))

    it("and an environment goes by what that one says", live.test(function()
      local done = with_config(CONFIG, "connect", "shop", "--env", "prod", "--", "health")
      assert.equal("", said(done))
      assert.matches("execute%-command %-%-cluster prod .* %-%-profile live %-%-region eu%-west%-1", aws:called())
    end))

    it("wants an environment where there are several", live.test(function()
      assert.equal("profile shop has several environments; name one with --env: prod, staging",
        said(with_config(CONFIG, "connect", "shop")))
    end))

    it("and its environments are among the completions", live.test(function()
      local done = program.run({ "completions", "words", "--json", "--", "connect", "shop", "--env", "" },
        { env = { BEAMLENS_CONFIG = config(CONFIG) } })
      local words = {}
      for i, offer in ipairs(json.decode(done.stdout).words) do words[i] = offer.word end
      assert.same({ "prod", "staging" }, words)
    end))

    it("suggests the environment that is meant", live.test(function()
      assert.equal("profile shop has no environment prd; did you mean prod?",
        said(with_config(CONFIG, "connect", "shop", "--env", "prd")))
    end))

    it("suggests the profile that is meant", live.test(function()
      assert.equal("there is no profile shp; did you mean shop?", said(with_config(CONFIG, "connect", "shp")))
    end))

    it("with an unknown field is told with file and line", live.test(function()
      local done = with_config('return {\n  profiles = {\n    shop = { way = "ecs",\n      cluter = "prod" },\n  },\n}',
        "connect", "shop")
      assert.equal(2, done.code)
      assert.equal(("%s/config.lua:4: profiles.shop.cluter is no field of a profile; did you mean cluster?"):format(
        at.home), said(done))
    end))
  end)
end)
