/* kv_internal.h - what kv.c and kv_batch.c share. */
#ifndef FARTHING_STORAGE_KV_INTERNAL_H
#define FARTHING_STORAGE_KV_INTERNAL_H

#include <leveldb/c.h>

#include "error.h"
#include "storage/kv.h"
#include "util/obfuscate.h"

struct kv {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
    leveldb_readoptions_t *read, *scan; /* scan: does not push what point reads need out of the cache */
    leveldb_writeoptions_t *write, *write_sync;
    char *path;
    uint8_t key[OBFUSCATION_KEY_SIZE];
};

/** RC_OK for NULL, else the outcome that LevelDB's text means, kept as the last error. Frees err. */
enum rc kv_outcome(const char *path, char *err);

#endif
