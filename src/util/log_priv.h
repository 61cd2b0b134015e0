/* log_priv.h - what log.c (the sink), log_format.c (lines) and log_limit.c (how much a place may write) share. */
#ifndef FARTHING_UTIL_LOG_PRIV_H
#define FARTHING_UTIL_LOG_PRIV_H

#include <stdarg.h>
#include <stddef.h>

#include "util/bytes.h"
#include "util/log.h"

/* What a line needs to be written, now or once the log opens. */
struct log_entry {
    struct log_entry *next;
    enum log_level level;
    enum log_category category;
    bool unlimited;
    int64_t time_us, mock;
    char thread[32];
    const char *file, *func; /* literals */
    const char *event;       /* literal; NULL: a line without a name */
    int line;
    size_t len, fields_len;
    char text[]; /* len bytes and a NUL; then fields_len bytes of JSON: a comma before each member */
};

extern const char *const log_level_names[];
/* The calling thread's. */
const char *log_thread_name_get(void);

/* One allocation. file, func: literals. */
struct log_entry *log_entry_new(enum log_level level, enum log_category c, const char *file, int line, const char *func,
                                const char *fmt, va_list ap);
/* Takes the entry. Returns: it, or the one that takes its place. */
struct log_entry *log_entry_add_fields(struct log_entry *e_take, const struct log_field *fields, size_t n);
/* With the newline at the end. */
void log_format_text(struct writer *w, const struct log_config *config, const struct log_entry *e);
void log_format_json(struct writer *w, const struct log_entry *e);

/* How much each place in the source has written within the hour. Not thread safe. */
#define LOG_LIMIT_WINDOW_S 3600
struct log_place {
    const char *file, *func;
    int line;
    uint64_t written, dropped;
};
struct log_limit {
    uint64_t max; /* bytes */
    int64_t since_us;
    struct log_place *places, *expired;
    size_t n, n_expired, n_over; /* n_over: places that wrote too much */
};
enum log_limit_state { LOG_LIMIT_BELOW, LOG_LIMIT_REACHED, LOG_LIMIT_OVER };
void log_limit_init(struct log_limit *l, uint64_t max, int64_t now_us);
/* A place writes len bytes. REACHED: with these it exceeds its share, which is the last line that goes through. */
enum log_limit_state log_limit_consume(struct log_limit *l, const char *file, int line, const char *func, size_t len);
/* Once the hour is over all begin anew: hands out, one by one, the places that had written too much. Returns: false when there is none. */
bool log_limit_expired(struct log_limit *l, struct log_place *out, int64_t now_us);

#endif
