/* tx_fetch.c - when which peer is asked for a transaction: the delays and limits of announcements, and the getdata that follows
 * (tx_request.h keeps the order). Loop thread. */
#include <string.h>

#include "sync/internal.h"

#define MAX_ANNOUNCEMENTS 5000
#define ALL_ANNOUNCEMENTS 200000 /* of all inbound peers: beyond that each has its share only */
#define MAX_IN_FLIGHT 100
#define EXPIRY (60 * US)
#define DELAY (2 * US) /* for each reason to wait: not preferred, txid only, overloaded */
#define GETDATA_PART 1000

static int64_t delay_for(const struct sync *s, const struct peer *p, bool is_wtxid)
{
    int64_t delay = p->preferred ? 0 : DELAY;

    if (!is_wtxid && s->n_wtxid_peers > 0)
        delay += DELAY;
    if (!peer_has(p, PERM_RELAY) && tx_announcer_in_flight(p->announcer) >= MAX_IN_FLIGHT)
        delay += DELAY;
    return delay;
}

/* May n more announcements of p be kept? A thousand peers with 5,000 each would be more than a gigabyte. */
static bool has_room(const struct sync *s, const struct peer *p, size_t n)
{
    size_t bound = s->o.max_announcements ? s->o.max_announcements : ALL_ANNOUNCEMENTS;
    size_t count = tx_announcer_count(p->announcer) + n;

    if (peer_has(p, PERM_RELAY))
        return true;
    if (count > MAX_ANNOUNCEMENTS)
        return false;
    return !peer_inbound(p) || tx_requests_size(s->requests) + n <= bound || count <= bound / HASH_COUNT(s->peers);
}

bool tx_fetch_parents(struct sync *s, struct peer *p, const struct wtxid *orphan, const struct txid *parents, size_t n)
{
    int64_t time;

    if (!p->announcer || orphanage_has_from(s->orphanage, orphan, p->id))
        return false;
    if (!has_room(s, p, n))
        return false;
    time = time_now_us() + delay_for(s, p, false);
    for (size_t i = 0; i < n; i++)
        tx_requests_announced(s->requests, p->announcer, parents[i].b, false, p->preferred, time);
    log_debug(LOG_TXPACKAGES, "added peer=%" PRId64 " as a candidate for resolving orphan %s", p->id, wtxid_hex(orphan).s);
    return true;
}

/* Somebody else has an orphan of ours, and so probably its parents. */
static void orphan_announced(struct sync *s, struct peer *p, const struct tx *tx)
{
    struct wtxid id = tx->wtxid;
    struct txid *parents;
    size_t n;

    if (orphanage_has_from(s->orphanage, &id, p->id))
        return; /* before anything that grows with its inputs */
    n = tx_parents(tx, &parents);
    n = tx_parents_missing(s, parents, n);
    if (n && tx_fetch_parents(s, p, &id, parents, n))
        orphanage_add_announcer(s->orphanage, &id, p->id);
    free(parents);
}

bool tx_fetch_announced(struct sync *s, struct peer *p, const uint8_t hash[32], bool is_wtxid)
{
    struct wtxid id;

    memcpy(id.b, hash, 32);
    if (is_wtxid && orphanage_get(s->orphanage, &id)) {
        orphan_announced(s, p, orphanage_get(s->orphanage, &id));
        return true;
    }
    if (tx_already_have(s, hash, is_wtxid, true))
        return true;
    if (!p->announcer || !has_room(s, p, 1))
        return false;
    tx_requests_announced(s->requests, p->announcer, hash, is_wtxid, p->preferred, time_now_us() + delay_for(s, p, is_wtxid));
    return false;
}

void tx_fetch_answered(struct sync *s, struct peer *p, const uint8_t hash[32])
{
    if (p->announcer)
        tx_requests_answered(s->requests, p->announcer, hash);
}

void tx_fetch_forget(struct sync *s, const struct tx *tx)
{
    tx_requests_forget(s->requests, tx->txid.b);
    if (tx->has_witness)
        tx_requests_forget(s->requests, tx->wtxid.b);
}

static void on_expired(void *ctx, struct tx_announcer *a, const uint8_t hash[32], bool is_wtxid)
{
    struct hash_hex hex = hash_to_hex(hash);

    (void)ctx;
    log_debug(LOG_NET, "timeout of inflight %s %s from peer=%" PRId64, is_wtxid ? "wtx" : "tx", hex.s, tx_announcer_id(a));
}

void tx_fetch_flush(struct sync *s, struct peer *p, struct writer *getdata, size_t *n_getdata)
{
    uint32_t plain = peer_serves_witness(p) ? INV_WITNESS_TX : INV_TX;
    int64_t now = time_now_us();
    struct tx_wanted *list;
    size_t n;

    tx_requests_advance(s->requests, now, on_expired, NULL);
    if (!p->announcer)
        return;
    n = tx_requests_wanted(s->requests, p->announcer, &list);
    for (size_t i = 0; i < n; i++) {
        const struct tx_wanted *w = &list[i];
        struct hash_hex hex;
        if (tx_already_have(s, w->hash, w->is_wtxid, false)) {
            tx_requests_forget(s->requests, w->hash);
            continue;
        }
        hex = hash_to_hex(w->hash);
        log_debug(LOG_NET, "Requesting %s %s peer=%" PRId64, w->is_wtxid ? "wtx" : "tx", hex.s, p->id);
        tx_requests_asked(s->requests, p->announcer, w->hash, now + EXPIRY);
        write_u32(getdata, w->is_wtxid ? INV_WTX : plain);
        write_bytes(getdata, w->hash, 32);
        (*n_getdata)++;
    }
    free(list);
}

void tx_fetch_due(struct sync *s)
{
    struct tx_announcer *a;

    tx_requests_advance(s->requests, time_now_us(), on_expired, NULL);
    while ((a = tx_requests_ready(s->requests))) {
        struct peer *p = tx_announcer_ctx(a);
        if (p->closing) {
            tx_announcer_free(s->requests, a);
            p->announcer = NULL;
        } else {
            struct writer items = WRITER_INIT;
            size_t n = 0;
            tx_fetch_flush(s, p, &items, &n);
            peer_send_getdata(s, p, &items, n);
        }
    }
}
