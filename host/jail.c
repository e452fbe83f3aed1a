/* jail.c -- the way into the jail, of one direction only: no descriptor but the pipe, no new
 * memory that could be run, no system call but the few of the list below.
 *
 * A chunk reaches none of this as long as the Lua state holds. The jail is for the day when it
 * does not: then the code that runs here is somebody else's, and finds nothing to call. The
 * filter is plain BPF; each argument that decides something is compared, and what is not listed
 * ends the process. Where a system refuses filters, what is left (rlimits, Landlock, another
 * user) holds off much less, and the host runs no chunk unless the owner said so. */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>

#include "bl.h"

#ifndef PR_SET_MDWE /* Linux 6.3 */
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* No chunk may take more, whatever limits it is given: for a worker that lost its host. */
#define LONGEST_CPU_S 65
#define MOST_MEMORY   (2u << 30)

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64 /* x32 has this too; its numbers are in no list */
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

/* The halves of an argument as words of seccomp_data, which follow each other low first. */
#define LOW(i)  (2 * (i))
#define HIGH(i) (2 * (i) + 1)

struct condition {
  uint8_t word;
  uint32_t is;
};

/* A call that is allowed when every condition holds. */
struct rule {
  uint32_t call;
  int conditions;
  struct condition when[5];
};

/* The order is that of a callback, where they are called most. send and recv have their flags
 * fixed and no address: MSG_OOB and MSG_PEEK have let others out of such jails. Memory is what
 * malloc asks for, word by word; mremap may not choose the place. The clocks are those of
 * os.time and os.clock; others tell of other processes. The futex is libgcc's, which unwinds the
 * stack at the first error: pthread_once wakes whoever waits, and nobody does. */
static const struct rule rules[] = {
  { SYS_setitimer,     1, { { LOW(0), ITIMER_REAL } } },
  { SYS_sendto,        4, { { LOW(0), JAIL_PIPE }, { LOW(3), MSG_NOSIGNAL },
                            { LOW(4), 0 }, { HIGH(4), 0 } } },
  { SYS_recvfrom,      4, { { LOW(0), JAIL_PIPE }, { LOW(3), 0 },
                            { LOW(4), 0 }, { HIGH(4), 0 } } },
  { SYS_brk,           0, { { 0, 0 } } },
  { SYS_mmap,          2, { { LOW(2), PROT_READ | PROT_WRITE },
                            { LOW(3), MAP_PRIVATE | MAP_ANONYMOUS } } },
  { SYS_mremap,        1, { { LOW(3), MREMAP_MAYMOVE } } },
  { SYS_munmap,        0, { { 0, 0 } } },
  { SYS_clock_gettime, 1, { { LOW(0), CLOCK_PROCESS_CPUTIME_ID } } },
  { SYS_clock_gettime, 1, { { LOW(0), CLOCK_REALTIME } } },
  { SYS_futex,         1, { { LOW(1), FUTEX_WAKE | FUTEX_PRIVATE_FLAG } } },
  { SYS_rt_sigreturn,  0, { { 0, 0 } } },
  { SYS_exit_group,    0, { { 0, 0 } } },
#ifdef __SANITIZE_ADDRESS__ /* its allocator maps where it wants, and it asks after the stack */
  { SYS_mmap,          1, { { LOW(2), PROT_READ | PROT_WRITE } } },
  { SYS_madvise,       0, { { 0, 0 } } },
  { SYS_sigaltstack,   2, { { LOW(0), 0 }, { HIGH(0), 0 } } },
#endif
};

#define RULES       (sizeof rules / sizeof *rules)
#define LONGEST     (3 + 2 * 5) /* instructions of one rule */
#define MOST        (5 + RULES * LONGEST)
#define LOAD(at)    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define ANSWER(how) (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, how)
#define UNLESS(value, skip) \
  (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, (uint8_t)(skip))

#ifdef MACHINE
static size_t add_rule(struct sock_filter *to, const struct rule *r) {
  size_t n = 0, left = 2 * (size_t)r->conditions + 1; /* to skip when it is not this rule */
  to[n++] = LOAD(offsetof(struct seccomp_data, nr));
  to[n++] = UNLESS(r->call, left);
  for (int i = 0; i < r->conditions; i++) {
    left -= 2;
    to[n++] = LOAD(offsetof(struct seccomp_data, args) + 4u * r->when[i].word);
    to[n++] = UNLESS(r->when[i].is, left);
  }
  to[n++] = ANSWER(SECCOMP_RET_ALLOW);
  return n;
}

static bool filter_calls(void) {
  struct sock_filter code[MOST];
  struct sock_fprog program = { .filter = code };
  size_t n = 0;
  code[n++] = LOAD(offsetof(struct seccomp_data, arch));
  code[n++] = UNLESS(MACHINE, 1); /* int 0x80 comes as another machine */
  code[n++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
  code[n++] = ANSWER(SECCOMP_RET_KILL_PROCESS);
  for (size_t i = 0; i < RULES; i++) n += add_rule(code + n, &rules[i]);
  code[n++] = ANSWER(SECCOMP_RET_KILL_PROCESS);
  program.len = (unsigned short)n;
  return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ||
         !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}
#else
static bool filter_calls(void) {
  errno = ENOSYS; /* no list for this machine yet */
  return false;
}
#endif

static void limit(int resource, rlim_t value) {
  struct rlimit both;
  if (getrlimit((__rlimit_resource_t)resource, &both)) return;
  if (value < both.rlim_max) both.rlim_max = value;
  both.rlim_cur = both.rlim_max;
  setrlimit((__rlimit_resource_t)resource, &both);
}

static void close_all_but_the_pipe(void) {
  for (int fd = 0; fd < JAIL_PIPE; fd++) close(fd);
  if (close_range(JAIL_PIPE + 1, ~0u, 0))
    for (int fd = JAIL_PIPE + 1; fd < 1024; fd++) close(fd); /* before Linux 5.9 */
}

/* Denies every file, TCP port, abstract socket and signal to others that this kernel's Landlock
 * knows of. The rights are those of its versions 1, 2, 3, 5 (files), 4 (net) and 6 (scopes). */
static bool deny_files(void) {
  static const int first_with[] = { 1, 2, 3, 5 }, right_count[] = { 13, 14, 15, 16 };
  struct { uint64_t files, net, scopes; } rights = { 0, 0, 0 };
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1), rules_fd;
  size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  bool held;
  if (version < 1) return false;
  for (int i = 0; i < 4 && version >= first_with[i]; i++)
    rights.files = (1u << right_count[i]) - 1;
  if (version >= 4) rights.net = 3;
  if (version >= 6) rights.scopes = 3;
  rules_fd = syscall(SYS_landlock_create_ruleset, &rights, size, 0);
  if (rules_fd < 0) return false;
  held = !syscall(SYS_landlock_restrict_self, rules_fd, 0);
  close((int)rules_fd);
  return held;
}

static void set_limits(void) {
  limit(RLIMIT_NOFILE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NPROC, 0);
  limit(RLIMIT_MEMLOCK, 0);
  limit(RLIMIT_MSGQUEUE, 0);
  limit(RLIMIT_CPU, LONGEST_CPU_S);
#ifndef __SANITIZE_ADDRESS__ /* its shadow is terabytes of addresses */
  limit(RLIMIT_AS, MOST_MEMORY);
#endif
}

static bool may(uint32_t capability, const struct __user_cap_data_struct *held) {
  return held[0].effective >> capability & 1;
}

/* To a user that nobody is, in a range that no distribution gives out. The host has to be able to
 * kill us even then, so root without the right to kill others stays root, without its rights. */
static bool leave_root(void) {
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct held[2] = { { 0 } }, none[2] = { { 0 } };
  uint32_t nobody = 0x7f000000u + (uint32_t)getpid();
  bool left = false;
  if (!syscall(SYS_capget, &header, held) && geteuid() == 0 && may(CAP_KILL, held))
    left = !syscall(SYS_setgroups, 0, NULL) && !syscall(SYS_setresgid, nobody, nobody, nobody) &&
           !syscall(SYS_setresuid, nobody, nobody, nobody);
  syscall(SYS_capset, &header, none);
  return left;
}

unsigned bl_jail_lock(void) {
  unsigned holds = 0;
  int why;
  close_all_but_the_pipe();
  if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) holds |= JAIL_NO_NEW_PRIVS;
  if (!prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)) holds |= JAIL_MDWE;
  if (deny_files()) holds |= JAIL_LANDLOCK;
  set_limits();
  if (filter_calls()) return holds | JAIL_SECCOMP;
  why = errno;
  if (leave_root()) holds |= JAIL_NO_ROOT;
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* from now on no other of the same user may trace us */
  errno = why;
  return holds;
}

/* jail.hide() -- for the host, before a chunk runs without the filter: no process of the same
 * user may read our memory or trace us. The price: no core dump of ours and no debugger but
 * root's, and /proc/PID of ours belongs to root. */
static int f_hide(lua_State *L) {
  (void)L;
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return 0;
}

static const luaL_Reg functions[] = {
  { "hide", f_hide },
  { NULL,   NULL   }
};

int luaopen_jail(lua_State *L) {
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
