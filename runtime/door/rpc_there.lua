--- What asks the node there in our stead, where no helper may be started: the release's own `bin/APP rpc` (of mix) or
--- `bin/APP eval` (of relx), one VM for as long as we stay, or erl_call, a small C program, once for each question.
--- Here is what finds them, and what they are told to do. The other half is runtime/door/rpc.lua.
---
--- The text that they are given is fixed: a question comes through their stdin, as base64 of the external term
--- {Id, Module, Function, Arguments, SpawnOptions, Milliseconds}, and is answered by {Id.Bytes.MD5.Answer}, both in
--- base64; or by {Id.late}, {Id.large.Bytes}. No bracket or dot is of base64. Nothing is to be asked before {on}: a
--- script may start other programs first, which would read it.

local helper_vm = require "runtime.door.helper_vm"
local probe = require "runtime.door.probe"

local rpc_there = {}

rpc_there.LARGEST = 16 * 1024 * 1024 -- bytes of an answer, as of a frame of the link

-- Neither quote nor dollar sign nor backslash: it stands within quotes of a shell, and of Elixir. Whoever asks is its
-- own group leader, so what a question prints goes nowhere: neither between the answers nor into the node's output.
-- A question ends when its time is up, or when who asked is gone (G; of erl_call that is not to be seen).
local ASK = [[G=group_leader(),group_leader(self(),self()),Q=fun(D)->
{K,M,F,A,O,W}=binary_to_term(base64:decode(iolist_to_binary(D))),
{P,R}=spawn_opt(erpc,execute_call,[K,M,F,A],O),L=monitor(process,G),T=erlang:send_after(W,self(),R),
V=fun V()->receive {io_request,S,Z,_}->S!{io_reply,Z,ok},V();{_,R,_,_,E}->[E];
{_,L,_,_,_}->exit(P,kill),late;R->exit(P,kill),late end end,
X=case V() of [E]->B=term_to_binary(E),case byte_size(B) of N when N>]] .. rpc_there.LARGEST .. [[->
[atom_to_list(large),46,integer_to_list(N)];N->
[integer_to_list(N),46,base64:encode(erlang:md5(B)),46,base64:encode(B)] end;late->atom_to_list(late) end,
demonitor(L,[flush]),demonitor(R,[flush]),erlang:cancel_timer(T),receive R->ok after 0->ok end,
[123,integer_to_list(K),46,X,125,10] end,]]

-- Lines up to a dot are a question; a dot alone, or the end, ends it. One whose stdin would be the node's own reads
-- nothing. Elixir hands lines as binaries, OTP as lists.
local SESSION = ASK .. [[
J=fun J(C)->case io:get_line(G,[]) of Y when is_atom(Y);is_tuple(Y)->ok;Y->
case {binary:first(iolist_to_binary(Y)),C} of {46,[]}->ok;{46,_}->io:put_chars(G,Q(lists:reverse(C))),
erlang:garbage_collect(),J([]);
{10,_}->J(C);_->J([Y|C]) end end end,case node(G)=:=node() of true->no_stdin;
false->io:put_chars(G,[123,111,110,125,10]),J([]) end.]]

-- What erl_call prints of a long list is one number after the other, so it gets strings of what it takes for one.
local ONCE_BEFORE = ASK .. [[
Y=fun Y(B) when byte_size(B)<60000->[binary_to_list(B)];
Y(B)->{H,U}=split_binary(B,60000),[binary_to_list(H)|Y(U)] end,Y(iolist_to_binary(Q(]]
local ONCE_AFTER = "))).\n"

-- What a script of a release says of itself; the cookie where erl_call looks for it, in the home of the node's user.
local LOOK = [[
for bl_b in %SCRIPTS%; do
  [ -x "$bl_b" ] && IFS= read -r bl_l < "$bl_b" 2>/dev/null || continue
  case $bl_l in '#!'*) ;; *) continue;; esac
  grep -q -e '--rpc-eval' "$bl_b" && printf 'bl:mix=%s|' "$bl_b" && break
  [ -r "${bl_b%/*}/nodetool" ] && grep -q relx_nodetool "$bl_b" && printf 'bl:relx=%s|' "$bl_b" && break
done
for bl_b in '%BINDIR%/erl_call' '%ROOT%'/lib/erl_interface-*/bin/erl_call; do
  [ -x "$bl_b" ] && printf 'bl:erl_call=%s|' "$bl_b" && break
done
bl_h=$(tr '\0' '\n' < /proc/%PID%/environ 2>/dev/null | while IFS= read -r bl_w; do
  case $bl_w in HOME=*) printf %s "${bl_w#*=}"; break;; esac; done)
[ -r "${bl_h:=$HOME}/.erlang.cookie" ] && printf 'bl:home=%s|' "$bl_h"
]]

-- The script reads the node's name and cookie as it did for the node, whose environment is asked for it. It starts no
-- epmd that would stay there, and is a guest like a helper.
local SCRIPT = [[
for bl_k in RELEASE_COOKIE RELX_COOKIE; do
  bl_c=$(tr '\0' '\n' < /proc/%PID%/environ 2>/dev/null | while IFS= read -r bl_w; do
    case $bl_w in "$bl_k="*) printf %s "${bl_w#*=}"; break;; esac; done)
  [ -n "$bl_c" ] && export "$bl_k=$bl_c"
done
RELEASE_NODE='%NODE%' RELEASE_DISTRIBUTION=%NAMES% USE_NODETOOL=1 ERL_CRASH_DUMP_SECONDS=0
ERL_ZFLAGS="$ERL_ZFLAGS -start_epmd false ]] .. helper_vm.FLAGS .. [["
export RELEASE_NODE RELEASE_DISTRIBUTION USE_NODETOOL ERL_CRASH_DUMP_SECONDS ERL_ZFLAGS %EPMD%
exec '%PROGRAM%' %TEXT%
]]

local ELIXIR = [[{:ok,t,_}=:erl_scan.string(~c"%s");{:ok,e}=:erl_parse.parse_exprs(t);:erl_eval.exprs(e,[]);nil]]

-- A word comes after each question: when it was answered, or is to be given up. Where the door closes nothing comes,
-- which gives it up too.
local LOOP = [[
export HOME='%HOME%' %EPMD%
exec 3<&0
printf '{on}\n'
while bl_q=$(while IFS= read -r bl_l && [ "$bl_l" != . ]; do printf %s "$bl_l"; done); [ -n "$bl_q" ]; do
  printf '%s"%s"%s' ']] .. ONCE_BEFORE .. [[' "$bl_q" ']] .. ONCE_AFTER .. [[' | '%PROGRAM%' %AT% -e 3<&- 2>&1 &
  bl_c=$!
  { IFS= read -r bl_w; [ "$bl_w" = on ] || kill $bl_c; } <&3 2>/dev/null &
  bl_k=$!
  wait $bl_c
  printf '\n{over}\n'
  wait $bl_k
done
exit 0
]]

local function fill(text, values) return (text:gsub("%%(%u+)%%", values)) end

local function release_root(node)
  return node.boot and node.boot:match "^(/.+)/releases/[^/]+$" or node.root
end

---@param node FoundNode
---@return string text   for a shell
function rpc_there.look(node)
  return fill(LOOK, { SCRIPTS = ("'%s'/bin/*"):format(release_root(node)), BINDIR = node.bindir, ROOT = node.root,
    PID = node.pid })
end

---@class WhoAsks
---@field kind "mix"|"relx"|"erl_call"
---@field program string
---@field home? string      of who has the cookie that erl_call reads

--- Who is to ask: a VM where there is room for one, else the C program, where the node's cookie is the one it reads.
---@param printed string    what `look` printed
---@param node FoundNode
---@param may_boot boolean  there is memory for a VM
---@return WhoAsks?
function rpc_there.choose(printed, node, may_boot)
  local found = {}
  for key, value in printed:gmatch "bl:([%w_]+)=([^|]*)|" do found[key] = value:match(probe.PLAIN) end
  for _, kind in ipairs { "mix", "relx" } do
    if found[kind] and may_boot then return { kind = kind, program = found[kind] } end
  end
  if found.erl_call and found.home and node.cookie == "a file" then
    return { kind = "erl_call", program = found.erl_call, home = found.home }
  end
end

--- Becomes who asks, until the door closes.
---@param by WhoAsks
---@param node FoundNode
---@return string text   for a shell
function rpc_there.start(by, node)
  local values = { PID = node.pid, NODE = node.name, NAMES = node.short and "sname" or "name", PROGRAM = by.program,
    HOME = by.home, EPMD = node.epmd_port and "ERL_EPMD_PORT=" .. node.epmd_port or "" }
  if by.kind == "erl_call" then
    local host = node.name:match "@(.+)$"
    values.AT = node.port and ("-address '%s:%d'"):format(host, node.port)
      or ("-%s '%s'"):format(values.NAMES, node.name)
    return fill(LOOP, values)
  end
  values.TEXT = by.kind == "mix" and ("rpc '%s'"):format(ELIXIR:format(SESSION)) or ("eval '%s'"):format(SESSION)
  return fill(SCRIPT, values)
end

return rpc_there
