/* bench_mempool.c - how many transactions a second the pool takes, by the shape of their clusters, and what each costs in memory. Signatures
 * are left out (P2WSH of OP_TRUE): it is the pool that is measured. Usage: bench_mempool [transactions]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/sha256.h"
#include "mempool/mempool.h"
#include "primitives/serialize.h"
#include "script/script.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define HEADERS 200
#define VALUE 20000000000 /* satoshi a coin */
#define CLUSTER 64

struct chain_stub {
    struct header_node node[HEADERS];
    uint8_t spk[34];
};

/* Every outpoint with this last byte is a coin. */
static enum rc get_coin(void *ctx, struct coin *c, const struct outpoint *o, struct arena *arena)
{
    struct chain_stub *s = ctx;
    (void)arena;
    if (o->txid.b[31] != 0x77)
        return RC_NOT_FOUND;
    *c = (struct coin){{VALUE, s->spk, sizeof(s->spk)}, 1, false};
    return RC_OK;
}

static const struct header_node *tip(void *ctx)
{
    return &((struct chain_stub *)ctx)->node[HEADERS - 1];
}

static void stub_init(struct chain_stub *s)
{
    static const uint8_t op_true[1] = {OP_1};
    struct block_header h = {.version = 0x20000000, .bits = 0x207fffff};
    for (int i = 0; i < HEADERS; i++) {
        struct block_hash hash = {{(uint8_t)i, 1}};
        h.time = 1700000000u + 600u * (uint32_t)i;
        header_node_init(&s->node[i], &h, &hash, i ? &s->node[i - 1] : NULL);
    }
    s->spk[0] = OP_0;
    s->spk[1] = 32;
    sha256(s->spk + 2, op_true, 1);
}

/* How the transactions of a cluster hang together. */
enum shape { ALONE, LINE, FAN, TANGLE };

struct source {
    struct chain_stub *stub;
    struct rng rng;
    enum shape shape;
    unsigned used[CLUSTER]; /* outputs of each that are spent */
};

/* An output of the cluster that nobody spends yet. */
static struct outpoint pick(struct source *s, struct tx *const *earlier, size_t at)
{
    size_t from = s->shape == LINE ? at - 1 : s->shape == FAN ? 0 : rng_below(&s->rng, at);
    while (s->used[from] >= earlier[from]->n_out)
        from = (from + 1) % at;
    return (struct outpoint){earlier[from]->txid, s->used[from]++};
}

static struct tx *make_tx(struct source *s, struct tx *const *earlier, size_t at, uint64_t coin)
{
    static const uint8_t op_true[1] = {OP_1};
    struct witness_item item = {op_true, 1};
    unsigned n_in = s->shape == TANGLE && at > 2 ? 2 : 1, n_out = s->shape == FAN && at == 0 ? CLUSTER - 1
                                                                  : s->shape == TANGLE       ? 4
                                                                                             : 1;
    int64_t sum = 0;
    struct tx_builder b;
    struct tx *tx;

    if (at == 0)
        memset(s->used, 0, sizeof(s->used));
    tx_builder_init(&b, 2, 0);
    for (unsigned i = 0; i < n_in; i++) {
        struct outpoint o = {.n = 0};
        if (at == 0) {
            put_le64(o.txid.b, coin);
            o.txid.b[31] = 0x77;
            sum = VALUE;
        } else {
            o = pick(s, earlier, at);
            for (size_t k = 0; k < at; k++)
                sum += txid_equal(&earlier[k]->txid, &o.txid) ? earlier[k]->out[o.n].value : 0;
        }
        tx_builder_set_witness(&b, tx_builder_add_in(&b, &o, NULL, 0, SEQUENCE_FINAL), &item, 1);
    }
    sum -= 200 + (int64_t)rng_below(&s->rng, 5000);
    for (unsigned i = 0; i < n_out; i++)
        tx_builder_add_out(&b, sum / n_out, s->stub->spk, sizeof(s->stub->spk));
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static void measure(struct chain_stub *s, const char *name, enum shape shape, size_t cluster, size_t n)
{
    struct chain_params params;
    struct mempool_options o = {
        .params = &params, .max_bytes = (size_t)4 << 30, .expiry = 1000000, .chain = {s, get_coin, tip, NULL}};
    struct tx **txs = xcalloc(n, sizeof(struct tx *));
    struct mempool_stats stats;
    struct mempool *m;
    struct source source = {.stub = s, .shape = shape};
    size_t accepted = 0;
    double seconds;
    clock_t start;

    chain_params_init(&params, CHAIN_REGTEST);
    policy_init(&o.policy, &params);
    m = mempool_new(&o);
    rng_init_seed(&source.rng, 1);
    for (size_t i = 0; i < n; i++)
        txs[i] = make_tx(&source, txs + i - i % cluster, i % cluster, i + 1);
    start = clock();
    for (size_t i = 0; i < n; i++) {
        struct mempool_result r;
        accepted += mempool_accept(m, txs[i], false, false, &r);
    }
    seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    mempool_stats(m, &stats);
    printf("%-28s %9.0f tx/s (CPU) %7zu of %zu taken %6zu bytes each\n", name, (double)n / seconds, accepted, n,
           accepted ? stats.usage / accepted : 0);
    mempool_free(m);
    for (size_t i = 0; i < n; i++)
        tx_unref(txs[i]);
    free(txs);
    chain_params_clear(&params);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 20000;
    struct chain_stub *s = xcalloc(1, sizeof(*s));

    stub_init(s);
    measure(s, "alone", ALONE, 1, n);
    measure(s, "parent and child", LINE, 2, n);
    measure(s, "lines of 25", LINE, 25, n);
    measure(s, "lines of 64", LINE, 64, n);
    measure(s, "a parent with 63 children", FAN, 64, n);
    measure(s, "tangles of 64", TANGLE, 64, n);
    free(s);
    return 0;
}
