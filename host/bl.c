/* bl.c -- the list of modules and the two ways to fail.
 *
 * A callback of the loop that raises must not end the program: luv's own handler prints
 * and exits, ours tells and goes on. */
#include "bl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <lualib.h>
#include <luv/luv.h>

LUALIB_API int luaopen_cjson(lua_State *L);

static const luaL_Reg modules[] = {
  { "cjson",          luaopen_cjson     },
  { "host.crypto",    luaopen_crypto    },
  { "host.datagram",  luaopen_datagram  },
  { "host.db",        luaopen_db        },
  { "host.etf",       luaopen_etf       },
  { "host.files",     luaopen_files     },
  { "host.http",      luaopen_http      },
  { "host.interrupt", luaopen_interrupt },
  { "host.jail",      luaopen_jail      },
  { "host.pty",       luaopen_pty       },
  { "luv",            luaopen_luv       },
  { NULL,             NULL              }
};

static int traceback(lua_State *L) {
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

/* The first line is for everybody, the traceback for who asked for it. */
static void tell_fault(const char *text) {
  size_t shown = getenv("BEAMLENS_DEBUG") ? strlen(text) : strcspn(text, "\n");
  fprintf(stderr, "beamlens-run: fault in a callback: %.*s\n", (int)shown, text);
}

/* luv's contract: takes the function and its arguments, leaves the results; the count of
 * them is returned, or a negative error code with nothing left. */
static int guarded_call(lua_State *L, int args, int results, int flags) {
  int base = lua_gettop(L) - args, code;
  (void)flags;
  lua_pushcfunction(L, traceback);
  lua_insert(L, base);
  code = lua_pcall(L, args, results, base);
  lua_remove(L, base);
  if (code == LUA_ERRMEM) bl_no_memory();
  if (code == 0) return results == LUA_MULTRET ? lua_gettop(L) - base + 1 : results;
  tell_fault(lua_tostring(L, -1));
  lua_pop(L, 1);
  return -code;
}

/* require "runtime.gate" -> runtime/gate.lua of ours, or gate/init.lua; for any other
 * name, a message. */
static int f_find(lua_State *L) {
  const char *name = luaL_gsub(L, luaL_checkstring(L, 1), ".", "/");
  int code = bl_file_load(L, lua_pushfstring(L, "%s.lua", name));
  if (code == LUA_ERRFILE) code = bl_file_load(L, lua_pushfstring(L, "%s/init.lua", name));
  if (code == LUA_ERRFILE) lua_pushfstring(L, "\n\tno file of ours '%s.lua'", name);
  else if (code) return lua_error(L);
  return 1;
}

int luaopen_host(lua_State *L) {
  luv_set_callback(L, guarded_call);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  luaL_register(L, NULL, modules);
  /* Ours come first: nothing on the machine's Lua path may take the place of a file of ours. */
  lua_getfield(L, -2, "loaders");
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "insert");
  lua_pushvalue(L, -3);
  lua_pushinteger(L, 2);
  lua_pushcfunction(L, f_find);
  lua_call(L, 3, 0);
  lua_pop(L, 4);
  return 0;
}

int bl_fail(lua_State *L, const char *what, const char *why) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", what, why);
  return 2;
}

/* A monitor that limps on without memory reports nonsense about a healthy node. Ending is
 * honest. Never with 1: that says "findings". */
void bl_no_memory(void) {
  fputs("beamlens-run: out of memory\n", stderr);
  exit(EX_SOFTWARE); /* 70 */
}
