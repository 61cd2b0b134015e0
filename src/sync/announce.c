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

void announce_flush(struct sync *s, struct peer *p)
{
    struct block_header h[MAX_ANNOUNCE];
    const struct block_entry *last;
    struct writer w = WRITER_INIT;
    size_t n = 0;

    if (p->announce_headers.n) {
        headers_resolve_unknown(s, p);
        if (!p->prefers_headers || p->announce_headers.n > MAX_ANNOUNCE || !collect(s, p, h, &n, &last)) {
            fall_back_to_inv(s, p);
        } else if (n) {
            struct block_hash first, end;
            block_header_hash(&first, &h[0]);
            block_header_hash(&end, &h[n - 1]);
            if (n > 1)
                log_debug(LOG_NET, "SendMessages: %zu headers, range (%s, %s), to peer=%" PRId64, n, block_hash_hex(&first).s,
                          block_hash_hex(&end).s, p->id);
            else
                log_debug(LOG_NET, "SendMessages: sending header %s to peer=%" PRId64, block_hash_hex(&first).s, p->id);
            msg_headers_encode(&w, h, n);
            peer_send_writer(s, p, "headers", &w);
            p->best_sent = last;
        }
        hash_list_clear(&p->announce_headers);
    }
    if (p->announce_inv.n)
        send_invs(s, p);
}
