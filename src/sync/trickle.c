/* trickle.c - transactions are told to peers in batches at random times, each peer (or, of inbound ones, all that came through the same
 * network and address) at its own, so that nobody can see when we got one. backlog.c says which. Loop thread. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "sync/relay.h"

#define INBOUND_INTERVAL (5 * US)
#define OUTBOUND_INTERVAL (1 * US) /* doc/adr/0006 */
#define MAX_TIMERS 64
#define BUDGET 10000 /* announcements to work on before others get their turn on the loop: a few milliseconds */

void trickle_init(struct sync *s)
{
    backlog_init(s);
    s->next_trickle = INT64_MAX;
    trickle_refresh(s);
}

void trickle_clear(struct sync *s)
{
    backlog_clear(s);
    free(s->inv_timers);
}

int64_t trickle_random_delay(struct sync *s, int64_t mean)
{
    double u = (double)(rng_u64(&s->rng) >> 11) / 9007199254740992.0;
    return (int64_t)(-log1p(-u) * (double)mean);
}

/* One clock for all inbound peers of a network that came to the same address of ours: several connections learn no more than one. */
static int64_t *inbound_timer(struct sync *s, const struct peer *p)
{
    struct {
        char network[sizeof(p->facts.network)];
        char bind[sizeof(p->facts.addr_bind)];
    } in;
    uint64_t key;
    size_t i;

    memset(&in, 0, sizeof(in));
    snprintf(in.network, sizeof(in.network), "%s", p->facts.network);
    snprintf(in.bind, sizeof(in.bind), "%s", p->facts.addr_bind);
    key = siphash(0, 0, &in, sizeof(in));
    for (i = 0; i < s->n_inv_timers; i++)
        if (s->inv_timers[i].key == key)
            return &s->inv_timers[i].next;
    if (s->n_inv_timers == MAX_TIMERS)
        return &s->inv_timers[0].next;
    s->inv_timers = xrealloc(s->inv_timers, (i + 1) * sizeof(*s->inv_timers));
    s->inv_timers[i] = (struct inv_timer){.key = key};
    s->n_inv_timers++;
    return &s->inv_timers[i].next;
}

static bool trickle_now(struct sync *s, struct peer *p, int64_t now)
{
    if (p->next_inv >= now)
        return peer_has(p, PERM_NOBAN);
    if (p->next_inv == 0) { /* the first time: what came before it was ready is none of its business */
        backlog_join(s, p);
    }
    if (peer_inbound(p)) {
        int64_t *timer = inbound_timer(s, p);
        if (*timer < now)
            *timer = now + trickle_random_delay(s, INBOUND_INTERVAL);
        p->next_inv = *timer;
    } else {
        p->next_inv = now + trickle_random_delay(s, OUTBOUND_INTERVAL);
    }
    return true;
}

/* What goes into one peer's invs. */
struct batch {
    struct sync *s;
    struct peer *p;
    struct relay_tx **list; /* to be put in order */
    size_t n_list;
    struct inv *items;
    size_t n, cap;
    bool again; /* even what it knows: it asked for everything */
};

static void batch_send(struct batch *b)
{
    struct writer w = WRITER_INIT;

    if (b->n == 0)
        return;
    msg_inv_encode(&w, b->items, b->n);
    peer_send_writer(b->s, b->p, "inv", &w);
    b->n = 0;
}

/* Unless the peer knows it, or did not ask for such ones. */
static void batch_add(struct batch *b, struct relay_tx *r)
{
    struct peer *p = b->p;
    const uint8_t *hash = p->wtxid_relay ? r->tx->wtxid.b : r->tx->txid.b;

    if (!b->again && recent_has(&p->tx_known, hash))
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
    if (b->n == MAX_INV_ITEMS)
        batch_send(b);
}

/* Those of its ancestors that are in the batch go first. */
static void batch_add_ordered(struct batch *b, struct relay_tx *r, unsigned depth)
{
    uint32_t batch = r->batch;

    r->batch = 0;
    for (uint32_t i = 0; i < r->tx->n_in && depth < RELAY_MAX_DEPTH; i++) {
        struct relay_tx *parent = relay_by_txid(b->s, r->tx->in[i].prevout->txid.b);
        if (parent && parent->batch == batch)
            batch_add_ordered(b, parent, depth + 1);
    }
    batch_add(b, r);
}

static int by_score(const void *a, const void *b)
{
    const struct relay_tx *x = *(struct relay_tx *const *)a, *y = *(struct relay_tx *const *)b;
    return relay_better(y, x) - relay_better(x, y);
}

static void batch_choose(struct batch *b, struct relay_tx *r)
{
    if (r->batch == b->s->relay_batch)
        return;
    r->batch = b->s->relay_batch;
    b->list[b->n_list++] = r;
}

/* What p is to hear of now: all that there is, or what it has not read. Parents before children, otherwise the best first. */
static void batch_fill(struct batch *b, bool everything)
{
    struct sync *s = b->s;
    const struct wtxid *ids = NULL;
    size_t n = everything ? s->n_pool : backlog_unread(s, b->p, &ids);

    if (n == 0)
        return;
    if (++s->relay_batch == 0x7fffffff)
        s->relay_batch = 1;
    b->list = xmalloc(n * sizeof(struct relay_tx *));
    for (size_t i = 0; i < n; i++) {
        struct relay_tx *r = everything ? s->pool[i] : relay_by_wtxid(s, ids[i].b);
        if (r)
            batch_choose(b, r);
    }
    qsort(b->list, b->n_list, sizeof(*b->list), by_score);
    for (size_t i = 0; i < b->n_list; i++)
        if (b->list[i]->batch == s->relay_batch)
            batch_add_ordered(b, b->list[i], 0);
    free(b->list);
}

void relay_flush(struct sync *s, struct peer *p)
{
    struct batch b = {.s = s, .p = p};

    if (!p->tx_relay || (s->trickle_budget <= 0 && trickle_waiting(s, p)) || !trickle_now(s, p, time_now_us()))
        return;
    if (!p->relay_txs)
        backlog_all_read(s, p);
    if (!p->send_mempool && trickle_waiting(s, p) == 0)
        return;
    b.again = p->send_mempool;
    batch_fill(&b, p->send_mempool);
    s->trickle_budget -= (int64_t)b.n_list;
    p->send_mempool = false;
    p->last_inv_sequence = s->relay_sequence;
    backlog_all_read(s, p);
    batch_send(&b);
    free(b.items);
}

/* ---- all peers ---- */

void trickle_refresh(struct sync *s)
{
    s->trickle_budget = BUDGET;
}

void trickle_due(struct sync *s)
{
    int64_t now;
    struct peer *p, *tmp;

    if (!s->trickle_changed && s->next_trickle == INT64_MAX)
        return;
    now = time_now_us();
    if (!s->trickle_changed && now <= s->next_trickle)
        return;
    s->trickle_changed = false;
    s->next_trickle = INT64_MAX;
    HASH_ITER (hh, s->peers, p, tmp) {
        if (p->closing || !p->handshake_done || !p->next_inv || trickle_waiting(s, p) == 0)
            continue;
        relay_flush(s, p); /* now, if it is time, or the peer may hear of everything at once */
        if (trickle_waiting(s, p) && p->next_inv < s->next_trickle)
            s->next_trickle = p->next_inv;
    }
}
