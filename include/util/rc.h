/* rc.h - outcome of an operation on the system (files, databases, sockets).
 *
 * "Could not read" never looks like "no such thing": every caller has to tell RC_NOT_FOUND from RC_IO. */
#ifndef FARTHING_UTIL_RC_H
#define FARTHING_UTIL_RC_H

enum rc {
    RC_OK = 0,
    RC_NOT_FOUND,  /* the thing asked for does not exist; not an error of the system */
    RC_IO,         /* the system failed: read, write, sync, disk full */
    RC_CORRUPT,    /* what was read cannot be what was written */
    RC_BUSY,       /* held by somebody else (datadir lock) or temporarily full */
    RC_INVALID,    /* the caller's input cannot be served */
    RC_INTERRUPTED /* shutdown was requested */
};

/** The name of an outcome ("ok", "not found", "I/O error", ...), for messages. Any thread. */
const char *rc_name(enum rc rc);

#endif
