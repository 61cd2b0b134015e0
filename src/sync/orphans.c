/* orphans.c - transactions whose parents we do not have yet: at most 100, the parents are asked of who sent them, and they are tried again when
 * a parent arrives. */
#include <string.h>
#include <utlist.h>

#include "sync/internal.h"

#define MAX_ORPHANS 100
#define MAX_ORPHAN_WEIGHT 400000
#define ORPHAN_LIFETIME (20 * 60) /* s */

struct orphan {
    struct tx *tx;
    peer_id from;
    int64_t expires;
    bool retry; /* a parent has arrived */
    struct orphan *prev, *next;
};

static struct orphan *find(const struct sync *s, const struct wtxid *id)
{
    struct orphan *o;
    DL_FOREACH (s->orphans, o)
        if (wtxid_equal(&o->tx->wtxid, id))
            return o;
    return NULL;
}

static void drop(struct sync *s, struct orphan *o)
{
    DL_DELETE(s->orphans, o);
    s->n_orphans--;
    tx_unref(o->tx);
    free(o);
}

bool orphan_known(const struct sync *s, const struct wtxid *id)
{
    return find(s, id) != NULL;
}

bool orphan_remove(struct sync *s, const struct wtxid *id)
{
    struct orphan *o = find(s, id);
    if (!o)
        return false;
    log_debug(LOG_TXPACKAGES, "   removed orphan tx %s (wtxid=%s)", txid_hex(&o->tx->txid).s, wtxid_hex(id).s);
    drop(s, o);
    return true;
}

/* Room for one more: expired ones go first, then a random one. */
static void make_room(struct sync *s)
{
    struct orphan *o, *tmp;
    uint64_t victim;
    int64_t now = time_now();

    DL_FOREACH_SAFE (s->orphans, o, tmp)
        if (o->expires <= now)
            drop(s, o);
    if (s->n_orphans < MAX_ORPHANS)
        return;
    victim = rng_below(&s->rng, s->n_orphans);
    DL_FOREACH (s->orphans, o) {
        if (victim-- == 0) {
            drop(s, o);
            return;
        }
    }
}

void orphan_add(struct sync *s, struct peer *p, struct tx *tx)
{
    struct orphan *o;

    if (tx_weight(tx) > MAX_ORPHAN_WEIGHT) {
        log_debug(LOG_TXPACKAGES, "ignoring large orphan tx (size: %" PRId64 ", txid: %s, wtxid: %s)", tx_weight(tx),
                  txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s);
        return;
    }
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const uint8_t *parent = tx->in[i].prevout.txid.b;
        recent_add(&p->tx_known, parent);
        if (!tx_already_have(s, parent, false))
            tx_request_announced(s, p, parent, false, tx_request_delay(s, p, true));
    }
    make_room(s);
    o = xcalloc(1, sizeof(*o));
    o->tx = tx_ref(tx);
    o->from = p->id;
    o->expires = time_now() + ORPHAN_LIFETIME;
    DL_APPEND(s->orphans, o);
    s->n_orphans++;
    log_debug(LOG_TXPACKAGES, "stored orphan tx %s (wtxid=%s), weight: %" PRId64 " (mapsz %zu)", txid_hex(&tx->txid).s,
              wtxid_hex(&tx->wtxid).s, tx_weight(tx), s->n_orphans);
}

static bool spends(const struct tx *tx, const struct txid *parent)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (txid_equal(&tx->in[i].prevout.txid, parent))
            return true;
    return false;
}

void orphans_parent_arrived(struct sync *s, const struct tx *tx)
{
    struct orphan *o;
    DL_FOREACH (s->orphans, o)
        if (spends(o->tx, &tx->txid))
            o->retry = true;
}

void orphans_run(struct sync *s, struct peer *p)
{
    struct orphan *o;

    DL_FOREACH (s->orphans, o) {
        if (!o->retry || o->from != p->id)
            continue;
        if (p->pending && (p->pending_kind != JOB_TX || p->pending >= MAX_PENDING_JOBS))
            return;
        o->retry = false;
        job_begin(p, JOB_TX);
        s->o.host.submit_tx(s->o.host.ctx, p->id, tx_ref(o->tx));
    }
}

/* An outpoint as the key of a set. */
static struct hash_key {
    uint8_t b[32];
} key_of(const struct outpoint *o)
{
    struct hash_key k;
    memcpy(k.b, o->txid.b, 32);
    put_le32(k.b, get_le32(k.b) ^ o->n);
    return k;
}

/* What a block makes and spends, so that an orphan with thousands of inputs is not compared with thousands of transactions. */
struct block_sets {
    struct recent made, spent; /* txids, keys of outpoints */
};

static void sets_init(struct block_sets *t, const struct block *b)
{
    recent_init(&t->made, SIZE_MAX);
    recent_init(&t->spent, SIZE_MAX);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        recent_add(&t->made, b->tx[i].txid.b);
        for (uint32_t k = 0; i > 0 && k < b->tx[i].n_in; k++)
            recent_add(&t->spent, key_of(&b->tx[i].in[k].prevout).b);
    }
}

/* Is tx in the block, or does it spend what the block spends? */
static bool block_conflicts(const struct block_sets *t, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (recent_has(&t->spent, key_of(&tx->in[i].prevout).b))
            return true;
    return false;
}

static bool block_has_parent(const struct block_sets *t, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (recent_has(&t->made, tx->in[i].prevout.txid.b))
            return true;
    return false;
}

void orphans_block(struct sync *s, const struct block *b)
{
    struct orphan *o, *tmp;
    struct block_sets sets;
    unsigned n = 0;

    if (!s->orphans)
        return;
    sets_init(&sets, b);
    DL_FOREACH_SAFE (s->orphans, o, tmp) {
        if (block_conflicts(&sets, o->tx)) {
            drop(s, o);
            n++;
        } else if (block_has_parent(&sets, o->tx)) {
            o->retry = true;
        }
    }
    recent_clear(&sets.made);
    recent_clear(&sets.spent);
    if (n)
        log_debug(LOG_TXPACKAGES, "Erased %u orphan transaction(s) included or conflicted by block", n);
}

void orphans_forget_peer(struct sync *s, const struct peer *p)
{
    struct orphan *o, *tmp;
    unsigned n = 0;

    DL_FOREACH_SAFE (s->orphans, o, tmp) {
        if (o->from == p->id) {
            drop(s, o);
            n++;
        }
    }
    if (n)
        log_debug(LOG_TXPACKAGES, "Erased %u orphan transaction(s) from peer=%" PRId64, n, p->id);
}

void orphans_clear(struct sync *s)
{
    while (s->orphans)
        drop(s, s->orphans);
}

size_t sync_orphans(struct sync *s, struct orphan_info **out)
{
    struct orphan *o;
    size_t n = 0;

    *out = xcalloc(s->n_orphans + 1, sizeof(**out));
    DL_FOREACH (s->orphans, o)
        (*out)[n++] = (struct orphan_info){o->tx, o->from, o->expires};
    return n;
}
