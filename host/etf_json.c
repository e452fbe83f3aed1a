/* etf_json.c -- external term format -> JSON text, with no Lua table between.
 *
 *   atom                 string; true, false, and null for nil; 'Elixir.Shop.Cart' is "Shop.Cart"
 *   binary, charlist     string; every byte that is not UTF-8 becomes U+FFFD
 *   integer, float       number: all digits of an integer of up to ETF_MAX_BIG bytes
 *   tuple, list          array; a tail that is no list stands behind "|"
 *   map                  object; a key that is no string is its own JSON text as a string
 *   pid, reference, ...  string as Erlang shows it: "<0.1.2>"
 *
 * The result is valid JSON and valid UTF-8 whatever the node sent. */
#include <string.h>

#include "etf.h"

#define CHUNK 4096  /* bytes of text that are given room for at a time: each may need six */

typedef struct {
  const char *bytes;
  int at, end;
  int in_key;  /* within a key that is no string */
  etf_out out;
} writer;

static void put_term(writer *w);

static void put(etf_out *out, const char *text, size_t length) {
  etf_room(out, length);
  memcpy(out->bytes + out->used, text, length);
  out->used += (int)length;
}

static void put_byte(etf_out *out, char byte) {
  etf_room(out, 1);
  out->bytes[out->used++] = byte;
}

/* What a byte below 128 needs inside a JSON string: nothing, a backslash and a letter, or u. */
static const char escapes[128] = {
  ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
  [0] = 'u', [1] = 'u', [2] = 'u', [3] = 'u', [4] = 'u', [5] = 'u', [6] = 'u', [7] = 'u',
  [11] = 'u', [14] = 'u', [15] = 'u', [16] = 'u', [17] = 'u', [18] = 'u', [19] = 'u', [20] = 'u',
  [21] = 'u', [22] = 'u', [23] = 'u', [24] = 'u', [25] = 'u', [26] = 'u', [27] = 'u', [28] = 'u',
  [29] = 'u', [30] = 'u', [31] = 'u',
};

static char *write_escaped(char *to, unsigned char c) {
  *to++ = '\\';
  *to++ = escapes[c];
  if (escapes[c] != 'u') return to;
  *to++ = '0';
  *to++ = '0';
  *to++ = "0123456789abcdef"[c >> 4];
  *to++ = "0123456789abcdef"[c & 15];
  return to;
}

/* The body of a string, without its quotes. */
static void put_text(etf_out *out, const unsigned char *text, size_t length) {
  size_t i = 0;
  while (i < length) {
    size_t stop = length - i > CHUNK ? i + CHUNK : length;
    etf_room(out, 6 * (stop - i) + 4);  /* a letter may reach beyond the chunk */
    char *to = out->bytes + out->used;
    while (i < stop) {
      unsigned char c = text[i];
      if (c < 0x80) {
        if (escapes[c]) to = write_escaped(to, c);
        else *to++ = (char)c;
        i++;
        continue;
      }
      size_t n = etf_utf8_length(text + i, length - i);
      memcpy(to, n ? (const char *)text + i : "\xEF\xBF\xBD", n ? n : 3);
      to += n ? n : 3;
      i += n ? n : 1;
    }
    out->used = (int)(to - out->bytes);
  }
}

static void put_string(etf_out *out, const char *text, size_t length) {
  put_byte(out, '"');
  put_text(out, (const unsigned char *)text, length);
  put_byte(out, '"');
}

static void put_whole(etf_out *out, uint32_t n) {
  char digits[10];
  int first = (int)sizeof digits;
  do digits[--first] = (char)('0' + n % 10); while (n /= 10);
  put(out, digits + first, sizeof digits - (size_t)first);
}

static void put_integer(writer *w) {
  long value;
  ei_decode_long(w->bytes, &w->at, &value);
  if (value < 0) put_byte(&w->out, '-');
  put_whole(&w->out, (uint32_t)(value < 0 ? -value : value));
}

/* Elixir's modules as Elixir writes them. */
static const char *shown_name(writer *w, char *room, size_t *length) {
  const char *name = etf_atom_name(w->bytes, &w->at, room, length);
  if (*length < 8 || memcmp(name, "Elixir.", 7) != 0 || name[7] < 'A' || name[7] > 'Z') return name;
  *length -= 7;
  return name + 7;
}

static void put_name(writer *w) {
  char room[MAXATOMLEN_UTF8];
  size_t length;
  const char *name = shown_name(w, room, &length);
  put_string(&w->out, name, length);
}

static void put_atom(writer *w) {
  char room[MAXATOMLEN_UTF8];
  size_t length;
  const char *name = shown_name(w, room, &length);
  if (length == 3 && memcmp(name, "nil", 3) == 0) put(&w->out, "null", 4);
  else if (length == 4 && memcmp(name, "true", 4) == 0) put(&w->out, "true", 4);
  else if (length == 5 && memcmp(name, "false", 5) == 0) put(&w->out, "false", 5);
  else put_string(&w->out, name, length);
}

/* What has text of its own making: pids, references, funs, bitstrings. */
static void put_described(writer *w) {
  char text[ETF_TEXT_SIZE];
  etf_report report;
  const char *raw = w->bytes + w->at;
  int length = etf_describe(text, raw);
  w->at += (int)etf_check((const unsigned char *)raw, (size_t)(w->end - w->at), &report);
  put_string(&w->out, text, (size_t)length);
}

static void put_big(writer *w) {
  char text[ETF_TEXT_SIZE];
  int type, n, length = etf_describe(text, w->bytes + w->at);
  ei_get_type(w->bytes, &w->at, &type, &n);
  w->at += n + (type == ERL_SMALL_BIG_EXT ? 3 : 6);
  if (text[0] == '#') put_string(&w->out, text, (size_t)length);  /* too many digits to show */
  else put(&w->out, text, (size_t)length);
}

static void put_float(writer *w) {
  char text[ETF_FLOAT_SIZE];
  double x;
  ei_decode_double(w->bytes, &w->at, &x);
  int length = etf_write_float(text, x);
  put(&w->out, text, (size_t)length);
}

static void put_binary(writer *w) {
  long length;
  ei_decode_binary(w->bytes, &w->at, NULL, &length);
  put_string(&w->out, w->bytes + w->at - length, (size_t)length);
}

static void put_charlist(writer *w) {
  int type, n;
  ei_get_type(w->bytes, &w->at, &type, &n);
  const unsigned char *text = (const unsigned char *)w->bytes + w->at + 3;
  w->at += 3 + n;
  if (etf_is_printable(text, n)) {
    put_string(&w->out, (const char *)text, (size_t)n);
    return;
  }
  put_byte(&w->out, '[');
  for (int i = 0; i < n; i++) {
    if (i > 0) put_byte(&w->out, ',');
    put_whole(&w->out, text[i]);
  }
  put_byte(&w->out, ']');
}

static void put_items(writer *w, int count) {
  put_byte(&w->out, '[');
  for (int i = 0; i < count; i++) {
    if (i > 0) put_byte(&w->out, ',');
    put_term(w);
  }
}

static void put_list(writer *w) {
  int count;
  ei_decode_list_header(w->bytes, &w->at, &count);
  put_items(w, count);
  if (w->bytes[w->at] == ERL_NIL_EXT) w->at++;
  else {
    put(&w->out, count > 0 ? ",\"|\"," : "\"|\",", count > 0 ? 5 : 4);
    put_term(w);
  }
  put_byte(&w->out, ']');
}

static void put_tuple(writer *w) {
  int count;
  ei_decode_tuple_header(w->bytes, &w->at, &count);
  put_items(w, count);
  put_byte(&w->out, ']');
}

/* A key that is no string in JSON becomes one. Inside such a key other such keys are not shown:
 * every level would double the backslashes of the level below. */
static void put_other_key(writer *w) {
  etf_out *out = &w->out;
  int start = out->used, outermost = !w->in_key;
  w->in_key = 1;
  put_term(w);
  w->in_key = !outermost;
  if (out->bytes[start] == '"') return;
  if (!outermost) {
    out->used = start;
    put_string(out, "#Term", 5);
    return;
  }
  lua_pushlstring(out->L, out->bytes + start, (size_t)(out->used - start));
  size_t length;
  const char *text = lua_tolstring(out->L, -1, &length);
  out->used = start;
  put_string(out, text, length);
  lua_pop(out->L, 1);
}

static void put_key(writer *w) {
  switch ((unsigned char)w->bytes[w->at]) {
    case ERL_SMALL_ATOM_UTF8_EXT:
    case ERL_ATOM_UTF8_EXT:
    case ERL_SMALL_ATOM_EXT:
    case ERL_ATOM_EXT:    put_name(w); break;
    case ERL_BINARY_EXT:  put_binary(w); break;
    default:              put_other_key(w); break;
  }
}

static void put_map(writer *w) {
  int count;
  ei_decode_map_header(w->bytes, &w->at, &count);
  put_byte(&w->out, '{');
  for (int i = 0; i < count; i++) {
    if (i > 0) put_byte(&w->out, ',');
    put_key(w);
    put_byte(&w->out, ':');
    put_term(w);
  }
  put_byte(&w->out, '}');
}

static void put_term(writer *w) {
  switch ((unsigned char)w->bytes[w->at]) {
    case ERL_SMALL_INTEGER_EXT:
    case ERL_INTEGER_EXT:         put_integer(w); break;
    case NEW_FLOAT_EXT:
    case ERL_FLOAT_EXT:           put_float(w); break;
    case ERL_SMALL_BIG_EXT:
    case ERL_LARGE_BIG_EXT:       put_big(w); break;
    case ERL_SMALL_ATOM_UTF8_EXT:
    case ERL_ATOM_UTF8_EXT:
    case ERL_SMALL_ATOM_EXT:
    case ERL_ATOM_EXT:            put_atom(w); break;
    case ERL_BINARY_EXT:          put_binary(w); break;
    case ERL_STRING_EXT:          put_charlist(w); break;
    case ERL_NIL_EXT:
      w->at++;
      put(&w->out, "[]", 2);
      break;
    case ERL_LIST_EXT:            put_list(w); break;
    case ERL_SMALL_TUPLE_EXT:
    case ERL_LARGE_TUPLE_EXT:     put_tuple(w); break;
    case ERL_MAP_EXT:             put_map(w); break;
    default:                      put_described(w); break;
  }
}

/* etf.json(bytes [, position of the 131]) -> text, position behind the term | nil, err */
int etf_f_json(lua_State *L) {
  etf_report report;
  const char *bytes;
  size_t end, start = etf_open(L, &bytes, &end, &report);
  if (start == 0) return 2;
  writer w = { bytes + start, 0, (int)(end - start), 0, { 0 } };
  etf_out_open(L, &w.out, 64 + (end - start));
  put_term(&w);
  lua_pushlstring(L, w.out.bytes, (size_t)w.out.used);
  lua_pushinteger(L, (lua_Integer)end + 1);
  return 2;
}
