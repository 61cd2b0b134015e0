/* relay.c - the transactions that peers may ask for: a copy of the mempool's index (references only, kept up by its events), and the latest block.
 * Loop thread. */
#include <string.h>

#include "crypto/hash.h"
#include "sync/relay.h"

static uint32_t digest(const struct sync *s, const uint8_t hash[32])
{
    return (uint32_t)siphash_hash(s->relay_k0, s->relay_k1, hash);
}

struct relay_tx *relay_by_wtxid(const struct sync *s, const uint8_t hash[32])
{
    uint32_t d = digest(s, hash), place;
    size_t cursor = SIZE_MAX;

    while ((place = places_next(&s->by_wtxid, d, &cursor)) != PLACES_END) {
        if (memcmp(s->pool[place]->tx->wtxid.b, hash, 32) == 0)
            return s->pool[place];
    }
    return NULL;
}

struct relay_tx *relay_by_txid(const struct sync *s, const uint8_t hash[32])
{
    uint32_t d = digest(s, hash), place;
    size_t cursor = SIZE_MAX;

    while ((place = places_next(&s->by_txid, d, &cursor)) != PLACES_END) {
        if (memcmp(s->pool[place]->tx->txid.b, hash, 32) == 0)
            return s->pool[place];
    }
    return NULL;
}

static void pool_add(struct sync *s, struct relay_tx *r)
{
    if (s->n_pool == s->cap_pool) {
        s->cap_pool += s->cap_pool / 8 + 64;
        s->pool = xrealloc(s->pool, s->cap_pool * sizeof(*s->pool));
    }
    r->in_pool = (uint32_t)s->n_pool;
    s->pool[s->n_pool++] = r;
    places_add(&s->by_wtxid, digest(s, r->tx->wtxid.b), r->in_pool);
    places_add(&s->by_txid, digest(s, r->tx->txid.b), r->in_pool);
}

/* The last one takes its place. */
static void pool_remove(struct sync *s, const struct relay_tx *r)
{
    struct relay_tx *last = s->pool[--s->n_pool];

    places_remove(&s->by_wtxid, digest(s, r->tx->wtxid.b), r->in_pool);
    places_remove(&s->by_txid, digest(s, r->tx->txid.b), r->in_pool);
    if (last == r)
        return;
    places_move(&s->by_wtxid, digest(s, last->tx->wtxid.b), last->in_pool, r->in_pool);
    places_move(&s->by_txid, digest(s, last->tx->txid.b), last->in_pool, r->in_pool);
    last->in_pool = r->in_pool;
    s->pool[last->in_pool] = last;
}

static void relay_drop(struct sync *s, struct relay_tx *r)
{
    pool_remove(s, r);
    backlog_removed(s, r);
    tx_unref(r->tx);
    free(r);
}

void sync_tx_added(struct sync *s, struct tx *tx, int64_t fee, double score, bool from_block)
{
    struct relay_tx *r = relay_by_txid(s, tx->txid.b);

    if (r)
        relay_drop(s, r);
    r = xcalloc(1, sizeof(*r));
    r->tx = tx_ref(tx);
    r->fee = fee;
    r->score = (float)score;
    r->sequence = from_block ? 0 : s->relay_sequence < UINT32_MAX ? (uint32_t)s->relay_sequence : UINT32_MAX;
    s->relay_sequence++;
    pool_add(s, r);
}

void sync_tx_removed(struct sync *s, struct tx *tx, bool replaced)
{
    struct relay_tx *r = relay_by_wtxid(s, tx->wtxid.b);

    s->relay_sequence++;
    if (replaced)
        extra_add(s, tx);
    if (r)
        relay_drop(s, r);
}

static size_t recent_slot(const struct sync *s, const uint8_t hash[32])
{
    return (size_t)siphash_hash(s->recent_k0, s->recent_k1, hash) & (s->n_recent_slots - 1);
}

static void recent_put(struct sync *s, const uint8_t hash[32], uint32_t place)
{
    size_t i = recent_slot(s, hash);
    while (s->recent_slots[i])
        i = (i + 1) & (s->n_recent_slots - 1);
    s->recent_slots[i] = place + 1;
}

/* A getdata may name 50,000 transactions: none of them may cost a walk through the block. */
static struct tx *recent_find(struct sync *s, const uint8_t hash[32], bool is_wtxid)
{
    if (!s->n_recent_slots)
        return NULL;
    for (size_t i = recent_slot(s, hash); s->recent_slots[i]; i = (i + 1) & (s->n_recent_slots - 1)) {
        struct tx *tx = &s->recent_block->tx[s->recent_slots[i] - 1];
        if (memcmp(is_wtxid ? tx->wtxid.b : tx->txid.b, hash, 32) == 0)
            return tx;
    }
    return NULL;
}

struct tx *relay_find(struct sync *s, const struct peer *p, const uint8_t hash[32], bool is_wtxid)
{
    struct relay_tx *r = is_wtxid ? relay_by_wtxid(s, hash) : relay_by_txid(s, hash);

    if (r && r->sequence < p->last_inv_sequence)
        return r->tx;
    return recent_find(s, hash, is_wtxid);
}

void relay_block_connected(struct sync *s, struct block *b)
{
    if (s->recent_block && block_hash_equal(&s->recent_block->hash, &b->hash))
        return; /* announced before its validation */
    block_unref(s->recent_block);
    s->recent_block = block_ref(b);
    writer_clear(&s->recent_cmpct);
    free(s->recent_slots);
    for (s->n_recent_slots = 16; s->n_recent_slots < (size_t)b->n_tx * 4;)
        s->n_recent_slots *= 2;
    s->recent_slots = xcalloc(s->n_recent_slots, sizeof(*s->recent_slots));
    s->recent_k0 = rng_u64(&s->rng);
    s->recent_k1 = rng_u64(&s->rng);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        recent_put(s, b->tx[i].txid.b, i);
        if (memcmp(b->tx[i].txid.b, b->tx[i].wtxid.b, 32) != 0)
            recent_put(s, b->tx[i].wtxid.b, i);
    }
}

void relay_clear(struct sync *s)
{
    block_unref(s->recent_block);
    s->recent_block = NULL;
    writer_clear(&s->recent_cmpct);
    free(s->recent_slots);
    s->recent_slots = NULL;
    s->n_recent_slots = 0;
    while (s->n_pool)
        relay_drop(s, s->pool[s->n_pool - 1]);
    free(s->pool);
    s->pool = NULL;
    s->cap_pool = 0;
    places_clear(&s->by_wtxid);
    places_clear(&s->by_txid);
    trickle_clear(s);
}

bool relay_has(struct sync *s, const uint8_t hash[32], bool is_wtxid)
{
    return is_wtxid ? relay_by_wtxid(s, hash) != NULL : relay_by_txid(s, hash) != NULL;
}

void sync_announce_own_tx(struct sync *s, struct tx *tx)
{
    struct relay_tx *r = relay_by_wtxid(s, tx->wtxid.b);

    if (r)
        r->own = 1;
    relay_announce(s, &tx->wtxid);
    sync_settle(s);
}

void relay_taken(struct sync *s, const struct tx *tx)
{
    struct relay_tx *r = relay_by_wtxid(s, tx->wtxid.b);

    if (!r || !r->own)
        return;
    r->own = 0;
    if (s->o.host.tx_taken)
        s->o.host.tx_taken(s->o.host.ctx, &tx->txid);
}
