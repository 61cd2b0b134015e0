/* compact_serve.c - compact blocks for peers: the newest block goes to those who asked for it before its validation has ended (BIP152's
 * high-bandwidth mode), in a form that is encoded once; and the transactions that a peer lacks. */
#include <string.h>

#include "sync/internal.h"

#define BLOCKTXN_DEPTH 10
#define NO_BAN_VERSION 70015 /* peers of this version do not punish for compact blocks that turn out invalid */

const struct writer *compact_recent(struct sync *s)
{
    if (!s->recent_cmpct.len)
        msg_cmpctblock_encode(&s->recent_cmpct, s->recent_block, rng_u64(&s->rng));
    return &s->recent_cmpct;
}

void compact_announce(struct sync *s, struct peer *p, const struct block_entry *e)
{
    const struct writer *w = compact_recent(s);

    peer_send(s, p, "cmpctblock", w->data, w->len);
    p->best_sent = e;
}

void sync_block_pow_valid(struct sync *s, const struct block_entry *e, struct block *block)
{
    struct peer *p, *tmp;

    if (e->node.height <= s->fast_height)
        return;
    s->fast_height = e->node.height;
    if (!e->node.prev || !deployment_active_after(s->o.params, e->node.prev, DEPLOYMENT_SEGWIT) || block->n_tx > CMPCT_MAX_TXS)
        return;
    relay_block_connected(s, block);
    s->recent_unjudged = true;
    s->recent_since = time_mono_us();
    HASH_ITER (hh, s->peers, p, tmp) {
        if (!p->handshake_done || p->closing || !p->hb_from || p->common_version < NO_BAN_VERSION)
            continue;
        headers_resolve_unknown(s, p);
        if (peer_has_header(p, e) || !peer_has_header(p, entry_prev(e)))
            continue;
        log_debug(LOG_NET, "PeerManager::NewPoWValidBlock sending header-and-ids %s to peer=%" PRId64,
                  block_hash_hex(&block->hash).s, p->id);
        compact_announce(s, p, e);
    }
    compact_recheck_all(s);
}

void compact_send_txs(struct sync *s, struct peer *p, const struct block *b, const struct msg_getblocktxn *r)
{
    struct writer w = WRITER_INIT;

    if (r->indexes[r->n - 1] >= b->n_tx) { /* they rise */
        peer_misbehaving(p, "getblocktxn with out-of-bounds tx indices");
        return;
    }
    msg_blocktxn_encode(&w, b, r->indexes, r->n);
    log_debug(LOG_CMPCTBLOCK, "peer=%" PRId64 " sent us a GETBLOCKTXN for block %s, sending a BLOCKTXN with %zu txns. (%zu bytes)",
              p->id, block_hash_hex(&b->hash).s, r->n, w.len);
    peer_send_writer(s, p, "blocktxn", &w);
}

/* Takes r->indexes. */
static void answer(struct sync *s, struct peer *p, struct msg_getblocktxn *r)
{
    const struct block_entry *e;
    struct entry_facts f;
    struct inv whole = {.type = INV_WITNESS_BLOCK};

    if (s->recent_block && block_hash_equal(&s->recent_block->hash, &r->hash)) {
        compact_send_txs(s, p, s->recent_block, r);
        free(r->indexes);
        return;
    }
    e = chain_lookup(s->o.chain, &r->hash);
    if (e)
        chain_facts(s->o.chain, e, &f);
    if (!e || !(f.status & BLOCK_HAVE_DATA)) {
        log_debug(LOG_NET, "Peer %" PRId64 " sent us a getblocktxn for a block we don't have", p->id);
    } else if (e->node.height >= chain_height(s->o.chain) - BLOCKTXN_DEPTH) {
        p->blocktxn = *r;
        serve_read(s, p, NULL, e);
        return;
    } else {
        /* Whoever asks much of us shall take as much. */
        log_debug(LOG_NET, "Peer %" PRId64 " sent us a getblocktxn for a block > %i deep", p->id, BLOCKTXN_DEPTH);
        memcpy(whole.hash, r->hash.b, 32);
        serve_one(s, p, &whole);
    }
    free(r->indexes);
}

void on_getblocktxn(struct sync *s, struct peer *p, const struct message *m)
{
    struct msg_getblocktxn r;
    const char *problem;

    if (!msg_getblocktxn_decode(&r, m->payload, m->len, &problem)) {
        peer_malformed(p, m, problem);
        return;
    }
    if (r.n == 0) {
        log_debug(LOG_NET, "getblocktxn received with no transaction indexes, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        free(r.indexes);
        return;
    }
    answer(s, p, &r);
}
