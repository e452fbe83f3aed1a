/* etf_value.c -- Lua's stand-ins for what Lua has no type for.
 *
 * An atom, pid, port, reference, fun, large integer, forced float, charlist or bitstring is
 * userdata that holds its own external bytes: encoding it is a copy, and a script cannot break it.
 * Equal bytes are the same object, so == and table keys work. Tuples, maps and improper lists are
 * plain tables with a metatable that says what they were. */
#include <math.h>
#include <string.h>

#include "etf.h"

static const struct {
  const char *name;      /* what etf.kind answers */
  const char *jsontype;  /* read by runtime/json.lua */
} kinds[ETF_KINDS] = {
  [ETF_ATOM]       = { "atom",     "text"   },
  [ETF_PID]        = { "pid",      "text"   },
  [ETF_PORT]       = { "port",     "text"   },
  [ETF_REF]        = { "ref",      "text"   },
  [ETF_FUN]        = { "fun",      "text"   },
  [ETF_BIG]        = { "integer",  "number" },
  [ETF_HUGE]       = { "integer",  "text"   },  /* beyond ETF_MAX_BIG: no digits */
  [ETF_FLOAT]      = { "float",    "number" },
  [ETF_CHARS]      = { "chars",    "text"   },
  [ETF_BITS]       = { "bits",     "text"   },
  [ETF_RAW]        = { "raw",      "text"   },
  [ETF_TUPLE]      = { "tuple",    "array"  },
  [ETF_IMPROPER]   = { "improper", "array"  },
  [ETF_ATOM_MAP]   = { "map",      "object" },
  [ETF_BINARY_MAP] = { "map",      "object" },
  [ETF_OTHER_MAP]  = { "map",      "object" },
};

/* Its address marks our metatables: nobody else has it. */
static const char mark;

etf_kind etf_kind_of(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return ETF_NONE;
  lua_pushlightuserdata(L, (void *)&mark);
  lua_rawget(L, -2);
  etf_kind kind = (etf_kind)lua_tointeger(L, -1);  /* 0, which is none, if it is not there */
  lua_pop(L, 2);
  return kind;
}

void etf_push_new(lua_State *L, etf_kind kind, const char *raw, size_t length) {
  memcpy(lua_newuserdata(L, length), raw, length);
  lua_pushvalue(L, ETF_METATABLE(kind));
  lua_setmetatable(L, -2);
}

void etf_push_object(lua_State *L, etf_kind kind, const char *raw, size_t length) {
  lua_pushlstring(L, raw, length);
  lua_rawget(L, ETF_UP(ETF_UP_OBJECTS));
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  etf_push_new(L, kind, raw, length);
  lua_pushlstring(L, raw, length);
  lua_pushvalue(L, -2);
  lua_rawset(L, ETF_UP(ETF_UP_OBJECTS));
}

/* The name must have passed etf_is_atom_name. */
void etf_push_atom(lua_State *L, const char *name, size_t length) {
  lua_pushlstring(L, name, length);
  lua_rawget(L, ETF_UP(ETF_UP_ATOMS));
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  char raw[MAXATOMLEN_UTF8 + 3];
  int used = 0;
  ei_encode_atom_len_as(raw, &used, name, (int)length, ERLANG_UTF8, ERLANG_UTF8);
  etf_push_new(L, ETF_ATOM, raw, (size_t)used);
  lua_pushlstring(L, name, length);
  lua_pushvalue(L, -2);
  lua_rawset(L, ETF_UP(ETF_UP_ATOMS));
}

/* Writes the one spelling that libei has; 0 if libei would lose something: it takes a zero in the
 * name of a node for its end. */
static int respell(char *to, etf_kind kind, const char *raw) {
  union { erlang_pid pid; erlang_port port; erlang_ref ref; } it;
  char room[MAXATOMLEN_UTF8];
  size_t length;
  int from = kind == ETF_REF ? 3 : 1, used = 0, bad;
  const char *node = etf_atom_name(raw, &from, room, &length);
  if (memchr(node, 0, length)) return 0;
  from = 0;
  switch (kind) {
    case ETF_PID:
      bad = ei_decode_pid(raw, &from, &it.pid) || ei_encode_pid(to, &used, &it.pid);
      break;
    case ETF_PORT:
      bad = ei_decode_port(raw, &from, &it.port) || ei_encode_port(to, &used, &it.port);
      break;
    default:
      bad = ei_decode_ref(raw, &from, &it.ref) || ei_encode_ref(to, &used, &it.ref);
  }
  return bad ? 0 : used;
}

void etf_push_identifier(lua_State *L, etf_kind kind, const char *raw, size_t length) {
  char spelt[MAXATOMLEN_UTF8 + 32];
  lua_pushlstring(L, raw, length);
  lua_rawget(L, ETF_UP(ETF_UP_OBJECTS));
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  int used = respell(spelt, kind, raw);
  if (used == 0 || ((size_t)used == length && memcmp(raw, spelt, length) == 0)) {
    etf_push_object(L, kind, raw, length);
    return;
  }
  etf_push_object(L, kind, spelt, (size_t)used);
  lua_pushlstring(L, raw, length);  /* found at once next time */
  lua_pushvalue(L, -2);
  lua_rawset(L, ETF_UP(ETF_UP_OBJECTS));
}

/* ---- what Lua calls ---- */

static int text_of_chars(lua_State *L, const char *raw) {
  luaL_Buffer text;
  int index = 0, type, count;
  luaL_buffinit(L, &text);
  ei_get_type(raw, &index, &type, &count);
  if (type == ERL_STRING_EXT) luaL_addlstring(&text, raw + 3, (size_t)count);
  if (type == ERL_LIST_EXT) {
    ei_decode_list_header(raw, &index, &count);
    for (; count > 0; count--) {
      unsigned long c;
      char utf8[4];
      ei_decode_ulong(raw, &index, &c);
      size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
      for (size_t i = n; i-- > 1; c >>= 6) utf8[i] = (char)(0x80 | (c & 0x3F));
      utf8[0] = (char)(n == 1 ? c : (0xF00u >> n & 0xF0) | c);
      luaL_addlstring(&text, utf8, n);
    }
  }
  luaL_pushresult(&text);
  return 1;
}

/* tostring(object) -> text */
static int f_tostring(lua_State *L) {
  char text[ETF_TEXT_SIZE];
  const char *raw = lua_touserdata(L, 1);
  int index = 0;
  size_t length;
  switch (etf_kind_of(L, 1)) {
    case ETF_ATOM:
      raw = etf_atom_name(raw, &index, text, &length);
      lua_pushlstring(L, raw, length);
      return 1;
    case ETF_CHARS:
      return text_of_chars(L, raw);
    case ETF_RAW:
      lua_pushliteral(L, "#Term");
      return 1;
    default:
      length = (size_t)etf_describe(text, raw);
      lua_pushlstring(L, text, length);
      return 1;
  }
}

/* etf.A[name] -> atom; true and false for their names. Raises what no atom can be called. */
static int f_atom(lua_State *L) {
  size_t length;
  luaL_argcheck(L, lua_type(L, 2) == LUA_TSTRING, 2, "the name of an atom wanted");
  const char *name = lua_tolstring(L, 2, &length);
  luaL_argcheck(L, etf_is_atom_name(name, length), 2, "an atom is UTF-8 of at most 255 characters");
  etf_push_atom(L, name, length);
  return 1;
}

/* etf.kind(v) -> "atom", "pid", ..., as the node would see v; nil if v cannot be sent */
static int f_kind(lua_State *L) {
  luaL_checkany(L, 1);
  const char *name = kinds[etf_kind_of(L, 1)].name;
  double x;
  if (!name) switch (lua_type(L, 1)) {
    case LUA_TNIL:
    case LUA_TLIGHTUSERDATA: name = "atom"; break;
    case LUA_TBOOLEAN:       name = "boolean"; break;
    case LUA_TSTRING:        name = "binary"; break;
    case LUA_TNUMBER:
      x = lua_tonumber(L, 1);
      name = x == floor(x) && fabs(x) <= 0x1p53 ? "integer" : "float";
      break;
    case LUA_TTABLE:
      name = "list";
      lua_settop(L, 1);
      lua_pushnil(L);
      if (lua_objlen(L, 1) == 0 && lua_next(L, 1)) name = "map";
      break;
    default: break;
  }
  lua_pushstring(L, name);
  return 1;
}

static const luaL_Reg functions[] = {
  { "amap",  etf_f_amap  },
  { "chars", etf_f_chars },
  { "float", etf_f_float },
  { "kind",  f_kind      },
  { "pid",   etf_f_pid   },
  { "raw",   etf_f_raw   },
  { "ref",   etf_f_ref   },
  { "tuple", etf_f_tuple },
  { NULL,    NULL        }
};

static void push_metatable(lua_State *L, int kind) {
  lua_newtable(L);
  lua_pushlightuserdata(L, (void *)&mark);
  lua_pushinteger(L, kind);
  lua_rawset(L, -3);
  if (!kinds[kind].name) return;
  lua_pushstring(L, kinds[kind].name);
  lua_setfield(L, -2, "__name");
  lua_pushstring(L, kinds[kind].jsontype);
  lua_setfield(L, -2, "__jsontype");
  if (kind >= ETF_TUPLE) return;
  lua_pushcfunction(L, f_tostring);
  lua_setfield(L, -2, "__tostring");
}

static void push_upvalues(lua_State *L, int first) {
  for (int i = 0; i < ETF_UPVALUES; i++) lua_pushvalue(L, first + i);
}

void etf_push_module(lua_State *L) {
  luaL_checkstack(L, 2 * ETF_UPVALUES + 10, "etf");
  lua_newtable(L);
  int module = lua_gettop(L), atoms = module + ETF_UP_ATOMS;
  lua_newtable(L);
  lua_newtable(L);
  for (int kind = 0; kind < ETF_KINDS; kind++) push_metatable(L, kind);

  lua_newtable(L);  /* atoms and objects live as long as somebody holds them */
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, module + ETF_UP_OBJECTS);

  lua_newtable(L);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  push_upvalues(L, atoms);
  lua_pushcclosure(L, f_atom, ETF_UPVALUES);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, atoms);
  lua_pushboolean(L, 1);
  lua_setfield(L, atoms, "true");
  lua_pushboolean(L, 0);
  lua_setfield(L, atoms, "false");
  lua_pushvalue(L, atoms);
  lua_setfield(L, module, "A");

  lua_pushvalue(L, module);
  push_upvalues(L, atoms);
  luaL_setfuncs(L, functions, ETF_UPVALUES);
  lua_pop(L, 1);
}
