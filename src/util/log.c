/* log.c - the process-wide log sink: categories, levels, the line format, and the lines kept until the file opens.
 *
 * Called on every thread. Categories and levels are atomics, so that a switched-off debug line costs one load; the sink is
 * behind one mutex, which is held while a line is written, so lines never mix. */
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
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
static const char *const LEVEL_NAMES[] = {"trace", "debug", "info", "warning", "error"};

/* What a line needs to be written, now or once the log opens. */
struct entry {
    struct entry *next;
    enum log_level level;
    enum log_category category;
    int64_t time_us, mock;
    char thread[32];
    const char *file, *func; /* literals */
    int line;
    size_t len;
    char text[];
};

enum sink_state { SINK_BEFORE, SINK_OPEN, SINK_CLOSED };

static struct {
    pthread_mutex_t lock;
    enum sink_state state;
    struct log_config config;
    char *path; /* owned */
    int fd;
    struct entry *kept_first, *kept_last;
    size_t kept_bytes;
    unsigned long dropped;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static _Atomic uint64_t category_mask;
static _Atomic unsigned char global_level = LOG_LEVEL_DEBUG;
static _Atomic unsigned char category_level[LOG_CATEGORY_END]; /* level + 1; 0: the global one counts */
static _Thread_local char thread_name[32];

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

    if (!strcmp(name, "none") || !strcmp(name, "0")) {
        if (on)
            atomic_store(&category_mask, 0);
        return on;
    }
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

    while (l <= LOG_LEVEL_INFO && strcmp(LEVEL_NAMES[l], level))
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

static void put_str(struct writer *w, const char *s)
{
    write_bytes(w, s, strlen(s));
}

static void put_timestamp(struct writer *w, const struct log_config *config, const struct entry *e)
{
    char iso[32], micros[16];

    if (!config->timestamps)
        return;
    time_format_iso(iso, sizeof(iso), e->time_us / 1000000);
    if (config->time_micros) {
        snprintf(micros, sizeof(micros), ".%06dZ", (int)(e->time_us % 1000000));
        iso[strlen(iso) - 1] = 0;
        put_str(w, iso);
        put_str(w, micros);
    } else {
        put_str(w, iso);
    }
    if (e->mock) {
        time_format_iso(iso, sizeof(iso), e->mock);
        put_str(w, " (mocktime: ");
        put_str(w, iso);
        put_str(w, ")");
    }
    put_str(w, " ");
}

/* "[net] " for debug lines, "[net:trace] ", "[warning] ", nothing for plain info lines. */
static void put_category(struct writer *w, const struct log_config *config, const struct entry *e)
{
    bool has_category = e->category != LOG_NONE || config->level_always;

    if (!has_category && e->level == LOG_LEVEL_INFO)
        return;
    put_str(w, "[");
    if (has_category)
        put_str(w, CATEGORY_NAMES[e->category]);
    if (config->level_always || !has_category || e->level != LOG_LEVEL_DEBUG) {
        if (has_category)
            put_str(w, ":");
        put_str(w, LEVEL_NAMES[e->level]);
    }
    put_str(w, "] ");
}

/* Control characters of peers and files must not reach a terminal: they become \xNN, newlines stay. */
static void put_text(struct writer *w, const struct entry *e)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < e->len; i++) {
        uint8_t c = (uint8_t)e->text[i];
        if ((c >= 32 && c != 127) || c == '\n') {
            write_u8(w, c);
        } else {
            const char escape[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
            write_bytes(w, escape, 4);
        }
    }
    if (!w->len || w->data[w->len - 1] != '\n')
        write_u8(w, '\n');
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

/* The lock is held. */
static void emit(const struct entry *e)
{
    const struct log_config *config = &sink.config;
    struct writer w = WRITER_INIT;
    char place[32];

    if (sink.fd < 0 && !config->print_to_console)
        return;
    put_timestamp(&w, config, e);
    if (config->thread_names) {
        put_str(&w, "[");
        put_str(&w, *e->thread ? e->thread : "unknown");
        put_str(&w, "] ");
    }
    if (config->source_locations) {
        snprintf(place, sizeof(place), ":%d] [", e->line);
        put_str(&w, "[");
        put_str(&w, strncmp(e->file, "./", 2) ? e->file : e->file + 2);
        put_str(&w, place);
        put_str(&w, e->func);
        put_str(&w, "] ");
    }
    put_category(&w, config, e);
    put_text(&w, e);
    if (config->print_to_console)
        write_fully(STDOUT_FILENO, w.data, w.len);
    if (sink.fd >= 0)
        write_fully(sink.fd, w.data, w.len);
    writer_clear(&w);
}

/* Takes the entry; the lock is held. The oldest lines go first when there are too many. */
static void keep(struct entry *e)
{
    if (sink.kept_last)
        sink.kept_last->next = e;
    else
        sink.kept_first = e;
    sink.kept_last = e;
    sink.kept_bytes += sizeof(*e) + e->len;
    while (sink.kept_bytes > KEPT_MAX) {
        struct entry *old = sink.kept_first;
        sink.kept_first = old->next;
        if (!old->next)
            sink.kept_last = NULL;
        sink.kept_bytes -= sizeof(*old) + old->len;
        sink.dropped++;
        free(old);
    }
}

static struct entry *entry_new(enum log_level level, enum log_category c, const char *text, size_t len)
{
    struct entry *e = xcalloc(1, sizeof(*e) + len + 1);

    e->level = level;
    e->category = c;
    e->time_us = time_real_us();
    e->mock = time_mock_get();
    memcpy(e->thread, thread_name, sizeof(e->thread));
    e->len = len;
    memcpy(e->text, text, len);
    return e;
}

void log_write(enum log_level level, enum log_category c, const char *file, int line, const char *func, const char *fmt, ...)
{
    char small[512], *large = NULL;
    struct entry *e;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n >= sizeof(small)) {
        large = xmalloc((size_t)n + 1);
        va_start(ap, fmt);
        vsnprintf(large, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    e = entry_new(level, c, large ? large : small, (size_t)n);
    e->file = file;
    e->line = line;
    e->func = func;
    free(large);
    pthread_mutex_lock(&sink.lock);
    if (sink.state == SINK_BEFORE) {
        keep(e);
        e = NULL;
    } else if (sink.state == SINK_OPEN) {
        emit(e);
    }
    pthread_mutex_unlock(&sink.lock);
    free(e);
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
    char text[80];

    if (sink.dropped) {
        int n = snprintf(text, sizeof(text), "Early logging buffer overflowed, %lu log lines discarded.", sink.dropped);
        struct entry *e = entry_new(LOG_LEVEL_INFO, LOG_NONE, text, (size_t)n);
        e->file = __FILE__;
        e->line = __LINE__;
        e->func = __func__;
        emit(e);
        free(e);
    }
    while (sink.kept_first) {
        struct entry *e = sink.kept_first;
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
        write_fully(fd, (const uint8_t *)"\n\n\n\n\n", 5); /* sets this run apart from the last */
    }
    log_close();
    pthread_mutex_lock(&sink.lock);
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
