--- The code that our texts show, under the real compilers: a warning is a fault.

local erlang = require "spec.support.erlang"

local snippets = {}

local ERLC = [==[
{ok, In} = file:read_file("in"),
Parts = (fun Split(<<N:32, B:N/binary, Rest/binary>>) -> [B | Split(Rest)]; Split(<<>>) -> [] end)(In),
Tidy = fun(L) -> lists:flatten(io_lib:format("~tp", [L])) end,
Compile = fun(Word, Code) ->
  File = binary_to_list(Word) ++ ".erl",
  ok = file:write_file(File, ["-module(", Word, ").\n-compile([export_all, nowarn_export_all]).\n", Code, "\n"]),
  case compile:file(File, [return, binary]) of
    {ok, _, _, []} -> [];
    {ok, _, _, Warnings} -> [Tidy(Warnings)];
    {error, Errors, _} -> [Tidy(Errors)]
  end end,
(fun Each([W, C | Rest]) -> Compile(W, C) ++ Each(Rest); Each([]) -> [] end)(Parts).
]==]

local ELIXIR = [==[
split = fn
  <<n::32, b::binary-size(n), rest::binary>>, split -> [b | split.(rest, split)]
  <<>>, _ -> []
end
Code.compiler_options(no_warn_undefined: :all)
for [word, code] <- Enum.chunk_every(split.(File.read!(hd(System.argv())), split), 2) do
  Code.compile_string("defmodule Snippet_#{word} do\nrequire Logger\n#{code}\nend", word)
end
IO.write("all compile")
]==]

--- The pieces of code in a Markdown text.
---@param markdown string
---@return { language: string, code: string }[]
function snippets.of(markdown)
  local list = {}
  for language, code in (markdown .. "\n"):gmatch "```(%l*)\n(.-)\n```" do
    list[#list + 1] = { language = language, code = code }
  end
  return list
end

---@param list string[]   a name, its code, the next name, …
---@return string faults    empty when all compile
function snippets.erlang(list) return erlang.run(ERLC, erlang.frames(list)) end

---@param list string[]
---@return string said    "all compile"
function snippets.elixir(list)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder) == 0)
  for name, text in pairs { ["in"] = erlang.frames(list), ["program.exs"] = ELIXIR } do
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(text)
    file:close()
  end
  local pipe = io.popen(("cd %s && elixir program.exs in 2>&1"):format(folder))
  local said = pipe:read "*a"
  pipe:close()
  os.execute("rm -r " .. folder)
  return said
end

return snippets
