/* private_broadcast.c - own transactions told to a few peers over connections made for nothing else (-privatebroadcast), so that nobody can tell
 * whose they are: what is queued, to whom it went, and the few messages of such a connection. The host opens the connections. */
#include <string.h>

#include "primitives/serialize.h"
#include "sync/internal.h"

#define CONNECTIONS_PER_TX 3
#define MAX_TXS 10000
#define MAX_SENDS 1000   /* of one transaction */
#define LIFETIME 180     /* s, of a connection */
#define STALE_UNSENT 300 /* s without anybody's confirmation */
#define STALE_SENT 60    /* s since the last one */
#define PRIVATE_VERSION 70016

/* One time that it was sent, or is about to be. */
struct private_send {
    peer_id peer;
    struct net_addr addr;
    int64_t picked, confirmed; /* time_now; confirmed: 0: not */
};

struct private_tx {
    struct tx *tx;
    struct wtxid wtxid; /* the key */
    int64_t added;
    struct private_send *sends;
    unsigned n_sends;
    UT_hash_handle hh;
};

static void want(struct sync *s, int connections)
{
    if (connections && s->o.host.private_wanted)
        s->o.host.private_wanted(s->o.host.ctx, connections);
}

static bool is_pending(const struct private_tx *t)
{
    return t->n_sends < MAX_SENDS;
}

static unsigned count_confirmed(const struct private_tx *t, int64_t *last)
{
    unsigned n = 0;

    *last = 0;
    for (unsigned i = 0; i < t->n_sends; i++) {
        n += t->sends[i].confirmed != 0;
        if (t->sends[i].confirmed > *last)
            *last = t->sends[i].confirmed;
    }
    return n;
}

static struct private_tx *find(struct sync *s, const struct tx *tx)
{
    struct private_tx *t;
    HASH_FIND(hh, s->private_txs, &tx->wtxid, sizeof(tx->wtxid), t);
    return t;
}

static unsigned drop(struct sync *s, struct private_tx *t)
{
    int64_t last;
    unsigned confirmed = count_confirmed(t, &last);

    HASH_DEL(s->private_txs, t);
    tx_unref(t->tx);
    free(t->sends);
    free(t);
    return confirmed;
}

void private_free_all(struct sync *s)
{
    struct private_tx *t, *tmp;
    HASH_ITER (hh, s->private_txs, t, tmp)
        drop(s, t);
}

/* Connections that are no longer needed for a transaction which so many have confirmed. */
static int needless(unsigned confirmed)
{
    return confirmed < CONNECTIONS_PER_TX ? -(int)(CONNECTIONS_PER_TX - confirmed) : 0;
}

enum private_result sync_private_add(struct sync *s, struct tx *tx)
{
    struct private_tx *t = find(s, tx);
    const char *what = NULL;

    if (t && is_pending(t))
        what = "Ignoring unnecessary request to schedule an already scheduled transaction";
    else if (!t && HASH_COUNT(s->private_txs) >= MAX_TXS)
        what = "Rejecting private broadcast, queue full";
    if (what) {
        log_debug(LOG_PRIVATEBROADCAST, "%s: txid=%s, wtxid=%s", what, txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s);
        return t ? PRIVATE_ALREADY : PRIVATE_FULL;
    }
    if (!t) {
        t = xcalloc(1, sizeof(*t));
        t->tx = tx_ref(tx);
        t->wtxid = tx->wtxid;
        HASH_ADD(hh, s->private_txs, wtxid, sizeof(t->wtxid), t);
    }
    t->n_sends = 0;
    t->added = time_now();
    log_debug(LOG_PRIVATEBROADCAST, "Requesting %d new connections due to txid=%s, wtxid=%s", CONNECTIONS_PER_TX,
              txid_hex(&tx->txid).s, wtxid_hex(&tx->wtxid).s);
    want(s, CONNECTIONS_PER_TX);
    return PRIVATE_ADDED;
}

/* The one that was sent least often, then least often confirmed, then longest ago. */
static struct private_tx *pick(struct sync *s)
{
    struct private_tx *best = NULL;
    int64_t best_last = 0, last;
    unsigned best_confirmed = 0;

    for (struct private_tx *t = s->private_txs; t; t = t->hh.next) {
        int64_t picked = t->n_sends ? t->sends[t->n_sends - 1].picked : 0;
        unsigned confirmed = count_confirmed(t, &last);
        bool better =
            !best || t->n_sends < best->n_sends ||
            (t->n_sends == best->n_sends && (confirmed < best_confirmed || (confirmed == best_confirmed && picked < best_last)));
        if (!is_pending(t) || !better)
            continue;
        best = t;
        best_last = picked;
        best_confirmed = confirmed;
    }
    return best;
}

static bool any_pending(const struct sync *s)
{
    for (const struct private_tx *t = s->private_txs; t; t = t->hh.next)
        if (is_pending(t))
            return true;
    return false;
}

/* ---- its connection ---- */

bool peer_private(const struct peer *p)
{
    return p->facts.type == CONN_PRIVATE_BROADCAST;
}

bool private_may_send(const char *type)
{
    static const char *const allowed[] = {"version", "verack", "inv", "tx", "ping"};

    for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
        if (strcmp(type, allowed[i]) == 0)
            return true;
    return false;
}

bool private_may_handle(const struct peer *p, const char *type)
{
    if (p->handshake_done ? strcmp(type, "pong") == 0 || strcmp(type, "getdata") == 0
                          : strcmp(type, "version") == 0 || strcmp(type, "verack") == 0)
        return true;
    log_debug(LOG_PRIVATEBROADCAST, "Ignoring incoming message '%s', peer=%" PRId64, type, p->id);
    return false;
}

/* Nothing in it may tell one node from another. */
void private_fill_version(struct msg_version *v)
{
    uint64_t nonce = v->nonce;

    memset(v, 0, sizeof(*v));
    v->version = PRIVATE_VERSION;
    v->nonce = nonce;
    v->addr_recv.network = NET_IPV6;
    memcpy(v->user_agent, "/pynode:0.0.1/", sizeof("/pynode:0.0.1/"));
}

void private_on_version(struct sync *s, struct peer *p)
{
    if (p->relay_txs) {
        peer_send(s, p, "verack", NULL, 0);
        return;
    }
    log_debug(LOG_PRIVATEBROADCAST, "Disconnecting: does not support transaction relay (connected in vain), peer=%" PRId64, p->id);
    peer_disconnect(s, p);
}

void private_on_verack(struct sync *s, struct peer *p)
{
    struct private_tx *t = pick(s);
    struct inv item = {.type = INV_TX};
    struct writer w = WRITER_INIT;

    p->handshake_done = true;
    if (!t) {
        log_debug(LOG_PRIVATEBROADCAST,
                  "Disconnecting: no more transactions for private broadcast (connected in vain), peer=%" PRId64, p->id);
        peer_disconnect(s, p);
        return;
    }
    t->sends = xrealloc(t->sends, (t->n_sends + 1) * sizeof(*t->sends));
    t->sends[t->n_sends++] = (struct private_send){.peer = p->id, .addr = p->facts.remote, .picked = time_now()};
    p->private_tx = tx_ref(t->tx);
    log_debug(LOG_PRIVATEBROADCAST, "P2P handshake completed, sending INV for txid=%s%s%s, peer=%" PRId64, txid_hex(&t->tx->txid).s,
              t->tx->has_witness ? ", wtxid=" : "", t->tx->has_witness ? wtxid_hex(&t->wtxid).s : "", p->id);
    memcpy(item.hash, t->tx->txid.b, 32);
    msg_inv_encode(&w, &item, 1);
    peer_send_writer(s, p, "inv", &w);
}

void private_on_getdata(struct sync *s, struct peer *p, const struct inv *items, size_t n)
{
    struct writer w = WRITER_INIT;

    if (!p->private_tx || n != 1 || !inv_is_tx(&items[0]) || memcmp(items[0].hash, p->private_tx->txid.b, 32) != 0) {
        log_debug(LOG_PRIVATEBROADCAST, "Disconnecting: got an unexpected GETDATA message, peer=%" PRId64, p->id);
        peer_disconnect(s, p);
        return;
    }
    tx_write(&w, p->private_tx, true);
    peer_send_writer(s, p, "tx", &w);
    p->ping_queued = true; /* its answer says that the transaction has been read */
    ping_flush(s, p);
}

void private_on_pong(struct sync *s, struct peer *p)
{
    struct private_tx *t = p->private_tx ? find(s, p->private_tx) : NULL;

    for (unsigned i = 0; t && i < t->n_sends; i++)
        if (t->sends[i].peer == p->id)
            t->sends[i].confirmed = time_now();
    p->private_confirmed = true;
    log_debug(LOG_PRIVATEBROADCAST,
              "Got a PONG (the transaction will probably reach the network), marking for disconnect, peer=%" PRId64, p->id);
    peer_disconnect(s, p);
}

void private_flush(struct sync *s, struct peer *p)
{
    if (p->closing || p->connected + LIFETIME >= time_now())
        return;
    log_debug(LOG_PRIVATEBROADCAST, "Disconnecting: did not complete the transaction send within %d seconds, peer=%" PRId64,
              LIFETIME, p->id);
    peer_disconnect(s, p);
}

void private_forget_peer(struct sync *s, struct peer *p)
{
    if (peer_private(p) && !p->private_confirmed && any_pending(s))
        want(s, 1);
}

void private_received(struct sync *s, const struct peer *p, const struct tx *tx)
{
    struct private_tx *t = find(s, tx);

    if (!t)
        return;
    log_debug(LOG_PRIVATEBROADCAST,
              "Received our privately broadcast transaction (txid=%s) from the network from peer=%" PRId64
              "; stopping private broadcast attempts",
              txid_hex(&tx->txid).s, p->id);
    want(s, needless(drop(s, t)));
}

/* ---- for the owner ---- */

static void push(struct tx ***list, size_t *n, struct tx *tx)
{
    *list = xrealloc(*list, (*n + 1) * sizeof(**list));
    (*list)[(*n)++] = tx_ref(tx);
}

size_t sync_private_stale(struct sync *s, struct tx ***out)
{
    int64_t now = time_now(), last;
    size_t n = 0;

    *out = NULL;
    for (struct private_tx *t = s->private_txs; t; t = t->hh.next)
        if (is_pending(t) && (count_confirmed(t, &last) ? last < now - STALE_SENT : t->added < now - STALE_UNSENT))
            push(out, &n, t->tx);
    return n;
}

void sync_private_settle(struct sync *s, struct tx *tx, const char *why)
{
    struct private_tx *t = find(s, tx);

    if (!t)
        return;
    if (why) {
        log_debug(LOG_PRIVATEBROADCAST, "Giving up broadcast attempts for txid=%s wtxid=%s: %s", txid_hex(&tx->txid).s,
                  wtxid_hex(&tx->wtxid).s, why);
        drop(s, t);
    } else {
        log_debug(LOG_PRIVATEBROADCAST, "Reattempting broadcast of stale txid=%s wtxid=%s", txid_hex(&tx->txid).s,
                  wtxid_hex(&tx->wtxid).s);
        want(s, 1);
    }
}

size_t sync_private_abort(struct sync *s, const uint8_t id[32], struct tx ***out)
{
    struct private_tx *t, *tmp;
    size_t n = 0;

    *out = NULL;
    HASH_ITER (hh, s->private_txs, t, tmp) {
        if (memcmp(t->wtxid.b, id, 32) != 0 && memcmp(t->tx->txid.b, id, 32) != 0)
            continue;
        push(out, &n, t->tx);
        want(s, needless(drop(s, t)));
    }
    return n;
}

size_t sync_private_list(struct sync *s, struct private_info **out)
{
    size_t n = 0, sends = 0;
    struct private_peer *next;

    for (const struct private_tx *t = s->private_txs; t; t = t->hh.next)
        sends += t->n_sends;
    *out = xcalloc(1, (HASH_COUNT(s->private_txs) + 1) * sizeof(**out) + sends * sizeof(*next));
    next = (struct private_peer *)(*out + HASH_COUNT(s->private_txs) + 1);
    for (const struct private_tx *t = s->private_txs; t; t = t->hh.next, n++) {
        (*out)[n] = (struct private_info){t->tx, t->added, MAX_SENDS - t->n_sends, next, t->n_sends};
        for (unsigned i = 0; i < t->n_sends; i++)
            *next++ = (struct private_peer){t->sends[i].addr, t->sends[i].picked, t->sends[i].confirmed};
    }
    return n;
}
