local profiles = require "runtime.door.profiles"
local root = require("host.files").root

local SHOP = { way = "ecs", service = "shop", envs = {
  prod = { cluster = "prod", profile = "live", region = "eu-west-1" }, staging = { cluster = "stage", node = "shop2" },
} }
local ALL = {
  shop = SHOP, web = { way = "kubectl", target = "shop/web-0", release = "/app", through = "rpc" },
  desk = { node = "shop@10.0.0.9", cookie_file = "/home/me/.desk.cookie" },
  only = { envs = { prod = { node = "a@b" } } },
}

local function resolve(options)
  options.profiles = ALL
  return profiles.resolve(options)
end

local function refused(options)
  local found, err = resolve(options)
  assert.is_nil(found)
  return tostring(err)
end

describe("a profile", function()
  it("of ECS leads to its cluster, its service and any container", function()
    local target = resolve({ via = "shop", env = "prod" }).target
    assert.same({ "shop (prod)", "ecs", "prod/shop/", { profile = "live", region = "eu-west-1" } },
      { target.via, target.name, target.target, target.aws })
  end)

  it("says what its environments leave unsaid", function()
    assert.same({ "shop2", "stage/shop/" }, { resolve({ via = "shop", env = "staging" }).node,
      resolve({ via = "shop", env = "staging" }).target.target })
  end)

  it("with one environment needs none named", function() assert.equal("a@b", resolve({ via = "only" }).node) end)

  it("of another way has its target", function()
    local target = resolve({ via = "web" }).target
    assert.same({ "/app", "rpc", { "kubectl", "exec", "-i", "-n", "shop", "web-0", "--", "sh" } },
      { target.release, target.through, target.words })
  end)

  it("of kubectl has its context and its namespace", function()
    local target = profiles.resolve({ via = "web", profiles = { web = { way = "kubectl", target = "web-0",
      context = "arn:aws:eks:eu-west-1:1:cluster/prod", namespace = "shop" } } }).target
    assert.same({ "kubectl", "--context", "arn:aws:eks:eu-west-1:1:cluster/prod", "--namespace", "shop", "exec", "-i",
      "web-0", "--", "sh" }, target.words)
  end)

  it("of docker has its context", function()
    local target = profiles.resolve({ via = "web", profiles = { web = { way = "docker", target = "web",
      context = "far" } } }).target
    assert.same({ "docker", "--context", "far", "exec", "-i", "web", "sh" }, target.words)
  end)

  it("without a way is a node of the network", function()
    assert.same({ node = "shop@10.0.0.9", cookie_file = "/home/me/.desk.cookie" }, resolve { via = "desk" })
  end)

  it("gives way to what the command line says", function()
    assert.same({ node = "a@b", cookie_file = "/c" }, resolve { via = "desk", node = "a@b", cookie_file = "/c" })
  end)

  it("takes the task that was asked for, and how it is gone through", function()
    local target = resolve({ via = "shop", env = "prod", task = "0a", through = "console" }).target
    assert.same({ "0a", "console" }, { target.task, target.through })
    assert.equal("forward", resolve({ via = "web", through = "forward" }).target.through)
  end)

  local REFUSED = {
    ["profile shop has several environments; name one with --env: prod, staging"] = { via = "shop" },
    ["profile shop has no environment stagin; did you mean staging?"] = { via = "shop", env = "stagin" },
    ["profile web has no environment prod; it has none: leave --env out"] = { via = "web", env = "prod" },
    ["--task is for ecs; leave it out"] = { via = "web", task = "0a" },
    ["ssh:a@b has no environments; --env is for profiles, and names the AWS profile of ecs"] =
      { via = "ssh:a@b", env = "prod" },
    ["there is no profile wed; did you mean web?"] = { via = "wed" },
  }
  for said, options in pairs(REFUSED) do
    it("is refused: " .. said, function() assert.equal(said, refused(options)) end)
  end

  it("that is a way written out takes --env for the AWS profile", function()
    assert.same({ profile = "qa" }, resolve({ via = "ecs:prod/shop", env = "qa" }).target.aws)
  end)
end)

describe("profiles of the config file", function()
  local WRONG = {
    { { shop = 5 }, "profiles.shop wants a table, not 5" },
    { { ssh = { node = "a@b" } }, "profiles.ssh has the name of a way; give it another one" },
    { { { node = "a@b" } }, 'profiles.1 has no name; profiles = { shop = { way = "ssh", … } }' },
    { { shop = {} }, "profiles.shop says neither way nor node; set node, or way and target" },
    { { shop = { way = "shh", target = "a" } }, "profiles.shop.way wants a way, not shh; did you mean ssh?" },
    { { shop = { way = "ssh" } }, "profiles.shop has no target of ssh; write target as in ssh:USER@HOST" },
    { { shop = { way = "ssh", target = "-oProxyCommand=id" } },
      "profiles.shop has no target of ssh; write target as in ssh:USER@HOST" },
    { { shop = { way = "ecs", cluster = "a b" } },
      "profiles.shop has no target of ecs; cluster, service and container are plain names" },
    { { shop = { way = "ecs", cluster = "a", target = "a/b" } },
      "profiles.shop says its target twice; take out target, or cluster, service and container" },
    { { shop = { way = "ssh", target = "a", region = "eu" } }, "profiles.shop.region is of way ecs, and this is ssh" },
    { { shop = { way = "ssh", target = "a", context = "b" } },
      "profiles.shop.context is of way docker or kubectl, and this is ssh" },
    { { shop = { way = "docker", target = "a", context = "-H=tcp://b" } },
      "profiles.shop.context is no plain name: -H=tcp://b; letters, digits and _ @ . : / -" },
    { { shop = { way = "kubectl", target = "a/b", namespace = "c" } },
      "profiles.shop says its namespace twice; take out namespace, or write target as POD" },
    { { shop = { cluster = "a", node = "a@b" } },
      'profiles.shop has a cluster and no way; set way = "ecs" or another' },
    { { shop = { node = "a@b", through = "rpc" } },
      'profiles.shop has a through and no way; set way = "ecs" or another' },
    { { shop = { way = "ssh", target = "a", through = "con" } }, "profiles.shop.through wants a way through, not con; "
      .. "forward, console or rpc, as --through; none: the first of them that goes" },
    { { shop = { way = "ssh", target = "a", nod = "b" } },
      "profiles.shop.nod is no field of a profile; did you mean node?" },
    { { shop = { way = "ssh", target = 5 } },
      'profiles.shop.target wants a text; target = "…": as behind the colon of --via' },
    { { shop = { way = "ssh", envs = {} } },
      "profiles.shop.envs wants a table of environments; envs = { prod = { … }, staging = { … } }" },
    { { shop = { way = "ssh", envs = { prod = { tarket = "a" } } } },
      "profiles.shop.envs.prod.tarket is no field of a profile; did you mean target?" },
    { { shop = { way = "ssh", envs = { prod = {} } } },
      "profiles.shop.envs.prod has no target of ssh; write target as in ssh:USER@HOST" },
  }
  for _, case in ipairs(WRONG) do
    it("are refused: " .. case[2], function() assert.equal(case[2], tostring(profiles.check(case[1]))) end)
  end

  it("say where in the file they are wrong", function()
    assert.same({ "profiles", "shop", "envs", "prod", "tarket" },
      profiles.check({ shop = { way = "ssh", envs = { prod = { tarket = "a" } } } }).keys)
  end)

  it("are well where nothing is wrong", function() assert.is_nil(profiles.check(ALL)) end)

  it("in the example are well", function()
    local file = assert(io.open(root .. "/examples/config.lua"))
    local text = file:read "*a"
    file:close()
    local block = text:match "\n(  %-%- profiles = {.-\n  %-%- },\n)"
    local example = assert(loadstring("return {" .. block:gsub("\n  %-%-", "\n"):gsub("^  %-%-", "") .. "}"))()
    assert.is_nil(profiles.check(example.profiles))
    assert.equal("prod/shop/app", profiles.resolve({ via = "shop", env = "prod", profiles = example.profiles })
      .target.target)
  end)
end)
