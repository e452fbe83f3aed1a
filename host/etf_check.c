/* etf_check.c -- is everything there that a term's bytes claim?
 *
 * One pass over the bytes, without recursion and without memory: every length is compared with
 * what is left, every count with the bytes its items need at least, the nesting with its limit.
 * What comes after may then take memory by those counts, and call libei, which trusts its buffer.
 * A term that fails here has cost nothing. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "etf.h"

#define MAX_ATOM  255
#define MAX_WORDS 5        /* of a reference */
#define MAX_ITEMS (1u << 26)  /* LuaJIT's tables end there */
#define OLD_FLOAT 31       /* bytes of a float sent as text */

typedef struct {
  const unsigned char *at, *end;
  const char *why;
} cursor;

/* What a term holds: so many terms, and they end there (NULL: wherever they do). */
typedef struct {
  uint64_t count;
  const unsigned char *end;
} items;

static size_t left(const cursor *c) {
  return (size_t)(c->end - c->at);
}

static int bad(cursor *c, const char *why) {
  if (!c->why) c->why = why;
  return -1;
}

/* Steps over n bytes. */
static int pass(cursor *c, size_t n) {
  if (left(c) < n) return bad(c, "truncated");
  c->at += n;
  return 0;
}

static unsigned get16(const unsigned char *p) {
  return (unsigned)(p[0] << 8 | p[1]);
}

static uint32_t get32(const unsigned char *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Steps over a length of `width` bytes and then over as many bytes as it says. */
static int pass_counted(cursor *c, size_t width) {
  if (left(c) < width) return bad(c, "truncated");
  size_t n = width == 1 ? c->at[0] : width == 2 ? get16(c->at) : get32(c->at);
  c->at += width;
  return pass(c, n);
}

size_t etf_utf8_length(const unsigned char *s, size_t have) {
  if (have == 0) return 0;
  if (s[0] < 0x80) return 1;
  size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
  if (s[0] < 0xC2 || s[0] > 0xF4 || have < n) return 0;
  for (size_t i = 1; i < n; i++) if ((s[i] & 0xC0) != 0x80) return 0;
  if (s[0] == 0xE0 && s[1] < 0xA0) return 0;  /* longer than it need be */
  if (s[0] == 0xED && s[1] > 0x9F) return 0;  /* half of a surrogate pair */
  if (s[0] == 0xF0 && s[1] < 0x90) return 0;
  if (s[0] == 0xF4 && s[1] > 0x8F) return 0;  /* beyond U+10FFFF */
  return n;
}

int etf_is_atom_name(const char *name, size_t length) {
  const unsigned char *s = (const unsigned char *)name;
  size_t characters = 0;
  for (size_t i = 0; i < length; characters++) {
    size_t n = etf_utf8_length(s + i, length - i);
    if (n == 0) return 0;
    i += n;
  }
  return characters <= MAX_ATOM;
}

/* Most atoms are short and plain; only the others are looked at letter by letter. */
static int is_plain(const unsigned char *s, size_t n) {
  uint64_t seen = 0, word;
  for (; n >= sizeof word; s += sizeof word, n -= sizeof word) {
    memcpy(&word, s, sizeof word);
    seen |= word;
  }
  for (; n > 0; n--) seen |= *s++;
  return (seen & 0x8080808080808080u) == 0;
}

static int pass_atom(cursor *c) {
  if (left(c) < 2) return bad(c, "truncated");
  int tag = *c->at++;
  size_t width = tag == ERL_SMALL_ATOM_UTF8_EXT || tag == ERL_SMALL_ATOM_EXT ? 1 : 2;
  int utf8 = tag == ERL_SMALL_ATOM_UTF8_EXT || tag == ERL_ATOM_UTF8_EXT;
  if (!utf8 && tag != ERL_ATOM_EXT && tag != ERL_SMALL_ATOM_EXT) {
    c->at--;
    return bad(c, "no atom where one belongs");
  }
  const unsigned char *start = c->at + width;
  if (pass_counted(c, width)) return -1;
  size_t n = (size_t)(c->at - start);
  if (n <= MAX_ATOM && is_plain(start, n)) return 0;
  if (utf8 ? etf_is_atom_name((const char *)start, n) : n <= MAX_ATOM) return 0;
  return bad(c, "no valid atom");
}

/* A node's name, then numbers. */
static int pass_identifier(cursor *c, size_t numbers) {
  return pass_atom(c) || pass(c, numbers);
}

static int pass_reference(cursor *c, size_t creation) {
  if (left(c) < 2) return bad(c, "truncated");
  size_t words = get16(c->at);
  if (words < 1 || words > MAX_WORDS) return bad(c, "no valid reference");
  c->at += 2;
  return pass_identifier(c, creation + 4 * words);
}

static int pass_float(cursor *c) {
  if (left(c) < 8) return bad(c, "truncated");
  if ((c->at[0] & 0x7F) == 0x7F && c->at[1] >= 0xF0) return bad(c, "no finite number");
  c->at += 8;
  return 0;
}

static int pass_old_float(cursor *c) {
  const char *text = (const char *)c->at;
  char *rest;
  if (left(c) < OLD_FLOAT) return bad(c, "truncated");
  /* libei reads up to the zero. */
  if (!memchr(text, 0, OLD_FLOAT)) return bad(c, "no finite number");
  double value = strtod(text, &rest);
  if (rest == text || *rest || !isfinite(value)) return bad(c, "no finite number");
  c->at += OLD_FLOAT;
  return 0;
}

static int pass_bits(cursor *c) {
  if (left(c) < 5) return bad(c, "truncated");
  uint32_t bytes = get32(c->at);
  unsigned last = c->at[4];
  if (last > 8 || (bytes == 0) != (last == 0)) return bad(c, "no valid bitstring");
  c->at += 5;
  return pass(c, bytes);
}

static int pass_small_integer(cursor *c) {
  if (left(c) < 2) return bad(c, "truncated");
  int tag = *c->at++;
  if (tag == ERL_SMALL_INTEGER_EXT) return pass(c, 1);
  if (tag == ERL_INTEGER_EXT) return pass(c, 4);
  return bad(c, "no small integer where one belongs");
}

static int pass_pid(cursor *c) {
  if (left(c) < 1) return bad(c, "truncated");
  int tag = *c->at++;
  if (tag == ERL_NEW_PID_EXT) return pass_identifier(c, 12);
  if (tag == ERL_PID_EXT) return pass_identifier(c, 9);
  return bad(c, "no pid where one belongs");
}

/* The head of a fun, up to the terms it carries. */
static int pass_fun(cursor *c, items *inside) {
  if (left(c) < 29 || left(c) < get32(c->at)) return bad(c, "truncated");
  inside->end = c->at + get32(c->at);
  inside->count = get32(c->at + 25);
  c->at += 29;
  return pass_atom(c) || pass_small_integer(c) || pass_small_integer(c) || pass_pid(c);
}

static int pass_export(cursor *c) {
  if (pass_atom(c) || pass_atom(c)) return -1;
  if (left(c) < 2) return bad(c, "truncated");
  if (*c->at != ERL_SMALL_INTEGER_EXT) return bad(c, "no arity where one belongs");
  return pass(c, 2);
}

static int pass_count(cursor *c, items *inside) {
  if (left(c) < 4) return bad(c, "truncated");
  inside->count = get32(c->at);
  c->at += 4;
  return inside->count > MAX_ITEMS ? bad(c, "too many items") : 0;
}

/* Steps over one term, or over the head of one that holds others, which *inside then tells. */
static int pass_term(cursor *c, items *inside) {
  switch (*c->at++) {
    case ERL_SMALL_INTEGER_EXT:   return pass(c, 1);
    case ERL_INTEGER_EXT:         return pass(c, 4);
    case NEW_FLOAT_EXT:           return pass_float(c);
    case ERL_FLOAT_EXT:           return pass_old_float(c);
    case ERL_SMALL_ATOM_UTF8_EXT:
    case ERL_ATOM_UTF8_EXT:
    case ERL_SMALL_ATOM_EXT:
    case ERL_ATOM_EXT:
      c->at--;
      return pass_atom(c);
    case ERL_NIL_EXT:             return 0;
    case ERL_STRING_EXT:          return pass_counted(c, 2);
    case ERL_BINARY_EXT:          return pass_counted(c, 4);
    case ERL_BIT_BINARY_EXT:      return pass_bits(c);
    case ERL_SMALL_BIG_EXT:       return left(c) < 1 ? bad(c, "truncated") : pass(c, *c->at + 2u);
    case ERL_LARGE_BIG_EXT:
      return left(c) < 4 ? bad(c, "truncated") : pass(c, (size_t)get32(c->at) + 5);
    case ERL_SMALL_TUPLE_EXT:
      if (left(c) < 1) return bad(c, "truncated");
      inside->count = *c->at++;
      return 0;
    case ERL_LARGE_TUPLE_EXT:     return pass_count(c, inside);
    case ERL_LIST_EXT:
      if (pass_count(c, inside)) return -1;
      inside->count += 1;  /* the tail */
      return 0;
    case ERL_MAP_EXT:
      if (pass_count(c, inside)) return -1;
      inside->count *= 2;
      return 0;
    case ERL_NEW_PID_EXT:         return pass_identifier(c, 12);
    case ERL_PID_EXT:             return pass_identifier(c, 9);
    case ERL_V4_PORT_EXT:         return pass_identifier(c, 12);
    case ERL_NEW_PORT_EXT:        return pass_identifier(c, 8);
    case ERL_PORT_EXT:            return pass_identifier(c, 5);
    case ERL_NEWER_REFERENCE_EXT: return pass_reference(c, 4);
    case ERL_NEW_REFERENCE_EXT:   return pass_reference(c, 1);
    case ERL_NEW_FUN_EXT:         return pass_fun(c, inside);
    case ERL_EXPORT_EXT:          return pass_export(c);
    default:                      return bad(c, "unknown tag");
  }
}

size_t etf_check(const unsigned char *bytes, size_t have, etf_report *report) {
  items open[ETF_MAX_DEPTH + 1];  /* what is still to come, level by level */
  cursor c = { bytes, bytes + have, NULL };
  const unsigned char *start = bytes;
  int depth = 0;
  report->depth = 0;
  open[0] = (items){ 1, NULL };
  while (depth >= 0 && !c.why) {
    if (open[depth].count == 0) {
      if (open[depth].end && open[depth].end != c.at) bad(&c, "no valid fun");
      depth--;
      continue;
    }
    open[depth].count--;
    items inside = { 0, NULL };
    start = c.at;
    if (left(&c) == 0) bad(&c, "truncated");
    else if (pass_term(&c, &inside) == 0 && (inside.count > 0 || inside.end)) {
      if (inside.count > left(&c)) bad(&c, "truncated");  /* each takes a byte at least */
      else if (depth == ETF_MAX_DEPTH) bad(&c, "nested too deep");
      else open[++depth] = inside;
      if (depth > report->depth) report->depth = depth;
    }
  }
  if (!c.why) return (size_t)(c.at - bytes);
  report->why = c.why;
  report->at = (size_t)(start - bytes);
  report->tag = start < c.end ? *start : -1;
  return 0;
}

static size_t refuse(lua_State *L, const etf_report *report, size_t offset) {
  int at = (int)(offset + report->at + 1);
  lua_pushnil(L);
  if (report->tag < 0) lua_pushfstring(L, "etf: %s at byte %d", report->why, at);
  else lua_pushfstring(L, "etf: %s (tag %d) at byte %d", report->why, report->tag, at);
  return 0;
}

size_t etf_open(lua_State *L, const char **bytes, size_t *end, etf_report *report) {
  size_t have;
  *bytes = luaL_checklstring(L, 1, &have);
  lua_Number wanted = luaL_optnumber(L, 2, 1);
  luaL_argcheck(L, wanted >= 1 && wanted == floor(wanted), 2, "a position from 1 on wanted");
  *report = (etf_report){ "truncated", have, -1, 0 };
  if (wanted > (lua_Number)have) return refuse(L, report, 0);
  size_t at = (size_t)wanted - 1;
  const unsigned char *term = (const unsigned char *)*bytes + at;
  report->at = 0;
  if (have > INT_MAX) report->why = "more than 2 GiB";
  else if (term[0] != ETF_VERSION) report->why = "no term, which would begin with 131,";
  else if (have - at > 1 && term[1] == 'P') report->why = "a compressed term, which is not taken,";
  else {
    size_t length = etf_check(term + 1, have - at - 1, report);
    *end = at + 1 + length;
    return length > 0 ? at + 1 : refuse(L, report, at + 1);
  }
  return refuse(L, report, at);
}
