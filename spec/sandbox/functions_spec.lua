--- The table of functions, held against a real node: what it names exists there, with this arity.

local arguments = require "sandbox.classify.arguments"
local classify = require "sandbox.classify"
local functions = require "sandbox.functions"
local live = require "spec.support.live_node"

local EFFECTS = {
  SAFE = { reads = true, leased = true },
  CAUTION = { reads = true, leased = true, changes = true },
  DANGEROUS = { reads = true, leased = true, changes = true },
}

-- Not part of OTP, or in a package of its own that a node may lack: not to be found on the spec's node.
local ELSEWHERE = {
  recon = true, recon_lib = true, recon_alloc = true, recon_trace = true, ranch = true, poolboy = true,
  hackney_pool = true, ["Elixir.Ecto.Query"] = true, ["Elixir.Ecto.Queryable"] = true,
  ["Elixir.Ecto.Changeset"] = true, ["Elixir.Ecto.Repo"] = true, ["Elixir.Ecto.Adapters.SQL"] = true,
  ["Elixir.Ecto.Migrator"] = true,
  ["Elixir.Ecto.Repo.Registry"] = true, ["Elixir.DBConnection"] = true, telemetry = true,
}

local entries, shapes = functions.all()
local everything = {}
for mfa, entry in pairs(entries) do everything[mfa] = entry end
for mfa, entry in pairs(shapes) do everything[mfa] = entry end

-- The entries for which `wrong` answers something, as lines.
local function offenders(wrong, among)
  local lines = {}
  for mfa, entry in pairs(among or everything) do
    local why = wrong(entry, mfa)
    if why then lines[#lines + 1] = why == true and mfa or mfa .. ": " .. why end
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

describe("the table of functions", function()
  it("has at least 400 entries", function()
    local count = 0
    for _ in pairs(everything) do count = count + 1 end
    assert.is_true(count >= 400)
  end)

  it("says of each its class, and an effect that goes with it", function()
    assert.are.equal("", offenders(function(e) return not (EFFECTS[e.class] or {})[e.effect] end))
  end)

  it("says of each what it costs", function()
    assert.are.equal("", offenders(function(e) return type(e.cost) ~= "string" or #e.cost < 5 end))
  end)

  it("says of each why", function()
    assert.are.equal("", offenders(function(e) return type(e.why) ~= "string" or #e.why < 10 end))
  end)

  it("gives an argument only roles that there are", function()
    assert.are.equal("", offenders(function(e)
      for _, role in ipairs(e.roles) do if role ~= "_" and not arguments[role] then return role end end
    end))
  end)

  it("knows nothing as SAFE that ends or changes something by its name", function()
    local words = {
      "kill", "halt", "stop", "delete_all", "insert_all", "put_env", "set_env", "write_file", "terminate_child",
    }
    assert.are.equal("", offenders(function(e)
      for _, word in ipairs(words) do if e.class == "SAFE" and e.name:find(word, 1, true) then return word end end
    end))
  end)

  -- The classes that the owner of the program asked for, one by one.
  for class, named in pairs {
    SAFE = [[ erlang:memory/0 Elixir.Process:info/2 recon:proc_count/2 sys:get_state/1 ets:info/1 ets:tab2list/1
      Elixir.Shop.Repo:all/1 Elixir.Shop.Repo:one/1 Elixir.Shop.Repo:aggregate/2 Elixir.Repo:all/1 ]],
    CAUTION = "erlang:garbage_collect/1 recon:bin_leak/1 sys:trace/2 erlang:system_flag/2",
    DANGEROUS = [[ Elixir.Shop.Repo:insert/1 Elixir.Shop.Repo:update/1 Elixir.Shop.Repo:delete/1
      Elixir.GenServer:cast/2 gen_server:cast/2 init:stop/0 Elixir.Process:exit/2 erlang:exit/2 ]],
  } do
    for mfa in named:gmatch "%S+" do
      it(("has %s as %s"):format(mfa, class), function()
        assert.are.equal(class, classify.entry(mfa).class)
      end)
    end
  end

  it("does not know a function that it does not name", function()
    assert.is_nil(classify.entry "foo:bar/0")
  end)

  it("takes only Elixir's modules whose name ends in Repo for a repository", function()
    assert.is_nil(classify.entry "shop_repo:all/1")
  end)

  it("marks what is guarded where it runs", function()
    assert.are.equal("table", classify.entry("ets:tab2list/1").guard)
  end)
end)

describe("the table of functions, on a node", function()
  local missing = {}

  setup(live.test(function()
    local at = live.start { elixir = true }
    local asked = {}
    for mfa, e in pairs(entries) do
      if not ELSEWHERE[e.module] then asked[#asked + 1] = { mfa, e.module, e.name, #e.roles } end
    end
    local answer = at.eval([[
      Exists = fun(M, F, A) ->
        code:ensure_loaded(M),
        erlang:function_exported(M, F, A) orelse erlang:is_builtin(M, F, A)
      end,
      {[Mfa || [Mfa, M, F, A] <- Asked, not Exists(binary_to_atom(M), binary_to_atom(F), A)],
       [{atom_to_binary(F), A} || {F, A} <- erlang:module_info(exports), erl_internal:bif(F, A)]}.]], { Asked = asked })
    for _, mfa in ipairs(answer[1]) do missing[mfa] = true end
    missing.imported = {}
    for _, pair in ipairs(answer[2]) do missing.imported[("%s/%d"):format(pair[1], pair[2])] = true end
  end))

  teardown(function() live.stop_all() end)

  it("names what is there, but for later releases", function()
    assert.are.equal("", offenders(function(e, mfa) return missing[mfa] and not e.since end, entries))
  end)

  it("calls nothing later that is there already", function()
    assert.are.equal("", offenders(function(e, mfa)
      return e.since and not missing[mfa] and not ELSEWHERE[e.module]
    end, entries))
  end)

  it("lets no name go without its module that the node does not import", function()
    local wrong = {}
    for key in pairs(require "sandbox.functions.imported") do
      if not missing.imported[key] then wrong[#wrong + 1] = key end
    end
    assert.are.equal("", table.concat(wrong, " "))
  end)
end)
