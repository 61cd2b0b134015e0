/* update.c - what a keyring knows of a PSBT's outputs goes into it, by signing a would-be spend of them. Called by RPC; pure. */
#include "psbt/fill.h"
#include "script/script.h"

void psbt_update_output(struct psbt *p, size_t i, const struct keyring *ring, bool without_origins)
{
    const struct tx_out output = {p->out[i].amount, p->out[i].script, p->out[i].script_len};
    const struct outpoint none = {.n = OUTPOINT_NULL_N};
    const struct fill f = {p, &p->out[i].map, ring, &output, without_origins, false};
    struct keyring own = {.next = ring};
    struct sign_data d = {.n_sigs = 0};
    struct tx_midstate mid;
    struct tx_builder b;
    struct tx *tx;

    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, &none, "", 0, SEQUENCE_FINAL);
    tx = tx_build(&b);
    tx_midstate_init(&mid, tx, NULL, true);
    fill_load(&f, &own, &d);
    sign_input(&b, &(struct sign_job){.tx = tx, .spent = &output, .mid = &mid, .ring = &own, .hash_type = SIGHASH_ALL, .data = &d});
    fill_store(&f, &own, &d);
    sign_data_clear(&d);
    keyring_clear(&own);
    tx_builder_clear(&b);
    tx_unref(tx);
}
