/* block.c - whole blocks: what arrives, its way to validation, what becomes of it, and who answers for it. */
#include <string.h>

#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "sync/internal.h"

#define LEAST_TX_ON_WIRE 10 /* bytes: no inputs, no outputs */
#define LEAST_VALID_TX 60   /* bytes: one input, one output, no scripts */
#define MAX_BLOCK_TXS (MAX_BLOCK_WEIGHT / WITNESS_SCALE_FACTOR / LEAST_VALID_TX)

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

/* More transactions than fit into any valid block, though not more than the bytes could hold: not worth decoding. */
static bool too_many_txs(const struct message *m)
{
    struct reader r = reader_make(m->payload, m->len);
    uint64_t n;

    read_bytes(&r, BLOCK_HEADER_SIZE);
    n = read_compact_size(&r);
    return !r.failed && n > MAX_BLOCK_TXS && n <= reader_left(&r) / LEAST_TX_ON_WIRE;
}

void block_submit(struct sync *s, struct peer *p, struct sync_block *b)
{
    if (b->counts)
        flight_get(s, &b->hash)->processing++;
    b->unread = b->len;
    p->pending_bytes += b->unread;
    job_begin(p, JOB_BLOCK);
    s->o.host.submit_block(s->o.host.ctx, p->id, b);
}

void on_block(struct sync *s, struct peer *p, const struct message *m)
{
    struct sync_block *b;
    struct block_hash hash;
    struct flight *f;

    if (chain_reindexing(s->o.chain)) {
        log_debug(LOG_NET, "Unexpected block message received from peer %" PRId64, p->id);
        return;
    }
    if (m->len <= BLOCK_HEADER_SIZE) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    sha256d(hash.b, m->payload, BLOCK_HEADER_SIZE);
    if (too_many_txs(m)) {
        download_forget(s, &hash, p);
        peer_misbehaving(p, "bad-blk-length, size limits failed");
        return;
    }
    log_debug(LOG_NET, "received block %s peer=%" PRId64, block_hash_hex(&hash).s, p->id);
    b = xcalloc(1, sizeof(*b));
    b->hash = hash;
    b->len = m->len;
    b->bytes = message_take(m);
    f = flight_find(s, &hash);
    if (f) {
        b->requested = f->n_asked > 0;
        /* Copies that nobody asked its sender for do not count: garbage behind a good header would keep us from fetching the block. */
        b->wanted = b->counts = flight_asked(f, p->id) != NULL;
        flight_delivered(s, p, f);
        flight_unask(s, f, p->id);
    }
    source_add(s, &hash, p->id, false);
    block_submit(s, p, b);
}

/* The queue has room again: messages that wait for that go on. */
static void release_waiting(struct sync *s, const struct peer *but)
{
    struct peer *p, *tmp;
    HASH_ITER (hh, s->peers, p, tmp)
        if (p != but && p->held)
            peer_advance(s, p);
}

/* The recent block is valid, or not: who asked for it meanwhile gets its answer. */
static void recent_judged(struct sync *s, const struct block_hash *hash)
{
    struct peer *p, *tmp;

    if (!s->recent_unjudged || !block_hash_equal(&s->recent_block->hash, hash))
        return;
    s->recent_unjudged = false;
    HASH_ITER (hh, s->peers, p, tmp)
        if (p->n_getdata)
            peer_advance(s, p);
}

void sync_block_checked(struct sync *s, const struct block_hash *hash, const struct verdict *v)
{
    struct block_source *b = source_find(s, hash);
    struct peer *p = b ? sync_peer(s, b->peer) : NULL;
    struct flight *f = flight_find(s, hash);
    bool compact = b && b->compact;
    char text[VERDICT_STRING_SIZE];

    recent_judged(s, hash);
    if (!b || v->code == BLOCK_MUTATED)
        return; /* a mutated copy: see mutated_copy */
    source_drop(s, b);
    if (!p || p->closing)
        return;
    if (v->kind == VERDICT_VALID && !chain_initial_download(s->o.chain) && s->n_requested_blocks == (f ? f->n_asked : 0))
        compact_choose_peer(s, p);
    if (v->kind != VERDICT_INVALID || v->code == BLOCK_HEADER_LOW_WORK)
        return;
    peer_punish(s, p, v, compact, verdict_string(v, text));
    peer_flush(s, p);
}

/* The hash says nothing about this copy: who sent another one, or is asked for one, is not to blame. p: the sender, NULL if gone. */
static void mutated_copy(struct sync *s, struct peer *p, peer_id sender, const struct sync_block *b)
{
    struct block_source *src = source_find(s, &b->hash);
    char text[VERDICT_STRING_SIZE];

    if (src && src->peer == sender)
        source_drop(s, src);
    if (!p || p->closing)
        return;
    peer_punish(s, p, &b->verdict, false, verdict_string(&b->verdict, text));
    log_debug(LOG_NET, "Received mutated block from peer=%" PRId64, p->id);
}

#define MAX_MALFORMED_ANSWERS 16 /* Bitcoin Core forgives any number */

/* The chain was not asked. p: the sender, NULL if gone. */
static void not_ready(struct sync *s, struct peer *p, peer_id sender, const struct sync_block *b)
{
    struct block_source *src = source_find(s, &b->hash);

    if (src && src->peer == sender)
        source_drop(s, src);
    if (!p || p->closing)
        return;
    if (b->outcome == BLOCK_MALFORMED)
        log_debug(LOG_NET, "ProcessMessages(%s, %zu bytes): Exception '%s' caught, peer=%" PRId64, b->parts ? "blocktxn" : "block",
                  b->unread, b->problem, p->id);
    if (b->outcome == BLOCK_MALFORMED && b->wanted) /* it would be asked again, and again, and keep the block from us */
        p->spoiled = b->hash;
    if (b->outcome == BLOCK_MALFORMED && b->wanted && ++p->malformed_answers >= MAX_MALFORMED_ANSWERS) {
        log_debug(LOG_NET, "the answer to our request for a block does not decode, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
    } else if (b->parts) {
        compact_failed(s, p, b);
    }
}

void sync_block_done(struct sync *s, peer_id peer, const struct sync_block *b)
{
    struct peer *p = sync_peer(s, peer);
    struct flight *f = flight_find(s, &b->hash);
    const struct verdict *v = &b->verdict;

    if (f && b->counts)
        f->processing--;
    if (f && b->is_new)
        flight_unask_all(s, f); /* whoever else was asked for it */
    if (f)
        flight_drop_if_idle(s, f);
    job_end(p);
    if (p)
        p->pending_bytes -= b->unread;
    if (b->outcome != BLOCK_READY) {
        not_ready(s, p, peer, b);
    } else if (v->kind == VERDICT_INVALID && v->code == BLOCK_MUTATED) {
        mutated_copy(s, p, peer, b);
    } else if (v->kind == VERDICT_INVALID) {
        sync_block_checked(s, &b->hash, v); /* unless that was told before */
    } else if (!b->is_new && source_find(s, &b->hash)) {
        source_drop(s, source_find(s, &b->hash));
    }
    if (p && !p->closing) {
        if (b->is_new)
            p->last_block = time_now();
        peer_advance(s, p);
    }
    compact_recheck_all(s);
    release_waiting(s, p);
}
