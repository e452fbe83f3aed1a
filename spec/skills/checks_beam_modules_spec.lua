-- The check for modules that are nowhere: on a live node, where they are called all the time, and where code is loaded.
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local beam = assert(skill.open "beam")

local function check()
  for _, c in ipairs(beam.checks) do if c.id == "undefined_module_storm" then return c end end
end

-- All looks of the check, as the analyst makes them; nil when one of them saw enough.
local function find(callback)
  local results = {}
  for i, look in ipairs(check().look) do
    local call = type(look) == "function" and look(results) or type(look) == "table" and look
    if not call then return nil end
    results[i] = callback[call[1]](unpack(call, 2))
  end
  return check().confirm(results)
end

describe("the check for modules that are nowhere", function()
  local at, callback

  setup(function()
    at = live.start()
    callback = skill.functions(beam, at.node)
  end)
  teardown(live.stop_all)

  it("names the code server, and who calls what is not there", live.test(function()
    at.eval [[
      {ok, T, _} = erl_scan:string("-module(kiosk). -export([ask/0]). ask() -> (catch no_such_till:open()), ask()."),
      Forms = fun F([], []) -> []; F([{dot, _} = D | R], A) -> {ok, X} = erl_parse:parse_form(lists:reverse([D | A])),
                   [X | F(R, [])]; F([X | R], A) -> F(R, [X | A]) end,
      {ok, _, B} = compile:forms(Forms(T, [])), code:load_binary(kiosk, "src", B),
      register(kiosk, spawn(fun() -> kiosk:ask() end)), ok.]]
    local finding = find(callback)
    at.eval "exit(whereis(kiosk), kill)."
    assert.same({ "code_server", "high" }, { finding.object, finding.confidence })
    assert.matches("called again and again, .* by kiosk:ask/0", finding.hypothesis)
  end))

  it("finds nothing where the code server loads what it searches", function()
    local reducers = { processes = { { name = "code_server", pid = "<0.50.0>", rate_per_sec = 900000 } } }
    local deploy = { modules_before = 110, modules = 140 }
    assert.is_nil(check().look[4] { reducers, {}, deploy })
  end)

  it("looks no further where nobody asks the code server", live.test(function()
    assert.is_nil(find(callback))
  end))
end)
