/* etf_make.c -- terms that a script makes: tuples, maps with atom keys, floats, charlists, pids,
 * references, ready bytes. What cannot be such a term is the caller's mistake and raised. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "etf.h"

/* etf.tuple(...) -> a tuple of its arguments; nil becomes the atom nil */
int etf_f_tuple(lua_State *L) {
  int n = lua_gettop(L);
  lua_createtable(L, n, 0);
  for (int i = 1; i <= n; i++) {
    if (lua_isnil(L, i)) etf_push_atom(L, "nil", 3);
    else lua_pushvalue(L, i);
    lua_rawseti(L, -2, i);
  }
  lua_pushvalue(L, ETF_METATABLE(ETF_TUPLE));
  lua_setmetatable(L, -2);
  return 1;
}

/* etf.amap(t) -> t, whose string keys are now sent as atoms */
int etf_f_amap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushvalue(L, ETF_METATABLE(ETF_ATOM_MAP));
  lua_setmetatable(L, 1);
  return 1;
}

/* etf.float(x) -> an object sent as a float even if x is whole */
int etf_f_float(lua_State *L) {
  double x = luaL_checknumber(L, 1);
  char raw[16];
  int used = 0;
  luaL_argcheck(L, isfinite(x), 1, "Erlang has no infinity and no nan");
  ei_encode_double(raw, &used, x);
  etf_push_object(L, ETF_FLOAT, raw, (size_t)used);
  return 1;
}

static unsigned long code_point(const unsigned char *s, size_t n) {
  unsigned long c = n == 1 ? s[0] : s[0] & (0xFFu >> (n + 1));
  for (size_t i = 1; i < n; i++) c = c << 6 | (s[i] & 0x3F);
  return c;
}

/* etf.chars(text) -> the charlist of this UTF-8 text */
int etf_f_chars(lua_State *L) {
  size_t length, n, plain = 0;
  const unsigned char *text = (const unsigned char *)luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length < INT_MAX / 8, 1, "too long for a charlist");
  long count = 0;
  for (size_t i = 0; i < length; i += n, count++) {
    n = etf_utf8_length(text + i, length - i);
    luaL_argcheck(L, n > 0, 1, "UTF-8 wanted");
    if (n == 1) plain++;
  }
  etf_out out;
  etf_out_open(L, &out, 8 * length + 8);
  if (plain == length) {
    ei_encode_string_len(out.bytes, &out.used, (const char *)text, (int)length);
  } else {
    ei_encode_list_header(out.bytes, &out.used, count);
    for (size_t i = 0; i < length; i += n) {
      n = etf_utf8_length(text + i, length - i);
      ei_encode_ulong(out.bytes, &out.used, code_point(text + i, n));
    }
    ei_encode_empty_list(out.bytes, &out.used);
  }
  etf_push_object(L, ETF_CHARS, out.bytes, (size_t)out.used);
  return 1;
}

/* etf.raw(bytes) -> an object sent as these bytes: one term, without the 131 */
int etf_f_raw(lua_State *L) {
  size_t length;
  etf_report report;
  const char *raw = luaL_checklstring(L, 1, &length);
  size_t used = length > INT_MAX ? 0 : etf_check((const unsigned char *)raw, length, &report);
  luaL_argcheck(L, used > 0 && used == length, 1, "exactly one term without its 131 wanted");
  etf_push_new(L, ETF_RAW, raw, length);
  return 1;
}

static void check_node(lua_State *L, char *node) {
  char room[MAXATOMLEN_UTF8];
  int index = 0;
  size_t length;
  const char *name = etf_kind_of(L, 1) == ETF_ATOM
    ? etf_atom_name(lua_touserdata(L, 1), &index, room, &length)
    : luaL_checklstring(L, 1, &length);
  int good = etf_is_atom_name(name, length) && !memchr(name, 0, length);
  luaL_argcheck(L, good, 1, "the name of a node wanted");
  memcpy(node, name, length);
  node[length] = 0;
}

static unsigned check_word(lua_State *L, int arg) {
  lua_Number n = luaL_checknumber(L, arg);
  luaL_argcheck(L, n >= 0 && n <= 0xFFFFFFFFu && n == floor(n), arg, "a number of 32 bits wanted");
  return (unsigned)n;
}

/* etf.pid(node, id, serial, creation) -> pid.  The node is a string or an atom. */
int etf_f_pid(lua_State *L) {
  erlang_pid pid = { .num = check_word(L, 2), .serial = check_word(L, 3) };
  char raw[MAXATOMLEN_UTF8 + 32];
  int used = 0;
  pid.creation = check_word(L, 4);
  check_node(L, pid.node);
  ei_encode_pid(raw, &used, &pid);
  etf_push_object(L, ETF_PID, raw, (size_t)used);
  return 1;
}

/* etf.ref(node, creation, { word, ... }) -> reference of one to five words */
int etf_f_ref(lua_State *L) {
  erlang_ref ref = { .creation = check_word(L, 2) };
  char raw[MAXATOMLEN_UTF8 + 32];
  int used = 0;
  luaL_checktype(L, 3, LUA_TTABLE);
  ref.len = (int)lua_objlen(L, 3);
  luaL_argcheck(L, ref.len >= 1 && ref.len <= 5, 3, "one to five words wanted");
  for (int i = 0; i < ref.len; i++) {
    lua_rawgeti(L, 3, i + 1);
    ref.n[i] = check_word(L, -1);
    lua_pop(L, 1);
  }
  check_node(L, ref.node);
  ei_encode_ref(raw, &used, &ref);
  etf_push_object(L, ETF_REF, raw, (size_t)used);
  return 1;
}
