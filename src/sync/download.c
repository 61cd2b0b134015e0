/* download.c - which blocks to ask of whom (a window of 1,024 shared by all peers, by their speed), and who is too slow. What is asked of whom
 * stands in flights.c.
 *
 * A block that has arrived is "processing" until validation answers; it counts as present meanwhile, so that nobody is asked for it again. */
#include <string.h>

#include "chain/snapshot.h"
#include "primitives/serialize.h"
#include "sync/internal.h"

#define LATE (2 * US)      /* a peer that has delivered nothing for so long may be overtaken by others */
#define LATE_AT_FIRST (US) /* the same for one that never did */
#define VERY_LATE (8 * US) /* the same for one that delivers, but not this block */
#define MAX_OVERTAKEN 16   /* blocks in a row that others had to deliver in a peer's place */

bool download_may_fetch_directly(struct sync *s)
{
    return (int64_t)chain_tip(s->o.chain)->node.time > time_now() - s->o.params->pow_spacing * 20;
}

static bool have_data(struct sync *s, const struct block_entry *e, struct entry_facts *facts)
{
    struct flight *f = flight_find(s, &e->node.hash);

    chain_facts(s->o.chain, e, facts);
    return (facts->status & BLOCK_HAVE_DATA) || (f && f->processing);
}

static bool entry_is_bad(const struct entry_facts *f)
{
    return (f->status & (BLOCK_FAILED_VALID | BLOCK_FAILED_CHILD)) || (f->status & BLOCK_VALID_MASK) < BLOCK_VALID_TREE;
}

static bool needs_witness(struct sync *s, const struct block_entry *e)
{
    return deployment_active_after(s->o.params, e->node.prev, DEPLOYMENT_SEGWIT);
}

static void put_item(struct peer *p, const struct block_entry *e, struct writer *items, size_t *n)
{
    write_u32(items, peer_serves_witness(p) ? INV_WITNESS_BLOCK : INV_BLOCK);
    write_bytes(items, e->node.hash.b, 32);
    (*n)++;
}

void download_direct(struct sync *s, struct peer *p, const struct block_entry *last)
{
    const struct block_entry *want[BLOCKS_IN_FLIGHT + 1], *e = last;
    struct entry_facts facts;
    struct inv items[BLOCKS_IN_FLIGHT];
    struct writer w = WRITER_INIT;
    size_t n = 0, n_items = 0;

    chain_facts(s->o.chain, last, &facts);
    if (!download_may_fetch_directly(s) || entry_is_bad(&facts) ||
        u256_cmp(chain_tip(s->o.chain)->node.chain_work, last->node.chain_work) > 0)
        return;
    for (; e && !chain_contains(s->o.chain, e) && n < ARRAY_LEN(want); e = e->node.prev ? entry_prev(e) : NULL) {
        struct flight *f = flight_find(s, &e->node.hash);
        if (!have_data(s, e, &facts) && !(f && f->n_asked) && !block_hash_equal(&e->node.hash, &p->spoiled) &&
            (peer_serves_witness(p) || !needs_witness(s, e)))
            want[n++] = e;
    }
    if (!e || !chain_contains(s->o.chain, e)) {
        log_debug(LOG_NET, "Large reorg, won't direct fetch to %s (%d)", block_hash_hex(&last->node.hash).s, last->node.height);
        return;
    }
    while (n && p->n_in_flight < BLOCKS_IN_FLIGHT) {
        e = want[--n];
        items[n_items].type = peer_serves_witness(p) ? INV_WITNESS_BLOCK : INV_BLOCK;
        memcpy(items[n_items++].hash, e->node.hash.b, 32);
        download_request(s, p, e);
        log_debug(LOG_NET, "Requesting block %s from peer=%" PRId64, block_hash_hex(&e->node.hash).s, p->id);
    }
    if (n_items > 1)
        log_debug(LOG_NET, "Downloading blocks toward %s (%d) via headers direct fetch", block_hash_hex(&last->node.hash).s,
                  last->node.height);
    if (n_items == 1 && compact_wanted(s, p, last))
        items[0].type = INV_CMPCT_BLOCK;
    if (n_items) {
        msg_inv_encode(&w, items, n_items);
        peer_send_writer(s, p, "getdata", &w);
    }
}

/* Moves the peer's last common block to where its chain and ours part, never back. Returns: false if it has nothing for us. */
static bool find_common(struct sync *s, struct peer *p)
{
    const struct block_entry *tip = chain_tip(s->o.chain), *fork;

    const struct block_entry *history, *base;

    headers_resolve_unknown(s, p);
    if (!p->best_known || u256_cmp(p->best_known->node.chain_work, tip->node.chain_work) < 0 ||
        u256_cmp(p->best_known->node.chain_work, s->o.min_chain_work) < 0)
        return false;
    /* Behind a snapshot there is no way to a chain without its block until history is validated. */
    if (chain_history(s->o.chain, &history, &base) &&
        header_node_ancestor(&p->best_known->node, base->node.height) != &base->node) {
        log_debug(LOG_NET, "Not downloading blocks from peer=%" PRId64 ", which doesn't have the snapshot block in its best chain.",
                  p->id);
        return false;
    }
    fork = entry_of(header_node_fork(&p->best_known->node, &tip->node));
    if (!p->last_common || u256_cmp(fork->node.chain_work, p->last_common->node.chain_work) > 0 ||
        header_node_ancestor(&p->best_known->node, p->last_common->node.height) != &p->last_common->node)
        p->last_common = fork;
    return p->last_common != p->best_known;
}

/* One step of the walk through the window. */
enum walk { WALK_ON, WALK_END };
struct window {
    const struct block_entry *want[MAX_BLOCKS_IN_FLIGHT];
    const struct block_entry *late[MAX_BLOCKS_IN_FLIGHT]; /* asked of others who do not deliver */
    size_t n, n_late, room;
    int32_t end;         /* last height of the window */
    peer_id waiting_for; /* who holds the first block in flight, -1 */
    peer_id staller;     /* who keeps the window from moving, -1 */
};

/* Has the only peer that was asked for it kept us waiting, and not we him? */
static bool is_late(struct sync *s, const struct peer *p, const struct flight *f)
{
    const struct asked *a = &f->asked[0];
    const struct peer *q = sync_peer(s, a->peer);
    int64_t now = time_now_us();

    if (f->n_asked != 1 || f->processing || a->partial || !q || q == p || q->held || s->o.host.busy(s->o.host.ctx))
        return false;
    if (!q->deliveries)
        return now - a->since > LATE_AT_FIRST;
    return now - (a->since > q->last_delivery ? a->since : q->last_delivery) > LATE || now - a->since > VERY_LATE;
}

static enum walk window_step(struct sync *s, struct peer *p, struct window *w, const struct block_entry *e)
{
    struct entry_facts facts;
    struct flight *f;

    bool have = have_data(s, e, &facts);
    if (entry_is_bad(&facts) || (!peer_serves_witness(p) && needs_witness(s, e)))
        return WALK_END;
    if (have || facts.active) {
        if (facts.chain_tx)
            p->last_common = e;
        return WALK_ON;
    }
    f = flight_find(s, &e->node.hash);
    if (f && f->n_asked) {
        if (w->waiting_for < 0)
            w->waiting_for = f->asked[0].peer;
        if (w->n_late < w->room && is_late(s, p, f))
            w->late[w->n_late++] = e;
        return WALK_ON;
    }
    if (e->node.height > w->end) {
        if (w->n == 0 && w->waiting_for != p->id)
            w->staller = w->waiting_for;
        return WALK_END;
    }
    if (peer_is_limited(p) && p->best_known->node.height - e->node.height >= 288 - 2)
        return WALK_ON;
    w->want[w->n++] = e;
    return w->n == w->room ? WALK_END : WALK_ON;
}

/* Which blocks to ask of p next: the first ones of its chain in the window that nobody was asked for. */
static void window_walk(struct sync *s, struct peer *p, struct window *w)
{
    const struct header_node *batch[128], *walk;
    int32_t max;

    if (!find_common(s, p))
        return;
    walk = &p->last_common->node;
    w->end = walk->height + DOWNLOAD_WINDOW;
    max = p->best_known->node.height < w->end + 1 ? p->best_known->node.height : w->end + 1;
    while (walk->height < max) {
        int32_t n = max - walk->height < 128 ? max - walk->height : 128;
        walk = header_node_ancestor(&p->best_known->node, walk->height + n);
        batch[n - 1] = walk;
        for (int32_t i = n - 1; i > 0; i--)
            batch[i - 1] = batch[i]->prev;
        for (int32_t i = 0; i < n; i++)
            if (window_step(s, p, w, entry_of(batch[i])) == WALK_END)
                return;
    }
}

static enum walk history_step(struct sync *s, struct peer *p, struct window *w, const struct block_entry *e)
{
    struct flight *f = flight_find(s, &e->node.hash);
    struct entry_facts facts;

    if (!peer_serves_witness(p) && needs_witness(s, e))
        return WALK_END;
    if (!have_data(s, e, &facts) && !(f && f->n_asked))
        w->want[w->n++] = e;
    return w->n == w->room ? WALK_END : WALK_ON;
}

/* Blocks of the history behind a snapshot, after those of the tip: a window of them, from where its validation stands. */
static void history_walk(struct sync *s, struct peer *p, struct window *w)
{
    const struct block_entry *tip, *base;
    const struct header_node *batch[128], *walk;
    int32_t end;

    if (w->n == w->room || peer_is_limited(p) || !chain_history(s->o.chain, &tip, &base) || !p->best_known ||
        header_node_ancestor(&p->best_known->node, base->node.height) != &base->node)
        return;
    walk = header_node_fork(&tip->node, &base->node);
    end = walk->height + DOWNLOAD_WINDOW < base->node.height ? walk->height + DOWNLOAD_WINDOW : base->node.height;
    while (walk->height < end) {
        int32_t n = end - walk->height < 128 ? end - walk->height : 128;
        walk = header_node_ancestor(&base->node, walk->height + n);
        batch[n - 1] = walk;
        for (int32_t i = n - 1; i > 0; i--)
            batch[i - 1] = batch[i]->prev;
        for (int32_t i = 0; i < n; i++)
            if (history_step(s, p, w, entry_of(batch[i])) == WALK_END)
                return;
    }
}

/* The window cannot move because of one peer's block: its clock starts, unless it is we who do not read from it. */
static void blame(struct sync *s, peer_id id)
{
    struct peer *p = sync_peer(s, id);

    if (!p || p->stalling_since || p->held || s->o.host.busy(s->o.host.ctx))
        return;
    p->stalling_since = time_now_us();
    log_debug(LOG_NET, "Stall started peer=%" PRId64, id);
}

void download_progress(struct sync *s, int32_t blocks)
{
    while (blocks-- > 0 && s->stall_timeout > STALL_TIMEOUT_MIN) {
        s->stall_timeout = s->stall_timeout * 85 / 100 / US * US; /* whole seconds, as Core counts them */
        if (s->stall_timeout < STALL_TIMEOUT_MIN)
            s->stall_timeout = STALL_TIMEOUT_MIN;
        log_debug(LOG_NET, "Decreased stalling timeout to %d seconds", (int)(s->stall_timeout / US));
    }
}

/* Is p free but for blocks that others were asked for before? */
static bool has_only_extras(const struct peer *p)
{
    for (size_t i = 0; i < p->n_in_flight; i++)
        if (p->in_flight[i]->asked[0].peer == p->id)
            return false;
    return true;
}

static void ask(struct sync *s, struct peer *p, const struct block_entry *e, struct writer *getdata, size_t *n_getdata)
{
    if (!download_request(s, p, e))
        return;
    put_item(p, e, getdata, n_getdata);
    log_debug(LOG_NET, "Requesting block %s (%d) peer=%" PRId64, block_hash_hex(&e->node.hash).s, e->node.height, p->id);
}

void download_flush(struct sync *s, struct peer *p, bool may_sync, struct writer *getdata, size_t *n_getdata)
{
    struct window w = {.waiting_for = -1, .staller = -1};
    unsigned limit = flight_limit(p);

    if (!peer_serves_blocks(p) || p->n_in_flight >= limit)
        return;
    if (chain_initial_download(s->o.chain)) {
        if (!may_sync || peer_is_limited(p))
            return;
    } else if (s->headers_jobs) {
        return; /* whoever sent the headers that are being judged is asked first (download_direct) */
    }
    w.room = limit - p->n_in_flight;
    window_walk(s, p, &w);
    history_walk(s, p, &w);
    /* What others keep us waiting for comes first, from those who have shown that they deliver. */
    if (w.n == 0 || p->deliveries)
        for (size_t i = 0; !p->overtaken && i < w.n_late; i++)
            ask(s, p, w.late[i], getdata, n_getdata);
    for (size_t i = 0; i < w.n && p->n_in_flight < limit; i++)
        ask(s, p, w.want[i], getdata, n_getdata);
    if (w.staller >= 0 && has_only_extras(p))
        blame(s, w.staller);
}

void download_check_stall(struct sync *s, struct peer *p)
{
    int64_t now = time_now_us(), limit;

    if (p->stalling_since && p->held)
        p->stalling_since = 0; /* its blocks wait on our side */
    if (p->stalling_since && p->stalling_since < now - s->stall_timeout) {
        log_info("Peer is stalling block download, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        if (s->stall_timeout < STALL_TIMEOUT_MAX) {
            s->stall_timeout = s->stall_timeout * 2 < STALL_TIMEOUT_MAX ? s->stall_timeout * 2 : STALL_TIMEOUT_MAX;
            log_debug(LOG_NET, "Increased stalling timeout temporarily to %d seconds", (int)(s->stall_timeout / US));
        }
        return;
    }
    if (!p->n_in_flight)
        return;
    if (p->overtaken >= MAX_OVERTAKEN && p->last_delivery < now - STALL_TIMEOUT_MAX) {
        log_info("Peer is stalling block download, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        return;
    }
    limit = s->o.params->pow_spacing * US + s->o.params->pow_spacing * US / 2 * (int64_t)(s->n_downloading - 1);
    if (now > p->downloading_since + limit) {
        log_info("Timeout downloading block %s, " DISCONNECT_FMT, block_hash_hex(&p->in_flight[0]->hash).s, p->id);
        peer_disconnect(s, p);
    }
}
