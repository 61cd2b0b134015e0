/* orphans.c - what is done about transactions whose parents are missing: kept in the orphanage, the parents asked of all who announced them,
 * tried again when a parent has come. Loop thread. */
#include <string.h>

#include "sync/internal.h"

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct txid));
}

size_t tx_parents(const struct tx *tx, struct txid **out)
{
    struct txid *list = xmalloc((tx->n_in + (size_t)1) * sizeof(*list));
    size_t n = 0;

    for (uint32_t i = 0; i < tx->n_in; i++)
        list[i] = tx->in[i].prevout->txid;
    qsort(list, tx->n_in, sizeof(*list), by_bytes);
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (i == 0 || !txid_equal(&list[i], &list[n - 1]))
            list[n++] = list[i];
    *out = list;
    return n;
}

size_t tx_parents_missing(struct sync *s, struct txid *parents, size_t n)
{
    size_t left = 0;

    for (size_t i = 0; i < n; i++)
        if (!tx_already_have(s, parents[i].b, false, false)) /* one that was low on fees may be paid for by its child */
            parents[left++] = parents[i];
    return left;
}

/* A refused parent is no hope, nor are two that are low on fees: a child can only pay for one. */
static bool hopeless(struct sync *s, const struct txid *parents, size_t n)
{
    unsigned low = 0;

    for (size_t i = 0; i < n; i++) {
        if (recent_has(&s->rejects, parents[i].b))
            return true;
        if (recent_has(&s->reconsiderable, parents[i].b) && !relay_has(s, parents[i].b, false) && ++low > 1)
            return true;
    }
    return false;
}

static void add_for(struct sync *s, struct peer *p, struct tx *tx, const struct txid *parents, size_t n)
{
    if (tx_fetch_parents(s, p, &tx->wtxid, parents, n))
        orphanage_add(s->orphanage, tx, p->id);
}

/* All who announced the transaction by that id may help. */
static void add_for_announcers(struct sync *s, const uint8_t hash[32], struct tx *tx, const struct txid *parents, size_t n)
{
    struct tx_announcer **list;
    size_t count = tx_requests_candidates(s->requests, hash, &list);

    for (size_t i = 0; i < count; i++) {
        struct peer *p = tx_announcer_ctx(list[i]);
        if (!p->closing)
            add_for(s, p, tx, parents, n);
    }
    free(list);
}

void orphan_found(struct sync *s, struct peer *p, struct tx *tx)
{
    struct txid *parents;
    size_t n = tx_parents(tx, &parents);

    if (hopeless(s, parents, n)) {
        log_debug(LOG_MEMPOOL, "not keeping orphan with rejected parents %s (wtxid=%s)", txid_hex(&tx->txid).s,
                  wtxid_hex(&tx->wtxid).s);
        /* Whatever its witness. */
        recent_add(&s->rejects, tx->txid.b);
        recent_add(&s->rejects, tx->wtxid.b);
    } else {
        n = tx_parents_missing(s, parents, n);
        if (p)
            add_for(s, p, tx, parents, n);
        add_for_announcers(s, tx->txid.b, tx, parents, n);
        if (tx->has_witness)
            add_for_announcers(s, tx->wtxid.b, tx, parents, n);
        for (size_t i = 0; p && i < n; i++)
            recent_add(&p->tx_known, parents[i].b);
    }
    tx_fetch_forget(s, tx);
    free(parents);
}

void orphans_run(struct sync *s, struct peer *p)
{
    struct tx *tx;

    while (!p->closing && (!p->pending || (p->pending_kind == JOB_TX && p->pending < MAX_PENDING_JOBS)) &&
           (tx = orphanage_take_ready(s->orphanage, p->id))) {
        job_begin(p, JOB_TX);
        s->o.host.submit_tx(s->o.host.ctx, p->id, tx);
    }
}

void orphans_run_all(struct sync *s)
{
    peer_id *list;
    size_t n = orphanage_ready_peers(s->orphanage, &list);

    for (size_t i = 0; i < n; i++) {
        struct peer *p = sync_peer(s, list[i]);
        if (p)
            orphans_run(s, p);
    }
    free(list);
}

size_t sync_orphans(struct sync *s, struct orphan_info **out)
{
    return orphanage_list(s->orphanage, out);
}
