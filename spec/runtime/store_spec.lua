local uv = require "luv"
local async = require "runtime.async"
local database = require "host.db"
local ours = require "host.files"
local store = require "runtime.store"

local folder, path

local function write(name, text, mode)
  local file = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
  uv.fs_chmod(name, mode or 384)
end

local function refusal(file)
  local opened, err = store.open(file or path)
  assert.is_nil(opened)
  assert.same({ "store", 2 }, { err.stage, err.exit })
  return tostring(err)
end

local function mode(file) return ("%o"):format(uv.fs_stat(file).mode % 512) end

local METRICS = { ["beam.total_mb"] = { kind = "gauge", window = { 1, 2.5, 3 }, base = { median = 2.5 } } }

describe("store", function()
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    uv.fs_mkdir(folder, 448)
    path = folder .. "/store.db"
  end)
  after_each(function() os.execute(("rm -rf '%s'"):format(folder)) end)

  it("knows in the next run what was kept in this one", function()
    local s = assert(store.open(path))
    assert(s:keep_baselines("shop@host", METRICS, { state = "active" }))
    s:close()
    s = assert(store.open(path))
    assert.same({ METRICS, { state = "active" } }, { s:baselines "shop@host" })
    s:close()
  end)

  it("keeps one node from another", function()
    local s = assert(store.open(path))
    assert(s:keep_baselines("shop@host", METRICS, {}))
    assert.same({ {} }, { s:baselines "other@host" })
    s:close()
  end)

  it("keeps nothing in :memory:", function()
    local s = assert(store.open ":memory:")
    assert(s:keep_baselines("shop@host", METRICS, {}))
    s:close()
    s = assert(store.open ":memory:")
    assert.same({}, (s:baselines "shop@host"))
    s:close()
  end)

  it("can be read by its owner alone, with all that lies beside it", function()
    path = folder .. "/deep/store.db"
    local s = assert(store.open(path))
    assert(s:keep_baselines("shop@host", METRICS, {}))
    assert.same({ "700", "600", "600", "600" },
      { mode(folder .. "/deep"), mode(path), mode(path .. "-wal"), mode(path .. "-shm") })
    s:close()
  end)

  it("loses nothing to a kill -9", function()
    local script = folder .. "/keep.lua"
    write(script, ([[
      local s = assert(require("runtime.store").open %q)
      for n = 1, 100 do assert(s:keep_baselines("shop@host", { ["a.b"] = { n = n } }, {})) end
      require("luv").kill(require("luv").os_getpid(), "sigkill")]]):format(path))
    os.execute(("'%s' %s 2> %s/said"):format(ours.exe, script, folder))
    local s = assert(store.open(path))
    assert.same({ ["a.b"] = { n = 100 } }, (s:baselines "shop@host"))
    s:close()
  end)

  it("keeps all of it or nothing", function()
    local s = assert(store.open(path))
    assert(s:keep_baselines("shop@host", { a = { n = 1 }, b = { n = 1 } }, {}))
    assert.has_error(function() s:keep_baselines("shop@host", { a = { n = 2 }, b = print }, {}) end)
    s:close()
    s = assert(store.open(path))
    assert.same({ a = { n = 1 }, b = { n = 1 } }, (s:baselines "shop@host"))
    s:close()
  end)

  it("says that somebody else is writing", function()
    local s = assert(store.open(path))
    local other = assert(database.open(path))
    assert(other:exec "begin immediate")
    local ok, err = async.run(function() return s:keep_baselines("shop@host", METRICS, {}) end)
    assert.same({ nil, path .. ": database is locked; another beamlens-run writes to it: try again" },
      { ok, tostring(err) })
    other:close()
    assert.is_true(s:keep_baselines("shop@host", METRICS, {}))
    s:close()
  end)

  it("brings a store of before there were actions up to date, and keeps what it has", function()
    local s = assert(store.open(path))
    assert(s:keep_baselines("shop@host", METRICS, {}))
    s:close()
    local db = assert(database.open(path))
    for _, name in ipairs { "actions", "nonces", "audit", "runs", "notifications", "insights", "observations",
      "history", "events", "feedback" } do assert(db:exec("drop table " .. name)) end
    assert(db:exec "pragma user_version = 1")
    db:close()
    s = assert(store.open(path))
    assert.same(METRICS, (s:baselines "shop@host"))
    assert.same({ {}, {} }, { s:rows "select * from actions", s:rows "select * from runs" })
    s:close()
  end)

  it("brings a store of before there was feedback up to date, with the runs that it has", function()
    assert(store.open(path)):close()
    local db = assert(database.open(path))
    assert(db:exec [[drop table feedback; alter table runs drop column cassette; pragma user_version = 3;
      insert into runs (trace_id, node, skills, reason, mind, started_at, process)
      values ('ab', 'n@h', '[]', '', 'analyst', 1, '')]])
    db:close()
    local s = assert(store.open(path))
    assert.same({ { { trace_id = "ab" } }, {} },
      { s:rows "select trace_id, cassette from runs", s:rows "select * from feedback" })
    s:close()
  end)

  describe("a transaction", function()
    local s
    local ADD = "insert into nonces values (?)"
    local function nonces() return assert(s:rows "select nonce from nonces order by nonce") end
    before_each(function() s = assert(store.open(path)) end)
    after_each(function() s:close() end)

    it("keeps what was written, and returns what its function does", function()
      assert.equal("kept", s:transaction(function(db) return db:run(ADD, "a") and "kept" end))
      assert.same({ { nonce = "a" } }, nonces())
    end)

    it("keeps nothing when its function returns nil, and tells why", function()
      local kept, err = s:transaction(function(db)
        assert(db:run(ADD, "a"))
        return nil, "db: UNIQUE constraint failed"
      end)
      assert.same({ nil, path .. ": UNIQUE constraint failed; make room, or mend the file" }, { kept, tostring(err) })
      assert.same({}, nonces())
    end)

    it("keeps nothing when its function raises, and lets that through", function()
      assert.has_error(function()
        s:transaction(function(db)
          assert(db:run(ADD, "a"))
          error("a bug", 0)
        end)
      end, "a bug")
      assert.same({}, nonces())
    end)

    it("waits for another that writes", function()
      local other = assert(database.open(path))
      assert(other:exec "begin immediate")
      async.run(function()
        local task = async.spawn(function() return s:transaction(function(db) return db:run(ADD, "a") end) end)
        async.sleep(0.05)
        assert(other:run(ADD, "b"))
        assert(other:exec "commit")
        assert.is_true((task:join()))
      end)
      other:close()
      assert.same({ { nonce = "a" }, { nonce = "b" } }, nonces())
    end)
  end)

  it("refuses a file that others may write", function()
    write(path, "", 438)
    assert.equal(path .. " may be written by others, so it is not used; chmod go-w " .. path, refusal())
  end)

  it("refuses a file that its group may write", function()
    write(path, "", 432)
    assert.matches("may be written by others", refusal())
  end)

  it("refuses a folder where others could put another file in its place", function()
    uv.fs_chmod(folder, 511)
    assert.equal(folder .. " may be written by others, so no store is kept in it; chmod o-w " .. folder, refusal())
  end)

  it("refuses what is no store, in a sentence", function()
    write(path, ("no database at all\n"):rep(100))
    assert.equal(path .. " cannot be read (file is not a database); move it away, or name another file with --store",
      refusal())
  end)

  it("refuses a store that was damaged, in a sentence", function()
    local s = assert(store.open(path))
    assert(s:keep_baselines("shop@host", METRICS, {}))
    s:close()
    local file = assert(io.open(path, "r+b"))
    file:seek("set", 100)
    file:write(("\255"):rep(3000))
    file:close()
    assert.equal(path .. " cannot be read (database disk image is malformed); move it away, or name another file "
      .. "with --store", refusal())
  end)

  it("refuses the database of another program, and leaves it as it is", function()
    local db = assert(database.open(path))
    assert(db:exec "create table theirs (x)")
    db:close()
    uv.fs_chmod(path, 384)
    assert.matches("belongs to another program", refusal())
    db = assert(database.open(path))
    assert.same({ { name = "theirs" } }, db:rows "select name from sqlite_master")
    db:close()
  end)

  it("refuses what a newer one has written", function()
    assert(store.open(path)):close()
    local db = assert(database.open(path))
    assert(db:exec "pragma user_version = 99")
    db:close()
    assert.matches("was written by a newer beamlens%-run", refusal())
  end)

  it("refuses a folder", function() assert.matches("is no file", refusal(folder)) end)

  it("says so when it cannot be made", function()
    assert.matches("^/proc/no/store.db cannot be made: ", refusal "/proc/no/store.db")
  end)
end)
