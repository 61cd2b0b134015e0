/* analyze.c - how far a PSBT is, what it lacks, and what it will weigh (analyzepsbt). Called by RPC; pure. */
#include <stdlib.h>

#include "consensus/check.h"
#include "policy/policy.h"
#include "psbt/psbt.h"
#include "script/script.h"
#include "script/verify.h"
#include "util/mem.h"

const char *psbt_role_name(enum psbt_role role)
{
    static const char *const names[] = {"creator", "updater", "signer", "finalizer", "extractor"};

    return names[role];
}

static void set_invalid(struct psbt_analysis *a, char *error_take)
{
    psbt_analysis_clear(a);
    a->error = error_take;
    a->next = PSBT_CREATOR;
}

void psbt_analysis_clear(struct psbt_analysis *a)
{
    for (size_t i = 0; i < a->n_in; i++)
        sign_data_clear(&a->in[i].missing);
    free(a->in);
    free(a->error);
    memset(a, 0, sizeof(*a));
}

static bool is_unspendable(const struct tx_out *o)
{
    return (o->script_len && o->script[0] == OP_RETURN) || o->script_len > MAX_SCRIPT_SIZE;
}

static enum psbt_role next_role(const struct sign_data *m)
{
    return !m->n_missing_pubs && !m->lacks_redeem && !m->lacks_witness && m->n_missing_sigs ? PSBT_SIGNER : PSBT_UPDATER;
}

static void look_at_input(struct psbt_in_state *s, struct psbt_work *w, size_t i)
{
    if (psbt_is_verified(w, i)) {
        s->is_final = s->has_utxo;
        return;
    }
    if (psbt_sign(w, i, &(struct psbt_signing){.finalize = true}, &s->missing) == PSBT_OK) {
        s->next = PSBT_FINALIZER;
        sign_data_clear(&s->missing); /* what the way that was taken does not need */
    } else {
        s->next = next_role(&s->missing);
    }
}

/* Returns: false with the error set. */
static bool look_at_inputs(struct psbt_analysis *a, struct psbt_work *w, int64_t *in_value)
{
    struct psbt *p = w->p;

    a->has_fee = true;
    a->in = xcalloc(p->n_in + 1, sizeof(*a->in));
    a->n_in = p->n_in;
    for (size_t i = 0; i < p->n_in; i++) {
        struct psbt_in_state *s = &a->in[i];
        struct tx_out o;
        s->next = PSBT_EXTRACTOR;
        s->has_utxo = psbt_spent(&o, p, i);
        if (!s->has_utxo) {
            s->next = PSBT_UPDATER;
            a->has_fee = false;
        } else if (!money_in_range(o.value) || !money_in_range(*in_value + o.value)) {
            set_invalid(a, xasprintf("PSBT is not valid. Input %zu has invalid value", i));
            return false;
        } else if (is_unspendable(&o)) {
            set_invalid(a, xasprintf("PSBT is not valid. Input %zu spends unspendable output", i));
            return false;
        } else {
            *in_value += o.value;
        }
        look_at_input(s, w, i);
    }
    return true;
}

/* As if all keys signed. */
static void estimate_size(struct psbt_analysis *a, struct psbt_work *w, unsigned bytes_per_sigop)
{
    struct tx *tx;

    for (size_t i = 0; i < w->p->n_in; i++) {
        if (psbt_sign(w, i, &(struct psbt_signing){.finalize = true, .dummy = true}, NULL) != PSBT_OK)
            return;
    }
    tx = psbt_extract(w->p);
    a->has_size = true;
    a->vsize = policy_vsize(tx_weight(tx), tx_sigop_cost(tx, w->spent, SCRIPT_VERIFY_STANDARD), bytes_per_sigop);
    tx_unref(tx);
}

static bool sum_outputs(int64_t *sum, const struct psbt *p)
{
    for (size_t i = 0; i < p->n_out; i++) {
        if (!money_in_range(p->out[i].amount) || !money_in_range(*sum + p->out[i].amount))
            return false;
        *sum += p->out[i].amount;
    }
    return true;
}

static void analyze(struct psbt_analysis *a, struct psbt_work *w, unsigned bytes_per_sigop)
{
    int64_t in_value = 0, out_value = 0;

    if (!look_at_inputs(a, w, &in_value))
        return;
    a->next = PSBT_EXTRACTOR;
    for (size_t i = 0; i < a->n_in; i++) {
        if (a->in[i].next < a->next)
            a->next = a->in[i].next;
    }
    if (!a->has_fee)
        return;
    if (!sum_outputs(&out_value, w->p)) {
        set_invalid(a, xstrdup("PSBT is not valid. Output amount invalid"));
        return;
    }
    a->fee = in_value - out_value;
    estimate_size(a, w, bytes_per_sigop);
}

void psbt_analyze(struct psbt_analysis *a, struct psbt *p, unsigned bytes_per_sigop)
{
    struct psbt_work w;

    memset(a, 0, sizeof(*a));
    if (!psbt_work_init(&w, p)) {
        set_invalid(a, xstrdup("PSBT cannot be made into a valid transaction"));
        return;
    }
    analyze(a, &w, bytes_per_sigop);
    psbt_work_clear(&w);
}
