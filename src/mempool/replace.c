/* replace.c - the rules of replacement, for one transaction and for a parent with its child: anything may be replaced, BIP125's signal is not
 * asked for. Called by accept.c and package.c; validation thread. */
#include <stdio.h>
#include <string.h>

#include "mempool/internal.h"
#include "primitives/amount.h"
#include "util/log.h"

bool attempt_check_replacement(struct attempt *a, struct change *c)
{
    const struct entry *e = a->entry;

    if (!change_gather_conflicts(
            c, &a->tx->txid,
            a->sibling ? "too many potential replacements (including sibling eviction)" : "too many potential replacements", a->v))
        return false;
    if (!policy_pays_for_replacement(&a->m->o.policy, &a->tx->txid, c->old_fees, e->pub.modified_fee, entry_vsize(e),
                                     a->sibling ? "insufficient fee (including sibling eviction)" : "insufficient fee", a->v))
        return false;
    if (!change_within_limits(c))
        return verdict_invalid(a->v, TX_MEMPOOL_POLICY, "too-large-cluster", NULL);
    if (!change_improves(c))
        return verdict_invalid(a->v, TX_RECONSIDERABLE, "replacement-failed",
                               "insufficient feerate: does not improve feerate diagram");
    return true;
}

/* Nothing may spend what it takes away itself. */
bool attempt_check_ancestry(struct attempt *a)
{
    const struct txid *first = NULL; /* by its bytes, of those that are both */

    for (uint32_t i = 0; i < a->entry->n_parents; i++) {
        const struct entry *parent = a->entry->parent[i];
        for (size_t k = 0; k < a->direct.n; k++) {
            const struct entry *d = a->direct.e[k];
            const struct txid *id = &d->pub.tx->txid;
            if (d->cluster == parent->cluster && parent->cluster->tx[parent->at].ancestors >> d->at & 1 &&
                (!first || memcmp(id->b, first->b, sizeof(id->b)) < 0))
                first = id;
        }
    }
    return !first || verdict_invalid(a->v, TX_CONSENSUS, "bad-txns-spends-conflicting-tx", "%s spends conflicting transaction %s",
                                     txid_hex(&a->tx->txid).s, txid_hex(first).s);
}

/* ---- a parent and its child ---- */

struct rate_text {
    char s[48];
};
static struct rate_text rate_text(int64_t fee, int64_t vsize)
{
    struct rate_text t;
    char amount[24];
    amount_format(amount, policy_rate(fee, vsize));
    snprintf(t.s, sizeof(t.s), "%s BTC/kvB", amount);
    return t;
}

/* Only two that stand alone: what else they depended on might be what they replace, and the pair must be a chunk of its own. */
static bool pair_stands_alone(const struct attempt *all, size_t n, struct verdict *v)
{
    struct tx *txs[2];

    for (size_t i = 0; i < 2 && i < n; i++)
        txs[i] = all[i].tx;
    if (n != 2 || !policy_is_child_with_parents(txs, n, false))
        return verdict_invalid(v, TX_MEMPOOL_POLICY, "package RBF failed: package must be 1-parent-1-child", NULL);
    for (size_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < all[i].entry->n_parents; k++) {
            if (all[i].entry->parent[k]->in_pool)
                return verdict_invalid(v, TX_MEMPOOL_POLICY, "package RBF failed: new transaction cannot have mempool ancestors",
                                       NULL);
        }
    }
    return true;
}

static bool pair_pays(const struct attempt *all, const struct change *c, struct verdict *v)
{
    const struct entry *parent = all[0].entry, *child = all[1].entry;
    int64_t fees = fee_add(parent->pub.modified_fee, child->pub.modified_fee), vsize = entry_vsize(parent) + entry_vsize(child);

    if (!policy_pays_for_replacement(&c->m->o.policy, &child->pub.tx->txid, c->old_fees, fees, vsize,
                                     "package RBF failed: insufficient anti-DoS fees", v))
        return false;
    if (rate_cmp((struct fee_weight){fees, vsize}, (struct fee_weight){parent->pub.modified_fee, entry_vsize(parent)}) <= 0)
        return verdict_invalid(v, TX_MEMPOOL_POLICY, "package RBF failed: package feerate is less than or equal to parent feerate",
                               "package feerate %s <= parent feerate is %s", rate_text(fees, vsize).s,
                               rate_text(parent->pub.modified_fee, entry_vsize(parent)).s);
    return true;
}

bool attempts_check_replacement(const struct attempt *all, size_t n, struct change *c, struct verdict *v)
{
    struct tx *txs[2];

    if (!pair_stands_alone(all, n, v) ||
        !change_gather_conflicts(c, &all[1].tx->txid, "package RBF failed: too many potential replacements", v) ||
        !pair_pays(all, c, v))
        return false;
    if (!change_within_limits(c))
        return verdict_invalid(v, TX_MEMPOOL_POLICY, "too-large-cluster", NULL);
    if (!change_improves(c))
        return verdict_invalid(v, TX_MEMPOOL_POLICY, "package RBF failed: insufficient feerate: does not improve feerate diagram",
                               NULL);
    txs[0] = all[0].tx;
    txs[1] = all[1].tx;
    log_debug(LOG_TXPACKAGES, "package RBF checks passed: parent %s (wtxid=%s), child %s (wtxid=%s), package hash (%s)",
              txid_hex(&txs[0]->txid).s, wtxid_hex(&txs[0]->wtxid).s, txid_hex(&txs[1]->txid).s, wtxid_hex(&txs[1]->wtxid).s,
              hash_to_hex(policy_package_hash(txs, 2).b).s);
    return true;
}
