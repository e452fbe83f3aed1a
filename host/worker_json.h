/* worker_json.h -- JSON in and out of the worker's Lua state; see worker_json.c. */
#ifndef WORKER_JSON_H
#define WORKER_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* Bytes that grow up to `limit` and are never cut in silence: `over` says that more came. */
struct bl_text {
  char *bytes;
  size_t length, room, limit;
  bool over;
};

void bl_text_add(struct bl_text *t, const char *bytes, size_t length);

/* Appends the value at `index` as JSON. NULL, or in words why it cannot be. */
const char *bl_json_encode(lua_State *L, int index, struct bl_text *out);

/* Pushes the value of a NUL-terminated JSON text; null is nil. 0, or -1 with nothing pushed. */
int bl_json_decode(lua_State *L, const char *json);

#endif
