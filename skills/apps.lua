--- What runs on a node: applications and their versions, the release that they came in, and the machine's own version.
--- The application controller keeps what it knows in a table that all may read, so it is not asked a thing: it may be
--- in the middle of a start that hangs.

local texts = ...

-- Those of Erlang/OTP and of Elixir itself: what is left is the node's own, and its libraries.
local PLATFORM = {}
for name in ([[kernel stdlib sasl compiler crypto public_key asn1 ssl inets mnesia os_mon runtime_tools tools
  syntax_tools xmerl eunit common_test observer debugger parsetools reltool snmp ssh ftp tftp megaco
  diameter eldap erl_interface et wx odbc jinterface edoc erl_docgen dialyzer elixir logger eex mix
  iex ex_unit]]):gmatch "%S+" do
  PLATFORM[name] = true
end

local MOST = 100

---@type Skill
return {
  name = "apps",
  title = "Applications and releases",
  about = "Applications that run and their versions, the release, what OTP and emulator they run on.",

  prompt = [[
You say what runs on one BEAM node: its applications and their versions, its release, its OTP.
Nothing here is a finding by itself. An application that the node should have and that does not run is worth a
notification; which those are, only the person knows.]],

  snapshot = "totals",

  queries = {
    totals = [=[
  #{loaded_count => length(ets:match(ac_tab, {{loaded, '$1'}, '_'})),
    running_count => length(ets:match(ac_tab, {{application_master, '$1'}, '_'}))}.]=],

    -- A library has no process and no master; of those that are loaded only the running ones have one.
    list = texts.words .. [=[
  Run = [A || [A] <- ets:match(ac_tab, {{application_master, '$1'}, '_'})],
  L = [A || [A] <- ets:match(ac_tab, {{loaded, '$1'}, '_'})],
  V = fun(A, K) -> case application:get_key(A, K) of
      {ok, [_ | _] = X} -> unicode:characters_to_binary(lists:sublist(X, 60)); _ -> undefined end end,
  [Some([{name, Text(A)}, {version, V(A, vsn)}, {running, lists:member(A, Run)}])
    || A <- lists:sublist(lists:sort(L), 500)].]=],

    release = texts.words .. [=[
  S = fun(X) -> unicode:characters_to_binary(lists:sublist(X, 80)) end,
  {N, V} = init:script_id(),
  Some([{otp_release, S(erlang:system_info(otp_release))}, {erts_version, S(erlang:system_info(version))},
    {jit, try atom_to_binary(erlang:system_info(emu_flavor)) catch error:badarg -> undefined end},
    {release_name, S(N)}, {release_version, S(V)}]).]=],
  },

  callbacks = {
    apps_list = {
      doc = ("Applications that are loaded, those that run first and of these the node's own first; %d at most.")
        :format(MOST),
      class = "SAFE",
      cost = "reads a table of some hundred rows; nobody is asked",
      returns = { "total", "running_count", "showing", "applications[]: name, version, running, platform (of OTP or "
        .. "Elixir itself)" },
      run = function(node)
        local rows, err = node.ask "list"
        if not rows then return nil, err end
        local running, sorted = 0, {}
        for place = 1, 4 do
          for _, row in ipairs(rows) do
            row.platform = PLATFORM[row.name] == true
            if place == (row.running and 1 or 3) + (row.platform and 1 or 0) then sorted[#sorted + 1] = row end
          end
        end
        for _, row in ipairs(sorted) do running = running + (row.running and 1 or 0) end
        return { total = #rows, running_count = running, showing = math.min(#sorted, MOST),
          applications = { unpack(sorted, 1, MOST) } }
      end,
    },

    apps_release = {
      doc = "The release and what it runs on. Name and version are the boot script's; where that is no release's, they "
        .. "are those of Erlang/OTP.",
      class = "SAFE",
      cost = "three counters, one question to init",
      returns = { "otp_release", "erts_version", "jit (jit or emu)", "release_name", "release_version" },
      query = "release",
    },
  },

  checks = {},
}
