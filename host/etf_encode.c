/* etf_encode.c -- Lua -> external term format. etf_value.c has what stands for what.
 *
 *   nil, cjson.null    the atom nil            string    binary
 *   whole number       integer, up to 2^53     boolean   atom
 *   other number       float                   {}        []
 *   table with t[1]    list                    table with string keys   map with binary keys
 *
 * One bad control message makes a node cut the link, so what cannot be a term is raised here. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "etf.h"

#define ROOM 16  /* enough for any head or number */

void etf_out_open(lua_State *L, etf_out *out, size_t expected) {
  *out = (etf_out){ L, NULL, 0, 0, 0 };
  if (expected > INT_MAX) luaL_error(L, "etf: more than 2 GiB");
  out->bytes = lua_newuserdata(L, expected);
  out->slot = lua_gettop(L);
  out->size = (int)expected;
}

void etf_out_grow(etf_out *out, size_t more) {
  size_t wanted = (size_t)out->used + more, size = 2 * (size_t)out->size;
  if (wanted > INT_MAX) luaL_error(out->L, "etf: more than 2 GiB");
  if (size < wanted) size = wanted;
  if (size > INT_MAX) size = INT_MAX;
  char *bytes = lua_newuserdata(out->L, size);
  memcpy(bytes, out->bytes, (size_t)out->used);
  lua_replace(out->L, out->slot);  /* the old piece is now the collector's */
  out->bytes = bytes;
  out->size = (int)size;
}

static void put(etf_out *out, const char *bytes, size_t length) {
  etf_room(out, length);
  memcpy(out->bytes + out->used, bytes, length);
  out->used += (int)length;
}

static void put_atom(etf_out *out, const char *name, size_t length) {
  if (!etf_is_atom_name(name, length)) {
    luaL_error(out->L, "etf: an atom is UTF-8 of at most 255 characters");
  }
  etf_room(out, length + ROOM);
  ei_encode_atom_len_as(out->bytes, &out->used, name, (int)length, ERLANG_UTF8, ERLANG_UTF8);
}

static void put_binary(etf_out *out, int at) {
  size_t length;
  const char *bytes = lua_tolstring(out->L, at, &length);
  etf_room(out, length + ROOM);
  ei_encode_binary(out->bytes, &out->used, bytes, (long)length);
}

static void put_number(etf_out *out, double x) {
  if (!isfinite(x)) luaL_error(out->L, "etf: Erlang has no infinity and no nan");
  etf_room(out, ROOM);
  int whole = x == floor(x) && fabs(x) <= 0x1p53 && !(x == 0 && signbit(x));
  if (whole) ei_encode_longlong(out->bytes, &out->used, (long long)x);
  else ei_encode_double(out->bytes, &out->used, x);
}

static void put_term(etf_out *out, int at, int depth);

static void put_items(etf_out *out, int at, size_t count, int depth) {
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(out->L, at, (int)i);
    put_term(out, lua_gettop(out->L), depth);
    lua_pop(out->L, 1);
  }
}

/* A list that also has named keys would lose them without a word. */
static void refuse_named_keys(lua_State *L, int at, size_t count) {
  lua_pushinteger(L, (lua_Integer)count);
  while (lua_next(L, at)) {
    if (lua_type(L, -2) != LUA_TNUMBER) {
      luaL_error(L, "etf: a table with both list items and named keys is neither list nor map");
    }
    lua_pop(L, 1);
  }
}

static void put_list(etf_out *out, int at, int depth) {
  size_t count = lua_objlen(out->L, at);
  if (count > 0) refuse_named_keys(out->L, at, count);
  etf_room(out, ROOM);
  ei_encode_list_header(out->bytes, &out->used, (long)count);  /* [] if there are none */
  put_items(out, at, count, depth);
  etf_room(out, ROOM);
  if (count > 0) ei_encode_empty_list(out->bytes, &out->used);
}

static void put_improper(etf_out *out, int at, int depth) {
  size_t count = lua_objlen(out->L, at);
  if (count > 0) {
    etf_room(out, ROOM);
    ei_encode_list_header(out->bytes, &out->used, (long)count);
    put_items(out, at, count, depth);
  }
  lua_pushliteral(out->L, "tail");
  lua_rawget(out->L, at);
  put_term(out, lua_gettop(out->L), depth);
  lua_pop(out->L, 1);
}

static void put_tuple(etf_out *out, int at, int depth) {
  size_t count = lua_objlen(out->L, at);
  etf_room(out, ROOM);
  ei_encode_tuple_header(out->bytes, &out->used, (long)count);
  put_items(out, at, count, depth);
}

static void put_map(etf_out *out, int at, int atom_keys, int depth) {
  lua_State *L = out->L;
  int head = out->used;
  long count = 0;
  etf_room(out, ROOM);
  ei_encode_map_header(out->bytes, &out->used, 0);
  lua_pushnil(L);
  while (lua_next(L, at)) {
    int value = lua_gettop(L), key = value - 1;
    if (atom_keys && lua_type(L, key) == LUA_TSTRING) {
      size_t length;
      const char *name = lua_tolstring(L, key, &length);
      put_atom(out, name, length);
    } else put_term(out, key, depth);
    put_term(out, value, depth);
    lua_settop(L, key);
    count++;
  }
  ei_encode_map_header(out->bytes, &head, count);  /* over the first one */
}

static void put_table(etf_out *out, int at, int depth) {
  lua_State *L = out->L;
  if (depth > ETF_MAX_DEPTH) {
    luaL_error(L, "etf: nested deeper than %d; does a table contain itself?", ETF_MAX_DEPTH);
  }
  luaL_checkstack(L, 8, "etf");
  switch (etf_kind_of(L, at)) {
    case ETF_TUPLE:      put_tuple(out, at, depth); break;
    case ETF_IMPROPER:   put_improper(out, at, depth); break;
    case ETF_ATOM_MAP:   put_map(out, at, 1, depth); break;
    case ETF_BINARY_MAP:
    case ETF_OTHER_MAP:  put_map(out, at, 0, depth); break;
    default:
      lua_pushnil(L);
      if (lua_objlen(L, at) == 0 && lua_next(L, at)) {
        lua_pop(L, 2);
        put_map(out, at, 0, depth);
        break;
      }
      lua_settop(L, lua_gettop(L) - (lua_objlen(L, at) > 0));
      put_list(out, at, depth);
  }
}

static void put_term(etf_out *out, int at, int depth) {
  lua_State *L = out->L;
  switch (lua_type(L, at)) {
    case LUA_TNIL:
    case LUA_TLIGHTUSERDATA: put_atom(out, "nil", 3); break;
    case LUA_TBOOLEAN:
      if (lua_toboolean(L, at)) put_atom(out, "true", 4);
      else put_atom(out, "false", 5);
      break;
    case LUA_TNUMBER: put_number(out, lua_tonumber(L, at)); break;
    case LUA_TSTRING: put_binary(out, at); break;
    case LUA_TTABLE:  put_table(out, at, depth + 1); break;
    case LUA_TUSERDATA:
      if (etf_kind_of(L, at) != ETF_NONE) {
        put(out, lua_touserdata(L, at), lua_objlen(L, at));
        break;
      } /* fall through */
    default:
      luaL_error(L, "etf: a %s has no Erlang form", luaL_typename(L, at));
  }
}

static void put_versioned(etf_out *out, int at) {
  etf_room(out, ROOM);
  ei_encode_version(out->bytes, &out->used);
  put_term(out, at, 0);
}

/* etf.encode(term) -> bytes, the 131 first. Raises what has no Erlang form. */
int etf_f_encode(lua_State *L) {
  etf_out out;
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  etf_out_open(L, &out, 500);
  put_versioned(&out, 1);
  lua_pushlstring(L, out.bytes, (size_t)out.used);
  return 1;
}

/* etf.frame(control [, payload]) -> the bytes of one message between nodes: its length in four
 * bytes, 'p', the terms. A payload of nil is none; the atom is etf.A["nil"]. */
int etf_f_frame(lua_State *L) {
  etf_out out;
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  etf_out_open(L, &out, 500);
  put(&out, "\0\0\0\0p", 5);
  put_versioned(&out, 1);
  if (!lua_isnil(L, 2)) put_versioned(&out, 2);
  uint32_t length = (uint32_t)out.used - 4;
  for (int i = 0; i < 4; i++) out.bytes[i] = (char)(length >> (24 - 8 * i));
  lua_pushlstring(L, out.bytes, (size_t)out.used);
  return 1;
}
