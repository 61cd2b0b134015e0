/* log.c - the process-wide log sink: categories, levels, and the lines kept until the file opens. log_format.c makes the lines.
 *
 * Called on every thread. Categories and levels are atomics, so that a switched-off debug line costs one load; the sink is
 * behind one mutex, which is held while a line is written, so lines never mix. */
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/fs.h"
#include "util/log_priv.h"
#include "util/mem.h"
#include "util/time.h"

#define KEPT_MAX 1000000   /* bytes of lines kept before the log opens */
#define SHRINK_TO 10000000 /* bytes of the old file that shrinking keeps; it starts at 10% more */

static const char *const CATEGORY_NAMES[LOG_CATEGORY_END] = {
    [LOG_NONE] = "all",
    [LOG_NET] = "net",
    [LOG_TOR] = "tor",
    [LOG_MEMPOOL] = "mempool",
    [LOG_HTTP] = "http",
    [LOG_BENCH] = "bench",
    [LOG_ZMQ] = "zmq",
    [LOG_WALLETDB] = "walletdb",
    [LOG_RPC] = "rpc",
    [LOG_ESTIMATEFEE] = "estimatefee",
    [LOG_ADDRMAN] = "addrman",
    [LOG_SELECTCOINS] = "selectcoins",
    [LOG_REINDEX] = "reindex",
    [LOG_CMPCTBLOCK] = "cmpctblock",
    [LOG_RAND] = "rand",
    [LOG_PRUNE] = "prune",
    [LOG_PROXY] = "proxy",
    [LOG_MEMPOOLREJ] = "mempoolrej",
    [LOG_COINDB] = "coindb",
    [LOG_QT] = "qt",
    [LOG_LEVELDB] = "leveldb",
    [LOG_VALIDATION] = "validation",
    [LOG_I2P] = "i2p",
    [LOG_IPC] = "ipc",
    [LOG_LOCK] = "lock",
    [LOG_BLOCKSTORAGE] = "blockstorage",
    [LOG_TXRECONCILIATION] = "txreconciliation",
    [LOG_SCAN] = "scan",
    [LOG_TXPACKAGES] = "txpackages",
    [LOG_KERNEL] = "kernel",
    [LOG_PRIVATEBROADCAST] = "privatebroadcast",
};
const char *const log_level_names[] = {"trace", "debug", "info", "warning", "error"};

enum sink_state { SINK_BEFORE, SINK_OPEN, SINK_CLOSED };

static struct {
    pthread_mutex_t lock;
    enum sink_state state;
    struct log_config config;
    char *path; /* owned */
    int fd;
    struct log_entry *kept_first, *kept_last;
    size_t kept_bytes;
    unsigned long dropped;
    struct log_limit limit;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static _Atomic uint64_t category_mask;
static _Atomic unsigned char global_level = LOG_LEVEL_DEBUG;
static _Atomic unsigned char category_level[LOG_CATEGORY_END]; /* level + 1; 0: the global one counts */
static _Thread_local char thread_name[32];

const char *log_thread_name_get(void)
{
    return thread_name;
}

static bool is_all(const char *name)
{
    return !*name || !strcmp(name, "1") || !strcmp(name, "all");
}

/* Returns: the category, LOG_NONE if there is none of that name. */
static enum log_category category_by_name(const char *name)
{
    for (int c = LOG_NONE + 1; c < LOG_CATEGORY_END; c++)
        if (!strcmp(CATEGORY_NAMES[c], name))
            return (enum log_category)c;
    return LOG_NONE;
}

bool log_category_set(const char *name, bool on)
{
    uint64_t bits;

    if (!strcmp(name, "libevent")) {
        log_warning("The logging category `%s` is deprecated, does nothing, and will be removed in a future version", name);
        return true;
    }
    if (is_all(name))
        bits = UINT64_MAX;
    else if (category_by_name(name))
        bits = (uint64_t)1 << category_by_name(name);
    else
        return false;
    if (on)
        atomic_fetch_or(&category_mask, bits);
    else
        atomic_fetch_and(&category_mask, ~bits);
    return true;
}

bool log_level_set(const char *category, const char *level)
{
    enum log_category c = LOG_NONE;
    int l = LOG_LEVEL_TRACE;

    while (l <= LOG_LEVEL_INFO && strcmp(log_level_names[l], level))
        l++;
    if (l > LOG_LEVEL_INFO) /* warnings and errors cannot be switched off, so they are no choice */
        return false;
    if (!category) {
        atomic_store(&global_level, (unsigned char)l);
        return true;
    }
    c = category_by_name(category);
    if (c)
        atomic_store(&category_level[c], (unsigned char)(l + 1));
    return c || is_all(category);
}

const char *log_category_name(enum log_category c)
{
    return CATEGORY_NAMES[c];
}

bool log_category_is_on(enum log_category c)
{
    return c != LOG_NONE && atomic_load_explicit(&category_mask, memory_order_relaxed) >> c & 1;
}

bool log_enabled(enum log_category c, enum log_level level)
{
    unsigned own;

    if (level >= LOG_LEVEL_INFO)
        return true;
    if (!log_category_is_on(c))
        return false;
    own = atomic_load_explicit(&category_level[c], memory_order_relaxed);
    return (unsigned)level >= (own ? own - 1 : atomic_load_explicit(&global_level, memory_order_relaxed));
}

void log_thread_name(const char *name)
{
    char system_name[16];

    snprintf(thread_name, sizeof(thread_name), "%s", name);
    snprintf(system_name, sizeof(system_name), "%s", name);
#ifdef __linux__
    pthread_setname_np(pthread_self(), system_name);
#endif
}

static void write_fully(int fd, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* a full disk stops the node elsewhere; the log cannot report that it cannot be written */
        data += n;
        len -= (size_t)n;
    }
}

static void emit(const struct log_entry *e);

/* A line about the log itself; the lock is held. */
static void emit_own(enum log_level level, const char *fmt, ...)
{
    struct log_entry *e;
    va_list ap;

    va_start(ap, fmt);
    e = log_entry_new(level, LOG_NONE, __FILE__, __LINE__, __func__, fmt, ap);
    va_end(ap);
    e->unlimited = true;
    emit(e);
    free(e);
}

/* Is it to be left out of the file? Says so when a place begins to write too much, and when it may write again. */
static bool is_suppressed(const struct log_entry *e, size_t len)
{
    struct log_place place;
    const unsigned hour = LOG_LIMIT_WINDOW_S;

    while (log_limit_expired(&sink.limit, &place, time_mono_us()))
        emit_own(LOG_LEVEL_WARNING, "Restarting logging from %s:%d (%s): %" PRIu64 " bytes were dropped during the last %us.",
                 place.file, place.line, place.func, place.dropped, hour);
    switch (log_limit_consume(&sink.limit, e->file, e->line, e->func, len)) {
    case LOG_LIMIT_REACHED:
        emit_own(
            LOG_LEVEL_WARNING,
            "Excessive logging detected from %s:%d (%s): >%" PRIu64
            " bytes logged during the last time window of %us. Suppressing logging to disk from this source location until time "
            "window resets. Console logging unaffected. Last log entry.",
            e->file, e->line, e->func, sink.config.limit, hour);
        return false;
    case LOG_LIMIT_OVER:
        return true;
    default:
        return false;
    }
}

/* The lock is held. */
static void emit(const struct log_entry *e)
{
    const struct log_config *config = &sink.config;
    struct writer w = WRITER_INIT;
    bool suppressed = false, marked;

    if (sink.fd < 0 && !config->print_to_console)
        return;
    if (config->json)
        log_format_json(&w, e);
    else
        log_format_text(&w, config, e);
    if (config->limit && e->level >= LOG_LEVEL_INFO && !e->unlimited)
        suppressed = is_suppressed(e, w.len);
    marked = sink.limit.n_over && !config->json; /* a reader should know that lines are missing */
    if (config->print_to_console) {
        if (marked)
            write_fully(STDOUT_FILENO, (const uint8_t *)"[*] ", 4);
        write_fully(STDOUT_FILENO, w.data, w.len);
    }
    if (sink.fd >= 0 && !suppressed) {
        if (marked)
            write_fully(sink.fd, (const uint8_t *)"[*] ", 4);
        write_fully(sink.fd, w.data, w.len);
    }
    writer_clear(&w);
}

/* Takes the entry; the lock is held. The oldest lines go first when there are too many. */
static void keep(struct log_entry *e)
{
    if (sink.kept_last)
        sink.kept_last->next = e;
    else
        sink.kept_first = e;
    sink.kept_last = e;
    sink.kept_bytes += sizeof(*e) + e->len + e->fields_len;
    while (sink.kept_bytes > KEPT_MAX) {
        struct log_entry *old = sink.kept_first;
        sink.kept_first = old->next;
        if (!old->next)
            sink.kept_last = NULL;
        sink.kept_bytes -= sizeof(*old) + old->len + old->fields_len;
        sink.dropped++;
        free(old);
    }
}

/* Keeps or writes a line. */
static void put(struct log_entry *e_take)
{
    pthread_mutex_lock(&sink.lock);
    if (sink.state == SINK_BEFORE) {
        keep(e_take);
        e_take = NULL;
    } else if (sink.state == SINK_OPEN) {
        emit(e_take);
    }
    pthread_mutex_unlock(&sink.lock);
    free(e_take);
}

void log_write(enum log_level level, enum log_category c, const char *file, int line, const char *func, const char *fmt, ...)
{
    struct log_entry *e;
    va_list ap;

    va_start(ap, fmt);
    e = log_entry_new(level, c, file, line, func, fmt, ap);
    va_end(ap);
    put(e);
}

void log_write_event(enum log_level level, enum log_category c, const char *file, int line, const char *func,
                     struct log_event event, const char *fmt, ...)
{
    struct log_entry *e;
    va_list ap;

    va_start(ap, fmt);
    e = log_entry_new(level, c, file, line, func, fmt, ap);
    va_end(ap);
    e->event = event.name;
    e->unlimited = event.unlimited;
    put(log_entry_add_fields(e, event.fields, event.n_fields));
}

static void shrink_file(const char *path)
{
    struct stat st;
    uint8_t *tail;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > SHRINK_TO / 10 * 11) {
        tail = xmalloc(SHRINK_TO);
        if (fs_pread(fd, tail, SHRINK_TO, (uint64_t)st.st_size - SHRINK_TO) == RC_OK && ftruncate(fd, 0) == 0)
            fs_pwrite(fd, tail, SHRINK_TO, 0);
        free(tail);
    }
    close(fd);
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

/* Writes the kept lines; the lock is held. */
static void flush_kept(void)
{
    if (sink.dropped)
        emit_own(LOG_LEVEL_INFO, "Early logging buffer overflowed, %lu log lines discarded.", sink.dropped);
    while (sink.kept_first) {
        struct log_entry *e = sink.kept_first;
        sink.kept_first = e->next;
        emit(e);
        free(e);
    }
    sink.kept_last = NULL;
    sink.kept_bytes = 0;
    sink.dropped = 0;
}

bool log_open(const struct log_config *config)
{
    int fd = -1;

    if (config->path) {
        if (config->shrink)
            shrink_file(config->path);
        fd = open_file(config->path);
        if (fd < 0)
            return false;
        if (!config->json)
            write_fully(fd, (const uint8_t *)"\n\n\n\n\n", 5); /* sets this run apart from the last */
    }
    log_close();
    pthread_mutex_lock(&sink.lock);
    log_limit_init(&sink.limit, config->limit, time_mono_us());
    sink.config = *config;
    sink.path = config->path ? xstrdup(config->path) : NULL;
    sink.config.path = sink.path;
    sink.fd = fd;
    sink.state = SINK_OPEN;
    flush_kept();
    pthread_mutex_unlock(&sink.lock);
    return true;
}

void log_reopen(void)
{
    pthread_mutex_lock(&sink.lock);
    if (sink.fd >= 0) {
        int fd = open_file(sink.path);
        if (fd >= 0) {
            close(sink.fd);
            sink.fd = fd;
        }
    }
    pthread_mutex_unlock(&sink.lock);
}

void log_close(void)
{
    pthread_mutex_lock(&sink.lock);
    if (sink.state == SINK_OPEN) {
        if (sink.fd >= 0)
            close(sink.fd);
        sink.fd = -1;
        free(sink.path);
        sink.path = NULL;
        sink.state = SINK_CLOSED;
    }
    pthread_mutex_unlock(&sink.lock);
}
