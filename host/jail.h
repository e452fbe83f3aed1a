/* jail.h -- what keeps a worker in; see jail.c. */
#ifndef JAIL_H
#define JAIL_H

#define JAIL_PIPE 3 /* the one descriptor that stays open */

/* What holds, as the worker tells it in its greeting. */
enum jail_layer {
  JAIL_SECCOMP      = 1,
  JAIL_NO_NEW_PRIVS = 2,
  JAIL_MDWE         = 4,
  JAIL_LANDLOCK     = 8,
  JAIL_NO_ROOT      = 16
};

/* Gives up, for good, all that this process does not need to run one chunk. The layers that
 * hold; without JAIL_SECCOMP errno says why not. */
unsigned bl_jail_lock(void);

#endif
