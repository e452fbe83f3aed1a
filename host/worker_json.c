/* worker_json.c -- what a chunk hands out and what it is answered, as JSON.
 *
 * Encoding reads tables raw: no metamethod of the chunk runs here, and what has no JSON form
 * becomes a string ("<function>", "nan"), for whoever reads it should see that something was
 * there. Bytes that are no UTF-8 become U+FFFD. The host's own JSON is runtime/json.lua; it
 * cannot be used here, since Lua code that meets the chunk's values could be led astray. */
#include "worker_json.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "bl.h"

#define MAX_DEPTH 64
#define TOO_DEEP  "it is nested too deeply (more than 64 levels)"
#define TOO_LARGE "it is too large"

#define add_literal(t, s) bl_text_add(t, s, sizeof(s) - 1)

void bl_text_add(struct bl_text *t, const char *bytes, size_t length) {
  if (t->over || length > t->limit - t->length) {
    t->over = true;
    return;
  }
  if (length > t->room - t->length) {
    t->room = (t->length + length) * 2;
    t->bytes = realloc(t->bytes, t->room);
    if (!t->bytes) bl_no_memory();
  }
  memcpy(t->bytes + t->length, bytes, length);
  t->length += length;
}

struct encoder {
  lua_State *L;
  struct bl_text *out;
  const char *why;
  int depth;
  const void *path[MAX_DEPTH]; /* the tables we are inside of */
};

static bool continues(unsigned char c) { return (c & 0xC0) == 0x80; }

/* Bytes of the well-formed UTF-8 sequence at s, 0 if there is none (RFC 3629). */
static size_t sequence(const unsigned char *s, size_t left) {
  unsigned char low = 0x80, high = 0xBF;
  size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
  if (s[0] < 0xC2 || s[0] > 0xF4 || n > left) return 0;
  if (s[0] == 0xE0) low = 0xA0;
  if (s[0] == 0xED) high = 0x9F; /* no surrogates */
  if (s[0] == 0xF0) low = 0x90;
  if (s[0] == 0xF4) high = 0x8F;
  if (s[1] < low || s[1] > high) return 0;
  for (size_t i = 2; i < n; i++)
    if (!continues(s[i])) return 0;
  return n;
}

static bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

static void add_string(struct bl_text *out, const char *bytes, size_t length) {
  const unsigned char *s = (const unsigned char *)bytes;
  char escape[8];
  add_literal(out, "\"");
  for (size_t i = 0; i < length && !out->over;) {
    size_t n = 0;
    while (i + n < length && is_plain(s[i + n])) n++;
    if (n == 0 && s[i] >= 0x80) n = sequence(s + i, length - i);
    if (n > 0) {
      bl_text_add(out, bytes + i, n);
      i += n;
      continue;
    }
    if (s[i] >= 0x80) add_literal(out, "\xEF\xBF\xBD");
    else if (s[i] == '"' || s[i] == '\\') bl_text_add(out, (char[]){ '\\', bytes[i] }, 2);
    else bl_text_add(out, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", s[i]));
    i++;
  }
  add_literal(out, "\"");
}

static void add_number(struct bl_text *out, double n) {
  char digits[32];
  if (isnan(n)) add_literal(out, "\"nan\"");
  else if (isinf(n) && n > 0) add_literal(out, "\"inf\"");
  else if (isinf(n)) add_literal(out, "\"-inf\"");
  else if (n == floor(n) && fabs(n) < 0x1p53)
    bl_text_add(out, digits, (size_t)snprintf(digits, sizeof digits, "%.0f", n));
  else bl_text_add(out, digits, (size_t)snprintf(digits, sizeof digits, "%.17g", n));
}

static void add_kind(struct bl_text *out, lua_State *L, int type) {
  char name[32];
  bl_text_add(out, name, (size_t)snprintf(name, sizeof name, "\"<%s>\"", lua_typename(L, type)));
}

/* The number of items if the table is 1..n and nothing else, else -1. */
static int list_length(lua_State *L, int index) {
  size_t n = lua_objlen(L, index), seen = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    double key = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
    lua_pop(L, 1);
    if (key < 1 || key > (double)n || key != floor(key)) {
      lua_pop(L, 1);
      return -1;
    }
    seen++;
  }
  return seen == n ? (int)n : -1;
}

static void add_key(struct encoder *e, int index) {
  char digits[40];
  const char *s;
  size_t n;
  switch (lua_type(e->L, index)) {
    case LUA_TSTRING:
      s = lua_tolstring(e->L, index, &n);
      add_string(e->out, s, n);
      break;
    case LUA_TNUMBER: /* not lua_tolstring: it would change the key under lua_next */
      n = (size_t)snprintf(digits, sizeof digits, "\"%.14g\"", lua_tonumber(e->L, index));
      bl_text_add(e->out, digits, n);
      break;
    case LUA_TBOOLEAN:
      if (lua_toboolean(e->L, index)) add_literal(e->out, "\"true\"");
      else add_literal(e->out, "\"false\"");
      break;
    default:
      add_kind(e->out, e->L, lua_type(e->L, index));
  }
}

static void add_value(struct encoder *e, int index);

static void add_list(struct encoder *e, int index, int length) {
  add_literal(e->out, "[");
  for (int i = 1; i <= length && !e->why && !e->out->over; i++) {
    if (i > 1) add_literal(e->out, ",");
    lua_rawgeti(e->L, index, i);
    add_value(e, lua_gettop(e->L));
    lua_pop(e->L, 1);
  }
  add_literal(e->out, "]");
}

static void add_object(struct encoder *e, int index) {
  bool first = true;
  add_literal(e->out, "{");
  lua_pushnil(e->L);
  while (lua_next(e->L, index)) {
    if (e->why || e->out->over) {
      lua_pop(e->L, 2);
      break;
    }
    if (!first) add_literal(e->out, ",");
    first = false;
    add_key(e, lua_gettop(e->L) - 1);
    add_literal(e->out, ":");
    add_value(e, lua_gettop(e->L));
    lua_pop(e->L, 1);
  }
  add_literal(e->out, "}");
}

static void add_table(struct encoder *e, int index) {
  const void *table = lua_topointer(e->L, index);
  int length;
  for (int i = 0; i < e->depth; i++)
    if (e->path[i] == table) e->why = "it refers to itself (a cycle)";
  if (!e->why && (e->depth == MAX_DEPTH || !lua_checkstack(e->L, 4))) e->why = TOO_DEEP;
  if (e->why) return;
  e->path[e->depth++] = table;
  length = list_length(e->L, index);
  if (length >= 0) add_list(e, index, length);
  else add_object(e, index);
  e->depth--;
}

static void add_value(struct encoder *e, int index) {
  const char *s;
  size_t n;
  switch (lua_type(e->L, index)) {
    case LUA_TNIL:
      add_literal(e->out, "null");
      break;
    case LUA_TBOOLEAN:
      if (lua_toboolean(e->L, index)) add_literal(e->out, "true");
      else add_literal(e->out, "false");
      break;
    case LUA_TNUMBER:
      add_number(e->out, lua_tonumber(e->L, index));
      break;
    case LUA_TSTRING:
      s = lua_tolstring(e->L, index, &n);
      add_string(e->out, s, n);
      break;
    case LUA_TTABLE:
      add_table(e, index);
      break;
    default:
      add_kind(e->out, e->L, lua_type(e->L, index));
  }
}

const char *bl_json_encode(lua_State *L, int index, struct bl_text *out) {
  struct encoder e = { .L = L, .out = out };
  add_value(&e, index);
  if (e.why) return e.why;
  return out->over ? TOO_LARGE : NULL;
}

static int decode(lua_State *L, const char **at, int depth);

static void skip_space(const char **at) { *at += strspn(*at, " \t\r\n"); }

static bool take(const char **at, char c) {
  skip_space(at);
  if (**at != c) return false;
  ++*at;
  return true;
}

static int hex4(const char *s) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    const char *digits = "0123456789abcdef", *d = s[i] ? strchr(digits, s[i] | 0x20) : NULL;
    if (!d) return -1;
    value = value * 16 + (int)(d - digits);
  }
  return value;
}

static void add_utf8(luaL_Buffer *b, uint32_t c) {
  if (c < 0x80) {
    luaL_addchar(b, (char)c);
    return;
  }
  if (c < 0x800) {
    luaL_addchar(b, (char)(0xC0 | c >> 6));
  } else {
    if (c < 0x10000) {
      luaL_addchar(b, (char)(0xE0 | c >> 12));
    } else {
      luaL_addchar(b, (char)(0xF0 | c >> 18));
      luaL_addchar(b, (char)(0x80 | (c >> 12 & 0x3F)));
    }
    luaL_addchar(b, (char)(0x80 | (c >> 6 & 0x3F)));
  }
  luaL_addchar(b, (char)(0x80 | (c & 0x3F)));
}

/* After "\u". */
static int decode_unicode(luaL_Buffer *b, const char **at) {
  int c = hex4(*at), low;
  if (c < 0) return -1;
  *at += 4;
  if (c >= 0xD800 && c < 0xDC00 && (*at)[0] == '\\' && (*at)[1] == 'u') {
    low = hex4(*at + 2);
    if (low < 0xDC00 || low > 0xDFFF) return -1;
    *at += 6;
    c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
  }
  add_utf8(b, (uint32_t)c);
  return 0;
}

/* After the opening quote. */
static int decode_string(lua_State *L, const char **at) {
  static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (;;) {
    size_t n = strcspn(*at, "\"\\");
    const char *letter;
    luaL_addlstring(&b, *at, n);
    *at += n;
    if (**at == '\0') return -1;
    if (*(*at)++ == '"') break;
    if (**at == 'u') {
      ++*at;
      if (decode_unicode(&b, at)) return -1;
      continue;
    }
    letter = **at ? strchr(letters, **at) : NULL;
    if (!letter) return -1;
    luaL_addchar(&b, means[letter - letters]);
    ++*at;
  }
  luaL_pushresult(&b);
  return 0;
}

static int decode_list(lua_State *L, const char **at, int depth) {
  lua_newtable(L);
  if (take(at, ']')) return 0;
  for (int i = 1;; i++) {
    if (decode(L, at, depth)) return -1;
    lua_rawseti(L, -2, i);
    if (take(at, ']')) return 0;
    if (!take(at, ',')) return -1;
  }
}

static int decode_object(lua_State *L, const char **at, int depth) {
  lua_newtable(L);
  if (take(at, '}')) return 0;
  for (;;) {
    if (!take(at, '"') || decode_string(L, at) || !take(at, ':') || decode(L, at, depth)) return -1;
    lua_rawset(L, -3);
    if (take(at, '}')) return 0;
    if (!take(at, ',')) return -1;
  }
}

static int decode_word(lua_State *L, const char **at) {
  static const char *const words[] = { "null", "false", "true" };
  for (int i = 0; i < 3; i++) {
    size_t n = strlen(words[i]);
    if (strncmp(*at, words[i], n)) continue;
    *at += n;
    if (i == 0) lua_pushnil(L);
    else lua_pushboolean(L, i == 2);
    return 0;
  }
  return -1;
}

static int decode_number(lua_State *L, const char **at) {
  char *end;
  double n = strtod(*at, &end);
  if (end == *at) return -1;
  *at = end;
  lua_pushnumber(L, n);
  return 0;
}

static int decode(lua_State *L, const char **at, int depth) {
  if (depth == MAX_DEPTH || !lua_checkstack(L, 8)) return -1;
  if (take(at, '"')) return decode_string(L, at);
  if (take(at, '[')) return decode_list(L, at, depth + 1);
  if (take(at, '{')) return decode_object(L, at, depth + 1);
  if (**at == '-' || (**at >= '0' && **at <= '9')) return decode_number(L, at);
  return decode_word(L, at);
}

int bl_json_decode(lua_State *L, const char *json) {
  int top = lua_gettop(L);
  if (decode(L, &json, 0) == 0) {
    skip_space(&json);
    if (*json == '\0') return 0;
  }
  lua_settop(L, top);
  return -1;
}
