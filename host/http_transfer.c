/* http_transfer.c -- one HTTP exchange under way: bytes put aside for Lua, and Lua called.
 *
 * libcurl's callbacks only put bytes aside; Lua is called after libcurl has returned. Inside
 * those callbacks libcurl refuses to add and to remove transfers, and a request started there
 * would never run. So Lua may start, pause and cancel wherever it likes. */
#include "http_transfer.h"

#include <luv/luv.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WAITING (1024 * 1024) /* bytes of a body put aside; then the sender has to wait */
#define MOST_HEADERS (256 * 1024)

const char *const bl_transfer_callbacks[] = { "on_header", "on_data" };

static struct {
  lua_State *L;
  CURLM *multi;
  transfer *first, **end; /* those with something for Lua */
} engine;

static void step_in_line(transfer *t) {
  if (t->in_line) return;
  t->in_line = 1;
  t->next = NULL;
  *engine.end = t;
  engine.end = &t->next;
}

static void step_out(transfer *t) {
  transfer **at = &engine.first;
  if (!t->in_line) return;
  while (*at != t) at = &(*at)->next;
  *at = t->next;
  if (engine.end == &t->next) engine.end = at;
  t->in_line = 0;
}

void bl_transfer_release(lua_State *L, transfer *t) {
  step_out(t);
  bl_clock_close(&t->idle);
  if (t->easy) {
    curl_multi_remove_handle(engine.multi, t->easy); /* refused, and fine, if it never was in */
    curl_easy_cleanup(t->easy);
    t->easy = NULL;
  }
  curl_slist_free_all(t->headers);
  t->headers = NULL;
  for (int i = BL_HEADER; i <= BL_DATA; i++) {
    free(t->waiting[i].start);
    t->waiting[i] = (struct bytes){ 0 };
  }
  lua_pushlightuserdata(L, t);
  lua_pushnil(L);
  lua_rawset(L, LUA_REGISTRYINDEX);
}

/* What libcurl calls: no Lua below this line until the next such line. */

static void on_idle(uv_timer_t *timer);

static void moved(transfer *t) {
  if (!t->idle || t->paused) return;
  t->idle->last_chance = 0;
  bl_clock_start(t->idle, on_idle, t->idle_ms);
}

static void put_aside(struct bytes *b, const char *from, size_t len) {
  if (len > b->room - b->len) {
    size_t room = 2 * (b->len + len);
    char *start = realloc(b->start, room);
    if (!start) bl_no_memory();
    b->start = start;
    b->room = room;
  }
  memcpy(b->start + b->len, from, len);
  b->len += len;
}

static size_t on_body(char *from, size_t one, size_t count, void *user) {
  transfer *t = user;
  size_t len = one * count;
  moved(t);
  if (!t->wants[BL_DATA]) return len;
  if (t->waiting[BL_DATA].len > 0 && len > MOST_WAITING - t->waiting[BL_DATA].len) {
    t->full = 1;
    return CURL_WRITEFUNC_PAUSE;
  }
  put_aside(&t->waiting[BL_DATA], from, len);
  step_in_line(t);
  return len;
}

static size_t on_header(char *from, size_t one, size_t count, void *user) {
  transfer *t = user;
  size_t len = one * count;
  moved(t);
  if (len > MOST_HEADERS - t->header_total) return 0; /* ends it with CURLE_WRITE_ERROR */
  t->header_total += len;
  if (!t->wants[BL_HEADER]) return len;
  put_aside(&t->waiting[BL_HEADER], from, len);
  step_in_line(t);
  return len;
}

static int on_progress(void *user, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up) {
  transfer *t = user;
  (void)down_all;
  (void)up_all;
  if (down + up != t->moved) moved(t);
  t->moved = down + up;
  return 0;
}

void bl_transfer_receive(transfer *t) {
  curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
  curl_easy_setopt(t->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(t->easy, CURLOPT_XFERINFODATA, t);
  curl_easy_setopt(t->easy, CURLOPT_NOPROGRESS, 0L);
}
/* From here on Lua is called. */

/* Leaves on the stack the sentence for a transfer that failed. */
static void push_reason(lua_State *L, transfer *t, CURLcode code) {
  const char *why = t->error[0] ? t->error : curl_easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      lua_pushfstring(L, "http: %s has no address: check its name and the network", t->peer);
      break;
    case CURLE_COULDNT_CONNECT:
      lua_pushfstring(L, "http: nothing answers at %s: check the address and the network", t->peer);
      break;
    case CURLE_OPERATION_TIMEDOUT:
      lua_pushfstring(L, "http: %s took too long (%s)", t->peer, why);
      break;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      lua_pushfstring(L, "http: %s ended the connection in the middle (%s)", t->peer, why);
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      lua_pushfstring(L, "http: the certificate of %s cannot be trusted (%s)", t->peer, why);
      break;
    case CURLE_WRITE_ERROR:
      lua_pushfstring(L, "http: %s sent headers of more than 256 kB", t->peer);
      break;
    default:
      lua_pushfstring(L, "http: %s: %s", t->peer, why);
  }
}

/* Tells the end: on_done is the last call and comes once. The reason, if any, is on top of the
 * stack and is taken from there. */
static void conclude(lua_State *L, int self, transfer *t, long status, CURLcode code) {
  luv_CFpcall call = luv_context(L)->cb_pcall;
  int reason = lua_gettop(L);
  bl_transfer_release(L, t);
  lua_getfenv(L, self);
  lua_getfield(L, -1, "on_done");
  if (status) {
    lua_pushinteger(L, status);
    lua_pushnil(L);
  } else {
    lua_pushnil(L);
    lua_pushvalue(L, reason);
  }
  lua_pushinteger(L, code);
  call(L, 3, 0, LUVF_CALLBACK_NOEXIT);
}

/* Hands over what is waiting. An error raised there is the end of this transfer, told like any. */
static void deliver(lua_State *L, int self, transfer *t, int which) {
  struct bytes *b = &t->waiting[which];
  if (!t->easy || t->paused || b->len == 0) return;
  lua_getfenv(L, self);
  lua_getfield(L, -1, bl_transfer_callbacks[which]);
  lua_pushlstring(L, b->start, b->len);
  b->len = 0;
  if (!lua_pcall(L, 1, 0, 0) || !t->easy) return;
  const char *why = lua_tostring(L, -1);
  lua_pushfstring(L, "http: fault in %s: %s", bl_transfer_callbacks[which], why ? why : "no text");
  conclude(L, self, t, 0, CURLE_ABORTED_BY_CALLBACK);
}

static void attend(lua_State *L, transfer *t) {
  int top = lua_gettop(L), self = top + 1;
  long status = 0;
  luaL_checkstack(L, 12, "http");
  lua_pushlightuserdata(L, t);
  lua_rawget(L, LUA_REGISTRYINDEX); /* here it outlives its own cancelling */
  deliver(L, self, t, BL_HEADER);
  deliver(L, self, t, BL_DATA);
  if (t->easy && !t->paused && t->full) {
    t->full = 0;
    curl_easy_pause(t->easy, CURLPAUSE_CONT);
  }
  if (t->easy && !t->paused && t->finished && !t->in_line) {
    if (t->result == CURLE_OK) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    else push_reason(L, t, t->result);
    conclude(L, self, t, status, t->result);
  }
  lua_settop(L, top);
}

/* Nothing but this calls Lua, and only from the loop, never from inside libcurl. */
static void attend_all(void) {
  CURLMsg *message;
  transfer *t;
  int left;
  for (;;) {
    while ((message = curl_multi_info_read(engine.multi, &left))) {
      if (message->msg != CURLMSG_DONE) continue;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
      t->finished = 1;
      t->result = message->data.result;
      step_in_line(t);
    }
    if (!(t = engine.first)) return;
    step_out(t);
    attend(engine.L, t);
  }
}

/* libuv runs timers before it looks at sockets. After a long computation the bytes may be there
 * and this the first to run, so the sockets get one look before we give up. */
static void on_idle(uv_timer_t *timer) {
  struct bl_clock *c = (struct bl_clock *)timer;
  transfer *t = c->owner;
  if (!c->last_chance) {
    c->last_chance = 1;
    uv_timer_start(timer, on_idle, 1, 0);
    return;
  }
  lua_State *L = engine.L;
  int top = lua_gettop(L);
  luaL_checkstack(L, 12, "http");
  lua_pushlightuserdata(L, t);
  lua_rawget(L, LUA_REGISTRYINDEX);
  lua_pushfstring(L, "http: %s has sent nothing for %d ms", t->peer, (int)t->idle_ms);
  conclude(L, top + 1, t, 0, CURLE_OPERATION_TIMEDOUT);
  lua_settop(L, top);
}

int bl_transfer_start(lua_State *L, int self, transfer *t) {
  if (!engine.multi) return -1;
  if (t->idle_ms) t->idle = bl_clock_new(t);
  lua_pushlightuserdata(L, t);
  lua_pushvalue(L, self);
  lua_rawset(L, LUA_REGISTRYINDEX); /* nobody need hold the handle while it runs */
  if (curl_multi_add_handle(engine.multi, t->easy)) return -1;
  moved(t);
  return 0;
}

void bl_transfer_pause(transfer *t, int wanted) {
  if (!t->easy || t->paused == wanted) return;
  t->paused = wanted;
  if (wanted) {
    if (t->idle) uv_timer_stop(&t->idle->timer);
    if (!t->finished) curl_easy_pause(t->easy, CURLPAUSE_RECV);
    return;
  }
  moved(t);
  t->full = 0;
  if (!t->finished) curl_easy_pause(t->easy, CURLPAUSE_CONT);
  step_in_line(t);
  bl_multi_soon();
}

void bl_transfers_open(lua_State *L) {
  engine.L = luv_state(L);
  engine.end = &engine.first;
  engine.multi = bl_multi_open(luv_loop(L), attend_all);
}

void bl_transfers_close(void) {
  bl_multi_close();
  engine.multi = NULL;
}
