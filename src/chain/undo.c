/* undo.c - the record of the coins that a block spent: CompactSize-counted transactions of CompactSize-counted coins. Pure; any
 * thread. Reading from disk is chain_read_undo, in read.c. */
#include "chain/undo.h"

#include <stdlib.h>

#include "primitives/serialize.h"
#include "util/mem.h"

#define COIN_BYTES_MIN 3u /* what an undo coin takes at least: height, amount, script code */

static bool read_tx(struct tx_undo *t, struct reader *r, struct arena *arena)
{
    uint64_t n = read_compact_size(r);

    if (n > reader_left(r) / COIN_BYTES_MIN)
        return false;
    t->n = (uint32_t)n;
    t->coin = arena_alloc(arena, n * sizeof(*t->coin));
    for (uint32_t i = 0; i < t->n; i++)
        if (!undo_coin_read(&t->coin[i], r, arena))
            return false;
    return !r->failed;
}

struct block_undo *block_undo_decode(const uint8_t *data, size_t len)
{
    struct block_undo *u = xcalloc(1, sizeof(*u));
    struct reader r;
    uint64_t n;

    /* Scripts point into the bytes: they stay with the record. */
    r = reader_make(memcpy(arena_alloc(&u->arena, len), data, len), len);
    n = read_compact_size(&r);
    if (r.failed || n > reader_left(&r)) {
        block_undo_free(u);
        return NULL;
    }
    u->n_tx = (uint32_t)n;
    u->tx = arena_calloc(&u->arena, n, sizeof(*u->tx));
    for (uint32_t i = 0; i < u->n_tx; i++) {
        if (read_tx(&u->tx[i], &r, &u->arena))
            continue;
        block_undo_free(u);
        return NULL;
    }
    if (!reader_done(&r)) {
        block_undo_free(u);
        return NULL;
    }
    return u;
}

void block_undo_encode(struct writer *w, const struct block_undo *u)
{
    write_compact_size(w, u->n_tx);
    for (uint32_t i = 0; i < u->n_tx; i++) {
        write_compact_size(w, u->tx[i].n);
        for (uint32_t j = 0; j < u->tx[i].n; j++)
            undo_coin_write(w, &u->tx[i].coin[j]);
    }
}

void block_undo_free(struct block_undo *u)
{
    if (!u)
        return;
    arena_clear(&u->arena);
    free(u);
}
