local etf = require "host.etf"
local json = require "runtime.json"
local privacy = require "runtime.privacy"

-- Secrets as nodes show them. What stands in [[ ]] must be gone, the rest must stay.
local HIDDEN = {
  "postgres://shop:[[hunter2]]@db:5432/shop",
  "redis://:[[p%40ss]]@cache/0",
  "https://[[ghtoken0123456789abc]]@git.example/repo",
  "password=[[hunter2]]&port=80",
  "DB_PASSWORD: [[hunter2]]",
  'config {password,"[[hunter 2]]"},{port,5432}',
  "[{<<\"api_key\">>,<<\"[[abc]]\">>}]",
  '{"client_secret":"[[a\\"b]]","user":"bob"}',
  '%{secret_key_base: "[[zzz]]", pool: 10}',
  "#{passphrase => <<\"[[open sesame]]\">>}",
  "aws_secret_access_key = [[wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY]]",
  "key [[AKIAIOSFODNN7EXAMPLE]] used",
  "key [[sk-ant-api03-abcdefghijklmnop]] used",
  "jwt [[eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF-_]] seen",
  "Authorization: Bearer [[abc.def.ghi-123]]\nHost: shop",
  "authorization: Basic [[dXNlcjpwYXNz]]",
  "GET / HTTP/1.1\nCookie: [[sid=abc; theme=dark]]\nHost: shop",
  "the token [[ghp_0123456789abcdefghijABCDEFGHIJ012345]] leaked",
  "slack [[xoxb-1234567890-abcdef]] too",
  "random [[q8Zr2LmX0vTn4KsYb6WcJ1dGf9Hh3Pa7]] value",
  "mail from [[bob.smith+x@example.co.uk]] came",
  "pem [[-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----]] end",
  "pem [[-----BEGIN EC PRIVATE KEY-----\nMIIEcut in the mid]]",
}

-- What an investigation lives by.
local KEPT = {
  "token_server:handle_call/3", "secret:run/2", "gen_server:loop/7", "<0.123.0>", "#Ref<0.1.2.3>", "max_tokens=4096",
  "token_count: 5", "password_ttl=30", "the password is wrong, try again", "cookie: undefined", "shop@127.0.0.1",
  "amqp://guest@localhost", "/usr/lib/erlang/lib/stdlib-4.2/ebin/lists.beam", "Elixir.Shop.TokenServer",
  "a <secret:9> b", "{badmatch,{error,timeout}}",
  "process_info(Pid, message_queue_len)", "session_cookies, tokens and keys",
}

describe("privacy", function()
  for _, text in ipairs(HIDDEN) do
    local secret = text:match "%[%[(.*)%]%]"
    it("hides " .. secret:sub(1, 40):gsub("\n", " "), function()
      local before, after = text:match "^(.-)%[%[", text:match ".*%]%](.*)$"
      local cleaned = privacy.new():text(text:gsub("%[%[", ""):gsub("%]%]", "") .. "")
      assert.is_nil(cleaned:find(secret, 1, true))
      assert.equal(before, cleaned:sub(1, #before))
      assert.equal(after, cleaned:sub(#cleaned - #after + 1))
      assert.matches("^<%a+:%x+>$", cleaned:sub(#before + 1, #cleaned - #after))
    end)
  end

  it("leaves alone what is none", function()
    local p = privacy.new()
    for _, text in ipairs(KEPT) do assert.equal(text, p:text(text)) end
  end)

  it("gives the same secret the same name wherever it stands, and others another", function()
    local p = privacy.new()
    local one = p:text("password=hunter2"):match "^password=(<secret:%x+>)$"
    local other = p:text("password=other"):match "^password=(<secret:%x+>)$"
    assert.are_not.equal(one, other)
    assert.equal(("amqp://a:%s@mq/ and passwd: %s"):format(one, other), p:text "amqp://a:hunter2@mq/ and passwd: other")
    assert.equal(one, p:text "hunter2")
    assert.matches("^a <email:%x+> b$", p:text "a x@example.org b")
  end)

  it("changes nothing that it has cleaned before", function()
    local p = privacy.new()
    for _, text in ipairs(HIDDEN) do
      local once = p:text((text:gsub("%[%[", ""):gsub("%]%]", "")))
      assert.equal(once, p:text(once))
    end
  end)

  it("keeps a node's name that looks like an e-mail address", function()
    local p = privacy.new { "rabbit@db1.example.com" }
    assert.matches("^rabbit@db1%.example%.com <email:%x+>$", p:text "rabbit@db1.example.com rabbit@db2.example.com")
  end)

  it("takes out what no eye sees", function()
    local p = privacy.new()
    assert.equal("red alert", p:text "\27[31mred\27[0m \27]0;title\7alert")
    assert.equal("a\tb\nc", p:text "a\tb\r\nc\0\1\127")
    assert.equal("ignore", p:text "ig\226\128\139no\226\129\160re\239\184\143\243\160\129\161\226\128\174")
    assert.equal("ab", p:text "a\226\128\226\128\139\139b")
    assert.equal("Grüße € 漢 𝒳", p:text "Grüße € 漢 𝒳")
  end)

  it("sees a secret behind what no eye sees", function()
    assert.matches("^password=<secret:%x+>$", privacy.new():text "pass\226\128\139word=hun\226\128\139ter2")
  end)

  it("hides a secret of our own inside other words too, and where it was taken apart", function()
    local p = privacy.new()
    p:know "MONSTERCOOKIE"
    local name = p:text "MONSTERCOOKIE"
    assert.matches("^<secret:%x+>$", name)
    assert.equal(("beam.smp -x%s-y and %s"):format(name, name),
      p:text "beam.smp -xMONSTERCOOKIE-y and MON\226\128\139STERCOOKIE")
  end)

  it("knows again what its names stand for, but for secrets of our own", function()
    local p = privacy.new()
    p:know "MONSTERCOOKIE"
    local dsn, cookie = p:text "postgres://shop:hunter2@db/orders", p:text "MONSTERCOOKIE"
    assert.equal("postgres://shop:hunter2@db/orders", p:original(dsn))
    assert.equal(cookie .. " <secret:0123456789ab>", p:original(cookie .. " <secret:0123456789ab>"))
    assert.equal("no name", p:original "no name")
  end)

  it("cuts long strings between characters, and says how long they were", function()
    local p = privacy.new()
    local cut = p:text(("é "):rep(5000))
    assert.matches("^[é ]+… %(cut: 15000 bytes in all%)$", cut)
    assert.is_true(#cut < privacy.longest + 50)
    assert.equal(json.encode(cut):find("\239\191\189", 1, true), nil)
  end)

  it("leaves a string whole that is written down and not shown, and hides the same in it", function()
    local p, long = privacy.new(), ("é "):rep(4000)
    assert.equal(long, (p:uncut(long)))
    assert.equal(p:text "postgres://shop:hunter2@db/orders", (p:uncut "postgres://shop:hunter2@db/orders"))
  end)

  it("shows no half of a secret at the cut", function()
    local key = "sk-ant-" .. ("k"):rep(60)
    for _, at in ipairs { privacy.longest - 10, 16384 - 20 } do
      local cleaned = privacy.new():text(("x "):rep(at / 2) .. key .. (" y"):rep(10000))
      assert.is_nil(cleaned:find("sk-ant", 1, true))
    end
  end)

  it("shows no half of a secret where it stops reading", function()
    local pem = "-----BEGIN RSA PRIVATE KEY-----\n" .. ("A"):rep(16300) .. "\n-----END RSA PRIVATE KEY----- "
    local cleaned = privacy.new():text(pem .. "sk-ant-" .. ("k"):rep(60))
    assert.matches("^<secret:%x+> … %(cut: 16430 bytes in all%)$", cleaned)
  end)

  describe("of values", function()
    it("cleans keys and strings, keeps numbers, booleans and shape", function()
      local p = privacy.new()
      local given = { n = 5, ok = true, list = { 1, "x@example.org", { deep = "pwd=abcd" } },
        ["a@example.org"] = 1, none = json.null }
      local out = p:clean(given)
      assert.same({ n = 5, ok = true, list = { 1, p:text "x@example.org", { deep = "pwd=" .. p:text "abcd" } },
        [p:text "a@example.org"] = 1, none = json.null }, out)
      assert.equal("x@example.org", given.list[2])
    end)

    it("hides every text below a field that is named as a secret", function()
      local p = privacy.new()
      local out = p:clean { password = "hunter2", cookies = { "sid=abc", { "theme=x" } }, access_token = "",
        token_count = "5", api_key = json.null, secret = 7 }
      assert.same({ password = p:text "hunter2", cookies = { p:text "sid=abc", { p:text "theme=x" } },
        access_token = "", token_count = "5", api_key = json.null, secret = 7 }, out)
      assert.matches("^<secret:%x+>$", out.password)
      assert.matches("^<secret:%x+>$", out.cookies[2][1])
    end)

    it("hides the pairs of property lists as the codec brings them", function()
      local p = privacy.new()
      local out = p:clean { options = { etf.tuple(etf.A.password, "hunter2"), etf.tuple(etf.A.port, 5432),
        etf.tuple(etf.A.cookie, etf.A.monster) } }
      assert.same({ { "password", p:text "hunter2" }, { "port", 5432 }, { "cookie", p:text "monster" } }, out.options)
      assert.is_nil(json.encode(out):find("hunter2", 1, true))
      assert.is_nil(json.encode(out):find("monster", 1, true))
    end)

    it("keeps an empty object an object", function()
      assert.equal('{"rows":[],"state":{}}', json.encode(privacy.new():clean { state = json.object {}, rows = {} }))
    end)

    it("keeps apart two keys that look alike once cleaned", function()
      local out = privacy.new():clean { ["ab"] = 1, ["a\1b"] = 1 }
      assert.same({ ab = 1, ["ab~"] = 1 }, out)
    end)
  end)
end)
