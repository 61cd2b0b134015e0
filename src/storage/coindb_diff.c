/* coindb_diff.c - changes to a coin set that do not go into its database: collected in memory, in order of their keys in the end; over
 * a bound they go to a temporary database, sorted piece by piece. Called by the roll back of a snapshot, on its thread. */
#include <stdlib.h>
#include <string.h>

#include "coindb_internal.h"
#include "error.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

#define BUFFER_BYTES ((size_t)64 << 20)
#define BATCH_BYTES ((size_t)4 << 20)
#define DATABASE_CACHE ((size_t)16 << 20)

struct change {
    uint64_t rank; /* first bytes of the txid, as a number that sorts as they do */
    size_t at;     /* of the key in `data`; the value follows */
    uint32_t value_len;
    uint8_t key_len;
};

struct coindb_diff {
    char *dir;     /* NULL: memory only */
    struct kv *kv; /* likewise */
    struct writer data;
    struct change *change;
    size_t n, cap;
};

struct diff_cursor {
    struct coindb_diff *d;
    struct kv_iter *it; /* NULL: memory only */
    size_t i;
};

enum rc coindb_diff_new(struct coindb_diff **out, const char *dir, char **error)
{
    const struct kv_options options = {.cache_bytes = DATABASE_CACHE, .wipe = true};
    struct coindb_diff *d = xcalloc(1, sizeof(*d));
    enum rc rc = RC_OK;

    *out = NULL;
    if (dir) {
        d->dir = xstrdup(dir);
        rc = kv_open(&d->kv, dir, &options, error);
    }
    if (rc == RC_OK) {
        *out = d;
        return RC_OK;
    }
    free(d->dir);
    free(d);
    return rc;
}

static int compare_changes(const void *pa, const void *pb, void *ctx)
{
    const struct change *a = pa, *b = pb;
    const uint8_t *data = ctx;
    int r;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    r = memcmp(data + a->at, data + b->at, a->key_len < b->key_len ? a->key_len : b->key_len);
    if (r)
        return r;
    if (a->key_len != b->key_len)
        return a->key_len < b->key_len ? -1 : 1;
    return a->at < b->at ? -1 : 1; /* of one coin: in the order of time */
}

static bool same_key(const struct coindb_diff *d, const struct change *a, const struct change *b)
{
    return a->key_len == b->key_len && memcmp(d->data.data + a->at, d->data.data + b->at, a->key_len) == 0;
}

/* Puts the changes in order, with one for each coin. */
static void settle(struct coindb_diff *d)
{
    size_t kept = 0;

    if (d->n < 2)
        return;
    qsort_r(d->change, d->n, sizeof(*d->change), compare_changes, d->data.data);
    for (size_t i = 0; i < d->n; i++)
        if (i + 1 == d->n || !same_key(d, &d->change[i], &d->change[i + 1]))
            d->change[kept++] = d->change[i];
    d->n = kept;
}

static enum rc spill(struct coindb_diff *d)
{
    struct kv_batch *batch = kv_batch_new(d->kv);
    enum rc rc = RC_OK;

    settle(d);
    for (size_t i = 0; i < d->n && rc == RC_OK; i++) {
        const uint8_t *key = d->data.data + d->change[i].at;

        kv_batch_put(batch, key, d->change[i].key_len, key + d->change[i].key_len, d->change[i].value_len);
        if (kv_batch_size(batch) > BATCH_BYTES)
            rc = kv_batch_write(batch, false);
    }
    if (rc == RC_OK)
        rc = kv_batch_write(batch, false);
    kv_batch_free(batch);
    d->n = 0;
    d->data.len = 0;
    return rc;
}

static struct change *add_change(struct coindb_diff *d, const struct outpoint *o)
{
    uint8_t key[COIN_KEY_MAX];
    struct change *c;

    if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 1024;
        d->change = xrealloc(d->change, d->cap * sizeof(*d->change));
    }
    c = &d->change[d->n++];
    *c = (struct change){.rank = get_be64(o->txid.b), .at = d->data.len};
    c->key_len = (uint8_t)coindb_key(key, o);
    write_bytes(&d->data, key, c->key_len);
    return c;
}

static enum rc spill_if_full(struct coindb_diff *d)
{
    return d->kv && d->data.len + d->n * sizeof(*d->change) > BUFFER_BYTES ? spill(d) : RC_OK;
}

enum rc coindb_diff_put(struct coindb_diff *d, const struct outpoint *o, const struct coin *coin)
{
    struct change *c = add_change(d, o);

    coin_write(&d->data, coin);
    c->value_len = (uint32_t)(d->data.len - c->at - c->key_len);
    return spill_if_full(d);
}

enum rc coindb_diff_remove(struct coindb_diff *d, const struct outpoint *o)
{
    add_change(d, o);
    return spill_if_full(d);
}

enum rc coindb_diff_end(struct coindb_diff *d)
{
    if (d->kv)
        return spill(d);
    settle(d);
    return RC_OK;
}

bool coindb_diff_free(struct coindb_diff *d)
{
    bool ok = true;

    if (!d)
        return true;
    kv_close(d->kv);
    if (d->dir)
        ok = fs_remove_tree(d->dir) == RC_OK;
    writer_clear(&d->data);
    free(d->change);
    free(d->dir);
    free(d);
    return ok;
}

/* ---- the walk ---- */

struct diff_cursor *diff_cursor_new(struct coindb_diff *d)
{
    struct diff_cursor *c = xcalloc(1, sizeof(*c));

    c->d = d;
    if (d->kv)
        c->it = kv_iter_new(d->kv);
    return c;
}

void diff_cursor_rewind(struct diff_cursor *c)
{
    c->i = 0;
    if (c->it)
        kv_iter_seek(c->it, "", 0);
}

bool diff_cursor_valid(const struct diff_cursor *c)
{
    return c->it ? kv_iter_valid(c->it) : c->i < c->d->n;
}

void diff_cursor_next(struct diff_cursor *c)
{
    if (c->it)
        kv_iter_next(c->it);
    else
        c->i++;
}

struct reader diff_cursor_key(const struct diff_cursor *c)
{
    const struct change *h;

    if (c->it)
        return kv_iter_key(c->it);
    h = &c->d->change[c->i];
    return reader_make(c->d->data.data + h->at, h->key_len);
}

struct reader diff_cursor_value(struct diff_cursor *c)
{
    const struct change *h;

    if (c->it)
        return kv_iter_value(c->it);
    h = &c->d->change[c->i];
    return reader_make(c->d->data.data + h->at + h->key_len, h->value_len);
}

enum rc diff_cursor_status(const struct diff_cursor *c)
{
    return c->it ? kv_iter_status(c->it) : RC_OK;
}

void diff_cursor_free(struct diff_cursor *c)
{
    if (!c)
        return;
    kv_iter_free(c->it);
    free(c);
}
