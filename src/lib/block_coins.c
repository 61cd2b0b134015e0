/* block_coins.c - which coin does each input of a block spend? Coins from outside are taken as the caller says; coins made in the block
 * are looked up in it, as a caller that is wrong about those would make an invalid block valid. Called by farthing_verify_block; any
 * thread. */
#include "block_coins.h"

#include "consensus/check.h"
#include "crypto/hash.h"

/* An open hash table of numbers (stored plus one), at most half full. Its keys are salted with the block's hash. */
struct table {
    uint32_t *slot;
    size_t mask;
    uint64_t k0, k1;
};

static void table_init(struct table *t, struct arena *arena, size_t n, const struct block_hash *salt)
{
    size_t slots = 16;
    while (slots < 2 * n)
        slots *= 2;
    t->slot = arena_calloc(arena, slots, sizeof(*t->slot));
    t->mask = slots - 1;
    t->k0 = get_le64(salt->b);
    t->k1 = get_le64(salt->b + 8);
}

/* The slot of transaction `id`: its own or a free one. */
static uint32_t *table_find_tx(const struct table *t, const struct block *b, const struct txid *id)
{
    size_t s = siphash_hash(t->k0, t->k1, id->b) & t->mask;
    while (t->slot[s] && !txid_equal(&b->tx[t->slot[s] - 1].txid, id))
        s = (s + 1) & t->mask;
    return &t->slot[s];
}

/* Remembers an outpoint. Returns: false if it was there. */
static bool table_add_outpoint(struct table *t, const struct outpoint **all, uint32_t i)
{
    size_t s = siphash_hash_u32(t->k0, t->k1, all[i]->txid.b, all[i]->n) & t->mask;
    for (; t->slot[s]; s = (s + 1) & t->mask) {
        if (outpoint_equal(all[t->slot[s] - 1], all[i]))
            return false;
    }
    t->slot[s] = i + 1;
    return true;
}

static size_t count_inputs(const struct block *b)
{
    size_t n = 0;
    for (uint32_t i = 1; i < b->n_tx; i++)
        n += b->tx[i].n_in;
    return n;
}

static bool no_double_spend(struct block_coins *c, const struct block *b)
{
    const struct outpoint **all = arena_alloc(&c->arena, (c->n + 1) * sizeof(*all));
    struct table t;
    uint32_t k = 0;
    table_init(&t, &c->arena, c->n, &b->hash);
    for (uint32_t i = 1; i < b->n_tx; i++) {
        for (uint32_t j = 0; j < b->tx[i].n_in; j++, k++) {
            all[k] = b->tx[i].in[j].prevout;
            if (!table_add_outpoint(&t, all, k))
                return false;
        }
    }
    return true;
}

/* A coin from outside. What is not known becomes what passes. */
static bool take_outside(struct block_coins *c, size_t k, const struct farthing_coin *given)
{
    bool height_known = given->height != UINT32_MAX;
    if (given->out.script_len > UINT32_MAX)
        return false;
    c->coin[k].out = (struct tx_out){given->out.value, given->out.script, (uint32_t)given->out.script_len};
    c->coin[k].height = height_known ? given->height : COIN_HEIGHT_UNKNOWN;
    c->coin[k].coinbase = given->coinbase == 1 && height_known;
    c->mtp_before[k] = given->mtp_before ? (int64_t)given->mtp_before : MTP_UNKNOWN;
    return true;
}

/* A coin made by transaction `from` of the block, for one that stands at `to`. */
static bool take_inside(struct block_coins *c, size_t k, const struct block *b, uint32_t from, uint32_t to, uint32_t n,
                        const struct farthing_coin *given)
{
    const struct tx_out *out = n < b->tx[from].n_out ? &b->tx[from].out[n] : NULL;
    if (from >= to || !out || script_is_unspendable(out->script, out->script_len))
        return false;
    if (given->out.value != out->value || given->out.script_len != out->script_len ||
        (out->script_len && memcmp(given->out.script, out->script, out->script_len) != 0))
        return false;
    c->coin[k].out = *out;
    return true;
}

bool block_coins_init(struct block_coins *c, const struct block *b, int32_t height, int64_t prev_mtp,
                      const struct farthing_coin *coins, size_t n_coins)
{
    struct table ids;
    size_t k = 0;
    *c = (struct block_coins){.arena = ARENA_INIT, .n = count_inputs(b)};
    if (c->n != n_coins || !no_double_spend(c, b))
        return false;
    c->coin = arena_calloc(&c->arena, c->n + 1, sizeof(*c->coin));
    c->spent = arena_calloc(&c->arena, c->n + 1, sizeof(*c->spent));
    c->mtp_before = arena_calloc(&c->arena, c->n + 1, sizeof(*c->mtp_before));
    table_init(&ids, &c->arena, b->n_tx, &b->hash);
    for (uint32_t i = 0; i < b->n_tx; i++)
        *table_find_tx(&ids, b, &b->tx[i].txid) = i + 1;
    for (uint32_t i = 1; i < b->n_tx; i++) {
        for (uint32_t j = 0; j < b->tx[i].n_in; j++, k++) {
            const struct outpoint *prevout = b->tx[i].in[j].prevout;
            uint32_t from = *table_find_tx(&ids, b, &prevout->txid);
            if (from) {
                c->coin[k].height = (uint32_t)height;
                c->coin[k].coinbase = from == 1;
                c->mtp_before[k] = prev_mtp;
            }
            if (from ? !take_inside(c, k, b, from - 1, i, prevout->n, &coins[k]) : !take_outside(c, k, &coins[k]))
                return false;
            c->spent[k] = c->coin[k].out;
        }
    }
    return true;
}

void block_coins_clear(struct block_coins *c)
{
    arena_clear(&c->arena);
}
