/* fees_file.c - the estimator's two files, in Core's formats: what blocks taught, and the window of blocks that says whether the pool can be
 * trusted. A number is stored as the bits of its IEEE 754 double. Called by node at start, hourly and at the end; validation thread. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/fees_priv.h"
#include "primitives/serialize.h"
#include "util/assert.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define VERSION 309900
#define WINDOW_VERSION 1
#define FILE_MAX ((size_t)16 << 20)
#define NUMBER_MAX 1e30 /* far above all sums of fee rates */

/* Core's order. */
static const enum fees_horizon file_order[] = {FEES_MEDIUM, FEES_SHORT, FEES_LONG};

/* ---- writing ---- */

static void write_double(struct writer *w, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    write_u64(w, bits);
}

static void write_row(struct writer *w, const double *v, unsigned n)
{
    write_compact_size(w, n);
    for (unsigned i = 0; i < n; i++)
        write_double(w, v[i]);
}

static void write_rows(struct writer *w, const struct horizon *h, const double *v)
{
    write_compact_size(w, h->periods);
    for (unsigned i = 0; i < h->periods; i++)
        write_row(w, v + (size_t)i * h->n_buckets, h->n_buckets);
}

static void write_horizon(struct writer *w, const struct horizon *h)
{
    write_double(w, h->decay);
    write_u32(w, h->scale);
    write_row(w, h->rates, h->n_buckets);
    write_row(w, h->mined, h->n_buckets);
    write_rows(w, h, h->within);
    write_rows(w, h, h->failed);
}

void fees_encode(const struct fees *f, struct writer *w)
{
    bool new_span = fees_span(f) > fees_old_span(f) / 2;

    write_u32(w, VERSION);
    write_u32(w, f->best);
    write_u32(w, new_span ? f->first : f->old_first);
    write_u32(w, new_span ? f->best : f->old_best);
    write_row(w, f->limit, f->n_buckets);
    for (size_t i = 0; i < ARRAY_LEN(file_order); i++)
        write_horizon(w, &f->horizon[file_order[i]]);
}

static enum rc save(const char *path, struct writer *w)
{
    char *dir = xstrdup(path), *slash = strrchr(dir, '/');
    enum rc rc = RC_OK;

    if (slash) {
        *slash = '\0';
        rc = fs_mkdirs(dir);
    }
    if (rc == RC_OK)
        rc = fs_write_atomic(path, w->data, w->len, 0600);
    if (rc != RC_OK)
        log_warning("Failed to write fee estimates to %s: %s. Continue anyway.", path, strerror(errno));
    free(dir);
    writer_clear(w);
    return rc;
}

enum rc fees_save(const struct fees *f, const char *path)
{
    struct writer w = WRITER_INIT;
    enum rc rc;

    fees_encode(f, &w);
    rc = save(path, &w);
    if (rc == RC_OK)
        log_debug(LOG_ESTIMATEFEE, "Flushed fee estimates to %s.", path);
    return rc;
}

/* ---- reading ---- */

static double read_double(struct reader *r)
{
    uint64_t bits = read_u64(r);
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

/* A row must have n numbers that a count or a sum can be. */
static bool read_row(struct reader *r, double *v, unsigned n)
{
    if (read_compact_size(r) != n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        v[i] = read_double(r);
        if (!(v[i] >= 0 && v[i] < NUMBER_MAX))
            return false;
    }
    return !r->failed;
}

static bool read_rows(struct reader *r, double *v, unsigned rows, unsigned n)
{
    for (unsigned i = 0; i < rows; i++) {
        if (!read_row(r, v + (size_t)i * n, n))
            return false;
    }
    return true;
}

static const char *read_horizon(struct reader *r, struct horizon *h, unsigned n_buckets)
{
    double decay = read_double(r), *rates = (double *)xcalloc(n_buckets, sizeof(double));
    double *mined = (double *)xcalloc(n_buckets, sizeof(double));
    uint32_t scale = read_u32(r);
    bool ok = read_row(r, rates, n_buckets) && read_row(r, mined, n_buckets);
    uint64_t periods = ok ? read_compact_size(r) : 0;
    const char *why = NULL;

    if (!(decay > 0 && decay < 1))
        why = "Corrupt estimates file. Decay must be between 0 and 1 (non-inclusive)";
    else if (scale == 0)
        why = "Corrupt estimates file. Scale must be non-zero";
    else if (!ok)
        why = "Corrupt estimates file. Mismatch in feerate average or tx count bucket count";
    else if (periods == 0 || scale > FEES_TARGET_MAX || periods > FEES_TARGET_MAX / scale)
        why = "Corrupt estimates file. Must maintain estimates for between 1 and 1008 (one week) confirms";
    /* The bytes must be there before memory is taken for what they say. */
    else if (reader_left(r) / sizeof(double) / 2 / n_buckets < periods)
        why = "Corrupt estimates file. It is cut short";
    if (!why) {
        horizon_init(h, n_buckets, (unsigned)periods, scale, decay);
        memcpy(h->rates, rates, n_buckets * sizeof(double));
        memcpy(h->mined, mined, n_buckets * sizeof(double));
        if (!read_rows(r, h->within, h->periods, n_buckets) || read_compact_size(r) != periods ||
            !read_rows(r, h->failed, h->periods, n_buckets))
            why = "Corrupt estimates file. Mismatch in feerate conf or failure average bucket count";
    }
    free(rates);
    free(mined);
    return why;
}

/* Upper ends of buckets rise. */
static bool read_limits(struct reader *r, double *limit, unsigned *n)
{
    uint64_t count = read_compact_size(r);

    if (count <= 1 || count > FEES_BUCKETS_MAX)
        return false;
    *n = (unsigned)count;
    for (unsigned i = 0; i < *n; i++) {
        limit[i] = read_double(r);
        if (!isfinite(limit[i]) || limit[i] <= (i ? limit[i - 1] : 0))
            return false;
    }
    return !r->failed;
}

static const char *read_estimates(struct reader *r, struct fees *f)
{
    uint32_t version = read_u32(r);

    if (version != VERSION)
        return version > VERSION ? "File version too high to be read" : "File version incompatible: Too old to be read";
    f->best = read_u32(r);
    f->old_first = read_u32(r);
    f->old_best = read_u32(r);
    if (f->old_first > f->old_best || f->old_best > f->best)
        return "Corrupt estimates file. Historical block range for estimates is invalid";
    f->limit = (double *)xcalloc(FEES_BUCKETS_MAX, sizeof(*f->limit));
    if (!read_limits(r, f->limit, &f->n_buckets))
        return "Corrupt estimates file. Must have between 2 and 1000 feerate buckets";
    for (size_t i = 0; i < ARRAY_LEN(file_order); i++) {
        const char *why = read_horizon(r, &f->horizon[file_order[i]], f->n_buckets);
        if (why)
            return why;
    }
    /* What is asked of one horizon is asked of the longer ones as well. */
    for (int h = FEES_MEDIUM; h <= FEES_LONG; h++) {
        if (horizon_max_target(&f->horizon[h]) < horizon_max_target(&f->horizon[h - 1]))
            return "Corrupt estimates file. Longer horizons must track more confirms";
    }
    return r->failed ? "Corrupt estimates file. It is cut short" : NULL;
}

bool fees_decode(struct fees *f, const uint8_t *data, size_t len, const char **why)
{
    struct reader r = reader_make(data, len);
    struct fees *got = (struct fees *)xcalloc(1, sizeof(*got));

    ASSERT(f->waiting == 0); /* marks are numbers of buckets */
    *why = read_estimates(&r, got);
    if (!*why) {
        struct fees old = *f;
        f->best = got->best;
        f->first = 0;
        f->old_first = got->old_first;
        f->old_best = got->old_best;
        f->n_buckets = got->n_buckets;
        f->limit = got->limit;
        memcpy(f->horizon, got->horizon, sizeof(f->horizon));
        got->limit = old.limit;
        memcpy(got->horizon, old.horizon, sizeof(got->horizon));
    }
    fees_free(got);
    return !*why;
}

enum rc fees_load(struct fees *f, const char *path, bool accept_stale)
{
    const char *why;
    uint8_t *data;
    size_t len;
    int64_t changed, age;
    enum rc rc;

    if (!fs_mtime(path, &changed)) {
        log_info("%s is not found. Continue anyway.", path);
        return RC_NOT_FOUND;
    }
    age = (time_real() - changed) / 3600;
    if (age > FEES_FILE_MAX_AGE && !accept_stale) {
        log_warning("Fee estimation file %s too old (age=%lld > %d hours) and will not be used to avoid serving stale estimates.",
                    path, (long long)age, FEES_FILE_MAX_AGE);
        return RC_BUSY;
    }
    rc = fs_read(path, FILE_MAX, &data, &len);
    if (rc != RC_OK) {
        log_warning("Failed to read fee estimates from %s (%s). Continue anyway.", path, rc_name(rc));
        return rc;
    }
    if (!fees_decode(f, data, len, &why)) {
        log_warning("Failed to read fee estimates from %s: %s. Continue anyway.", path, why);
        rc = RC_CORRUPT;
    } else {
        log_debug(LOG_ESTIMATEFEE, "Reading estimates: %u buckets counting confirms up to %u blocks", f->n_buckets,
                  fees_max_target(f, FEES_LONG));
    }
    free(data);
    return rc;
}

/* ---- the window ---- */

void fees_window_encode(const struct fees *f, struct writer *w)
{
    write_u32(w, WINDOW_VERSION);
    write_compact_size(w, f->n_window);
    for (size_t i = 0; i < f->n_window; i++) {
        write_u64(w, (uint64_t)f->window[i].height);
        write_u64(w, (uint64_t)f->window[i].known_weight);
        write_u64(w, (uint64_t)f->window[i].weight);
    }
    write_bytes(w, f->window_tip.b, sizeof(f->window_tip.b));
}

enum rc fees_window_save(const struct fees *f, const char *path)
{
    struct writer w = WRITER_INIT;
    enum rc rc;

    fees_window_encode(f, &w);
    rc = save(path, &w);
    if (rc == RC_OK)
        log_debug(LOG_ESTIMATEFEE, "mempool_policy: mined-block stats flushed to %s.", path);
    return rc;
}

static bool read_window(struct reader *r, struct fees_block *window, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t height = read_u64(r), known = read_u64(r), weight = read_u64(r);
        if (height > INT32_MAX || known > MAX_BLOCK_WEIGHT || weight > MAX_BLOCK_WEIGHT ||
            (i && (int64_t)height != (int64_t)window[i - 1].height + 1))
            return false;
        window[i] = (struct fees_block){.height = (int32_t)height, .known_weight = (int64_t)known, .weight = (int64_t)weight};
    }
    return !r->failed;
}

bool fees_window_decode(struct fees *f, const uint8_t *data, size_t len, const struct header_node *tip, const char **why)
{
    struct reader r = reader_make(data, len);
    struct fees_block window[FEES_WINDOW];
    struct block_hash hash;
    uint64_t n;

    *why = NULL;
    if (read_u32(&r) != WINDOW_VERSION) {
        *why = "file version not supported; continuing anyway";
        return false;
    }
    n = read_compact_size(&r);
    if (n > FEES_WINDOW) {
        *why = "Number of previously mined blocks read exceeds the maximum; ignoring file";
        return false;
    }
    if (!read_window(&r, window, (size_t)n)) {
        *why = "Non-consecutive or impossible blocks read; ignoring file";
        return false;
    }
    read_copy(&r, hash.b, sizeof(hash.b));
    if (r.failed)
        *why = "Unable to read mined-block stats from stream (non-fatal)";
    else if (n && (!tip || tip->height != window[n - 1].height || !block_hash_equal(&hash, &tip->hash)))
        *why = "Mined-block stats read do not end at the active chain tip; ignoring file";
    if (*why)
        return false;
    memcpy(f->window, window, (size_t)n * sizeof(window[0]));
    f->n_window = (size_t)n;
    f->window_tip = hash;
    f->cache.known = false;
    return true;
}

enum rc fees_window_load(struct fees *f, const char *path, const struct header_node *tip)
{
    const char *why;
    uint8_t *data;
    size_t len;
    enum rc rc = fs_read(path, FILE_MAX, &data, &len);

    if (rc != RC_OK) {
        log_debug(LOG_ESTIMATEFEE, "mempool_policy: %s does not exist. Continuing anyway", path);
        return rc;
    }
    if (fees_window_decode(f, data, len, tip, &why)) {
        log_debug(LOG_ESTIMATEFEE, "mempool_policy: mined-block stats successfully read from %s.", path);
    } else {
        log_warning("mempool_policy: %s: %s", path, why);
        rc = RC_CORRUPT;
    }
    free(data);
    return rc;
}
