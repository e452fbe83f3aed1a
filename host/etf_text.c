/* etf_text.c -- how Erlang shows what has no text of its own: pids, references, funs, large
 * integers. Used by tostring and by JSON, on bytes that etf_check has passed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etf.h"

#define SHOWN_BYTES 32  /* of a bitstring */

static size_t latin1_to_utf8(char *room, const unsigned char *s, size_t n) {
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    if (s[i] < 0x80) room[used++] = (char)s[i];
    else {
      room[used++] = (char)(0xC0 | s[i] >> 6);
      room[used++] = (char)(0x80 | (s[i] & 0x3F));
    }
  }
  return used;
}

/* Not ei_decode_atom_as: it copies every name, and tells its length only by a zero at the end,
 * which a name may contain. */
const char *etf_atom_name(const char *bytes, int *index, char *room, size_t *length) {
  const unsigned char *p = (const unsigned char *)bytes + *index;
  int small = *p == ERL_SMALL_ATOM_UTF8_EXT || *p == ERL_SMALL_ATOM_EXT;
  int latin1 = *p == ERL_SMALL_ATOM_EXT || *p == ERL_ATOM_EXT;
  size_t n = small ? p[1] : (size_t)(p[1] << 8 | p[2]);
  const unsigned char *name = p + (small ? 2 : 3);
  *index += (int)(n + (small ? 2 : 3));
  *length = n;
  if (!latin1) return (const char *)name;
  size_t plain = 0;
  while (plain < n && name[plain] < 0x80) plain++;
  if (plain == n) return (const char *)name;
  *length = latin1_to_utf8(room, name, n);
  return room;
}

int etf_is_printable(const unsigned char *text, int n) {
  for (int i = 0; i < n; i++) {
    unsigned char c = text[i];
    if (c > 126 || (c < 32 && c != '\t' && c != '\n' && c != '\r')) return 0;
  }
  return n > 0;
}

int etf_write_float(char *text, double x) {
  int used = 0;
  for (int digits = 15; digits <= 17; digits++) {
    used = snprintf(text, ETF_FLOAT_SIZE, "%.*g", digits, x);
    if (strtod(text, NULL) == x) break;
  }
  if (!strpbrk(text, ".e")) used += sprintf(text + used, ".0");
  return used;
}

/* Decimal digits of a number of n bytes, least significant first. */
static int write_digits(char *text, const unsigned char *bytes, size_t n, int negative) {
  uint32_t words[ETF_MAX_BIG / 4] = { 0 };
  uint32_t groups[ETF_MAX_BIG / 3];  /* nine digits each; a byte is under 2.41 digits */
  size_t top = (n + 3) / 4, count = 0;
  for (size_t i = 0; i < n; i++) words[i / 4] |= (uint32_t)bytes[i] << 8 * (i % 4);
  do {
    uint64_t rest = 0;
    for (size_t i = top; i-- > 0;) {
      rest = rest << 32 | words[i];
      words[i] = (uint32_t)(rest / 1000000000);
      rest %= 1000000000;
    }
    groups[count++] = (uint32_t)rest;
    while (top > 0 && words[top - 1] == 0) top--;
  } while (top > 0);
  int used = sprintf(text, "%s%" PRIu32, negative ? "-" : "", groups[--count]);
  while (count > 0) used += sprintf(text + used, "%09" PRIu32, groups[--count]);
  return used;
}

static int describe_big(char *text, const char *raw) {
  const unsigned char *p = (const unsigned char *)raw;
  int type, n, index = 0;
  ei_get_type(raw, &index, &type, &n);
  p += *p == ERL_SMALL_BIG_EXT ? 2 : 5;
  if (n > ETF_MAX_BIG) return sprintf(text, "#Integer<%d bytes>", n);
  return write_digits(text, p + 1, (size_t)n, p[0]);
}

static int describe_bits(char *text, const char *raw) {
  const char *start;
  unsigned offset;
  size_t bits;
  int index = 0;
  if (ei_decode_bitstring(raw, &index, &start, &offset, &bits)) return sprintf(text, "#Bits");
  const unsigned char *bytes = (const unsigned char *)start;
  size_t whole = bits / 8, shown = whole < SHOWN_BYTES ? whole : SHOWN_BYTES;
  unsigned rest = bits % 8;
  int used = sprintf(text, "<<");
  for (size_t i = 0; i < shown; i++) used += sprintf(text + used, "%s%u", i ? "," : "", bytes[i]);
  if (shown < whole) used += sprintf(text + used, ",...");
  else if (rest > 0) {
    used += sprintf(text + used, "%s%d:%u", shown ? "," : "", bytes[whole] >> (8 - rest), rest);
  }
  return used + sprintf(text + used, ">>");
}

static int describe_reference(char *text, const char *raw) {
  erlang_ref ref;
  int index = 0;
  if (ei_decode_ref(raw, &index, &ref)) return sprintf(text, "#Ref");
  int used = sprintf(text, "#Ref<0");
  for (int i = ref.len; i-- > 0;) used += sprintf(text + used, ".%u", ref.n[i]);
  return used + sprintf(text + used, ">");
}

static int describe_fun(char *text, const char *raw) {
  char room[MAXATOMLEN_UTF8];
  size_t length;
  long number, unique;
  int index = 30;
  const char *module = etf_atom_name(raw, &index, room, &length);
  ei_decode_long(raw, &index, &number);
  ei_decode_long(raw, &index, &unique);
  return sprintf(text, "#Fun<%.*s.%ld.%ld>", (int)length, module, number, unique);
}

static int describe_export(char *text, const char *raw) {
  char room[2][MAXATOMLEN_UTF8];
  size_t length[2];
  long arity;
  int index = 1;
  const char *module = etf_atom_name(raw, &index, room[0], &length[0]);
  const char *name = etf_atom_name(raw, &index, room[1], &length[1]);
  ei_decode_long(raw, &index, &arity);
  return sprintf(text, "fun %.*s:%.*s/%ld", (int)length[0], module, (int)length[1], name, arity);
}

int etf_describe(char *text, const char *raw) {
  int index = 0;
  erlang_pid pid;
  erlang_port port;
  double number;
  switch ((unsigned char)raw[0]) {
    case ERL_NEW_PID_EXT:
    case ERL_PID_EXT:
      if (ei_decode_pid(raw, &index, &pid)) return sprintf(text, "#Pid");
      return sprintf(text, "<0.%u.%u>", pid.num, pid.serial);
    case ERL_V4_PORT_EXT:
    case ERL_NEW_PORT_EXT:
    case ERL_PORT_EXT:
      if (ei_decode_port(raw, &index, &port)) return sprintf(text, "#Port");
      return sprintf(text, "#Port<0.%" PRIu64 ">", (uint64_t)port.id);
    case ERL_NEWER_REFERENCE_EXT:
    case ERL_NEW_REFERENCE_EXT:   return describe_reference(text, raw);
    case ERL_NEW_FUN_EXT:         return describe_fun(text, raw);
    case ERL_EXPORT_EXT:          return describe_export(text, raw);
    case ERL_SMALL_BIG_EXT:
    case ERL_LARGE_BIG_EXT:       return describe_big(text, raw);
    case ERL_BIT_BINARY_EXT:      return describe_bits(text, raw);
    case NEW_FLOAT_EXT:
      ei_decode_double(raw, &index, &number);
      return etf_write_float(text, number);
    default:                      return sprintf(text, "#Term");
  }
}
