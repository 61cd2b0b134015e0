/* headers.c - headers first: asking for them, accepting what peers send or announce (BIP130), and what each peer is known to have.
 *
 * Headers go to validation only when they connect to the tree and their chain has enough work (else presync.c looks through it first), so that
 * nobody can fill our memory with cheap headers. */
#include <string.h>

#include "sync/internal.h"

#define TIMEOUT_BASE (15 * 60 * US)
#define TIMEOUT_PER_HEADER 1000 /* us */
#define DAY 86400
#define PATIENCE 5 /* s without an accepted header before one more peer is asked; twice as long before the next */
#define HOPE 3     /* s that a peer is waited for that was asked or has brought something; inbound ones: PATIENCE */

struct u256 headers_work_threshold(struct chain *chain, const struct u256 *min_chain_work)
{
    const struct block_entry *tip = chain_tip(chain);
    struct u256 buffer = u256_mul_u64(work_from_bits(tip->node.bits), 144), work = tip->node.chain_work;

    work = u256_cmp(buffer, work) >= 0 ? u256_from_u64(0) : u256_sub(work, buffer);
    return u256_cmp(work, *min_chain_work) > 0 ? work : *min_chain_work;
}

bool peer_has_header(const struct peer *p, const struct block_entry *e)
{
    const struct header_node *n = &e->node;
    return (p->best_known && header_node_ancestor(&p->best_known->node, n->height) == n) ||
           (p->best_sent && header_node_ancestor(&p->best_sent->node, n->height) == n);
}

static void known_entry(struct peer *p, const struct block_entry *e)
{
    if (!p->best_known || u256_cmp(e->node.chain_work, p->best_known->node.chain_work) >= 0)
        p->best_known = e;
}

void headers_resolve_unknown(struct sync *s, struct peer *p)
{
    const struct block_entry *e;

    if (hash_is_zero(p->last_unknown.b))
        return;
    e = chain_lookup(s->o.chain, &p->last_unknown);
    if (!e)
        return;
    known_entry(p, e);
    memset(&p->last_unknown, 0, sizeof(p->last_unknown));
}

void headers_update_known(struct sync *s, struct peer *p, const struct block_hash *hash)
{
    const struct block_entry *e = chain_lookup(s->o.chain, hash);

    headers_resolve_unknown(s, p);
    if (e)
        known_entry(p, e);
    else
        p->last_unknown = *hash;
}

bool headers_request(struct sync *s, struct peer *p, const struct block_entry *e)
{
    struct block_hash hashes[64], stop = {{0}};
    struct writer w = WRITER_INIT;
    int64_t now = time_now();

    if (now - p->last_getheaders <= HEADERS_RESPONSE_TIME)
        return false;
    msg_locator_encode(&w, hashes, chain_locator(s->o.chain, e, hashes), &stop);
    p->last_getheaders = now;
    peer_send_writer(s, p, "getheaders", &w);
    return true;
}

static void bring_hope(struct sync *s, struct peer *p)
{
    p->headers_hope = time_now() + (peer_inbound(p) ? PATIENCE : HOPE);
    if (p->headers_hope > s->headers_hope)
        s->headers_hope = p->headers_hope;
}

void headers_no_hope(struct sync *s, struct peer *p)
{
    if (p->headers_hope == 0 || (peer_inbound(p) && !p->closing))
        return; /* whoever comes to us can say so as often as he likes: the others' turn comes in time */
    p->headers_hope = s->headers_hope = 0;
    for (const struct peer *q = s->peers; q; q = q->hh.next)
        if (q->headers_hope > s->headers_hope)
            s->headers_hope = q->headers_hope;
}

/* May headers be asked of one more peer? At first there is one, since all would send the same. Others follow when we know a chain with enough
 * work, to learn who has it; when those that were asked are silent or have no more; and when nothing that counts has come for a while: a peer that
 * has endless headers without work does not hold up the rest. */
static bool another_may_start(const struct sync *s, const struct block_entry *best, int64_t now)
{
    if (s->n_sync_started == 0 || s->headers_complete || (int64_t)best->node.time > now - DAY)
        return true;
    if (now >= s->headers_hope)
        return true;
    return now - s->headers_progress >= (int64_t)PATIENCE << (s->n_sync_started - 1 < 16 ? s->n_sync_started - 1 : 16);
}

/* The first time a peer's turn comes: ask from the block before our best header, so that the answer is not empty. */
void headers_flush(struct sync *s, struct peer *p, bool may_sync)
{
    const struct block_entry *best, *start;
    int64_t now = time_now();

    if (p->sync_started || !peer_serves_blocks(p) || chain_reindexing(s->o.chain))
        return;
    best = chain_best_header(s->o.chain);
    if (!another_may_start(s, best, now) || (!may_sync && (int64_t)best->node.time <= now - DAY))
        return;
    start = best->node.prev ? entry_prev(best) : best;
    if (!headers_request(s, p, start))
        return;
    log_debug(LOG_NET, "initial getheaders (%d) to peer=%" PRId64, start->node.height, p->id);
    p->sync_started = true;
    s->n_sync_started++;
    s->headers_progress = now;
    bring_hope(s, p);
    p->headers_timeout =
        now * US + TIMEOUT_BASE + TIMEOUT_PER_HEADER * ((now - (int64_t)best->node.time) / s->o.params->pow_spacing);
}

void headers_check_timeout(struct sync *s, struct peer *p)
{
    int64_t now = time_now();

    if (!p->sync_started || p->headers_timeout == INT64_MAX)
        return;
    if ((int64_t)chain_best_header(s->o.chain)->node.time > now - DAY) {
        p->headers_timeout = INT64_MAX; /* caught up once */
        return;
    }
    if (now * US <= p->headers_timeout || s->n_sync_started != 1 || s->n_preferred - p->preferred < 1)
        return;
    if (!peer_has(p, PERM_NOBAN)) {
        log_info("Timeout downloading headers, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        return;
    }
    log_info("Timeout downloading headers from noban peer, not " DISCONNECT_FMT, p->id);
    p->sync_started = false;
    s->n_sync_started--;
    p->headers_timeout = 0;
}

void peer_punish(struct sync *s, struct peer *p, const struct verdict *v, bool compact, const char *message)
{
    (void)s;
    switch (v->code) {
    case BLOCK_CACHED_INVALID:
        if (compact || peer_inbound(p))
            break;
        peer_misbehaving(p, "%s", message);
        return;
    case BLOCK_CONSENSUS:
    case BLOCK_MUTATED:
        if (compact)
            break;
        peer_misbehaving(p, "%s", message);
        return;
    case BLOCK_INVALID_HEADER:
    case BLOCK_INVALID_PREV:
    case BLOCK_MISSING_PREV:
        peer_misbehaving(p, "%s", message);
        return;
    default:
        break;
    }
    log_debug(LOG_NET, "peer=%" PRId64 ": %s", p->id, message);
}

/* Proof of work of each header and that each follows the one before. Out: hashes (n of them). */
static bool check_headers(struct sync *s, struct peer *p, struct block_hash *hashes, const struct block_header *h, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        block_header_hash(&hashes[i], &h[i]);
        if (!check_proof_of_work(s->o.params, &hashes[i], h[i].bits)) {
            peer_misbehaving(p, "header with invalid proof of work");
            return false;
        }
    }
    for (size_t i = 1; i < n; i++) {
        if (!block_hash_equal(&h[i].prev, &hashes[i - 1])) {
            peer_misbehaving(p, "non-continuous headers sequence");
            return false;
        }
    }
    return true;
}

/* Headers that connect to nothing we know: perhaps an announcement after blocks that we missed. */
static void unconnecting(struct sync *s, struct peer *p, const struct block_header *h, const struct block_hash *hashes, size_t n)
{
    const struct block_entry *best = chain_best_header(s->o.chain);

    if (headers_request(s, p, best))
        log_debug(LOG_NET, "received header %s: missing prev block %s, sending getheaders (%d) to end (peer=%" PRId64 ")",
                  block_hash_hex(&hashes[0]).s, block_hash_hex(&h[0].prev).s, best->node.height, p->id);
    headers_update_known(s, p, &hashes[n - 1]);
}

static bool on_best_branch(struct sync *s, const struct block_entry *e)
{
    const struct block_entry *best = chain_best_header(s->o.chain);
    return header_node_ancestor(&best->node, e->node.height) == &e->node || chain_contains(s->o.chain, e);
}

void headers_submit(struct sync *s, struct peer *p, struct block_header *headers_take, size_t n, bool fresh)
{
    p->headers_job.n = n;
    p->headers_job.fresh = fresh;
    p->headers_job.compact = false;
    job_begin(p, JOB_HEADERS);
    s->headers_jobs++;
    s->o.host.submit_headers(s->o.host.ctx, p->id, headers_take, n, true);
}

/* Is the work behind these headers too little to keep them? Then presync looks at them, if there may be more. */
static bool low_work(struct sync *s, struct peer *p, const struct block_entry *start, const struct block_header *h,
                     const struct block_hash *hashes, size_t n)
{
    struct u256 work = start->node.chain_work;
    struct u256 threshold = headers_work_threshold(s->o.chain, &s->o.min_chain_work);
    struct block_header *release;
    size_t n_release;

    for (size_t i = 0; i < n; i++)
        work = u256_add(work, work_from_bits(h[i].bits));
    if (u256_cmp(work, threshold) >= 0)
        return false;
    if (n == MAX_HEADERS_ITEMS) {
        presync_start(s, p, start);
        if (presync_headers(s, p, h, hashes, n, &release, &n_release))
            bring_hope(s, p);
    } else {
        headers_no_hope(s, p);
        log_debug(LOG_NET, "Ignoring low-work chain (height=%zu) from peer=%" PRId64, (size_t)start->node.height + n, p->id);
    }
    return true;
}

/* Headers that belong to the presync under way. Returns: true if they were dealt with. */
static bool continue_presync(struct sync *s, struct peer *p, const struct block_header *h, const struct block_hash *hashes,
                             size_t n)
{
    struct block_header *release;
    size_t n_release;
    bool ok;

    if (!p->presync)
        return false;
    ok = presync_headers(s, p, h, hashes, n, &release, &n_release);
    if (p->presync || n_release)
        bring_hope(s, p);
    else
        headers_no_hope(s, p);
    if (!ok)
        return false;
    if (n_release) {
        p->headers_job.full = n == MAX_HEADERS_ITEMS && !p->presync;
        headers_submit(s, p, release, n_release, true);
    }
    return true;
}

/* The headers are well-formed. Takes h. */
static void process(struct sync *s, struct peer *p, struct block_header *h, const struct block_hash *hashes, size_t n)
{
    const struct block_entry *start, *last;

    if (continue_presync(s, p, h, hashes, n)) {
        free(h);
        return;
    }
    start = chain_lookup(s->o.chain, &h[0].prev);
    if (!start) {
        unconnecting(s, p, h, hashes, n);
        free(h);
        return;
    }
    p->last_getheaders = 0;
    last = chain_lookup(s->o.chain, &hashes[n - 1]);
    if (!(last && on_best_branch(s, last)) && !peer_has(p, PERM_NOBAN) && low_work(s, p, start, h, hashes, n)) {
        free(h);
        return;
    }
    p->headers_job.full = n == MAX_HEADERS_ITEMS;
    headers_submit(s, p, h, n, !last);
}

void on_headers(struct sync *s, struct peer *p, const struct message *m)
{
    struct block_header *h;
    struct block_hash *hashes;
    size_t n;

    if (chain_reindexing(s->o.chain)) {
        log_debug(LOG_NET, "Unexpected headers message received from peer %" PRId64, p->id);
        return;
    }
    if (!msg_headers_decode(&h, &n, m->payload, m->len)) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    if (n > MAX_HEADERS_ITEMS) {
        peer_misbehaving(p, "headers message size = %zu", n);
        return;
    }
    if (n == 0) { /* never an announcement: the answer to our request, there is nothing more */
        presync_end(p);
        p->last_getheaders = 0;
        headers_no_hope(s, p);
        free(h);
        return;
    }
    hashes = xmalloc(n * sizeof(*hashes));
    if (check_headers(s, p, hashes, h, n))
        process(s, p, h, hashes, n);
    else
        free(h);
    free(hashes);
}

/* What accepted headers tell about the peer (Core's UpdatePeerStateForReceivedHeaders). */
static void learn(struct sync *s, struct peer *p, const struct block_entry *last, bool may_have_more)
{
    headers_update_known(s, p, &last->node.hash);
    if (chain_initial_download(s->o.chain) && !may_have_more && p->best_known &&
        u256_cmp(p->best_known->node.chain_work, s->o.min_chain_work) < 0 && peer_is_outbound_auto(p)) {
        log_info("outbound peer headers chain has insufficient work, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        return;
    }
    if (p->facts.type == CONN_OUTBOUND_FULL_RELAY && p->best_known && !p->lag_protected && s->n_lag_protected < 4 &&
        u256_cmp(p->best_known->node.chain_work, chain_tip(s->o.chain)->node.chain_work) >= 0) {
        log_debug(LOG_NET, "Protecting outbound peer=%" PRId64 " from eviction", p->id);
        p->lag_protected = true;
        s->n_lag_protected++;
    }
}

void headers_announced(struct sync *s, struct peer *p, const struct block_entry *last)
{
    learn(s, p, last, false);
    if (!p->closing)
        download_direct(s, p, last);
}

void headers_log_new(struct sync *s, const struct peer *p, const struct block_entry *e, bool compact)
{
    struct hash_hex hash = block_hash_hex(&e->node.hash);
    bool early = chain_initial_download(s->o.chain);

    log_event(early ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, early ? LOG_VALIDATION : LOG_NONE,
              LOG_EVENT("header", {"hash", hash.s, 0}, {"height", NULL, e->node.height}, {"peer", NULL, p->id},
                        {"compact", NULL, compact}),
              "Saw new %sheader hash=%s height=%d peer=%" PRId64, compact ? "cmpctblock " : "", hash.s, e->node.height, p->id);
}

static void accepted(struct sync *s, struct peer *p, const struct block_entry *last)
{
    bool full = p->headers_job.full;

    if (p->headers_job.fresh) {
        s->headers_progress = time_now();
        bring_hope(s, p);
    }
    if (!full && !p->presync && last == chain_best_header(s->o.chain) && u256_cmp(last->node.chain_work, s->o.min_chain_work) >= 0)
        s->headers_complete = true;
    if (p->headers_job.fresh)
        headers_log_new(s, p, last, false);
    if (full && !p->presync && headers_request(s, p, last))
        log_debug(LOG_NET, "more getheaders (%d) to end to peer=%" PRId64, last->node.height, p->id);
    if (p->headers_job.fresh)
        upkeep_announced(s, p, last);
    learn(s, p, last, full || p->presync);
    if (!p->closing)
        download_direct(s, p, last);
}

void sync_headers_done(struct sync *s, peer_id peer, const struct block_entry *last, const struct verdict *v, size_t n)
{
    struct peer *p = sync_peer(s, peer);

    (void)n;
    s->headers_jobs--;
    if (!p)
        return;
    job_end(p);
    if (p->closing)
        return;
    if (p->headers_job.compact) {
        compact_header_done(s, p, last, v);
        peer_advance(s, p);
        return;
    }
    if (v->kind == VERDICT_INVALID) {
        if (!peer_inbound(p) && v->code == BLOCK_CACHED_INVALID)
            log_warning("%s (received from peer=%" PRId64
                        "). If this happens with all peers, consider database corruption (that -reindex "
                        "may fix) or a potential consensus incompatibility.",
                        v->debug, p->id);
        presync_end(p);
        peer_punish(s, p, v, false, "invalid header received");
    } else if (v->kind == VERDICT_VALID && last) {
        accepted(s, p, last);
    }
    peer_advance(s, p);
}

void sync_header_tip(struct sync *s, const struct block_entry *best)
{
    struct peer *p, *tmp;

    (void)best;
    HASH_ITER (hh, s->peers, p, tmp)
        headers_resolve_unknown(s, p);
}
