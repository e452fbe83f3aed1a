/* db.c -- SQLite for runtime/store.lua: open, exec, run, rows, close.
 *
 * Values reach SQLite as bound parameters only. Whole numbers are exact up to 2^53, as everywhere
 * in Lua; true and false are stored as 1 and 0, and NaN as NULL, which is SQLite's own rule. What
 * is kept, who may read it, and how durable it is, is the store's business. */
#include <math.h>
#include <string.h>

#include <sqlite3.h>

#include "bl.h"

#define TYPE      "bl.db"
#define BUSY_MS   250 /* somebody else writes to the file; the loop stands still meanwhile */
#define MAX_EXACT 0x1p53

struct db {
  sqlite3 *handle;
  sqlite3_stmt *stmt; /* the one under way: here, so that an error raised by Lua leaks nothing */
};

static void finish(struct db *d) {
  sqlite3_finalize(d->stmt);
  d->stmt = NULL;
}

/* db:close()  Twice is once. */
static int f_close(lua_State *L) {
  struct db *d = luaL_checkudata(L, 1, TYPE);
  finish(d);
  sqlite3_close(d->handle);
  d->handle = NULL;
  return 0;
}

static struct db *check_open(lua_State *L) {
  struct db *d = luaL_checkudata(L, 1, TYPE);
  if (!d->handle) luaL_error(L, "db: closed");
  return d;
}

/* The message is copied before the statement ends, which may replace it. */
static int fail(lua_State *L, struct db *d, const char *what) {
  if (sqlite3_errcode(d->handle) == SQLITE_NOMEM) bl_no_memory();
  bl_fail(L, what, sqlite3_errmsg(d->handle));
  finish(d);
  return 2;
}

/* Strings stay where they are: their stack slots outlive the statement's last step. */
static int bind(lua_State *L, sqlite3_stmt *stmt, int param, int arg) {
  size_t len;
  const char *text;
  double n;
  switch (lua_type(L, arg)) {
    case LUA_TNIL:
      return sqlite3_bind_null(stmt, param);
    case LUA_TBOOLEAN:
      return sqlite3_bind_int(stmt, param, lua_toboolean(L, arg));
    case LUA_TNUMBER:
      n = lua_tonumber(L, arg);
      if (fabs(n) > MAX_EXACT || n != floor(n)) return sqlite3_bind_double(stmt, param, n);
      return sqlite3_bind_int64(stmt, param, (sqlite3_int64)n);
    case LUA_TSTRING:
      text = lua_tolstring(L, arg, &len);
      return sqlite3_bind_text64(stmt, param, text, len, SQLITE_STATIC, SQLITE_UTF8);
    default:
      return luaL_argerror(L, arg, "nil, a boolean, a number or a string wanted");
  }
}

/* Compiles the statement at index 2 and binds the values that follow it. */
static int begin(lua_State *L, struct db *d) {
  size_t len;
  const char *sql = luaL_checklstring(L, 2, &len), *rest;
  int given = lua_gettop(L) - 2, wanted, code, i;
  finish(d);
  code = sqlite3_prepare_v2(d->handle, sql, (int)len + 1, &d->stmt, &rest);
  if (code != SQLITE_OK) return code;
  /* SQLite would leave out a second statement without a word. */
  if (!d->stmt || rest[strspn(rest, " \t\r\n;")]) luaL_error(L, "db: one statement at a time");
  wanted = sqlite3_bind_parameter_count(d->stmt);
  if (wanted != given) luaL_error(L, "db: %d values for %d parameters", given, wanted);
  for (i = 1; code == SQLITE_OK && i <= given; i++) code = bind(L, d->stmt, i, i + 2);
  return code;
}

static void push_column(lua_State *L, sqlite3_stmt *stmt, int column) {
  const char *bytes;
  switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_INTEGER:
      lua_pushnumber(L, (lua_Number)sqlite3_column_int64(stmt, column));
      break;
    case SQLITE_FLOAT:
      lua_pushnumber(L, sqlite3_column_double(stmt, column));
      break;
    case SQLITE_NULL:
      lua_pushnil(L);
      break;
    default:
      bytes = sqlite3_column_blob(stmt, column); /* NULL when empty */
      lua_pushlstring(L, bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, column));
  }
}

/* db.open(path) -> db | nil, err.  ":memory:" is a path too. */
static int f_open(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct db *d = lua_newuserdata(L, sizeof *d);
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  d->handle = NULL;
  d->stmt = NULL;
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2); /* from here on the collector owns it */
  if (sqlite3_open_v2(path, &d->handle, flags, NULL) != SQLITE_OK) return fail(L, d, path);
  sqlite3_busy_timeout(d->handle, BUSY_MS);
  return 1;
}

/* db:exec(sql) -> true | nil, err.  For schema and pragmas: many statements, no values. */
static int f_exec(lua_State *L) {
  struct db *d = check_open(L);
  if (sqlite3_exec(d->handle, luaL_checkstring(L, 2), NULL, NULL, NULL)) return fail(L, d, "db");
  lua_pushboolean(L, 1);
  return 1;
}

/* db:run(sql, ...) -> rows changed, rowid of the last insert | nil, err */
static int f_run(lua_State *L) {
  struct db *d = check_open(L);
  /* sqlite3_changes would repeat the last figure after a "begin". */
  sqlite3_int64 before = sqlite3_total_changes64(d->handle);
  int code = begin(L, d);
  if (code == SQLITE_OK)
    while ((code = sqlite3_step(d->stmt)) == SQLITE_ROW) continue;
  if (code != SQLITE_DONE) return fail(L, d, "db");
  finish(d);
  lua_pushnumber(L, (lua_Number)(sqlite3_total_changes64(d->handle) - before));
  lua_pushnumber(L, (lua_Number)sqlite3_last_insert_rowid(d->handle));
  return 2;
}

/* db:rows(sql, ...) -> { { column = value }, … } | nil, err.  All at once: write a limit. */
static int f_rows(lua_State *L) {
  struct db *d = check_open(L);
  int code = begin(L, d), count = 0, columns, i;
  if (code != SQLITE_OK) return fail(L, d, "db");
  lua_newtable(L);
  while ((code = sqlite3_step(d->stmt)) == SQLITE_ROW) {
    columns = sqlite3_column_count(d->stmt);
    lua_createtable(L, 0, columns);
    for (i = 0; i < columns; i++) {
      push_column(L, d->stmt, i);
      lua_setfield(L, -2, sqlite3_column_name(d->stmt, i));
    }
    lua_rawseti(L, -2, ++count);
  }
  if (code != SQLITE_DONE) return fail(L, d, "db");
  finish(d);
  return 1;
}

static const luaL_Reg methods[] = {
  { "close", f_close },
  { "exec",  f_exec  },
  { "rows",  f_rows  },
  { "run",   f_run   },
  { "__gc",  f_close },
  { NULL,    NULL    }
};

static const luaL_Reg functions[] = {
  { "open", f_open },
  { NULL,   NULL   }
};

int luaopen_db(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  luaL_register(L, NULL, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
