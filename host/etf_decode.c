/* etf_decode.c -- external term format -> Lua, and the module host.etf.
 *
 *   true, false       boolean             map, all keys atoms     table with string keys
 *   other atom        atom: etf.A.ok      map, all keys binaries  table with string keys
 *   binary            string              other map               table keyed by decoded terms
 *   integer to 2^53   number              list                    array
 *   larger integer    object, tostring    improper list           array and .tail
 *   float             number              tuple                   array with a metatable
 *   charlist of printable ASCII           object, tostring is the text
 *   pid, port, reference, fun, bitstring  objects, equal ones are the same
 *
 * What was decoded and is encoded again is what the node had, with one exception: a whole float
 * such as 3.0 is a Lua number and goes out as 3 (etf.float says otherwise). Who asks for an exact
 * decoding gets every float as an object, and there is no exception.
 *
 * etf_check has passed the bytes before a decoder here sees them: all lengths are true, the nesting
 * is bounded, and a count is never larger than the bytes that follow it. */
#include <math.h>
#include <string.h>

#include "etf.h"

#define MAX_EXACT (1LL << 53)

typedef struct {
  lua_State *L;
  const char *bytes;  /* the term, behind its version byte */
  int at;
  int end;
  int exact;
} decoder;

static void push_term(decoder *d);

static int is_atom_tag(unsigned char tag) {
  return tag == ERL_SMALL_ATOM_UTF8_EXT || tag == ERL_ATOM_EXT || tag == ERL_SMALL_ATOM_EXT ||
         tag == ERL_ATOM_UTF8_EXT;
}

/* A script reads text, "lists.erl", not the numbers of its letters. */
static void push_string(decoder *d) {
  const char *raw = d->bytes + d->at;
  int type, n;
  ei_get_type(d->bytes, &d->at, &type, &n);
  ei_decode_string(d->bytes, &d->at, NULL);
  const unsigned char *text = (const unsigned char *)raw + 3;
  if (etf_is_printable(text, n)) {
    etf_push_object(d->L, ETF_CHARS, raw, (size_t)n + 3);
    return;
  }
  lua_createtable(d->L, n, 0);
  for (int i = 0; i < n; i++) {
    lua_pushinteger(d->L, text[i]);
    lua_rawseti(d->L, -2, i + 1);
  }
}

static void push_array(decoder *d, int count) {
  lua_createtable(d->L, count, 0);
  for (int i = 1; i <= count; i++) {
    push_term(d);
    lua_rawseti(d->L, -2, i);
  }
}

static void set_kind(lua_State *L, etf_kind kind) {
  lua_pushvalue(L, ETF_METATABLE(kind));
  lua_setmetatable(L, -2);
}

static void push_list(decoder *d) {
  int count;
  ei_decode_list_header(d->bytes, &d->at, &count);
  push_array(d, count);
  if (d->bytes[d->at] == ERL_NIL_EXT) {
    d->at++;
    return;
  }
  push_term(d);
  if (count == 0) {  /* a list of nothing with a tail is the tail */
    lua_remove(d->L, -2);
    return;
  }
  lua_setfield(d->L, -2, "tail");
  set_kind(d->L, ETF_IMPROPER);
}

static void push_tuple(decoder *d) {
  int count;
  ei_decode_tuple_header(d->bytes, &d->at, &count);
  push_array(d, count);
  set_kind(d->L, ETF_TUPLE);
}

static void push_atom(decoder *d) {
  char room[MAXATOMLEN_UTF8];
  size_t length;
  const char *name = etf_atom_name(d->bytes, &d->at, room, &length);
  etf_push_atom(d->L, name, length);
}

static void push_atom_name(decoder *d) {
  char room[MAXATOMLEN_UTF8];
  size_t length;
  const char *name = etf_atom_name(d->bytes, &d->at, room, &length);
  lua_pushlstring(d->L, name, length);
}

static void push_float_object(decoder *d, double x) {
  char raw[16];
  int used = 0;
  ei_encode_double(raw, &used, x);
  etf_push_object(d->L, ETF_FLOAT, raw, (size_t)used);
}

static void push_float(decoder *d) {
  double x;
  ei_decode_double(d->bytes, &d->at, &x);
  if (d->exact) push_float_object(d, x);
  else lua_pushnumber(d->L, x);
}

/* As a key, a whole float must not become the integer beside it: #{1 => a, 1.0 => b} has two. */
static void push_key(decoder *d) {
  unsigned char tag = (unsigned char)d->bytes[d->at];
  if (tag != NEW_FLOAT_EXT && tag != ERL_FLOAT_EXT) {
    push_term(d);
    return;
  }
  double x;
  ei_decode_double(d->bytes, &d->at, &x);
  if (x == floor(x) || d->exact) push_float_object(d, x);
  else lua_pushnumber(d->L, x);
}

/* Replaces the table on top by one that has atoms for keys where this one has their names. */
static void names_to_atoms(lua_State *L) {
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, -3)) {
    size_t length;
    const char *name = lua_tolstring(L, -2, &length);
    etf_push_atom(L, name, length);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_remove(L, -2);
}

/* Nearly every map has keys of one sort, so the first key decides. When a later one is of another
 * sort, the keys so far are changed: reading the map again would double the work at each level of a
 * nested one, and 2^100 is what a hostile node would make of that. */
static void push_map(decoder *d) {
  lua_State *L = d->L;
  int count;
  ei_decode_map_header(d->bytes, &d->at, &count);
  unsigned char first = count > 0 ? (unsigned char)d->bytes[d->at] : ERL_ATOM_EXT;
  etf_kind kind = is_atom_tag(first) ? ETF_ATOM_MAP
                : first == ERL_BINARY_EXT ? ETF_BINARY_MAP : ETF_OTHER_MAP;
  lua_createtable(L, 0, count);
  for (int i = 0; i < count; i++) {
    unsigned char tag = (unsigned char)d->bytes[d->at];
    if (kind == ETF_ATOM_MAP && !is_atom_tag(tag)) {
      names_to_atoms(L);
      kind = ETF_OTHER_MAP;
    }
    if (kind == ETF_BINARY_MAP && tag != ERL_BINARY_EXT) kind = ETF_OTHER_MAP;
    if (kind == ETF_ATOM_MAP) push_atom_name(d);
    else push_key(d);
    push_term(d);
    lua_rawset(L, -3);
  }
  set_kind(L, kind);
}

static void push_big(decoder *d) {
  const char *raw = d->bytes + d->at;
  int type, n, head = (unsigned char)*raw == ERL_SMALL_BIG_EXT ? 2 : 5;
  long long value;
  ei_get_type(d->bytes, &d->at, &type, &n);
  int after = d->at + head + 1 + n;
  int fits = ei_decode_longlong(d->bytes, &d->at, &value) == 0;
  if (fits && value >= -MAX_EXACT && value <= MAX_EXACT) {
    lua_pushnumber(d->L, (lua_Number)value);
  } else {
    etf_push_object(d->L, n > ETF_MAX_BIG ? ETF_HUGE : ETF_BIG, raw, (size_t)n + (size_t)head + 1);
  }
  d->at = after;
}

static void push_integer(decoder *d) {
  long value;
  ei_decode_long(d->bytes, &d->at, &value);
  lua_pushinteger(d->L, value);
}

static void push_binary(decoder *d) {
  long length;
  ei_decode_binary(d->bytes, &d->at, NULL, &length);
  lua_pushlstring(d->L, d->bytes + d->at - length, (size_t)length);
}

static void push_whole(decoder *d, etf_kind kind) {
  etf_report report;
  const char *raw = d->bytes + d->at;
  size_t length = etf_check((const unsigned char *)raw, (size_t)(d->end - d->at), &report);
  d->at += (int)length;
  if (kind == ETF_FUN || kind == ETF_BITS) etf_push_object(d->L, kind, raw, length);
  else etf_push_identifier(d->L, kind, raw, length);
}

static void push_term(decoder *d) {
  switch ((unsigned char)d->bytes[d->at]) {
    case ERL_SMALL_INTEGER_EXT:
    case ERL_INTEGER_EXT:         push_integer(d); break;
    case NEW_FLOAT_EXT:
    case ERL_FLOAT_EXT:           push_float(d); break;
    case ERL_SMALL_BIG_EXT:
    case ERL_LARGE_BIG_EXT:       push_big(d); break;
    case ERL_SMALL_ATOM_UTF8_EXT:
    case ERL_ATOM_UTF8_EXT:
    case ERL_SMALL_ATOM_EXT:
    case ERL_ATOM_EXT:            push_atom(d); break;
    case ERL_BINARY_EXT:          push_binary(d); break;
    case ERL_STRING_EXT:          push_string(d); break;
    case ERL_NIL_EXT:
      d->at++;
      lua_newtable(d->L);
      break;
    case ERL_LIST_EXT:            push_list(d); break;
    case ERL_SMALL_TUPLE_EXT:
    case ERL_LARGE_TUPLE_EXT:     push_tuple(d); break;
    case ERL_MAP_EXT:             push_map(d); break;
    case ERL_NEW_PID_EXT:
    case ERL_PID_EXT:             push_whole(d, ETF_PID); break;
    case ERL_V4_PORT_EXT:
    case ERL_NEW_PORT_EXT:
    case ERL_PORT_EXT:            push_whole(d, ETF_PORT); break;
    case ERL_NEWER_REFERENCE_EXT:
    case ERL_NEW_REFERENCE_EXT:   push_whole(d, ETF_REF); break;
    case ERL_BIT_BINARY_EXT:      push_whole(d, ETF_BITS); break;
    default:                      push_whole(d, ETF_FUN); break;  /* a fun or an export */
  }
}

/* etf.decode(bytes [, position of the 131 [, exact]]) -> term, position behind it | nil, err */
static int f_decode(lua_State *L) {
  etf_report report;
  const char *bytes;
  size_t end, start = etf_open(L, &bytes, &end, &report);
  if (start == 0) return 2;
  if (!lua_checkstack(L, 4 * report.depth + 20)) {
    lua_pushnil(L);
    lua_pushfstring(L, "etf: nested too deep for Lua's stack at byte %d", (int)start);
    return 2;
  }
  decoder d = { L, bytes + start, 0, (int)(end - start), lua_toboolean(L, 3) };
  push_term(&d);
  lua_pushinteger(L, (lua_Integer)end + 1);
  return 2;
}

static const luaL_Reg functions[] = {
  { "decode", f_decode     },
  { "encode", etf_f_encode },
  { "frame",  etf_f_frame  },
  { "json",   etf_f_json   },
  { NULL,     NULL         }
};

int luaopen_etf(lua_State *L) {
  etf_push_module(L);
  luaL_setfuncs(L, functions, ETF_UPVALUES);
  return 1;
}
