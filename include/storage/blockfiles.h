/* blockfiles.h - blk*.dat and rev*.dat in Bitcoin Core's format: magic | length | data, obfuscated with the 8-byte key in xor.dat,
 * preallocated in chunks (16 MiB / 1 MiB), at most 128 MiB a file; undo records end in SHA256d(previous block's hash | data).
 * Writes: the validation thread. Reads: any thread. */
#ifndef FARTHING_STORAGE_BLOCKFILES_H
#define FARTHING_STORAGE_BLOCKFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "primitives/hashes.h"
#include "util/rc.h"

#define BLOCKFILE_MAX 0x8000000u
#define BLOCKFILE_HEADER 8u /* magic and length in front of a block */

/* A file's statistics, as stored in the block index database. */
struct blockfile_info {
    uint32_t n_blocks, size, undo_size;
    uint32_t height_first, height_last;
    uint64_t time_first, time_last;
};
struct disk_pos {
    int32_t file; /* -1: none */
    uint32_t pos; /* of the data, behind magic and length */
};

struct blockfiles;
struct blockfiles_options {
    const char *dir; /* .../blocks */
    uint8_t magic[4];
    bool use_xor;    /* -blocksxor: make a random key in a fresh folder */
    bool fast_prune; /* -fastprune: tiny files (tests) */
};
/** Opens the folder (made if missing). A fresh folder (nothing but hidden files in it) gets a random key, so this comes before the
 *  block index database is made inside it. *error (to free) on failure: e.g. a xor.dat that contradicts -blocksxor=0. */
enum rc blockfiles_open(struct blockfiles **bf, const struct blockfiles_options *o, char **error);
/** Trims preallocated tails and closes; nothing is flushed that blockfiles_flush did not. */
void blockfiles_close(struct blockfiles *bf);
/** Statistics as read from the database (array of n; last = file being written). */
void blockfiles_restore(struct blockfiles *bf, const struct blockfile_info *infos, unsigned n, unsigned last);
/** From now on blocks below that height and blocks from there on go to files of their own (a chain that began with a snapshot fetches both at
 *  once, and prunes them apart): each continues the last file whose highest block is of its kind. Validation thread. */
void blockfiles_split(struct blockfiles *bf, uint32_t height);
/** Does a block that is appended next go to that file? Validation thread. */
bool blockfiles_is_current(const struct blockfiles *bf, unsigned file);
/** Number of files known, and a file's statistics (zero for one not known). Any thread. */
unsigned blockfiles_count(const struct blockfiles *bf);
struct blockfile_info blockfiles_info(const struct blockfiles *bf, unsigned file);
/** The file being written. Validation thread. */
unsigned blockfiles_last(const struct blockfiles *bf);
/** Total bytes of block and undo data. Any thread, as the two above. */
uint64_t blockfiles_disk_size(const struct blockfiles *bf);

/** Appends a block. Out: *pos. RC_IO with errno (ENOSPC when less than 50 MiB would be left) and blockfiles_last_error; the
 *  statistics are as before then. RC_INVALID: longer than a file. */
enum rc blockfiles_append(struct blockfiles *bf, struct disk_pos *pos, const void *block, size_t len, uint32_t height,
                          uint32_t time);
/** Counts a block that stands at pos already (reindex). */
void blockfiles_note(struct blockfiles *bf, struct disk_pos pos, size_t len, uint32_t height, uint32_t time);
/** Appends an undo record for a block of that file. Out: *undo_pos (byte offset of the data in rev file). */
enum rc blockfiles_append_undo(struct blockfiles *bf, uint32_t *undo_pos, int32_t file, const void *undo, size_t len,
                               const struct block_hash *prev, uint32_t height);
/** Reads a whole block / undo record (checksum verified). Out: *data malloc'ed, *len. Returns: RC_NOT_FOUND if the file is gone
 *  (pruned), RC_CORRUPT for wrong magic, length or checksum, RC_INVALID for an impossible position, RC_IO. Any thread. */
enum rc blockfiles_read(struct blockfiles *bf, uint8_t **data, size_t *len, struct disk_pos pos);
enum rc blockfiles_read_undo(struct blockfiles *bf, uint8_t **data, size_t *len, int32_t file, uint32_t undo_pos,
                             const struct block_hash *prev);
/** Reads a whole block if no disk is needed for that, so that a thread may do it that must not wait. Out: up to `cap` bytes, *len. RC_BUSY: the
 *  system has not all of it in memory, or can't tell; RC_INVALID: it is longer. Any thread. */
enum rc blockfiles_read_cached(struct blockfiles *bf, uint8_t *out, size_t *len, size_t cap, struct disk_pos pos);
/** Reads `len` bytes at `offset` of the block at pos. RC_INVALID: nothing or more than the block is asked for. Any thread. */
enum rc blockfiles_read_part(struct blockfiles *bf, uint8_t *out, struct disk_pos pos, uint32_t offset, uint32_t len);
/** Reads up to `cap` bytes from `offset` of the block at pos on, as many as the block has. Out: *len. RC_INVALID: it ends before. Any thread. */
enum rc blockfiles_read_some(struct blockfiles *bf, uint8_t *out, size_t *len, size_t cap, struct disk_pos pos, uint32_t offset);
/** fsyncs what was written since the last flush (finalize: trims the last file too). */
enum rc blockfiles_flush(struct blockfiles *bf, bool finalize);
/** Infos changed since the last call, for the database: calls fn for each. */
void blockfiles_each_dirty(struct blockfiles *bf, void (*fn)(void *ctx, unsigned file, const struct blockfile_info *info),
                           void *ctx);
/** Clears a file's statistics (pruning): to be followed by blockdb_write and only then by blockfiles_delete, so that a crash in
 *  between leaves files without entries, never entries without files. */
void blockfiles_forget(struct blockfiles *bf, unsigned file);
/** Deletes a file pair, and clears its statistics if that was not done. */
enum rc blockfiles_delete(struct blockfiles *bf, unsigned file);
/** -reindex with -prune: deletes all rev files, and the blk files behind the first missing number, as no reindex reaches them. */
enum rc blockfiles_clean_for_reindex(struct blockfiles *bf);
/** The path and cause of this thread's last failure, "" if none. */
const char *blockfiles_last_error(void);
bool blockfiles_exists(const struct blockfiles *bf, unsigned file, bool undo);

/* Sequential scan of a block file (reindex, -loadblock): finds records by magic and skips garbage. The bytes are obfuscated
 * with the folder's key only for the node's own files. */
struct blockfile_scan;
/** path: any file; xor_from: folder whose key applies, NULL for plain files. */
enum rc blockfile_scan_open(struct blockfile_scan **s, const char *path, const uint8_t magic[4], const struct blockfiles *xor_from);
/** The next record. Out: *data malloc'ed, *len, *pos (offset of data). Returns: RC_NOT_FOUND at the end. A record cut short at the end is skipped. */
enum rc blockfile_scan_next(struct blockfile_scan *s, uint8_t **data, size_t *len, uint64_t *pos);
/** The same without reading the record: its first 80 bytes only. Out: header, *len, *pos. */
enum rc blockfile_scan_skim(struct blockfile_scan *s, uint8_t header[80], size_t *len, uint64_t *pos);
/** Continues looking for magic right behind the start of the last record (it did not decode). */
void blockfile_scan_retry(struct blockfile_scan *s);
uint64_t blockfile_scan_offset(const struct blockfile_scan *s);
uint64_t blockfile_scan_size(const struct blockfile_scan *s);
void blockfile_scan_close(struct blockfile_scan *s);

#endif
