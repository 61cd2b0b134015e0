/* import.h - what the two passes of an import share. Private to chain/. */
#ifndef FARTHING_CHAIN_IMPORT_H
#define FARTHING_CHAIN_IMPORT_H

#include "chain/internal.h"

/* A record of a block file, decoded and checked ahead. */
struct import_item {
    struct import_item *next;
    struct block *block;
    struct block_precheck pre;
    struct disk_pos pos; /* where it stands; file -1: not a file of ours */
};

struct import_reader;
/** Starts reading a file ahead on a thread of its own. file: number of an own file, -1: another one. NULL: cannot be opened. */
struct import_reader *import_reader_start(struct chain *c, const char *path, int32_t file);
/** The next block. NULL at the end; *rc: RC_OK unless reading failed. The caller frees item and block. */
struct import_item *import_reader_next(struct import_reader *r, enum rc *rc);
void import_reader_stop(struct import_reader *r);

/** First pass: takes the headers of a file into the tree, in whatever order they come. */
struct header_pass;
struct header_pass *header_pass_new(struct chain *c);
enum rc header_pass_file(struct header_pass *p, const char *path, bool own);
void header_pass_free(struct header_pass *p);

#endif
