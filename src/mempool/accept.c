/* accept.c - judging one transaction and adding it. The order of the steps is the order in which faults are reported; what is costly comes
 * last. Called by node and by persist.c and reorg.c; validation thread. */
#include "mempool/internal.h"
#include "util/log.h"
#include "util/time.h"

static bool judge(struct attempt *a)
{
    if (!attempt_check_form(a) || !attempt_find_coins(a) || !attempt_check_inputs(a) || !attempt_make_entry(a))
        return false;
    if (!a->bypass_limits && !attempt_check_truc(a))
        return false;
    if (a->direct.n ? !attempt_check_replacement(a) : !attempt_check_cluster(a))
        return false;
    if (a->direct.n && !attempt_check_ancestry(a))
        return false;
    if (!a->bypass_limits && a->m->o.policy.require_standard && !attempt_check_dust_spends(a))
        return false;
    return attempt_check_scripts(a);
}

static void log_replaced(const struct attempt *a)
{
    for (size_t i = 0; i < a->conflicts.n; i++) {
        const struct mempool_entry *old = &a->conflicts.e[i]->pub, *now = &a->entry->pub;
        log_debug(LOG_MEMPOOL,
                  "replacing mempool tx %s (wtxid=%s, fees=%lld, vsize=%lld). New tx %s (wtxid=%s, fees=%lld, vsize=%lld)",
                  txid_hex(&old->tx->txid).s, wtxid_hex(&old->tx->wtxid).s, (long long)old->fee, (long long)old->vsize,
                  txid_hex(&now->tx->txid).s, wtxid_hex(&now->tx->wtxid).s, (long long)now->modified_fee, (long long)now->vsize);
    }
}

/* The pool takes the entry over; it may push it out again at once if it is full. */
static bool add(struct attempt *a)
{
    struct mempool *m = a->m;
    int64_t fee = a->entry->pub.fee;

    if (a->conflicts.n) {
        log_replaced(a);
        pool_remove(m, a->conflicts.e, a->conflicts.n, REMOVED_REPLACED);
    }
    pool_insert(m, a->entry, a->bypass_limits);
    a->entry = NULL;
    if (!a->bypass_limits) {
        pool_expire(m);
        pool_trim(m, m->o.max_bytes);
        if (!index_find(m, &a->tx->txid))
            return verdict_invalid(a->v, TX_RECONSIDERABLE, "mempool full", NULL);
    }
    if (m->o.events.added)
        m->o.events.added(m->o.events.ctx, a->tx, fee, m->sequence);
    m->sequence++;
    return true;
}

bool pool_accept(struct mempool *m, struct tx *tx, int64_t time, bool test_only, bool bypass_limits, struct mempool_result *r)
{
    struct attempt a = {.m = m, .tx = tx, .test_only = test_only, .bypass_limits = bypass_limits, .time = time, .v = &r->verdict};
    bool ok;

    *r = (struct mempool_result){.kind = MEMPOOL_REJECTED};
    verdict_init(&r->verdict);
    a.tip = m->o.chain.tip(m->o.chain.ctx);
    ok = judge(&a);
    if (a.entry) {
        r->fee = a.entry->pub.fee;
        r->vsize = a.entry->pub.vsize;
        r->n_replaced = a.conflicts.n;
        if (ok || r->verdict.code == TX_RECONSIDERABLE) {
            r->effective_rate = policy_rate(a.entry->pub.modified_fee, a.entry->pub.vsize);
            r->includes = 1;
        }
    }
    if (ok && !test_only)
        ok = add(&a);
    if (ok)
        r->kind = MEMPOOL_ACCEPTED;
    else if (r->verdict.kind == VERDICT_INVALID && index_find_wtxid(m, &tx->wtxid))
        r->kind = MEMPOOL_ALREADY_THERE;
    entry_free(a.entry);
    pool_list_clear(&a.direct);
    pool_list_clear(&a.conflicts);
    pool_list_clear(&a.remaining);
    arena_reset(&m->scratch);
    return ok;
}

bool mempool_accept(struct mempool *m, struct tx *tx, bool test_only, bool bypass_limits, struct mempool_result *r)
{
    return pool_accept(m, tx, time_now(), test_only, bypass_limits, r);
}
