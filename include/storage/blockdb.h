/* blockdb.h - blocks/index: every known block header with its place on disk, file statistics and flags, in Bitcoin Core's format
 * ('b' + hash, 'f' + number, 'l', 'R', 'F' + name). One thread at a time. */
#ifndef FARTHING_STORAGE_BLOCKDB_H
#define FARTHING_STORAGE_BLOCKDB_H

#include "primitives/block.h"
#include "storage/blockfiles.h"
#include "storage/kv.h"

/* Status bits of an entry, as stored. */
enum block_status {
    BLOCK_VALID_TREE = 2,
    BLOCK_VALID_TRANSACTIONS = 3,
    BLOCK_VALID_CHAIN = 4,
    BLOCK_VALID_SCRIPTS = 5,
    BLOCK_VALID_MASK = 7,
    BLOCK_HAVE_DATA = 8,
    BLOCK_HAVE_UNDO = 16,
    BLOCK_FAILED_VALID = 32,
    BLOCK_FAILED_CHILD = 64, /* read only: older files */
    BLOCK_OPT_WITNESS = 128
};

struct block_record {
    struct block_header header;
    struct block_hash hash;
    int32_t height;
    uint32_t status;
    uint32_t n_tx;
    int32_t file;
    uint32_t data_pos, undo_pos;
};

struct blockdb;
enum rc blockdb_open(struct blockdb **db, const char *dir, size_t cache_bytes, bool wipe, char **error);
void blockdb_close(struct blockdb *db);
/** The store below (compaction, tests). */
struct kv *blockdb_kv(struct blockdb *db);
/** Calls fn for every entry, in key order. fn returns false to stop (RC_INTERRUPTED). A record that does not decode: RC_CORRUPT. */
enum rc blockdb_each(struct blockdb *db, bool (*fn)(void *ctx, const struct block_record *rec), void *ctx);
/** Writes entries, file infos and the number of the last file atomically and synced. */
enum rc blockdb_write(struct blockdb *db, const struct block_record *recs, size_t n, const unsigned *files,
                      const struct blockfile_info *infos, size_t n_files, int last_file);
/** Out: *last, the highest file known; infos (malloc'ed array of last+1). RC_NOT_FOUND (infos NULL) in a fresh database. */
enum rc blockdb_read_files(struct blockdb *db, struct blockfile_info **infos, unsigned *last);
/** The 'R' mark: a reindex is under way. */
enum rc blockdb_set_reindexing(struct blockdb *db, bool on);
bool blockdb_reindexing(struct blockdb *db);
/** Flags such as "prunedblockfiles", "txindex". */
enum rc blockdb_set_flag(struct blockdb *db, const char *name, bool on);
enum rc blockdb_get_flag(struct blockdb *db, const char *name, bool *on);

#endif
