/* package.c - transactions that are judged together. Each is tried alone first; those that pay too little alone, or lack a parent that does,
 * are then judged as one: their fees together must pay for their size together. Called by node and RPC; validation thread. */
#include <stdlib.h>

#include "mempool/internal.h"
#include "util/assert.h"
#include "util/mem.h"
#include "util/time.h"

/* Some of a package's transactions on their way into the pool together. */
struct together {
    struct mempool *m;
    const struct accept_rules *rules;
    struct attempt try[MEMPOOL_PACKAGE_MAX];
    size_t place[MEMPOOL_PACKAGE_MAX]; /* in the package that the caller gave */
    size_t n;
    struct change change;
    struct verdict verdict; /* of the transaction under test */
    int64_t fees, vsize;
    struct mempool_package_result *r;
};

static bool package_refused(struct mempool_package_result *r, enum mempool_package_kind kind, const char *reason)
{
    r->kind = kind;
    return verdict_invalid(&r->verdict, kind == MEMPOOL_PACKAGE_POLICY ? TX_MEMPOOL_POLICY : TX_UNKNOWN, reason, NULL);
}

/* One of its transactions is at fault. */
static bool refused_for(struct together *t, const struct attempt *a, const char *reason)
{
    struct mempool_result *r = &t->r->tx[t->place[a - t->try]];

    *r = (struct mempool_result){.kind = MEMPOOL_REJECTED, .verdict = t->verdict};
    attempt_result(a, r, false);
    return package_refused(t->r, MEMPOOL_PACKAGE_TX, reason);
}

static uint32_t all_places(const struct together *t)
{
    uint32_t set = 0;
    for (size_t i = 0; i < t->n; i++)
        set |= 1u << t->place[i];
    return set;
}

static bool precheck_all(struct together *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct attempt *a = &t->try[i];
        if (!attempt_precheck(a) || !attempt_check_max_rate(a))
            return refused_for(t, a, "transaction failed");
        t->fees = fee_add(t->fees, a->entry->pub.modified_fee);
        t->vsize += entry_vsize(a->entry);
    }
    for (size_t i = 0; i < t->n; i++) {
        if (!attempts_check_truc(t->try, t->n, i, &t->r->verdict)) {
            t->r->kind = MEMPOOL_PACKAGE_POLICY;
            return false;
        }
    }
    return true;
}

/* From now on the entries know their parents in the package, too. */
static void link_entries(struct together *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct entry *e = t->try[i].entry;
        for (size_t k = 0; k < i; k++) {
            bool spends = false;
            for (uint32_t in = 0; in < e->pub.tx->n_in && !spends; in++)
                spends = txid_equal(&e->pub.tx->in[in].prevout->txid, &t->try[k].tx->txid);
            if (spends)
                entry_add_parent(e, t->try[k].entry);
        }
        t->change.added[t->change.n_added++] = e;
        for (size_t k = 0; k < t->try[i].direct.n; k++)
            pool_list_add(&t->change.direct, t->try[i].direct.e[k]);
    }
}

static bool check_fees(struct together *t)
{
    const struct attempt *child = &t->try[t->n - 1];
    struct mempool_result *r = &t->r->tx[t->place[t->n - 1]];

    if (!t->rules->together || pool_check_fee_rate(t->m, t->fees, t->vsize, &t->verdict))
        return true;
    refused_for(t, child, "transaction failed");
    r->effective_rate = policy_rate(t->fees, t->vsize);
    r->includes = all_places(t);
    return false;
}

static bool check_change(struct together *t)
{
    struct verdict *v = &t->r->verdict;
    bool ok = t->change.direct.n
                  ? attempts_check_replacement(t->try, t->n, &t->change, v)
                  : change_within_limits(&t->change) || verdict_invalid(v, TX_MEMPOOL_POLICY, "too-large-cluster", NULL);

    if (!ok)
        t->r->kind = MEMPOOL_PACKAGE_POLICY;
    return ok;
}

static bool check_dust(struct together *t)
{
    for (size_t i = 0; i < t->n && t->m->o.policy.require_standard; i++) {
        if (!attempt_check_dust_spends(&t->try[i]))
            return refused_for(t, &t->try[i], "unspent-dust");
    }
    return true;
}

static void note_success(struct together *t, const struct attempt *a)
{
    size_t place = t->place[a - t->try];
    struct mempool_result *r = &t->r->tx[place];

    *r = (struct mempool_result){.kind = MEMPOOL_ACCEPTED};
    verdict_init(&r->verdict);
    attempt_result(a, r, true);
    r->includes = 1u << place;
    r->n_replaced = t->change.conflicts.n;
    if (t->rules->together) {
        r->effective_rate = policy_rate(t->fees, t->vsize);
        r->includes = all_places(t);
    }
}

static bool check_all_scripts(struct together *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (!attempt_check_scripts(&t->try[i]))
            return refused_for(t, &t->try[i], "transaction failed");
        if (t->rules->test_only)
            note_success(t, &t->try[i]);
    }
    return true;
}

static void submit(struct together *t)
{
    int64_t fee[MEMPOOL_PACKAGE_MAX];

    for (size_t i = 0; i < t->n; i++) {
        note_success(t, &t->try[i]);
        fee[i] = t->try[i].entry->pub.fee;
        t->try[i].entry = NULL;
    }
    pool_note_replaced(t->r, &t->change);
    change_apply(&t->change);
    for (size_t i = 0; i < t->n; i++)
        pool_tell_added(t->m, t->try[i].tx, fee[i], t->rules);
}

/* Those of txs in places (bits) as one. Out: results of those that were judged, and the package's verdict if it is refused. */
static bool judge_together(struct mempool *m, struct tx *const *txs, uint32_t places, const struct accept_rules *rules,
                           struct mempool_package_result *r)
{
    struct together *t = (struct together *)xcalloc(1, sizeof(*t));
    bool ok;

    t->m = t->change.m = m;
    t->rules = rules;
    t->r = r;
    verdict_init(&t->verdict);
    for (; places; places &= places - 1) {
        struct attempt *a = &t->try[t->n];
        t->place[t->n] = (size_t)__builtin_ctz(places);
        attempt_init(a, m, txs[t->place[t->n]], rules, &t->verdict);
        a->before = t->try;
        a->n_before = t->n++;
    }
    ok = precheck_all(t) && check_fees(t);
    if (ok) {
        link_entries(t);
        ok = check_change(t) && check_dust(t) && check_all_scripts(t);
    }
    if (ok && !rules->test_only)
        submit(t);
    for (size_t i = 0; i < t->n; i++)
        attempt_clear(&t->try[i]);
    change_clear(&t->change);
    free(t);
    arena_reset(&m->scratch);
    return ok;
}

static void result_init(struct mempool_package_result *r, size_t n)
{
    memset(r, 0, sizeof(*r));
    verdict_init(&r->verdict);
    r->n = n > MEMPOOL_PACKAGE_MAX ? MEMPOOL_PACKAGE_MAX : n;
    for (size_t i = 0; i < r->n; i++) {
        r->tx[i].kind = MEMPOOL_NOT_JUDGED;
        verdict_init(&r->tx[i].verdict);
    }
}

/* ---- submission ---- */

/* One alone. Returns: false if the package is not worth going on with; *left: bits of those to be judged together. */
static bool try_alone(struct mempool *m, struct tx *const *txs, size_t i, const struct accept_rules *rules,
                      struct mempool_package_result *r, uint32_t *left)
{
    const struct accept_rules alone = {.time = rules->time, .trim_later = true, .max_fee_rate = rules->max_fee_rate};
    struct mempool_result *one = &r->tx[i];
    const struct entry *e = index_find(m, &txs[i]->txid);

    if (e) {
        bool same = wtxid_equal(&e->pub.tx->wtxid, &txs[i]->wtxid);
        one->kind = same ? MEMPOOL_ALREADY_THERE : MEMPOOL_OTHER_WITNESS;
        one->fee = same ? e->pub.fee : 0;
        one->vsize = same ? entry_vsize(e) : 0;
        one->other = e->pub.tx->wtxid;
        return true;
    }
    if (pool_accept(m, txs[i], &alone, one, r)) {
        one->includes = 1u << i;
        return true;
    }
    one->kind = MEMPOOL_REJECTED;
    if (one->includes)
        one->includes = 1u << i;
    if (r->n == 1 || (one->verdict.code != TX_RECONSIDERABLE && one->verdict.code != TX_MISSING_INPUTS))
        return false;
    *left |= 1u << i;
    return true;
}

/* What is left of the package is one transaction: alone again, now that all of the others are in the pool. */
static void judge_last(struct mempool *m, struct tx *const *txs, uint32_t left, const struct accept_rules *rules,
                       struct mempool_package_result *r)
{
    uint32_t unused = 0;
    size_t i = (size_t)__builtin_ctz(left);

    try_alone(m, txs, i, rules, r, &unused);
    if (r->tx[i].kind == MEMPOOL_REJECTED)
        package_refused(r, MEMPOOL_PACKAGE_TX, "transaction failed");
}

/* Bounds the pool; what fell out of it again is not accepted after all. */
static void trim(struct mempool *m, struct tx *const *txs, struct mempool_package_result *r)
{
    pool_expire(m);
    pool_trim(m, m->o.max_bytes);
    for (size_t i = 0; i < r->n; i++) {
        struct mempool_result *one = &r->tx[i];
        if (one->kind == MEMPOOL_REJECTED || one->kind == MEMPOOL_NOT_JUDGED || index_find(m, &txs[i]->txid))
            continue;
        *one = (struct mempool_result){.kind = MEMPOOL_REJECTED};
        verdict_init(&one->verdict);
        verdict_invalid(&one->verdict, TX_MEMPOOL_POLICY, "mempool full", NULL);
        package_refused(r, MEMPOOL_PACKAGE_TX, "transaction failed");
    }
}

bool mempool_accept_package(struct mempool *m, struct tx *const *txs, size_t n, int64_t max_fee_rate,
                            struct mempool_package_result *r)
{
    const struct accept_rules rules = {
        .time = time_now(), .never_evict = true, .trim_later = true, .together = true, .max_fee_rate = max_fee_rate};
    const char *fault = policy_package_error(txs, n);
    uint32_t left = 0;
    bool go_on = true;

    ASSERT(n > 0);
    result_init(r, n);
    if (!fault && n > 1 && !policy_is_child_with_parents(txs, n, false))
        fault = "package-not-child-with-parents";
    if (fault)
        return package_refused(r, MEMPOOL_PACKAGE_POLICY, fault);
    for (size_t i = 0; i < n; i++)
        go_on &= try_alone(m, txs, i, &rules, r, &left);
    if (!go_on)
        package_refused(r, MEMPOOL_PACKAGE_TX, "transaction failed");
    else if (left & (left - 1))
        judge_together(m, txs, left, &rules, r);
    else if (left)
        judge_last(m, txs, left, &rules, r);
    trim(m, txs, r);
    pool_check(m);
    if (r->n_replaced > 1)
        qsort(r->replaced, r->n_replaced, sizeof(*r->replaced), hash_by_number);
    return r->kind == MEMPOOL_PACKAGE_VALID;
}

bool mempool_accept_pair(struct mempool *m, struct tx *parent, struct tx *child, struct mempool_package_result *r)
{
    struct tx *const txs[2] = {parent, child};

    return mempool_accept_package(m, txs, 2, 0, r);
}

/* ---- test ---- */

bool mempool_test_package(struct mempool *m, struct tx *const *txs, size_t n, struct mempool_package_result *r)
{
    const struct accept_rules rules = {.time = time_now(), .test_only = true, .never_replace = true, .never_evict = true};
    const char *fault = policy_package_error(txs, n);

    ASSERT(n > 0);
    result_init(r, n);
    if (fault)
        return package_refused(r, MEMPOOL_PACKAGE_POLICY, fault);
    return judge_together(m, txs, (uint32_t)((1ull << n) - 1), &rules, r);
}

void mempool_package_result_clear(struct mempool_package_result *r)
{
    free(r->replaced);
    r->replaced = NULL;
    r->n_replaced = 0;
}
