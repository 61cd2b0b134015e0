/* coindb_internal.h - what the files of the coin database share: its keys, and the walk over changes to it. */
#ifndef FARTHING_STORAGE_COINDB_INTERNAL_H
#define FARTHING_STORAGE_COINDB_INTERNAL_H

#include "storage/coindb.h"

#define KEY_COIN 'C'
#define KEY_BEST 'B'
#define KEY_HEADS 'H'
#define COIN_KEY_MAX (1 + 32 + 5)

struct coindb {
    struct kv *kv;
    struct coindb_tuning tuning;
};

/* A walk over changes in key order; an empty value stands for a coin that is gone. Key and value are borrowed until the next step. */
struct diff_cursor;
struct diff_cursor *diff_cursor_new(struct coindb_diff *d);
void diff_cursor_rewind(struct diff_cursor *c);
bool diff_cursor_valid(const struct diff_cursor *c);
void diff_cursor_next(struct diff_cursor *c);
struct reader diff_cursor_key(const struct diff_cursor *c);
struct reader diff_cursor_value(struct diff_cursor *c);
enum rc diff_cursor_status(const struct diff_cursor *c);
void diff_cursor_free(struct diff_cursor *c);

/** Out: key. Returns: its length. The output's number is a base-128 integer, most significant group first. */
size_t coindb_key(uint8_t key[COIN_KEY_MAX], const struct outpoint *o);

/** Notes that the coin's record makes no sense. Returns: RC_CORRUPT. */
enum rc coindb_corrupt(const struct outpoint *o);

#endif
