/* coins_flush.c - writes what the coins cache has over its database, in key order. Called by flush.c and replay.c, on the
 * validation thread. */
#include "chain/coins_table.h"

#include <stdlib.h>

#include "util/mem.h"

#define BATCH_BYTES ((size_t)16 << 20)

/* What the sort moves: the first bytes of the key decide nearly always, the record only on equality. */
struct key {
    uint64_t prefix;
    uint32_t ref;
};

static uint64_t be64(const uint8_t *p)
{
    return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static int compare_keys(const void *pa, const void *pb, void *ctx)
{
    const struct key *a = pa, *b = pb;
    const struct coins *cs = ctx;
    const struct coin_rec *ra, *rb;
    int r;

    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    ra = coin_at(cs, a->ref);
    rb = coin_at(cs, b->ref);
    r = memcmp(ra->txid, rb->txid, 32);
    if (r)
        return r;
    return ra->n < rb->n ? -1 : ra->n > rb->n;
}

/* All dirty records by key. Returns: an array of cs->dirty keys. */
static struct key *sorted_dirty(struct coins *cs)
{
    struct key *keys = xmalloc(cs->dirty * sizeof(*keys));
    size_t n = 0;

    for (size_t i = 0; i <= cs->mask; i++) {
        const struct coin_rec *r;

        if (!cs->slots[i].ref)
            continue;
        r = coin_at(cs, cs->slots[i].ref);
        if (r->flags & COIN_DIRTY)
            keys[n++] = (struct key){be64(r->txid), cs->slots[i].ref};
    }
    qsort_r(keys, n, sizeof(*keys), compare_keys, cs);
    return keys;
}

static enum rc write_records(struct coindb_flush *f, const struct coins *cs, const struct key *keys, size_t n)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        const struct coin_rec *r = coin_at(cs, keys[i].ref);
        struct outpoint o;
        struct coin c;

        memcpy(o.txid.b, r->txid, 32);
        o.n = r->n;
        if (i + 8 < n)
            __builtin_prefetch(coin_at(cs, keys[i + 8].ref));
        if (r->flags & COIN_SPENT) {
            rc = coindb_flush_remove(f, &o);
        } else {
            coin_rec_coin(&c, r);
            rc = coindb_flush_put(f, &o, &c);
        }
    }
    return rc;
}

/* Everything equals the base now: tombstones go, the rest is clean. */
static void make_clean(struct coins *cs)
{
    for (size_t i = 0; i <= cs->mask; i++) {
        /* A removal may move another record into this slot, so look again. */
        while (cs->slots[i].ref && coin_at(cs, cs->slots[i].ref)->flags & COIN_SPENT)
            coins_table_remove(cs, i);
        if (cs->slots[i].ref)
            coin_at(cs, cs->slots[i].ref)->flags &= COIN_FAR;
    }
    cs->dirty = 0;
}

enum rc coins_flush(struct coins *cs, const struct block_hash *best, bool keep)
{
    struct coindb_flush *f;
    struct key *keys;
    enum rc rc = coindb_flush_begin(&f, cs->db, best, BATCH_BYTES);

    if (rc != RC_OK)
        return rc;
    keys = sorted_dirty(cs);
    rc = write_records(f, cs, keys, cs->dirty);
    free(keys);
    if (rc != RC_OK) {
        coindb_flush_abandon(f);
        return rc;
    }
    rc = coindb_flush_end(f);
    if (rc != RC_OK)
        return rc;
    cs->base_empty = false;
    if (keep)
        make_clean(cs);
    else
        coins_table_clear(cs);
    return RC_OK;
}
