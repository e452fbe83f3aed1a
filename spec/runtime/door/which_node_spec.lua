local which_node = require "runtime.door.which_node"

local function node(name, root) return { name = name, root = root or "/app" } end

local function found(...) return { nodes = { ... }, nameless = 0 } end

describe("the node behind a door", function()
  local shop, mail = node "shop@10.0.0.7", node("ejabberd@10.0.0.7", "/usr/lib/erlang")

  it("is the only one", function() assert.equal(shop, which_node(found(shop))) end)

  it("is the one of that name", function() assert.equal(mail, which_node(found(shop, mail), "ejabberd@10.0.0.7")) end)

  it("is the one whose name begins so", function() assert.equal(shop, which_node(found(shop, mail), "shop")) end)

  it("is the one of the release where several run", function()
    assert.equal(shop, which_node(found(shop, mail), nil, "/app"))
  end)

  it("is the one of the release where several have its name", function()
    assert.equal(shop, which_node(found(node("shop@10.0.0.7", "/old"), shop), "shop@10.0.0.7", "/app"))
  end)

  it("is the only one whatever the root of its release", function()
    assert.equal(shop, which_node(found(shop), nil, "/elsewhere"))
  end)

  local NONE = {
    ["several nodes run there; name one with --node: shop@10.0.0.7, ejabberd@10.0.0.7"] = { found(shop, mail) },
    ["several nodes shop@10.0.0.7 run there; enter the container of one (docker:…, kubectl:…), or set the root of its "
      .. "release in a profile"] = { found(shop, node "shop@10.0.0.7"), "shop@10.0.0.7" },
    ["shop@web does not run there; the part behind the @ is what it is called there, behind any address translation: "
      .. "pass --node shop@10.0.0.7"] = { found(shop, mail), "shop@web" },
    ["shp does not run there; there is shop@10.0.0.7, ejabberd@10.0.0.7"] = { found(shop, mail), "shp" },
    ["no node of the release in /srv runs there; there is shop@10.0.0.7, ejabberd@10.0.0.7"] =
      { found(shop, mail), nil, "/srv" },
    ["no Erlang VM is to be seen there; is it the right container? perhaps it runs as another user"] = { found() },
    ["a VM runs there, but not as a node that can be told: without a name, or with hidden arguments; start it with "
      .. "-name or -sname; in a release set RELEASE_DISTRIBUTION"] = { { nodes = {}, nameless = 1 } },
  }
  for said, case in pairs(NONE) do
    it("is none: " .. said, function()
      local _, message, next_step = which_node(case[1], case[2], case[3])
      assert.equal(said, message .. "; " .. next_step)
    end)
  end
end)
