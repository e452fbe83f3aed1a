-- What the log says itself, on played answers: that it is heard on a real node, the gallery shows.
local played = require "spec.support.played_checks"
local find, suspect = played.of "logger"

-- Lines of one text, the newest first, one a second up to second `last`.
local function lines(message, count, last)
  local entries = {}
  for i = 1, count do
    entries[i] = { message = message, level = "error", timestamp = ("2026-01-01T00:00:%02dZ"):format(last - i + 1) }
  end
  return { listened_seconds = last, total = count, entries = entries }
end

describe("the check for a process that is missing", function()
  local CAUGHT = "no price: {noproc,{gen_server,call,[prices,'...']}}"

  it("names who was called, by what the node's code printed", function()
    local finding = find("missing_process", { lines(CAUGHT, 4, 10), lines(CAUGHT, 6, 12) })
    assert.same({ "prices", "warning" }, { finding.object, finding.severity })
  end)

  it("names who was called on this node, and who a crash was about", function()
    local here = "{noproc,{gen_server,call,[{prices,shop@b},'...']}}"
    assert.equal("prices", find("missing_process", { lines(here, 4, 10), lines(here, 6, 12) }).object)
    local crash = "exit: {noproc,gen_server:call/3 to prices}"
    assert.equal("prices", find("missing_process", { lines(crash, 4, 10), lines(crash, 6, 12) }).object)
  end)

  it("finds nothing where no line is new, where they are few, or where it was a pid", function()
    assert.is_nil((find("missing_process", { lines(CAUGHT, 4, 10), lines(CAUGHT, 4, 10) })))
    assert.is_nil((find("missing_process", { lines(CAUGHT, 1, 10), lines(CAUGHT, 2, 11) })))
    local pid = "{noproc,gen_server:call/3 to <0.9.0>}"
    assert.same({ nil, 1 }, { find("missing_process", { lines(pid, 4, 10) }) })
  end)

  it("is not suspect where nothing is logged as an error or a warning", function()
    assert.is_false(suspect("missing_process", { error_count = 0, warning_count = 0 }))
  end)
end)

describe("the check for an overloaded mnesia", function()
  local SAYS = "Mnesia(shop@b): ** WARNING ** Mnesia is overloaded: {dump_log,write_threshold}"

  it("believes what mnesia says again and again", function()
    assert.equal("mnesia", find("mnesia_overloaded", { lines(SAYS, 4, 10), lines(SAYS, 9, 12) }).object)
  end)

  it("finds nothing in what it said once", function()
    assert.is_nil((find("mnesia_overloaded", { lines(SAYS, 1, 10), lines(SAYS, 1, 10) })))
  end)
end)

describe("the check for a node that is not reached", function()
  local GIVEN_UP = "** Node 'shop@b' not responding **\n** Removing (timedout) connection **"
  local LATE = "no answer of 'shop@b': timeout"

  it("names the node that net_kernel gave up, once somebody missed it", function()
    assert.equal("shop@b", find("netsplit", { lines(LATE, 2, 10), lines(GIVEN_UP, 1, 12) }).object)
  end)

  it("finds nothing where answers are late and the link stands", function()
    assert.is_nil((find("netsplit", { lines(LATE, 2, 10), lines(LATE, 4, 12) })))
  end)

  it("looks no further at an address of mail, nor at a node that was stopped", function()
    assert.same({ nil, 1 }, { find("netsplit", { lines("mail to ann@example.org was sent", 3, 10) }) })
    assert.same({ nil, 1 }, { find("netsplit", { lines("node shop@b left, as planned", 3, 10) }) })
  end)
end)
