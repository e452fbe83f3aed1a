-- Terms of a real node as text: Erlang's way and Elixir's, masked, cut, nothing that steers a terminal.

local etf = require "host.etf"
local live = require "spec.support.live_node"
local privacy = require "runtime.privacy"
local term_text = require "runtime.term_text"

describe("a term as text", function()
  local at

  setup(function() at = live.start {} end)
  teardown(live.stop_all)

  local function show(expression, as_elixir)
    local raw = assert(at.node.query(expression .. ".", {}, { raw = true }))
    return term_text.of(etf.decode(raw, 1, true), privacy.new(), as_elixir)
  end

  -- What stands for a secret is new in each run.
  local function masked(...) return (show(...):gsub("<secret:%x+>", "<secret>")) end

  local WRITTEN = {
    { "3.0", "3.0", "3.0" }, { "1 bsl 70", "1180591620717411303424", "1180591620717411303424" },
    { "{a, 'B c', 'end', nil, true}", "{a, 'B c', 'end', nil, true}", '{:a, :"B c", :end, nil, true}' },
    { "'Elixir.Foo.Bar'", "'Elixir.Foo.Bar'", "Foo.Bar" }, { "[1, 2 | 3]", "[1, 2 | 3]", "[1, 2 | 3]" },
    { '{"text", <<"text">>, <<>>}', '{"text", <<"text">>, <<>>}', '{~c"text", "text", ""}' },
    { '<<"a\\"b\\n">>', '<<"a\\"b\\n">>', '"a\\"b\\n"' }, { '<<"ż"/utf8>>', '<<"ż"/utf8>>', '"ż"' },
    { "<<1, 255>>", "<<1,255>>", "<<1,255>>" }, { "#{}", "#{}", "%{}" },
    { "#{a => 1, b => []}", "#{a => 1, b => []}", "%{a: 1, b: []}" },
    { '#{<<"k">> => 1.5}', '#{<<"k">> => 1.5}', '%{"k" => 1.5}' },
    { "#{1 => x, {y} => z}", "#{1 => x, {y} => z}", "%{1 => :x, {:y} => :z}" },
    { "[{a, 1}, {b, 2}]", "[{a, 1}, {b, 2}]", "[a: 1, b: 2]" },
    { "#{'__struct__' => 'Elixir.URI', h => nil}", "#{'__struct__' => 'Elixir.URI', h => nil}", "%URI{h: nil}" },
    { "fun lists:map/2", "fun lists:map/2", "fun lists:map/2" },
  }

  it("is written as Erlang has it", live.test(function()
    for _, case in ipairs(WRITTEN) do assert.equal(case[2], (show(case[1]))) end
  end))

  it("is written as Elixir has it", live.test(function()
    for _, case in ipairs(WRITTEN) do assert.equal(case[3], (show(case[1], true))) end
  end))

  it("hides what stands under the name of a secret, whatever its type", live.test(function()
    assert.equal('{#{password => <<"<secret>">>}, {cookie, \'<secret>\'}, {token, "<secret>"}}',
      masked('{#{password => <<"geheim">>}, {cookie, geheim}, {token, [300, 400]}}'):gsub("\n *", " ")
        :gsub("{ ", "{", 1):gsub(" }$", "}"))
  end))

  it("hides it in a list of keywords", live.test(function()
    assert.equal('[password: ~c"<secret>", user: "u"]', masked('[{password, "geheim"}, {user, <<"u">>}]', true))
  end))

  it("hides what has the form of a secret", live.test(function()
    assert.equal('<<"postgres://u:<secret>@host/db">>', masked '<<"postgres://u:geheim@host/db">>')
  end))

  it("shows controls by their pictures", live.test(function()
    assert.equal('<<"␛]0;x␇">>', (show '<<"\\e]0;x\\7">>'))
  end))

  it("breaks what is long into lines, numbers many to a line", live.test(function()
    assert.equal("{\n  a,\n  [\n    1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, "
      .. "1013, 1014, 1015,\n    1016, 1017, 1018, 1019\n  ]\n}", (show "{a, lists:seq(1000, 1019)}"))
  end))

  it("is cut with the number of what is left out", live.test(function()
    local text, left_out = show "lists:seq(1, 100000)"
    assert.equal(tostring(left_out), text:match "… (%d+) more\n%]$")
  end))

  it("tells the length of a text that is cut", live.test(function()
    assert.matches("… %(cut: 5000 bytes in all%)", (show 'binary:copy(<<"x">>, 5000)'))
  end))
end)
