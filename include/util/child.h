/* child.h - runs another program and collects what it writes. */
#ifndef FARTHING_UTIL_CHILD_H
#define FARTHING_UTIL_CHILD_H

#include <stdbool.h>
#include <stddef.h>

struct child_result {
    char *out, *err; /* what it wrote, ended by NUL; to free */
    int code;        /* its exit code; 128 + the signal that ended it */
};

/** Runs words[0] (found by PATH) with the words (ended by NULL) and nothing to read, and waits until it ends and both outputs are closed.
 *  most: bytes of each output; a program that writes more is killed. stop (may be NULL) is asked ten times a second: true kills the program.
 *  Any thread. Returns: 0, or errno if it could not be started, ECANCELED if it was stopped, EFBIG if it wrote too much; then there is nothing to free. */
int child_run(struct child_result *r, char *const *words, size_t most, bool (*stop)(void *ctx), void *ctx);
void child_result_clear(struct child_result *r);

#endif
