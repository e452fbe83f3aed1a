-- The screen of top as lines: of any size, with any names.

local cells = require "runtime.cells"
local frame = require "runtime.top.frame"
local pace = require "runtime.top.pace"

local FIGURES = { uptime_seconds = 93784, run_queue = 3, schedulers_online = 8, scheduler_pct = 34.2, dirty_cpu_pct = 0,
  process_count = 100123, process_limit = 262144,
  memory = { total_mb = 1234.5, processes_mb = 800, binary_mb = 12.3, ets_mb = 3.4, code_mb = 30, atom_mb = 1 } }

local function rows(count, name)
  local list = {}
  for i = 1, count do
    list[i] = { id = i, pid = ("<0.%d.0>"):format(i), name = name or "worker_" .. i, memory_kb = 1000 - i,
      message_queue = i, reductions_per_sec = 1e6 + i, status = "waiting", current_function = "gen_server:loop/7" }
  end
  return list
end

local function view(more)
  local v = { name = "shop@host", sort = "memory", selected = 1, rows = rows(50), pace = pace.new(2), utf8 = true,
    seen = { figures = FIGURES, parts = 1, walked = 100123, sort = "memory" } }
  for key, value in pairs(more or {}) do v[key] = value end
  return v
end

local function text(lines)
  local list = {}
  for i, line in ipairs(lines) do list[i] = line.text end
  return table.concat(list, "\n")
end

local function shown(more, height, columns) return text(frame.lines(view(more), height or 24, columns or 80)) end

local INFO = { pid = "<0.1.0>", name = "orders", initial_call = "orders:init/1", status = "waiting", reductions = 9e9,
  message_queue = 7, message_queue_data = "on_heap", memory_kb = 900, total_heap_kb = 800, stack_kb = 1, minor_gcs = 3,
  fullsweep_after = 65535, link_count = 12, links = { "<0.9.0>", "#Port<0.5>" }, monitor_count = 0, monitors = {},
  monitored_by_count = 1, monitored_by = { "<0.8.0>" }, suspending = {}, group_leader = "<0.70.0>", priority = "normal",
  trap_exit = true, parent = "<0.9.0>", ancestors = { "shop_sup", "<0.4.0>" }, binary_count = 2, binary_memory_kb = 5,
  stack = { "gen_server:loop/7", "proc_lib:init_p_do_apply/3" } }

describe("the screen of top", function()
  for _, size in ipairs { { 24, 80 }, { 50, 160 }, { 24, 60 }, { 10, 40 }, { 3, 20 }, { 60, 200 } } do
    for what, more in pairs { rows = {}, detail = { detail = { pid = "<0.1.0>", info = INFO } }, help = { help = true },
      pid = { detail = { pid = "<0.1.0>\27[2J", ended = true } },
      names = { rows = rows(50, "żółw\27[2Jжук漢字🙂") }, binary = { sort = "binary" }, nothing = { seen = false } } do
      it(("has the lines of its size: %d x %d, %s"):format(size[2], size[1], what), function()
        local lines = frame.lines(view(more), size[1], size[2])
        local widths = {}
        for i, line in ipairs(lines) do widths[i] = cells.width(line.text) end
        local want = {}
        for i = 1, size[1] do want[i] = size[2] end
        assert.same(want, widths)
        assert.is_nil(text(lines):find "\27")
      end)
    end
  end

  it("tells the node, what it costs to look, and the keys", function()
    local p = pace.new(2)
    p:paid { there_s = 0.2, here_s = 0.003, walked = 100123 }
    local seen = shown({ pace = p }, 24, 120)
    for _, words in ipairs { "shop@host", "up 1 d 2 h", "8 schedulers 34 % busy", "run queue 3",
      "processes 100,123 of 262,144 (38 %)", "memory 1234.5 MB: processes 800.0 MB, binary 12.3 MB, ets 3481 kB",
      "a look: 200 ms there, 3.0 ms here; every 5 s: 4.0 % of a scheduler, 0.1 % of a core", "m memory  b mailbox" } do
      assert.matches(words, seen, 1, true)
    end
  end)

  it("says that a look is at a part", function()
    assert.matches("90,909 processes a look, all in 11", shown({ seen = { figures = FIGURES, parts = 11, walked = 90909,
      sort = "memory" } }), 1, true)
  end)

  it("marks the column that it sorts by, and shows binary memory where that is it", function()
    assert.matches("*MEMORY", shown(), 1, true)
    assert.is_nil(shown():find "BINARY")
    assert.matches("*BINARY", shown { sort = "binary" }, 1, true)
  end)

  it("marks the row that is chosen without a colour, too, and scrolls to it", function()
    assert.matches(">%<0%.1%.0%>", shown())
    local far = shown { selected = 40 }
    assert.matches(">%<0%.40%.0%>", far)
    assert.is_nil(far:find("<0.1.0>", 1, true))
  end)

  it("shows what one process is", function()
    local seen = shown { detail = { pid = "<0.1.0>", info = INFO, row = { reductions_per_sec = 1234 } } }
    local words = { "orders:init/1", "gen_server:loop/7\n", "proc_lib:init_p_do_apply/3",
      "1234 a second, 9.0 G in all", "7 messages, on its heap", "12: <0.9.0>, #Port<0.5>, ...", "shop_sup, <0.4.0>",
      "traps exits", "2 references, 5 kB" }
    for _, word in ipairs(words) do
      assert.matches(word, (seen:gsub(" +\n", "\n")), 1, true)
    end
  end)

  it("says that a process has ended, and that it is paused, and what is wrong", function()
    assert.matches("<0.1.0> has ended; Esc goes back", shown { detail = { pid = "<0.1.0>", ended = true } }, 1, true)
    assert.matches("paused; p goes on", shown { paused = true }, 1, true)
    assert.matches("lost for 3 s", shown { trouble = "lost for 3 s" }, 1, true)
  end)

  it("helps in lines that fit 80 columns", function()
    assert.is_nil(shown({ help = true }, 30, 80):find "~")
  end)

  it("shows ASCII alone where the terminal has no more", function()
    assert.is_nil(shown({ utf8 = false, rows = rows(3, "żółw") }):find "[\128-\255]")
    assert.matches("żółw", shown { rows = rows(3, "żółw") }, 1, true)
  end)
end)
