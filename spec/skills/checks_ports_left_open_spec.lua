-- What is opened and not closed on played answers; the limit that it runs into on a node of 200 descriptors as well.
local live = require "spec.support.live_node"
local looked = require "spec.support.looked"
local played = require "spec.support.played_checks"
local with = played.with
local find, suspect = played.of "ports"

describe("the check for programs that nobody closes", function()
  local function list(programs, owned)
    return { total = programs + 9, kinds = { { kind = "program", count = programs }, { kind = "other", count = 9 } },
      owners = { { pid = "<0.9.0>", name = "door", count = owned } }, ports = {} }
  end

  local function pace(per_minute)
    return { port_table = { port_count = 400, port_limit = 65536, growth_per_minute = per_minute } }
  end

  it("names the one process that starts them, however slowly", function()
    local finding = find("os_process_leak", { list(40, 38), pace(60), pace(60), list(45, 43) })
    assert.equal("door", finding.object)
    assert.matches("45 run, 5 more than at the first look", finding.hypothesis)
  end)

  it("looks no further at a pool of them, or while they are few", function()
    assert.same({ nil, 2 }, { find("os_process_leak", { list(40, 38), pace(0) }) })
    assert.same({ nil, 2 }, { find("os_process_leak", { list(2, 2), pace(600) }) })
    assert.is_nil((find("os_process_leak", { list(10, 10), pace(60), pace(60), list(15, 15) })))
  end)

  it("finds nothing where each has an owner of its own", function()
    assert.is_nil((find("os_process_leak", { list(40, 1), pace(60), pace(60), list(45, 1) })))
  end)
end)

describe("the check for files that nobody closes", function()
  local function list(files, share)
    return { open_files = files, openers = { { pid = "<0.9.0>", name = "clerk", share_pct = share or 97 } } }
  end

  it("names who opens them, at three looks", function()
    local finding = find("file_handle_leak", { list(100), list(200), list(300) })
    assert.same({ "clerk", "high" }, { finding.object, finding.confidence })
    assert.matches("300 are open, 100 and 200 at the looks before", finding.hypothesis)
  end)

  it("names nobody where many opened them", function()
    assert.equal("open files", find("file_handle_leak", { list(100, 10), list(200, 10), list(300, 10) }).object)
  end)

  it("looks no further where their number stands, and finds nothing where it stops", function()
    assert.same({ nil, 2 }, { find("file_handle_leak", { list(5000), list(5001) }) })
    assert.is_nil((find("file_handle_leak", { list(100), list(200), list(200) })))
  end)

  it("is not suspect where few are open", function()
    assert.is_false(suspect("file_handle_leak", { open_files = 3 }))
  end)
end)

describe("the check for programs that are left", function()
  it("is suspect where some run", function()
    assert.is_true(suspect("os_process_leak", { program_count = 3 }))
    assert.is_false(suspect("os_process_leak", { program_count = 2 }))
  end)
end)

describe("the check for the limit of descriptors", function()
  local TAKEN = { limit = 1024, looked_at = 500, taken = 490, taken_pct = 98, port_count = 900, open_files = 20 }
  local LIST = { total = 900, owners = { { pid = "<0.9.0>", name = "pool", count = 850 } } }

  it("names who holds most of them", function()
    local finding = find("fd_limit", { TAKEN, TAKEN, LIST })
    assert.same({ "file descriptors (most held by pool)", "critical" }, { finding.object, finding.severity })
  end)

  it("names nobody where they are spread", function()
    assert.equal("file descriptors", find("fd_limit", { TAKEN, TAKEN, with(LIST, { owners = {} }) }).object)
  end)

  it("looks no further where there is room, at either look", function()
    local room = with(TAKEN, { taken_pct = 90 })
    assert.same({ nil, 1 }, { find("fd_limit", { room }) })
    assert.same({ nil, 2 }, { find("fd_limit", { TAKEN, room }) })
  end)

  it("is not suspect while ports and files are less than half of the limit", function()
    assert.is_false(suspect("fd_limit", { descriptor_limit = 1024, port_count = 400, open_files = 20 }))
    assert.is_true(suspect("fd_limit", { descriptor_limit = 1024, port_count = 500, open_files = 20 }))
  end)
end)

describe("the check for the limit of descriptors, on a node that may have 200", function()
  local at, look

  -- Sockets until none can be opened, all but so many of them closed again, held by one process.
  local function open_all_but(free)
    at.eval([=[
      Me = self(),
      spawn(fun() -> register(pool, self()),
        All = (fun F(A) -> case gen_udp:open(0) of {ok, S} -> F([S | A]); {error, emfile} -> A end end)([]),
        [gen_udp:close(S) || S <- lists:sublist(All, Free)], Me ! full, receive stop -> ok end end),
      receive full -> ok end.]=], { Free = free })
  end

  setup(live.test(function()
    at = live.start { within = { "sh", "-c", 'ulimit -n 200; exec "$@"', "sh" } }
    look = looked.at("ports", at.node)
  end))

  after_each(live.test(function()
    at.eval "R = monitor(process, pool), exit(whereis(pool), kill), receive {'DOWN', R, _, _, _} -> ok end."
  end))
  teardown(live.stop_all)

  it("names who holds most of them", live.test(function()
    open_all_but(6)
    assert.equal("file descriptors (most held by pool)", look("fd_limit").object)
  end))

  it("looks no further at a pool that leaves room for others", live.test(function()
    open_all_but(40)
    assert.same({ nil, 1 }, { look "fd_limit" })
  end))
end)
