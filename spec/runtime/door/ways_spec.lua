local ways = require "runtime.door.ways"

local function words(via) return table.concat(assert(ways.read(via)).words, " ") end

local function said(via)
  local _, err = ways.read(via)
  return tostring(err)
end

describe("a way", function()
  it("by ssh asks nobody for a password and for no terminal", function()
    assert.equal("ssh -T -o BatchMode=yes -o ServerAliveInterval=15 -- shop@10.0.0.7 exec sh",
      words "ssh:shop@10.0.0.7")
  end)

  it("by docker is a shell in the container", function()
    assert.equal("docker exec -i shop-web-1 sh", words "docker:shop-web-1")
  end)

  it("by kubectl takes a pod alone", function()
    assert.equal("kubectl exec -i shop-0 -- sh", words "kubectl:shop-0")
  end)

  it("by kubectl takes its namespace", function()
    assert.equal("kubectl exec -i -n prod shop-0 -- sh", words "kubectl:prod/shop-0")
  end)

  it("by kubectl takes a container of the pod", function()
    assert.equal("kubectl exec -i -n prod shop-0 -c web -- sh", words "kubectl:prod/shop-0/web")
  end)

  it("by a shell's own command is whatever leads there", function()
    assert.equal("sh -c exec aws ecs execute-command --interactive",
      words "shell:aws ecs execute-command --interactive")
  end)

  it("takes no target that would be an option", function()
    assert.equal("'-oProxyCommand=id' is no target of ssh; write ssh:USER@HOST", said "ssh:-oProxyCommand=id")
  end)

  it("takes no pod and no container that would be an option", function()
    local HOW = "is no target of kubectl; write kubectl:[NAMESPACE/]POD[/CONTAINER]"
    assert.equal("'prod/--as' " .. HOW, said "kubectl:prod/--as")
    assert.equal("'prod/shop-0/-v9' " .. HOW, said "kubectl:prod/shop-0/-v9")
  end)

  it("takes no target that would be more than a word", function()
    assert.equal("'a b' is no target of docker; write docker:CONTAINER", said "docker:a b")
  end)

  it("by ssh says where a port stands", function()
    assert.equal("'shop@10.0.0.7:2222' is no target of ssh; a port stands in ~/.ssh/config: Host, HostName, Port",
      said "ssh:shop@10.0.0.7:2222")
  end)

  it("takes no pod of four parts", function()
    assert.equal("'a/b/c/d' is no target of kubectl; write kubectl:[NAMESPACE/]POD[/CONTAINER]", said "kubectl:a/b/c/d")
  end)

  it("without a target is none", function()
    assert.equal("'' is no target of ssh; write ssh:USER@HOST", said "ssh")
  end)

  it("that is misspelt is suggested", function()
    assert.equal("there is no way dokcer; did you mean docker:CONTAINER?", said "dokcer:web")
  end)

  it("that does not exist is answered with those that do", function()
    assert.equal("there is no way telnet; the ways are docker:CONTAINER, ecs:[CLUSTER/]SERVICE[/CONTAINER], "
      .. "kubectl:[NAMESPACE/]POD[/CONTAINER], local, shell:COMMAND, ssh:USER@HOST, or a profile of the config file",
      said "telnet:a")
  end)
end)
