/* interrupt.c -- Ctrl-C for a program whose loop does not turn.
 *
 * libuv hands signals to Lua when its loop turns, which it does not while somebody's script
 * computes without an end. So its handlers are wrapped: the first signal goes to libuv, and
 * the run has ten seconds to come to an end with what it has; a second one ends it at once. A
 * terminal that was taken is given back all the same. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "bl.h"

#define INTERRUPTED 130
#define GRACE_S     10

static const int signals[] = { SIGINT, SIGTERM };
static struct sigaction theirs[2];
static volatile sig_atomic_t asked;
static char parting[64];
static volatile sig_atomic_t parting_size;

/* A terminal that takes nothing now is not waited for. */
static void end_at_once(void) {
  struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
  uv_tty_reset_mode();
  if (parting_size > 0 && poll(&out, 1, 0) == 1 && (out.revents & POLLOUT)) {
    ssize_t written = write(STDOUT_FILENO, parting, (size_t)parting_size);
    (void)written;
  }
  _exit(INTERRUPTED);
}

static void on_signal(int number) {
  if (number == SIGALRM || asked) end_at_once();
  asked = 1;
  alarm(GRACE_S);
  for (int i = 0; i < 2; i++)
    if (signals[i] == number) theirs[i].sa_handler(number);
}

static void hangup_mask(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigprocmask(how, &set, NULL);
}

/* A SIGHUP that comes before anybody listens would end us: it waits. */
void bl_hold_hangup(void) {
  hangup_mask(SIG_BLOCK);
}

/* interrupt.hear_hangup(): somebody listens now. */
static int f_hear_hangup(lua_State *L) {
  (void)L;
  hangup_mask(SIG_UNBLOCK);
  return 0;
}

/* interrupt.guard(): wraps the handlers that are installed now. Once. */
static int f_guard(lua_State *L) {
  struct sigaction ours = { .sa_handler = on_signal };
  (void)L;
  sigfillset(&ours.sa_mask);
  ours.sa_flags = SA_RESTART;
  for (int i = 0; i < 2; i++) sigaction(signals[i], &ours, &theirs[i]);
  sigaction(SIGALRM, &ours, NULL);
  return 0;
}

/* interrupt.parting(text): what stdout, a terminal, is told when we are ended at once; "" for nothing any more. */
static int f_parting(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  luaL_argcheck(L, size <= sizeof parting, 1, "too long");
  parting_size = 0;
  memcpy(parting, text, size);
  parting_size = (sig_atomic_t)size;
  return 0;
}

/* interrupt.leave(code): ends the process now, whatever its threads are in. */
static int f_leave(lua_State *L) {
  _exit((int)luaL_checkinteger(L, 1));
}

static const luaL_Reg functions[] = {
  { "guard",       f_guard       },
  { "hear_hangup", f_hear_hangup },
  { "leave",       f_leave       },
  { "parting",     f_parting     },
  { NULL,          NULL          }
};

int luaopen_interrupt(lua_State *L) {
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
