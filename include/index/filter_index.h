/* filter_index.h - -blockfilterindex: the basic filter and its header of every block that was ever in the active chain since the index was
 * begun, in Bitcoin Core's format: indexes/blockfilter/basic/fltrNNNNN.dat (block hash, CompactSize, filter) and a LevelDB beside them
 * ('t' + height big-endian, 's' + block hash for abandoned blocks, 'P' the place of the next filter, 'B' the index's place). */
#ifndef FARTHING_INDEX_FILTER_INDEX_H
#define FARTHING_INDEX_FILTER_INDEX_H

#include "index/index.h"

#define FILTER_INDEX_NAME "basic block filter index"

struct filter_index;
struct filter_index_options {
    struct chain *chain;
    const char *dir; /* .../indexes/blockfilter/basic */
    size_t cache_bytes;
    bool wipe;          /* -reindex */
    uint32_t file_size; /* 0: 16 MiB; less in tests */
    void (*fatal)(void *ctx, const char *text);
    void *ctx;
};
/** Opens or makes it; index_start(filter_index_base()) sets it off. Returns: RC_OK; else *error (to free). Validation thread. */
enum rc filter_index_open(struct filter_index **out, const struct filter_index_options *o, char **error);
/** Closes; the follower is stopped before. NULL is ignored. */
void filter_index_close(struct filter_index *fi);
struct index *filter_index_base(struct filter_index *fi);

/** The filter of a block, checked against its hash. Out: *filter (malloc'ed), *len. Returns: RC_NOT_FOUND: not indexed, RC_CORRUPT, RC_IO.
 *  Any thread; blocking I/O. */
enum rc filter_index_read(struct filter_index *fi, uint8_t **filter, size_t *len, const struct block_entry *e);
/** Its header, or its hash; outcomes as above. */
enum rc filter_index_header(struct filter_index *fi, struct hash256 *header, const struct block_entry *e);
enum rc filter_index_hash(struct filter_index *fi, struct hash256 *hash, const struct block_entry *e);

#endif
