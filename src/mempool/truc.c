/* truc.c - version 3 transactions (BIP431: one unconfirmed parent, one child, small) and dust that its child must spend. Called by accept.c;
 * validation thread. */
#include "mempool/internal.h"

#define TRUC_VERSION 3
#define TRUC_MAX_RELATIVES 2 /* ancestors or descendants, itself included */
#define TRUC_MAX_VSIZE 10000
#define TRUC_CHILD_MAX_VSIZE 1000

#define WHO "%s (wtxid=%s)"
#define WHO_OF(tx) txid_hex(&(tx)->txid).s, wtxid_hex(&(tx)->wtxid).s

static const char violation[] = "TRUC-violation";

static bool check_inheritance(struct attempt *a)
{
    const struct tx *tx = a->tx;
    for (uint32_t i = 0; i < a->entry->n_parents; i++) {
        const struct tx *parent = a->entry->parent[i]->pub.tx;
        if (tx->version != TRUC_VERSION && parent->version == TRUC_VERSION)
            return verdict_invalid(a->v, TX_MEMPOOL_POLICY, violation,
                                   "non-version=3 tx " WHO " cannot spend from version=3 tx " WHO, WHO_OF(tx), WHO_OF(parent));
        if (tx->version == TRUC_VERSION && parent->version != TRUC_VERSION)
            return verdict_invalid(a->v, TX_MEMPOOL_POLICY, violation,
                                   "version=3 tx " WHO " cannot spend from non-version=3 tx " WHO, WHO_OF(tx), WHO_OF(parent));
    }
    return true;
}

static unsigned count_ancestors(const struct entry *e)
{
    return (unsigned)__builtin_popcountll(e->cluster->tx[e->at].ancestors);
}

static unsigned count_descendants(const struct entry *e)
{
    return (unsigned)__builtin_popcountll(e->cluster->tx[e->at].descendants);
}

static bool is_direct_conflict(const struct attempt *a, const struct entry *e)
{
    for (size_t i = 0; i < a->direct.n; i++) {
        if (a->direct.e[i] == e)
            return true;
    }
    return false;
}

/* The parent may have no other child, unless that one goes: as a conflict, or, if it is alone with its parent, as a sibling that must be
 * outbid like a conflict. */
static bool check_sibling(struct attempt *a, struct entry *parent)
{
    const struct cluster *c = parent->cluster;
    struct entry *sibling = NULL;

    for (uint64_t set = c->tx[parent->at].descendants & ~(1ull << parent->at); set; set &= set - 1) {
        struct entry *child = c->tx[__builtin_ctzll(set)].e;
        if (is_direct_conflict(a, child))
            return true;
        if (!sibling)
            sibling = child;
    }
    if (!sibling)
        return true;
    if (!a->rules->never_evict && count_descendants(parent) == TRUC_MAX_RELATIVES &&
        count_ancestors(sibling) == TRUC_MAX_RELATIVES) {
        pool_list_add(&a->direct, sibling);
        a->sibling = true;
        return true;
    }
    return verdict_invalid(a->v, TX_MEMPOOL_POLICY, violation, "tx " WHO " would exceed descendant count limit",
                           WHO_OF(parent->pub.tx));
}

bool attempt_check_truc(struct attempt *a)
{
    const struct entry *e = a->entry;
    const struct tx *tx = a->tx;

    if (!check_inheritance(a))
        return false;
    if (tx->version != TRUC_VERSION)
        return true;
    if (entry_vsize(e) > TRUC_MAX_VSIZE)
        return verdict_invalid(a->v, TX_MEMPOOL_POLICY, violation, "version=3 tx " WHO " is too big: %lld > %d virtual bytes",
                               WHO_OF(tx), (long long)entry_vsize(e), TRUC_MAX_VSIZE);
    if (e->n_parents + 1 > TRUC_MAX_RELATIVES || (e->n_parents && count_ancestors(e->parent[0]) + 1 > TRUC_MAX_RELATIVES))
        return verdict_invalid(a->v, TX_MEMPOOL_POLICY, violation, "tx " WHO " would have too many ancestors", WHO_OF(tx));
    if (!e->n_parents)
        return true;
    if (entry_vsize(e) > TRUC_CHILD_MAX_VSIZE)
        return verdict_invalid(a->v, TX_MEMPOOL_POLICY, violation, "version=3 child tx " WHO " is too big: %lld > %d virtual bytes",
                               WHO_OF(tx), (long long)entry_vsize(e), TRUC_CHILD_MAX_VSIZE);
    return check_sibling(a, e->parent[0]);
}

static bool spends(const struct tx *tx, const struct txid *id, uint32_t n)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].prevout->n == n && txid_equal(&tx->in[i].prevout->txid, id))
            return true;
    }
    return false;
}

/* ---- in a package ---- */

static bool spends_of(const struct tx *tx, const struct tx *parent)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (txid_equal(&tx->in[i].prevout->txid, &parent->txid))
            return true;
    }
    return false;
}

static bool check_package_inheritance(const struct attempt *all, size_t i, struct verdict *v)
{
    const struct tx *tx = all[i].tx;

    for (size_t k = 0; k < i; k++) {
        if (all[k].tx->version == TRUC_VERSION && spends_of(tx, all[k].tx))
            return verdict_invalid(v, TX_MEMPOOL_POLICY, violation, "non-version=3 tx " WHO " cannot spend from version=3 tx " WHO,
                                   WHO_OF(tx), WHO_OF(all[k].tx));
    }
    return true;
}

/* No other of the package may spend from its parent, and none from itself. */
static bool check_package_family(const struct attempt *all, size_t n, size_t i, const struct tx *parent, struct verdict *v)
{
    const struct tx *tx = all[i].tx;

    for (size_t k = 0; k < n; k++) {
        for (uint32_t in = 0; k != i && in < all[k].tx->n_in; in++) {
            const struct txid *from = &all[k].tx->in[in].prevout->txid;
            if (txid_equal(from, &parent->txid))
                return verdict_invalid(v, TX_MEMPOOL_POLICY, violation, "tx " WHO " would exceed descendant count limit",
                                       WHO_OF(parent));
            if (txid_equal(from, &tx->txid))
                return verdict_invalid(v, TX_MEMPOOL_POLICY, violation, "tx " WHO " would have too many ancestors",
                                       WHO_OF(all[k].tx));
        }
    }
    return true;
}

bool attempts_check_truc(const struct attempt *all, size_t n, size_t i, struct verdict *v)
{
    const struct entry *e = all[i].entry, *pool_parent = e->n_parents ? e->parent[0] : NULL;
    const struct tx *tx = all[i].tx, *parent = pool_parent ? pool_parent->pub.tx : NULL;
    size_t package_parents = 0;

    if (tx->version != TRUC_VERSION)
        return check_package_inheritance(all, i, v); /* those in the pool were looked at with the transaction itself */
    for (size_t k = 0; k < i; k++) {
        if (!spends_of(tx, all[k].tx))
            continue;
        package_parents++;
        if (!parent)
            parent = all[k].tx;
    }
    if (e->n_parents + package_parents + 1 > TRUC_MAX_RELATIVES ||
        (pool_parent && count_ancestors(pool_parent) + package_parents + 1 > TRUC_MAX_RELATIVES))
        return verdict_invalid(v, TX_MEMPOOL_POLICY, violation, "tx " WHO " would have too many ancestors", WHO_OF(tx));
    if (!parent)
        return true;
    if (entry_vsize(e) > TRUC_CHILD_MAX_VSIZE)
        return verdict_invalid(v, TX_MEMPOOL_POLICY, violation, "version=3 child tx " WHO " is too big: %lld > %d virtual bytes",
                               WHO_OF(tx), (long long)entry_vsize(e), TRUC_CHILD_MAX_VSIZE);
    if (parent->version != TRUC_VERSION)
        return verdict_invalid(v, TX_MEMPOOL_POLICY, violation, "version=3 tx " WHO " cannot spend from non-version=3 tx " WHO,
                               WHO_OF(tx), WHO_OF(parent));
    if (!check_package_family(all, n, i, parent, v))
        return false;
    if (pool_parent && count_descendants(pool_parent) > 1)
        return verdict_invalid(v, TX_MEMPOOL_POLICY, violation, "tx " WHO " would exceed descendant count limit", WHO_OF(parent));
    return true;
}

/* ---- dust ---- */

bool attempt_check_dust_spends(struct attempt *a)
{
    for (uint32_t i = 0; i < a->entry->n_parents; i++) {
        const struct tx *parent = a->entry->parent[i]->pub.tx;
        for (uint32_t k = 0; k < parent->n_out; k++) {
            if (policy_is_dust(&parent->out[k], a->m->o.policy.dust_fee_rate) && !spends(a->tx, &parent->txid, k))
                return verdict_invalid(a->v, TX_MEMPOOL_POLICY, "missing-ephemeral-spends",
                                       "tx " WHO " did not spend parent's ephemeral dust", WHO_OF(a->tx));
        }
    }
    return true;
}
