-- `top` as a person has it: on a terminal, beside a real node; and without one.

local uv = require "luv"
local async = require "runtime.async"
local drawn = require "spec.support.drawn"
local json = require "runtime.json"
local leaders = require "spec.support.leaders"
local live = require "spec.support.live_node"
local program = require "spec.support.program"
local pty = require "spec.support.pty"
local until_true = require "spec.support.until_true"

-- Bytes that came over each connection to another node, not to epmd. One of them is that of this spec.
local HEARD = [=[
  lists:sort([{P, N} || P <- erlang:ports(), {name, "tcp_inet"} =:= erlang:port_info(P, name),
  {ok, [{_, N}]} <- [inet:getstat(P, [recv_oct])], {ok, {_, To}} <- [inet:peername(P)],
  To =/= list_to_integer(os:getenv("ERL_EPMD_PORT"))]).]=]
local A_LOOK = 1000 -- bytes; that somebody is there is said in 4

local LEFT = "\27[?25h\27[?1049l"

describe("top", function()
  local shop

  setup(function() shop = live.start { code = leaders } end)
  teardown(live.stop_all)

  local function environment()
    return { ERL_EPMD_PORT = tostring(shop.epmd_port), HOME = shop.home, BEAMLENS_NODE = shop.name,
      BEAMLENS_COOKIE_FILE = shop.cookie_file }
  end

  local function terminal_state(path)
    local pipe = assert(io.popen("stty -g -F " .. path))
    local state = pipe:read "*l"
    pipe:close()
    return assert(state)
  end

  -- On a terminal of 80 columns. `shows` waits until the screen has a line of that pattern.
  local function start(...)
    local running = pty.start({ "top", "--every", "1", ... }, { env = environment(), whole = true, columns = 80 })
    function running.now() return drawn(running.screen()) end
    function running.text() return table.concat(running.now().lines, "\n") end
    function running.shows(pattern)
      return until_true("'" .. pattern .. "'", function()
        for _, line in pairs(running.now().lines) do
          local found = line:match(pattern)
          if found then return found end
        end
      end)
    end
    return running
  end

  local function leave(running)
    running.keys "q"
    return (running.wait())
  end

  describe("at a terminal", function()
    local running, before

    setup(live.test(function()
      running = start()
      before = terminal_state(running.path)
      running.shows "^>"
    end))

    it("shows the largest by memory, the node and what it costs to look", live.test(function()
      running.shows "^>%S+ +heap "
      local text = running.text()
      for _, pattern in ipairs { "^bl_spec@127%.0%.0%.1  up ", "a look: %S+ ms there, %S+ ms here",
        "every %S+ s: %S+ %% of a scheduler, %S+ %% of a core", "%*MEMORY", "m b r i sort" } do
        assert.matches(pattern, text)
      end
    end))

    for key, name in pairs { b = "mail", i = "holds", r = "works", m = "heap" } do
      it(("has %s at its head on %s"):format(name, key), live.test(function()
        running.keys(key)
        running.shows("^>%S+ +" .. name .. " ")
      end))
    end

    it("moves by the arrows and back", live.test(function()
      running.keys "m"
      running.shows "^>%S+ +heap "
      running.keys "\27[B"
      running.shows "^ %S+ +heap "
      running.keys "k"
      running.shows "^>%S+ +heap "
    end))

    it("looks into one process on Enter, and comes back on Esc", live.test(function()
      running.keys "b"
      running.shows "^>%S+ +mail "
      running.keys "\r"
      running.shows "^mailbox +5000 messages"
      assert.equal("timer:sleep/1", running.shows "^stack +(%S+)")
      assert.matches("^<0%.%d+%.0>$", running.shows "^(<%S+>) *$")
      running.keys "\27"
      running.shows "^>%S+ +mail "
    end))

    it("says so when the process that it looks into ends", live.test(function()
      shop.eval "register(gone, spawn(fun() -> L = lists:seq(1, 900000), receive stop -> L end end))."
      running.keys "m"
      running.shows "^>%S+ +gone "
      running.keys "\r"
      running.shows "^name +gone"
      shop.eval "exit(whereis(gone), kill)."
      running.shows "has ended; Esc goes back"
      running.keys "\27"
      running.shows "^>%S+ +heap "
    end))

    it("neither looks nor moves while it is paused", live.test(function()
      running.keys "p"
      running.shows "^paused"
      async.sleep(1) -- for one that was on its way; of that nothing is shown
      local then_up, before_it = running.text():match "up (.-)  ", shop.eval(HEARD)
      async.sleep(3)
      assert.equal(then_up, running.text():match "up (.-)  ")
      local least = math.huge
      for i, heard in ipairs(shop.eval(HEARD)) do least = math.min(least, heard[2] - before_it[i][2]) end
      assert.is_true(least < A_LOOK, least)
      running.keys " "
      until_true("the next look", function() return running.text():match "up (.-)  " ~= then_up end)
    end))

    it("changes its pace", live.test(function()
      running.keys "+"
      running.shows "every 2 s:"
      running.keys "-"
    end))

    it("helps", live.test(function()
      running.keys "?"
      running.shows "^MAILBOX +messages that wait"
      running.keys "?"
      running.shows "^>%S+ +heap "
    end))

    it("is drawn anew for another size", live.test(function()
      running.resize(40, 120)
      running.shows "m memory  b mailbox"
      until_true("all of its size", function()
        local lines = running.now().lines
        return #lines == 40 and #lines[40] == 120
      end)
    end))

    it("sends nothing of a name to the terminal that steers it", live.test(function()
      running.shows "bad\\x1b%[2Jname"
      assert.same({}, running.now().unknown)
    end))

    it("gives the terminal back on Ctrl-Z, and takes it again", live.test(function()
      local _, times = running.screen():gsub("\27%[%?1049h", "")
      running.keys "\26" -- nobody is there to stop it, so it goes on at once
      until_true("the terminal again", function()
        return select(2, running.screen():gsub("\27%[%?1049h", "")) > times
      end)
      assert.is_truthy(running.screen():find(LEFT, 1, true))
      running.shows "^>%S+ +heap "
    end))

    it("reaches a node again that it lost", live.test(function()
      shop.eval "register(later, spawn(fun() -> L = lists:seq(1, 900000), receive stop -> L end end))."
      shop.eval "spawn(fun() -> [erlang:disconnect_node(N) || N <- nodes(hidden)] end), ok."
      running.shows "^.%S+ +later "
    end))

    it("gives the terminal back on q as it was, and exits with 0", live.test(function()
      running.keys "q"
      until_true("the end", function() return running.screen():sub(-#LEFT) == LEFT end)
      assert.equal(before, terminal_state(running.path))
      local seen = running.now()
      assert.same({ false, true }, { seen.alternate, seen.cursor })
      assert.equal(0, (running.wait()))
    end))
  end)

  for name, stop in pairs {
    ["Ctrl-C"] = { 0, function(running) running.keys "\3" end },
    ["SIGTERM"] = { 130, function(running) running.kill "sigterm" end },
    ["two signals at once"] = { 130, function(running)
      running.kill "sigint"
      running.kill "sigterm"
    end },
  } do
    it(("gives the terminal back on %s and exits with %d"):format(name, stop[1]), live.test(function()
      local running = start()
      local before = terminal_state(running.path)
      running.shows "^>"
      stop[2](running)
      until_true("the end", function() return running.screen():find(LEFT, 1, true) end)
      assert.equal(before, terminal_state(running.path))
      assert.equal(stop[1], (running.wait()))
    end))
  end

  it("has no line longer than a terminal of 60 columns", live.test(function()
    local running = start()
    running.shows "^>"
    running.resize(24, 60)
    running.shows "^m b r i sort  Enter look  p pause  %+ %- pace  %? help  q quit $"
    for _, line in pairs(running.now().lines) do assert.is_true(#line <= 60, line) end
    assert.equal(0, leave(running))
  end))

  it("has no colour with --no-color", live.test(function()
    local running = start "--no-color"
    running.shows "^>"
    assert.is_nil(running.screen():find "\27%[3%dm")
    assert.equal(0, leave(running))
  end))

  describe("where there is no terminal", function()
    local function run(...) return program.run({ "top", ... }, { env = environment() }) end

    it("prints a table and ends", live.test(function()
      local result = run("--sort", "mailbox")
      assert.equal(0, result.code, result.stderr)
      assert.matches("^bl_spec@127%.0%.0%.1  up ", result.stdout)
      assert.matches("%*MAILBOX[^\n]+\n<%S+ +mail +%S+ kB +5000 +%d+ wait timer:sleep/1\n", result.stdout)
      assert.is_nil(result.stdout:find "\27")
    end))

    it("prints an object with --json", live.test(function()
      local result = run("--sort", "binary", "--json")
      assert.equal(0, result.code, result.stderr)
      local told = json.decode(result.stdout)
      assert.same({ 1, shop.name, "binary", "holds", #told.processes },
        { told.schema, told.node, told.sort, told.processes[1].name, told.showing })
      assert.is_true(told.processes[1].binary_kb > 29000 and told.cost.ms > 0 and told.figures.process_count > 20)
    end))

    it("looks once with --no-input, also at a terminal", live.test(function()
      local running = start "--no-input"
      assert.equal(0, (running.wait()))
      assert.is_nil(running.screen():find("\27[?1049h", 1, true))
      assert.matches("*MEMORY", running.screen(), 1, true)
    end))

    it("refuses what it cannot sort by, with what is near", live.test(function()
      local result = run("--sort", "memry")
      assert.equal(2, result.code)
      assert.matches("did you mean memory%?", result.stderr)
    end))
  end)

  it("says that a node is lost, and leaves when it is told to", live.test(function()
    local running = start()
    running.shows "^>"
    uv.kill(shop.os_pid, "sigkill")
    running.shows "^lost for .*trying to reach it again"
    assert.equal(0, leave(running))
  end))
end)
