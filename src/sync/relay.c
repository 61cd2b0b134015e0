/* relay.c - transactions on their way out: a copy of the mempool's index (references only, kept up by its events), what each peer is still to
 * be told, in batches at random times (Bitcoin Core's trickle), and the fee filter that we send (BIP133). */
#include <math.h>
#include <string.h>

#include "crypto/hash.h"
#include "sync/internal.h"

#define INBOUND_INTERVAL (5 * US)
#define OUTBOUND_INTERVAL (2 * US)
#define FEE_FILTER_INTERVAL (600 * US)
#define FEE_FILTER_MAX_DELAY (300 * US)

struct relay_tx {
    struct wtxid wtxid;
    struct txid txid;
    struct tx *tx;
    int64_t fee;
    bool own;          /* no peer has fetched it yet */
    uint64_t sequence; /* when it came, against peers that probe for what they were not told */
    size_t place;      /* in s->pool */
    UT_hash_handle hh_w, hh_t;
};

static struct relay_tx *by_wtxid(struct sync *s, const uint8_t hash[32])
{
    struct relay_tx *r;
    HASH_FIND(hh_w, s->by_wtxid, hash, 32, r);
    return r;
}

static struct relay_tx *by_txid(struct sync *s, const uint8_t hash[32])
{
    struct relay_tx *r;
    HASH_FIND(hh_t, s->by_txid, hash, 32, r);
    return r;
}

/* The dense list of the mempool, for compact blocks. */
static void pool_add(struct sync *s, struct relay_tx *r)
{
    if (s->n_pool == s->cap_pool) {
        s->cap_pool = s->cap_pool ? s->cap_pool * 2 : 64;
        s->pool = xrealloc(s->pool, s->cap_pool * sizeof(*s->pool));
    }
    r->place = s->n_pool;
    s->pool[s->n_pool++] = (struct pool_ref){r->wtxid, r->tx, r};
}

static void pool_remove(struct sync *s, const struct relay_tx *r)
{
    s->pool[r->place] = s->pool[--s->n_pool];
    s->pool[r->place].owner->place = r->place;
}

static void relay_drop(struct sync *s, struct relay_tx *r)
{
    pool_remove(s, r);
    HASH_DELETE(hh_w, s->by_wtxid, r);
    HASH_DELETE(hh_t, s->by_txid, r);
    tx_unref(r->tx);
    free(r);
}

void sync_tx_added(struct sync *s, struct tx *tx, int64_t fee, bool from_block)
{
    struct relay_tx *r = by_txid(s, tx->txid.b);

    if (r)
        relay_drop(s, r);
    r = xcalloc(1, sizeof(*r));
    r->wtxid = tx->wtxid;
    r->txid = tx->txid;
    r->tx = tx_ref(tx);
    r->fee = fee;
    r->sequence = from_block ? 0 : s->relay_sequence;
    s->relay_sequence++;
    HASH_ADD(hh_w, s->by_wtxid, wtxid, 32, r);
    HASH_ADD(hh_t, s->by_txid, txid, 32, r);
    pool_add(s, r);
}

void sync_tx_removed(struct sync *s, struct tx *tx, bool replaced)
{
    struct relay_tx *r = by_wtxid(s, tx->wtxid.b);

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
    struct relay_tx *r = is_wtxid ? by_wtxid(s, hash) : by_txid(s, hash);

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
    while (s->by_wtxid)
        relay_drop(s, s->by_wtxid);
    free(s->pool);
    s->pool = NULL;
    s->n_pool = s->cap_pool = 0;
}

bool relay_has(struct sync *s, const uint8_t hash[32], bool is_wtxid)
{
    return is_wtxid ? by_wtxid(s, hash) != NULL : by_txid(s, hash) != NULL;
}

void relay_announce(struct sync *s, const struct wtxid *id)
{
    struct relay_tx *r = by_wtxid(s, id->b);
    struct peer *p, *tmp;

    if (!r)
        return;
    HASH_ITER (hh, s->peers, p, tmp) {
        if (!p->tx_relay || !p->handshake_done || p->closing)
            continue;
        if (recent_has(&p->tx_known, p->wtxid_relay ? r->wtxid.b : r->txid.b))
            continue;
        if (p->n_to_send == p->cap_to_send) {
            p->cap_to_send = p->cap_to_send ? p->cap_to_send * 2 : 16;
            p->to_send = xrealloc(p->to_send, p->cap_to_send * sizeof(*p->to_send));
        }
        p->to_send[p->n_to_send++] = *id;
    }
}

void sync_announce_tx(struct sync *s, struct tx *tx)
{
    struct peer *p, *tmp;

    relay_announce(s, &tx->wtxid);
    HASH_ITER (hh, s->peers, p, tmp)
        if (p->n_to_send && peer_has(p, PERM_NOBAN))
            peer_advance(s, p);
}

void sync_announce_own_tx(struct sync *s, struct tx *tx)
{
    struct relay_tx *r = by_wtxid(s, tx->wtxid.b);

    if (r)
        r->own = true;
    sync_announce_tx(s, tx);
}

void relay_taken(struct sync *s, const struct tx *tx)
{
    struct relay_tx *r = by_wtxid(s, tx->wtxid.b);

    if (!r || !r->own)
        return;
    r->own = false;
    if (s->o.host.tx_taken)
        s->o.host.tx_taken(s->o.host.ctx, &tx->txid);
}

/* Exponentially distributed delay. */
static int64_t random_delay(struct sync *s, int64_t mean)
{
    double u = (double)(rng_u64(&s->rng) >> 11) / 9007199254740992.0;
    return (int64_t)(-log1p(-u) * (double)mean);
}

static bool trickle_now(struct sync *s, struct peer *p)
{
    int64_t now = time_now_us();

    if (p->next_inv < now) {
        if (peer_inbound(p)) {
            /* One clock for all of them, so that several connections learn no more than one. */
            if (s->next_inbound_inv < now)
                s->next_inbound_inv = now + random_delay(s, INBOUND_INTERVAL);
            p->next_inv = s->next_inbound_inv;
        } else {
            p->next_inv = now + random_delay(s, OUTBOUND_INTERVAL);
        }
        return true;
    }
    return peer_has(p, PERM_NOBAN);
}

struct inv_batch {
    struct inv *items;
    size_t n, cap;
};

/* Adds a transaction unless the peer knows it or its fee is below the peer's filter. */
static void batch_add(struct sync *s, struct peer *p, struct inv_batch *b, const struct relay_tx *r)
{
    const uint8_t *hash = p->wtxid_relay ? r->wtxid.b : r->txid.b;
    struct writer w = WRITER_INIT;

    if (recent_has(&p->tx_known, hash))
        return;
    if (r->fee < (p->fee_filter * tx_vsize(r->tx) + 999) / 1000)
        return;
    if (p->bloom && !bloom_match_tx(p->bloom, r->tx))
        return;
    recent_add(&p->tx_known, hash);
    if (b->n == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 16;
        b->items = xrealloc(b->items, b->cap * sizeof(*b->items));
    }
    b->items[b->n].type = p->wtxid_relay ? INV_WTX : INV_TX;
    memcpy(b->items[b->n++].hash, hash, 32);
    if (b->n == MAX_INV_ITEMS) {
        msg_inv_encode(&w, b->items, b->n);
        peer_send_writer(s, p, "inv", &w);
        b->n = 0;
    }
}

void relay_flush(struct sync *s, struct peer *p)
{
    struct inv_batch b = {0};
    struct writer w = WRITER_INIT;

    if (!p->tx_relay || !trickle_now(s, p))
        return;
    if (!p->relay_txs)
        p->n_to_send = 0;
    if (p->send_mempool) {
        p->send_mempool = false;
        for (struct relay_tx *r = s->by_wtxid; r; r = r->hh_w.next)
            batch_add(s, p, &b, r);
    }
    for (size_t i = 0; i < p->n_to_send; i++) {
        struct relay_tx *r = by_wtxid(s, p->to_send[i].b);
        if (r)
            batch_add(s, p, &b, r);
    }
    p->n_to_send = 0;
    p->last_inv_sequence = s->relay_sequence;
    if (b.n) {
        msg_inv_encode(&w, b.items, b.n);
        peer_send_writer(s, p, "inv", &w);
    }
    free(b.items);
}

/* Rounds a fee rate to one of a few steps (each 10% over the last), up or down at random, so that it does not identify us. */
static int64_t round_fee(struct sync *s, int64_t rate)
{
    double below = 0, step = 50;

    while (step <= 1e7 && step < (double)rate) {
        below = step;
        step *= 1.1;
    }
    if (step > 1e7 || (rate > 0 && rng_below(&s->rng, 3) != 0))
        return (int64_t)below;
    return rate > 0 ? (int64_t)step : 0;
}

void sync_set_mempool_fee_rate(struct sync *s, int64_t rate)
{
    s->mempool_fee_rate = rate;
}

void relay_fee_filter(struct sync *s, struct peer *p)
{
    int64_t now = time_now_us(), want = s->mempool_fee_rate, max = 9936506; /* round_fee of all the money there is */

    if (s->o.blocks_only || p->common_version < FEEFILTER_VERSION || peer_has(p, PERM_FORCERELAY) ||
        p->facts.type == CONN_BLOCK_RELAY)
        return;
    if (chain_initial_download(s->o.chain))
        want = MAX_MONEY; /* nothing that they could send is of use yet */
    else if (p->fee_filter_sent == max)
        p->next_fee_filter = 0;
    if (now > p->next_fee_filter) {
        int64_t rate = round_fee(s, want);
        struct writer w = WRITER_INIT;
        if (rate < s->o.min_fee_rate)
            rate = s->o.min_fee_rate;
        if (rate != p->fee_filter_sent) {
            write_u64(&w, (uint64_t)rate);
            peer_send_writer(s, p, "feefilter", &w);
            p->fee_filter_sent = rate;
        }
        p->next_fee_filter = now + random_delay(s, FEE_FILTER_INTERVAL);
    } else if (now + FEE_FILTER_MAX_DELAY < p->next_fee_filter &&
               (want < 3 * p->fee_filter_sent / 4 || want > 4 * p->fee_filter_sent / 3)) {
        p->next_fee_filter = now + (int64_t)rng_below(&s->rng, FEE_FILTER_MAX_DELAY);
    }
}
