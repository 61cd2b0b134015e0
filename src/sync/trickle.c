/* trickle.c - transactions are told to peers in batches at random times, each peer (or, of inbound ones, all that came through the same
 * network and address) at its own, so that nobody can see when we got one. New ones first wait in a backlog that lets only so many go in a
 * second, the best ones first. Loop thread. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "sync/relay.h"

#define INBOUND_INTERVAL (5 * US)
#define OUTBOUND_INTERVAL (2 * US)
#define OUTBOUND_FACTOR 2.5 /* more often told, in smaller batches */
#define BURST_SECONDS 30
#define SIZE_FIRST 12e6 /* bytes of transactions: at the start */
#define SIZE_MAX_TOKENS 50e6
#define SIZE_RATE 20e3
#define SIZE_FLOOR -50e3
#define BACKLOG_SAID 100 /* so many waiting are worth a line in the log */
#define SAY_INTERVAL (2 * US)
#define LOG_LIMIT 50000 /* a peer that has not read for longer misses something */
#define MAX_DEPTH 200   /* of ancestors: clusters are smaller */
#define MAX_TIMERS 64
#define BUDGET 10000 /* announcements to work on before others get their turn on the loop: a few milliseconds */

static const size_t place_offset[2] = {offsetof(struct relay_tx, place), offsetof(struct relay_tx, place) + sizeof(uint32_t)};

static bool better(const void *a, const void *b)
{
    const struct relay_tx *x = a, *y = b;
    return x->score != y->score ? x->score > y->score : x->sequence < y->sequence;
}

static struct prio_kind best_first(unsigned side)
{
    return (struct prio_kind){better, place_offset[side]};
}

static unsigned side_of(const struct peer *p)
{
    return peer_inbound(p) ? 0 : 1;
}

void trickle_init(struct sync *s)
{
    for (unsigned side = 0; side < 2; side++) {
        struct backlog *b = s->backlog[side] = xcalloc(1, sizeof(*b));
        b->rate = side ? OUTBOUND_FACTOR : 1;
        b->count = s->o.tx_send_rate * BURST_SECONDS;
        b->size = SIZE_FIRST;
    }
    s->next_trickle = INT64_MAX;
    trickle_refresh(s);
}

void trickle_clear(struct sync *s)
{
    for (unsigned side = 0; side < 2; side++) {
        prio_clear(&s->backlog[side]->waiting);
        free(s->backlog[side]->log);
        free(s->backlog[side]);
    }
    free(s->inv_timers);
}

void trickle_forget_peer(struct sync *s, const struct peer *p)
{
    s->backlog[side_of(p)]->n_peers -= p->next_inv != 0;
}

void trickle_removed(struct sync *s, struct relay_tx *r)
{
    for (unsigned side = 0; side < 2; side++) {
        struct prio_kind kind = best_first(side);
        if (!r->place[side])
            continue;
        prio_remove(&s->backlog[side]->waiting, &kind, r);
        s->backlog[side]->stale++;
    }
}

/* ---- the backlog ---- */

static void fill(struct sync *s, struct backlog *b, int64_t now)
{
    double cap = s->o.tx_send_rate * BURST_SECONDS, seconds = (double)(now - b->filled) / (double)US;

    if (b->filled && now > b->filled) {
        b->count = fmin(fmax(cap, b->count), b->count + seconds * s->o.tx_send_rate * b->rate);
        b->size = fmin(fmax(SIZE_MAX_TOKENS, b->size), b->size + seconds * SIZE_RATE * b->rate);
    }
    b->filled = now;
}

static void log_push(struct backlog *b, const struct wtxid *id)
{
    if (b->n_log == b->cap_log) {
        b->cap_log = b->cap_log ? b->cap_log * 2 : 64;
        b->log = xrealloc(b->log, b->cap_log * sizeof(*b->log));
    }
    b->log[b->n_log++] = *id;
}

/* Lets r go, its ancestors that wait before it. Returns: false if the tokens are spent. */
static bool let_go(struct sync *s, unsigned side, struct relay_tx *r, unsigned depth)
{
    struct backlog *b = s->backlog[side];
    struct prio_kind kind = best_first(side);
    double floor = -s->o.tx_send_rate * ((double)INBOUND_INTERVAL / (double)US);

    for (uint32_t i = 0; i < r->tx->n_in && depth < MAX_DEPTH; i++) {
        struct relay_tx *parent = relay_by_txid(s, r->tx->in[i].prevout.txid.b);
        if (parent && parent->place[side] && !let_go(s, side, parent, depth + 1))
            return false;
    }
    prio_remove(&b->waiting, &kind, r);
    log_push(b, &r->tx->wtxid);
    b->size -= r->tx->raw_len;
    b->count -= 1;
    return b->size > SIZE_FLOOR && b->count > floor;
}

static void work_off(struct sync *s, unsigned side)
{
    struct backlog *b = s->backlog[side];
    size_t before = b->n_log;

    if ((!b->waiting.n && !b->stale) || b->count <= 0 || b->size <= 0)
        return;
    b->stale = 0;
    if (b->n_peers == 0) {
        struct prio_kind kind = best_first(side);
        while (b->waiting.n)
            prio_remove(&b->waiting, &kind, b->waiting.v[b->waiting.n - 1]);
        return;
    }
    while (b->waiting.n && let_go(s, side, prio_first(&b->waiting), 0))
        continue;
    s->trickle_changed = s->trickle_changed || b->n_log != before;
}

static void say_backlog(struct sync *s, int64_t now)
{
    const struct backlog *in = s->backlog[0], *out = s->backlog[1];
    size_t n_in = in->waiting.n + in->stale, n_out = out->waiting.n + out->stale;

    if (s->next_backlog_line == 0 && (n_in >= BACKLOG_SAID || n_out >= BACKLOG_SAID))
        s->next_backlog_line = now;
    if (s->next_backlog_line == 0 || now < s->next_backlog_line)
        return;
    log_debug(LOG_NET, "Transaction rate-limiting backlog inbound=%zu itok=%.1f isz=%.1f outbound=%zu otok=%.1f osz=%.1f", n_in,
              in->count, in->size, n_out, out->count, out->size);
    s->next_backlog_line = n_in || n_out ? now + SAY_INTERVAL : 0;
}

static void work_off_all(struct sync *s)
{
    int64_t now = time_now_us();

    fill(s, s->backlog[0], now);
    fill(s, s->backlog[1], now);
    say_backlog(s, now);
    work_off(s, 0);
    work_off(s, 1);
}

void relay_announce(struct sync *s, const struct wtxid *id)
{
    struct relay_tx *r = relay_by_wtxid(s, id->b);

    if (!r)
        return;
    for (unsigned side = 0; side < 2; side++) {
        struct prio_kind kind = best_first(side);
        if (!r->place[side])
            prio_add(&s->backlog[side]->waiting, &kind, r);
    }
    work_off_all(s);
}

/* What all peers have read is not needed any more. */
static void trim_logs(struct sync *s)
{
    uint64_t least[2];
    struct peer *p, *tmp;

    for (unsigned side = 0; side < 2; side++)
        least[side] = s->backlog[side]->log_first + s->backlog[side]->n_log;
    if (s->backlog[0]->n_log == 0 && s->backlog[1]->n_log == 0)
        return;
    HASH_ITER (hh, s->peers, p, tmp)
        if (p->next_inv && !p->closing && p->told < least[side_of(p)])
            least[side_of(p)] = p->told;
    for (unsigned side = 0; side < 2; side++) {
        struct backlog *b = s->backlog[side];
        size_t drop = least[side] > b->log_first ? (size_t)(least[side] - b->log_first) : 0;
        if (b->n_log - drop > LOG_LIMIT)
            drop = b->n_log - LOG_LIMIT;
        b->n_log -= drop;
        b->log_first += drop;
        if (drop)
            memmove(b->log, b->log + drop, b->n_log * sizeof(*b->log));
        if (b->n_log == 0) {
            free(b->log);
            b->log = NULL;
            b->cap_log = 0;
        }
    }
}

void trickle_tick(struct sync *s)
{
    work_off_all(s);
    trim_logs(s);
}

/* ---- one peer ---- */

/* The part of the log that p has not read. */
static size_t unread(const struct sync *s, const struct peer *p, const struct wtxid **out)
{
    const struct backlog *b = s->backlog[side_of(p)];
    uint64_t from = p->told > b->log_first ? p->told : b->log_first;

    if (!p->next_inv || b->n_log == 0)
        return 0;
    *out = b->log + (from - b->log_first);
    return (size_t)(b->log_first + b->n_log - from);
}

size_t trickle_waiting(const struct sync *s, const struct peer *p)
{
    const struct wtxid *list;
    return unread(s, p, &list);
}

static void all_read(const struct sync *s, struct peer *p)
{
    const struct backlog *b = s->backlog[side_of(p)];
    p->told = b->log_first + b->n_log;
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
        s->backlog[side_of(p)]->n_peers++;
        all_read(s, p);
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
    for (uint32_t i = 0; i < r->tx->n_in && depth < MAX_DEPTH; i++) {
        struct relay_tx *parent = relay_by_txid(b->s, r->tx->in[i].prevout.txid.b);
        if (parent && parent->batch == batch)
            batch_add_ordered(b, parent, depth + 1);
    }
    batch_add(b, r);
}

static int by_score(const void *a, const void *b)
{
    const struct relay_tx *x = *(struct relay_tx *const *)a, *y = *(struct relay_tx *const *)b;
    return better(y, x) - better(x, y);
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
    size_t n = everything ? s->n_pool : unread(s, b->p, &ids);

    if (n == 0)
        return;
    if (++s->relay_batch == 0x7fffffff)
        s->relay_batch = 1;
    b->list = xmalloc(n * sizeof(struct relay_tx *));
    for (size_t i = 0; i < n; i++) {
        struct relay_tx *r = everything ? s->pool[i].owner : relay_by_wtxid(s, ids[i].b);
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
        all_read(s, p);
    if (!p->send_mempool && trickle_waiting(s, p) == 0)
        return;
    b.again = p->send_mempool;
    batch_fill(&b, p->send_mempool);
    s->trickle_budget -= (int64_t)b.n_list;
    p->send_mempool = false;
    p->last_inv_sequence = s->relay_sequence;
    all_read(s, p);
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

struct tx_relay_info sync_tx_relay(const struct sync *s)
{
    struct tx_relay_info i = {.rate = s->o.tx_send_rate};

    for (unsigned side = 0; side < 2; side++) {
        const struct backlog *b = s->backlog[side];
        i.side[side].backlog = b->waiting.n + b->stale;
        i.side[side].count_tokens = b->count;
        i.side[side].size_tokens = b->size;
    }
    return i;
}
