/* compact.c - compact blocks from peers (BIP152): judging an announcement, putting the block together from the mempool, asking for what is missing,
 * from up to three peers at a time; and the choice of those who announce by them. What the rules are and why stands in Bitcoin Core's handling of
 * the same messages, which this follows.
 *
 * The header goes to validation first, like any other; the peer's later messages wait meanwhile. While another copy of the block is being looked
 * at, a compact block waits for the outcome (Core has handled the other one by then). */
#include <string.h>

#include "sync/internal.h"

#define MAX_AHEAD 2 /* blocks beyond the next one whose transactions the mempool may know */
#define MAX_HB_PEERS 3

void compact_peer_free(struct peer *p)
{
    if (p->cmpct)
        msg_cmpctblock_clear(p->cmpct);
    free(p->cmpct);
    p->cmpct = NULL;
    free(p->blocktxn.indexes);
}

static void forget_message(struct peer *p)
{
    msg_cmpctblock_clear(p->cmpct);
    free(p->cmpct);
    p->cmpct = NULL;
}

static void ask_whole(struct sync *s, struct peer *p, const struct block_hash *hash)
{
    struct inv i = {.type = peer_serves_witness(p) ? INV_WITNESS_BLOCK : INV_BLOCK};
    struct writer w = WRITER_INIT;

    memcpy(i.hash, hash->b, 32);
    msg_inv_encode(&w, &i, 1);
    peer_send_writer(s, p, "getdata", &w);
}

static bool segwit_for(struct sync *s, const struct block_header *h)
{
    const struct block_entry *prev = chain_lookup(s->o.chain, &h->prev);
    return prev && deployment_active_after(s->o.params, &prev->node, DEPLOYMENT_SEGWIT);
}

static bool asked_outbound(struct sync *s, const struct flight *f)
{
    for (unsigned i = 0; i < f->n_asked; i++) {
        const struct peer *q = sync_peer(s, f->asked[i].peer);
        if (q && !peer_inbound(q))
            return true;
    }
    return false;
}

/* ---- a block whose parts are complete ---- */

/* Takes the request back and has the block put together. bytes_take: of blocktxn, NULL if nothing was missing. */
static void rebuild(struct sync *s, struct peer *p, struct flight *f, uint8_t *bytes_take, size_t len)
{
    struct asked *a = flight_asked(f, p->id);
    struct sync_block *b = partial_take(
        a->partial, f->entry->node.prev && deployment_active_after(s->o.params, f->entry->node.prev, DEPLOYMENT_SEGWIT));

    b->bytes = bytes_take;
    b->len = len;
    b->wanted = b->counts = true;
    b->first = f->asked[0].peer == p->id;
    flight_delivered(s, p, f);
    flight_unask(s, f, p->id);
    source_add(s, &b->hash, p->id, true);
    block_submit(s, p, b);
}

/* It is asked of others, or p has enough to do; perhaps nothing is missing at all. */
static void try_without_asking(struct sync *s, struct peer *p, const struct msg_cmpctblock *m)
{
    struct partial *partial;
    struct sync_block *b;
    uint16_t *missing;

    if (partial_new(&partial, s, m) != FILL_OK)
        return;
    missing = xmalloc(CMPCT_MAX_TXS * sizeof(*missing));
    if (partial_missing(partial, missing) == 0) {
        b = partial_take(partial, segwit_for(s, &m->header));
        b->counts = true;
        source_add(s, &b->hash, p->id, true);
        block_submit(s, p, b);
    }
    free(missing);
    partial_free(partial);
}

void compact_failed(struct sync *s, struct peer *p, const struct sync_block *b)
{
    const struct block_entry *e = chain_lookup(s->o.chain, &b->hash);
    struct asked *a;

    if (b->outcome == BLOCK_MISMATCH) {
        peer_misbehaving(p, "invalid compact block/non-matching block transactions");
        return;
    }
    if (!b->wanted)
        return;
    if (!b->first || !e) {
        log_debug(LOG_NET,
                  "Peer %" PRId64 " sent us a compact block but it failed to reconstruct, waiting on first download to complete",
                  p->id);
        return;
    }
    /* Short ids may have collided: the whole block is asked for. The spent parts stay, so that the same is not tried again. */
    a = flight_ask(s, p, e);
    if (!a)
        return;
    a->partial = partial_new_spent();
    ask_whole(s, p, &b->hash);
}

/* ---- an announcement ---- */

static void ask_missing(struct sync *s, struct peer *p, const struct block_hash *hash, const uint16_t *indexes, size_t n)
{
    struct writer w = WRITER_INIT;
    msg_getblocktxn_encode(&w, hash, indexes, n);
    peer_send_writer(s, p, "getblocktxn", &w);
}

/* Near the tip, and p may be asked: finds what is missing and asks for it. already: how many were asked before this announcement. */
static void fill(struct sync *s, struct peer *p, const struct block_entry *e, unsigned already, bool first)
{
    const struct msg_cmpctblock *m = p->cmpct;
    struct asked *a = flight_ask(s, p, e);
    struct flight *f = flight_find(s, &m->hash);
    uint16_t *missing;
    size_t n;
    enum fill r;

    if (!a && f)
        a = flight_asked(f, p->id);
    if (!a)
        return; /* it has spoiled this block before */
    if (a->partial) {
        log_debug(LOG_NET, "Peer sent us compact block we were already syncing!");
        return;
    }
    r = partial_new(&a->partial, s, m);
    if (r == FILL_INVALID) {
        download_forget(s, &m->hash, p);
        peer_misbehaving(p, "invalid compact block");
        return;
    }
    if (r == FILL_FAILED) {
        if (first)
            ask_whole(s, p, &m->hash);
        else
            download_forget(s, &m->hash, p);
        return;
    }
    missing = xmalloc(CMPCT_MAX_TXS * sizeof(*missing));
    n = partial_missing(a->partial, missing);
    if (n == 0)
        rebuild(s, p, f, NULL, 0);
    else if (first || (p->hb_to && (!peer_inbound(p) || asked_outbound(s, f) || already < MAX_ASKED - 1)))
        ask_missing(s, p, &m->hash, missing, n); /* the last place is kept for an outbound peer */
    else
        download_forget(s, &m->hash, p);
    free(missing);
}

/* The header of p->cmpct is in the tree as e. */
static void consider(struct sync *s, struct peer *p, const struct block_entry *e)
{
    const struct block_entry *tip = chain_tip(s->o.chain);
    struct flight *f = flight_find(s, &e->node.hash);
    bool requested = flight_asked(f, p->id) != NULL, first;
    unsigned already = f ? f->n_asked : 0;
    struct entry_facts facts;

    chain_facts(s->o.chain, e, &facts);
    if (facts.status & BLOCK_HAVE_DATA)
        return;
    first = already == 0 || f->asked[0].peer == p->id;
    if (!requested && !p->hb_to) {
        log_debug(LOG_CMPCTBLOCK, "peer=%" PRId64 ", not marked as high-bandwidth, sent us an unsolicited compact block!", p->id);
        return;
    }
    if (u256_cmp(e->node.chain_work, tip->node.chain_work) <= 0 || facts.n_tx) { /* we know better, or had it and pruned it */
        if (requested)
            ask_whole(s, p, &e->node.hash);
        return;
    }
    if (!already && !download_may_fetch_directly(s))
        return;
    if (e->node.height > tip->node.height + MAX_AHEAD) { /* the mempool will not help */
        if (requested)
            ask_whole(s, p, &e->node.hash);
        else
            headers_announced(s, p, e);
        return;
    }
    if (requested || (already < MAX_ASKED && p->n_in_flight < BLOCKS_IN_FLIGHT))
        fill(s, p, e, already, first);
    else
        try_without_asking(s, p, p->cmpct);
}

/* Is another copy of it being looked at? */
static bool must_wait(struct sync *s, const struct block_hash *hash)
{
    const struct block_entry *e = chain_lookup(s->o.chain, hash);
    struct flight *f = flight_find(s, hash);
    struct entry_facts facts;

    if (!e || !f || !f->processing)
        return false;
    chain_facts(s->o.chain, e, &facts);
    return !(facts.status & BLOCK_HAVE_DATA);
}

static void consider_or_wait(struct sync *s, struct peer *p)
{
    const struct block_entry *e = chain_lookup(s->o.chain, &p->cmpct->hash);

    if (must_wait(s, &p->cmpct->hash)) {
        p->cmpct_waits = true;
        job_begin(p, JOB_COMPACT);
        return;
    }
    if (e)
        consider(s, p, e);
    forget_message(p);
}

void compact_recheck(struct sync *s, struct peer *p)
{
    if (!p->cmpct_waits || must_wait(s, &p->cmpct->hash))
        return;
    p->cmpct_waits = false;
    job_end(p);
    consider_or_wait(s, p);
}

void compact_recheck_all(struct sync *s)
{
    struct peer *p, *tmp;
    HASH_ITER (hh, s->peers, p, tmp)
        if (p->cmpct_waits && !p->closing)
            peer_advance(s, p);
}

void compact_header_done(struct sync *s, struct peer *p, const struct block_entry *last, const struct verdict *v)
{
    p->headers_job.compact = false;
    if (v->kind == VERDICT_INVALID) {
        peer_punish(s, p, v, true, "invalid header via cmpctblock");
        forget_message(p);
        return;
    }
    if (v->kind != VERDICT_VALID || !last) {
        forget_message(p);
        return;
    }
    if (p->headers_job.fresh)
        headers_log_new(s, p, last, true);
    headers_update_known(s, p, &last->node.hash);
    consider_or_wait(s, p);
}

/* Is it worth a look? */
static bool welcome(struct sync *s, struct peer *p)
{
    const char *why = NULL;

    if (chain_reindexing(s->o.chain))
        why = "even though we are still loading blocks!";
    else if (s->o.blocks_only)
        why = "even though we are blocksonly!";
    else if (!p->provides_cmpct)
        why = "despite never having sent us a SENDCMPCT!";
    if (why)
        log_debug(LOG_CMPCTBLOCK, "peer=%" PRId64 " sent us a compact block %s", p->id, why);
    return !why;
}

/* Does it connect to what we know, with enough work? */
static bool header_is_of_use(struct sync *s, struct peer *p, const struct block_header *h)
{
    const struct block_entry *prev = chain_lookup(s->o.chain, &h->prev);
    struct u256 work, least;

    if (!prev) {
        if (!chain_initial_download(s->o.chain))
            headers_request(s, p, chain_best_header(s->o.chain));
        return false;
    }
    work = u256_add(prev->node.chain_work, work_from_bits(h->bits));
    least = headers_work_threshold(s->o.chain, &s->o.min_chain_work);
    if (u256_cmp(work, least) < 0) {
        log_debug(LOG_NET, "Ignoring low-work compact block from peer %" PRId64, p->id);
        return false;
    }
    return true;
}

void on_cmpctblock(struct sync *s, struct peer *p, const struct message *m)
{
    struct msg_cmpctblock *c;
    const struct block_entry *e;
    struct entry_facts facts;
    const char *problem;

    if (!welcome(s, p))
        return;
    c = xmalloc(sizeof(*c));
    if (!msg_cmpctblock_decode(c, m->payload, m->len, &problem)) {
        peer_malformed(p, m, problem);
        free(c);
        return;
    }
    p->cmpct = c;
    if (!header_is_of_use(s, p, &c->header)) {
        forget_message(p);
        return;
    }
    e = chain_lookup(s->o.chain, &c->hash);
    if (e)
        chain_facts(s->o.chain, e, &facts);
    if (e && !(facts.status & (BLOCK_FAILED_VALID | BLOCK_FAILED_CHILD))) {
        headers_update_known(s, p, &c->hash);
        consider_or_wait(s, p);
        return;
    }
    headers_submit(s, p, xmemdup(&c->header, sizeof(c->header)), 1, !e);
    p->headers_job.compact = true;
}

void on_blocktxn(struct sync *s, struct peer *p, const struct message *m)
{
    struct block_hash hash;
    struct flight *f;
    struct asked *a;

    if (chain_reindexing(s->o.chain)) {
        log_debug(LOG_NET, "Unexpected blocktxn message received from peer %" PRId64, p->id);
        return;
    }
    if (m->len <= 32) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    memcpy(hash.b, m->payload, 32);
    f = flight_find(s, &hash);
    a = flight_asked(f, p->id);
    if (!a || !a->partial) {
        log_debug(LOG_NET, "Peer %" PRId64 " sent us block transactions for block we weren't expecting", p->id);
        return;
    }
    if (partial_spent(a->partial)) {
        download_forget(s, &hash, p);
        peer_misbehaving(p, "previous compact block reconstruction attempt failed");
        log_debug(LOG_NET, "Peer %" PRId64 " sent compact block transactions multiple times", p->id);
        return;
    }
    rebuild(s, p, f, message_take(m), m->len);
}

bool compact_wanted(struct sync *s, struct peer *p, const struct block_entry *last)
{
    struct entry_facts facts;

    if (s->o.blocks_only || !p->provides_cmpct || s->n_requested_blocks != 1 || !last->node.prev)
        return false;
    chain_facts(s->o.chain, entry_prev(last), &facts);
    return (facts.status & BLOCK_VALID_MASK) >= BLOCK_VALID_CHAIN && !(facts.status & (BLOCK_FAILED_VALID | BLOCK_FAILED_CHILD));
}

/* ---- who announces by compact blocks ---- */

static void send_mode(struct sync *s, struct peer *p, bool announce)
{
    struct msg_sendcmpct c = {announce, CMPCT_VERSION};
    struct writer w = WRITER_INIT;

    msg_sendcmpct_encode(&w, &c);
    peer_send_writer(s, p, "sendcmpct", &w);
    p->hb_to = announce;
}

static void hb_remove(struct sync *s, unsigned i)
{
    s->n_hb_peers--;
    memmove(s->hb_peers + i, s->hb_peers + i + 1, (s->n_hb_peers - i) * sizeof(*s->hb_peers));
}

void compact_forget_peer(struct sync *s, struct peer *p)
{
    for (unsigned i = 0; i < s->n_hb_peers; i++)
        if (s->hb_peers[i] == p->id)
            hb_remove(s, i--);
}

void compact_choose_peer(struct sync *s, struct peer *p)
{
    unsigned outbound = 0;
    struct peer *oldest;

    if (s->o.blocks_only || !p->provides_cmpct)
        return;
    for (unsigned i = 0; i < s->n_hb_peers; i++) {
        const struct peer *q = sync_peer(s, s->hb_peers[i]);
        if (q == p) { /* the latest choice again */
            hb_remove(s, i);
            s->hb_peers[s->n_hb_peers++] = p->id;
            return;
        }
        outbound += q && !peer_inbound(q);
    }
    oldest = s->n_hb_peers ? sync_peer(s, s->hb_peers[0]) : NULL;
    if (peer_inbound(p) && s->n_hb_peers >= MAX_HB_PEERS && outbound == 1 && oldest && !peer_inbound(oldest)) {
        /* The last one that we connected to ourselves stays. */
        s->hb_peers[0] = s->hb_peers[1];
        s->hb_peers[1] = oldest->id;
    }
    send_mode(s, p, true);
    s->hb_peers[s->n_hb_peers++] = p->id;
    if (s->n_hb_peers <= MAX_HB_PEERS)
        return;
    oldest = sync_peer(s, s->hb_peers[0]);
    hb_remove(s, 0);
    if (oldest)
        send_mode(s, oldest, false);
}
