/* bl.h -- what the files of the host share: Lua, the list of modules, files, two ways to fail. */
#ifndef BL_H
#define BL_H

#include <stddef.h>

#include <lauxlib.h>
#include <lua.h>

/* Puts every module of the host, luv and cjson into package.preload, and the finder of
 * embedded Lua into package.loaders. */
int luaopen_host(lua_State *L);

int luaopen_crypto(lua_State *L);
int luaopen_datagram(lua_State *L);
int luaopen_db(lua_State *L);
int luaopen_etf(lua_State *L);
int luaopen_files(lua_State *L);
int luaopen_http(lua_State *L);
int luaopen_interrupt(lua_State *L);
int luaopen_jail(lua_State *L);
int luaopen_pty(lua_State *L);

/* The bytes of one of our own files ("runtime/main.lua"), from the checkout beside the
 * program, else embedded. NULL if there is none; else to be freed by the caller. */
char *bl_file_read(const char *path, size_t *len);

/* Compiles and leaves on the stack one of our own Lua files. 0, or a Lua error code
 * with the message on the stack. */
int bl_file_load(lua_State *L, const char *path);

/* An expected failure: leaves nil, "what: why" on the stack, to be returned as it is. */
int bl_fail(lua_State *L, const char *what, const char *why);

/* Has a SIGHUP wait until the program is ready to hear it. */
void bl_hold_hangup(void);

/* Ends the program because there is no memory; see bl.c for why. */
void bl_no_memory(void) __attribute__((noreturn));

#endif
