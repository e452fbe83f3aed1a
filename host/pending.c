#include "bl.h"
int bl_worker_main(void);
__attribute__((weak)) int luaopen_etf(lua_State *L) { lua_newtable(L); return 1; }
__attribute__((weak)) int luaopen_http(lua_State *L) { lua_newtable(L); return 1; }
__attribute__((weak)) int bl_worker_main(void) { return 70; }
