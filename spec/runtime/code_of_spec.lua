local code_of = require "runtime.code_of"
local evidence = require "runtime.evidence"
local standard_modules = require "runtime.standard_modules"

describe("runtime.code_of", function()
  local e

  before_each(function() e = evidence.new() end)

  local function seen(value) return e:add { operator = "beam", callback = "x", at = "t", value = value } end

  -- What an insight about `object` points to that cites this path.
  local function place(id, path, object, value)
    local found = code_of(e, { root_cause = { object = object }, evidence = {
      { observation = id, path = path, value = value or 1 } } })
    return found and ("%s:%s/%d in %s %s"):format(found.module, found.func, found.arity, found.observation, found.path)
  end

  it("takes a function that is cited itself", function()
    local id = seen { groups = { { app_function = "shop_cart:total/1", share_pct = 90 } } }
    assert.equal("shop_cart:total/1 in o1 groups[1].app_function",
      place(id, "groups[1].app_function", "x", "shop_cart:total/1"))
  end)

  it("takes it from the row that a cited figure stands in", function()
    local id = seen { processes = { { name = "a", current_function = "other:one/0" },
      { name = "sink", message_queue = 7, current_function = "shop_sink:loop/2" } } }
    assert.equal("shop_sink:loop/2 in o1 processes[2].current_function",
      place(id, "processes[2].message_queue", "sink"))
  end)

  it("goes along a stack to the first function that is not OTP's", function()
    local id = seen { pid = "<0.9.0>", queue_last = 9, current_function = "timer:sleep/1",
      stack = { "timer:sleep/1", "gen_server:loop/7", "shop_store:fetch/1", "shop:run/0" } }
    assert.equal("shop_store:fetch/1 in o1 stack[3]", place(id, "queue_last", "store"))
  end)

  it("looks among the functions that a process was seen in", function()
    local id = seen { name = "hot", reductions_per_sec = 9, functions = { { current_function = "lists:seq/2" },
      { current_function = "Shop.Prices:scan/3" } } }
    assert.equal("Shop.Prices:scan/3 in o1 functions[2].current_function",
      place(id, "reductions_per_sec", "hot"))
  end)

  it("prefers a row of the object to one that only explains it", function()
    seen { processes = { { name = "caller", current_function = "shop_web:call/1", message_queue = 3 } } }
    seen { processes = { { name = "sink", current_function = "shop_sink:loop/2", message_queue = 3 } } }
    local found = code_of(e, { root_cause = { object = "sink" }, evidence = {
      { observation = "o1", path = "processes[1].message_queue", value = 3 },
      { observation = "o2", path = "processes[1].message_queue", value = 3 } } })
    assert.equal("shop_sink", found.module)
  end)

  it("finds it where the object was seen beside what is cited", function()
    local id = seen { processes = { { pid = "<0.9.0>", name = "hub", monitor_count = 900,
      current_function = "timer:sleep/1" } } }
    seen { processes = { { pid = "<0.9.0>", current_function = "shop_hub:watch/2" } } }
    assert.equal("shop_hub:watch/2 in o2 processes[1].current_function",
      place(id, "processes[1].monitor_count", "hub"))
  end)

  it("goes from a table to its owner", function()
    local id = seen { tables = { { name = "cache", owner_pid = "<0.7.0>", size_delta = 9 } } }
    seen { processes = { { pid = "<0.7.0>", initial_call = "shop_cache:init/1" } } }
    assert.equal("shop_cache:init/1 in o2 processes[1].initial_call", place(id, "tables[1].size_delta", "cache"))
  end)

  it("goes from a module to the line that it was seen at", function()
    local id = seen { per_second = 900, modules = { { module = "shop_pay", count = 800 } } }
    seen { entries = { { module = "shop_pay", func = "shop_pay:charge/2", line = 12 } } }
    assert.equal("shop_pay:charge/2 in o2 entries[1].func", place(id, "modules[1].count", "shop_pay"))
  end)

  it("says of a fun where it was written", function()
    local id = seen { current_function = "shop_jobs:-start/2-fun-0-/1", pid = "<0.1.0>", reductions = 1 }
    assert.equal("shop_jobs:start/2 in o1 current_function", place(id, "reductions", "<0.1.0>"))
  end)

  it("points nowhere where only OTP's and Elixir's own code was seen", function()
    local id = seen { name = "sink", message_queue = 1, current_function = "gen_server:loop/7",
      initial_call = "Task.Supervised:invoke_mfa/2", stack = { "prim_inet:recv0/3" } }
    assert.is_nil(place(id, "message_queue", "sink"))
  end)

  it("takes no text of the node for a function", function()
    local id = seen { name = "see http://a b:c/1", message_queue = 1, current_function = "x\n:y/1" }
    assert.is_nil(place(id, "message_queue", "sink"))
  end)

  it("points nowhere where the observation was let go", function()
    assert.is_nil(place("o9", "message_queue", "sink"))
  end)
end)

describe("runtime.standard_modules", function()
  local function of(command)
    local pipe = io.popen(command)
    local said = pipe:read "*a"
    pipe:close()
    local strange = {}
    for name in said:gmatch "%S+" do
      if not standard_modules.has(name) then strange[#strange + 1] = name end
    end
    assert.is_truthy(said:find "%S")
    return strange
  end

  it("knows every module of the applications that an Erlang node runs all the time", function()
    assert.same({}, of [[erl -noinput -noshell -eval '[io:format("~s~n", [filename:basename(F, ".beam")]) ||
      A <- [kernel, stdlib, sasl, compiler, crypto, ssl, public_key, inets, mnesia, os_mon, runtime_tools, ssh],
      F <- filelib:wildcard(code:lib_dir(A) ++ "/ebin/*.beam")], halt().']])
  end)

  it("knows every module of Elixir", function()
    assert.same({}, of [[elixir -e 'for a <- [:elixir, :logger, :mix, :iex, :ex_unit, :eex],
      f <- Path.wildcard("#{:code.lib_dir(a)}/ebin/*.beam"),
      do: IO.puts(String.replace_prefix(Path.basename(f, ".beam"), "Elixir.", ""))']])
  end)

  it("takes no module of somebody's own for one of theirs", function()
    assert.is_false(standard_modules.has "TaskRunner")
    assert.is_false(standard_modules.has "gen_server_pool")
    assert.is_false(standard_modules.has "shop")
  end)
end)
