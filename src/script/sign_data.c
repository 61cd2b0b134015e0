/* sign_data.c - what is found out while one input is signed: signatures, scripts, and what is missing. Called by sign_input.c, RPC and PSBTs. */
#include <stdlib.h>

#include "script/sign.h"
#include "util/mem.h"

const struct sign_sig *sign_data_find(const struct sign_data *d, int kind, const uint8_t *pub, size_t pub_len, const uint8_t *leaf)
{
    for (size_t i = 0; i < d->n_sigs; i++) {
        const struct sign_sig *s = &d->sigs[i];
        if ((int)s->kind != kind)
            continue;
        if (kind != SIGN_TAP_KEY && (s->pub_len != pub_len || memcmp(s->pub, pub, pub_len) != 0))
            continue;
        if (kind == SIGN_TAP_LEAF && memcmp(s->leaf, leaf, 32) != 0)
            continue;
        return s;
    }
    return NULL;
}

void sign_data_add(struct sign_data *d, const struct sign_sig *sig)
{
    if (sign_data_find(d, sig->kind, sig->pub, sig->pub_len, sig->leaf))
        return;
    d->sigs = xrealloc(d->sigs, (d->n_sigs + 1) * sizeof(*d->sigs));
    d->sigs[d->n_sigs++] = *sig;
}

void sign_data_clear(struct sign_data *d)
{
    free(d->sigs);
    free(d->redeem_script);
    free(d->witness_script);
    free(d->missing_pubs);
    free(d->missing_sigs);
    free(d->tried);
    memset(d, 0, sizeof(*d));
}
