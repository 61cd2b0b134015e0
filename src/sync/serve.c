/* serve.c - what peers ask of us: headers, lists of blocks, blocks and transactions. A getdata is a queue that is worked off one block at a time
 * (read on an I/O thread), as fast as the peer takes them; nothing else of that peer is handled before it is empty. */
#include <string.h>

#include "sync/internal.h"

#define GETBLOCKS_LIMIT 500
#define STALE_AGE_LIMIT (30 * 24 * 3600) /* s: older blocks off the main chain are not shown to strangers */
#define COMPACT_DEPTH 5
#define JUDGE_TIME (10 * US)                 /* how long a request for the newest block waits for its validation */
#define HISTORICAL_BLOCK_AGE (7 * 24 * 3600) /* s */

/* Seconds that the best chain would need for the work between the two (Core's GetBlockProofEquivalentTime); large when it overflows. */
static int64_t work_time(struct sync *s, const struct block_entry *best, const struct block_entry *e)
{
    bool ahead = u256_cmp(best->node.chain_work, e->node.chain_work) >= 0;
    struct u256 diff =
        ahead ? u256_sub(best->node.chain_work, e->node.chain_work) : u256_sub(e->node.chain_work, best->node.chain_work);
    struct u256 proof = work_from_bits(best->node.bits), t;

    if (u256_is_zero(proof))
        return INT64_MAX;
    t = u256_div(u256_mul_u64(diff, (uint64_t)s->o.params->pow_spacing), proof);
    if (u256_bits(t) > 62)
        return ahead ? INT64_MAX : INT64_MIN;
    return ahead ? (int64_t)t.w[0] : -(int64_t)t.w[0];
}

bool serve_allowed(struct sync *s, const struct block_entry *e)
{
    const struct block_entry *best;
    struct entry_facts f;

    chain_facts(s->o.chain, e, &f);
    if (f.active)
        return true;
    best = chain_best_header(s->o.chain);
    return (f.status & BLOCK_VALID_MASK) >= BLOCK_VALID_SCRIPTS && !(f.status & (BLOCK_FAILED_VALID | BLOCK_FAILED_CHILD)) &&
           (int64_t)best->node.time - (int64_t)e->node.time < STALE_AGE_LIMIT && work_time(s, best, e) < STALE_AGE_LIMIT;
}

static void send_headers_after(struct sync *s, struct peer *p, const struct block_entry *e, const struct block_hash *stop)
{
    struct block_header *h = xmalloc(MAX_HEADERS_ITEMS * sizeof(*h));
    struct writer w = WRITER_INIT;
    size_t n = 0;
    const struct block_entry *last = NULL;

    log_debug(LOG_NET, "getheaders %d to %s from peer=%" PRId64, e ? e->node.height : -1,
              hash_is_zero(stop->b) ? "end" : block_hash_hex(stop).s, p->id);
    for (; e; e = chain_next(s->o.chain, e)) {
        header_node_header(&h[n++], &e->node);
        last = e;
        if (n == MAX_HEADERS_ITEMS || block_hash_equal(&e->node.hash, stop))
            break;
    }
    /* Set back on purpose: what was announced before but is not in this answer is announced again. */
    p->best_sent = e && last ? last : chain_tip(s->o.chain);
    msg_headers_encode(&w, h, n);
    peer_send_writer(s, p, "headers", &w);
    free(h);
}

static bool locator_ok(struct sync *s, struct peer *p, const struct message *m, struct msg_locator *l)
{
    if (!msg_locator_decode(l, m->payload, m->len)) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return false;
    }
    if (l->n > MAX_LOCATOR_ITEMS) {
        log_debug(LOG_NET, "%s locator size %zu > %u, " DISCONNECT_FMT, m->type, l->n, MAX_LOCATOR_ITEMS, p->id);
        peer_disconnect(s, p);
        free(l->hashes);
        return false;
    }
    return true;
}

void on_getheaders(struct sync *s, struct peer *p, const struct message *m)
{
    struct msg_locator l;
    const struct block_entry *e, *tip = chain_tip(s->o.chain);

    if (!locator_ok(s, p, m, &l))
        return;
    if (chain_reindexing(s->o.chain)) {
        log_debug(LOG_NET, "Ignoring getheaders from peer=%" PRId64 " while importing/reindexing", p->id);
    } else if (u256_cmp(tip->node.chain_work, s->o.min_chain_work) < 0 && !peer_has(p, PERM_DOWNLOAD)) {
        log_debug(LOG_NET,
                  "Ignoring getheaders from peer=%" PRId64 " because active chain has too little work; sending empty response",
                  p->id);
        peer_send(s, p, "headers", "", 1);
    } else if (l.n == 0) {
        e = chain_lookup(s->o.chain, &l.stop);
        if (e && serve_allowed(s, e))
            send_headers_after(s, p, e, &l.stop);
        else if (e)
            log_debug(LOG_NET,
                      "ProcessMessage: ignoring request from peer=%" PRId64 " for old block header that isn't in the main chain",
                      p->id);
    } else {
        e = chain_find_fork(s->o.chain, l.hashes, l.n);
        send_headers_after(s, p, e ? chain_next(s->o.chain, e) : NULL, &l.stop);
    }
    free(l.hashes);
}

void on_getblocks(struct sync *s, struct peer *p, const struct message *m)
{
    struct msg_locator l;
    const struct block_entry *e;
    unsigned left = GETBLOCKS_LIMIT;

    if (!locator_ok(s, p, m, &l))
        return;
    e = chain_find_fork(s->o.chain, l.hashes, l.n);
    if (e)
        e = chain_next(s->o.chain, e);
    log_debug(LOG_NET, "getblocks %d to %s limit %d from peer=%" PRId64, e ? e->node.height : -1,
              hash_is_zero(l.stop.b) ? "end" : block_hash_hex(&l.stop).s, GETBLOCKS_LIMIT, p->id);
    for (; e; e = chain_next(s->o.chain, e)) {
        struct entry_facts f;
        if (block_hash_equal(&e->node.hash, &l.stop)) {
            log_debug(LOG_NET, " getblocks stopping at %d %s", e->node.height, block_hash_hex(&e->node.hash).s);
            break;
        }
        chain_facts(s->o.chain, e, &f);
        if (!(f.status & BLOCK_HAVE_DATA)) {
            log_debug(LOG_NET, " getblocks stopping, pruned or too old block at %d %s", e->node.height,
                      block_hash_hex(&e->node.hash).s);
            break;
        }
        hash_list_push(&p->announce_inv, &e->node.hash);
        if (--left == 0) {
            /* When it fetches this one, we send our tip's inv, which makes it ask for the next batch. */
            log_debug(LOG_NET, " getblocks stopping at limit %d %s", e->node.height, block_hash_hex(&e->node.hash).s);
            p->continuation = e->node.hash;
            break;
        }
    }
    free(l.hashes);
}

/* An old client that walks with getblocks is told of our tip after the last block of its batch. */
static void send_continuation(struct sync *s, struct peer *p, const uint8_t hash[32])
{
    struct inv i = {.type = INV_BLOCK};
    struct writer w = WRITER_INIT;

    if (hash_is_zero(p->continuation.b) || memcmp(hash, p->continuation.b, 32) != 0)
        return;
    memcpy(i.hash, chain_tip(s->o.chain)->node.hash.b, 32);
    memset(&p->continuation, 0, sizeof(p->continuation));
    msg_inv_encode(&w, &i, 1);
    peer_send_writer(s, p, "inv", &w);
}

/* raw and b: the block in either form, as far as the item needs them. */
static void send_block(struct sync *s, struct peer *p, const struct inv *i, const struct block *b, const uint8_t *raw, size_t len)
{
    struct writer w = WRITER_INIT;

    if (i->type == INV_BLOCK) {
        block_write_stripped(&w, b);
        peer_send_writer(s, p, "block", &w);
    } else if (i->type == INV_FILTERED_BLOCK) {
        filtered_send_block(s, p, b);
    } else if (i->type == INV_CMPCT_BLOCK) {
        msg_cmpctblock_encode(&w, b, rng_u64(&s->rng));
        peer_send_writer(s, p, "cmpctblock", &w);
    } else {
        peer_send(s, p, "block", raw, len);
    }
    send_continuation(s, p, i->hash);
}

/* -maxuploadtarget: old blocks are the first thing that is not served any more. Returns: true if the peer was disconnected. */
static bool upload_spent(struct sync *s, struct peer *p, const struct inv *i, const struct block_entry *e)
{
    const struct sync_host *h = &s->o.host;
    int64_t age = (int64_t)chain_best_header(s->o.chain)->node.time - (int64_t)e->node.time;

    if (!h->conn.upload_reached || (age <= HISTORICAL_BLOCK_AGE && i->type != INV_FILTERED_BLOCK) || peer_has(p, PERM_DOWNLOAD) ||
        !h->conn.upload_reached(h->ctx, true))
        return false;
    log_debug(LOG_NET, "historical block serving limit reached, " DISCONNECT_FMT, p->id);
    peer_disconnect(s, p);
    return true;
}

/* A compact block is of use to those who are at the tip, as we are. */
static bool compact_of_use(struct sync *s, const struct block_entry *e)
{
    return download_may_fetch_directly(s) && e->node.height >= chain_height(s->o.chain) - COMPACT_DEPTH;
}

/* The newest block is here. A compact block may go before its validation has ended. */
static void send_recent(struct sync *s, struct peer *p, const struct inv *i)
{
    const struct block *b = s->recent_block;

    if (i->type == INV_CMPCT_BLOCK) {
        const struct writer *w = compact_recent(s);
        peer_send(s, p, "cmpctblock", w->data, w->len);
        send_continuation(s, p, i->hash);
        return;
    }
    send_block(s, p, i, b, b->raw, b->raw_len);
}

void serve_read(struct sync *s, struct peer *p, const struct inv *i, const struct block_entry *e)
{
    p->reading = true;
    if (i)
        p->reading_inv = *i;
    s->o.host.read_block(s->o.host.ctx, p->id, e, !i || i->type != INV_WITNESS_BLOCK);
}

/* A whole block that is asked for before we know that it is valid: who relays an invalid one is punished, so the answer waits. */
static bool must_wait(struct sync *s, const struct inv *i)
{
    if (!s->recent_unjudged || i->type == INV_CMPCT_BLOCK || !inv_is_block(i) || memcmp(s->recent_block->hash.b, i->hash, 32) != 0)
        return false;
    return time_mono_us() - s->recent_since < JUDGE_TIME;
}

/* A block item of getdata. */
static void serve_block(struct sync *s, struct peer *p, const struct inv *item)
{
    struct inv copy = *item, *i = &copy;
    struct block_hash hash;
    bool recent;
    const struct block_entry *e;
    struct entry_facts f;

    if (i->type == INV_FILTERED_BLOCK && !(p->our_services & NODE_BLOOM)) {
        log_debug(LOG_NET, "filtered block request received when NODE_BLOOM service disabled, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        return;
    }
    if (i->type == INV_FILTERED_BLOCK && !p->bloom)
        return; /* no filter was set: no answer */
    memcpy(hash.b, i->hash, 32);
    e = chain_lookup(s->o.chain, &hash);
    if (!e)
        return;
    recent = s->recent_block && block_hash_equal(&s->recent_block->hash, &hash);
    if (recent && s->recent_unjudged && i->type == INV_CMPCT_BLOCK) {
        send_recent(s, p, i);
        return;
    }
    if (!serve_allowed(s, e)) {
        log_debug(LOG_NET, "ProcessGetBlockData: ignoring request from peer=%" PRId64 " for old block that isn't in the main chain",
                  p->id);
        return;
    }
    if (upload_spent(s, p, i, e))
        return;
    chain_facts(s->o.chain, e, &f);
    if (!peer_has(p, PERM_NOBAN) && (p->our_services & NODE_NETWORK_LIMITED) && !(p->our_services & NODE_NETWORK) &&
        chain_height(s->o.chain) - e->node.height > 288 + 2) {
        log_debug(LOG_NET, "Ignore block request below NODE_NETWORK_LIMITED threshold, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        return;
    }
    if (!(f.status & BLOCK_HAVE_DATA))
        return;
    if (i->type == INV_CMPCT_BLOCK && !compact_of_use(s, e))
        i->type = INV_WITNESS_BLOCK;
    if (recent)
        send_recent(s, p, i);
    else
        serve_read(s, p, i, e);
}

void serve_one(struct sync *s, struct peer *p, const struct inv *i)
{
    ASSERT(!p->getdata); /* may_handle: the queue was empty */
    p->getdata = xmemdup(i, sizeof(*i));
    p->n_getdata = 1;
    p->getdata_pos = 0;
    serve_getdata(s, p);
}

static void read_failed(struct sync *s, struct peer *p, const struct block_entry *e)
{
    struct entry_facts f;

    chain_facts(s->o.chain, e, &f);
    if (!(f.status & BLOCK_HAVE_DATA))
        log_debug(LOG_NET, "Block was pruned before it could be read, " DISCONNECT_FMT, p->id);
    else
        log_error("Cannot load block from disk, " DISCONNECT_FMT, p->id);
    peer_disconnect(s, p);
}

void sync_block_read(struct sync *s, peer_id peer, const struct block_entry *e, struct block *block, const uint8_t *raw, size_t len,
                     enum rc rc)
{
    struct peer *p = sync_peer(s, peer);

    if (!p || !p->reading)
        return;
    p->reading = false;
    if (p->closing)
        return;
    if (rc != RC_OK) {
        read_failed(s, p, e);
        return;
    }
    if (p->blocktxn.n)
        compact_send_txs(s, p, block, &p->blocktxn);
    else
        send_block(s, p, &p->reading_inv, block, raw, len);
    free(p->blocktxn.indexes);
    memset(&p->blocktxn, 0, sizeof(p->blocktxn));
    peer_advance(s, p);
}

static void serve_tx(struct sync *s, struct peer *p, const struct inv *i, struct writer *missing, size_t *n_missing)
{
    struct writer w = WRITER_INIT;
    struct tx *tx;

    if (!p->tx_relay)
        return; /* it is not told of transactions, so it has nothing to ask for */
    tx = relay_find(s, p, i->hash, i->type == INV_WTX);
    if (!tx) {
        write_u32(missing, i->type);
        write_bytes(missing, i->hash, 32);
        (*n_missing)++;
        return;
    }
    tx_write(&w, tx, i->type != INV_TX);
    peer_send_writer(s, p, "tx", &w);
    relay_taken(s, tx);
}

static void send_notfound(struct sync *s, struct peer *p, const struct writer *missing, size_t n)
{
    struct inv *items = xmalloc(n * sizeof(*items) + 1);
    struct writer w = WRITER_INIT;

    for (size_t i = 0; i < n; i++) {
        items[i].type = get_le32(missing->data + i * 36);
        memcpy(items[i].hash, missing->data + i * 36 + 4, 32);
    }
    msg_inv_encode(&w, items, n);
    peer_send_writer(s, p, "notfound", &w);
    free(items);
}

bool serve_getdata(struct sync *s, struct peer *p)
{
    struct writer missing = WRITER_INIT;
    size_t n_missing = 0;

    while (p->getdata_pos < p->n_getdata && !p->reading && !p->closing && !s->o.host.send_full(s->o.host.ctx, p->id)) {
        const struct inv *i = &p->getdata[p->getdata_pos];
        if (must_wait(s, i))
            break;
        p->getdata_pos++;
        if (inv_is_tx(i))
            serve_tx(s, p, i, &missing, &n_missing);
        else if (inv_is_block(i))
            serve_block(s, p, i);
    }
    if (n_missing)
        send_notfound(s, p, &missing, n_missing);
    writer_clear(&missing);
    if (p->getdata_pos < p->n_getdata)
        return false;
    free(p->getdata);
    p->getdata = NULL;
    p->n_getdata = p->getdata_pos = 0;
    return !p->reading;
}

void on_getdata(struct sync *s, struct peer *p, const struct message *m)
{
    struct inv *items;
    size_t n;
    char text[96];

    if (!msg_inv_decode(&items, &n, m->payload, m->len)) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    if (n > MAX_INV_ITEMS) {
        peer_misbehaving(p, "getdata message size = %zu", n);
        free(items);
        return;
    }
    log_debug(LOG_NET, "received getdata (%zu invsz) peer=%" PRId64, n, p->id);
    if (n)
        log_debug(LOG_NET, "received getdata for: %s peer=%" PRId64, inv_text(text, &items[0]), p->id);
    if (peer_private(p)) {
        private_on_getdata(s, p, items, n);
        free(items);
        return;
    }
    ASSERT(!p->getdata); /* may_handle: the queue was empty */
    p->getdata = items;
    p->n_getdata = n;
    p->getdata_pos = 0;
    serve_getdata(s, p);
}
