/* tx_package.c - a parent that is low on fees, and a child of the same peer that may pay for both: submitted together (one-parent-one-child
 * package relay). Loop thread. */
#include "policy/policy.h"
#include "sync/internal.h"

static struct hash256 package_name(struct tx *parent, struct tx *child)
{
    struct tx *const both[2] = {parent, child};
    return policy_package_hash(both, 2);
}

void package_try(struct sync *s, struct peer *p, struct tx *parent)
{
    struct tx **children;
    size_t n;

    if (p->closing)
        return;
    /* Of the same peer only: nobody else can keep us busy with children that do not pay. */
    n = orphanage_children(s->orphanage, parent, p->id, &children);
    for (size_t i = 0; i < n; i++) {
        struct hash256 name = package_name(parent, children[i]);
        if (recent_has(&s->reconsiderable, name.b) || recent_has(&s->rejects, children[i]->txid.b))
            continue;
        job_begin(p, JOB_TX);
        s->o.host.submit_package(s->o.host.ctx, p->id, tx_ref(parent), tx_ref(children[i]));
        break;
    }
    free(children);
}

void sync_package_done(struct sync *s, peer_id peer, struct tx *parent, struct tx *child, const struct package_result_summary *r)
{
    struct peer *p = sync_peer(s, peer);
    struct tx *const txs[2] = {parent, child};

    job_end(p);
    log_debug(LOG_TXPACKAGES,
              "package evaluation for parent %s (wtxid=%s, sender=%" PRId64 ") + child %s (wtxid=%s, sender=%" PRId64 "): %s",
              txid_hex(&parent->txid).s, wtxid_hex(&parent->wtxid).s, peer, txid_hex(&child->txid).s, wtxid_hex(&child->wtxid).s,
              peer, r->valid ? "package accepted" : "package rejected");
    if (!r->valid) {
        struct hash256 name = package_name(parent, child);
        recent_add(&s->reconsiderable, name.b);
    }
    /* The child first: it is no orphan any more when its parent's children are looked for. */
    for (size_t i = 2; i-- > 0;) {
        if (r->tx[i].outcome == PACKAGE_TX_ACCEPTED)
            tx_accepted(s, txs[i]);
        else if (r->tx[i].outcome == PACKAGE_TX_REJECTED)
            tx_rejected(s, p, peer, txs[i], &r->tx[i].verdict, false);
    }
    if (p)
        peer_advance(s, p);
    orphans_run_all(s);
    sync_settle(s);
}
