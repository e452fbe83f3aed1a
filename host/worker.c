/* worker.c -- the process in which one chunk of Lua, written by a model, runs and ends.
 *
 * The host (runtime/worker.lua) starts the program anew with --sandbox-worker and an empty
 * environment; descriptor 3, a stream socket, is all there is. The Lua state is prepared by
 * sandbox/worker.lua, and the process locked in (jail.c) before any chunk is known. A chunk must
 * not be able to catch its end: at the deadline and at the memory cap no error is raised, the
 * verdict is sent and the process exits on the spot.
 * The host believes none of this: it has its own clock, and kills.
 *
 * A frame is u32 length of the body (big endian), a type byte, the body:
 *   to us    X  u32 run_ms, memory, arguments, result, print (bytes), u16 count,
 *               count times u8 length and name; the code is the rest
 *            R  u8 failed, JSON
 *   from us  H  u8 version, u8 layers, text        locked in; why without seccomp (jail.h)
 *            C  u16 index of the name, JSON list   a callback; an R must follow
 *            D  u32 length, printed, JSON          done; no JSON: the chunk returned nothing
 *            E  u32 line, u32 length, printed, message
 *            K  u8 verdict, u32 line, printed      stopped */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <lualib.h>
#include <luajit.h>

#include "bl.h"
#include "jail.h"
#include "worker_json.h"

#define VERSION     2
#define HEAD        5            /* length and type of a frame */
#define MAX_FRAME   (1u << 20)
#define MAX_MESSAGE 2048
#define START_BYTES (64u << 20)  /* until the host has said its cap */
#define INSIST_US   10000        /* how long the hook may take to stop the chunk */
#define CHUNK       "=chunk"

enum verdict { TIMEOUT = 1, MEMORY = 2 };

static struct {
  uint32_t run_ms, memory, arguments, result, print;
} limits = { .memory = START_BYTES };

static lua_State *state;
static size_t used;                    /* bytes that the state holds */
static struct bl_text printed;
static volatile sig_atomic_t alarms;
static int failed_line;

static void send_all(const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = send(JAIL_PIPE, bytes, length, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(0); /* the host is gone, and with it the reason for us to be */
    bytes += n;
    length -= (size_t)n;
  }
}

static void receive_all(char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = recv(JAIL_PIPE, bytes, length, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(0);
    bytes += n;
    length -= (size_t)n;
  }
}

static void put_u32(char *at, uint32_t n) {
  for (int i = 0; i < 4; i++) at[i] = (char)(n >> (24 - 8 * i));
}

static uint32_t get_u32(const char *at) {
  const unsigned char *b = (const unsigned char *)at;
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void put_head(char *at, char type, size_t length) {
  put_u32(at, (uint32_t)length);
  at[4] = type;
}

/* The body, NUL-terminated, to be freed. */
static char *receive(char type, size_t *length) {
  char head[HEAD], *body;
  receive_all(head, sizeof head);
  *length = get_u32(head);
  if (head[4] != type || *length > MAX_FRAME) _exit(0);
  body = malloc(*length + 1);
  if (!body) bl_no_memory();
  receive_all(body, *length);
  body[*length] = '\0';
  return body;
}

/* Called by the allocator, a hook or a signal: nothing but plain system calls in here. */
static void stop(enum verdict why, int line) __attribute__((noreturn));
static void stop(enum verdict why, int line) {
  char head[HEAD + 5];
  put_head(head, 'K', 5 + printed.length);
  head[HEAD] = (char)why;
  put_u32(head + HEAD + 1, (uint32_t)line);
  send_all(head, sizeof head);
  send_all(printed.bytes, printed.length);
  _exit(0);
}

static void *allocate(void *context, void *block, size_t old, size_t wanted) {
  void *moved;
  (void)context;
  if (wanted == 0) {
    free(block);
    used -= old;
    return NULL;
  }
  if (wanted > old && wanted - old > limits.memory - used) stop(MEMORY, 0);
  moved = realloc(block, wanted);
  if (!moved) stop(MEMORY, 0);
  used += wanted - old;
  return moved;
}

/* The line of the chunk that is being run; 0 if none is. */
static int current_line(lua_State *L) {
  lua_Debug frame;
  for (int level = 0; lua_getstack(L, level, &frame); level++)
    if (lua_getinfo(L, "Sl", &frame) && frame.currentline > 0 && !strcmp(frame.source, CHUNK))
      return frame.currentline;
  return 0;
}

static void stop_in_hook(lua_State *L, lua_Debug *frame) {
  (void)frame;
  stop(TIMEOUT, current_line(L));
}

/* At the first alarm the hook ends the chunk at its next instruction, which knows the line. A
 * chunk that meets none, for it is inside string.find, is still there at the second. */
static void on_alarm(int signal_number) {
  (void)signal_number;
  if (alarms++ > 0) stop(TIMEOUT, 0);
  lua_sethook(state, stop_in_hook, LUA_MASKCOUNT, 1);
}

/* The clock stands still while a callback is out. Then no signal comes either, so no verdict
 * can land inside another frame. */
static struct itimerval stop_clock(void) {
  struct itimerval none = { { 0, 0 }, { 0, 0 } }, left;
  setitimer(ITIMER_REAL, &none, &left);
  return left;
}

static void start_clock(struct itimerval left) {
  if (left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0) left.it_value.tv_usec = 1;
  left.it_interval = (struct timeval){ 0, INSIST_US };
  setitimer(ITIMER_REAL, &left, NULL);
}

/* time() -> seconds since 1970. time(2) is another call, and ends us where there is no vDSO. */
static int f_time(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec);
  return 1;
}

/* clock() -> seconds of processor time, for a chunk that measures itself */
static int f_clock(lua_State *L) {
  lua_pushnumber(L, (lua_Number)clock() / CLOCKS_PER_SEC);
  return 1;
}

static void print_bytes(const char *bytes, size_t length) {
  size_t left = limits.print - printed.length;
  bl_text_add(&printed, bytes, length < left ? length : left);
}

/* print(...): kept for the answer, cut at the limit. Tables are shown as JSON. */
static int f_print(lua_State *L) {
  int count = lua_gettop(L);
  for (int i = 1; i <= count; i++) {
    struct bl_text json = { .limit = limits.print };
    size_t length;
    const char *s;
    if (i > 1) print_bytes("\t", 1);
    if (lua_type(L, i) == LUA_TSTRING) {
      s = lua_tolstring(L, i, &length);
      print_bytes(s, length);
    } else if (lua_isnil(L, i)) {
      print_bytes("nil", 3);
    } else {
      s = bl_json_encode(L, i, &json);
      if (s && !json.over) print_bytes(s, strlen(s));
      else print_bytes(json.bytes, json.length);
    }
    free(json.bytes);
  }
  print_bytes("\n", 1);
  return 0;
}

/* name(...) -> the host's answer; raises what the host says went wrong. */
static int f_callback(lua_State *L) {
  const char *name = lua_tostring(L, lua_upvalueindex(2)), *why = NULL;
  unsigned index = (unsigned)lua_tointeger(L, lua_upvalueindex(1));
  struct bl_text out = { .limit = HEAD + 2 + limits.arguments };
  char head[HEAD + 2] = { 0 }, *reply;
  int count = lua_gettop(L), argument = 0, bad;
  struct itimerval left;
  size_t length;
  bl_text_add(&out, head, sizeof head);
  bl_text_add(&out, "[", 1);
  while (!why && argument < count) {
    if (argument++ > 0) bl_text_add(&out, ",", 1);
    why = bl_json_encode(L, argument, &out);
  }
  bl_text_add(&out, "]", 1);
  if (!why && out.over) why = "it is too large";
  if (why) {
    free(out.bytes);
    return luaL_error(L, "%s: argument %d cannot be sent: %s (limit %d bytes)", name, argument, why,
                      (int)limits.arguments);
  }
  put_head(out.bytes, 'C', out.length - HEAD);
  out.bytes[HEAD] = (char)(index >> 8);
  out.bytes[HEAD + 1] = (char)index;
  left = stop_clock();
  send_all(out.bytes, out.length);
  free(out.bytes);
  reply = receive('R', &length);
  start_clock(left);
  bad = length < 1 || bl_json_decode(L, reply + 1);
  if (!bad) bad = reply[0] ? 2 : 0;
  free(reply);
  if (bad == 1) return luaL_error(L, "%s: the answer cannot be read", name);
  if (bad == 0) return 1;
  luaL_where(L, 1);
  lua_insert(L, -2);
  lua_concat(L, 2);
  return lua_error(L);
}

/* callback(index, name) -> function */
static int f_make_callback(lua_State *L) {
  luaL_checkinteger(L, 1);
  luaL_checkstring(L, 2);
  lua_settop(L, 2);
  lua_pushcclosure(L, f_callback, 2);
  return 1;
}

static const luaL_Reg host_functions[] = {
  { "callback", f_make_callback },
  { "clock",    f_clock         },
  { "print",    f_print         },
  { "time",     f_time          },
  { NULL,       NULL            }
};

static const luaL_Reg libraries[] = {
  { "",              luaopen_base   },
  { LUA_TABLIBNAME,  luaopen_table  },
  { LUA_STRLIBNAME,  luaopen_string },
  { LUA_MATHLIBNAME, luaopen_math   },
  { LUA_BITLIBNAME,  luaopen_bit    },
  { NULL,            NULL           }
};

static void refuse(const char *why) __attribute__((noreturn));
static void refuse(const char *why) {
  fprintf(stderr, "sandbox worker: %s\n", why);
  _exit(70);
}

/* Leaves sandbox/worker.lua's function on the stack. JIT off: compiled code meets no hook, and
 * without it no memory ever has to be both written and run. */
static void prepare_state(void) {
  state = lua_newstate(allocate, NULL);
  if (!state) refuse("no Lua state");
  luaJIT_setmode(state, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  for (const luaL_Reg *l = libraries; l->func; l++) {
    lua_pushcfunction(state, l->func);
    lua_pushstring(state, l->name);
    lua_call(state, 1, 0);
  }
  lua_pushnil(state);
  lua_setfield(state, LUA_REGISTRYINDEX, "_LOADED"); /* the whole libraries must not be found */
  if (bl_file_load(state, "sandbox/worker.lua") || bl_file_load(state, "sandbox/globals.lua") ||
      lua_pcall(state, 0, 1, 0))
    refuse(lua_tostring(state, -1));
  lua_newtable(state);
  luaL_register(state, NULL, host_functions);
  if (lua_pcall(state, 2, 1, 0)) refuse(lua_tostring(state, -1));
}

static int on_error(lua_State *L) {
  failed_line = current_line(L);
  return 1;
}

static const char *want(const char **at, const char *end, size_t n) {
  const char *here = *at;
  if ((size_t)(end - here) < n) _exit(0);
  *at += n;
  return here;
}

/* Reads an X frame and pushes a table of names and the code. */
static void read_order(void) {
  size_t length;
  char *body = receive('X', &length);
  const char *at = body, *end = body + length;
  uint32_t *into[] = { &limits.run_ms, &limits.memory, &limits.arguments, &limits.result,
                       &limits.print };
  unsigned count;
  for (size_t i = 0; i < sizeof into / sizeof *into; i++) *into[i] = get_u32(want(&at, end, 4));
  if (limits.memory < used) stop(MEMORY, 0);
  at = want(&at, end, 2);
  count = (unsigned)(unsigned char)at[0] << 8 | (unsigned char)at[1];
  at += 2;
  lua_createtable(state, (int)count, 0);
  for (unsigned i = 1; i <= count; i++) {
    size_t n = (unsigned char)*want(&at, end, 1);
    lua_pushlstring(state, want(&at, end, n), n);
    lua_rawseti(state, -2, (int)i);
  }
  lua_pushlstring(state, at, (size_t)(end - at));
  free(body);
}

static void begin_answer(struct bl_text *out, int line) {
  char head[HEAD + 8] = { 0 };
  size_t skip = line < 0 ? 4 : 0; /* only E has a line */
  out->limit = MAX_FRAME;
  put_u32(head + HEAD, (uint32_t)line);
  put_u32(head + HEAD + 4 - skip, (uint32_t)printed.length);
  bl_text_add(out, head, sizeof head - skip);
  bl_text_add(out, printed.bytes, printed.length);
}

/* Whatever was thrown stands on top of the stack. */
static void answer_error(struct bl_text *out) {
  size_t length, start;
  const char *s;
  out->length = 0;
  out->over = false;
  begin_answer(out, failed_line);
  start = out->length;
  out->limit = start + MAX_MESSAGE;
  if (lua_type(state, -1) == LUA_TSTRING) {
    s = lua_tolstring(state, -1, &length);
    bl_text_add(out, s, length < MAX_MESSAGE ? length : MAX_MESSAGE);
  } else {
    s = bl_json_encode(state, lua_gettop(state), out);
    if (!s) return;
    out->length = start;
    out->over = false;
    s = lua_pushfstring(state, "an error object that cannot be shown: %s", s);
    bl_text_add(out, s, strlen(s));
  }
}

/* No value, one value, or a list of several. Why it cannot be, or NULL. */
static const char *answer_values(struct bl_text *out, int first) {
  int count = lua_gettop(state) - first + 1;
  const char *why = NULL;
  begin_answer(out, -1);
  out->limit = out->length + limits.result;
  if (count > 1) bl_text_add(out, "[", 1);
  for (int i = 0; i < count && !why; i++) {
    if (i > 0) bl_text_add(out, ",", 1);
    why = bl_json_encode(state, first + i, out);
  }
  if (count > 1) bl_text_add(out, "]", 1);
  return why || !out->over ? why : "it is too large";
}

/* The prepare function, the names and the code are on the stack. The answer's type. */
static char run_chunk(struct bl_text *out) {
  const char *why;
  lua_pushcfunction(state, on_error);
  lua_insert(state, 1);
  if (lua_pcall(state, 2, 1, 0) || lua_pcall(state, 0, LUA_MULTRET, 1)) {
    answer_error(out);
    return 'E';
  }
  why = answer_values(out, 2);
  if (!why) return 'D';
  lua_pushfstring(state, "the result cannot be returned: %s (limit %d bytes)", why,
                  (int)limits.result);
  answer_error(out);
  return 'E';
}

/* From here on there is no way back, nor out. */
static void lock_in(void) {
  char hello[HEAD + 2];
  unsigned layers = bl_jail_lock();
  const char *why = layers & JAIL_SECCOMP ? "" : strerrorname_np(errno);
  if (!why) why = "";
  put_head(hello, 'H', 2 + strlen(why));
  hello[HEAD] = VERSION;
  hello[HEAD + 1] = (char)layers;
  send_all(hello, sizeof hello);
  send_all(why, strlen(why));
}

int bl_worker_main(void) {
  struct sigaction alarm_action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
  struct itimerval whole = { { 0, 0 }, { 0, 0 } };
  struct bl_text out = { 0 };
  char type;
  int flags = fcntl(JAIL_PIPE, F_GETFL);
  if (flags < 0) refuse("started by beamlens-run itself, with its pipe as descriptor 3");
  fcntl(JAIL_PIPE, F_SETFL, flags & ~O_NONBLOCK);
  prepare_state();
  sigaction(SIGALRM, &alarm_action, NULL);
  signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would call the system, and die of that */
  lock_in();
  read_order();
  printed.limit = printed.room = limits.print;
  printed.bytes = malloc(limits.print + 1); /* whole, for a signal may send it at any moment */
  if (!printed.bytes) bl_no_memory();
  whole.it_value = (struct timeval){ limits.run_ms / 1000, limits.run_ms % 1000 * 1000 };
  start_clock(whole);
  type = run_chunk(&out);
  stop_clock();
  put_head(out.bytes, type, out.length - HEAD);
  send_all(out.bytes, out.length);
  _exit(0);
}
