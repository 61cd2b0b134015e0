/* announce.c - new blocks: told to peers by headers (BIP130) where they asked for it and the headers connect, else by inv. */
#include "sync/internal.h"

void sync_tip_changed(struct sync *s, const struct block_entry *tip, const struct block_entry *fork, bool initial_download)
{
    const struct block_entry *fresh[MAX_ANNOUNCE], *e;
    struct peer *p, *tmp;
    size_t n = 0;

    tx_tip_changed(s, s->tip && fork != s->tip);
    s->tip = tip;
    s->last_tip_update = time_now();
    download_progress(s, tip->node.height - fork->node.height);
    if (initial_download)
        return;
    for (e = tip; e != fork && n < MAX_ANNOUNCE; e = entry_prev(e)) {
        fresh[n++] = e;
        if (!e->node.prev)
            break;
    }
    HASH_ITER (hh, s->peers, p, tmp)
        for (size_t i = n; i > 0; i--)
            hash_list_push(&p->announce_headers, &fresh[i - 1]->node.hash);
    HASH_ITER (hh, s->peers, p, tmp)
        peer_advance(s, p);
}

void sync_block_connected(struct sync *s, const struct block_entry *e, struct block *block)
{
    (void)e;
    relay_block_connected(s, block);
    s->recent_unjudged = false;
    tx_block_connected(s, block);
}

/* The headers that p lacks, if they connect to what it has. Out: h, *n, *last. Returns: false to fall back to inv. */
static bool collect(struct sync *s, struct peer *p, struct block_header h[MAX_ANNOUNCE], size_t *n, const struct block_entry **last)
{
    const struct block_entry *before = NULL;

    *n = 0;
    for (size_t i = 0; i < p->announce_headers.n; i++) {
        const struct block_entry *e = chain_lookup(s->o.chain, &p->announce_headers.v[i]);
        if (!e || !chain_contains(s->o.chain, e) || (before && entry_prev(e) != before))
            return false;
        before = e;
        if (*n == 0 && peer_has_header(p, e))
            continue;
        if (*n == 0 && e->node.prev && !peer_has_header(p, entry_prev(e)))
            return false;
        header_node_header(&h[(*n)++], &e->node);
    }
    *last = before;
    return true;
}

static void fall_back_to_inv(struct sync *s, struct peer *p)
{
    const struct block_hash *hash;
    const struct block_entry *e;

    if (p->announce_headers.n == 0)
        return;
    hash = &p->announce_headers.v[p->announce_headers.n - 1];
    e = chain_lookup(s->o.chain, hash);
    if (!e)
        return;
    if (!chain_contains(s->o.chain, e))
        log_debug(LOG_NET, "Announcing block %s not on main chain (tip=%s)", block_hash_hex(hash).s,
                  block_hash_hex(&chain_tip(s->o.chain)->node.hash).s);
    if (peer_has_header(p, e))
        return;
    hash_list_push(&p->announce_inv, hash);
    log_debug(LOG_NET, "SendMessages: sending inv peer=%" PRId64 " hash=%s", p->id, block_hash_hex(hash).s);
}

static void send_invs(struct sync *s, struct peer *p)
{
    struct inv items[512];
    struct writer w = WRITER_INIT;
    size_t i = 0;

    while (i < p->announce_inv.n) {
        size_t n = 0;
        for (; i < p->announce_inv.n && n < ARRAY_LEN(items); i++, n++) {
            items[n].type = INV_BLOCK;
            memcpy(items[n].hash, p->announce_inv.v[i].b, 32);
        }
        msg_inv_encode(&w, items, n);
        peer_send_writer(s, p, "inv", &w);
    }
    hash_list_clear(&p->announce_inv);
}

static void send_headers(struct sync *s, struct peer *p, const struct block_header *h, size_t n, const struct block_entry *last)
{
    struct writer w = WRITER_INIT;
    struct block_hash first;

    block_header_hash(&first, &h[0]);
    if (n > 1)
        log_debug(LOG_NET, "SendMessages: %zu headers, range (%s, %s), to peer=%" PRId64, n, block_hash_hex(&first).s,
                  block_hash_hex(&last->node.hash).s, p->id);
    else
        log_debug(LOG_NET, "SendMessages: sending header %s to peer=%" PRId64, block_hash_hex(&first).s, p->id);
    msg_headers_encode(&w, h, n);
    peer_send_writer(s, p, "headers", &w);
    p->best_sent = last;
}

/* One block goes in compact form to those who want that. */
static bool by_compact_block(struct sync *s, struct peer *p, size_t n, const struct block_entry *last)
{
    if (n != 1 || !p->hb_from || !s->recent_block || !block_hash_equal(&s->recent_block->hash, &last->node.hash) ||
        s->recent_block->n_tx > CMPCT_MAX_TXS)
        return false;
    log_debug(LOG_NET, "SendMessages sending header-and-ids %s to peer=%" PRId64, block_hash_hex(&last->node.hash).s, p->id);
    compact_announce(s, p, last);
    return true;
}

static void announce_blocks(struct sync *s, struct peer *p)
{
    bool headers = p->prefers_headers || (p->hb_from && p->announce_headers.n <= 1);
    struct block_header h[MAX_ANNOUNCE];
    const struct block_entry *last;
    size_t n = 0;

    headers_resolve_unknown(s, p);
    if (!headers || p->announce_headers.n > MAX_ANNOUNCE || !collect(s, p, h, &n, &last)) {
        fall_back_to_inv(s, p);
    } else if (n && !by_compact_block(s, p, n, last)) {
        if (p->prefers_headers)
            send_headers(s, p, h, n, last);
        else
            fall_back_to_inv(s, p);
    }
    hash_list_clear(&p->announce_headers);
}

void announce_flush(struct sync *s, struct peer *p)
{
    if (p->announce_headers.n)
        announce_blocks(s, p);
    if (p->announce_inv.n)
        send_invs(s, p);
}
