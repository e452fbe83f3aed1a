/* http_loop.h -- libcurl's multi interface on a uv loop; see http_loop.c. */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include <curl/curl.h>
#include <uv.h>

/* The uv handle comes first, so that a pointer to it is one to the whole. handle->data stays
 * NULL: luv takes what stands there for its own. */
struct bl_clock {
  uv_timer_t timer;
  void *owner;
  int last_chance; /* its owner's */
};

struct bl_clock *bl_clock_new(void *owner);
void bl_clock_start(struct bl_clock *c, uv_timer_cb then, uint64_t ms);
void bl_clock_close(struct bl_clock **c);

/* Starts libcurl on the loop. `after` runs each time libcurl has done something and has
 * returned, so it may start and end transfers. */
CURLM *bl_multi_open(uv_loop_t *loop, void (*after)(void));
void bl_multi_close(void);

/* Has `after` run at the next turn of the loop. */
void bl_multi_soon(void);

#endif
