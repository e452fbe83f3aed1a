/* http_transfer.h -- one HTTP exchange under way; see http_transfer.c. */
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include "bl.h"
#include "http_loop.h"

#define BL_LONGEST_PEER 300

enum { BL_HEADER, BL_DATA };
extern const char *const bl_transfer_callbacks[];

struct bytes {
  char *start;
  size_t len, room;
};

typedef struct transfer {
  CURL *easy;               /* NULL when all is over */
  struct curl_slist *headers;
  struct bl_clock *idle;    /* fires when nothing has moved for idle_ms */
  uint64_t idle_ms;
  curl_off_t moved;         /* bytes of both bodies, to notice an upload that goes on */
  struct bytes waiting[2];  /* for Lua */
  size_t header_total;
  int wants[2];             /* whether anybody listens */
  int paused;               /* by Lua */
  int full;                 /* by us, with MOST_WAITING bytes put aside */
  int finished;             /* libcurl is through; result is valid */
  int in_line;              /* for attention */
  CURLcode result;
  char peer[BL_LONGEST_PEER]; /* host:port, for errors; a whole URL might hold a secret */
  char error[CURL_ERROR_SIZE];
  struct transfer *next;
} transfer;

/* Starts libcurl on luv's loop, for L's main state. */
void bl_transfers_open(lua_State *L);
void bl_transfers_close(void);

/* Tells libcurl where the bytes of t go. */
void bl_transfer_receive(transfer *t);

/* Sets t going; the userdata at index self lives at least as long. 0 or -1. */
int bl_transfer_start(lua_State *L, int self, transfer *t);

/* Holds back what comes, or goes on. */
void bl_transfer_pause(transfer *t, int wanted);

/* Ends t in every respect but the telling. Safe to run twice; the collector's function too. */
void bl_transfer_release(lua_State *L, transfer *t);

#endif
