-- Modules of a live Elixir node that are skills by themselves, in both forms of the behaviour.
local case_of = require "runtime.case"
local foreign = require "runtime.foreign_skill"
local gate = require "runtime.gate"
local json = require "runtime.json"
local live = require "spec.support.live_node"
local operators = require "runtime.operator"
local program = require "spec.support.program"
local skill = require "runtime.skill"

local MODULES = [==[
defmodule MyApp.RedisSkill do
  def id, do: :redis
  def title, do: "Redis Cache"
  def description, do: "Redis cache: hit rates,\nmemory"
  def system_prompt, do: "You watch Redis.\n\n## Watch for\n- hit rate < 90%\e[31m"
  def snapshot do
    %{connected: true, memory_used_mb: 12.5, last_error: nil, role: :master, since: ~U[2024-05-06 07:08:09Z]}
  end
  def callbacks do
    %{
      "redis_info" => fn -> %{pid: self(), tuple: {1, :two, "three"}, module: MyApp.RedisSkill, fun: &String.length/1,
                              nested: %{list: [nil, true, 1.5]}, set: MapSet.new([7]), day: ~D[2024-02-29],
                              key: %{{1, 2} => "odd"},
                              uri: URI.parse("redis://cache"), kw: [a: 1]} end,
      "redis_echo" => fn value -> value end,
      "redis_kind" => fn a, b -> [kind(a), kind(b)] end,
      "redis_raise" => fn -> raise ArgumentError, "no such key: cart" end,
      "redis_time" => fn -> [~T[08:09:10], %{~U[2024-05-06 07:08:09Z] | utc_offset: -19800, std_offset: 3600}] end,
      "redis_exit" => fn -> exit(:gone) end,
      "redis_clause" => fn -> only(2) end,
      "redis_long" => fn -> Enum.to_list(1001..3000) end,
      "redis_deep" => fn -> Enum.reduce(1..100, 0, fn _, acc -> [acc] end) end,
      "redis_huge" => fn -> for n <- 1..900, do: String.duplicate(<<rem(n, 26) + 97>>, 4000) end,
      "redis_hungry" => fn -> Enum.to_list(1..30_000_000) end,
      "redis_text" => fn -> String.duplicate("é", 4000) end
    }
  end
  def callback_docs do
    """
    ### redis_info()
    Full Redis INFO as a map.

    ### redis_kind(count, extra \\\\ 5)
    What it is.
    Of both.
    """
  end
  defp only(1), do: 1
  defp kind(x) when is_integer(x), do: "integer"
  defp kind(x) when is_binary(x), do: "binary"
  defp kind(%{"a" => _}), do: "map"
  defp kind(x) when is_list(x), do: "list"
  defp kind(nil), do: "nil"
end

defmodule MyApp.Domain.PostgresPool do
  def domain, do: :postgres
  def system_prompt, do: "The pool.\nConnection pool stats of\npostgres://shop:hunter2@db/1"
  def snapshot, do: %{active_connections: 3}
  def callbacks, do: %{"postgres_pool_stats" => &stats/0}
  def callback_docs, do: "### postgres_pool_stats()\nConnection pool stats"
  def stats, do: %{size: 10}
end

defmodule MyApp.Impostor do
  def domain, do: :beam
  def snapshot, do: [1]
  def callbacks, do: %{"beam_other" => fn -> 1 end}
  def callback_docs, do: ""
end

defmodule MyApp.Dashed do
  def domain, do: :dashed
  def snapshot, do: %{}
  def callbacks, do: %{"redis-info" => fn -> 1 end}
  def callback_docs, do: ""
end
]==]

describe("a skill on the node", function()
  local at, redis, callback

  setup(function()
    at = live.start { elixir = true, code = MODULES }
    live.test(function()
      redis = assert(foreign.open("MyApp.RedisSkill", at.node))
      callback = skill.functions(redis, at.node)
    end)()
  end)
  teardown(live.stop_all)

  local function complaint(name, ...) return tostring(select(2, pcall(callback[name], ...))) end

  local function refused(name)
    local s, err = foreign.open(name, at.node)
    assert.is_nil(s)
    assert.same({ "skill", 2 }, { err.stage, err.exit })
    return tostring(err)
  end

  it("is told from ours by its capital", function()
    for _, name in ipairs { "MyApp.RedisSkill", "Elixir.MyApp.RedisSkill", "Redis" } do
      assert.is_true(foreign.named(name), name)
    end
    for _, name in ipairs { "beam", "./My.lua", "My/skill.lua", "My..App", "MyApp." } do
      assert.is_false(foreign.named(name), name)
    end
  end)

  it("says by itself what it is, and nothing that no eye can see", function()
    assert.same({ "redis", "Redis Cache", "Redis cache: hit rates, memory" }, { redis.name, redis.title, redis.about })
    assert.equal("You watch Redis.\n\n## Watch for\n- hit rate < 90%\\x1b[31m", redis.prompt)
  end)

  it("may have the older form", live.test(function()
    local s = assert(foreign.open("Elixir.MyApp.Domain.PostgresPool", at.node))
    assert.same({ "postgres", "MyApp.Domain.PostgresPool", { active_connections = 3 } },
      { s.name, s.title, skill.snapshot(s, at.node) })
    assert.same({ size = 10 }, skill.functions(s, at.node).postgres_pool_stats())
    assert.equal("Connection pool stats", s.callbacks.postgres_pool_stats.doc)
    assert.matches("Connection pool stats", s.prompt, 1, true)
  end))

  it("has its secrets masked in what a model is told of it", live.test(function()
    local s = assert(foreign.open("MyApp.Domain.PostgresPool", at.node))
    local system = assert(operators.system(case_of.new { node = at.node, skills = { s }, gate = gate.new {},
      mind = { name = "played" } }, s))
    assert.matches("\npostgres://shop:<secret:%x+>@db/1", system)
    assert.is_nil(system:find("hunter2", 1, true))
  end))

  it("has its documentation beside each callback, and its words for the arguments", function()
    assert.matches("\nredis_kind(count, extra): CAUTION. What it is\n", skill.describe(redis), 1, true)
    assert.matches("^redis_kind%(count, extra%), CAUTION: What it is%. Of both%.", skill.help(redis, "redis_kind"))
    assert.matches("\nredis_echo(argument1): CAUTION\n", skill.describe(redis), 1, true)
  end)

  it("has the callbacks that every skill has", live.test(function()
    assert.equal(at.name, callback.get_node_info().node)
  end))

  it("leaves out of its snapshot what is nil", live.test(function()
    assert.same({ connected = true, memory_used_mb = 12.5, role = "master", since = "2024-05-06T07:08:09Z" },
      skill.snapshot(redis, at.node))
  end))

  it("answers with what JSON can say", live.test(function()
    local info = json.decode(json.encode(callback.redis_info()))
    assert.matches("^<0%.%d+%.%d+>$", info.pid)
    assert.equal("fun 'Elixir.String':length/1", info.fun)
    info.pid, info.fun = nil, nil
    local now = callback.redis_time()
    assert.same({ "08:09:10", "2024-05-06T07:08:09-04:30" }, { now[1], now[2] })
    assert.same({ tuple = { 1, "two", "three" }, module = "MyApp.RedisSkill", set = { 7 }, day = "2024-02-29",
      key = { ["{1,2}"] = "odd" },
      kw = { { "a", 1 } }, nested = { list = { json.null, true, 1.5 } },
      uri = { __struct__ = "URI", host = "cache", port = info.uri.port, scheme = "redis", authority = "cache" } }, info)
  end))

  it("is handed numbers, texts, lists and maps as they are", live.test(function()
    assert.same({ "integer", "binary" }, callback.redis_kind(5, "5"))
    assert.same({ "map", "list" }, callback.redis_kind({ a = 1 }, { 300, 400 }))
    assert.same({ "nil", "list" }, callback.redis_kind(json.null, {}))
    assert.same({ { a = { 1.5, "x" } } }, { callback.redis_echo { a = { 1.5, "x" } } })
    assert.equal("redis_kind: extra must be a number, a text, true, false, a list or a table with names",
      complaint("redis_kind", 1))
    assert.equal("redis_info takes no arguments", complaint("redis_info", 1))
  end))

  it("fails in a sentence that names what it raised and where", live.test(function()
    assert.matches("^redis_raise: redis_raise of MyApp.RedisSkill failed on the node: ArgumentError: no such key: cart "
      .. "in MyApp.RedisSkill:", complaint "redis_raise")
    assert.matches("failed on the node: exit gone in MyApp.RedisSkill:", complaint "redis_exit")
    assert.matches("failed on the node: function_clause in MyApp.RedisSkill:only/1", complaint "redis_clause", 1, true)
  end))

  it("is cut where it answers too much, and ended where it takes too much", live.test(function()
    local long = callback.redis_long()
    assert.same({ 1001, 2000, "and 1000 more", 1001 }, { long[1], long[1000], long[1001], #long })
    assert.matches("^its answer takes %d+ bytes$", complaint "redis_huge":match ": ([^:]*)$")
    assert.matches("more than its 152 MB of heap", complaint "redis_hungry", 1, true)
    assert.matches('^%[+"%.%.%."%]+$', json.encode(callback.redis_deep()))
    assert.equal(4000, #callback.redis_text())
  end))

  it("runs no callback that nobody allowed, and any by its name", function()
    assert.is_true(gate.check({ "redis_echo" }, { redis }))
    assert.is_nil((gate.new({}):permit("redis_echo", redis.callbacks.redis_echo.class)))
    assert.is_true(gate.new({ allow = { "redis_echo" } }):permit("redis_echo", redis.callbacks.redis_echo.class))
  end)

  it("is not opened where it cannot be used, and says why", live.test(function()
    assert.matches("^MyApp%.Gone is not loaded on .*; call it once there, or run the node in embedded mode",
      refused "MyApp.Gone")
    assert.matches("^String is no skill: it has no functions snapshot/0 and callbacks/0", refused "String")
    assert.matches("^MyApp%.Dashed has a callback redis%-info, which no script can call", refused "MyApp.Dashed")
  end))

  it("makes no atom of a name that a user typed", live.test(function()
    refused "MyApp.Unheard"
    local before = at.eval "erlang:system_info(atom_count)."
    refused "MyApp.UnheardOfToThisDay"
    assert.equal(before, at.eval "erlang:system_info(atom_count).")
  end))

  it("does not take the name of one of ours, nor a list for its figures", live.test(function()
    local s = assert(foreign.open("MyApp.Impostor", at.node))
    assert.equal("node_beam", s.name)
    local figures, err = skill.snapshot(s, at.node)
    assert.is_nil(figures)
    assert.equal("snapshot of MyApp.Impostor is no map, but [1]", tostring(err))
  end))

  describe("from the command line", function()
    local function run(...)
      return program.run({ "--json", "--node", at.name, "--cookie-file", at.cookie_file, ... },
        { env = { ERL_EPMD_PORT = tostring(at.epmd_port) } })
    end

    it("answers a call that is allowed, with typed arguments", live.test(function()
      local result = run("call", "redis_kind", "5", "five", "--skills", "beam,MyApp.RedisSkill",
        "--allow", "redis_kind")
      assert.same({ "integer", "binary" }, json.decode(result.stdout).result)
      local denied = run("call", "redis_kind", "5", "five", "--skills", "MyApp.RedisSkill")
      assert.same({ 5, "gate" }, { denied.code, json.decode(denied.stdout).error.stage })
    end))

    it("is shown as ours are, when the node is named", live.test(function()
      local shown = json.decode(run("skills", "MyApp.RedisSkill").stdout).skills[1]
      assert.same({ "redis", "Redis Cache", true }, { shown.name, shown.title, shown.available })
      local alone = program.run({ "skills", "MyApp.RedisSkill" })
      assert.same({ 2, "beamlens-run: MyApp.RedisSkill is a module of a node, and there is none here; give it with "
        .. "--node\n" }, { alone.code, alone.stderr })
    end))

    it("is an operator like any other", live.test(function()
      local result = run("examples/coordinator.lua", "--skills", "ets,MyApp.RedisSkill", "--allow", "redis_kind")
      local report = json.decode(result.stdout)
      local skills = {}
      for _, operator in ipairs(report.operators) do skills[#skills + 1] = operator.skill end
      table.sort(skills)
      assert.same({ "ets", "redis" }, skills)
    end))
  end)
end)
