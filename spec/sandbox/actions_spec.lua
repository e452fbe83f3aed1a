-- What every action must have, whatever it does: the form that the machinery relies on, and Erlang that the compiler
-- itself finds no fault with.
local erlang = require "spec.support.erlang"
local files = require "runtime.files"
local form = require "runtime.skill_form"

local CLASSES = { CAUTION = true, DANGEROUS = true }
local KINDS = { integer = true, number = true, string = true, choice = true }
local STEPS = { "preview", "check", "deed", "after" }
local GIVEN = { "Identity", "Before", "Given" }

-- Each text as the body of a function whose parameters are what is bound for it. Unsafe and exported variables are
-- what a reader takes for another; a variable of ours that is bound already is an argument's in the end.
local LINT = [=[
  {ok, In} = file:read_file("in"),
  Cut = fun Cut(<<>>) -> []; Cut(<<N:32, B:N/binary, R/binary>>) -> [B | Cut(R)] end,
  Faults = fun(Text) ->
    case erl_scan:string(binary_to_list(Text)) of
      {ok, T, _} -> case erl_parse:parse_form(T) of
        {ok, F} ->
          W = case erl_lint:module([{attribute, 1, module, x}, F], "x", [export_all, warn_export_vars,
              nowarn_unused_vars, nowarn_unused_function, warn_shadow_vars]) of
            {ok, Ws} -> Ws; {error, Es, Ws} -> Es ++ Ws end,
          [[integer_to_list(erl_anno:line(L)), ": ", M:format_error(D), "\n"] || {_, X} <- W, {L, M, D} <- X,
            D =/= export_all];
        {error, {L, M, D}} -> [integer_to_list(L), ": ", M:format_error(D), "\n"] end;
      {error, {L, M, D}, _} -> [integer_to_list(L), ": ", M:format_error(D), "\n"] end end,
  [begin B = unicode:characters_to_binary(Faults(X)), <<(byte_size(B)):32, B/binary>> end || X <- Cut(In)].]=]

local entries = {}
for _, name in ipairs(files.list("sandbox/actions", ".lua")) do
  entries[#entries + 1] = require("sandbox.actions." .. name)
end

local function variables(entry)
  local names = {}
  for _, arg in ipairs(entry.args) do names[#names + 1] = form.variable(arg.name) end
  for _, name in ipairs(GIVEN) do names[#names + 1] = name end
  return names
end

describe("every action", function()
  it("is told to people and the model, and has a class that asks", function()
    assert.is_true(#entries >= 16)
    for _, e in ipairs(entries) do
      for _, key in ipairs { "name", "title", "doc", "undo_doc" } do assert.equal("string", type(e[key]), e.name) end
      assert.is_true(CLASSES[e.class], e.name)
      assert.equal("function", type(e.undo), e.name)
    end
  end)

  it("is found by its name", function()
    local names = {}
    for i, e in ipairs(entries) do names[i] = e.name end
    assert.same(files.list("sandbox/actions", ".lua"), names)
  end)

  it("has arguments of known types, each with a name that the texts can bind", function()
    for _, e in ipairs(entries) do
      for _, arg in ipairs(e.args) do
        assert.is_true(KINDS[arg.type], e.name .. " " .. arg.name)
        assert.equal(arg.type == "choice", arg.of ~= nil, e.name .. " " .. arg.name)
      end
    end
  end)

  it("has its four texts, of which the deed begins with the check", function()
    for _, e in ipairs(entries) do
      local steps = {}
      for step, text in pairs(e.queries) do
        steps[step] = true
        assert.equal("string", type(text))
      end
      assert.same({ preview = true, check = true, deed = true, after = true }, steps, e.name)
      local shared = 0
      while e.queries.check:byte(shared + 1) == e.queries.deed:byte(shared + 1) do shared = shared + 1 end
      assert.is_true(#e.queries.check - shared < 100, e.name)
    end
  end)

  it("writes Erlang that the compiler finds no fault with, unsafe and rebound variables among them", function()
    local texts, names = {}, {}
    for _, e in ipairs(entries) do
      for _, step in ipairs(STEPS) do
        texts[#texts + 1] = ("f(%s) ->\n%s"):format(table.concat(variables(e), ", "), e.queries[step])
        names[#names + 1] = e.name .. " " .. step
      end
    end
    local faults = {}
    for i, said in ipairs(erlang.unframe(erlang.run(LINT, erlang.frames(texts)))) do
      if said ~= "" then faults[#faults + 1] = names[i] .. "\n" .. said end
    end
    assert.equal("", table.concat(faults))
  end)

  it("binds none of what is bound for it", function()
    for _, e in ipairs(entries) do
      for _, name in ipairs(variables(e)) do
        for step, text in pairs(e.queries) do
          assert.is_nil(text:match("%f[%w]" .. name .. "%s*=[^:<>=/]"), ("%s %s binds %s"):format(e.name, step, name))
        end
      end
    end
  end)
end)
