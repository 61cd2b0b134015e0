/* fill.h - what goes between one input or output of a PSBT and the signer besides signatures: scripts, keys, taproot trees, preimages. */
#ifndef FARTHING_PSBT_FILL_H
#define FARTHING_PSBT_FILL_H

#include "psbt/maps.h"

struct fill {
    struct psbt *p;
    struct psbt_map *map;
    const struct keyring *ring;  /* the caller's; NULL: none */
    const struct tx_out *output; /* the one spent, or made */
    bool without_origins;
    bool is_input;
};
/* Gives the signer what the map tells: ring (to be looked at before the caller's) and data. */
void fill_load(const struct fill *f, struct keyring *own, struct sign_data *d);
/* Adds to the map what the signer found: scripts, origins of keys, and of taproot outputs what both know. */
void fill_store(const struct fill *f, const struct keyring *own, const struct sign_data *d);

/* Adds to data the signatures of aggregate keys that the partial ones in the map make (musig.c). */
void fill_musig(const struct fill *f, const struct sign_job *job, struct sign_data *d);

#endif
