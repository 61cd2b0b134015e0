/* snapshot_load.h - a snapshot on its way from a file to the active coins: what snapshot_load.c, which reads it on any thread, shares with
 * snapshot_activate.c, which is the validation thread's. Private to chain/. */
#ifndef FARTHING_CHAIN_SNAPSHOT_LOAD_H
#define FARTHING_CHAIN_SNAPSHOT_LOAD_H

#include "chain/snapshot.h"

struct snapshot_load {
    struct snapshot_head head;
    const struct block_entry *base;
    const struct assumed_point *assumed;
    char *dir;
    size_t cache; /* bytes, of the database */
    struct coindb_tuning tuning;
    struct coindb *db;
    atomic_bool *loading; /* the chain's: one at a time */
    bool active;          /* the folder stays */
};

#endif
