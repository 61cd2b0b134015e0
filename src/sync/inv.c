/* inv.c - announcements of peers (inv), their refusals (notfound), and the small messages of transaction relay (feefilter, mempool). */
#include <string.h>

#include "sync/internal.h"

/* Blocks by inv: the last unknown one makes us ask for headers. */
static void block_inv(struct sync *s, struct peer *p, const struct inv *i, struct block_hash *unknown, bool *have_unknown)
{
    struct block_hash hash;
    bool have;
    char text[96];

    memcpy(hash.b, i->hash, 32);
    have = chain_lookup(s->o.chain, &hash) != NULL;
    log_debug(LOG_NET, "got inv: %s %s peer=%" PRId64, inv_text(text, i), have ? "have" : "new", p->id);
    headers_update_known(s, p, &hash);
    if (have || chain_reindexing(s->o.chain) || download_known(s, &hash))
        return;
    *unknown = hash;
    *have_unknown = true;
}

/* A peer that may not announce transactions is disconnected. */
static void tx_inv(struct sync *s, struct peer *p, const struct inv *i)
{
    bool is_wtxid = i->type == INV_WTX, have;
    char text[96];

    if (tx_refuses(s, p)) {
        struct hash_hex hex = hash_to_hex(i->hash);
        log_debug(LOG_NET, "transaction (%s) inv sent in violation of protocol, " DISCONNECT_FMT, hex.s, p->id);
        peer_disconnect(s, p);
        return;
    }
    recent_add(&p->tx_known, i->hash);
    if (chain_initial_download(s->o.chain))
        return;
    have = tx_fetch_announced(s, p, i->hash, is_wtxid);
    log_debug(LOG_NET, "got inv: %s %s peer=%" PRId64, inv_text(text, i), have ? "have" : "new", p->id);
}

static void ask_headers(struct sync *s, struct peer *p, const struct block_hash *unknown)
{
    const struct block_entry *best = chain_best_header(s->o.chain);

    /* Before the sync with this peer has begun, one peer a block may be asked, so that an unresponsive one does not hold us up. */
    if (!p->sync_started && (p->inv_triggered_getheaders || block_hash_equal(unknown, &s->last_inv_trigger)))
        return;
    if (headers_request(s, p, best))
        log_debug(LOG_NET, "getheaders (%d) %s to peer=%" PRId64, best->node.height, block_hash_hex(unknown).s, p->id);
    if (!p->sync_started) {
        p->inv_triggered_getheaders = true;
        s->last_inv_trigger = *unknown;
    }
}

void on_inv(struct sync *s, struct peer *p, const struct message *m)
{
    struct inv *items;
    size_t n;
    struct block_hash unknown;
    bool have_unknown = false;
    char text[96];
    struct recent seen[2]; /* txids, wtxids: twice in one message is once */

    if (!msg_inv_decode(&items, &n, m->payload, m->len)) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    if (n > MAX_INV_ITEMS) {
        peer_misbehaving(p, "inv message size = %zu", n);
        free(items);
        return;
    }
    recent_init(&seen[0], MAX_INV_ITEMS);
    recent_init(&seen[1], MAX_INV_ITEMS);
    for (size_t i = 0; i < n && !p->closing; i++) {
        if (items[i].type == (p->wtxid_relay ? INV_TX : INV_WTX))
            continue; /* not what was agreed upon */
        if (items[i].type == INV_BLOCK) {
            block_inv(s, p, &items[i], &unknown, &have_unknown);
        } else if (inv_is_tx(&items[i])) {
            bool is_wtxid = items[i].type == INV_WTX;
            if (recent_has(&seen[is_wtxid], items[i].hash))
                continue;
            recent_add(&seen[is_wtxid], items[i].hash);
            tx_inv(s, p, &items[i]);
        } else {
            log_debug(LOG_NET, "Unknown inv type \"%s\" received from peer=%" PRId64, inv_text(text, &items[i]), p->id);
        }
    }
    recent_clear(&seen[0]);
    recent_clear(&seen[1]);
    free(items);
    if (have_unknown && !p->closing)
        ask_headers(s, p, &unknown);
}

void on_notfound(struct sync *s, struct peer *p, const struct message *m)
{
    struct inv *items;
    size_t n;

    if (!msg_inv_decode(&items, &n, m->payload, m->len)) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    for (size_t i = 0; i < n && n <= 5000 + BLOCKS_IN_FLIGHT; i++)
        if (inv_is_tx(&items[i]))
            tx_fetch_answered(s, p, items[i].hash);
    free(items);
}

void on_feefilter(struct sync *s, struct peer *p, const struct message *m)
{
    uint64_t v;

    (void)s;
    if (!msg_u64_decode(&v, m->payload, m->len)) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    if (!money_in_range((int64_t)v))
        return;
    p->fee_filter = (int64_t)v;
    log_debug(LOG_NET, "received: feefilter of %" PRIu64 ".%08" PRIu64 " BTC/kvB from peer=%" PRId64, v / (uint64_t)COIN,
              v % (uint64_t)COIN, p->id);
}

void on_mempool(struct sync *s, struct peer *p, const struct message *m)
{
    (void)m;
    if (!(p->our_services & NODE_BLOOM) && !peer_has(p, PERM_MEMPOOL)) {
        if (!peer_has(p, PERM_NOBAN)) {
            log_debug(LOG_NET, "mempool request with bloom filters disabled, " DISCONNECT_FMT, p->id);
            peer_disconnect(s, p);
        }
        return;
    }
    if (s->o.host.conn.upload_reached && s->o.host.conn.upload_reached(s->o.host.ctx, false) && !peer_has(p, PERM_MEMPOOL)) {
        if (!peer_has(p, PERM_NOBAN)) {
            log_debug(LOG_NET, "mempool request with bandwidth limit reached, " DISCONNECT_FMT, p->id);
            peer_disconnect(s, p);
        }
        return;
    }
    if (p->tx_relay)
        p->send_mempool = true;
}
