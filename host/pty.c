/* pty.c -- a command on a terminal of its own, as a person would have it: what ssh, docker or aws
 * talk to when somebody sits before them.
 *
 * luv can start a process in a new session, but not give it a controlling terminal, and whoever asks
 * for a password asks that. Nobody waits here: read and write say so when there is nothing to do,
 * runtime/door/terminal.lua waits for the descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "bl.h"

#define TYPE      "bl.pty"
#define MOST_ARGS 64
#define CHUNK     65536

struct pty {
  int fd;      /* our end, or -1 */
  pid_t child; /* 0 once it was reaped */
};

static struct pty *check(lua_State *L) {
  return luaL_checkudata(L, 1, TYPE);
}

static struct pty *check_open(lua_State *L) {
  struct pty *p = check(L);
  if (p->fd < 0) luaL_error(L, "pty: it is closed");
  return p;
}

static void let_go(struct pty *p) {
  if (p->fd >= 0) close(p->fd);
  p->fd = -1;
}

/* In the child, after fork of a program with threads: nothing here may take a lock. What goes
 * wrong is told by its errno on `told`, which a good exec closes. */
static void become(const char *path, char *const argv[], int told) {
  sigset_t none;
  int terminal, code;
  sigemptyset(&none);
  for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  told = fcntl(told, F_DUPFD_CLOEXEC, 3); /* above those that the terminal takes */
  terminal = open(path, O_RDWR); /* the first one of a session without is its controlling one */
  if (terminal >= 0) {
    for (int i = 0; i < 3; i++) dup2(terminal, i);
    if (terminal > 2) close(terminal);
    if (told != 3) dup2(told, 3);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    told = 3;
#ifdef SYS_close_range
    syscall(SYS_close_range, 4u, ~0u, 0u); /* an older kernel keeps those that are close-on-exec anyway */
#endif
    execvp(argv[0], argv);
  }
  code = errno;
  if (write(told, &code, sizeof code) < 0) _exit(126);
  _exit(127);
}

/* Our end of a new pair, and the path of the other. Bytes go through as they are: nothing is echoed,
 * no line is edited; a door that has a terminal at its far end sets this one so itself. */
static int open_pair(char *path, size_t size, int rows, int columns) {
  struct winsize window = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
  struct termios how;
  int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -1;
  if (grantpt(fd) || unlockpt(fd) || ptsname_r(fd, path, size) || tcgetattr(fd, &how)) goto failed;
  cfmakeraw(&how);
  if (tcsetattr(fd, TCSANOW, &how) || ioctl(fd, TIOCSWINSZ, &window)) goto failed;
  if (fcntl(fd, F_SETFL, O_NONBLOCK)) goto failed;
  return fd;
failed:
  close(fd);
  return -1;
}

/* The child's pid; or -1 with errno, also where the command could not be started. */
static pid_t start(const char *path, char *const argv[]) {
  int told[2], code = 0;
  pid_t child;
  if (pipe2(told, O_CLOEXEC)) return -1;
  child = fork();
  if (child == 0) become(path, argv, told[1]);
  close(told[1]);
  if (child > 0 && read(told[0], &code, sizeof code) == sizeof code) {
    waitpid(child, NULL, 0);
    child = -1;
    errno = code;
  }
  code = errno;
  close(told[0]);
  errno = code;
  return child;
}

/* pty.start({ command, word… }, rows, columns) -> pty | nil, err.  The words are seen by every user of
 * this machine: no secret among them. */
static int f_start(lua_State *L) {
  char *argv[MOST_ARGS + 1], path[128];
  int count, rows = (int)luaL_checkinteger(L, 2), columns = (int)luaL_checkinteger(L, 3);
  struct pty *p;
  luaL_checktype(L, 1, LUA_TTABLE);
  count = (int)lua_objlen(L, 1);
  luaL_argcheck(L, count > 0 && count <= MOST_ARGS, 1, "1 to 64 words");
  lua_settop(L, 3);
  luaL_checkstack(L, count + 4, "words");
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, 1, i + 1);
    argv[i] = (char *)luaL_checkstring(L, -1); /* stays on the stack */
  }
  argv[count] = NULL;
  p = lua_newuserdata(L, sizeof *p);
  p->fd = -1;
  p->child = 0;
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  p->fd = open_pair(path, sizeof path, rows, columns);
  if (p->fd < 0) return bl_fail(L, "no terminal to be had", strerror(errno));
  p->child = start(path, argv);
  if (p->child < 0) {
    int why = errno;
    p->child = 0;
    let_go(p);
    return bl_fail(L, argv[0], strerror(why));
  }
  return 1;
}

/* p:read() -> bytes | nil, "again" | nil, "end".  All that was written is read before the end. */
static int f_read(lua_State *L) {
  char bytes[CHUNK];
  struct pty *p = check_open(L);
  ssize_t n = read(p->fd, bytes, sizeof bytes);
  if (n > 0) {
    lua_pushlstring(L, bytes, (size_t)n);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, n < 0 && (errno == EAGAIN || errno == EINTR) ? "again" : "end");
  return 2;
}

/* p:write(bytes) -> how many were taken, perhaps none | nil, err */
static int f_write(lua_State *L) {
  size_t len;
  struct pty *p = check_open(L);
  const char *bytes = luaL_checklstring(L, 2, &len);
  ssize_t n = write(p->fd, bytes, len);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return bl_fail(L, "terminal", strerror(errno));
  lua_pushinteger(L, n < 0 ? 0 : (lua_Integer)n);
  return 1;
}

/* p:reap() -> nothing while the command runs | its exit code, and the signal that ended it or 0 */
static int f_reap(lua_State *L) {
  struct pty *p = check(L);
  int status = 0;
  pid_t done = p->child ? waitpid(p->child, &status, WNOHANG) : -1;
  if (done == 0) return 0;
  p->child = 0;
  lua_pushinteger(L, done > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 128);
  lua_pushinteger(L, done > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return 2;
}

/* p:signal(number) -> whether it was there.  To the command and whatever else is in its group. */
static int f_signal(lua_State *L) {
  struct pty *p = check(L);
  lua_pushboolean(L, p->child > 0 && kill(-p->child, (int)luaL_checkinteger(L, 2)) == 0);
  return 1;
}

static int f_fd(lua_State *L) {
  lua_pushinteger(L, check_open(L)->fd);
  return 1;
}

/* p:pid() -> pid | nil once it was reaped */
static int f_pid(lua_State *L) {
  struct pty *p = check(L);
  if (!p->child) return 0;
  lua_pushinteger(L, p->child);
  return 1;
}

/* p:close(): who is left on the terminal is hung up on. */
static int f_close(lua_State *L) {
  let_go(check(L));
  return 0;
}

static const luaL_Reg methods[] = {
  { "close",  f_close  },
  { "fd",     f_fd     },
  { "pid",    f_pid    },
  { "read",   f_read   },
  { "reap",   f_reap   },
  { "signal", f_signal },
  { "write",  f_write  },
  { "__gc",   f_close  },
  { NULL,     NULL     }
};

static const luaL_Reg functions[] = {
  { "start", f_start },
  { NULL,    NULL    }
};

int luaopen_pty(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  luaL_register(L, NULL, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
