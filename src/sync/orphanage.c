/* orphanage.c - the orphans by wtxid, by the outpoints that they spend, and by who announced them; what each peer uses, in two heaps by the
 * two things that are scarce, so that the worst peer is one of two. Loop thread. */
#include "sync/orphanage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "crypto/hash.h"
#include "policy/policy.h"
#include "sync/table.h"
#include "util/assert.h"
#include "util/log.h"
#include "util/mem.h"

#define INPUTS_A_POINT 10 /* so many inputs count as one announcement */

struct orphan;

/* One input, in the index of outpoints. */
struct spend {
    struct table_link by_outpoint;
    struct orphan *orphan;
};

struct announcer;

/* A peer that announced an orphan. */
struct ann {
    struct table_link by_pair;
    struct orphan *orphan;
    struct announcer *from;
    uint64_t sequence;
    uint32_t place; /* in its peer's heap of waiting or of ready ones */
    uint32_t index; /* in its orphan's array */
};

struct orphan {
    struct table_link by_wtxid;
    struct tx *tx;
    int64_t weight;
    struct ann **anns;
    uint32_t n_anns, cap_anns;
    struct ann *ready; /* the one announcement in whose peer's work set it is */
    bool marked;       /* orphanage_remove_block has seen it */
    struct orphan *prev, *next;
    struct spend spends[]; /* one for each input */
};

/* A peer with announcements. */
struct announcer {
    struct table_link by_id;
    int64_t id;
    struct prio waiting, ready; /* of announcements, by age */
    size_t latency;
    int64_t weight;
    uint32_t latency_place, weight_place;
    struct announcer *ready_prev, *ready_next; /* those with something in `ready` */
};

struct orphanage {
    uint64_t k0, k1, sequence;
    size_t max_latency;
    int64_t peer_weight;
    struct rng *rng;
    struct table orphans, outpoints, anns, peers;
    struct orphan *list;
    struct announcer *ready;
    struct prio by_latency, by_weight;
    size_t n_outpoints; /* different ones */
    size_t input_points;
    int64_t weight;
};

static bool older(const void *a, const void *b)
{
    return ((const struct ann *)a)->sequence < ((const struct ann *)b)->sequence;
}

/* More of it, and among equals the one that connected last. */
static bool slower(const void *a, const void *b)
{
    const struct announcer *x = a, *y = b;
    return x->latency != y->latency ? x->latency > y->latency : x->id > y->id;
}

static bool heavier(const void *a, const void *b)
{
    const struct announcer *x = a, *y = b;
    return x->weight != y->weight ? x->weight > y->weight : x->id > y->id;
}

static const struct prio_kind by_age = {older, offsetof(struct ann, place)};
static const struct prio_kind by_latency = {slower, offsetof(struct announcer, latency_place)};
static const struct prio_kind by_weight = {heavier, offsetof(struct announcer, weight_place)};

struct orphanage *orphanage_new(size_t max_latency, int64_t peer_weight, struct rng *rng)
{
    struct orphanage *o = xcalloc(1, sizeof(*o));

    o->max_latency = max_latency;
    o->peer_weight = peer_weight;
    o->rng = rng;
    o->k0 = rng_u64(rng);
    o->k1 = rng_u64(rng);
    return o;
}

static size_t input_points(const struct tx *tx)
{
    return tx->n_in / INPUTS_A_POINT;
}

/* ---- finding ---- */

static uint64_t wtxid_digest(const struct orphanage *o, const struct wtxid *id)
{
    return siphash_hash(o->k0, o->k1, id->b);
}

static uint64_t pair_digest(const struct orphanage *o, const struct orphan *x, int64_t peer)
{
    uint64_t in[2] = {x->by_wtxid.digest, (uint64_t)peer};
    return siphash(o->k1, o->k0, in, sizeof(in));
}

static struct orphan *find(const struct orphanage *o, const struct wtxid *id)
{
    for (struct table_link *l = table_first(&o->orphans, wtxid_digest(o, id)); l; l = table_next(l)) {
        struct orphan *x = ENTRY_OF(l, struct orphan, by_wtxid);
        if (wtxid_equal(&x->tx->wtxid, id))
            return x;
    }
    return NULL;
}

static struct ann *find_ann(const struct orphanage *o, const struct orphan *x, int64_t peer)
{
    for (struct table_link *l = table_first(&o->anns, pair_digest(o, x, peer)); l; l = table_next(l)) {
        struct ann *n = ENTRY_OF(l, struct ann, by_pair);
        if (n->orphan == x && n->from->id == peer)
            return n;
    }
    return NULL;
}

static struct announcer *find_peer(const struct orphanage *o, int64_t peer)
{
    struct table_link *l = table_first(&o->peers, (uint64_t)peer);
    return l ? ENTRY_OF(l, struct announcer, by_id) : NULL;
}

static const struct outpoint *spent_by(const struct spend *s)
{
    return s->orphan->tx->in[s - s->orphan->spends].prevout;
}

/* Spends of that outpoint: the first one, and the one behind s. */
static struct spend *matching(struct table_link *l, const struct outpoint *p)
{
    for (; l; l = table_next(l)) {
        struct spend *s = ENTRY_OF(l, struct spend, by_outpoint);
        if (outpoint_equal(spent_by(s), p))
            return s;
    }
    return NULL;
}

static struct spend *first_spend(const struct orphanage *o, const struct outpoint *p)
{
    return matching(table_first(&o->outpoints, siphash_hash_u32(o->k0, o->k1, p->txid.b, p->n)), p);
}

static struct spend *next_spend(const struct spend *s)
{
    return matching(table_next(&s->by_outpoint), spent_by(s));
}

/* ---- adding and dropping ---- */

static void peer_add(struct orphanage *o, struct announcer *a, int sign, const struct orphan *x)
{
    if (sign > 0) {
        a->latency += 1 + input_points(x->tx);
        a->weight += x->weight;
    } else {
        a->latency -= 1 + input_points(x->tx);
        a->weight -= x->weight;
    }
    prio_moved(&o->by_latency, &by_latency, a);
    prio_moved(&o->by_weight, &by_weight, a);
}

static struct announcer *peer_get(struct orphanage *o, int64_t peer)
{
    struct announcer *a = find_peer(o, peer);

    if (a)
        return a;
    a = xcalloc(1, sizeof(*a));
    a->id = peer;
    table_add(&o->peers, &a->by_id, (uint64_t)peer);
    prio_add(&o->by_latency, &by_latency, a);
    prio_add(&o->by_weight, &by_weight, a);
    return a;
}

static void peer_drop_empty(struct orphanage *o, struct announcer *a)
{
    if (a->waiting.n || a->ready.n)
        return;
    table_remove(&o->peers, &a->by_id);
    prio_remove(&o->by_latency, &by_latency, a);
    prio_remove(&o->by_weight, &by_weight, a);
    prio_clear(&a->waiting);
    prio_clear(&a->ready);
    free(a);
}

static void set_ready(struct orphanage *o, struct ann *n, bool ready)
{
    struct announcer *a = n->from;

    prio_remove(ready ? &a->waiting : &a->ready, &by_age, n);
    prio_add(ready ? &a->ready : &a->waiting, &by_age, n);
    n->orphan->ready = ready ? n : NULL;
    if (ready && a->ready.n == 1)
        DL_APPEND2(o->ready, a, ready_prev, ready_next);
    else if (!ready && a->ready.n == 0)
        DL_DELETE2(o->ready, a, ready_prev, ready_next);
}

static void announce(struct orphanage *o, struct orphan *x, int64_t peer)
{
    struct ann *n = xcalloc(1, sizeof(*n));

    n->orphan = x;
    n->from = peer_get(o, peer);
    n->sequence = o->sequence++;
    table_add(&o->anns, &n->by_pair, pair_digest(o, x, peer));
    if (x->n_anns == x->cap_anns) {
        x->cap_anns = x->cap_anns ? x->cap_anns * 2 : 1;
        x->anns = xrealloc(x->anns, x->cap_anns * sizeof(struct ann *));
    }
    n->index = x->n_anns;
    x->anns[x->n_anns++] = n;
    prio_add(&n->from->waiting, &by_age, n);
    peer_add(o, n->from, 1, x);
}

static struct orphan *orphan_new(struct orphanage *o, struct tx *tx)
{
    struct orphan *x = xcalloc(1, sizeof(*x) + tx->n_in * sizeof(struct spend));

    x->tx = tx_ref(tx);
    x->weight = tx_weight(tx);
    table_add(&o->orphans, &x->by_wtxid, wtxid_digest(o, &tx->wtxid));
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct outpoint *p = tx->in[i].prevout;
        o->n_outpoints += !first_spend(o, p);
        x->spends[i].orphan = x;
        table_add(&o->outpoints, &x->spends[i].by_outpoint, siphash_hash_u32(o->k0, o->k1, p->txid.b, p->n));
    }
    o->input_points += input_points(tx);
    o->weight += x->weight;
    DL_APPEND(o->list, x);
    return x;
}

static void orphan_free(struct orphanage *o, struct orphan *x)
{
    table_remove(&o->orphans, &x->by_wtxid);
    for (uint32_t i = 0; i < x->tx->n_in; i++) {
        table_remove(&o->outpoints, &x->spends[i].by_outpoint);
        o->n_outpoints -= !first_spend(o, x->tx->in[i].prevout);
    }
    o->input_points -= input_points(x->tx);
    o->weight -= x->weight;
    DL_DELETE(o->list, x);
    tx_unref(x->tx);
    free(x->anns);
    free(x);
}

/* Drops one announcement, and the orphan with its last one. */
static void drop(struct orphanage *o, struct ann *n)
{
    struct orphan *x = n->orphan;
    struct announcer *a = n->from;

    if (x->ready == n)
        set_ready(o, n, false);
    prio_remove(&a->waiting, &by_age, n);
    peer_add(o, a, -1, x);
    peer_drop_empty(o, a);
    table_remove(&o->anns, &n->by_pair);
    x->anns[n->index] = x->anns[--x->n_anns];
    x->anns[n->index]->index = n->index;
    free(n);
    if (x->n_anns == 0)
        orphan_free(o, x);
}

/* ---- limits ---- */

static bool too_much(const struct orphanage *o)
{
    int64_t peers = o->peers.n ? (int64_t)o->peers.n : 1;
    return o->input_points + o->anns.n > o->max_latency || o->weight > o->peer_weight * peers;
}

/* The peer that uses most of its share of either. share: of max_latency. */
static struct announcer *worst(const struct orphanage *o, size_t share)
{
    struct announcer *l = prio_first(&o->by_latency), *w = prio_first(&o->by_weight);

    /* l's part of its latency against w's part of its weight; the latency counts when they are equal. */
    return (int64_t)l->latency * o->peer_weight >= w->weight * (int64_t)share ? l : w;
}

static void make_room(struct orphanage *o)
{
    size_t before = o->orphans.n, share, dropped = 0;

    if (!too_much(o))
        return;
    share = o->max_latency / o->peers.n;
    if (share == 0)
        share = 1;
    while (too_much(o)) {
        struct announcer *a = worst(o, share);
        int64_t id = a->id;
        size_t had = a->waiting.n + a->ready.n, removed = 0;
        bool last;
        do {
            last = a->waiting.n + a->ready.n == 1;
            drop(o, prio_first(a->waiting.n ? &a->waiting : &a->ready));
            removed++;
        } while (!last && too_much(o) && worst(o, share) == a);
        dropped += removed;
        log_debug(LOG_TXPACKAGES, "peer=%" PRId64 " orphanage overflow, removed %zu of %zu announcements", id, removed, had);
    }
    log_debug(LOG_TXPACKAGES, "orphanage overflow, removed %zu tx (%zu announcements)", before - o->orphans.n, dropped);
}

/* ---- what happens ---- */

static bool add_announcer(struct orphanage *o, struct orphan *x, int64_t peer)
{
    if (find_ann(o, x, peer))
        return false;
    announce(o, x, peer);
    log_debug(LOG_TXPACKAGES, "added peer=%" PRId64 " as announcer of orphan tx %s (wtxid=%s)", peer, txid_hex(&x->tx->txid).s,
              wtxid_hex(&x->tx->wtxid).s);
    make_room(o);
    return true;
}

bool orphanage_add(struct orphanage *o, struct tx *tx, int64_t peer)
{
    struct orphan *x = find(o, &tx->wtxid);

    if (tx_weight(tx) > MAX_STANDARD_TX_WEIGHT) {
        log_debug(LOG_TXPACKAGES, "ignoring large orphan tx (size: %" PRId64 ", txid: %s, wtxid: %s)", tx_weight(tx),
                  txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s);
        return false;
    }
    if (x) {
        add_announcer(o, x, peer);
        return false;
    }
    announce(o, orphan_new(o, tx), peer);
    log_debug(LOG_TXPACKAGES, "stored orphan tx %s (wtxid=%s), weight: %" PRId64 " (mapsz %zu outsz %zu)", txid_hex(&tx->txid).s,
              wtxid_hex(&tx->wtxid).s, tx_weight(tx), o->anns.n, o->n_outpoints);
    make_room(o);
    return true;
}

bool orphanage_add_announcer(struct orphanage *o, const struct wtxid *id, int64_t peer)
{
    struct orphan *x = find(o, id);
    return x && add_announcer(o, x, peer);
}

struct tx *orphanage_get(const struct orphanage *o, const struct wtxid *id)
{
    struct orphan *x = find(o, id);
    return x ? x->tx : NULL;
}

bool orphanage_has_from(const struct orphanage *o, const struct wtxid *id, int64_t peer)
{
    struct orphan *x = find(o, id);
    return x && find_ann(o, x, peer);
}

static void remove_orphan(struct orphanage *o, struct orphan *x)
{
    uint32_t n = x->n_anns;

    log_debug(LOG_TXPACKAGES, "removed orphan tx %s (wtxid=%s) (%u announcements)", txid_hex(&x->tx->txid).s,
              wtxid_hex(&x->tx->wtxid).s, n);
    while (n--)
        drop(o, x->anns[n]);
}

bool orphanage_remove(struct orphanage *o, const struct wtxid *id)
{
    struct orphan *x = find(o, id);

    if (!x)
        return false;
    remove_orphan(o, x);
    make_room(o);
    return true;
}

void orphanage_remove_peer(struct orphanage *o, int64_t peer)
{
    struct announcer *a = find_peer(o, peer);
    size_t n;

    if (!a)
        return;
    n = a->waiting.n + a->ready.n;
    for (size_t i = n; i > 0; i--) /* the last one frees a */
        drop(o, prio_first(a->waiting.n ? &a->waiting : &a->ready));
    log_debug(LOG_TXPACKAGES, "Erased %zu orphan transaction(s) from peer=%" PRId64, n, peer);
    make_room(o);
}

void orphanage_remove_block(struct orphanage *o, const struct block *b)
{
    struct orphan **list = NULL;
    size_t n = 0, cap = 0;

    if (!o->list)
        return;
    for (uint32_t i = 0; i < b->n_tx; i++) {
        for (uint32_t k = 0; k < b->tx[i].n_in; k++) {
            for (struct spend *s = first_spend(o, b->tx[i].in[k].prevout); s; s = next_spend(s)) {
                if (s->orphan->marked)
                    continue;
                s->orphan->marked = true;
                if (n == cap) {
                    cap = cap ? cap * 2 : 16;
                    list = xrealloc(list, cap * sizeof(*list));
                }
                list[n++] = s->orphan;
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        remove_orphan(o, list[i]);
    free(list);
    if (n)
        log_debug(LOG_TXPACKAGES, "Erased %zu orphan transaction(s) included or conflicted by block", n);
    make_room(o);
}

void orphanage_children_ready(struct orphanage *o, const struct tx *tx)
{
    struct outpoint p = {.txid = tx->txid};

    if (!o->list)
        return;
    for (p.n = 0; p.n < tx->n_out; p.n++) {
        for (struct spend *s = first_spend(o, &p); s; s = next_spend(s)) {
            struct orphan *x = s->orphan;
            struct ann *n;
            if (x->ready)
                continue;
            n = x->anns[rng_below(o->rng, x->n_anns)];
            set_ready(o, n, true);
            log_debug(LOG_TXPACKAGES, "added %s (wtxid=%s) to peer %" PRId64 " workset", txid_hex(&x->tx->txid).s,
                      wtxid_hex(&x->tx->wtxid).s, n->from->id);
        }
    }
}

struct tx *orphanage_take_ready(struct orphanage *o, int64_t peer)
{
    struct announcer *a = find_peer(o, peer);
    struct ann *n = a ? prio_first(&a->ready) : NULL;

    if (!n)
        return NULL;
    set_ready(o, n, false);
    return tx_ref(n->orphan->tx);
}

size_t orphanage_ready_peers(const struct orphanage *o, int64_t **out)
{
    struct announcer *a;
    size_t n = 0;

    *out = o->ready ? xmalloc(o->peers.n * sizeof(**out)) : NULL;
    DL_FOREACH2(o->ready, a, ready_next)
    (*out)[n++] = a->id;
    return n;
}

/* Ready ones before others, then the younger before the older. */
static int youngest_first(const void *a, const void *b)
{
    const struct ann *x = *(struct ann *const *)a, *y = *(struct ann *const *)b;
    bool rx = x->orphan->ready == x, ry = y->orphan->ready == y;
    return rx != ry ? ry - rx : (x->sequence < y->sequence) - (x->sequence > y->sequence);
}

size_t orphanage_children(const struct orphanage *o, const struct tx *parent, int64_t peer, struct tx ***out)
{
    struct outpoint p = {.txid = parent->txid};
    struct ann **found = NULL;
    size_t n = 0, cap = 0, unique = 0;

    *out = NULL;
    if (!o->list)
        return 0;
    for (p.n = 0; p.n < parent->n_out; p.n++) {
        for (struct spend *s = first_spend(o, &p); s; s = next_spend(s)) {
            struct ann *a = find_ann(o, s->orphan, peer);
            if (!a)
                continue;
            if (n == cap) {
                cap = cap ? cap * 2 : 16;
                found = xrealloc(found, cap * sizeof(*found));
            }
            found[n++] = a;
        }
    }
    if (!n)
        return 0;
    qsort(found, n, sizeof(*found), youngest_first);
    *out = xmalloc(n * sizeof(struct tx *));
    for (size_t i = 0; i < n; i++)
        if (i == 0 || found[i] != found[i - 1]) /* it may spend several outputs */
            (*out)[unique++] = found[i]->orphan->tx;
    free(found);
    return unique;
}

/* ---- reports ---- */

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

size_t orphanage_list(const struct orphanage *o, struct orphan_info **out)
{
    struct orphan_info *list = xmalloc((o->orphans.n + 1) * sizeof(*list) + o->anns.n * sizeof(int64_t));
    int64_t *from = (int64_t *)(void *)(list + o->orphans.n + 1);
    size_t n = 0;
    struct orphan *x;

    DL_FOREACH (o->list, x) {
        list[n++] = (struct orphan_info){x->tx, from, x->n_anns};
        for (uint32_t i = 0; i < x->n_anns; i++)
            from[i] = x->anns[i]->from->id;
        qsort(from, x->n_anns, sizeof(*from), ascending);
        from += x->n_anns;
    }
    *out = list;
    return n;
}

struct orphanage_usage orphanage_total(const struct orphanage *o)
{
    return (struct orphanage_usage){o->orphans.n, o->anns.n, o->input_points + o->anns.n, o->weight};
}

struct orphanage_usage orphanage_peer(const struct orphanage *o, int64_t peer)
{
    const struct announcer *a = find_peer(o, peer);
    return a ? (struct orphanage_usage){0, a->waiting.n + a->ready.n, a->latency, a->weight} : (struct orphanage_usage){0};
}

void orphanage_free(struct orphanage *o)
{
    if (!o)
        return;
    while (o->list)
        remove_orphan(o, o->list);
    table_clear(&o->orphans);
    table_clear(&o->outpoints);
    table_clear(&o->anns);
    table_clear(&o->peers);
    prio_clear(&o->by_latency);
    prio_clear(&o->by_weight);
    free(o);
}
