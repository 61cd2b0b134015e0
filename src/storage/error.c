/* error.c - the text of the last failure, one for each thread, as outcomes alone do not name the file. Any thread. */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/log.h"

static _Thread_local char last_error[512];

void storage_error_set(const char *fmt, ...)
{
    int saved = errno;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(last_error, sizeof(last_error), fmt, ap);
    va_end(ap);
    log_error("%s", last_error);
    errno = saved;
}

enum rc storage_error_errno(enum rc rc, const char *action, const char *path)
{
    char buf[128];
    int saved = errno;

    storage_error_set("%s %s: %s", action, path, strerror_r(saved, buf, sizeof(buf)));
    errno = saved;
    return rc;
}

const char *storage_error_text(void)
{
    return last_error;
}
