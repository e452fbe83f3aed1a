/* worker.h -- the other half of the sandbox; see worker.c. */
#ifndef WORKER_H
#define WORKER_H

/* Runs one chunk for the host at the other end of descriptor 3; the exit code of the process. */
int bl_worker_main(void);

#endif
