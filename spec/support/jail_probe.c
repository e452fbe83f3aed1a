/* jail_probe.c -- locks itself in as a worker does, and tries one thing; for host/jail_spec.lua.
 *
 *   jail_probe --list                 every attempt: "dies NAME" or "lives NAME"
 *   jail_probe NAME                   exit 0: it succeeded; 100 + errno: it failed; else a signal
 *   jail_probe --layers               exit code: what bl_jail_lock says
 *   jail_probe --kernel               exit code: which of MDWE and Landlock this kernel has
 *   jail_probe --without-seccomp P …  runs P where seccomp is refused (EPERM), as in containers
 *   jail_probe --without-close-range P …  runs P as before Linux 5.9, which knew no such call
 *   jail_probe --as-nobody P …        runs P as another user, when we are root */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>

#include "jail.h"

#define RW     (PROT_READ | PROT_WRITE)
#define OWN    (MAP_PRIVATE | MAP_ANONYMOUS)
#define BYTES  4096
#define X32    0x40000000
#define PARENT (-1000001) /* stands for the parent's pid, */
#define PAGE   (-1000002) /* a page that may be written, */
#define CLOCK  (-1000003) /* the parent's processor clock */
#define TEXT(s) ((long)(s))

struct attempt {
  const char *name;
  long call, args[6];
};

static char page[2 * BYTES] __attribute__((aligned(BYTES)));
static long vector[] = { (long)page, BYTES };
static struct itimerval soon = { { 0, 0 }, { 0, 1000 } };
static struct timespec now;
static volatile sig_atomic_t rang;
static char *volatile first;

/* What a worker never does; each must end it. */
static const struct attempt dies[] = {
#ifdef __x86_64__
  { "open", SYS_open, { TEXT("/etc/passwd") } },
  { "creat", SYS_creat, { TEXT("/tmp/jail_probe.made"), 0600 } },
  { "fork", SYS_fork, { 0 } },
  { "vfork", SYS_vfork, { 0 } },
  { "stat", SYS_stat, { TEXT("/etc/passwd"), PAGE } },
  { "unlink", SYS_unlink, { TEXT("/nowhere") } },
  { "time", SYS_time, { 0 } },
  { "pipe", SYS_pipe, { PAGE } },
  { "dup2", SYS_dup2, { JAIL_PIPE, 0 } },
  { "select", SYS_select, { 0 } },
  { "alarm", SYS_alarm, { 0 } },
  { "arch_prctl", SYS_arch_prctl, { 0x1003, PAGE } },
  { "modify_ldt", SYS_modify_ldt, { 0, PAGE, 16 } },
  { "iopl", SYS_iopl, { 0 } },
  { "x32 getpid", X32 | SYS_getpid, { 0 } },
  { "x32 open", X32 | SYS_open, { TEXT("/etc/passwd") } },
  { "x32 sendto", X32 | SYS_sendto, { JAIL_PIPE, PAGE, 1, MSG_NOSIGNAL } },
#endif
  { "openat", SYS_openat, { AT_FDCWD, TEXT("/etc/passwd") } },
  { "openat2", SYS_openat2, { AT_FDCWD, TEXT("/etc/passwd"), PAGE, 24 } },
  { "open_by_handle_at", SYS_open_by_handle_at, { AT_FDCWD, PAGE, 0 } },
  { "name_to_handle_at", SYS_name_to_handle_at, { AT_FDCWD, TEXT("/"), PAGE, PAGE } },
  { "readlinkat", SYS_readlinkat, { AT_FDCWD, TEXT("/proc/self/exe"), PAGE, BYTES } },
  { "mkdirat", SYS_mkdirat, { AT_FDCWD, TEXT("/tmp/jail_probe.made"), 0700 } },
  { "unlinkat", SYS_unlinkat, { AT_FDCWD, TEXT("/nowhere") } },
  { "truncate", SYS_truncate, { TEXT("/nowhere"), 0 } },
  { "getcwd", SYS_getcwd, { PAGE, BYTES } },
  { "chdir", SYS_chdir, { TEXT("/") } },
  { "chroot", SYS_chroot, { TEXT("/") } },
  { "mount", SYS_mount, { 0, TEXT("/nowhere"), 0, 0, 0 } },
  { "read on the pipe", SYS_read, { JAIL_PIPE, PAGE, 1 } },
  { "write on the pipe", SYS_write, { JAIL_PIPE, PAGE, 1 } },
  { "writev", SYS_writev, { JAIL_PIPE, (long)vector, 1 } },
  { "close", SYS_close, { JAIL_PIPE } },
  { "dup", SYS_dup, { JAIL_PIPE } },
  { "dup3", SYS_dup3, { JAIL_PIPE, 0 } },
  { "fcntl", SYS_fcntl, { JAIL_PIPE, F_GETFL } },
  { "ioctl", SYS_ioctl, { JAIL_PIPE, 0x541B, PAGE } },
  { "pipe2", SYS_pipe2, { PAGE } },
  { "epoll_create1", SYS_epoll_create1, { 0 } },
  { "eventfd2", SYS_eventfd2, { 0 } },
  { "inotify_init1", SYS_inotify_init1, { 0 } },
  { "fanotify_init", SYS_fanotify_init, { 0 } },
  { "memfd_create", SYS_memfd_create, { TEXT("x") } },
  { "memfd_secret", 447, { 0 } },
  { "io_uring_setup", SYS_io_uring_setup, { 1, PAGE } },
  { "io_uring_enter", SYS_io_uring_enter, { JAIL_PIPE } },
  { "io_setup", SYS_io_setup, { 1, PAGE } },
  { "socket", SYS_socket, { AF_INET, SOCK_STREAM } },
  { "socketpair", SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0, PAGE } },
  { "connect", SYS_connect, { JAIL_PIPE, PAGE, 2 } },
  { "bind", SYS_bind, { JAIL_PIPE, PAGE, 2 } },
  { "accept4", SYS_accept4, { JAIL_PIPE } },
  { "shutdown", SYS_shutdown, { JAIL_PIPE, SHUT_RDWR } },
  { "getpeername", SYS_getpeername, { JAIL_PIPE, PAGE, PAGE } },
  { "setsockopt", SYS_setsockopt, { JAIL_PIPE, SOL_SOCKET, SO_SNDBUF, PAGE, 4 } },
  { "sendmsg", SYS_sendmsg, { JAIL_PIPE, PAGE, MSG_NOSIGNAL } },
  { "sendmmsg", SYS_sendmmsg, { JAIL_PIPE, PAGE, 1, MSG_NOSIGNAL } },
  { "recvmsg", SYS_recvmsg, { JAIL_PIPE, PAGE, MSG_DONTWAIT } },
  { "recvmmsg", SYS_recvmmsg, { JAIL_PIPE, PAGE, 1, MSG_DONTWAIT } },
  { "send on another descriptor", SYS_sendto, { 4, PAGE, 1, MSG_NOSIGNAL } },
  { "send without MSG_NOSIGNAL", SYS_sendto, { JAIL_PIPE, PAGE, 1, 0 } },
  { "send out of band", SYS_sendto, { JAIL_PIPE, PAGE, 1, MSG_NOSIGNAL | MSG_OOB } },
  { "send to an address", SYS_sendto, { JAIL_PIPE, PAGE, 1, MSG_NOSIGNAL, 4096, 2 } },
  { "send to a high address", SYS_sendto, { JAIL_PIPE, PAGE, 1, MSG_NOSIGNAL, 1L << 32, 2 } },
  { "recv on another descriptor", SYS_recvfrom, { 4, PAGE, 1, 0 } },
  { "recv that peeks", SYS_recvfrom, { JAIL_PIPE, PAGE, 1, MSG_PEEK | MSG_DONTWAIT } },
  { "recv out of band", SYS_recvfrom, { JAIL_PIPE, PAGE, 1, MSG_OOB | MSG_DONTWAIT } },
  { "recv with an address", SYS_recvfrom, { JAIL_PIPE, PAGE, 1, 0, 4096, PAGE } },
  { "recv with a high address", SYS_recvfrom, { JAIL_PIPE, PAGE, 1, 0, 1L << 32, PAGE } },
  { "clone", SYS_clone, { SIGCHLD } },
  { "clone of a thread", SYS_clone, { 0x10f00 } },
  { "clone3", SYS_clone3, { PAGE, 64 } },
  { "execve", SYS_execve, { TEXT("/bin/true"), 0, 0 } },
  { "execveat", SYS_execveat, { AT_FDCWD, TEXT("/bin/true"), 0, 0, 0 } },
  { "ptrace of the parent", SYS_ptrace, { 0x4206, PARENT } },
  { "process_vm_readv", SYS_process_vm_readv, { PARENT, (long)vector, 1, (long)vector, 1 } },
  { "process_vm_writev", SYS_process_vm_writev, { PARENT, (long)vector, 1, (long)vector, 1 } },
  { "kill of the parent", SYS_kill, { PARENT, 0 } },
  { "tkill", SYS_tkill, { PARENT, 0 } },
  { "tgkill", SYS_tgkill, { PARENT, PARENT, 0 } },
  { "rt_sigqueueinfo", SYS_rt_sigqueueinfo, { PARENT, 0, PAGE } },
  { "pidfd_open", SYS_pidfd_open, { PARENT } },
  { "pidfd_getfd", SYS_pidfd_getfd, { JAIL_PIPE, 0 } },
  { "pidfd_send_signal", SYS_pidfd_send_signal, { JAIL_PIPE, 0 } },
  { "process_madvise", SYS_process_madvise, { JAIL_PIPE, (long)vector, 1, 4 } },
  { "kcmp", SYS_kcmp, { PARENT, PARENT } },
  { "mmap that may be run", SYS_mmap, { 0, BYTES, PROT_READ | PROT_EXEC, OWN, -1 } },
  { "mmap that may be written and run", SYS_mmap, { 0, BYTES, RW | PROT_EXEC, OWN, -1 } },
  { "mmap of a descriptor", SYS_mmap, { 0, BYTES, RW, MAP_PRIVATE, JAIL_PIPE } },
  { "mmap that is shared", SYS_mmap, { 0, BYTES, RW, MAP_SHARED | MAP_ANONYMOUS, -1 } },
  { "mmap at a fixed place", SYS_mmap, { PAGE, BYTES, RW, OWN | MAP_FIXED, -1 } },
  { "mprotect that lets run", SYS_mprotect, { PAGE, BYTES, PROT_READ | PROT_EXEC } },
  { "mprotect that lets write and run", SYS_mprotect, { PAGE, BYTES, RW | PROT_EXEC } },
  { "mprotect", SYS_mprotect, { PAGE, BYTES, RW } },
  { "pkey_mprotect", SYS_pkey_mprotect, { PAGE, BYTES, PROT_READ | PROT_EXEC, -1 } },
  { "mremap to a fixed place", SYS_mremap,
    { PAGE, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, PAGE } },
  { "remap_file_pages", SYS_remap_file_pages, { PAGE, BYTES } },
  { "madvise", SYS_madvise, { PAGE, BYTES, MADV_DONTNEED } },
  { "userfaultfd", SYS_userfaultfd, { 0 } },
  { "membarrier", SYS_membarrier, { 0 } },
  { "bpf", SYS_bpf, { 0, PAGE, 48 } },
  { "perf_event_open", SYS_perf_event_open, { PAGE, 0, -1, -1 } },
  { "prctl", SYS_prctl, { PR_SET_DUMPABLE, 1 } },
  { "seccomp", SYS_seccomp, { SECCOMP_SET_MODE_STRICT, 0, 0 } },
  { "unshare", SYS_unshare, { 0x10000000 } },
  { "setns", SYS_setns, { JAIL_PIPE, 0 } },
  { "personality", SYS_personality, { 0xffffffff } },
  { "setuid", SYS_setuid, { 0 } },
  { "capset", SYS_capset, { PAGE, PAGE } },
  { "prlimit64", SYS_prlimit64, { 0, 7, 0, PAGE } },
  { "sched_setaffinity", SYS_sched_setaffinity, { 0, 8, PAGE } },
  { "rt_sigaction", SYS_rt_sigaction, { SIGALRM, 0, 0, 8 } },
  { "rt_sigprocmask", SYS_rt_sigprocmask, { 0, PAGE, 0, 8 } },
  { "shmat", SYS_shmat, { 0 } },
  { "shmget", SYS_shmget, { 0, BYTES, 0 } },
  { "msgget", SYS_msgget, { 0, 0 } },
  { "semget", SYS_semget, { 0, 1, 0 } },
  { "mq_open", SYS_mq_open, { TEXT("x"), 0 } },
  { "add_key", SYS_add_key, { TEXT("user"), TEXT("x"), PAGE, 1, -3 } },
  { "keyctl", SYS_keyctl, { 0, -3 } },
  { "request_key", SYS_request_key, { TEXT("user"), TEXT("x"), 0, -3 } },
  { "futex that waits", SYS_futex, { PAGE, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1 } },
  { "futex with an owner", SYS_futex, { PAGE, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG } },
  { "setitimer of another clock", SYS_setitimer, { ITIMER_VIRTUAL, (long)&soon } },
  { "timer_create", SYS_timer_create, { 0, 0, PAGE } },
  { "nanosleep", SYS_nanosleep, { PAGE } },
  { "clock_gettime of the parent", SYS_clock_gettime, { CLOCK, (long)&now } },
  { "clock_settime", SYS_clock_settime, { CLOCK_REALTIME, 0 } },
  { "getrandom", SYS_getrandom, { PAGE, 8 } },
  { "getpid", SYS_getpid, { 0 } },
  { "getppid", SYS_getppid, { 0 } },
  { "uname", SYS_uname, { PAGE } },
  { "sysinfo", SYS_sysinfo, { PAGE } },
  { "a call of tomorrow", 4000, { 0 } },
};

/* What malloc, send, recv, the clocks and the end need. */
static const struct attempt lives[] = {
  { "send on the pipe", SYS_sendto, { JAIL_PIPE, PAGE, 1, MSG_NOSIGNAL } },
  { "recv on the pipe", SYS_recvfrom, { JAIL_PIPE, PAGE, 1, 0 } },
  { "mmap of memory", SYS_mmap, { 0, BYTES, RW, OWN, -1 } },
  { "mremap that grows", SYS_mremap, { PAGE, BYTES, 2 * BYTES, MREMAP_MAYMOVE } },
  { "munmap", SYS_munmap, { PAGE, BYTES } },
  { "brk", SYS_brk, { 0 } },
  { "setitimer", SYS_setitimer, { ITIMER_REAL, (long)&soon } },
  { "clock_gettime of its own processor time", SYS_clock_gettime,
    { CLOCK_PROCESS_CPUTIME_ID, (long)&now } },
  { "clock_gettime of the day", SYS_clock_gettime, { CLOCK_REALTIME, (long)&now } },
  { "futex that wakes", SYS_futex, { PAGE, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1 } },
};

#define COUNT(list) (sizeof (list) / sizeof *(list))

static const struct attempt *find(const char *name, const struct attempt *list, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(list[i].name, name)) return &list[i];
  return NULL;
}

static long try(const struct attempt *a, long parent) {
  long args[6];
  for (int i = 0; i < 6; i++) {
    args[i] = a->args[i];
    if (args[i] == PARENT) args[i] = parent;
    if (args[i] == PAGE) args[i] = (long)page;
    if (args[i] == CLOCK) args[i] = (int)(~(unsigned)parent << 3 | 2);
  }
  return syscall(a->call, args[0], args[1], args[2], args[3], args[4], args[5]);
}

static void on_alarm(int signal_number) {
  (void)signal_number;
  rang = 1;
}

/* Three that are not one system call. */
static int try_special(const char *name) {
#ifdef __x86_64__
  if (!strcmp(name, "int 0x80")) {
    long r = 11; /* execve there, and munmap here */
    __asm__ volatile("int $0x80" : "+a"(r) : "b"(0), "c"(0), "d"(0) : "memory");
    return 0;
  }
#endif
  if (!strcmp(name, "a signal and the way back from it")) {
    syscall(SYS_setitimer, ITIMER_REAL, &soon, NULL);
    while (!rang) {}
    return 0;
  }
  if (!strcmp(name, "an allocation of megabytes, grown and freed")) {
    char *block = malloc(1 << 20);
    block = block ? realloc(block, 64 << 20) : NULL;
    if (block) block[(64 << 20) - 1] = 1;
    free(block);
    return block ? 0 : 100 + ENOMEM;
  }
  return 99;
}

static void list(void) {
  for (size_t i = 0; i < COUNT(dies); i++) printf("dies %s\n", dies[i].name);
#ifdef __x86_64__
  puts("dies int 0x80");
#endif
  for (size_t i = 0; i < COUNT(lives); i++) printf("lives %s\n", lives[i].name);
  puts("lives a signal and the way back from it");
  puts("lives an allocation of megabytes, grown and freed");
}

#define DO(code, k)         BPF_STMT(code, k)
#define GO(k, yes, no)      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)
#define FIELD(name)         DO(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))

static int filter(struct sock_filter *code, unsigned short length) {
  struct sock_fprog program = { length, code };
  if (geteuid() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int refuse_seccomp(void) {
  struct sock_filter code[] = {
    FIELD(nr), GO(SYS_seccomp, 3, 0), GO(SYS_prctl, 0, 3),
    FIELD(args[0]), GO(PR_SET_SECCOMP, 0, 1),
    DO(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM), DO(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return filter(code, COUNT(code));
}

static int know_no_close_range(void) {
  struct sock_filter code[] = {
    FIELD(nr), GO(SYS_close_range, 0, 1),
    DO(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS), DO(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return filter(code, COUNT(code));
}

static int become_nobody(void) {
  if (geteuid()) return 0;
  return setgroups(0, NULL) || setgid(65534) || setuid(65534);
}

static int kernel_has(void) {
  int mdwe = prctl(66 /* PR_GET_MDWE */, 0, 0, 0, 0) >= 0;
  int landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
  return (mdwe ? JAIL_MDWE : 0) | (landlock ? JAIL_LANDLOCK : 0);
}

/* What P finds changed. */
static const struct {
  const char *name;
  int (*make)(void);
} worlds[] = {
  { "--without-seccomp",     refuse_seccomp      },
  { "--without-close-range", know_no_close_range },
  { "--as-nobody",           become_nobody       },
};

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "";
  const struct attempt *a = find(name, dies, COUNT(dies));
  struct sigaction action = { .sa_handler = on_alarm };
  long parent = getppid();
  unsigned layers;
  if (!a) a = find(name, lives, COUNT(lives));
  if (!strcmp(name, "--list")) return list(), 0;
  if (!strcmp(name, "--kernel")) return kernel_has();
  for (size_t i = 0; i < COUNT(worlds); i++) {
    if (strcmp(name, worlds[i].name)) continue;
    if (worlds[i].make()) return 98;
    execv(argv[2], argv + 2);
    return 97;
  }
  first = malloc(1); /* malloc wants a random number at its first call, as it has had in a worker */
  sigaction(SIGALRM, &action, NULL);
  layers = bl_jail_lock();
  if (!strcmp(name, "--layers")) _exit((int)layers);
  if (!a) _exit(try_special(name));
  _exit(try(a, parent) < 0 ? 100 + errno : 0);
}
