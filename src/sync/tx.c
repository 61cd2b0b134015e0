/* tx.c - transactions that peers send: whether to look at them, what became of them. */
#include <string.h>

#include "primitives/serialize.h"
#include "sync/internal.h"

bool tx_refuses(const struct sync *s, const struct peer *p)
{
    return p->facts.type == CONN_BLOCK_RELAY || p->facts.type == CONN_FEELER || (s->o.blocks_only && !peer_has(p, PERM_RELAY));
}

bool tx_already_have(struct sync *s, const uint8_t hash[32], bool is_wtxid)
{
    struct wtxid id;

    memcpy(id.b, hash, 32);
    return orphan_known(s, &id) || recent_has(&s->confirmed, hash) || recent_has(&s->rejects, hash) || relay_has(s, hash, is_wtxid);
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
    recent_add(&p->tx_known, p->wtxid_relay ? tx->wtxid.b : tx->txid.b);
    tx_request_answered(s, p, tx->txid.b);
    if (tx->has_witness)
        tx_request_answered(s, p, tx->wtxid.b);
    if (tx_already_have(s, tx->wtxid.b, true)) {
        if (peer_has(p, PERM_FORCERELAY)) {
            bool have = relay_has(s, tx->txid.b, false);
            log_info(have ? "Force relaying tx %s (wtxid=%s) from peer=%" PRId64
                          : "Not relaying non-mempool transaction %s (wtxid=%s) from forcerelay peer=%" PRId64,
                     txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s, p->id);
            if (have)
                sync_announce_tx(s, tx);
        }
        tx_unref(tx);
        return;
    }
    job_begin(p, JOB_TX);
    s->o.host.submit_tx(s->o.host.ctx, p->id, tx);
}

static void tx_accepted(struct sync *s, struct tx *tx)
{
    tx_request_forget(s, tx->txid.b);
    tx_request_forget(s, tx->wtxid.b);
    orphans_parent_arrived(s, tx);
    orphan_remove(s, &tx->wtxid);
    sync_announce_tx(s, tx);
}

static bool has_rejected_parent(struct sync *s, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (recent_has(&s->rejects, tx->in[i].prevout.txid.b))
            return true;
    return false;
}

static void tx_missing_inputs(struct sync *s, struct peer *p, struct tx *tx)
{
    if (orphan_known(s, &tx->wtxid) || recent_has(&s->rejects, tx->wtxid.b))
        return;
    if (has_rejected_parent(s, tx)) {
        log_debug(LOG_MEMPOOL, "not keeping orphan with rejected parents %s (wtxid=%s)", txid_hex(&tx->txid).s,
                  wtxid_hex(&tx->wtxid).s);
        recent_add(&s->rejects, tx->txid.b);
        recent_add(&s->rejects, tx->wtxid.b);
    } else if (p) {
        orphan_add(s, p, tx);
    }
    tx_request_forget(s, tx->txid.b);
    tx_request_forget(s, tx->wtxid.b);
}

static void tx_rejected(struct sync *s, struct peer *p, peer_id from, struct tx *tx, const struct verdict *v)
{
    char text[VERDICT_STRING_SIZE];

    log_debug(LOG_MEMPOOLREJ, "%s (wtxid=%s) from peer=%" PRId64 " was not accepted: %s", txid_hex(&tx->txid).s,
              wtxid_hex(&tx->wtxid).s, from, verdict_string(v, text));
    if (v->code == TX_MISSING_INPUTS) {
        tx_missing_inputs(s, p, tx);
        return;
    }
    if (v->code != TX_WITNESS_STRIPPED) {
        /* Not by txid: somebody may have changed the witness of a good transaction. Inputs that are not standard have no other witness. */
        recent_add(&s->rejects, tx->wtxid.b);
        tx_request_forget(s, tx->wtxid.b);
        if (v->code == TX_INPUTS_NOT_STANDARD && tx->has_witness) {
            recent_add(&s->rejects, tx->txid.b);
            tx_request_forget(s, tx->txid.b);
        }
    }
    orphan_remove(s, &tx->wtxid);
}

void sync_tx_done(struct sync *s, peer_id peer, struct tx *tx, const struct mempool_result_summary *r)
{
    struct peer *p = sync_peer(s, peer), *q, *tmp;

    job_end(p);
    if (r->accepted) {
        tx_accepted(s, tx);
        if (p)
            p->last_tx = time_now();
    } else if (r->verdict.kind == VERDICT_INVALID) {
        tx_rejected(s, p, peer, tx, &r->verdict);
    }
    if (p)
        peer_advance(s, p);
    if (r->accepted && s->orphans) /* other peers' orphans may go on as well */
        HASH_ITER (hh, s->peers, q, tmp)
            if (q != p)
                orphans_run(s, q);
}
