local uv = require "luv"
local database = require "host.db"
local ours = require "host.files"

describe("host.db", function()
  local db

  before_each(function()
    db = assert(database.open ":memory:")
    assert(db:exec "create table note (id integer primary key, body unique)")
  end)

  after_each(function() db:close() end)

  local function back(value)
    assert(db:run("insert into note (body) values (?)", value))
    return assert(db:rows "select body from note")[1].body
  end

  it("gives back what it took", function()
    for _, value in ipairs { 0, -1, 2 ^ 53, -2 ^ 53, 0.5, 1e300, 1 / 0, "", "ä\0b", "'); drop table note; --" } do
      assert(db:run "delete from note")
      assert.equal(value, back(value))
    end
  end)

  it("leaves a column out of the row when it is null", function() assert.is_nil(back(nil)) end)

  it("stores what is no number as null", function() assert.is_nil(back(0 / 0)) end)

  it("stores true as 1", function() assert.equal(1, back(true)) end)

  it("stores whole numbers as integers, which indexes and shells expect", function()
    back(2 ^ 53)
    assert.equal("integer", db:rows("select typeof(body) as kind from note")[1].kind)
  end)

  it("gives rows in the order of the statement", function()
    assert(db:run("insert into note (body) values (?), (?), (?)", "b", "c", "a"))
    local bodies = {}
    for i, row in ipairs(db:rows("select body from note order by body limit ?", 2)) do bodies[i] = row.body end
    assert.same({ "a", "b" }, bodies)
  end)

  it("returns a reason for what the data or the SQL did wrong", function()
    back "once"
    assert.same({ nil, "db: UNIQUE constraint failed: note.body" },
      { db:run("insert into note (body) values (?)", "once") })
    assert.same({ nil, 'db: near "selec": syntax error' }, { db:rows "selec 1" })
    assert.same({ nil, "db: no such table: nowhere" }, { db:exec "delete from nowhere" })
    assert.same({ nil, "/no/such/folder/x: unable to open database file" },
      { database.open "/no/such/folder/x" })
  end)

  it("counts the rows that this statement changed, and names the last one", function()
    assert.same({ 2, 2 }, { db:run("insert into note (body) values (?), (?)", "a", "b") })
    assert.equal(0, (db:run "begin"))
  end)

  it("raises what only a wrong caller can cause", function()
    assert.error_matches(function() db:run("select ?", 1, 2) end, "2 values for 1 parameters")
    assert.error_matches(function() db:run("select ?", {}) end, "nil, a boolean, a number or a string")
    assert.error_matches(function() db:run "delete from note; drop table note" end, "one statement at a time")
    assert.error_matches(function() db:rows "" end, "one statement at a time")
  end)

  it("closes twice, and says so when used after that", function()
    db:close()
    db:close()
    assert.error_matches(function() db:exec "select 1" end, "db: closed")
  end)

  it("ends the program with 70 when memory runs out", function()
    local script = os.tmpname() .. ".lua"
    local file = assert(io.open(script, "w"))
    file:write [[
      local db = require("host.db").open ":memory:"
      db:exec "pragma hard_heap_limit = 1000000"
      db:rows "select zeroblob(100000000) || 1"]]
    file:close()
    local p = io.popen(("'%s' %s 2>&1; echo $?"):format(ours.exe, script))
    local said = p:read "*a"
    p:close()
    os.remove(script)
    assert.equal("beamlens-run: out of memory\n70\n", said)
  end)

  describe("on a file", function()
    local path, one

    before_each(function()
      path = os.tmpname()
      one = assert(database.open(path))
      assert(one:exec "pragma journal_mode = wal; create table note (body)")
    end)

    after_each(function()
      one:close()
      os.remove(path)
    end)

    it("is through with a statement that found the file locked", function()
      local other = assert(database.open(path))
      assert(other:exec "begin immediate")
      assert.same({ nil, "db: database is locked" }, { one:run "insert into note values (1)" })
      other:close()
      assert.is_true(one:exec "vacuum")
    end)

    it("leaves nothing open behind a statement that was refused", function()
      for _ = 1, 2 do pcall(one.rows, one, "select ?", {}) end
      one:close()
      assert.is_nil(uv.fs_stat(path .. "-wal"))
    end)
  end)
end)
