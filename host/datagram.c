/* datagram.c -- a datagram socket of the unix family, which libuv has no word for: /dev/log.
 *
 * What it opens is handed to luv, which sends on it as on any of UDP and closes it. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bl.h"

/* datagram.connect(path) -> descriptor | nil, err.  Nobody waits: it is connected, or not. */
static int f_connect(lua_State *L) {
  struct sockaddr_un to = { .sun_family = AF_UNIX };
  size_t len;
  const char *path = luaL_checklstring(L, 1, &len);
  if (len >= sizeof to.sun_path || strlen(path) != len) return bl_fail(L, path, "the path is too long");
  memcpy(to.sun_path, path, len);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return bl_fail(L, path, strerror(errno));
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) {
    int why = errno;
    close(fd);
    return bl_fail(L, path, strerror(why));
  }
  lua_pushinteger(L, fd);
  return 1;
}

static const luaL_Reg functions[] = {
  { "connect", f_connect },
  { NULL,      NULL      }
};

int luaopen_datagram(lua_State *L) {
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
