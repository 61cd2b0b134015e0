/* snapshot_read.h - the coins of a snapshot file, for snapshot_load.c and the fuzz target. Private to chain/. */
#ifndef FARTHING_CHAIN_SNAPSHOT_READ_H
#define FARTHING_CHAIN_SNAPSHOT_READ_H

#include "chain/snapshot.h"

struct snapshot_reading {
    uint64_t coins; /* how many the head says */
    int32_t height; /* of the snapshot's block: no coin is younger */
    /* Takes the next one; its script is valid until it returns. Returns: false with the reason in *error (to free). */
    bool (*take)(void *ctx, const struct outpoint *o, const struct coin *c, char **error);
    void *ctx;
    const atomic_bool *interrupt; /* may be NULL */
};
/** Reads all coins from where the file stands, just behind the head, to its end. Returns: false with Core's text in *error (to free). Any thread. */
bool snapshot_read_coins(FILE *f, const struct snapshot_reading *r, char **error);

#endif
