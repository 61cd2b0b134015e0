/* coins_table.c - memory and hash table of the coins cache: see coins_table.h. Called by coins.c and coins_flush.c, on the
 * validation thread. */
#include "chain/coins_table.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "util/assert.h"
#include "util/mem.h"
#include "util/random.h"

#define CHUNK_BYTES ((size_t)COIN_CHUNK_UNITS * COIN_UNIT)
#define SLOTS_MIN 1024u

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* A keyed product of 16 bytes of the txid and the index: ids are uniform but may be ground, the keys are secret. */
uint32_t coins_table_hash(const struct coins *cs, const struct outpoint *o)
{
    __extension__ typedef unsigned __int128 u128;
    u128 m = (u128)(load64(o->txid.b) ^ cs->k0) * (load64(o->txid.b + 8) ^ cs->k1 ^ ((uint64_t)o->n << 17 | o->n));
    uint64_t h = (uint64_t)m ^ (uint64_t)(m >> 64);

    return (uint32_t)((h * cs->k2) >> 32);
}

void coins_table_init(struct coins *cs)
{
    random_bytes(&cs->k0, sizeof(cs->k0));
    random_bytes(&cs->k1, sizeof(cs->k1));
    random_bytes(&cs->k2, sizeof(cs->k2));
    cs->k2 |= 1;
    cs->slots = xcalloc(SLOTS_MIN, sizeof(*cs->slots));
    cs->mask = SLOTS_MIN - 1;
}

static void far_scripts_free(struct coins *cs)
{
    if (!cs->far_bytes)
        return;
    for (size_t i = 0; i <= cs->mask; i++) {
        struct coin_rec *r = cs->slots[i].ref ? coin_at(cs, cs->slots[i].ref) : NULL;
        void *p;

        if (!r || !(r->flags & COIN_FAR))
            continue;
        memcpy(&p, r->script, sizeof(p));
        free(p);
    }
}

void coins_table_clear(struct coins *cs)
{
    far_scripts_free(cs);
    for (uint32_t i = 0; i < cs->n_chunks; i++)
        munmap(cs->chunks[i], CHUNK_BYTES);
    free(cs->chunks);
    free(cs->slots);
    cs->slots = xcalloc(SLOTS_MIN, sizeof(*cs->slots));
    cs->mask = SLOTS_MIN - 1;
    cs->count = cs->dirty = cs->far_bytes = 0;
    cs->chunks = NULL;
    cs->n_chunks = cs->cap_chunks = cs->bump = cs->bump_end = 0;
    memset(cs->free_list, 0, sizeof(cs->free_list));
}

static void chunk_add(struct coins *cs)
{
    void *p = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        free(xmalloc(CHUNK_BYTES)); /* ends the process with the usual message if memory is really out */
        p = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ASSERT(p != MAP_FAILED);
    }
    if (cs->n_chunks == cs->cap_chunks) {
        cs->cap_chunks = cs->cap_chunks ? cs->cap_chunks * 2 : 16;
        cs->chunks = xrealloc(cs->chunks, cs->cap_chunks * sizeof(*cs->chunks));
    }
    cs->chunks[cs->n_chunks] = p;
    cs->bump = cs->n_chunks << COIN_CHUNK_BITS;
    cs->bump_end = cs->bump + COIN_CHUNK_UNITS;
    if (!cs->n_chunks)
        cs->bump++; /* reference 0 means none */
    cs->n_chunks++;
}

static uint32_t rec_alloc(struct coins *cs, unsigned units)
{
    uint32_t ref = cs->free_list[units];

    if (ref) {
        memcpy(&cs->free_list[units], coin_at(cs, ref), sizeof(uint32_t));
        return ref;
    }
    if (cs->bump_end - cs->bump < units)
        chunk_add(cs);
    ref = cs->bump;
    cs->bump += units;
    return ref;
}

static void rec_free(struct coins *cs, uint32_t ref)
{
    struct coin_rec *r = coin_at(cs, ref);
    unsigned units = r->units;

    if (r->flags & COIN_FAR) {
        void *p;
        memcpy(&p, r->script, sizeof(p));
        free(p);
        cs->far_bytes -= r->script_len;
    }
    memcpy(r, &cs->free_list[units], sizeof(uint32_t));
    cs->free_list[units] = ref;
}

const uint8_t *coin_rec_script(const struct coin_rec *r)
{
    const uint8_t *p;

    if (!(r->flags & COIN_FAR))
        return r->script;
    memcpy(&p, r->script, sizeof(p));
    return p;
}

void coin_rec_coin(struct coin *out, const struct coin_rec *r)
{
    out->out.value = r->value;
    out->out.script = coin_rec_script(r);
    out->out.script_len = r->script_len;
    out->height = r->code >> 1;
    out->coinbase = r->code & 1;
}

size_t coins_table_find(const struct coins *cs, const struct outpoint *o, uint32_t hash)
{
    for (uint32_t i = hash & cs->mask; cs->slots[i].ref; i = (i + 1) & cs->mask) {
        const struct coin_rec *r;

        if (cs->slots[i].hash != hash)
            continue;
        r = coin_at(cs, cs->slots[i].ref);
        if (r->n == o->n && memcmp(r->txid, o->txid.b, 32) == 0)
            return i;
    }
    return SIZE_MAX;
}

static void slot_put(struct coin_slot *slots, uint32_t mask, struct coin_slot s)
{
    uint32_t i = s.hash & mask;

    while (slots[i].ref)
        i = (i + 1) & mask;
    slots[i] = s;
}

static void grow(struct coins *cs)
{
    uint32_t mask = cs->mask * 2 + 1;
    struct coin_slot *slots = xcalloc((size_t)mask + 1, sizeof(*slots));

    ASSERT(mask > cs->mask);
    for (size_t i = 0; i <= cs->mask; i++)
        if (cs->slots[i].ref)
            slot_put(slots, mask, cs->slots[i]);
    free(cs->slots);
    cs->slots = slots;
    cs->mask = mask;
}

struct coin_rec *coins_table_insert(struct coins *cs, const struct outpoint *o, uint32_t hash, size_t script_len)
{
    bool far = script_len > COIN_INLINE_MAX;
    size_t bytes = offsetof(struct coin_rec, script) + (far ? sizeof(void *) : script_len);
    unsigned units = (unsigned)((bytes + COIN_UNIT - 1) / COIN_UNIT);
    struct coin_rec *r;
    uint32_t ref;

    if ((cs->count + 1) * 10 > ((size_t)cs->mask + 1) * 7)
        grow(cs);
    ref = rec_alloc(cs, units);
    slot_put(cs->slots, cs->mask, (struct coin_slot){hash, ref});
    cs->count++;
    r = coin_at(cs, ref);
    memcpy(r->txid, o->txid.b, 32);
    r->n = o->n;
    r->units = (uint8_t)units;
    r->flags = far ? COIN_FAR : 0;
    r->script_len = (uint16_t)script_len;
    if (far) {
        void *p = xmalloc(script_len);
        memcpy(r->script, &p, sizeof(p));
        cs->far_bytes += script_len;
    }
    return r;
}

void coins_table_remove(struct coins *cs, size_t slot)
{
    uint32_t hole = (uint32_t)slot;

    rec_free(cs, cs->slots[slot].ref);
    cs->count--;
    for (uint32_t i = (hole + 1) & cs->mask; cs->slots[i].ref; i = (i + 1) & cs->mask) {
        uint32_t home = cs->slots[i].hash & cs->mask;

        /* It may move into the hole unless its home lies behind the hole. */
        if (((i - home) & cs->mask) >= ((i - hole) & cs->mask)) {
            cs->slots[hole] = cs->slots[i];
            hole = i;
        }
    }
    cs->slots[hole].ref = 0;
}
