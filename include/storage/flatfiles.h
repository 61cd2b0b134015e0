/* flatfiles.h - a sequence of plain append-only files "<prefix>NNNNN.dat" with no framing of their own, as Bitcoin Core's indexes keep them
 * (fltr*.dat): the place of every record is kept elsewhere, in a database. Writes: one thread. Reads: any thread. */
#ifndef FARTHING_STORAGE_FLATFILES_H
#define FARTHING_STORAGE_FLATFILES_H

#include "storage/blockfiles.h"

struct flatfiles;
struct flatfiles_options {
    const char *dir;    /* made if missing */
    const char *prefix; /* "fltr" */
    uint32_t max_size;  /* no record reaches beyond it; a record must fit an empty file */
    uint32_t chunk;     /* preallocation */
    bool wipe;          /* delete the files that are there first */
};
/** Opens the sequence. *error (to free) names what is wrong on failure. */
enum rc flatfiles_open(struct flatfiles **out, const struct flatfiles_options *o, char **error);
/** Closes; nothing is synced that flatfiles_sync did not. */
void flatfiles_close(struct flatfiles *ff);
/** Writes a record at *next, or at the start of the next file if it does not fit there (the file that is left is trimmed and synced). What
 *  stood there before is overwritten. Out: *at, its place; *next, the place behind it. Returns: RC_INVALID: longer than a file; RC_IO
 *  (ENOSPC when less than 50 MiB would be left), with *next as it was. */
enum rc flatfiles_append(struct flatfiles *ff, struct disk_pos *at, struct disk_pos *next, const void *data, size_t len);
/** Everything appended is on disk when it returns. */
enum rc flatfiles_sync(struct flatfiles *ff);
/** Reads up to `len` bytes at a place. Out: *got, less than len only at the end of the file. Returns: RC_NOT_FOUND: no such file, RC_INVALID:
 *  an impossible place, RC_IO. Any thread. */
enum rc flatfiles_read(const struct flatfiles *ff, void *out, size_t len, size_t *got, struct disk_pos at);

#endif
