/* main.c -- the program: a Lua state with our modules, then runtime/main.lua, whose result
 * is the exit code. Called with --sandbox-worker it is the other half of the sandbox. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <luajit.h>
#include <lualib.h>

#include "bl.h"
#include "worker.h"

#ifndef BL_MAIN
#define BL_MAIN "runtime/main.lua"
#endif

static int traceback(lua_State *L) {
  if (!lua_isstring(L, 1)) return 1; /* a table is an error with a form of its own */
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

/* The script finds the command line in `arg`, as under plain Lua. */
static void set_arguments(lua_State *L, int argc, char **argv) {
  lua_createtable(L, argc - 1, 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
  lua_setglobal(L, "arg");
}

/* Started without stdin, stdout or stderr, as daemons and cron jobs do it, the next socket
 * would get that number, and what we print would go to a node. open takes the lowest free. */
static void hold_standard_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) _exit(EX_SOFTWARE);
}

static int run(lua_State *L) {
  int code;
  lua_pushcfunction(L, traceback);
  if (bl_file_load(L, BL_MAIN) || lua_pcall(L, 0, 1, -2)) {
    const char *why;
    luaL_callmeta(L, -1, "__tostring"); /* what is raised may be a table that says itself */
    why = lua_tostring(L, -1);
    fprintf(stderr, "beamlens-run: %s\n", why ? why : "an error without a text");
    return EX_SOFTWARE;
  }
  code = (int)lua_tointeger(L, -1);
  return code;
}

int main(int argc, char **argv) {
  lua_State *L;
  int code;
  if (argc > 1 && !strcmp(argv[1], "--sandbox-worker")) return bl_worker_main();
  bl_hold_hangup();
  hold_standard_streams();
  signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of the write, not our end */
  signal(SIGXFSZ, SIG_IGN); /* and so is a file that may not grow any more */
  L = luaL_newstate();
  if (!L) bl_no_memory();
  luaL_openlibs(L);
  /* LuaJIT of 2022, as Debian has it, compiles loops over pairs() that now and then end before
   * what they walk does (its issue 827). No word about a node may hang on that; our time goes by
   * elsewhere. Opening the library of that name switches the compiler on, so after it. */
  luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  luaopen_host(L);
  set_arguments(L, argc, argv);
  code = run(L);
  /* The state is not closed: luv would run close callbacks into a half-collected state, and
   * the end of the process frees all of it anyway. */
  fflush(NULL);
  return code;
}
