/* coindb_iter.c - walks over all coins in key order, as a snapshot has them or as changes beside it leave them. Any thread. */
#include <stdlib.h>
#include <string.h>

#include "coindb_internal.h"
#include "primitives/serialize.h"
#include "util/mem.h"

struct coindb_iter {
    struct kv_iter *base;
    struct diff_cursor *diff; /* NULL: none */
    struct arena arena;       /* scripts of the current coin */
    bool started, ended;
    bool shown_base, shown_diff; /* where the current coin came from */
};

struct coindb_iter *coindb_iter_new(struct coindb *db)
{
    struct coindb_iter *it = xcalloc(1, sizeof(*it));

    it->base = kv_iter_new(db->kv);
    return it;
}

void coindb_iter_apply(struct coindb_iter *it, struct coindb_diff *d)
{
    diff_cursor_free(it->diff);
    it->diff = diff_cursor_new(d);
    coindb_iter_rewind(it);
}

void coindb_iter_rewind(struct coindb_iter *it)
{
    it->started = it->ended = it->shown_base = it->shown_diff = false;
}

static void go_to_start(struct coindb_iter *it)
{
    const uint8_t first = KEY_COIN;

    kv_iter_seek(it->base, &first, 1);
    if (it->diff)
        diff_cursor_rewind(it->diff);
    it->started = true;
}

/* The record of the base that is next: empty behind the coins. */
static struct reader base_key(const struct coindb_iter *it)
{
    struct reader none = reader_make("", 0), key;

    if (!kv_iter_valid(it->base))
        return none;
    key = kv_iter_key(it->base);
    return reader_left(&key) && *key.pos == KEY_COIN ? key : none;
}

static int compare(const struct reader *a, const struct reader *b)
{
    size_t na = reader_left(a), nb = reader_left(b);
    int r = memcmp(a->pos, b->pos, na < nb ? na : nb);

    return r ? r : (na > nb) - (na < nb);
}

/* Steps to the next record that is a coin. Out: its key and value. Returns: false at the end. */
static bool advance(struct coindb_iter *it, struct reader *key, struct reader *value)
{
    for (;;) {
        struct reader base, diff = reader_make("", 0);
        int order;

        if (it->shown_base)
            kv_iter_next(it->base);
        if (it->shown_diff)
            diff_cursor_next(it->diff);
        base = base_key(it);
        if (it->diff && diff_cursor_valid(it->diff))
            diff = diff_cursor_key(it->diff);
        if (!reader_left(&base) && !reader_left(&diff))
            return false;
        order = !reader_left(&diff) ? -1 : !reader_left(&base) ? 1 : compare(&base, &diff);
        it->shown_base = order <= 0;
        it->shown_diff = order >= 0;
        *key = order < 0 ? base : diff;
        *value = order < 0 ? kv_iter_value(it->base) : diff_cursor_value(it->diff);
        if (order < 0 || reader_left(value))
            return true;
    }
}

static enum rc end_of(struct coindb_iter *it)
{
    enum rc rc = kv_iter_status(it->base);

    it->ended = true;
    if (rc == RC_OK && it->diff)
        rc = diff_cursor_status(it->diff);
    return rc == RC_OK ? RC_NOT_FOUND : rc;
}

enum rc coindb_iter_next(struct coindb_iter *it, struct outpoint *o, struct coin *c)
{
    struct reader key, value;
    uint64_t n;

    if (it->ended)
        return RC_NOT_FOUND;
    if (!it->started)
        go_to_start(it);
    if (!advance(it, &key, &value))
        return end_of(it);
    read_u8(&key);
    read_copy(&key, o->txid.b, 32);
    n = read_varint(&key);
    o->n = (uint32_t)n;
    arena_reset(&it->arena);
    if (!reader_done(&key) || n > UINT32_MAX || !coin_read(c, &value, &it->arena))
        return coindb_corrupt(o);
    return RC_OK;
}

void coindb_iter_free(struct coindb_iter *it)
{
    if (!it)
        return;
    kv_iter_free(it->base);
    diff_cursor_free(it->diff);
    arena_clear(&it->arena);
    free(it);
}
