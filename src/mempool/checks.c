/* checks.c - the steps of judging one transaction that concern itself and its inputs, in the order in which Core reports faults. Called by
 * accept.c and package.c; validation thread. */
#include <stdio.h>

#include "mempool/internal.h"
#include "script/verify.h"

/* Outputs of the same transaction that are looked for in the chain before it is called an orphan. */
#define KNOWN_OUTPUTS_TRIED 16

void attempt_init(struct attempt *a, struct mempool *m, struct tx *tx, const struct accept_rules *rules, struct verdict *v)
{
    *a = (struct attempt){.m = m, .tx = tx, .rules = rules, .v = v, .tip = m->o.chain.tip(m->o.chain.ctx)};
}

void attempt_clear(struct attempt *a)
{
    entry_free(a->entry);
    a->entry = NULL;
    pool_list_clear(&a->direct);
}

void attempt_result(const struct attempt *a, struct mempool_result *r, bool rate_known)
{
    if (!a->entry)
        return;
    r->fee = a->entry->pub.fee;
    r->vsize = entry_vsize(a->entry);
    if (!rate_known)
        return;
    r->effective_rate = policy_rate(a->entry->pub.modified_fee, entry_vsize(a->entry));
    r->includes = 1u;
}

static bool check_form(struct attempt *a)
{
    const struct mempool *m = a->m;
    const char *reason;

    if (!check_transaction(a->tx, a->v))
        return false;
    if (tx_is_coinbase(a->tx))
        return verdict_invalid(a->v, TX_CONSENSUS, "coinbase", NULL);
    if (m->o.policy.require_standard && !policy_is_standard_tx(&m->o.policy, a->tx, &reason))
        return verdict_invalid(a->v, TX_NOT_STANDARD, reason, NULL);
    if (a->tx->stripped_len < MIN_STANDARD_TX_NONWITNESS_SIZE) /* 64 bytes read as a Merkle node: CVE-2017-12842 */
        return verdict_invalid(a->v, TX_NOT_STANDARD, "tx-size-small", NULL);
    if (!pool_is_final(a->tip, a->tx))
        return verdict_invalid(a->v, TX_PREMATURE_SPEND, "non-final", NULL);
    if (index_find_wtxid(m, &a->tx->wtxid))
        return verdict_invalid(a->v, TX_CONFLICT, "txn-already-in-mempool", NULL);
    if (index_find(m, &a->tx->txid))
        return verdict_invalid(a->v, TX_CONFLICT, "txn-same-nonwitness-data-in-mempool", NULL);
    return true;
}

/* The coin of an input: made by an earlier one of its package, else of pool or chain. */
static enum rc find_coin(struct attempt *a, struct coin *c, const struct outpoint *o)
{
    for (size_t i = 0; i < a->n_before; i++) {
        const struct tx *tx = a->before[i].tx;
        if (!txid_equal(&tx->txid, &o->txid))
            continue;
        if (o->n >= tx->n_out)
            return RC_NOT_FOUND;
        *c = (struct coin){.out = tx->out[o->n], .height = MEMPOOL_COIN_HEIGHT, .coinbase = false};
        return RC_OK;
    }
    return pool_coin(a->m, c, o);
}

/* An input is not there: is that because the transaction is in a block already? */
static bool missing_input(struct attempt *a)
{
    struct outpoint o = {.txid = a->tx->txid};
    struct coin c;
    for (; o.n < a->tx->n_out && o.n < KNOWN_OUTPUTS_TRIED; o.n++) {
        if (pool_coin(a->m, &c, &o) == RC_OK)
            return verdict_invalid(a->v, TX_CONFLICT, "txn-already-known", NULL);
    }
    return verdict_invalid(a->v, TX_MISSING_INPUTS, "bad-txns-inputs-missingorspent", NULL);
}

static bool find_conflicts(struct attempt *a)
{
    pool_new_mark(a->m);
    for (uint32_t i = 0; i < a->tx->n_in; i++) {
        struct entry *other = index_find_spender(a->m, a->tx->in[i].prevout);
        if (other && a->rules->never_replace)
            return verdict_invalid(a->v, TX_MEMPOOL_POLICY, "bip125-replacement-disallowed", NULL);
        if (other && other->mark != a->m->mark) {
            other->mark = a->m->mark;
            pool_list_add(&a->direct, other);
        }
    }
    return true;
}

static bool find_coins(struct attempt *a)
{
    uint32_t n = a->tx->n_in;
    a->coins = (struct coin *)arena_alloc(&a->m->scratch, n * sizeof(*a->coins));
    a->spent = (struct tx_out *)arena_alloc(&a->m->scratch, n * sizeof(*a->spent));
    for (uint32_t i = 0; i < n; i++) {
        enum rc rc = find_coin(a, &a->coins[i], a->tx->in[i].prevout);
        if (rc == RC_NOT_FOUND)
            return missing_input(a);
        if (rc != RC_OK)
            return verdict_internal(a->v, "cannot read the coin %s:%u: %s", txid_hex(&a->tx->in[i].prevout->txid).s,
                                    a->tx->in[i].prevout->n, rc_name(rc));
        a->spent[i] = a->coins[i].out;
    }
    return true;
}

static bool check_inputs(struct attempt *a)
{
    bool standard = a->m->o.policy.require_standard;
    const struct header_node *depends;
    int64_t fee;

    if (!pool_lock_passed(a->tip, pool_sequence_lock(a->m, a->tip, a->tx, a->coins, &depends)))
        return verdict_invalid(a->v, TX_PREMATURE_SPEND, "non-BIP68-final", NULL);
    if (!check_tx_inputs(a->tx, a->coins, a->tip->height + 1, &fee, a->v))
        return false;
    if (standard && !policy_inputs_standard(a->tx, a->spent, a->v))
        return false;
    if (a->tx->has_witness && standard && !policy_witness_standard(a->tx, a->spent))
        return verdict_invalid(a->v, TX_WITNESS_MUTATED, "bad-witness-nonstandard", NULL);
    return true;
}

bool pool_check_fee_rate(struct mempool *m, int64_t fee, int64_t vsize, struct verdict *v)
{
    int64_t pool_fee = policy_fee(pool_min_fee_rate(m), vsize), relay_fee = policy_fee(m->o.policy.min_relay_fee_rate, vsize);

    if (pool_fee > 0 && fee < pool_fee)
        return verdict_invalid(v, TX_RECONSIDERABLE, "mempool min fee not met", "%lld < %lld", (long long)fee, (long long)pool_fee);
    if (fee < relay_fee)
        return verdict_invalid(v, TX_RECONSIDERABLE, "min relay fee not met", "%lld < %lld", (long long)fee, (long long)relay_fee);
    return true;
}

static uint32_t cut_off(int64_t v)
{
    return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void fill_entry(struct attempt *a, struct entry *e)
{
    const struct policy *p = &a->m->o.policy;
    const struct header_node *depends;
    struct sequence_lock lock;
    struct verdict unused;

    verdict_init(&unused);
    check_tx_inputs(a->tx, a->coins, a->tip->height + 1, &e->pub.fee, &unused); /* passed before; for the fee */
    e->pub.modified_fee = fee_add(e->pub.fee, pool_delta(a->m, &a->tx->txid));
    e->sigop_cost = (uint32_t)tx_sigop_cost(a->tx, a->spent, SCRIPT_VERIFY_STANDARD) & 0xfffffffu;
    e->adjusted_weight = cut_off(policy_weight(tx_weight(a->tx), e->sigop_cost, p->bytes_per_sigop));
    e->time = cut_off(a->rules->time);
    e->height = (uint32_t)a->tip->height & 0xffffffu;
    e->pub.sequence = a->rules->bypass_limits ? 0 : a->m->sequence; /* from a block: older than anything in the pool */
    lock = pool_sequence_lock(a->m, a->tip, a->tx, a->coins, &depends);
    entry_set_lock(e, lock, depends);
    for (uint32_t i = 0; i < a->tx->n_in; i++)
        e->spends_coinbase |= a->coins[i].coinbase;
}

static bool make_entry(struct attempt *a)
{
    const struct policy *p = &a->m->o.policy;
    const struct entry *e;

    a->entry = entry_new(a->m, a->tx);
    fill_entry(a, a->entry);
    e = a->entry;
    if (p->require_standard && (e->pub.fee || e->pub.modified_fee) && policy_dust_count(a->tx, p->dust_fee_rate))
        return verdict_invalid(a->v, TX_NOT_STANDARD, "dust", "tx with dust output must be 0-fee");
    if (e->sigop_cost > MAX_STANDARD_TX_SIGOPS_COST)
        return verdict_invalid(a->v, TX_NOT_STANDARD, "bad-txns-too-many-sigops", "%u", (unsigned)e->sigop_cost);
    return a->rules->bypass_limits || a->rules->together || pool_check_fee_rate(a->m, e->pub.modified_fee, entry_vsize(e), a->v);
}

bool attempt_precheck(struct attempt *a)
{
    return check_form(a) && find_conflicts(a) && find_coins(a) && check_inputs(a) && make_entry(a) &&
           (a->rules->bypass_limits || attempt_check_truc(a));
}

bool attempt_check_max_rate(struct attempt *a)
{
    struct fee_weight rate = {a->entry->pub.modified_fee, entry_vsize(a->entry)}, max = {a->rules->max_fee_rate, 1000};

    return max.fee == 0 || rate_cmp(rate, max) <= 0 || verdict_invalid(a->v, TX_MEMPOOL_POLICY, "max feerate exceeded", NULL);
}
