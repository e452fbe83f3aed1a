/* etf_fuzz.c -- throws bytes at the codec (libFuzzer, clang).
 *
 * Promises under test: no read outside the input and no leak (the sanitizers watch), no raise,
 * decode, exact or not, and json agree on what is a term, json is UTF-8 that a JSON library takes,
 * and what was decoded can be encoded again to bytes that mean the same.
 *
 *   make fuzz                 ten minutes over a copy of the corpus, in build/fuzz
 *   build/etf_fuzz FILE       one input again, such as a crash-* that a run left behind
 *   build/etf_fuzz -set_cover_merge=1 spec/fuzz/corpus build/fuzz     keep what a run found new
 *
 * spec/fuzz/corpus.escript made the first of the corpus with a real Erlang. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etf.h"

#define STALE 20000  /* inputs until a fresh Lua state */

int luaopen_cjson(lua_State *L);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static lua_State *L;

static void broken(const char *promise) {
  fprintf(stderr, "broken promise: %s\n", promise);
  if (L && lua_gettop(L) > 0 && lua_isstring(L, -1)) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  abort();
}

/* Lua's memory from malloc, so that AddressSanitizer sees each piece. */
static void *allocate(void *none, void *old, size_t old_size, size_t size) {
  (void)none;
  (void)old_size;
  if (size > 0) return realloc(old, size);
  free(old);
  return NULL;
}

static void open_state(void) {
  if (L) lua_close(L);
  L = lua_newstate(allocate, NULL);
  if (!L) broken("no Lua state");
  lua_pushcfunction(L, luaopen_etf);
  lua_call(L, 0, 1);
  lua_setglobal(L, "etf");
  lua_pushcfunction(L, luaopen_cjson);
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "decode_max_depth");
  lua_pushinteger(L, 2 * ETF_MAX_DEPTH);
  lua_call(L, 1, 0);
  lua_setglobal(L, "cjson");
  lua_settop(L, 0);
}

/* Calls module[name] with the value at `argument`; two results. */
static int call(const char *module, const char *name, int argument) {
  lua_getglobal(L, module);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
  lua_pushvalue(L, argument);
  return lua_pcall(L, 1, 2, 0);
}

/* Two results, as `call`. */
static int decode(int argument, int exact) {
  lua_getglobal(L, "etf");
  lua_getfield(L, -1, "decode");
  lua_remove(L, -2);
  lua_pushvalue(L, argument);
  lua_pushinteger(L, 1);
  lua_pushboolean(L, exact);
  return lua_pcall(L, 3, 2, 0);
}

static int is_utf8(const char *text, size_t length) {
  size_t n;
  for (size_t i = 0; i < length; i += n) {
    n = etf_utf8_length((const unsigned char *)text + i, length - i);
    if (n == 0) return 0;
  }
  return 1;
}

static void check_json(int input, int expected) {
  if (call("etf", "json", input)) broken("json does not raise");
  if (!lua_isnil(L, -2) != expected) broken("decode and json agree on what is a term");
  if (!expected) return;
  size_t length;
  const char *text = lua_tolstring(L, -2, &length);
  if (!is_utf8(text, length)) broken("json is UTF-8");
  if (call("cjson", "decode", lua_gettop(L) - 1)) broken("json is JSON");
}

/* Whole floats have become integers and keys given twice one, so the first round may change the
 * bytes; a second one has nothing left to change but the order of keys. */
static void check_return(int term, int exact) {
  if (call("etf", "encode", term)) broken("what was decoded can be encoded");
  int first = lua_gettop(L) - 1;
  if (decode(first, exact)) broken("decode does not raise");
  if (lua_isnil(L, -2)) broken("what was encoded is a term");
  if (call("etf", "encode", lua_gettop(L) - 1)) broken("what was decoded can be encoded");
  if (lua_objlen(L, first) != lua_objlen(L, -2)) broken("what was encoded comes back the same");
  if (call("etf", "json", first) || lua_isnil(L, -2)) broken("what was encoded has JSON");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  static unsigned count;
  etf_report report;
  if (count++ % STALE == 0) open_state();
  etf_check(data, size, &report);  /* on memory that ends where the input ends */
  lua_settop(L, 0);
  lua_pushliteral(L, "\203");
  lua_pushlstring(L, (const char *)data, size);
  lua_concat(L, 2);
  if (decode(1, 0)) broken("decode does not raise");
  int is_term = !lua_isnil(L, 2);
  if (!is_term && lua_type(L, 3) != LUA_TSTRING) broken("a refusal has a reason");
  check_json(1, is_term);
  if (is_term) check_return(2, 0);
  lua_settop(L, 1);
  if (decode(1, 1)) broken("an exact decode does not raise");
  if (!lua_isnil(L, 2) != is_term) broken("an exact decode agrees on what is a term");
  if (is_term) check_return(2, 1);
  return 0;
}
