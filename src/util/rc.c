/* rc.c - names of outcomes. Called by whoever prints one, on any thread. */
#include "util/rc.h"

const char *rc_name(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return "ok";
    case RC_NOT_FOUND:
        return "not found";
    case RC_IO:
        return "I/O error";
    case RC_CORRUPT:
        return "corrupt data";
    case RC_BUSY:
        return "busy";
    case RC_INVALID:
        return "invalid input";
    case RC_INTERRUPTED:
        return "interrupted";
    }
    return "unknown";
}
