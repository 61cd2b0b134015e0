/* accept.c - judging one transaction and adding it. The order of the steps is the order in which faults are reported; what is costly comes
 * last. Called by node and by package.c, persist.c and reorg.c; validation thread. */
#include <stdlib.h>

#include "mempool/internal.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

void pool_note_replaced(struct mempool_package_result *r, const struct change *c)
{
    if (!r || !c->conflicts.n)
        return;
    r->replaced = (struct txid *)xrealloc(r->replaced, (r->n_replaced + c->conflicts.n) * sizeof(*r->replaced));
    for (size_t i = 0; i < c->conflicts.n; i++)
        r->replaced[r->n_replaced++] = c->conflicts.e[i]->pub.tx->txid;
}

/* What came back from a block, came with others or hangs on something in the pool says nothing of its own fee rate. */
static void tell_fees(struct mempool *m, const struct tx *tx, const struct accept_rules *rules)
{
    struct entry *e = index_find(m, &tx->txid);
    bool counts;

    if (!m->o.fees || !e)
        return;
    counts = !rules->bypass_limits && !rules->trim_later && e->n_parents == 0 &&
             (!m->o.chain.current || m->o.chain.current(m->o.chain.ctx));
    e->fees_mark = fees_tx_added(m->o.fees, (int32_t)e->height, policy_rate(e->pub.fee, entry_vsize(e)), counts);
}

void pool_tell_added(struct mempool *m, struct tx *tx, int64_t fee, const struct accept_rules *rules)
{
    tell_fees(m, tx, rules);
    if (m->o.events.added)
        m->o.events.added(m->o.events.ctx, tx, fee, m->sequence);
    m->sequence++;
}

/* All but the scripts. */
static bool judge_rest(struct attempt *a, struct change *c)
{
    if (!attempt_precheck(a))
        return false;
    c->added[c->n_added++] = a->entry;
    for (size_t i = 0; i < a->direct.n; i++)
        pool_list_add(&c->direct, a->direct.e[i]);
    if (a->direct.n ? !attempt_check_replacement(a, c) : !change_within_limits(c))
        return a->v->kind != VERDICT_VALID ? false : verdict_invalid(a->v, TX_MEMPOOL_POLICY, "too-large-cluster", NULL);
    if (a->direct.n && !attempt_check_ancestry(a))
        return false;
    if (!attempt_check_max_rate(a))
        return false;
    return a->rules->bypass_limits || !a->m->o.policy.require_standard || attempt_check_dust_spends(a);
}

/* The pool takes the entry over; it may push it out again at once if it is full. */
static bool add(struct attempt *a, struct change *c)
{
    struct mempool *m = a->m;
    int64_t fee = a->entry->pub.fee;

    a->entry = NULL;
    change_apply(c);
    if (!a->rules->bypass_limits && !a->rules->trim_later) {
        pool_expire(m);
        pool_trim(m, m->o.max_bytes);
        if (!index_find(m, &a->tx->txid))
            return verdict_invalid(a->v, TX_RECONSIDERABLE, "mempool full", NULL);
    }
    pool_tell_added(m, a->tx, fee, a->rules);
    return true;
}

bool pool_accept(struct mempool *m, struct tx *tx, const struct accept_rules *rules, struct mempool_result *r,
                 struct mempool_package_result *replaced)
{
    struct change change = {.m = m};
    struct attempt a;
    bool ok;

    *r = (struct mempool_result){.kind = MEMPOOL_REJECTED};
    verdict_init(&r->verdict);
    attempt_init(&a, m, tx, rules, &r->verdict);
    ok = judge_rest(&a, &change) && attempt_check_scripts(&a);
    attempt_result(&a, r, ok || r->verdict.code == TX_RECONSIDERABLE);
    r->n_replaced = change.conflicts.n;
    if (ok && rules->max_fee > 0 && r->fee > rules->max_fee) {
        ok = false;
    } else if (ok && !rules->test_only) {
        pool_note_replaced(replaced, &change);
        ok = add(&a, &change);
    }
    if (ok)
        r->kind = MEMPOOL_ACCEPTED;
    else if (r->verdict.kind == VERDICT_INVALID && index_find_wtxid(m, &tx->wtxid))
        r->kind = MEMPOOL_ALREADY_THERE;
    attempt_clear(&a);
    change_clear(&change);
    arena_reset(&m->scratch);
    return ok;
}

struct mempool_scripts *mempool_look(struct mempool *m, struct tx *tx)
{
    const struct accept_rules rules = {.time = time_now(), .test_only = true};
    struct mempool_scripts *scripts = NULL;
    struct change change = {.m = m};
    struct verdict v;
    struct attempt a;

    verdict_init(&v);
    attempt_init(&a, m, tx, &rules, &v);
    if (judge_rest(&a, &change))
        scripts = scripts_new(&a);
    attempt_clear(&a);
    change_clear(&change);
    arena_reset(&m->scratch);
    return scripts;
}

bool mempool_accept(struct mempool *m, struct tx *tx, bool test_only, bool bypass_limits, struct mempool_result *r)
{
    const struct accept_rules rules = {.time = time_now(), .test_only = test_only, .bypass_limits = bypass_limits};

    bool ok = pool_accept(m, tx, &rules, r, NULL);

    if (!bypass_limits)
        pool_check(m);
    return ok;
}

bool mempool_accept_up_to(struct mempool *m, struct tx *tx, int64_t max_fee, struct mempool_result *r)
{
    const struct accept_rules rules = {.time = time_now(), .max_fee = max_fee};
    bool ok = pool_accept(m, tx, &rules, r, NULL);

    pool_check(m);
    return ok;
}
