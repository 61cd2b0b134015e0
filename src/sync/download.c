/* download.c - blocks: which to ask of whom (a window of 1,024 shared by all peers, 16 in flight at each), what arrives, and who is too slow.
 *
 * A block that has arrived is "processing" until validation answers; it counts as present meanwhile, so that nobody is asked for it again. */
#include <string.h>

#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "sync/internal.h"
#include "util/mem.h"

#define MAX_SOURCES 4096
#define LEAST_TX_ON_WIRE 10 /* bytes: no inputs, no outputs */
#define LEAST_VALID_TX 60   /* bytes: one input, one output, no scripts */
#define MAX_BLOCK_TXS (MAX_BLOCK_WEIGHT / WITNESS_SCALE_FACTOR / LEAST_VALID_TX)

/* Who sent a block that is not fully judged yet. */
struct block_source {
    struct block_hash hash;
    peer_id peer;
    UT_hash_handle hh;
};

static struct block_source *source_find(struct sync *s, const struct block_hash *hash)
{
    struct block_source *b;
    HASH_FIND(hh, s->sources, hash, sizeof(*hash), b);
    return b;
}

static void source_drop(struct sync *s, struct block_source *b)
{
    HASH_DEL(s->sources, b);
    free(b);
}

/* The first sender counts. */
static void source_add(struct sync *s, const struct block_hash *hash, peer_id peer)
{
    struct block_source *b;

    if (source_find(s, hash))
        return;
    if (HASH_COUNT(s->sources) >= MAX_SOURCES)
        source_drop(s, s->sources);
    b = xcalloc(1, sizeof(*b));
    b->hash = *hash;
    b->peer = peer;
    HASH_ADD(hh, s->sources, hash, sizeof(b->hash), b);
}

static struct flight *flight_find(struct sync *s, const struct block_hash *hash)
{
    struct flight *f;
    HASH_FIND(hh, s->flights, hash, sizeof(*hash), f);
    return f;
}

static struct flight *flight_get(struct sync *s, const struct block_hash *hash)
{
    struct flight *f = flight_find(s, hash);
    if (f)
        return f;
    f = xcalloc(1, sizeof(*f));
    f->hash = *hash;
    f->peer = -1;
    HASH_ADD(hh, s->flights, hash, sizeof(f->hash), f);
    return f;
}

static void flight_drop_if_idle(struct sync *s, struct flight *f)
{
    if (f->peer >= 0 || f->processing)
        return;
    HASH_DEL(s->flights, f);
    free(f);
}

/* Takes the request from whoever has it. */
static void unrequest(struct sync *s, struct flight *f)
{
    struct peer *p = f->peer >= 0 ? sync_peer(s, f->peer) : NULL;

    if (f->peer < 0)
        return;
    f->peer = -1;
    s->n_requested_blocks--;
    if (!p)
        return;
    for (size_t i = 0; i < p->n_in_flight; i++) {
        if (p->in_flight[i] != f)
            continue;
        if (i == 0 && p->downloading_since < time_now_us())
            p->downloading_since = time_now_us(); /* the next one's time starts now */
        memmove(p->in_flight + i, p->in_flight + i + 1, (p->n_in_flight - i - 1) * sizeof(*p->in_flight));
        p->n_in_flight--;
        break;
    }
    if (p->n_in_flight == 0)
        s->n_downloading--;
    p->stalling_since = 0;
}

void download_forget(struct sync *s, const struct block_hash *hash, const struct peer *from)
{
    struct flight *f = flight_find(s, hash);
    if (!f || (from && f->peer != from->id))
        return;
    unrequest(s, f);
    flight_drop_if_idle(s, f);
}

void download_forget_peer(struct sync *s, struct peer *p)
{
    while (p->n_in_flight) {
        struct flight *f = p->in_flight[p->n_in_flight - 1];
        unrequest(s, f);
        flight_drop_if_idle(s, f);
    }
}

void download_clear(struct sync *s)
{
    while (s->flights) {
        struct flight *f = s->flights;
        HASH_DEL(s->flights, f);
        free(f);
    }
    while (s->sources)
        source_drop(s, s->sources);
}

bool download_request(struct sync *s, struct peer *p, const struct block_entry *e)
{
    struct flight *f = flight_get(s, &e->node.hash);

    f->entry = e;
    if (f->peer == p->id)
        return false;
    unrequest(s, f);
    f->peer = p->id;
    s->n_requested_blocks++;
    if (p->n_in_flight == p->cap_in_flight) {
        p->cap_in_flight = p->cap_in_flight ? p->cap_in_flight * 2 : BLOCKS_IN_FLIGHT;
        p->in_flight = xrealloc(p->in_flight, p->cap_in_flight * sizeof(*p->in_flight));
    }
    p->in_flight[p->n_in_flight++] = f;
    if (p->n_in_flight == 1) {
        p->downloading_since = time_now_us();
        s->n_downloading++;
    }
    return true;
}

bool download_known(struct sync *s, const struct block_hash *hash)
{
    return flight_find(s, hash) != NULL;
}

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
        if (!have_data(s, e, &facts) && !(f && f->peer >= 0) && (peer_serves_witness(p) || !needs_witness(s, e)))
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
    if (n_items) {
        msg_inv_encode(&w, items, n_items);
        peer_send_writer(s, p, "getdata", &w);
    }
}

/* Moves the peer's last common block to where its chain and ours part, never back. Returns: false if it has nothing for us. */
static bool find_common(struct sync *s, struct peer *p)
{
    const struct block_entry *tip = chain_tip(s->o.chain), *fork;

    headers_resolve_unknown(s, p);
    if (!p->best_known || u256_cmp(p->best_known->node.chain_work, tip->node.chain_work) < 0 ||
        u256_cmp(p->best_known->node.chain_work, s->o.min_chain_work) < 0)
        return false;
    fork = entry_of(header_node_fork(&p->best_known->node, &tip->node));
    if (!p->last_common || u256_cmp(fork->node.chain_work, p->last_common->node.chain_work) > 0 ||
        header_node_ancestor(&p->best_known->node, p->last_common->node.height) != &p->last_common->node)
        p->last_common = fork;
    return p->last_common != p->best_known;
}

/* One step of the walk through the window. */
enum walk { WALK_ON, WALK_END };
struct window {
    const struct block_entry *want[BLOCKS_IN_FLIGHT];
    size_t n, room;
    int32_t end;         /* last height of the window */
    peer_id waiting_for; /* who holds the first block in flight, -1 */
    peer_id staller;     /* who keeps the window from moving, -1 */
};

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
    if (f && f->peer >= 0) {
        if (w->waiting_for < 0)
            w->waiting_for = f->peer;
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

void download_flush(struct sync *s, struct peer *p, bool may_sync, struct writer *getdata, size_t *n_getdata)
{
    struct window w = {.waiting_for = -1, .staller = -1};

    if (!peer_serves_blocks(p) || p->n_in_flight >= BLOCKS_IN_FLIGHT)
        return;
    if (chain_initial_download(s->o.chain)) {
        if (!may_sync || peer_is_limited(p))
            return;
    } else if (s->headers_jobs) {
        return; /* whoever sent the headers that are being judged is asked first (download_direct) */
    }
    w.room = BLOCKS_IN_FLIGHT - p->n_in_flight;
    window_walk(s, p, &w);
    for (size_t i = 0; i < w.n; i++) {
        put_item(p, w.want[i], getdata, n_getdata);
        download_request(s, p, w.want[i]);
        log_debug(LOG_NET, "Requesting block %s (%d) peer=%" PRId64, block_hash_hex(&w.want[i]->node.hash).s,
                  w.want[i]->node.height, p->id);
    }
    if (p->n_in_flight == 0 && w.staller >= 0)
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
    limit = s->o.params->pow_spacing * US + s->o.params->pow_spacing * US / 2 * (int64_t)(s->n_downloading - 1);
    if (now > p->downloading_since + limit) {
        log_info("Timeout downloading block %s, " DISCONNECT_FMT, block_hash_hex(&p->in_flight[0]->hash).s, p->id);
        peer_disconnect(s, p);
    }
}

const char *sync_fetch_block(struct sync *s, peer_id peer, const struct block_entry *e)
{
    struct peer *p = sync_peer(s, peer);
    struct inv item = {.type = INV_WITNESS_BLOCK};
    struct writer w = WRITER_INIT;

    if (chain_reindexing(s->o.chain))
        return "Loading blocks ...";
    if (!p)
        return "Peer does not exist";
    if (!peer_serves_witness(p))
        return "Pre-SegWit peer";
    download_forget(s, &e->node.hash, NULL);
    if (!download_request(s, p, e))
        return "Already requested from this peer";
    memcpy(item.hash, e->node.hash.b, 32);
    msg_inv_encode(&w, &item, 1);
    peer_send_writer(s, p, "getdata", &w);
    log_debug(LOG_NET, "Requesting block %s from peer=%" PRId64, block_hash_hex(&e->node.hash).s, p->id);
    return NULL;
}

static bool mutated(const struct verdict *why, struct verdict *v)
{
    char text[VERDICT_STRING_SIZE];
    log_debug(LOG_VALIDATION, "Block mutated: %s", verdict_string(why, text));
    return verdict_invalid(v, BLOCK_MUTATED, "mutated block", NULL);
}

bool sync_block_precheck(struct chain *chain, const struct u256 *min_chain_work, const struct block *b, struct block_precheck *pre,
                         bool *min_pow_checked, struct verdict *v)
{
    const struct block_entry *prev = chain_lookup(chain, &b->header.prev);
    struct u256 work;

    *min_pow_checked = false;
    verdict_init(v);
    if (!prev)
        return true;
    if (pre->verdict.kind == VERDICT_VALID && !pre->context_done)
        chain_precheck(chain, b, pre);
    if (pre->verdict.code == BLOCK_MUTATED)
        return mutated(&pre->verdict, v);
    if (pre->context_done && pre->context.code == BLOCK_MUTATED)
        return mutated(&pre->context, v);
    work = u256_add(prev->node.chain_work, work_from_bits(b->header.bits));
    *min_pow_checked = u256_cmp(work, headers_work_threshold(chain, min_chain_work)) >= 0;
    return true;
}

/* Why a block does not decode, in Core's words: its bytes end early, or the number of its transactions is written too long. */
static const char *why_malformed(const struct message *m)
{
    struct reader r = reader_make(m->payload, m->len);

    read_bytes(&r, BLOCK_HEADER_SIZE);
    if (!r.failed && reader_left(&r) >= 9) {
        read_compact_u64(&r);
        if (r.failed)
            return "non-canonical ReadCompactSize()";
    }
    return "DataStream::read(): end of data";
}

/* More transactions than fit into any valid block, though not more than the bytes could hold: decoding hundreds of thousands of them, each of
 * ten bytes, would hold up everybody else. Out: *hash. */
static bool too_many_txs(struct block_hash *hash, const struct message *m)
{
    struct reader r = reader_make(m->payload, m->len);
    const uint8_t *header = read_bytes(&r, BLOCK_HEADER_SIZE);
    uint64_t n = read_compact_size(&r);

    if (r.failed || n <= MAX_BLOCK_TXS || n > reader_left(&r) / LEAST_TX_ON_WIRE)
        return false;
    sha256d(hash->b, header, BLOCK_HEADER_SIZE);
    return true;
}

void on_block(struct sync *s, struct peer *p, const struct message *m)
{
    struct block_hash hash;
    struct block *b;
    struct flight *f;
    bool requested;

    if (chain_reindexing(s->o.chain)) {
        log_debug(LOG_NET, "Unexpected block message received from peer %" PRId64, p->id);
        return;
    }
    if (too_many_txs(&hash, m)) {
        download_forget(s, &hash, p);
        peer_misbehaving(p, "bad-blk-length, size limits failed");
        return;
    }
    b = block_decode_front(xmemdup(m->payload, m->len), m->len); /* as Core, whatever follows */
    if (!b) {
        peer_malformed(p, m, why_malformed(m));
        return;
    }
    log_debug(LOG_NET, "received block %s peer=%" PRId64, block_hash_hex(&b->hash).s, p->id);
    f = flight_get(s, &b->hash);
    requested = f->peer >= 0;
    f->processing++;
    if (f->peer == p->id)
        unrequest(s, f);
    source_add(s, &b->hash, p->id);
    job_begin(p, JOB_BLOCK);
    s->o.host.submit_block(s->o.host.ctx, p->id, b, requested);
}

/* The queue has room again: messages that wait for that go on. */
static void release_waiting(struct sync *s, const struct peer *but)
{
    struct peer *p, *tmp;
    HASH_ITER (hh, s->peers, p, tmp)
        if (p != but && p->held)
            peer_advance(s, p);
}

void sync_block_checked(struct sync *s, const struct block_hash *hash, const struct verdict *v)
{
    struct block_source *b = source_find(s, hash);
    struct peer *p = b ? sync_peer(s, b->peer) : NULL;
    char text[VERDICT_STRING_SIZE];

    if (!b || v->code == BLOCK_MUTATED)
        return; /* a mutated copy: see mutated_copy */
    source_drop(s, b);
    if (!p || p->closing || v->kind != VERDICT_INVALID || v->code == BLOCK_HEADER_LOW_WORK)
        return;
    peer_punish(s, p, v, verdict_string(v, text));
    peer_flush(s, p);
}

/* The hash says nothing about this copy: who sent another one, or is asked for one, is not to blame. p: the sender, NULL if gone. */
static void mutated_copy(struct sync *s, struct peer *p, peer_id sender, const struct block_hash *hash, const struct verdict *v)
{
    struct block_source *b = source_find(s, hash);
    char text[VERDICT_STRING_SIZE];

    if (b && b->peer == sender)
        source_drop(s, b);
    if (p && !p->closing)
        peer_punish(s, p, v, verdict_string(v, text));
}

void sync_block_done(struct sync *s, peer_id peer, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    struct peer *p = sync_peer(s, peer);
    struct flight *f = flight_find(s, hash);

    if (f && f->processing)
        f->processing--;
    if (f && is_new)
        unrequest(s, f); /* whoever else was asked for it */
    if (f)
        flight_drop_if_idle(s, f);
    job_end(p);
    if (v->kind == VERDICT_INVALID && v->code == BLOCK_MUTATED)
        mutated_copy(s, p, peer, hash, v);
    else if (v->kind == VERDICT_INVALID)
        sync_block_checked(s, hash, v); /* unless that was told before */
    else if (!is_new && source_find(s, hash))
        source_drop(s, source_find(s, hash));
    if (p && !p->closing) {
        if (is_new)
            p->last_block = time_now();
        if (v->kind == VERDICT_INVALID && v->code == BLOCK_MUTATED)
            log_debug(LOG_NET, "Received mutated block from peer=%" PRId64, p->id);
        peer_advance(s, p);
    }
    release_waiting(s, p);
}
