/* http_loop.c -- libcurl's multi interface on a uv loop: which sockets it waits for, and how long.
 *
 * libcurl tells us what to watch through on_socket and on_timer, and wants to hear of it through
 * curl_multi_socket_action, which must never be called from inside those two. */
#include "http_loop.h"

#include <stdlib.h>

#include "bl.h"

#define MOST_CACHED 16L /* connections kept open for the next request */

struct watch {
  uv_poll_t poll; /* first, as in bl_clock */
  curl_socket_t fd;
};

static struct {
  uv_loop_t *loop;
  CURLM *multi;
  void (*after)(void);
  struct bl_clock *timer; /* libcurl's own */
  struct bl_clock *soon;
} engine;

static void free_handle(uv_handle_t *handle) {
  free(handle);
}

struct bl_clock *bl_clock_new(void *owner) {
  struct bl_clock *c = calloc(1, sizeof *c);
  if (!c) bl_no_memory();
  uv_timer_init(engine.loop, &c->timer);
  c->owner = owner;
  return c;
}

void bl_clock_close(struct bl_clock **c) {
  if (*c) uv_close((uv_handle_t *)&(*c)->timer, free_handle);
  *c = NULL;
}

/* The loop's idea of now may be old by all that Lua has computed since. */
void bl_clock_start(struct bl_clock *c, uv_timer_cb then, uint64_t ms) {
  uv_update_time(engine.loop);
  uv_timer_start(&c->timer, then, ms, 0);
}

static void act(curl_socket_t fd, int what) {
  int running;
  curl_multi_socket_action(engine.multi, fd, what, &running);
  engine.after();
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct watch *w = (struct watch *)poll;
  int what = 0;
  if (status < 0) what = CURL_CSELECT_ERR;
  if (events & UV_READABLE) what |= CURL_CSELECT_IN;
  if (events & UV_WRITABLE) what |= CURL_CSELECT_OUT;
  act(w->fd, what);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known) {
  struct watch *w = known;
  (void)easy;
  (void)user;
  if (what == CURL_POLL_REMOVE) {
    if (!w) return 0;
    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, free_handle);
    curl_multi_assign(engine.multi, fd, NULL);
    return 0;
  }
  if (!w) {
    w = calloc(1, sizeof *w);
    if (!w) bl_no_memory();
    if (uv_poll_init_socket(engine.loop, &w->poll, fd)) {
      free(w);
      return -1;
    }
    w->fd = fd;
    curl_multi_assign(engine.multi, fd, w);
  }
  return uv_poll_start(&w->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) |
                       (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_poll) ? -1 : 0;
}

static void on_clock(uv_timer_t *timer) {
  (void)timer;
  act(CURL_SOCKET_TIMEOUT, 0);
}

/* Called from inside libcurl, so 0 means the next turn of the loop, not now. The timer must
 * hold the loop open: before the first socket there is nothing else that does. */
static int on_timer(CURLM *multi, long ms, void *user) {
  (void)multi;
  (void)user;
  if (ms < 0) uv_timer_stop(&engine.timer->timer);
  else bl_clock_start(engine.timer, on_clock, (uint64_t)ms);
  return 0;
}

static void on_soon(uv_timer_t *timer) {
  (void)timer;
  engine.after();
}

CURLM *bl_multi_open(uv_loop_t *loop, void (*after)(void)) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT)) bl_no_memory();
  engine.loop = loop;
  engine.after = after;
  engine.multi = curl_multi_init();
  if (!engine.multi) bl_no_memory();
  engine.timer = bl_clock_new(NULL);
  engine.soon = bl_clock_new(NULL);
  curl_multi_setopt(engine.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(engine.multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(engine.multi, CURLMOPT_MAXCONNECTS, MOST_CACHED);
  return engine.multi;
}

void bl_multi_close(void) {
  if (!engine.multi) return;
  curl_multi_cleanup(engine.multi);
  engine.multi = NULL;
  bl_clock_close(&engine.timer);
  bl_clock_close(&engine.soon);
  curl_global_cleanup();
}

void bl_multi_soon(void) {
  bl_clock_start(engine.soon, on_soon, 0);
}
