/* index.c - the pool's tables: entries by txid and by wtxid, and by the outpoints that they spend. Open addressing with one word a slot: the
 * upper bits of a (salted) hash choose the place, its lower 16 stand beside the pointer, so that few other entries are looked at. Called by
 * all of the pool; validation thread. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "mempool/internal.h"
#include "util/assert.h"
#include "util/mem.h"
#include "util/random.h"

#define FEW_SLOTS 256
#define POINTER_BITS 48 /* of an address in user space */
#define POINTER_MASK ((1ull << POINTER_BITS) - 1)
#define GONE 1ull /* no address */

static uint64_t hash_of(const struct mempool *m, const uint8_t id[32])
{
    return siphash_hash(m->salt[0], m->salt[1], id);
}

static uint64_t hash_of_outpoint(const struct mempool *m, const struct outpoint *o)
{
    return siphash_hash_u32(m->salt[0], m->salt[1], o->txid.b, o->n);
}

static size_t home_of(const struct table *t, uint64_t hash)
{
    return (size_t)(((unsigned __int128)hash * t->cap) >> 64);
}

static size_t next_of(const struct table *t, size_t i)
{
    return i + 1 == t->cap ? 0 : i + 1;
}

static bool slot_fits(uint64_t slot, uint64_t hash)
{
    return slot >> POINTER_BITS == (hash & 0xffff) && slot != GONE;
}

static struct entry *slot_entry(uint64_t slot)
{
    return (struct entry *)(uintptr_t)(slot & POINTER_MASK);
}

static void table_init(struct table *t, size_t cap)
{
    *t = (struct table){.slot = (uint64_t *)xcalloc(cap, sizeof(uint64_t)), .cap = cap};
}

void index_init(struct mempool *m)
{
    random_bytes(m->salt, sizeof(m->salt));
    table_init(&m->by_txid, FEW_SLOTS);
    table_init(&m->by_wtxid, FEW_SLOTS);
    table_init(&m->spent, FEW_SLOTS);
}

void index_clear(struct mempool *m)
{
    free(m->by_txid.slot);
    free(m->by_wtxid.slot);
    free(m->spent.slot);
}

size_t index_usage(const struct mempool *m)
{
    return heap_bytes(m->by_txid.cap * sizeof(uint64_t)) + heap_bytes(m->by_wtxid.cap * sizeof(uint64_t)) +
           heap_bytes(m->spent.cap * sizeof(uint64_t));
}

struct entry *index_find(const struct mempool *m, const struct txid *id)
{
    const struct table *t = &m->by_txid;
    uint64_t hash = hash_of(m, id->b);

    for (size_t i = home_of(t, hash); t->slot[i]; i = next_of(t, i)) {
        if (slot_fits(t->slot[i], hash) && txid_equal(&slot_entry(t->slot[i])->pub.tx->txid, id))
            return slot_entry(t->slot[i]);
    }
    return NULL;
}

struct entry *index_find_wtxid(const struct mempool *m, const struct wtxid *id)
{
    const struct table *t = &m->by_wtxid;
    uint64_t hash = hash_of(m, id->b);

    for (size_t i = home_of(t, hash); t->slot[i]; i = next_of(t, i)) {
        if (slot_fits(t->slot[i], hash) && wtxid_equal(&slot_entry(t->slot[i])->pub.tx->wtxid, id))
            return slot_entry(t->slot[i]);
    }
    return NULL;
}

static bool spends(const struct tx *tx, const struct outpoint *o)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (outpoint_equal(tx->in[i].prevout, o))
            return true;
    }
    return false;
}

struct entry *index_find_spender(const struct mempool *m, const struct outpoint *o)
{
    const struct table *t = &m->spent;
    uint64_t hash = hash_of_outpoint(m, o);

    for (size_t i = home_of(t, hash); t->slot[i]; i = next_of(t, i)) {
        if (slot_fits(t->slot[i], hash) && spends(slot_entry(t->slot[i])->pub.tx, o))
            return slot_entry(t->slot[i]);
    }
    return NULL;
}

static void table_put(struct table *t, uint64_t hash, const struct entry *e)
{
    size_t i = home_of(t, hash);

    while (t->slot[i] && t->slot[i] != GONE)
        i = next_of(t, i);
    t->gone -= t->slot[i] == GONE;
    t->slot[i] = (uint64_t)(uintptr_t)e | hash << POINTER_BITS;
    t->n++;
}

/* Two inputs whose hashes look the same have the same slot: it does not matter whose is removed first. */
static void table_take(struct table *t, uint64_t hash, const struct entry *e)
{
    size_t i = home_of(t, hash);

    while (!slot_fits(t->slot[i], hash) || slot_entry(t->slot[i]) != e) {
        ASSERT(t->slot[i]);
        i = next_of(t, i);
    }
    t->n--;
    t->slot[i] = GONE;
    t->gone++;
    if (t->slot[next_of(t, i)])
        return;
    for (; t->slot[i] == GONE; i = i ? i - 1 : t->cap - 1) { /* nothing is behind these */
        t->slot[i] = 0;
        t->gone--;
    }
}

/* How an entry's hashes go into a table. */
typedef void (*enter_fn)(const struct mempool *m, struct table *t, const struct entry *e);

static void enter_txid(const struct mempool *m, struct table *t, const struct entry *e)
{
    table_put(t, hash_of(m, e->pub.tx->txid.b), e);
}

static void enter_wtxid(const struct mempool *m, struct table *t, const struct entry *e)
{
    table_put(t, hash_of(m, e->pub.tx->wtxid.b), e);
}

static void enter_inputs(const struct mempool *m, struct table *t, const struct entry *e)
{
    for (uint32_t i = 0; i < e->pub.tx->n_in; i++)
        table_put(t, hash_of_outpoint(m, e->pub.tx->in[i].prevout), e);
}

/* Makes room for some more: at least an eighth of the slots stays empty; new tables have little more, as they are many bytes. */
static void table_reserve(const struct mempool *m, struct table *t, size_t more, enter_fn enter)
{
    struct table bigger;
    size_t n = t->n + more;

    if ((n + t->gone) * 8 <= t->cap * 7)
        return;
    table_init(&bigger, n < FEW_SLOTS / 2 ? FEW_SLOTS : n + n / 2);
    for (size_t i = 0; i < m->by_txid.cap; i++) {
        uint64_t slot = m->by_txid.slot[i];
        if (slot && slot != GONE)
            enter(m, &bigger, slot_entry(slot));
    }
    free(t->slot);
    *t = bigger;
}

void index_add(struct mempool *m, struct entry *e)
{
    ASSERT((uint64_t)(uintptr_t)e <= POINTER_MASK);
    table_reserve(m, &m->spent, e->pub.tx->n_in, enter_inputs);
    table_reserve(m, &m->by_wtxid, 1, enter_wtxid);
    table_reserve(m, &m->by_txid, 1, enter_txid);
    enter_inputs(m, &m->spent, e);
    enter_wtxid(m, &m->by_wtxid, e);
    enter_txid(m, &m->by_txid, e);
    e->in_pool = true;
}

void index_remove(struct mempool *m, struct entry *e)
{
    table_take(&m->by_txid, hash_of(m, e->pub.tx->txid.b), e);
    table_take(&m->by_wtxid, hash_of(m, e->pub.tx->wtxid.b), e);
    for (uint32_t i = 0; i < e->pub.tx->n_in; i++)
        table_take(&m->spent, hash_of_outpoint(m, e->pub.tx->in[i].prevout), e);
    e->in_pool = false;
}
