/* coins.c - operations of the coins cache: look up, spend, add. Called by connecting and disconnecting, on the validation
 * thread. Memory and table: coins_table.c; writing out: coins_flush.c. */
#include "chain/coins_table.h"

#include <stdlib.h>

#include "util/mem.h"

#define MEM_STEP 32768u

uint8_t *bytes_mem_take(struct bytes_mem *m, size_t len)
{
    uint8_t *p;

    if (m->left < len) {
        size_t size = len > MEM_STEP ? len : MEM_STEP;
        m->pos = arena_alloc(&m->arena, size);
        m->left = size;
    }
    p = m->pos;
    m->pos += len;
    m->left -= len;
    return p;
}

void bytes_mem_reset(struct bytes_mem *m)
{
    arena_reset(&m->arena);
    m->pos = NULL;
    m->left = 0;
}

void bytes_mem_clear(struct bytes_mem *m)
{
    arena_clear(&m->arena);
    m->pos = NULL;
    m->left = 0;
}

struct coins *coins_new(struct coindb *db, struct coins *parent)
{
    struct coins *cs = xcalloc(1, sizeof(*cs));

    cs->db = db;
    cs->parent = parent;
    coins_table_init(cs);
    return cs;
}

void coins_free(struct coins *cs)
{
    if (!cs)
        return;
    coins_table_clear(cs);
    free(cs->slots);
    bytes_mem_clear(&cs->scratch);
    free(cs);
}

void coins_base_empty(struct coins *cs, bool empty)
{
    cs->base_empty = empty;
}

size_t coins_count(const struct coins *cs)
{
    return cs->count;
}

size_t coins_dirty(const struct coins *cs)
{
    return cs->dirty;
}

size_t coins_bytes(const struct coins *cs)
{
    return (size_t)cs->n_chunks * COIN_CHUNK_UNITS * COIN_UNIT + ((size_t)cs->mask + 1) * sizeof(struct coin_slot) + cs->far_bytes;
}

bool coins_read_failed(const struct coins *cs)
{
    return cs->failed;
}

bool coins_cached(const struct coins *cs, const struct outpoint *o)
{
    return coins_table_find(cs, o, coins_table_hash(cs, o)) != SIZE_MAX;
}

void coins_touch(const struct coins *cs, const struct outpoint *o)
{
    __builtin_prefetch(&cs->slots[coins_table_hash(cs, o) & cs->mask]);
}

void coins_touch_record(const struct coins *cs, const struct outpoint *o)
{
    uint32_t hash = coins_table_hash(cs, o);
    struct coin_slot s = cs->slots[hash & cs->mask];

    if (s.ref && s.hash == hash)
        __builtin_prefetch(coin_at(cs, s.ref));
}

struct coindb *coins_database(const struct coins *cs)
{
    return cs->base_empty ? NULL : cs->db;
}

/* A coin of the base; script valid until the next call. */
static enum rc base_get(struct coins *cs, struct coin *out, const struct outpoint *o)
{
    enum rc rc;

    if (cs->base_empty)
        return RC_NOT_FOUND;
    bytes_mem_reset(&cs->scratch);
    if (cs->parent)
        return coins_get(cs->parent, out, o, &cs->scratch, false);
    rc = coindb_get(cs->db, out, o, &cs->scratch.arena);
    cs->failed |= rc != RC_OK && rc != RC_NOT_FOUND;
    return rc;
}

static void copy_out(struct coin *out, const struct coin *c, struct bytes_mem *mem)
{
    uint8_t *script = bytes_mem_take(mem, c->out.script_len);

    if (c->out.script_len)
        memcpy(script, c->out.script, c->out.script_len);
    *out = *c;
    out->out.script = script;
}

/* A record for c, flags none. */
static struct coin_rec *put(struct coins *cs, const struct outpoint *o, uint32_t hash, const struct coin *c)
{
    struct coin_rec *r = coins_table_insert(cs, o, hash, c->out.script_len);

    r->code = c->height << 1 | (c->coinbase ? 1 : 0);
    r->value = c->out.value;
    if (c->out.script_len)
        memcpy((uint8_t *)(uintptr_t)coin_rec_script(r), c->out.script, c->out.script_len);
    return r;
}

enum rc coins_get(struct coins *cs, struct coin *out, const struct outpoint *o, struct bytes_mem *mem, bool keep)
{
    uint32_t hash = coins_table_hash(cs, o);
    size_t slot = coins_table_find(cs, o, hash);
    struct coin c;
    enum rc rc;

    if (slot != SIZE_MAX) {
        const struct coin_rec *r = coin_at(cs, cs->slots[slot].ref);
        if (r->flags & COIN_SPENT)
            return RC_NOT_FOUND;
        coin_rec_coin(&c, r);
        copy_out(out, &c, mem);
        return RC_OK;
    }
    rc = base_get(cs, &c, o);
    if (rc != RC_OK)
        return rc;
    if (keep)
        put(cs, o, hash, &c);
    copy_out(out, &c, mem);
    return RC_OK;
}

enum rc coins_have(struct coins *cs, bool *have, const struct outpoint *o)
{
    size_t slot = coins_table_find(cs, o, coins_table_hash(cs, o));
    struct coin c;
    enum rc rc;

    if (slot != SIZE_MAX) {
        *have = !(coin_at(cs, cs->slots[slot].ref)->flags & COIN_SPENT);
        return RC_OK;
    }
    rc = base_get(cs, &c, o);
    *have = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Leaves the mark that the base's coin is gone. */
static void tombstone(struct coins *cs, struct coin_rec *r)
{
    if (!(r->flags & COIN_DIRTY))
        cs->dirty++;
    r->flags = (uint8_t)((r->flags & COIN_FAR) | COIN_DIRTY | COIN_SPENT);
}

enum rc coins_spend(struct coins *cs, struct coin *out, const struct outpoint *o, struct bytes_mem *mem)
{
    uint32_t hash = coins_table_hash(cs, o);
    size_t slot = coins_table_find(cs, o, hash);
    struct coin_rec *r;
    struct coin c;
    enum rc rc;

    if (slot == SIZE_MAX) {
        rc = base_get(cs, &c, o);
        if (rc != RC_OK)
            return rc;
        if (out)
            copy_out(out, &c, mem);
        r = coins_table_insert(cs, o, hash, 0);
        r->code = 0;
        r->value = 0;
        tombstone(cs, r);
        return RC_OK;
    }
    r = coin_at(cs, cs->slots[slot].ref);
    if (r->flags & COIN_SPENT)
        return RC_NOT_FOUND;
    if (out) {
        coin_rec_coin(&c, r);
        copy_out(out, &c, mem);
    }
    if (r->flags & COIN_FRESH) {
        cs->dirty--;
        coins_table_remove(cs, slot);
    } else {
        tombstone(cs, r);
    }
    return RC_OK;
}

void coins_add(struct coins *cs, const struct outpoint *o, const struct coin *c, bool may_exist)
{
    uint32_t hash = coins_table_hash(cs, o);
    size_t slot = coins_table_find(cs, o, hash);
    uint8_t flags = COIN_DIRTY;
    struct coin_rec *r;

    if (slot == SIZE_MAX) {
        if (!may_exist || cs->base_empty)
            flags |= COIN_FRESH;
    } else {
        uint8_t old = coin_at(cs, cs->slots[slot].ref)->flags;

        /* What the base has (a clean or dirty record, a tombstone) must reach it again; what it never had stays FRESH. */
        flags |= old & COIN_FRESH;
        if (old & COIN_DIRTY)
            cs->dirty--;
        coins_table_remove(cs, slot);
    }
    r = put(cs, o, hash, c);
    r->flags |= flags;
    cs->dirty++;
}

void coins_insert_clean(struct coins *cs, const struct outpoint *o, const struct coin *c)
{
    uint32_t hash = coins_table_hash(cs, o);

    if (coins_table_find(cs, o, hash) == SIZE_MAX)
        put(cs, o, hash, c);
}
