/* error.h - the text of a thread's last storage failure; kv_last_error and blockfiles_last_error hand it out. Internal. */
#ifndef FARTHING_STORAGE_ERROR_H
#define FARTHING_STORAGE_ERROR_H

#include "util/rc.h"

/** Keeps a text for this thread and writes it to the log. errno is left as it is. */
void storage_error_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** The same, followed by the text of errno. Returns: rc. */
enum rc storage_error_errno(enum rc rc, const char *action, const char *path);
/** "" if this thread met none. Valid until its next storage failure. */
const char *storage_error_text(void);

#endif
