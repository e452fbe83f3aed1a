local cjson = require "cjson"
local erlang = require "spec.support.erlang"
local etf = require "host.etf"

local A = etf.A

local function json(term) return (assert(etf.json(etf.encode(term)))) end

local function raw(bytes) return (assert(etf.json("\131" .. bytes))) end

describe("etf.json", function()
  it("shows atoms as strings, but for the three that JSON has words for", function()
    assert.equal("true", json(true))
    assert.equal("false", json(false))
    assert.equal("null", json(A["nil"]))
    assert.equal('"undefined"', json(A.undefined))
    assert.equal('"null"', json(A.null))
    assert.equal('"with \\"quotes\\""', json(A['with "quotes"']))
  end)

  it("shows Elixir's modules as Elixir writes them", function()
    assert.equal('"Shop.Cart"', json(A["Elixir.Shop.Cart"]))
    assert.equal('"Elixir"', json(A.Elixir))
    assert.equal('"Elixir.lower"', json(A["Elixir.lower"]))
    assert.equal('{"Shop":1}', json(etf.amap { ["Elixir.Shop"] = 1 }))
  end)

  it("shows the digits of a number", function()
    for text, term in pairs {
      ["0"] = "a\0", ["255"] = "a\255", ["-2147483648"] = "b\128\0\0\0", ["2147483647"] = "b\127\255\255\255",
      ["9007199254740993"] = "n\7\0\1\0\0\0\0\0\32", ["-18446744073709551616"] = "n\9\1\0\0\0\0\0\0\0\0\1",
      ["1.5"] = "F\63\248\0\0\0\0\0\0", ["3.0"] = "F\64\8\0\0\0\0\0\0", ["0.1"] = "F\63\185\153\153\153\153\153\154",
      ["1e+22"] = "F\68\128\240\207\6\77\213\146", ["-0.0"] = "F\128\0\0\0\0\0\0\0",
    } do assert.equal(text, raw(term)) end
  end)

  it("does not spend seconds on the digits of a number that nobody reads", function()
    assert.equal('"#Integer<100000 bytes>"', raw("o\0\1\134\160\0" .. ("\1"):rep(100000)))
  end)

  it("escapes what JSON does not allow in a string, and nothing else", function()
    assert.equal([["\"\\\b\f\n\r\t\u0000\u001f/]] .. '\127é日𝄞"', json "\"\\\b\f\n\r\t\0\31/\127é日𝄞")
  end)

  it("puts U+FFFD for each byte that is not UTF-8", function()
    local bad = "\239\191\189"
    for given, text in pairs {
      ["a\255b"] = "a" .. bad .. "b", ["\195"] = bad, ["\195("] = bad .. "(", ["\192\128"] = bad .. bad,
      ["\237\160\128"] = bad:rep(3), ["\240\159\146"] = bad:rep(3), ["\244\144\128\128"] = bad:rep(4),
      ["\226\130\172"] = "€",
    } do assert.equal('"' .. text .. '"', json(given)) end
  end)

  it("keeps letters whole where long text is written piece by piece", function()
    for lead = 4090, 4100 do
      local text = ("x"):rep(lead) .. ("日\n"):rep(3000)
      assert.equal(text, cjson.decode("[" .. json(text) .. "]")[1])
    end
  end)

  it("shows what is opaque as Erlang does", function()
    assert.equal('["<0.7.1>","#Ref<0.3.2.1>"]', json { etf.pid("n@h", 7, 1, 3), etf.ref("n@h", 3, { 1, 2, 3 }) })
    assert.equal('"#Port<0.5>"', raw "Yw\1n\0\0\0\5\0\0\0\1")
    assert.equal('"fun lists:map/2"', raw "qw\5listsw\3mapa\2")
    assert.equal('"<<1,5:3>>"', raw "M\0\0\0\2\3\1\160")
    assert.equal('"<<' .. ("0,"):rep(32) .. '...>>"', raw("M\0\0\0\100\7" .. ("\0"):rep(100)))
  end)

  it("shows lists, tuples and charlists; the tail that is no list stands behind a bar", function()
    assert.equal('[[],[1,2],"text",[1,2]]', json { {}, etf.tuple(1, 2), etf.chars "text", { 1, 2 } })
    assert.equal("[1,200]", raw "k\0\2\1\200")
    assert.equal('[1,"|",2]', raw "l\0\0\0\1a\1a\2")
    assert.equal('["|",2]', raw "l\0\0\0\0a\2")
  end)

  it("makes a string of every key", function()
    for text, key in pairs {
      ['{"a":1}'] = "w\1a", ['{"true":1}'] = "w\4true", ['{"nil":1}'] = "w\3nil", ['{"b":1}'] = "m\0\0\0\1b",
      ['{"5":1}'] = "a\5",
      ['{"1.5":1}'] = "F\63\248\0\0\0\0\0\0", ['{"<0.1.2>":1}'] = "Xw\1n\0\0\0\1\0\0\0\2\0\0\0\3",
      ['{"text":1}'] = "k\0\4text", ['{"[1,\\"x\\"]":1}'] = "h\2a\1m\0\0\0\1x",
      ['{"[null,true]":1}'] = "h\2w\3nilw\4true",
      ['{"{\\"k\\":[]}":1}'] = "t\0\0\0\1w\1kj",
      ['{"{\\"#Term\\":2}":1}'] = "t\0\0\0\1h\1ja\2",
    } do assert.equal(text, raw("t\0\0\0\1" .. key .. "a\1")) end
  end)

  it("says of a live process what the node says", function()
    local frames = erlang.unframe(erlang.run [==[
      Items = [memory, registered_name, links, current_function, status],
      Info = maps:from_list(process_info(whereis(kernel_sup), Items)),
      Text = fun(P) -> list_to_binary(pid_to_list(P)) end, {M, F, A} = maps:get(current_function, Info),
      [[<<(byte_size(B)):32>>, B] || B <- [term_to_binary(Info), integer_to_binary(maps:get(memory, Info)),
        iolist_to_binary(io_lib:format("~s ~s ~b", [M, F, A])) | [Text(P) || P <- maps:get(links, Info)]]].]==])
    local shown = cjson.decode((etf.json(frames[1])))
    assert.equal(tonumber(frames[2]), shown.memory)
    assert.equal(frames[3], table.concat(shown.current_function, " "))
    assert.equal("kernel_sup", shown.registered_name)
    assert.same({ select(4, unpack(frames)) }, shown.links)
  end)
end)
