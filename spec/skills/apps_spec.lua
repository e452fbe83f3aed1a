-- What runs on a node, against what it says itself by another road.
local live = require "spec.support.live_node"
local skill = require "runtime.skill"

local apps = assert(skill.open "apps")

local SHOP = [=[
  ok = application:load({application, shop_lib, [{vsn, "1.2.3"}, {applications, [kernel, stdlib]}]}),
  ok = application:load({application, shop, [{vsn, "0.9.0"}, {applications, [kernel, stdlib]}, {mod, {shop, []}}]}),
  Forms = [element(2, erl_parse:parse_form(element(2, erl_scan:string(L)))) || L <- [
    "-module(shop).", "-export([start/2, stop/1]).",
    "start(_, _) -> {ok, spawn_link(fun() -> receive stop -> ok end end)}.", "stop(_) -> ok."]],
  {ok, M, Code} = compile:forms(Forms, []), {module, M} = code:load_binary(M, "shop.erl", Code),
  ok = application:start(shop).]=]

describe("apps skill", function()
  local at, callback, eval

  setup(function()
    at = live.start { code = SHOP }
    eval, callback = at.eval, skill.functions(apps, at.node)
  end)

  teardown(live.stop_all)

  local function row(list, name)
    for _, app in ipairs(list.applications) do
      if app.name == name then return app end
    end
  end

  it("names the node's own that run first, with version, and whose they are", live.test(function()
    local list = callback.apps_list()
    assert.same({ name = "shop", version = "0.9.0", running = true, platform = false }, list.applications[1])
    assert.same({ name = "shop_lib", version = "1.2.3", running = false, platform = false }, row(list, "shop_lib"))
    local version = eval "{_, _, V} = lists:keyfind(kernel, 1, application:which_applications()), list_to_binary(V)."
    assert.same({ name = "kernel", version = version, running = true, platform = true }, row(list, "kernel"))
  end))

  it("counts what is loaded, and what has a process of its own", live.test(function()
    local list = callback.apps_list()
    assert.equal(eval "length(application:loaded_applications()).", list.total)
    assert.equal(2, list.running_count) -- kernel and shop: stdlib is a library
    assert.same({ loaded_count = list.total, running_count = 2 }, skill.snapshot(apps, at.node))
  end))

  it("says release, OTP and emulator", live.test(function()
    local release = callback.apps_release()
    assert.same({ eval "list_to_binary(erlang:system_info(otp_release)).",
      eval "list_to_binary(erlang:system_info(version)).", "Erlang/OTP" },
      { release.otp_release, release.erts_version, release.release_name })
  end))

  it("asks nobody: a controller that starts something that hangs holds up nothing", live.test(function()
    eval "sys:suspend(application_controller)."
    local list = callback.apps_list()
    eval "sys:resume(application_controller)."
    assert.equal("shop", list.applications[1].name)
  end))
end)
