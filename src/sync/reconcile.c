/* reconcile.c - the handshake of transaction reconciliation (BIP330) behind -txreconciliation: who offers it and when an offer breaks the rules.
 * As in Bitcoin Core that is all of it: transactions are still announced one by one. Called by handshake.c and dispatch.c. */
#include "primitives/serialize.h"
#include "sync/internal.h"

#define RECONCILE_VERSION 1u

void reconcile_offer(struct sync *s, struct peer *p)
{
    struct writer w = WRITER_INIT;

    if (!s->o.tx_reconciliation || !p->tx_relay || !p->relay_txs || p->facts.type == CONN_ADDR_FETCH || s->o.blocks_only)
        return;
    log_debug(LOG_TXRECONCILIATION, "Pre-register peer=%" PRId64, p->id);
    p->reconcile = RECONCILE_OFFERED;
    write_u32(&w, RECONCILE_VERSION);
    write_u64(&w, rng_u64(&s->rng)); /* our half of the salt */
    peer_send_writer(s, p, "sendtxrcncl", &w);
}

void reconcile_forget(struct peer *p)
{
    if (p->reconcile == RECONCILE_NONE)
        return;
    p->reconcile = RECONCILE_NONE;
    log_debug(LOG_TXRECONCILIATION, "Forget txreconciliation state of peer=%" PRId64, p->id);
}

/* The peer's offer meets ours. Returns: false with the reason to disconnect in *why. */
static bool take_offer(struct peer *p, uint32_t version, const char **why)
{
    if (p->reconcile == RECONCILE_NONE) {
        log_debug(LOG_NET, "Ignore unexpected txreconciliation signal from peer=%" PRId64, p->id);
    } else if (p->reconcile == RECONCILE_REGISTERED) {
        *why = "txreconciliation protocol violation (sendtxrcncl received from already registered peer)";
        return false;
    } else if (version < RECONCILE_VERSION) { /* a later version than ours comes down to ours */
        *why = "txreconciliation protocol violation";
        return false;
    } else {
        log_debug(LOG_TXRECONCILIATION, "Register peer=%" PRId64 " (inbound=%d)", p->id, peer_inbound(p));
        p->reconcile = RECONCILE_REGISTERED;
    }
    return true;
}

void on_sendtxrcncl(struct sync *s, struct peer *p, const struct message *m)
{
    struct reader r = reader_make(m->payload, m->len);
    const char *why = NULL;
    uint32_t version;

    if (!s->o.tx_reconciliation) {
        log_debug(LOG_NET, "sendtxrcncl from peer=%" PRId64 " ignored, as our node does not have txreconciliation enabled", p->id);
        return;
    }
    if (p->handshake_done) {
        why = "sendtxrcncl received after verack";
    } else if (tx_refuses(s, p)) {
        why = "sendtxrcncl received to which we indicated no tx relay";
    } else if (!p->tx_relay || !p->relay_txs) {
        why = "sendtxrcncl received which indicated no tx relay to us";
    } else {
        version = read_u32(&r);
        read_u64(&r);
        if (r.failed) {
            peer_malformed(p, m, "DataStream::read(): end of data");
            return;
        }
        if (take_offer(p, version, &why))
            return;
    }
    log_debug(LOG_NET, "%s, " DISCONNECT_FMT, why, p->id);
    peer_disconnect(s, p);
}
