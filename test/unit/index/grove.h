/* grove.h - random regtest block trees for the tests of the indexes: spends of several scripts, of coins of the same block, of coinbases, of one
 * script twice by one transaction, the same transaction in two branches; and what each branch means, worked out by walking over all its blocks. */
#ifndef FARTHING_TEST_GROVE_H
#define FARTHING_TEST_GROVE_H

#include "chain/chain_test.h"
#include "util/random.h"

#define GROVE_TRUNK 104 /* blocks before the first spend: coinbases must mature */
#define GROVE_KINDS 11  /* scripts that get coins */
#define GROVE_TXS 24    /* of a block */

/* A coin that a branch ever had, in the order of the chain. */
struct model_coin {
    struct outpoint o;
    int64_t value;
    unsigned kind;
    int32_t height, spent_height; /* 0: unspent */
    uint32_t pos, spent_pos;
    struct txid spender;
};
struct model_tx {
    struct txid id;
    int32_t height;
    uint32_t pos;
    struct {
        bool touched;
        int64_t received, spent;
    } of[GROVE_KINDS + 1]; /* each script */
};
/* What went on up to a block. */
struct model {
    struct model_coin *coin;
    struct model_tx *tx;
    size_t n_coins, n_txs;
    int32_t height;
    int64_t lost; /* in outputs that nobody can spend */
};

struct plant {
    int parent; /* -1: genesis */
    int32_t height;
    struct block *block;
};
struct grove {
    const struct chain_params *p;
    struct rng rng;
    struct plant *plant;
    int n;
    struct tx **old; /* spends of any branch */
    size_t n_old;
};

/* Anyone spends it by pushing a true value; number 0 is the empty script. Returns: its length. */
static inline size_t grove_script(uint8_t out[4], unsigned kind)
{
    const uint8_t script[4] = {0x01, (uint8_t)kind, 0x75, 0x51};

    memcpy(out, script, sizeof(script));
    return kind ? sizeof(script) : 0;
}

static inline unsigned kind_of(const struct tx_out *out)
{
    return out->script_len == 0 ? 0 : out->script[0] == 0x6a ? GROVE_KINDS : out->script[1];
}

/* ---- the model ---- */

static inline void model_clear(struct model *m)
{
    free(m->coin);
    free(m->tx);
}

static inline struct model_coin *model_find(const struct model *m, const struct outpoint *o)
{
    for (size_t i = m->n_coins; i-- > 0;)
        if (outpoint_equal(&m->coin[i].o, o))
            return &m->coin[i];
    return NULL;
}

static inline void model_add_tx(struct model *m, const struct tx *tx, int32_t height, uint32_t pos)
{
    struct model_tx *t;

    m->tx = (struct model_tx *)xrealloc(m->tx, (m->n_txs + 1) * sizeof(*m->tx));
    t = &m->tx[m->n_txs++];
    *t = (struct model_tx){.id = tx->txid, .height = height, .pos = pos};
    for (uint32_t i = 0; pos && i < tx->n_in; i++) {
        struct model_coin *c = model_find(m, tx->in[i].prevout);

        assert_non_null(c);
        assert_int_equal(c->spent_height, 0);
        c->spent_height = height;
        c->spent_pos = pos;
        c->spender = tx->txid;
        t->of[c->kind].touched = true;
        t->of[c->kind].spent += c->value;
    }
    m->coin = (struct model_coin *)xrealloc(m->coin, (m->n_coins + tx->n_out) * sizeof(*m->coin));
    for (uint32_t i = 0; i < tx->n_out; i++) {
        unsigned kind = kind_of(&tx->out[i]);

        if (kind == GROVE_KINDS) {
            m->lost += tx->out[i].value;
            continue;
        }
        m->coin[m->n_coins++] =
            (struct model_coin){.o = {tx->txid, i}, .value = tx->out[i].value, .kind = kind, .height = height, .pos = pos};
        t->of[kind].touched = true;
        t->of[kind].received += tx->out[i].value;
    }
}

/* The path from genesis to a block, in order. Returns: the count; *path to free. */
static inline int grove_path(const struct grove *g, int to, int **path)
{
    int n = to < 0 ? 0 : g->plant[to].height;

    *path = (int *)xmalloc((size_t)(n + 1) * sizeof(int));
    for (int i = n - 1; i >= 0; i--, to = g->plant[to].parent)
        (*path)[i] = to;
    return n;
}

/* to: -1: genesis. */
static inline void model_walk(struct model *m, const struct grove *g, int to)
{
    int *path, n = grove_path(g, to, &path);

    memset(m, 0, sizeof(*m));
    m->height = n;
    for (int i = 0; i < n; i++) {
        const struct plant *b = &g->plant[path[i]];

        for (uint32_t pos = 0; pos < b->block->n_tx; pos++)
            model_add_tx(m, &b->block->tx[pos], b->height, pos);
    }
    free(path);
}

/* ---- growing ---- */

/* May the next block spend it? */
static inline bool model_spendable(const struct model_coin *c, int32_t height)
{
    return !c->spent_height && (c->pos || height - c->height >= COINBASE_MATURITY);
}

/* The first output as often as not to the script that all know; sometimes to the same as the one before, or to nobody. */
static inline void grove_add_outs(struct grove *g, struct tx_builder *t, int64_t total)
{
    unsigned n = 1 + (unsigned)rng_below(&g->rng, 4), kind = 1;
    uint8_t script[4];

    for (unsigned i = 0; i < n; i++) {
        int64_t value = i + 1 == n ? total : (int64_t)rng_below(&g->rng, (uint64_t)total + 1);

        if (rng_below(&g->rng, 3))
            kind = (unsigned)rng_below(&g->rng, GROVE_KINDS);
        tx_builder_add_out(t, value, script, grove_script(script, kind));
        total -= value;
    }
    if (rng_below(&g->rng, 6) == 0)
        tx_builder_add_out(t, total < 700 ? total : (int64_t)rng_below(&g->rng, 700), "\x6a", 1);
}

static inline struct tx *grove_coinbase(struct grove *g, int32_t height)
{
    static const struct outpoint null_outpoint = {.n = OUTPOINT_NULL_N};
    struct writer w = WRITER_INIT;
    struct tx_builder t;
    struct tx *tx;

    script_write_int(&w, height);
    write_u8(&w, 8);
    write_u64(&w, rng_u64(&g->rng)); /* siblings differ */
    tx_builder_init(&t, 2, 0);
    tx_builder_add_in(&t, &null_outpoint, w.data, w.len, SEQUENCE_FINAL);
    grove_add_outs(g, &t, COIN + (int64_t)rng_below(&g->rng, 24 * (uint64_t)COIN));
    tx = tx_build(&t);
    tx_builder_clear(&t);
    writer_clear(&w);
    return tx;
}

/* Prefers coins of the last blocks and of this one; after the first perhaps one of the same script. NULL: none was found. */
static inline struct model_coin *grove_pick(struct grove *g, const struct model *m, int32_t height, const struct model_coin *first)
{
    bool same = first && rng_below(&g->rng, 2);

    for (unsigned tries = 0; tries < 60 && m->n_coins; tries++) {
        size_t near = rng_below(&g->rng, 2) && m->n_coins > 40 ? 40 : m->n_coins;
        struct model_coin *c = &m->coin[m->n_coins - 1 - rng_below(&g->rng, near)];

        if (model_spendable(c, height) && (!same || c->kind == first->kind))
            return c;
    }
    return NULL;
}

static inline struct tx *grove_spend(struct grove *g, struct model *m, int32_t height)
{
    unsigned n_in = 1 + (unsigned)rng_below(&g->rng, 3);
    struct model_coin *first = NULL;
    struct tx *tx = NULL;
    struct tx_builder t;
    int64_t total = 0;

    tx_builder_init(&t, 2, 0);
    while (t.n_in < n_in) {
        struct model_coin *c = grove_pick(g, m, height, first);

        if (!c)
            break;
        first = first ? first : c;
        tx_builder_add_in(&t, &c->o, "\x51", 1, SEQUENCE_FINAL);
        total += c->value;
        c->spent_height = -1; /* not twice by this one */
    }
    for (uint32_t i = 0; i < t.n_in; i++)
        model_find(m, &t.in[i].prevout[0])->spent_height = 0;
    if (t.n_in) {
        grove_add_outs(g, &t, total);
        tx = tx_build(&t);
    }
    tx_builder_clear(&t);
    return tx;
}

/* A transaction of another branch, if this one allows it. NULL: none found. */
static inline struct tx *grove_again(struct grove *g, const struct model *m, int32_t height)
{
    for (unsigned tries = 0; tries < 4 && g->n_old; tries++) {
        struct tx *tx = g->old[g->n_old - 1 - rng_below(&g->rng, g->n_old < 60 ? g->n_old : 60)];
        bool fits = true;

        for (uint32_t i = 0; i < tx->n_in && fits; i++) {
            const struct model_coin *c = model_find(m, tx->in[i].prevout);
            fits = c && model_spendable(c, height);
        }
        if (fits)
            return tx_ref(tx);
    }
    return NULL;
}

/* Grows a block on a parent (-1: genesis). Returns: its number. */
static inline int grove_grow(struct grove *g, int parent, unsigned n_tx)
{
    int32_t height = parent < 0 ? 1 : g->plant[parent].height + 1;
    struct tx *txs[GROVE_TXS];
    struct plant *b;
    struct model m;
    struct writer w;
    size_t n = 0;

    model_walk(&m, g, parent);
    txs[n++] = grove_coinbase(g, height);
    model_add_tx(&m, txs[0], height, 0);
    while (n <= n_tx && n < GROVE_TXS) {
        struct tx *tx = rng_below(&g->rng, 3) == 0 ? grove_again(g, &m, height) : NULL;

        if (!tx && !(tx = grove_spend(g, &m, height)))
            break;
        model_add_tx(&m, tx, height, (uint32_t)n);
        g->old = (struct tx **)xrealloc(g->old, (g->n_old + 1) * sizeof(*g->old));
        g->old[g->n_old++] = tx_ref(tx);
        txs[n++] = tx;
    }
    model_clear(&m);
    w = make_block_bytes(g->p, parent < 0 ? &g->p->genesis_hash : &g->plant[parent].block->hash,
                         1600000000u + (uint32_t)height * 600, txs, n, NULL);
    for (size_t i = 0; i < n; i++)
        tx_unref(txs[i]);
    g->plant = (struct plant *)xrealloc(g->plant, (size_t)(g->n + 1) * sizeof(*g->plant));
    b = &g->plant[g->n];
    *b = (struct plant){parent, height, block_decode(w.data, w.len)};
    assert_non_null(b->block);
    return g->n++;
}

static inline void grove_init(struct grove *g, const struct chain_params *p, uint64_t seed)
{
    memset(g, 0, sizeof(*g));
    g->p = p;
    rng_init_seed(&g->rng, seed);
    for (int i = 0; i < GROVE_TRUNK; i++)
        grove_grow(g, i - 1, 0);
}

static inline void grove_clear(struct grove *g)
{
    for (int i = 0; i < g->n; i++)
        block_unref(g->plant[i].block);
    for (size_t i = 0; i < g->n_old; i++)
        tx_unref(g->old[i]);
    free(g->plant);
    free(g->old);
}

/* The number of a block; -1: genesis. */
static inline int grove_number(const struct grove *g, const struct block_entry *e)
{
    for (int i = g->n - 1; i >= 0; i--)
        if (block_hash_equal(&g->plant[i].block->hash, &e->node.hash))
            return i;
    assert_int_equal(e->node.height, 0);
    return -1;
}

#endif
