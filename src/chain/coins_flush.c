/* coins_flush.c - writes what the coins cache has over its database, in key order. Called by flush.c and replay.c, on the
 * validation thread. */
#include "chain/coins_table.h"

#include <stdlib.h>

#include "util/mem.h"

#define BATCH_BYTES ((size_t)2 << 20) /* LevelDB holds a batch several times over while it is written */
#define BUCKETS 256u

/* What the sort moves: the first bytes of the key decide nearly always, the record only on equality. */
struct key {
    uint64_t prefix;
    uint32_t ref;
};

/* The dirty records in buckets by the first byte of their keys, which saves sorting all of them at once, and the memory for it. */
struct buckets {
    uint32_t *ref;
    size_t start[BUCKETS + 1];
    size_t largest;
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

static const struct coin_rec *dirty_at(const struct coins *cs, size_t slot)
{
    const struct coin_rec *r = cs->slots[slot].ref ? coin_at(cs, cs->slots[slot].ref) : NULL;

    return r && (r->flags & COIN_DIRTY) ? r : NULL;
}

static void buckets_init(struct buckets *b, const struct coins *cs)
{
    size_t fill[BUCKETS];
    const struct coin_rec *r;

    *b = (struct buckets){.ref = xmalloc((cs->dirty ? cs->dirty : 1) * sizeof(*b->ref))};
    for (size_t i = 0; i <= cs->mask; i++)
        if ((r = dirty_at(cs, i)))
            b->start[r->txid[0] + 1]++;
    for (size_t i = 0; i < BUCKETS; i++) {
        if (b->start[i + 1] > b->largest)
            b->largest = b->start[i + 1];
        b->start[i + 1] += b->start[i];
        fill[i] = b->start[i];
    }
    for (size_t i = 0; i <= cs->mask; i++)
        if ((r = dirty_at(cs, i)))
            b->ref[fill[r->txid[0]]++] = cs->slots[i].ref;
}

static enum rc write_record(struct coindb_flush *f, const struct coin_rec *r)
{
    struct outpoint o;
    struct coin c;

    memcpy(o.txid.b, r->txid, 32);
    o.n = r->n;
    if (r->flags & COIN_SPENT)
        return coindb_flush_remove(f, &o);
    coin_rec_coin(&c, r);
    return coindb_flush_put(f, &o, &c);
}

static enum rc write_all(struct coindb_flush *f, struct coins *cs)
{
    struct buckets b;
    struct key *keys;
    enum rc rc = RC_OK;

    buckets_init(&b, cs);
    keys = xmalloc((b.largest ? b.largest : 1) * sizeof(*keys));
    for (size_t k = 0; k < BUCKETS; k++) {
        size_t n = b.start[k + 1] - b.start[k];

        for (size_t i = 0; i < n; i++) {
            uint32_t ref = b.ref[b.start[k] + i];
            keys[i] = (struct key){be64(coin_at(cs, ref)->txid), ref};
        }
        qsort_r(keys, n, sizeof(*keys), compare_keys, cs);
        for (size_t i = 0; i < n && rc == RC_OK; i++)
            rc = write_record(f, coin_at(cs, keys[i].ref));
    }
    free(keys);
    free(b.ref);
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
    enum rc rc = coindb_flush_begin(&f, cs->db, best, BATCH_BYTES);

    if (rc != RC_OK)
        return rc;
    rc = write_all(f, cs);
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
