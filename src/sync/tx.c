/* tx.c - transactions that peers send: whether to look at them, what became of them. */
#include <string.h>

#include "primitives/serialize.h"
#include "sync/internal.h"

bool tx_refuses(const struct sync *s, const struct peer *p)
{
    return p->facts.type == CONN_BLOCK_RELAY || p->facts.type == CONN_FEELER || (s->o.blocks_only && !peer_has(p, PERM_RELAY));
}

bool tx_already_have(struct sync *s, const uint8_t hash[32], bool is_wtxid, bool reconsiderable)
{
    struct wtxid id;

    /* The orphanage by wtxid only, even if it is a txid: with another witness it may be a good transaction. */
    memcpy(id.b, hash, 32);
    if (orphanage_get(s->orphanage, &id) || (reconsiderable && recent_has(&s->reconsiderable, hash)))
        return true;
    return recent_has(&s->confirmed, hash) || recent_has(&s->rejects, hash) || relay_has(s, hash, is_wtxid);
}

/* Steps over inputs and outputs. */
static uint64_t skip_inputs(struct reader *r)
{
    uint64_t n = read_compact_size(r);
    size_t len;
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        read_bytes(r, 36);
        read_var_bytes(r, &len);
        read_bytes(r, 4);
    }
    return n;
}

static void skip_outputs(struct reader *r)
{
    uint64_t n = read_compact_size(r);
    size_t len;
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        read_bytes(r, 8);
        read_var_bytes(r, &len);
    }
}

/* Why a transaction does not decode, in Core's words. */
static const char *why_malformed(const struct message *m)
{
    static const char end[] = "DataStream::read(): end of data";
    struct reader r = reader_make(m->payload, m->len);
    bool any = false;
    uint64_t n_in;
    uint8_t flags;

    read_bytes(&r, 4);
    if (reader_left(&r) < 2 || r.pos[0] != 0 || r.pos[1] == 0)
        return end;
    flags = r.pos[1];
    read_bytes(&r, 2);
    n_in = skip_inputs(&r);
    skip_outputs(&r);
    for (uint64_t i = 0; (flags & 1) && i < n_in && !r.failed; i++) {
        uint64_t items = read_compact_size(&r);
        size_t len;
        any = any || items > 0;
        for (uint64_t k = 0; k < items && !r.failed; k++)
            read_var_bytes(&r, &len);
    }
    if (r.failed)
        return end;
    if ((flags & 1) && !any)
        return "Superfluous witness record";
    return flags & ~1 ? "Unknown transaction optional data" : end;
}

/* Reads a transaction as Core does: bytes behind it are ignored. */
static struct tx *decode(const struct message *m)
{
    struct tx *tx = tx_decode_as(m->payload, m->len, true), first;
    struct reader r = reader_make(m->payload, m->len);
    struct arena arena = ARENA_INIT;
    bool ok;

    if (tx)
        return tx;
    ok = tx_read(&first, &r, &arena, true);
    arena_clear(&arena);
    return ok && reader_left(&r) ? tx_decode_as(m->payload, m->len - reader_left(&r), true) : NULL;
}

/* A peer with that permission may have known transactions told to everybody again: it may be the gateway of nodes behind it. */
static void force_relay(struct sync *s, const struct peer *p, struct tx *tx)
{
    bool have = relay_has(s, tx->txid.b, false);

    if (!peer_has(p, PERM_FORCERELAY))
        return;
    log_info(have ? "Force relaying tx %s (wtxid=%s) from peer=%" PRId64
                  : "Not relaying non-mempool transaction %s (wtxid=%s) from forcerelay peer=%" PRId64,
             txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s, p->id);
    if (have)
        relay_announce(s, &tx->wtxid);
}

void on_tx(struct sync *s, struct peer *p, const struct message *m)
{
    struct tx *tx;

    if (tx_refuses(s, p)) {
        log_debug(LOG_NET, "transaction sent in violation of protocol, " DISCONNECT_FMT, p->id);
        peer_disconnect(s, p);
        return;
    }
    if (chain_initial_download(s->o.chain))
        return; /* it could not be judged yet */
    tx = decode(m);
    if (!tx) {
        peer_malformed(p, m, why_malformed(m));
        return;
    }
    private_received(s, p, tx);
    recent_add(&p->tx_known, p->wtxid_relay ? tx->wtxid.b : tx->txid.b);
    tx_fetch_answered(s, p, tx->txid.b);
    if (tx->has_witness)
        tx_fetch_answered(s, p, tx->wtxid.b);
    if (tx_already_have(s, tx->wtxid.b, true, false)) {
        force_relay(s, p, tx);
    } else if (recent_has(&s->reconsiderable, tx->wtxid.b)) {
        log_debug(LOG_TXPACKAGES, "found tx %s (wtxid=%s) in reconsiderable rejects, looking for child in orphanage",
                  txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s);
        force_relay(s, p, tx);
        package_try(s, p, tx);
    } else {
        job_begin(p, JOB_TX);
        s->o.host.submit_tx(s->o.host.ctx, p->id, tx_ref(tx));
    }
    tx_unref(tx);
}

void tx_accepted(struct sync *s, struct tx *tx)
{
    tx_fetch_forget(s, tx);
    orphanage_children_ready(s->orphanage, tx);
    orphanage_remove(s->orphanage, &tx->wtxid);
    relay_announce(s, &tx->wtxid);
}

/* Not by txid: somebody may have changed the witness of a good transaction. Inputs that are not standard have no other witness. */
static void remember_reject(struct sync *s, struct peer *p, struct tx *tx, const struct verdict *v, bool first)
{
    bool any_witness = v->code == TX_INPUTS_NOT_STANDARD && tx->has_witness;

    tx_requests_forget(s->requests, tx->wtxid.b);
    if (any_witness) {
        recent_add(&s->rejects, tx->txid.b);
        tx_requests_forget(s->requests, tx->txid.b);
    }
    if (v->code != TX_RECONSIDERABLE) {
        recent_add(&s->rejects, tx->wtxid.b);
        return;
    }
    recent_add(&s->reconsiderable, tx->wtxid.b);
    if (!first)
        return;
    log_debug(LOG_TXPACKAGES, "tx %s (wtxid=%s) failed but reconsiderable, looking for child in orphanage", txid_hex(&tx->txid).s,
              wtxid_hex(&tx->wtxid).s);
    if (p)
        package_try(s, p, tx);
}

void tx_rejected(struct sync *s, struct peer *p, peer_id from, struct tx *tx, const struct verdict *v, bool first)
{
    char text[VERDICT_STRING_SIZE];

    log_debug(LOG_MEMPOOLREJ, "%s (wtxid=%s) from peer=%" PRId64 " was not accepted: %s", txid_hex(&tx->txid).s,
              wtxid_hex(&tx->wtxid).s, from, verdict_string(v, text));
    if (first && v->code != TX_WITNESS_STRIPPED)
        extra_add(s, tx);
    if (v->code == TX_MISSING_INPUTS) {
        if (first && !recent_has(&s->rejects, tx->wtxid.b))
            orphan_found(s, p, tx);
        return;
    }
    if (v->code != TX_WITNESS_STRIPPED)
        remember_reject(s, p, tx, v, first);
    if (orphanage_remove(s->orphanage, &tx->wtxid))
        log_debug(LOG_TXPACKAGES, "   removed orphan tx %s (wtxid=%s)", txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s);
}

void sync_tx_done(struct sync *s, peer_id peer, struct tx *tx, const struct mempool_result_summary *r)
{
    struct peer *p = sync_peer(s, peer);
    bool orphan = orphanage_get(s->orphanage, &tx->wtxid) != NULL;
    char text[VERDICT_STRING_SIZE];

    job_end(p);
    if (r->accepted) {
        if (orphan)
            log_debug(LOG_TXPACKAGES, "   accepted orphan tx %s (wtxid=%s)", txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s);
        else if (p)
            p->last_tx = time_now();
        tx_accepted(s, tx);
    } else if (r->already_there) {
        tx_fetch_forget(s, tx); /* it came another way while it was judged */
    } else if (r->verdict.kind == VERDICT_INVALID && !(orphan && r->verdict.code == TX_MISSING_INPUTS)) {
        if (orphan)
            log_debug(LOG_TXPACKAGES, "   invalid orphan tx %s (wtxid=%s) from peer=%" PRId64 ". %s", txid_hex(&tx->txid).s,
                      wtxid_hex(&tx->wtxid).s, peer, verdict_string(&r->verdict, text));
        tx_rejected(s, p, peer, tx, &r->verdict, !orphan);
    }
    if (p)
        peer_advance(s, p);
    orphans_run_all(s);
    sync_settle(s);
}

void tx_tip_changed(struct sync *s, bool disconnected)
{
    recent_reset(&s->rejects);
    recent_reset(&s->reconsiderable);
    if (disconnected)
        recent_reset(&s->confirmed);
}

void tx_block_connected(struct sync *s, const struct block *b)
{
    orphanage_remove_block(s->orphanage, b);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        const struct tx *tx = &b->tx[i];
        orphanage_children_ready(s->orphanage, tx);
        recent_add(&s->confirmed, tx->txid.b);
        if (tx->has_witness)
            recent_add(&s->confirmed, tx->wtxid.b);
        tx_fetch_forget(s, tx);
    }
    orphans_run_all(s);
}
