/* store.h - what the indexes' databases have in common: opening, blocks by height and by hash, and blocks to be taken out again. */
#ifndef FARTHING_INDEX_STORE_H
#define FARTHING_INDEX_STORE_H

#include "index/index.h"

/** kv_open with the user told how to get out of it: *error (to free). */
enum rc store_open(struct kv **out, const struct index_setup *s, bool no_bloom, char **error);
/** A pair of random numbers under a key, made when it is not there yet (salts). */
enum rc store_salt(uint64_t salt[2], struct kv *kv, const void *key, size_t key_len);
/** Core's key for a named value: its length, and the name. */
void store_name_key(struct writer *w, const char *name);

/* Records of blocks: under 't' and the height (big-endian) those of the active chain, behind the block's hash; under 's' and the hash those that
 * others took the place of. */
/** Out: *record malloc'ed, *len. Returns: RC_NOT_FOUND, RC_CORRUPT, RC_IO. Any thread. */
enum rc store_block_get(struct kv *kv, uint8_t **record, size_t *len, const struct block_entry *e);
enum rc store_block_put(struct kv *kv, const struct block_entry *e, const void *record, size_t len);
/** Keeps e's record under its hash, as another block's will overwrite it. */
void store_block_keep(struct kv_batch *batch, const struct block_entry *e, const void *record, size_t len);

#endif
