/* scripts.c - the scripts of one transaction that is judged. Called by accept.c and package.c on the validation thread, and ahead of that by any
 * thread: a transaction and what it spends never change, so that what is found here holds whenever it is judged. */
#include <stdio.h>
#include <stdlib.h>

#include "mempool/internal.h"
#include "script/cache.h"
#include "script/verify.h"
#include "util/mem.h"

static bool run_scripts(struct attempt *a, uint32_t flags, const struct tx_midstate *mid)
{
    bool policy_only = (flags & ~SCRIPT_VERIFY_MANDATORY) != 0;
    enum verdict_code code = policy_only ? TX_NOT_STANDARD : TX_CONSENSUS;
    enum script_error err;

    for (uint32_t i = 0; i < a->tx->n_in; i++) {
        const struct outpoint *o = a->tx->in[i].prevout;
        char reason[sizeof(a->v->reason)];
        if (script_verify_input(&err, a->tx, i, &a->spent[i], flags, mid, a->m->signatures, true))
            continue;
        snprintf(reason, sizeof(reason), "%s-script-verify-flag-failed (%s)", policy_only ? "mempool" : "block",
                 script_error_text(err));
        if (policy_only && !a->tx->has_witness && policy_spends_witness_program(a->tx, a->spent))
            code = TX_WITNESS_STRIPPED;
        return verdict_invalid(a->v, code, reason, "input %u of %s (wtxid %s), spending %s:%u", i, txid_hex(&a->tx->txid).s,
                               wtxid_hex(&a->tx->wtxid).s, txid_hex(&o->txid).s, o->n);
    }
    return true;
}

/* Did another thread see it pass under the rules of policy? It is asked once. */
static bool passed_ahead(const struct attempt *a)
{
    uint8_t key[32];

    sig_cache_tx_key(key, a->m->signatures, &a->tx->wtxid, SCRIPT_VERIFY_STANDARD);
    return sig_cache_has(a->m->signatures, key, true);
}

/* Twice: as policy wants it, then as the next block is likely to be checked. The second run finds the signatures in the pool's own cache; it keeps
 * a fault in the policy flags from putting an invalid transaction into blocks, and what it found is remembered for those blocks. */
bool attempt_check_scripts(struct attempt *a)
{
    uint32_t flags = block_script_flags(a->m->o.params, a->tip);
    struct sig_cache *cache = a->m->o.sig_cache;
    bool ahead = passed_ahead(a);
    struct tx_midstate mid;
    uint8_t key[32];

    if (cache)
        sig_cache_tx_key(key, cache, &a->tx->wtxid, flags);
    if (ahead && cache && sig_cache_has(cache, key, false))
        return true;
    tx_midstate_init(&mid, a->tx, a->spent, false);
    if (!ahead && !run_scripts(a, SCRIPT_VERIFY_STANDARD, &mid))
        return false;
    if (!cache)
        return run_scripts(a, flags, &mid);
    if (sig_cache_has(cache, key, false))
        return true;
    if (!run_scripts(a, flags, &mid))
        return false;
    sig_cache_add(cache, key);
    return true;
}

/* ---- ahead, on another thread ---- */

struct mempool_scripts {
    struct sig_cache *signatures, *cache;
    struct tx *tx;
    uint32_t flags;        /* of the next block */
    struct tx_out spent[]; /* by each input; then their scripts */
};

struct mempool_scripts *scripts_new(const struct attempt *a)
{
    size_t n = a->tx->n_in, len = 0;
    struct mempool_scripts *w;
    uint8_t *script;

    for (size_t i = 0; i < n; i++)
        len += a->spent[i].script_len;
    w = (struct mempool_scripts *)xmalloc(sizeof(*w) + n * sizeof(*w->spent) + len);
    *w = (struct mempool_scripts){.signatures = a->m->signatures,
                                  .cache = a->m->o.sig_cache,
                                  .tx = tx_ref(a->tx),
                                  .flags = block_script_flags(a->m->o.params, a->tip)};
    script = (uint8_t *)(w->spent + n);
    for (size_t i = 0; i < n; i++) {
        w->spent[i] = a->spent[i];
        w->spent[i].script = script;
        if (w->spent[i].script_len)
            memcpy(script, a->spent[i].script, w->spent[i].script_len);
        script += w->spent[i].script_len;
    }
    return w;
}

static bool all_pass(const struct mempool_scripts *w, uint32_t flags, const struct tx_midstate *mid)
{
    for (uint32_t i = 0; i < w->tx->n_in; i++) {
        if (!script_verify_input(NULL, w->tx, i, &w->spent[i], flags, mid, w->signatures, true))
            return false;
    }
    return true;
}

void mempool_scripts_run(struct mempool_scripts *w_take)
{
    struct mempool_scripts *w = w_take;
    struct tx_midstate mid;
    uint8_t key[32];

    tx_midstate_init(&mid, w->tx, w->spent, false);
    if (all_pass(w, SCRIPT_VERIFY_STANDARD, &mid)) {
        if (w->cache && all_pass(w, w->flags, &mid)) {
            sig_cache_tx_key(key, w->cache, &w->tx->wtxid, w->flags);
            sig_cache_add(w->cache, key);
        }
        sig_cache_tx_key(key, w->signatures, &w->tx->wtxid, SCRIPT_VERIFY_STANDARD);
        sig_cache_add(w->signatures, key);
    }
    mempool_scripts_free(w);
}

void mempool_scripts_free(struct mempool_scripts *w)
{
    if (!w)
        return;
    tx_unref(w->tx);
    free(w);
}
