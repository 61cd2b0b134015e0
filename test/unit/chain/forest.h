/* forest.h - random regtest block trees with spends, and a slow model of what each branch's coins are. */
#ifndef FARTHING_TEST_FOREST_H
#define FARTHING_TEST_FOREST_H

#include "chain/chain_test.h"
#include "util/random.h"

#define FOREST_BASE 110 /* blocks before the first spend: coinbases must mature */

enum flaw { FLAW_NONE, FLAW_SCRIPT, FLAW_DOUBLE_SPEND, FLAW_VALUE, FLAW_COINBASE, FLAW_KINDS };

struct spendable {
    struct outpoint o;
    int64_t value;
    int32_t mature; /* height from which it may be spent */
};
struct plant {  /* one block */
    int parent; /* -1: genesis */
    int32_t height;
    struct block *block;
    enum flaw flaw;
    bool good;               /* no flaw here or before */
    struct spendable *coins; /* what may be spent after it */
    size_t n_coins;
};
struct forest {
    const struct chain_params *p;
    struct rng rng;
    struct plant *plant;
    int n, cap;
    struct block_hash genesis;
};

static inline void forest_init(struct forest *f, const struct chain_params *p, uint64_t seed)
{
    memset(f, 0, sizeof(*f));
    f->p = p;
    f->genesis = p->genesis_hash;
    rng_init_seed(&f->rng, seed);
}

static inline void forest_clear(struct forest *f)
{
    for (int i = 0; i < f->n; i++) {
        block_unref(f->plant[i].block);
        free(f->plant[i].coins);
    }
    free(f->plant);
}

static inline void coin_list_add(struct plant *b, const struct txid *id, uint32_t n, int64_t value, int32_t mature)
{
    b->coins = (struct spendable *)xrealloc(b->coins, (b->n_coins + 1) * sizeof(*b->coins));
    b->coins[b->n_coins++] = (struct spendable){{*id, n}, value, mature};
}

static inline struct tx *forest_coinbase(struct forest *f, int32_t height, int64_t value)
{
    struct writer w = WRITER_INIT;
    struct tx *tx;
    script_write_int(&w, height);
    write_u8(&w, 8);
    write_u64(&w, rng_u64(&f->rng)); /* siblings differ */
    tx = make_tx(NULL, w.data, w.len, SEQUENCE_FINAL, value, NULL, 0);
    writer_clear(&w);
    return tx;
}

/* Spends up to 3 random coins of b's list into up to 3 outputs. NULL: nothing to spend. */
static inline struct tx *forest_spend(struct forest *f, struct plant *b, enum flaw flaw)
{
    static const uint8_t op_true = 0x51, op_return = 0x6a;
    struct tx_builder t;
    struct tx *tx;
    int64_t total = 0;
    unsigned n_in = 1 + (unsigned)rng_below(&f->rng, 3), n_out = 1 + (unsigned)rng_below(&f->rng, 3);
    unsigned done = 0;

    tx_builder_init(&t, 2, 0);
    for (unsigned tries = 0; tries < 200 && done < n_in && b->n_coins; tries++) {
        size_t i = rng_below(&f->rng, b->n_coins);
        bool bad = flaw == FLAW_SCRIPT && !done;
        if (b->coins[i].mature > b->height)
            continue;
        tx_builder_add_in(&t, &b->coins[i].o, bad ? &op_return : NULL, bad ? 1 : 0, SEQUENCE_FINAL);
        total += b->coins[i].value;
        if (flaw != FLAW_DOUBLE_SPEND) /* the coin stays listed: the next transaction may take it again */
            b->coins[i] = b->coins[--b->n_coins];
        else
            break;
        done++;
    }
    if (!t.n_in) {
        tx_builder_clear(&t);
        return NULL;
    }
    for (unsigned i = 0; i < n_out; i++)
        tx_builder_add_out(&t, total / n_out + (flaw == FLAW_VALUE ? 1000 : 0), &op_true, 1);
    if (rng_below(&f->rng, 4) == 0)
        tx_builder_add_out(&t, 0, &op_return, 1); /* never a coin */
    tx = tx_build(&t);
    tx_builder_clear(&t);
    for (unsigned i = 0; i < n_out; i++)
        coin_list_add(b, &tx->txid, i, total / n_out, 0);
    return tx;
}

/* Grows a block on a parent (-1: genesis). Returns: its number. */
static inline int forest_grow(struct forest *f, int parent, unsigned n_tx, enum flaw flaw)
{
    struct tx *txs[64];
    struct plant *b, *up;
    struct writer w;
    size_t n = 1;

    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 256;
        f->plant = (struct plant *)xrealloc(f->plant, (size_t)f->cap * sizeof(*f->plant));
    }
    up = parent >= 0 ? &f->plant[parent] : NULL;
    b = &f->plant[f->n];
    memset(b, 0, sizeof(*b));
    b->parent = parent;
    b->height = up ? up->height + 1 : 1;
    b->n_coins = up ? up->n_coins : 0;
    b->coins = (struct spendable *)xmalloc((b->n_coins + 1) * sizeof(*b->coins));
    if (up)
        memcpy(b->coins, up->coins, b->n_coins * sizeof(*b->coins));
    txs[0] = forest_coinbase(f, b->height, flaw == FLAW_COINBASE ? 60 * COIN : 1 * COIN + (int64_t)rng_below(&f->rng, 1000));
    for (unsigned i = 0; i < n_tx && n < 60; i++) {
        enum flaw now = i == n_tx / 2 ? flaw : FLAW_NONE;
        struct tx *tx = forest_spend(f, b, now);
        if (!tx)
            break;
        txs[n++] = tx;
        if (now == FLAW_SCRIPT || now == FLAW_DOUBLE_SPEND || now == FLAW_VALUE)
            b->flaw = now;
        if (now == FLAW_DOUBLE_SPEND) { /* the same coin once more */
            static const uint8_t op_true = 0x51;
            struct tx_builder t;
            tx_builder_init(&t, 1, 0);
            tx_builder_add_in(&t, tx->in[0].prevout, NULL, 0, SEQUENCE_FINAL);
            tx_builder_add_out(&t, 1, &op_true, 1);
            txs[n++] = tx_build(&t);
            tx_builder_clear(&t);
        }
    }
    if (flaw == FLAW_COINBASE)
        b->flaw = flaw;
    coin_list_add(b, &txs[0]->txid, 0, txs[0]->out[0].value, b->height + COINBASE_MATURITY);
    b->good = !b->flaw && (!up || up->good);
    w = make_block_bytes(f->p, up ? &up->block->hash : &f->genesis, 1600000000u + (uint32_t)b->height * 600, txs, n, NULL);
    b->block = block_decode(w.data, w.len);
    assert_non_null(b->block);
    for (size_t i = 0; i < n; i++)
        tx_unref(txs[i]);
    return f->n++;
}

/* The trunk on which spends are possible. Returns: its tip. */
static inline int forest_trunk(struct forest *f)
{
    int at = -1;
    for (int i = 0; i < FOREST_BASE; i++)
        at = forest_grow(f, at, 0, FLAW_NONE);
    return at;
}

/* The path from genesis to a block, in order. Returns: the count; *path to free. */
static inline int forest_path(const struct forest *f, int to, int **path)
{
    int n = f->plant[to].height;
    *path = (int *)xmalloc((size_t)n * sizeof(int));
    for (int i = n - 1; i >= 0; i--, to = f->plant[to].parent)
        (*path)[i] = to;
    return n;
}

/* The MuHash of the coins that a fresh chain has after going straight to a block. */
static inline struct hash_hex forest_straight(const struct forest *f, int to)
{
    struct bed t;
    struct hash_hex h;
    int *path, n = forest_path(f, to, &path);

    bed_init(&t, CHAIN_REGTEST);
    bed_open(&t);
    for (int i = 0; i < n; i++)
        chain_process_block(t.c, f->plant[path[i]].block, true, true, NULL, NULL);
    chain_drain(t.c);
    assert_true(block_hash_equal(&chain_tip(t.c)->node.hash, &f->plant[to].block->hash));
    h = bed_hash(&t, UTXO_HASH_MUHASH);
    bed_clear(&t);
    free(path);
    return h;
}

#endif
