/* files.c -- our own Lua, prompts and queries: embedded in the program, or from the
 * checkout that it stands in, so that an edit is used at the next run without a build.
 *
 * A checkout is recognised by runtime/main.lua beside the program, never by the working
 * directory. What users put in place of skills and prompts is runtime/files.lua's business. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bl.h"

/* The host of the specs lies somewhere in the build folder, not in the checkout itself. */
#ifndef BL_LOOK_ABOVE
#define BL_LOOK_ABOVE 0
#endif

struct embedded {
  const char *path;
  const char *bytes;
  const char *end;
};

/* Made by host/embed.lua; the last has no path. */
extern const struct embedded bl_embedded[];

static char exe[PATH_MAX];
static char root[PATH_MAX]; /* empty when there is no checkout */

static void cut_last(char *path) {
  char *slash = strrchr(path, '/');
  if (slash) *slash = '\0';
}

static void look_around(void) {
  char probe[PATH_MAX + 32];
  ssize_t n;
  if (exe[0]) return;
  n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (n < 0) n = 0;
  exe[n] = '\0';
  memcpy(root, exe, sizeof root);
  do {
    cut_last(root);
    snprintf(probe, sizeof probe, "%s/runtime/main.lua", root);
  } while (BL_LOOK_ABOVE && root[0] && access(probe, R_OK));
  if (access(probe, R_OK)) root[0] = '\0';
}

static char *read_stream(FILE *f, size_t *len) {
  struct stat s;
  char *bytes;
  if (fstat(fileno(f), &s) || !S_ISREG(s.st_mode)) return NULL;
  bytes = malloc((size_t)s.st_size + 1);
  if (!bytes) bl_no_memory();
  *len = fread(bytes, 1, (size_t)s.st_size, f);
  bytes[*len] = '\0';
  return bytes;
}

static char *read_checkout(const char *path, size_t *len) {
  char full[2 * PATH_MAX];
  char *bytes;
  FILE *f;
  if (!root[0]) return NULL;
  snprintf(full, sizeof full, "%s/%s", root, path);
  f = fopen(full, "rb");
  if (!f) return NULL;
  bytes = read_stream(f, len);
  fclose(f);
  return bytes;
}

char *bl_file_read(const char *path, size_t *len) {
  const struct embedded *e;
  char *bytes;
  look_around();
  if (strstr(path, "..")) return NULL;
  bytes = read_checkout(path, len);
  if (bytes) return bytes;
  for (e = bl_embedded; e->path; e++) {
    if (strcmp(e->path, path)) continue;
    *len = (size_t)(e->end - e->bytes);
    bytes = malloc(*len + 1);
    if (!bytes) bl_no_memory();
    memcpy(bytes, e->bytes, *len);
    bytes[*len] = '\0';
    return bytes;
  }
  return NULL;
}

int bl_file_load(lua_State *L, const char *path) {
  size_t len;
  char *bytes = bl_file_read(path, &len);
  int code;
  if (!bytes) {
    lua_pushfstring(L, "no file of ours '%s'", path);
    return LUA_ERRFILE;
  }
  code = luaL_loadbuffer(L, bytes, len, lua_pushfstring(L, "@%s", path));
  lua_remove(L, -2);
  free(bytes);
  return code;
}

/* files.read(path) -> bytes | nil */
static int f_read(lua_State *L) {
  size_t len;
  char *bytes = bl_file_read(luaL_checkstring(L, 1), &len);
  if (!bytes) return 0;
  lua_pushlstring(L, bytes, len);
  free(bytes);
  return 1;
}

/* files.embedded(prefix) -> { path, … }: those embedded below it */
static int f_embedded(lua_State *L) {
  size_t len;
  const char *prefix = luaL_checklstring(L, 1, &len);
  const struct embedded *e;
  int n = 0;
  lua_newtable(L);
  for (e = bl_embedded; e->path; e++) {
    if (strncmp(e->path, prefix, len)) continue;
    lua_pushstring(L, e->path);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

static const luaL_Reg functions[] = {
  { "embedded", f_embedded },
  { "read",     f_read     },
  { NULL,       NULL       }
};

/* files.exe is this program, files.root the checkout beside it, or nil. */
int luaopen_files(lua_State *L) {
  look_around();
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  lua_pushstring(L, exe);
  lua_setfield(L, -2, "exe");
  if (root[0]) {
    lua_pushstring(L, root);
    lua_setfield(L, -2, "root");
  }
  return 1;
}
