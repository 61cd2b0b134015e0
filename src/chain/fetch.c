/* fetch.c - reads the coins that a block is going to spend from the database before it is connected: the script workers share the
 * waiting. What goes wrong here shows when the coin is asked for again. Called by connect.c, on the validation thread. */
#include "chain/internal.h"

#include <stdlib.h>

#include "util/mem.h"

#define FEW 8u /* not worth waking anybody */

/* A rough set of the block's own transactions: their outputs are not in the database. False hits only cost a later read. */
struct own_set {
    uint64_t bits[1024];
};

static void own_add(struct own_set *s, const struct txid *id)
{
    uint16_t h = get_le16(id->b);

    s->bits[h >> 6] |= (uint64_t)1 << (h & 63);
}

static bool own_has(const struct own_set *s, const struct txid *id)
{
    uint16_t h = get_le16(id->b);

    return s->bits[h >> 6] >> (h & 63) & 1;
}

/* Out: *points (to free). */
static uint32_t missing(const struct coins *coins, struct outpoint **points, const struct block *b)
{
    struct own_set own = {{0}};
    uint32_t n = 0, cap = 0;

    *points = NULL;
    for (uint32_t i = 0; i < b->n_tx; i++)
        own_add(&own, &b->tx[i].txid);
    for (uint32_t i = 1; i < b->n_tx; i++) {
        for (uint32_t j = 0; j < b->tx[i].n_in; j++) {
            const struct outpoint *o = b->tx[i].in[j].prevout;

            if (own_has(&own, &o->txid) || coins_cached(coins, o))
                continue;
            if (n == cap) {
                cap = cap ? cap * 2 : 256;
                *points = xrealloc(*points, cap * sizeof(**points));
            }
            (*points)[n++] = *o;
        }
    }
    return n;
}

void fetch_coins(struct chain *c, struct coins *coins, const struct block *b)
{
    struct fetch_job j = {.db = coins_database(coins)};
    struct outpoint *points;

    if (!j.db || !check_queue_threads(c->queue))
        return;
    j.n = missing(coins, &points, b);
    if (j.n > FEW) {
        j.points = points;
        j.coins = xmalloc(j.n * sizeof(*j.coins));
        j.found = xcalloc(j.n, sizeof(*j.found));
        j.arena = xcalloc(j.n / FETCH_PIECE + 1, sizeof(*j.arena));
        check_queue_fetch(c->queue, &j);
        for (uint32_t i = 0; i < j.n; i++)
            if (j.found[i])
                coins_insert_clean(coins, &points[i], &j.coins[i]);
        for (uint32_t i = 0; i < j.n_pieces; i++)
            arena_clear(&j.arena[i]);
        free(j.coins);
        free(j.found);
        free(j.arena);
    }
    free(points);
}
