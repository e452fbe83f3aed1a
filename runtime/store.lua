--- What is kept between runs, in one SQLite file: one function for each question asked of it. What is
--- written is on the disk when the function returns, so a kill -9 takes nothing that was told.

local uv = require "luv"
local async = require "runtime.async"
local database = require "host.db"
local failure = require "runtime.failure"
local files = require "runtime.files"
local json = require "runtime.json"
local private = require "runtime.private"
local STEPS = require "runtime.store_steps"

local store = {}

local MEMORY = ":memory:"
store.MEMORY = MEMORY
local OURS = 0x626c7273 -- "blrs" in the file's head: nobody else's file is taken for ours
local PRIVATE_FOLDER, PRIVATE_FILE = 448, 384 -- 0700, 0600

---@class Store
---@field private db table
local Store = {}
Store.__index = Store

local function broken(path, why, next_step)
  return failure.new("store", ("%s %s"):format(path, why), next_step or "name another file with --store", 2)
end

local STICKY, GROUP, OTHERS = 512, 16, 2 -- S_ISVTX, S_IWGRP, S_IWOTH

local function has(mode, bit) return math.floor(mode / bit) % 2 == 1 end

-- Whoever may write it, or put another in its place, says what is usual here.
local guard
function guard(path)
  local folder = path:match "^(.*)/[^/]*$" or "."
  if folder == "" then folder = "/" end
  local about = uv.fs_stat(folder)
  if not about then
    local made, why = uv.fs_mkdir(folder, PRIVATE_FOLDER)
    if not made then return broken(path, "cannot be made: " .. why) end
    about = uv.fs_stat(folder)
  end
  if has(about.mode, OTHERS) and not has(about.mode, STICKY) then
    return broken(folder, "may be written by others, so no store is kept in it", "chmod o-w " .. folder)
  end
  local stat = uv.fs_stat(path)
  if not stat then
    local fd, why = uv.fs_open(path, "wx", PRIVATE_FILE)
    if not fd and not uv.fs_stat(path) then return broken(path, "cannot be made: " .. why) end
    if not fd then return guard(path) end -- another of us was first
    uv.fs_close(fd)
  elseif stat.type ~= "file" then
    return broken(path, "is no file")
  elseif has(stat.mode, GROUP) or has(stat.mode, OTHERS) then
    return broken(path, "may be written by others, so it is not used", "chmod go-w " .. path)
  end
end

local HEAD = [[select (select count(*) from sqlite_master) as things, (select user_version from pragma_user_version)
  as version, (select application_id from pragma_application_id) as program]]

local function head_of(db, path)
  local rows, err = db:rows(HEAD)
  if not rows then
    local folder = path:match "^(.*)/[^/]*$"
    if folder and not uv.fs_access(folder, "W") then
      return nil, broken(path, ("cannot be used: nothing may be written in %s"):format(folder),
        "make that folder writable, or name another file with --store")
    end
    return nil, broken(path, ("cannot be read (%s)"):format(err:gsub("^db: ", "")),
      "move it away, or name another file with --store")
  end
  local head = rows[1]
  if head.things > 0 and head.program ~= OURS then return nil, broken(path, "belongs to another program") end
  if head.version > #STEPS then
    return nil, broken(path, "was written by a newer beamlens-run", "use that one, or name another file with --store")
  end
  return head
end

local ATTEMPTS = 20 -- each as long as the database waits for another by itself

-- One of us at a time: who comes second finds the steps taken.
local function migrate(db, path)
  local head, err = head_of(db, path)
  if not head or head.version == #STEPS then return head, err end
  local ok, why
  for _ = 1, ATTEMPTS do
    ok, why = db:exec "begin immediate"
    if ok or not why:find("locked", 1, true) then break end
  end
  if ok then
    head, err = head_of(db, path)
    for step = head and head.version + 1 or #STEPS + 1, #STEPS do
      if ok then ok, why = db:exec(STEPS[step]) end
    end
    if ok then
      ok, why = db:exec(("pragma application_id = %d; pragma user_version = %d; commit"):format(OURS, #STEPS))
    end
  end
  if ok and head then return true end
  db:exec "rollback"
  return nil, err or broken(path, "cannot be brought up to date (" .. tostring(why):gsub("^db: ", "") .. ")")
end

--- Opens a store, and makes it where there is none.
---@param path string   ":memory:" for one that ends with us
---@return Store?
---@return Failure? err
function store.open(path)
  local fault = path ~= MEMORY and guard(path)
  if fault then return nil, fault end
  local db, err = database.open(path)
  if not db then return nil, broken(path, "cannot be opened (" .. err .. ")") end
  db:exec "pragma journal_mode = wal; pragma synchronous = full" -- of a broken file, the next question says it better
  local ok, why = migrate(db, path)
  if not ok then
    db:close()
    return nil, why
  end
  return setmetatable({ db = db, path = path }, Store)
end

local function failed(self, why)
  local next_step = why:find "malformed" and "move it away"
    or why:find("locked", 1, true) and "another beamlens-run writes to it: try again"
    or "make room, or mend the file"
  return failure.new("store", ("%s: %s"):format(self.path, (why:gsub("^db: ", ""))), next_step, 2)
end

--- What was learned of a node.
---@param node string
---@return table<string, table>? metrics
---@return table|Failure|nil monitor   what its monitor knew; or what is wrong
function Store:baselines(node)
  local rows, err = self.db:rows("select metric, body from baselines where node = ?", node)
  if not rows then return nil, failed(self, err) end
  local metrics = {}
  for _, row in ipairs(rows) do metrics[row.metric] = json.decode(row.body) end
  rows, err = self.db:rows("select body from monitors where node = ?", node)
  if not rows then return nil, failed(self, err) end
  return metrics, rows[1] and json.decode(rows[1].body)
end

local PATIENCE_S, SHORT_S, PAUSE_S = 10, 2, 0.02

--- Runs a function that writes: all of it is kept, or, where it returns nil or raises, nothing. One writer at a
--- time: what it read before it wrote, no other has changed meanwhile. It may not wait for anything.
---@param write fun(db: table): any, any
---@param seconds? number  how long it waits for another that writes, 10 if left out
---@return any kept      what it returned; nil when nothing was kept
---@return any err
function Store:transaction(write, seconds)
  local db, patience = self.db, async.now() + (seconds or PATIENCE_S)
  local ok, why = db:exec "begin immediate"
  while not ok and why:find("locked", 1, true) and async.now() < patience and async.sleep(PAUSE_S) do
    ok, why = db:exec "begin immediate"
  end
  if not ok then return nil, failed(self, why) end
  local fine, kept, err = pcall(write, db) -- what it raises is passed on, once nothing of it is left
  if fine and kept ~= nil then
    ok, why = db:exec "commit"
    if ok then return kept, err end
    kept, err = nil, failed(self, why)
  end
  db:exec "rollback"
  if not fine then error(kept, 0) end
  return nil, failure.is(err) and err or type(err) == "string" and failed(self, err) or err
end

--- Keeps what was learned of a node: all of it, or nothing.
---@param node string
---@param metrics table<string, table>
---@param monitor table
---@param gone? string[]   metrics that are kept no longer
---@return true?
---@return Failure? err
function Store:keep_baselines(node, metrics, monitor, gone)
  local now, bodies = os.time(), {}
  for metric, known in pairs(metrics) do bodies[metric] = json.encode(known) end
  local known = json.encode(monitor)
  return self:transaction(function(db)
    for metric, body in pairs(bodies) do
      local ok, err = db:run("insert or replace into baselines values (?, ?, ?, ?)", node, metric, body, now)
      if not ok then return nil, err end
    end
    for _, metric in ipairs(gone or {}) do
      local ok, err = db:run("delete from baselines where node = ? and metric = ?", node, metric)
      if not ok then return nil, err end
    end
    local ok, err = db:run("insert or replace into monitors values (?, ?, ?)", node, known, now)
    if not ok then return nil, err end
    return true
  end, SHORT_S)
end

--- The rows of a question.
---@param sql string
---@return table[]?
---@return Failure? err
function Store:rows(sql, ...)
  local rows, err = self.db:rows(sql, ...)
  if not rows then return nil, failed(self, err) end
  return rows
end

function Store:close() self.db:close() end

local shared = {} -- path -> store

local function path_of(options) return options.store or files.state_home() .. "/beamlens.db" end

--- The store of this process: the one that was named, else one at home. It stays open until `close_all`.
---@param options { store?: string }
---@return Store?
---@return Failure? err
function store.shared(options)
  local path = path_of(options)
  if shared[path] then return shared[path] end
  if not options.store then
    local ok, err = private.folder(files.state_home(), "store")
    if not ok then return nil, err end
  end
  local s, err = store.open(path)
  shared[path] = s
  return s, err
end

--- The same, for who goes on without: where the usual one cannot be used, one that ends with us.
---@param options { store?: string }
---@return Store?
---@return Failure? err   of a store that was named; beside a store: why it is not the usual one
function store.usual(options)
  local s, err = store.shared(options)
  if s or options.store then return s, err end
  return store.open(MEMORY), err
end

--- The same, for who only reads: it is not made where there is none.
---@param options { store?: string }
---@return Store|false|nil   false where nothing was ever kept
---@return Failure? err       also where a store was named that is not there
function store.kept(options)
  local path = path_of(options)
  if path == MEMORY then return false end
  if uv.fs_stat(path) then return store.shared(options) end
  if not options.store then return false end
  return nil, failure.new("store", "there is no store " .. path, "name the one that the runs were kept in", 2)
end

--- Closes what `shared` opened.
function store.close_all()
  for path, s in pairs(shared) do
    s:close()
    shared[path] = nil
  end
end

--- What somebody asks of a store that is kept, which is closed again.
---@param options { store?: string }
---@param ask fun(s: Store): any, any
---@return any answer    false where nothing was ever kept
---@return any err
function store.asked(options, ask)
  local s, err = store.kept(options)
  if not s then return s, err end
  local answer
  answer, err = ask(s)
  store.close_all()
  return answer, err
end

return store
