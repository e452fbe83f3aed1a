local effects = require "runtime.effects"
local shared_funs = require "sandbox.shared_funs"
local live = require "spec.support.live_node"
local skill = require "runtime.skill"
local uv = require "luv"

local ROOT = require("host.files").root

-- What people do to a copy of ours: one line of one file. Then the callback is called.
local EDITS = {
  { "a limit of ets", "ets", "ets.lua", "lists:sublist(L, 5)", "lists:sublist(L, 8)", "ets_table_info", { "ac_tab" } },
  { "a field of ets, of a list that is written there", "ets", "ets.lua", "[compressed, read_concurrency,",
    "[compressed, heir, read_concurrency,", "ets_table_info", { "ac_tab" } },
  { "a field of every table", "ets", "ets.lua", "size => maps:get(size, I), memory_kb",
    "size => maps:get(size, I), keypos => maps:get(keypos, I), memory_kb", "ets_list_tables", {} },
  { "rows of ports", "ports", "ports.lua", "lists:sublist(lists:reverse(Ports), 50)",
    "lists:sublist(lists:reverse(Ports), 80)", "ports_list", {} },
  { "owners of ports", "ports", "ports.lua", "lists:sublist(L, 10)]", "lists:sublist(L, 20)]", "ports_list", {} },
  { "rows of supervisors", "sup", "sup.lua", "lists:sublist(L, 50)]", "lists:sublist(L, 100)]", "sup_children",
    { "kernel_sup" } },
  { "the length of a name", "sup", "sup.lua", "[X, 8])), 80)", "[X, 8])), 120)", "sup_children", { "kernel_sup" } },
  { "a field of supervisors", "sup", "sup.lua", "{name, Who(P)}, {active_children, N}",
    "{name, Who(P)}, {seen, true}, {active_children, N}", "sup_list", {} },
  { "a wait of system", "system", "system.lua", "Q(), [20, 40, 80])", "Q(), [20, 40, 90])", "system_get_cpu",
    {} },
  { "a wait of gc", "gc", "gc.lua", "receive after 1000 -> ok", "receive after 300 -> ok", "gc_stats", {} },
  { "a sort of gc", "gc", "gc/idle.lua", "lists:sublist(L0 -- Us, 50)", "lists:sublist(lists:sort(L0 -- Us), 50)",
    "gc_recommend_hibernation", { 300 } },
  { "instances of allocators", "allocator", "allocator.lua", "S = lists:sublist(I, 50)", "S = lists:sublist(I, 90)",
    "allocator_by_type", {} },
  { "a field of allocators", "allocator", "allocator.lua", "{total, length(I)},",
    "{total, length(I)}, {all, length(I)},", "allocator_by_type", {} },
  { "rows of a window", "beam", "beam/load.lua", "lists:sublist(U, 50)", "lists:sublist(U, 20)", "beam_top_processes",
    {} },
  { "groups of births", "beam", "beam/growth.lua", "|| {K, V} <- maps:to_list(M)])), 10)",
    "|| {K, V} <- maps:to_list(M)])), 12)", "beam_process_growth", {} },
  { "kilobytes of a thousand", "beam", "texts/processes.lua", "div 1024 end,", "div 1000 end,", "beam_top_processes",
    {} },
  { "the rounding of megabytes", "beam", "texts/processes.lua", "round(X / 10485.76) / 100", "round(X / 104857.6) / 10",
    "beam_get_memory", {} },
  { "a field of every process", "beam", "texts/processes.lua", "{status, Text(S)},", "{status, Text(S)}, {heap, H},",
    "beam_top_processes", {} },
  { "the depth of a label", "sup", "texts/processes.lua", '[X, 8])) end', '[X, 12])) end', "sup_list", {} },
  { "connections listed", "overload", "overload.lua", "--- ", "---  ", "overload_state", {} },
}

local function written(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local folder

-- A user's folder with copies of ours.
local function copy()
  folder = uv.fs_realpath(uv.fs_mkdtemp "/tmp/beamlens_spec_XXXXXX")
  os.execute(("mkdir -p %s/beamlens/skills && cp -r %s/skills/* %s/beamlens/skills && chmod -R go-w %s")
    :format(folder, ROOT, folder, folder))
  uv.os_setenv("XDG_CONFIG_HOME", folder)
end

local function away()
  uv.os_unsetenv "XDG_CONFIG_HOME"
  os.execute("rm -rf " .. folder)
end

local function edit(file, from, to)
  local path = folder .. "/beamlens/skills/" .. file
  local text = read(path)
  local at, last = text:find(from, 1, true)
  assert(at, "nothing to change: " .. from)
  written(path, text:sub(1, at - 1) .. to .. text:sub(last + 1))
end

describe("a copy of ours with a change in it", function()
  local at

  setup(function() at = live.start() end)
  teardown(function() at.stop() end)
  before_each(copy)
  after_each(away)

  for _, case in ipairs(EDITS) do
    it("still runs: " .. case[1], live.test(function()
      edit(case[3], case[4], case[5])
      local s = assert(skill.open(case[2]))
      assert.is_true(s.theirs)
      assert.is_true(skill.parse(s, at.node))
      assert.is_table(assert(skill.call(s, case[6], case[7], at.node)))
    end))
  end
end)

describe("a change that does harm", function()
  local at

  setup(function() at = live.start() end)
  teardown(function() at.stop() end)
  before_each(copy)
  after_each(away)

  local function refusal(name)
    local ok, err = skill.parse(assert(skill.open(name)), at.node)
    assert.is_nil(ok)
    assert.same({ "gate", 5 }, { err.stage, err.exit })
    return err
  end

  it("is told with its line in the file, and what it does to our review", live.test(function()
    edit("ets.lua", "lists:sublist(L, 5)", "lists:sublist(ets:delete(L), 5)")
    assert.matches("/ets%.lua:163: query find of ets is declared SAFE; you changed this text, so our review "
      .. "of it no longer holds: it is DANGEROUS by ets:delete/1: ", refusal("ets").message)
  end))

  it("is told with the file of the shared texts that it stands in", live.test(function()
    edit("texts/processes.lua", "round(X / 10485.76) / 100", "(X ! 1) / 100")
    assert.matches("/texts/processes%.lua:16: query ", refusal("allocator").message)
  end))

  it("is told where it is in the Lua: a file that nobody read", live.test(function()
    edit("system.lua", '"/proc/loadavg", "/proc/meminfo",', '"/proc/self/environ", "/proc/meminfo",')
    local s = assert(skill.open "system")
    assert.is_true(skill.parse(s, at.node))
    local answer, err = skill.call(s, "system_get_cpu", {}, at.node)
    assert.is_nil(answer)
    assert.matches("files of system_get_cpu is declared SAFE, and reads the file /proc/self/environ", tostring(err))
  end))

  it("leaves a way on: back, or the class that it has", live.test(function()
    edit("ets.lua", "lists:sublist(L, 5)", "lists:sublist(ets:delete(L), 5)")
    assert.equal("take back the change, or declare the class it has", refusal("ets").next)
  end))

  it("may be vouched for where we only do not know it", live.test(function()
    edit("ets.lua", "lists:sublist(L, 5)", "lists:sublist(shop:sorted(L), 5)")
    assert.matches("^take back the change, declare the class it has, or vouch for it in policy%.lua: texts = ",
      refusal("ets").next)
  end))
end)

describe("every query of ours with a blank more", function()
  local at

  setup(function() at = live.start() end)
  teardown(function() at.stop() end)

  it("has the class that it had", live.test(function()
    local unlike = {}
    for _, name in ipairs { "base", unpack(skill.names()) } do
      for query, text in pairs(assert(skill.open(name)).queries) do
        local was, is = assert(effects.of(at.node, text)).class, assert(effects.of(at.node, " " .. text)).class
        if was ~= is then unlike[#unlike + 1] = ("%s:%s %s -> %s"):format(name, query, was, is) end
      end
    end
    assert.same({}, unlike)
  end))
end)

local FRAME = [[
local texts = ...
return {
  name = "mine", title = "Mine", about = "a", prompt = "p",
  queries = { figures = "#{}.", look = texts.%s .. %q },
  snapshot = "figures",
  callbacks = { mine_look = { doc = "d", class = "SAFE", returns = { "x" }, query = "look" } },
}]]

local OWN = {
  { "words", "#{mem => Mb(erlang:memory(total))}." },
  { "words", "P = Find(list_to_binary(\"kernel_sup\")), #{pid => Show(P), figures => [Item(P, I) || I <- [memory, "
    .. "reductions]]}." },
  { "walk", "S = All(), List(S, [Y || {_, _, _, P} <- Top(S, [], Shape(memory), 5, 0), Y <- Row(P, #{})])." },
  { "walk", "S = All(), G = Shape(reductions), B = Look(S, [], G, []), receive after 20 -> ok end,\n"
    .. "List(S, [#{pid => Show(P), reductions => D} || {D, _, _, P} <- Best(S, B, G, 3, 0, [])])." },
  { "refs", "P = whereis(kernel_sup), Held(Refs(P), 0)." },
  { "wall", "A = Wall(), receive after 50 -> ok end, {N, _, _} = Busy(A), #{mean => Mean(N)}." },
}

describe("a skill with our shared texts and a few lines of its own", function()
  local at

  setup(function() at = live.start() end)
  teardown(function() at.stop() end)

  for i, case in ipairs(OWN) do
    it("runs, " .. i, live.test(function()
      local text = case[1] == "wall" and "words .. texts.wall" or case[1]
      local s = assert(skill.load(FRAME:format(text, case[2]), "mine.lua"))
      assert.is_true(skill.parse(s, at.node))
      assert.is_table(assert(skill.call(s, "mine_look", {}, at.node)))
    end))
  end
end)

-- A query of ours with other last lines.
local function ours(name, query, from, to)
  local text = assert(skill.open(name)).queries[query]
  local at, last = text:find(from, 1, true)
  assert(at, name .. " has no " .. from)
  return text:sub(1, at - 1) .. to .. text:sub(last + 1)
end

local function walk(text) return assert(skill.texts()).walk .. text end

local HOSTILE = {
  ["a helper handed what halts"] = function()
    return walk "List([], lists:map(fun(X) -> erlang:halt(X) end, [0]))."
  end,
  ["an argument that halts"] = function() return walk "Rank(x, [], halt())." end,
  ["a fun of the node's data, handed on"] = function()
    return walk "F = persistent_term:get(f), lists:map(F, All())."
  end,
  ["messages by Item"] = function() return walk "Item(whereis(logger), messages)." end,
  ["messages among others"] = function() return walk "Ask(processes(), [memory, messages])." end,
  ["messages by a variable"] = function() return walk "I = messages, Ask(processes(), I)." end,
  ["messages in a shape"] = function() return walk "Best(All(), [], Shape(messages), 5, 0, [])." end,
  ["messages in a shape that is made up"] = function()
    return walk "Top(All(), [], {messages, {messages, '$1'}, '$1', 0}, 5, 0)."
  end,
  ["messages taken out of a tuple"] = function()
    return walk "{I, _, _, _} = {messages, a, b, c}, Ask(processes(), I)."
  end,
  ["messages by their letters"] = function()
    return walk "[Item(P, I) || P <- processes(), I <- [memory, list_to_existing_atom(\"messages\")]]."
  end,
  ["messages by their letters, without a helper"] = function()
    return "[process_info(P, binary_to_existing_atom(list_to_binary(\"messages\"))) || P <- processes()]."
  end,
  ["an item that the node's data names"] = function()
    return walk "[Item(P, I) || P <- processes(), {I, _} <- persistent_term:get(items)]."
  end,
  ["an item that a fun is handed"] = function()
    return walk "lists:map(fun(I) -> Item(whereis(logger), I) end, [messages])."
  end,
  ["a helper by another name"] = function() return walk "F = Item, F(whereis(logger), messages)." end,
  ["a helper as a value"] = function()
    return walk "lists:zipwith(Item, processes(), [binary_to_existing_atom(X) || X <- [list_to_binary(\"messages\")]])."
  end,
  ["Item bound before us"] = function()
    return "Item = fun(P, _) -> exit(P, kill) end, " .. walk "Item(whereis(logger), memory)."
  end,
  ["Ask bound before us, for Best to call"] = function()
    return "Ask = fun(H, _) -> [P ! stop || P <- H] end, " .. walk "Best(All(), [], Shape(memory), 5, 0, [])."
  end,
  ["Item as somebody's parameter"] = function()
    return walk "(fun(Item) -> Item(0) end)(persistent_term:get(f))."
  end,
  ["a rounding that halts"] = function()
    return (walk "#{}.":gsub("round%(X / 10485.76%) / 100", "halt(X)"))
  end,
  ["a name that kills"] = function()
    return (walk "Row(whereis(logger), #{}).":gsub("Show = fun%(X%) %->", "Show = fun(X) -> exit(X, kill),"))
  end,
  ["a name that comes out of the node's data"] = function()
    return (walk "Row(whereis(logger), #{}).":gsub("Show = fun.- end,", "Show = persistent_term:get(f),", 1))
  end,
  ["bytes unpacked that we did not pack"] = function()
    return walk "Best(All(), [persistent_term:get(bytes)], Shape(memory), 5, 0, [])."
  end,
  ["bytes unpacked by the smallest helper"] = function() return walk "Was([self()], [persistent_term:get(bytes)])." end,
  ["bytes by a Look that is not ours"] = function()
    return walk "S = All(), (fun(Look) -> B = Look(S), Best(S, B, Shape(memory), 5, 0, []) end)(fun(X) -> X end)."
  end,
  ["a module and a function by their names"] = function() return walk "M = erlang, F = halt, M:F()." end,
  ["a call that is put together"] = function() return walk "{M, F, A} = {erlang, halt, []}, apply(M, F, A)." end,
  ["a process that stays"] = function() return walk "spawn(fun() -> All() end)." end,
  ["a message beside a walk"] = function() return walk "S = All(), logger ! S, List(S, [])." end,
  ["a module that is loaded"] = function() return walk "code:ensure_loaded(beam_lib), List([], [])." end,
  ["structs that Elixir runs"] = function()
    return walk "'Elixir.Enum':to_list(#{list_to_existing_atom(\"__\" ++ \"struct__\") => x})."
  end,
  ["a wait for whatever comes"] = function() return walk "receive X -> X end." end,
}
HOSTILE["bytes by a fun that is called Look, too"] = function()
  return walk("S = All(), (fun Look([], _, _, []) -> [persistent_term:get(bytes)]; Look(_, _, _, _) -> "
    .. "B = Look([], [], Shape(memory), []), Best(S, B, Shape(memory), 5, 0, []) end)(1, [], Shape(memory), []).")
end
HOSTILE["bytes that Look hands through"] = function()
  return walk "Best(All(), Look([], [], Shape(memory), [persistent_term:get(bytes)]), Shape(memory), 5, 0, [])."
end
HOSTILE["more expressions than anybody reads"] = function()
  return walk(("1,"):rep(1000) .. "Item(whereis(logger), messages).")
end
HOSTILE["a fun for Tops that halts"] = function()
  return ours("ports", "info", "case Thing(", "Tops(Cut, fun(_) -> halt() end, 5, []), case Thing(")
end
HOSTILE["a fun for Tops out of the node's data"] = function()
  return ours("ports", "info", "case Thing(", "Tops(Cut, persistent_term:get(f), 5, []), case Thing(")
end
HOSTILE["our question to supervisors, to everybody"] = function()
  return ours("sup", "list", "Rows = lists:map(", "Call(processes(), Gen(count_children), 1000), Rows = lists:map(")
end
HOSTILE["our question to supervisors, of another word"] = function()
  return ours("sup", "list", "Gen(count_children)", "Gen(stop)")
end
HOSTILE["supervisors of our finding, found by another"] = function()
  return ours("sup", "children", "Run = fun(L, M) -> ", "Run = fun(L, _) when hd(L) =/= x -> L; (L, M) -> ")
end
HOSTILE["a file of another path"] = function()
  return ours("system", "files", "prim_file:read_file(P)", "prim_file:read_file(\"/etc/shadow\")")
end
HOSTILE["a repo that is made up"] = function()
  return ours("ecto", "database", "maps:merge(M, Read(R))", "maps:merge(M, Read(init))")
end
HOSTILE["an options list that is not ours, for a repo"] = function()
  return ours("ecto", "database", "{timeout, 15000}", "{timeout, infinity}")
end
HOSTILE["a deed of an action"] = function()
  return " " .. require("sandbox.actions.kill_process").queries.deed
end
HOSTILE["functions strung together by another"] = function()
  return ours("beam", "watch", "Nap = fun(K) -> {Wait, [Tag, K]} end", "Nap = fun(_) -> {fun erlang:halt/1, [0]} end")
end
HOSTILE["functions strung together out of the node's data"] = function()
  return ours("beam", "watch", "Slow = Plan([[Nap(4)]])", "Slow = persistent_term:get(f)")
end

describe("the list of our helpers", function()
  it("names none that no text of ours has", function()
    local all = {}
    for _, name in ipairs(skill.names()) do
      for _, text in pairs(assert(skill.open(name)).queries) do all[#all + 1] = text end
    end
    all = table.concat(all)
    local idle = {}
    for _, list in ipairs { shared_funs.roles, shared_funs.shown } do
      for name in pairs(list) do if not all:find("%f[%w]" .. name .. " = fun") then idle[#idle + 1] = name end end
    end
    assert.same({}, idle)
  end)
end)

describe("a text that uses our helpers for harm", function()
  local at

  setup(function() at = live.start() end)
  teardown(function() at.stop() end)

  for what, text in pairs(HOSTILE) do
    it("is refused: " .. what, live.test(function()
      assert.equal("DANGEROUS", assert(effects.of(at.node, text())).class)
    end))
  end
end)
