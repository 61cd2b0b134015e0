/* coindb_internal.h - what coindb.c and coindb_flush.c share: the keys of the database. */
#ifndef FARTHING_STORAGE_COINDB_INTERNAL_H
#define FARTHING_STORAGE_COINDB_INTERNAL_H

#include "storage/coindb.h"

#define KEY_COIN 'C'
#define KEY_BEST 'B'
#define KEY_HEADS 'H'
#define COIN_KEY_MAX (1 + 32 + 5)

struct coindb {
    struct kv *kv;
};

/** Out: key. Returns: its length. The output's number is a base-128 integer, most significant group first. */
size_t coindb_key(uint8_t key[COIN_KEY_MAX], const struct outpoint *o);

#endif
