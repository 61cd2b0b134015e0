/* standard.c - the form that a transaction must have to be relayed, seen without its inputs' coins. Called by the memory pool; pure, any
 * thread. */
#include "policy/policy.h"

#define MIN_STANDARD_VERSION 1
#define MAX_STANDARD_VERSION 3
#define MAX_STANDARD_SCRIPTSIG_SIZE 1650
#define MAX_STANDARD_MULTISIG_KEYS 3
#define MAX_DUST_OUTPUTS 1 /* to be spent by the same package: ephemeral */

static bool refuse(const char **reason, const char *why)
{
    *reason = why;
    return false;
}

static bool inputs_have_form(const struct tx *tx, const char **reason)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].script_len > MAX_STANDARD_SCRIPTSIG_SIZE)
            return refuse(reason, "scriptsig-size");
        if (!script_is_push_only(tx->in[i].script, tx->in[i].script_len))
            return refuse(reason, "scriptsig-not-pushonly");
    }
    return true;
}

bool policy_is_standard_script(const uint8_t *script, size_t len, enum script_type *type)
{
    struct script_solution s;
    *type = script_solve(&s, script, len);
    if (*type == SCRIPT_MULTISIG)
        return s.n >= 1 && s.n <= MAX_STANDARD_MULTISIG_KEYS && s.required >= 1 && s.required <= s.n;
    return *type != SCRIPT_NONSTANDARD;
}

static bool outputs_have_form(const struct policy *p, const struct tx *tx, const char **reason)
{
    int64_t data_left = p->max_datacarrier < 0 ? 0 : p->max_datacarrier;
    for (uint32_t i = 0; i < tx->n_out; i++) {
        const struct tx_out *out = &tx->out[i];
        enum script_type type;
        if (!policy_is_standard_script(out->script, out->script_len, &type))
            return refuse(reason, "scriptpubkey");
        if (type == SCRIPT_NULLDATA) {
            if (out->script_len > data_left)
                return refuse(reason, "datacarrier");
            data_left -= out->script_len;
        } else if (type == SCRIPT_MULTISIG && !p->permit_bare_multisig) {
            return refuse(reason, "bare-multisig");
        }
    }
    return true;
}

bool policy_is_standard_tx(const struct policy *p, const struct tx *tx, const char **reason)
{
    if (tx->version < MIN_STANDARD_VERSION || tx->version > MAX_STANDARD_VERSION)
        return refuse(reason, "version");
    if (tx_weight(tx) > MAX_STANDARD_TX_WEIGHT)
        return refuse(reason, "tx-size");
    if (!inputs_have_form(tx, reason) || !outputs_have_form(p, tx, reason))
        return false;
    if (policy_dust_count(tx, p->dust_fee_rate) > MAX_DUST_OUTPUTS)
        return refuse(reason, "dust");
    return true;
}
