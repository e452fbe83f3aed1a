/* http.c -- HTTP requests on luv's loop: what Lua says of one, put to libcurl.
 *
 * Bytes go to Lua as they come (http_transfer.c); what they mean is runtime/llm/'s business. No
 * redirect is followed, for the headers hold keys. Errors name the host, never the whole URL. */
#include <luv/luv.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http_transfer.h"

#define TYPE       "bl.transfer"
#define ENGINE     "bl.http"
#define CONNECT_MS 10000L

/* handle:cancel() -> whether it was under way.  No callback comes after it, on_done neither. */
static int f_cancel(lua_State *L) {
  transfer *t = luaL_checkudata(L, 1, TYPE);
  lua_pushboolean(L, t->easy != NULL);
  bl_transfer_release(L, t);
  return 1;
}

/* handle:pause(wanted).  Nothing is delivered and no idle time counted while it lasts. */
static int f_pause(lua_State *L) {
  bl_transfer_pause(luaL_checkudata(L, 1, TYPE), lua_toboolean(L, 2));
  return 0;
}

static long option_ms(lua_State *L, const char *name, long otherwise) {
  lua_getfield(L, 1, name);
  lua_Number ms = lua_isnil(L, -1) ? (lua_Number)otherwise : lua_tonumber(L, -1);
  if (!(ms >= 0 && ms <= 1e9)) luaL_error(L, "http: %s must be from 0 to 1e9", name);
  if (!lua_isnil(L, -1) && ms < 1) ms = 1; /* 0 would be for ever, and what is left may be little */
  lua_pop(L, 1);
  return (long)ms;
}

static const char *option_text(lua_State *L, const char *name, size_t *len) {
  lua_getfield(L, 1, name); /* stays on the stack, so the text stays where it is */
  if (lua_isnil(L, -1)) return NULL;
  if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "http: %s must be a string", name);
  return lua_tolstring(L, -1, len);
}

/* Whatever belongs to this machine never goes through a proxy named in the environment. */
static int is_loopback(const char *host) {
  unsigned a, b, c;
  int end = -1;
  if (!strcasecmp(host, "localhost") || !strcmp(host, "[::1]")) return 1;
  if (strspn(host, "0123456789.") != strlen(host)) return 0;
  sscanf(host, "127.%3u.%3u.%3u%n", &a, &b, &c, &end);
  return end > 0 && !host[end] && a < 256 && b < 256 && c < 256;
}

/* 0, or -1 if the URL is none of ours. */
static int set_peer(transfer *t, const char *url) {
  CURLU *parts = curl_url();
  char *scheme = NULL, *host = NULL, *port = NULL;
  int bad = !parts || curl_url_set(parts, CURLUPART_URL, url, 0) ||
    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) ||
    curl_url_get(parts, CURLUPART_HOST, &host, 0) ||
    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
    (strcmp(scheme, "http") && strcmp(scheme, "https")) || strlen(host) > BL_LONGEST_PEER - 8;
  if (!bad) {
    strcpy(t->peer, host);
    strcat(t->peer, ":");
    strcat(t->peer, port);
    if (is_loopback(host)) curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
  }
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  curl_url_cleanup(parts);
  return bad ? -1 : 0;
}

/* A line end inside a header would begin another header. */
static void add_header(lua_State *L, transfer *t, const char *line, size_t len) {
  if (memchr(line, '\n', len) || memchr(line, '\r', len) || strlen(line) != len) {
    luaL_error(L, "http: a header holds a line end");
  }
  struct curl_slist *longer = curl_slist_append(t->headers, line);
  if (!longer) bl_no_memory();
  t->headers = longer;
}

static void set_headers(lua_State *L, transfer *t) {
  size_t len;
  lua_getfield(L, 1, "headers");
  if (!lua_isnil(L, -1)) {
    luaL_checktype(L, -1, LUA_TTABLE);
    for (int i = 1, n = (int)lua_objlen(L, -1); i <= n; i++) {
      lua_rawgeti(L, -1, i);
      const char *line = luaL_checklstring(L, -1, &len);
      add_header(L, t, line, len);
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
  add_header(L, t, "Expect:", 7); /* libcurl would wait a second for a 100 before a long body */
  curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void set_callbacks(lua_State *L, int self, transfer *t) {
  lua_newtable(L);
  for (int i = BL_HEADER; i <= BL_DATA; i++) {
    lua_getfield(L, 1, bl_transfer_callbacks[i]);
    t->wants[i] = !lua_isnil(L, -1);
    lua_setfield(L, -2, bl_transfer_callbacks[i]);
  }
  lua_getfield(L, 1, "on_done");
  luaL_checktype(L, -1, LUA_TFUNCTION);
  lua_setfield(L, -2, "on_done");
  lua_setfenv(L, self);
}

/* http.request{ url, method?, headers = {"K: v"}, body?, timeout_ms?, idle_ms?,
 *   connect_timeout_ms?, on_header?(bytes), on_data?(bytes), on_done(status | nil, err, code) }
 * -> handle | nil, err.  A body makes it a POST. Times left out: none, but 10 s to connect.
 * A status of any kind is an answer; nil, err is none. code is libcurl's, 0 if all went well. */
static int f_request(lua_State *L) {
  size_t len = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  transfer *t = lua_newuserdata(L, sizeof *t);
  *t = (transfer){ 0 };
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, 2); /* from here on the collector owns t */
  t->easy = curl_easy_init();
  if (!t->easy) bl_no_memory();
  set_callbacks(L, 2, t);
  set_headers(L, t);

  const char *url = option_text(L, "url", &len);
  if (!url || strlen(url) != len || set_peer(t, url)) {
    return bl_fail(L, "http", "this is no http:// or https:// address");
  }
  curl_easy_setopt(t->easy, CURLOPT_URL, url);
  curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
  curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
  curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, option_ms(L, "timeout_ms", 0));
  curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS,
                   option_ms(L, "connect_timeout_ms", CONNECT_MS));
  const char *body = option_text(L, "body", &len);
  if (body) {
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    if (curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS, body)) bl_no_memory();
  }
  const char *method = option_text(L, "method", &len);
  if (method) {
    if (!len || strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != len) {
      return luaL_error(L, "http: method must be a word in capitals");
    }
    curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
    if (!strcmp(method, "HEAD")) curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
  }

  t->idle_ms = (uint64_t)option_ms(L, "idle_ms", 0);
  bl_transfer_receive(t);
  if (bl_transfer_start(L, 2, t)) {
    bl_transfer_release(L, t);
    return luaL_error(L, "http: closed");
  }
  lua_settop(L, 2);
  return 1;
}

static int gc_transfer(lua_State *L) {
  bl_transfer_release(L, luaL_checkudata(L, 1, TYPE));
  return 0;
}

/* Runs when the state closes, before luv closes its loop: luv was there first. */
static int gc_engine(lua_State *L) {
  (void)L;
  bl_transfers_close();
  return 0;
}

static const luaL_Reg methods[] = {
  { "cancel", f_cancel    },
  { "pause",  f_pause     },
  { "__gc",   gc_transfer },
  { NULL,     NULL        }
};

static const luaL_Reg functions[] = {
  { "request", f_request },
  { NULL,      NULL      }
};

/* Once for each state, however often it is required: libcurl's timers are on its only loop. */
static void open_engine(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, ENGINE);
  int is_open = !lua_isnil(L, -1);
  lua_pop(L, 1);
  if (is_open) return;
  lua_newuserdata(L, 1);
  lua_newtable(L);
  lua_pushcfunction(L, gc_engine);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, ENGINE);
  bl_transfers_open(L);
}

int luaopen_http(lua_State *L) {
  lua_getglobal(L, "require"); /* without luv there is no loop to stand on */
  lua_pushliteral(L, "luv");
  lua_call(L, 1, 0);
  luaL_newmetatable(L, TYPE);
  luaL_register(L, NULL, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  open_engine(L);

  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
