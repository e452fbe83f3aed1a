--- What runs behind the door: a VM of the node's own release without distribution, which opens sockets
--- there and carries their bytes through stdin and stdout. The other half is runtime/door/tunnel.lua,
--- where the form of a frame stands.
---
--- It writes no file and ends itself: when its stdin ends, when it is told to, and when it has heard
--- nothing for long. Every message of the shell or the system that gets in between costs a repetition.
--- The node's cookie is read here, where it lies, and stays here: only digests of it go through. `Owner` is whose file
--- it must be in, where this is another user than the node's.

local crypto = require "host.crypto"

local helper_vm = {}

-- One scheduler and no busy waiting: it is a guest.
helper_vm.FLAGS = "+S 1:1 +SDcpu 1 +SDio 1 +sbwt none +sbwtdcpu none +sbwtdio none"

-- Given on its command line, so short: it takes stdin from whoever reads it, reads the program and runs it.
-- Neither quote nor dollar sign: it stands within quotes of a shell.
helper_vm.BOOT = [[case whereis(user) of undefined -> ok; U -> exit(U,kill) end,]]
  .. [[P=open_port({fd,0,1},[binary,eof]),port_command(P,[123,"go",125,10]),]]
  .. [[R=fun R(A)->receive {P,{data,D}}->case string:split(iolist_to_binary([A,D]),")") of ]]
  .. [=[[X,Z]->{base64:decode(lists:last(string:split(X,"(",all))),Z};[W]->R(W) end;]=]
  .. [[{P,eof}->halt(0) after 30000->halt(0) end end,{T,Y}=R([]),{ok,K,_}=erl_scan:string(binary_to_list(T)),]]
  .. [[{ok,E}=erl_parse:parse_exprs(K),B=fun(N,V,S)->erl_eval:add_binding(list_to_atom(N),V,S) end,]]
  .. [[erl_eval:exprs(E,B("P",P,B("Y",Y,erl_eval:new_bindings())))]]

local PROGRAM = [==[
Most = 2900, Window = 128, DeafMs = 75000,
Now = fun() -> erlang:monotonic_time(millisecond) end,
Put = fun(Seq, #{want := Want}, Kind, Stream, Data) ->
  B = <<Seq:32, Want:32, Kind, Stream:16, Data/binary>>,
  port_command(P, [${, base64:encode(<<(binary:part(erlang:md5(B), 0, 4))/binary, B/binary>>), $}, 10])
end,
Send = fun(Kind, Stream, Data, #{seq := Seq, un := Un} = S) ->
  Put(Seq, S, Kind, Stream, Data),
  S#{seq := Seq + 1, un := queue:in({Seq, Kind, Stream, Data}, Un), due := 0}
end,
Pieces = fun Pieces(Stream, Data, S) ->
  case Data of
    <<A:Most/binary, R/binary>> when R =/= <<>> -> Pieces(Stream, R, Send($W, Stream, A, S));
    _ -> Send($W, Stream, Data, S)
  end
end,
Again = fun(#{un := Un} = S) ->
  [Put(Seq, S, Kind, Stream, Data) || {Seq, Kind, Stream, Data} <- queue:to_list(Un)],
  S#{due := 0}
end,
Room = fun(#{seq := Seq, low := Low}) -> Seq - Low < Window end,
Drop = fun Drop(Ack, #{low := Low, un := Un} = S) when Low < Ack -> Drop(Ack, S#{low := Low + 1, un := queue:drop(Un)});
           Drop(_, #{paused := Paused} = S) ->
  case Paused =/= [] andalso Room(S) of
    true -> [inet:setopts(Sock, [{active, once}]) || Sock <- Paused], S#{paused := []};
    false -> S
  end
end,
Read = fun(File, Whose) ->
  case file:open(iolist_to_binary(File), [raw, read, binary]) of
    {ok, F} ->
      Its = Whose =:= any orelse
        case catch file:read_file_info(F) of {ok, I} -> element(13, I) =:= Whose; _ -> false end,
      R = Its andalso file:read(F, 131072),
      file:close(F),
      case R of {ok, D} -> D; _ -> <<>> end;
    _ -> <<>>
  end
end,
Line = fun(File) -> hd(string:split(Read(File, Owner), "\n")) end,
Fields = fun(File) -> binary:split(Read(File, any), <<0>>, [global]) end,
Args = Fields("/proc/" ++ Os ++ "/cmdline"),
Env = Fields("/proc/" ++ Os ++ "/environ"),
Of = fun(Flag, [F, V | _], _) when F =:= Flag -> V; (Flag, [_ | R], Self) -> Self(Flag, R, Self); (_, _, _) -> <<>> end,
Var = fun(Name) ->
  Head = <<Name/binary, "=">>, Size = byte_size(Head),
  case [binary:part(E, Size, byte_size(E) - Size) || E <- Env, string:prefix(E, Head) =/= nomatch] of
    [V | _] -> V;
    [] -> case os:getenv(binary_to_list(Name)) of false -> <<>>; V -> list_to_binary(V) end
  end
end,
Home = case Of(<<"-home">>, Args, Of) of <<>> -> Var(<<"HOME">>); Said -> Said end,
Cookie = fun() ->
  lists:foldl(fun(F, <<>>) -> F(); (_, C) -> C end, <<>>, [
    fun() -> Of(<<"-setcookie">>, Args, Of) end,
    fun() -> Var(<<"RELEASE_COOKIE">>) end,
    fun() -> Line([Home, "/.erlang.cookie"]) end,
    fun() -> Line([case Var(<<"XDG_CONFIG_HOME">>) of <<>> -> [Home, "/.config"]; X -> X end,
      "/erlang/.erlang.cookie"]) end,
    fun() -> Line([code:root_dir(), "/releases/COOKIE"]) end])
end,
EpmdPort = case Var(<<"ERL_EPMD_PORT">>) of <<>> -> <<"4369">>; V -> V end,
Connect = fun(Stream, To) ->
  Me = self(),
  spawn(fun() ->
    [Host, Given] = string:split(To, " "),
    Port = case Given of <<"epmd">> -> binary_to_integer(EpmdPort); _ -> binary_to_integer(Given) end,
    Opts = [binary, {active, false}, {nodelay, true}, {buffer, 65536}, {send_timeout, 20000},
      {send_timeout_close, true}],
    Try = fun Try([], Why) -> Me ! {refused, Stream, Why};
              Try([{H, O} | R], Why) ->
      case gen_tcp:connect(H, Port, O ++ Opts, 3000) of
        {ok, Sock} -> gen_tcp:controlling_process(Sock, Me), Me ! {opened, Stream, Sock};
        {error, W} -> Try(R, case Why of none -> W; _ -> Why end)
      end
    end,
    H = binary_to_list(Host),
    Try([{H, [inet]}, {H, [inet6]}, {"127.0.0.1", [inet]}], none)
  end)
end,
Shut = fun(Stream, #{socks := Socks, names := Names, paused := Paused} = S) ->
  case Socks of
    #{Stream := Sock} ->
      gen_tcp:close(Sock),
      S#{socks := maps:remove(Stream, Socks), names := maps:remove(Sock, Names), paused := lists:delete(Sock, Paused)};
    _ -> S
  end
end,
Do = fun($C, Stream, Data, S) -> Connect(Stream, Data), S;
        ($W, Stream, Data, #{socks := Socks} = S) ->
          case Socks of
            #{Stream := Sock} ->
              case gen_tcp:send(Sock, Data) of
                ok -> S;
                {error, _} -> Send($X, Stream, <<"closed">>, Shut(Stream, S))
              end;
            _ -> S
          end;
        ($X, Stream, _, S) -> Shut(Stream, S);
        ($D, Stream, Data, S) ->
          case Cookie() of
            <<>> -> Send($E, Stream, <<"no cookie">>, S);
            C -> Send($D, Stream, erlang:md5([C, Data]), S)
          end;
        ($Q, _, _, _) -> halt(0)
end,
Lost = fun(#{want := Want, told := Want} = S) -> S;
          (#{want := Want} = S) -> Put(0, S, $N, 0, <<>>), S#{told := Want}
end,
In = fun(<<Sum:4/binary, B/binary>>, S0) ->
  <<Seq:32, Ack:32, Kind, Stream:16, Data/binary>> = B,
  Sum = binary:part(erlang:md5(B), 0, 4),
  #{want := Want, due := Due} = S = Drop(Ack, S0#{heard := Now()}),
  if
    Kind =:= $A -> S;
    Kind =:= $K -> S#{due := Due + 1};
    Kind =:= $N -> Again(S);
    Seq =:= Want -> Do(Kind, Stream, Data, S#{want := Want + 1, due := Due + 1});
    Seq < Want -> S#{due := Due + 1};
    true -> Lost(S)
  end
end,
Acks = fun(#{due := Due} = S) when Due >= 16 -> Put(0, S, $A, 0, <<>>), S#{due := 0}; (S) -> S end,
Take = fun Take(S) ->
  #{buf := Buf} = S,
  case binary:split(Buf, <<")">>) of
    [X, R] ->
      S1 = S#{buf := R},
      S2 = try base64:decode(lists:last(binary:split(X, <<"(">>, [global]))) of
        <<D/binary>> when byte_size(D) >= 15 -> try In(D, S1) catch error:{badmatch, _} -> Lost(S1) end;
        _ -> Lost(S1)
      catch _:_ -> Lost(S1) end,
      Take(Acks(S2));
    [_] when byte_size(Buf) > 65536 -> S#{buf := <<>>};
    [_] -> S
  end
end,
Loop = fun Loop(#{due := Due, seq := Seq, low := Low, heard := Heard, socks := Socks, names := Names} = S) ->
  receive
    {P, {data, D}} -> #{buf := Buf} = S, Loop(Take(S#{buf := <<Buf/binary, D/binary>>}));
    {tcp, Sock, D} ->
      case Names of
        #{Sock := Stream} ->
          S1 = Pieces(Stream, D, S),
          case Room(S1) of
            true -> inet:setopts(Sock, [{active, once}]), Loop(S1);
            false -> #{paused := Ps} = S1, Loop(S1#{paused := [Sock | Ps]})
          end;
        _ -> Loop(S)
      end;
    {opened, Stream, Sock} ->
      S1 = Send($O, Stream, <<>>, S#{socks := Socks#{Stream => Sock}, names := Names#{Sock => Stream}}),
      inet:setopts(Sock, [{active, once}]),
      Loop(S1);
    {refused, Stream, Why} -> Loop(Send($X, Stream, list_to_binary(io_lib:format("~p", [Why])), S));
    {tcp_closed, Sock} ->
      case Names of #{Sock := Stream} -> Loop(Send($X, Stream, <<"closed">>, Shut(Stream, S))); _ -> Loop(S) end;
    {P, eof} -> halt(0);
    {'EXIT', P, _} -> halt(0);
    _ -> Loop(S)
  after case Due of 0 -> 1500; _ -> 20 end ->
    case Now() - Heard > DeafMs of true -> halt(0); false -> ok end,
    if
      Due > 0 -> Put(0, S, $A, 0, <<>>), Loop(S#{due := 0});
      Seq > Low -> Loop(Again(S#{told := 0}));
      true -> Loop(S#{told := 0})
    end
  end
end,
port_command(P, [${, "up ", os:getpid(), $}, 10]),
Loop(Take(#{seq => 1, low => 1, want => 1, told => 0, due => 0, un => queue:new(), paused => [],
  socks => #{}, names => #{}, buf => Y, heard => Now()})).
]==]

-- No line longer than what a terminal that edits lines will take.
local LINE = 1000

--- The program for its stdin.
---@param node FoundNode   whose arguments say where the cookie is
---@return string
function helper_vm.program(node)
  local of = node.foreign and (node.uid or "none") or "any"
  local text = ('Os = "%s", Owner = %s,\n'):format(node.pid, of) .. PROGRAM
  local coded = crypto.base64(text):gsub(("."):rep(LINE), "%0\n")
  return "(" .. coded .. ")\n"
end

return helper_vm
