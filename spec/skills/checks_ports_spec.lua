-- The checks of ports on played answers: that they find what is really there, the gallery shows.
local played = require "spec.support.played_checks"
local with = played.with
local find, suspect = played.of "ports"

describe("the check for a slow reader", function()
  local ROW = { id = "#Port<0.9>", name = "tcp_inet", connected_pid = "<0.90.0>", connected_name = "desk",
    queue_size = 700000, queue_size_before = 700000, high_watermark = 8192, saturation_pct = 8545, drained_bytes = 0 }
  local HELD = { pid = "<0.90.0>", name = "desk", held_by = "port", port = "#Port<0.9>",
    current_function = "prim_inet:send_recv_reply/2" }

  local function looks(row, held, nodes)
    return { { ports = { with(ROW, row) } }, { seconds = 3, ports = { with(ROW, row) } },
      { suspended = 0, processes = { with(HELD, held) } }, { busy_limit_bytes = 1048576, nodes = nodes or {} } }
  end

  it("names whose port drains nothing, and who is held by it", function()
    local finding = find("slow_reader", looks())
    assert.equal("desk", finding.object)
    assert.matches("700000 bytes wait, 700000 before, and 0 went out in 3.0 s. desk stands still", finding.hypothesis)
  end)

  it("finds nothing in a port that is full and drains", function()
    assert.same({ nil, 2 }, { find("slow_reader", looks { drained_bytes = 5000000 }) })
  end)

  it("finds nothing in a port that filled just now, or whose driver is not known", function()
    assert.same({ nil, 2 }, { find("slow_reader", looks { queue_size_before = 0 }) })
    assert.same({ nil, 1 }, { find("slow_reader", looks { saturation_pct = false, high_watermark = false }) })
  end)

  it("finds nothing where nobody is held up, nor in a link to another node", function()
    assert.is_nil((find("slow_reader", looks({}, { held_by = "other" }))))
    assert.is_nil((find("slow_reader", looks({}, {}, { { node = "a@b", id = "#Port<0.9>", queue_size = 700000 } }))))
  end)
end)

describe("the check for a link that takes nothing", function()
  local LINK = { node = "shop@b", id = "#Port<0.4>", queue_size = 1500000, high_watermark = 8192,
    output_bytes = 9000000 }

  local function looks(now, suspended)
    return { { busy_limit_bytes = 1048576, nodes = { LINK } },
      { busy_limit_bytes = 1048576, nodes = { with(LINK, now) } }, { suspended = suspended or 2, processes = {} } }
  end

  it("names the node", function()
    assert.equal("shop@b", find("busy_dist_port", looks()).object)
  end)

  it("finds nothing where it sends, is empty again, or holds up nobody", function()
    assert.is_nil((find("busy_dist_port", looks { output_bytes = 19000000 })))
    assert.is_nil((find("busy_dist_port", looks { queue_size = 0 })))
    assert.is_nil((find("busy_dist_port", looks({}, 0))))
  end)
end)

describe("the check for sockets that nobody closes", function()
  local function list(sockets, owner)
    return { total = sockets + 3, kinds = { { kind = "tcp_inet", count = sockets }, { kind = "other", count = 3 } },
      owners = { { pid = "<0.9.0>", name = "door", count = owner } } }
  end

  local function pace(per_minute)
    return { port_table = { port_count = 400, port_limit = 65536, growth_per_minute = per_minute,
      minutes_to_limit = 65136 / per_minute } }
  end

  it("names the one process that gains them", function()
    local finding = find("socket_leak", { list(200, 190), pace(3000), pace(3000), list(400, 390) })
    assert.same({ "door", "critical" }, { finding.object, finding.severity })
    assert.matches("door owns 390 sockets, 200 more", finding.hypothesis)
  end)

  it("finds nothing where each connection has a process of its own, or few are held", function()
    assert.is_nil((find("socket_leak", { list(200, 190), pace(3000), pace(3000), list(400, 192) })))
    assert.is_nil((find("socket_leak", { list(20, 10), pace(3000), pace(3000), list(60, 50) })))
  end)

  it("looks no further where their number stands, at either look", function()
    assert.same({ nil, 2 }, { find("socket_leak", { list(200, 190), pace(60) }) })
    assert.same({ nil, 3 }, { find("socket_leak", { list(200, 190), pace(3000), pace(60) }) })
  end)
end)

describe("the checks of ports", function()
  it("look at queues where anything waits to be written, and where nobody counted that", function()
    for _, id in ipairs { "slow_reader", "busy_dist_port" } do
      assert.same({ true, false, true }, { suspect(id, { max_queue_size = 1 }), suspect(id, { max_queue_size = 0 }),
        suspect(id, {}) })
    end
  end)

  it("look for sockets that nobody closes where one process may have a hundred while we look", function()
    assert.same({ true, false }, { suspect("socket_leak", { port_count = 50 }),
      suspect("socket_leak", { port_count = 49 }) })
  end)
end)
