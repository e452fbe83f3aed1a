/* etf.h -- what the files of the codec share.
 *
 * etf_check.c   is all there that a term's bytes claim? Runs first, always.
 * etf_text.c    how a pid, a fun or a large integer is written for people
 * etf_value.c   Lua's stand-ins for what Lua has no type for: atoms, pids, tuples, ...
 * etf_make.c    the functions by which scripts make such values
 * etf_decode.c  external term format -> Lua, and the module host.etf
 * etf_encode.c  Lua -> external term format
 * etf_json.c    external term format -> JSON text
 *
 * libei reads and writes the terms. Its decoders do not know where the buffer ends, so
 * nothing but etf_check may look at bytes that etf_check has not passed. */
#ifndef ETF_H
#define ETF_H

#include <ei.h>
#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>
#include <stdint.h>

enum {
  ETF_VERSION   = 131,
  ETF_MAX_DEPTH = 512,  /* nesting, both ways */
  ETF_MAX_BIG   = 1024  /* bytes of an integer that are still shown as digits */
};

/* ---- etf_check.c ---- */

typedef struct {
  const char *why;  /* a phrase such as "truncated" */
  size_t at;        /* offset of the offending term from the start of the bytes */
  int tag;          /* what stands there, or -1 */
  int depth;        /* deepest nesting met */
} etf_report;

/* Bytes that the term at the start of `bytes` takes up, or 0 and the reason in `report`. */
size_t etf_check(const unsigned char *bytes, size_t have, etf_report *report);

/* Can these bytes be the name of an atom: UTF-8 of at most 255 characters? */
int etf_is_atom_name(const char *name, size_t length);

/* Checks argument 1 from the version byte at argument 2 on. Returns the offset of the term behind
 * the version byte, and its end in *end; or 0, with nil and the reason on the stack. */
size_t etf_open(lua_State *L, const char **bytes, size_t *end, etf_report *report);

/* Bytes of UTF-8 at text that form one character, 0 if they do not. */
size_t etf_utf8_length(const unsigned char *text, size_t have);

/* ---- etf_value.c ---- */

/* Objects are userdata that hold their own external bytes; the others are Lua tables. */
typedef enum {
  ETF_NONE,
  ETF_ATOM, ETF_PID, ETF_PORT, ETF_REF, ETF_FUN, ETF_BIG, ETF_HUGE, ETF_FLOAT, ETF_CHARS, ETF_BITS,
  ETF_RAW,
  ETF_TUPLE, ETF_IMPROPER, ETF_ATOM_MAP, ETF_BINARY_MAP, ETF_OTHER_MAP,
  ETF_KINDS
} etf_kind;

/* Every function of the module has these upvalues: two tables, then a metatable for each kind. */
enum {
  ETF_UP_ATOMS = 1,  /* name -> atom, true or false; this is etf.A */
  ETF_UP_OBJECTS,    /* external bytes -> object, weak */
  ETF_UP_KINDS,      /* metatable of kind k at ETF_UP_KINDS + k */
  ETF_UPVALUES = ETF_UP_KINDS + ETF_KINDS - 1
};

#define ETF_UP(i) lua_upvalueindex(i)
#define ETF_METATABLE(kind) lua_upvalueindex(ETF_UP_KINDS + (kind))

etf_kind etf_kind_of(lua_State *L, int index);
void etf_push_atom(lua_State *L, const char *name, size_t length);
/* An object of its own; and the one object with these bytes. */
void etf_push_new(lua_State *L, etf_kind kind, const char *raw, size_t length);
void etf_push_object(lua_State *L, etf_kind kind, const char *raw, size_t length);
/* Pids, ports and references have several spellings on the wire; the object has one. */
void etf_push_identifier(lua_State *L, etf_kind kind, const char *raw, size_t length);
/* Pushes the module, with A and the makers in it, then the upvalues for luaL_setfuncs. */
void etf_push_module(lua_State *L);

/* ---- etf_encode.c: a growing piece of memory; Lua owns it, so that a raise leaks nothing ---- */

typedef struct {
  lua_State *L;
  char *bytes;
  int slot;  /* where on the stack the memory hangs */
  int used;  /* int, because libei counts so */
  int size;
} etf_out;

void etf_out_open(lua_State *L, etf_out *out, size_t expected);
void etf_out_grow(etf_out *out, size_t more);

/* Afterwards `more` bytes may be written at out->bytes + out->used. */
static inline void etf_room(etf_out *out, size_t more) {
  if ((size_t)(out->size - out->used) < more) etf_out_grow(out, more);
}

/* ---- etf_text.c ---- */

enum { ETF_TEXT_SIZE = 4096 };  /* room for the longest text below */

/* Writes how Erlang would show a pid, port, reference, fun, bitstring, float or large integer
 * (checked bytes, no version byte). Returns the length; `text` ends with a zero. */
int etf_describe(char *text, const char *raw);

enum { ETF_FLOAT_SIZE = 40 };

/* The fewest digits that read back as the same number, always with a point or an exponent. */
int etf_write_float(char *text, double x);

/* Is this list of bytes text that people wrote, not just small numbers? */
int etf_is_printable(const unsigned char *text, int length);

/* The name of an atom: UTF-8 in the buffer itself if it stands there so, else in `room`, which has
 * MAXATOMLEN_UTF8 bytes. Steps *index over the atom. */
const char *etf_atom_name(const char *bytes, int *index, char *room, size_t *length);

/* ---- functions of the module; each says at its definition what it answers ---- */

int etf_f_amap(lua_State *L);
int etf_f_chars(lua_State *L);
int etf_f_encode(lua_State *L);
int etf_f_float(lua_State *L);
int etf_f_frame(lua_State *L);
int etf_f_json(lua_State *L);
int etf_f_pid(lua_State *L);
int etf_f_raw(lua_State *L);
int etf_f_ref(lua_State *L);
int etf_f_tuple(lua_State *L);

int luaopen_etf(lua_State *L);

#endif
