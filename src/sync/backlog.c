/* backlog.c - announcements of transactions that wait: only so many are let go in a second, the best ones first. What was let go is written into a
 * log for each kind of peers, which trickle.c reads to them at their times. Loop thread. */
#include <math.h>
#include <string.h>

#include "sync/relay.h"

#define COUNT_SECONDS 5     /* the count may go into debt by what these bring */
#define OUTBOUND_FACTOR 2.5 /* more often told, in smaller batches */
#define BURST_SECONDS 30
#define SIZE_FIRST 12e6 /* bytes of transactions: at the start */
#define SIZE_MAX_TOKENS 50e6
#define SIZE_RATE 20e3
#define SIZE_FLOOR -50e3
#define BACKLOG_SAID 100 /* so many waiting are worth a line in the log */
#define SAY_INTERVAL (2 * US)
#define LOG_LIMIT 50000 /* a peer that has not read for longer misses something */

static const size_t place_offset[2] = {offsetof(struct relay_tx, place), offsetof(struct relay_tx, place) + sizeof(uint32_t)};

bool relay_better(const void *a, const void *b)
{
    const struct relay_tx *x = a, *y = b;
    return x->score != y->score ? x->score > y->score : x->sequence < y->sequence;
}

static struct prio_kind best_first(unsigned side)
{
    return (struct prio_kind){relay_better, place_offset[side]};
}

void backlog_init(struct sync *s)
{
    for (unsigned side = 0; side < 2; side++) {
        struct backlog *b = s->backlog[side] = xcalloc(1, sizeof(*b));
        b->rate = side ? OUTBOUND_FACTOR : 1;
        b->count = s->o.tx_send_rate * BURST_SECONDS;
        b->size = SIZE_FIRST;
    }
}

void backlog_clear(struct sync *s)
{
    for (unsigned side = 0; side < 2; side++) {
        prio_clear(&s->backlog[side]->waiting);
        free(s->backlog[side]->log);
        free(s->backlog[side]);
    }
}

void backlog_join(struct sync *s, struct peer *p)
{
    s->backlog[relay_side(p)]->n_peers++;
    backlog_all_read(s, p);
}

void backlog_forget_peer(struct sync *s, const struct peer *p)
{
    s->backlog[relay_side(p)]->n_peers -= p->next_inv != 0;
}

void backlog_removed(struct sync *s, struct relay_tx *r)
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
    double floor = -s->o.tx_send_rate * COUNT_SECONDS;

    for (uint32_t i = 0; i < r->tx->n_in && depth < RELAY_MAX_DEPTH; i++) {
        struct relay_tx *parent = relay_by_txid(s, r->tx->in[i].prevout->txid.b);
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
        if (p->next_inv && !p->closing && p->told < least[relay_side(p)])
            least[relay_side(p)] = p->told;
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

void backlog_tick(struct sync *s)
{
    trickle_refresh(s);
    work_off_all(s);
    trim_logs(s);
}

/* The part of the log that p has not read. */
size_t backlog_unread(const struct sync *s, const struct peer *p, const struct wtxid **out)
{
    const struct backlog *b = s->backlog[relay_side(p)];
    uint64_t from = p->told > b->log_first ? p->told : b->log_first;

    if (!p->next_inv || b->n_log == 0)
        return 0;
    *out = b->log + (from - b->log_first);
    return (size_t)(b->log_first + b->n_log - from);
}

size_t trickle_waiting(const struct sync *s, const struct peer *p)
{
    const struct wtxid *list;
    return backlog_unread(s, p, &list);
}

void backlog_all_read(const struct sync *s, struct peer *p)
{
    const struct backlog *b = s->backlog[relay_side(p)];
    p->told = b->log_first + b->n_log;
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
