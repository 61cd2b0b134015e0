/* log.h - the log, in the format and with the categories of Bitcoin Core ("2026-08-21T12:40:23Z [thread] [cat:level] text").
 *
 * One process-wide sink. Before log_open, lines are kept and written out once it opens. Each line is written with one
 * write(2) before the call returns, as tests and operators read the file while the node runs. Any thread. */
#ifndef FARTHING_UTIL_LOG_H
#define FARTHING_UTIL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_TRACE, LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Bits of the category mask; names as in Core's -debug=<category>. */
enum log_category {
    LOG_NONE = 0,
    LOG_NET,
    LOG_TOR,
    LOG_MEMPOOL,
    LOG_HTTP,
    LOG_BENCH,
    LOG_ZMQ,
    LOG_WALLETDB,
    LOG_RPC,
    LOG_ESTIMATEFEE,
    LOG_ADDRMAN,
    LOG_SELECTCOINS,
    LOG_REINDEX,
    LOG_CMPCTBLOCK,
    LOG_RAND,
    LOG_PRUNE,
    LOG_PROXY,
    LOG_MEMPOOLREJ,
    LOG_COINDB,
    LOG_QT,
    LOG_LEVELDB,
    LOG_VALIDATION,
    LOG_I2P,
    LOG_IPC,
    LOG_LOCK,
    LOG_BLOCKSTORAGE,
    LOG_TXRECONCILIATION,
    LOG_SCAN,
    LOG_TXPACKAGES,
    LOG_KERNEL,
    LOG_PRIVATEBROADCAST,
    LOG_CATEGORY_END
};

struct log_config {
    const char *path;      /* file to append to, NULL for none */
    bool print_to_console; /* -printtoconsole */
    bool timestamps;       /* -logtimestamps */
    bool time_micros;      /* -logtimemicros */
    bool thread_names;     /* -logthreadnames */
    bool source_locations; /* -logsourcelocations */
    bool level_always;     /* -loglevelalways */
    bool shrink;           /* -shrinkdebugfile: cut the file to its last 10 MB first */
    bool json;             /* -logformat=json: an object for each line */
    uint64_t limit;        /* -logratelimit: bytes that one place in the source may write an hour, debug lines aside; 0: any */
};

/** Opens the sink and writes what was kept so far. Returns: false if the file cannot be opened. */
bool log_open(const struct log_config *config);
/** Closes and opens the file again (SIGHUP, after logrotate). */
void log_reopen(void);
void log_close(void);
/** Switches a category by name ("net"; "all", "1" and "": all of them). Returns: false if unknown. */
bool log_category_set(const char *name, bool on);
/** Sets the lowest level for enabled categories ("trace", "debug", "info", ...), globally (category NULL) or for one. Returns: false if unknown. */
bool log_level_set(const char *category, const char *level);
/** The name of category c in [1, LOG_CATEGORY_END). */
const char *log_category_name(enum log_category c);
bool log_category_is_on(enum log_category c);
/** True if a line of that category and level would be written. */
bool log_enabled(enum log_category c, enum log_level level);
/** Names the calling thread in the log (and for the system, 15 characters). */
void log_thread_name(const char *name);
/** Writes one line (a newline is added). Use the macros. */
void log_write(enum log_level level, enum log_category c, const char *file, int line, const char *func, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* What a line says as a member of its JSON form: a name that stays the same over versions, and a text or (text NULL) a number. */
struct log_field {
    const char *name, *text;
    int64_t number;
};
/* An event with a name of its own, for those who read the log by program. doc/logging.md lists all. */
struct log_event {
    const char *name;
    const struct log_field *fields;
    size_t n_fields;
    bool unlimited; /* however often it comes: -logratelimit is not for this one */
};
#define LOG_EVENT(name, ...)                                                                                                       \
    ((struct log_event){name, (const struct log_field[]){__VA_ARGS__},                                                             \
                        sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field), false})
/** Writes the line of an event; fields stand in the JSON form only, so the text says the same. Use log_event. */
void log_write_event(enum log_level level, enum log_category c, const char *file, int line, const char *func,
                     struct log_event event, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
#define log_event(level, cat, event, ...)                                                                                          \
    do {                                                                                                                           \
        if (log_enabled(cat, level))                                                                                               \
            log_write_event(level, cat, __FILE__, __LINE__, __func__, event, __VA_ARGS__);                                         \
    } while (0)

#define log_info(...) log_write(LOG_LEVEL_INFO, LOG_NONE, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, LOG_NONE, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, LOG_NONE, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_debug(cat, ...)                                                                                                        \
    do {                                                                                                                           \
        if (log_enabled(cat, LOG_LEVEL_DEBUG))                                                                                     \
            log_write(LOG_LEVEL_DEBUG, cat, __FILE__, __LINE__, __func__, __VA_ARGS__);                                            \
    } while (0)
#define log_trace(cat, ...)                                                                                                        \
    do {                                                                                                                           \
        if (log_enabled(cat, LOG_LEVEL_TRACE))                                                                                     \
            log_write(LOG_LEVEL_TRACE, cat, __FILE__, __LINE__, __func__, __VA_ARGS__);                                            \
    } while (0)

#endif
