/* fuzz_mempool.c - bytes as a course of events in the pool: transactions, packages, blocks, reorganisations, fee deltas, time. After each the
 * pool is checked against itself. */
#include <stdlib.h>

#include "crypto/sha256.h"
#include "mempool/mempool.h"
#include "primitives/serialize.h"
#include "script/cache.h"
#include "script/script.h"
#include "util/assert.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/time.h"

#define HEADERS 300
#define START 1700000000
#define COINS 24
#define VALUE 1000000
#define TXS_MAX 96
#define OUTS_MAX (COINS + 3 * TXS_MAX)
#define BLOCKS_MAX 8
#define EVENTS_MAX 120

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An output that somebody may spend. */
struct out {
    struct outpoint at;
    int64_t value;
    int32_t made, gone; /* heights of the blocks that made it and took it, INT32_MAX: none */
};

struct world {
    const uint8_t *data, *end;
    struct chain_params params;
    struct header_node *node;
    int32_t height;
    struct sig_cache *cache;
    struct mempool *m;
    uint8_t spk[34];
    struct out out[OUTS_MAX];
    size_t n_out;
    struct tx *tx[TXS_MAX];
    size_t n_tx;
    struct block *block[BLOCKS_MAX];
    size_t n_block;
    unsigned events;
    int64_t time;
};

static unsigned next(struct world *w)
{
    return w->data < w->end ? *w->data++ : 0;
}

static struct out *find_out(struct world *w, const struct outpoint *o)
{
    for (size_t i = 0; i < w->n_out; i++) {
        if (outpoint_equal(&w->out[i].at, o))
            return &w->out[i];
    }
    return NULL;
}

static enum rc get_coin(void *ctx, struct coin *c, const struct outpoint *o, struct arena *arena)
{
    struct world *w = (struct world *)ctx;
    const struct out *out = find_out(w, o);
    (void)arena;
    if (!out || out->made > w->height || out->gone <= w->height)
        return RC_NOT_FOUND;
    *c = (struct coin){{out->value, w->spk, sizeof(w->spk)}, (uint32_t)out->made, false};
    return RC_OK;
}

static const struct header_node *tip(void *ctx)
{
    struct world *w = (struct world *)ctx;
    return &w->node[w->height];
}

static void added(void *ctx, struct tx *tx, int64_t fee, uint64_t sequence)
{
    (void)tx;
    (void)fee;
    (void)sequence;
    ((struct world *)ctx)->events++;
}

static void removed(void *ctx, struct tx *tx, const char *reason, uint64_t sequence)
{
    (void)tx;
    (void)reason;
    (void)sequence;
    ((struct world *)ctx)->events++;
}

/* ---- transactions ---- */

static void add_in(struct tx_builder *b, const struct outpoint *o, uint32_t sequence, bool bad)
{
    static const uint8_t op_true[1] = {OP_1};
    struct witness_item items[2] = {{op_true, 1}, {op_true, 1}};
    tx_builder_set_witness(b, tx_builder_add_in(b, o, NULL, 0, sequence), bad ? items : items + 1, bad ? 2 : 1);
}

/* Spends the first outputs of parents, and up to four outputs known so far, of blocks and of others. */
static struct tx *make_tx(struct world *w, struct tx *const *parents, size_t n_parents)
{
    static const int64_t fees[] = {0, 9, 10, 11, 50, 100, 250, 1000, 5000, 20000};
    unsigned shape = next(w), form = next(w), n_in = 1 + shape % 4, n_out = 1 + (shape >> 2) % 3, pad = (shape >> 4) % 8;
    int64_t sum = 0, fee = fees[form % ARRAY_LEN(fees)] + (form >> 4);
    struct tx_builder b;
    struct tx *tx;

    if (w->n_tx == TXS_MAX)
        return NULL;
    tx_builder_init(&b, form & 0x80 ? 3 : 2, shape & 0x80 && form == 0xff ? 500 : 0);
    for (size_t i = 0; i < n_parents; i++) {
        struct outpoint o = {parents[i]->txid, 0};
        sum += parents[i]->out[0].value;
        add_in(&b, &o, SEQUENCE_FINAL, false);
    }
    for (unsigned i = n_parents ? 1 : 0; i < n_in; i++) {
        unsigned pick = next(w), back = pick % 64;
        const struct out *o = &w->out[pick & 0x40 ? pick % COINS : back < w->n_out ? w->n_out - 1 - back : 0];
        sum += o->value;
        add_in(&b, &o->at, pick & 0x80 ? 0xfffffffd : SEQUENCE_FINAL, pick == 0x3f);
    }
    for (unsigned i = 0; i < n_out; i++) {
        int64_t value = form & 0x40 && i == 1 ? 0 : (sum - fee) / n_out;
        tx_builder_add_out(&b, value < 0 ? 0 : value, w->spk, sizeof(w->spk));
    }
    if (pad) {
        struct writer script = WRITER_INIT;
        uint8_t *zeroes = (uint8_t *)xcalloc(1, 1500u * pad);
        write_u8(&script, OP_RETURN);
        script_write_push(&script, zeroes, 1500u * pad);
        tx_builder_add_out(&b, 0, script.data, script.len);
        writer_clear(&script);
        free(zeroes);
    }
    tx = tx_build(&b);
    tx_builder_clear(&b);
    for (uint32_t i = 0; i < n_out && w->n_out < OUTS_MAX; i++) {
        struct outpoint o = {tx->txid, i};
        if (!find_out(w, &o))
            w->out[w->n_out++] = (struct out){o, tx->out[i].value, INT32_MAX, INT32_MAX};
    }
    w->tx[w->n_tx++] = tx;
    return tx;
}

static void accept_one(struct world *w)
{
    struct tx *tx = make_tx(w, NULL, 0);
    struct mempool_result r, test;
    unsigned before = w->events;

    if (!tx)
        return;
    mempool_accept(w->m, tx, true, false, &test);
    ASSERT(w->events == before);
    mempool_accept(w->m, tx, false, false, &r);
    /* What the test says holds, unless the pool was full. */
    ASSERT(test.kind == r.kind || (test.kind == MEMPOOL_ACCEPTED && strcmp(r.verdict.reason, "mempool full") == 0));
    ASSERT((r.kind == MEMPOOL_ACCEPTED) == (r.verdict.kind == VERDICT_VALID));
    ASSERT(r.kind != MEMPOOL_ACCEPTED || mempool_has_wtxid(w->m, &tx->wtxid));
}

/* Some made just now, and perhaps one made before. */
static void accept_package(struct world *w, bool test)
{
    struct tx *list[MEMPOOL_PACKAGE_MAX];
    struct mempool_package_result r;
    unsigned n = 1 + next(w) % 4, shape = next(w);
    unsigned before = w->events;
    size_t k = 0;
    bool ok, all = true;

    if (w->n_tx && shape & 1)
        list[k++] = w->tx[w->n_tx - 1 - next(w) % w->n_tx];
    for (unsigned i = 0; i < n; i++) {
        struct tx *tx = make_tx(w, list, i + 1 == n && !(shape & 2) ? k : 0);
        if (tx)
            list[k++] = tx;
    }
    if (!k)
        return;
    ok = test ? mempool_test_package(w->m, list, k, &r) : mempool_accept_package(w->m, list, k, 0, &r);
    ASSERT(ok == (r.kind == MEMPOOL_PACKAGE_VALID) && r.n == k);
    ASSERT(!test || w->events == before);
    for (size_t i = 0; i < k; i++) {
        struct mempool_entry e;
        bool there = mempool_get(w->m, &e, &list[i]->txid);
        if (!test &&
            (r.tx[i].kind == MEMPOOL_ACCEPTED || r.tx[i].kind == MEMPOOL_ALREADY_THERE || r.tx[i].kind == MEMPOOL_OTHER_WITNESS))
            ASSERT(there);
        ASSERT((r.tx[i].kind == MEMPOOL_REJECTED) == (r.tx[i].verdict.kind == VERDICT_INVALID));
        ASSERT(r.tx[i].includes < 1u << k);
        all &= there;
    }
    ASSERT(test || !ok || all);
    mempool_package_result_clear(&r);
}

/* ---- blocks ---- */

static void change_outs(struct world *w, const struct block *b, int32_t made, int32_t gone)
{
    for (uint32_t i = 1; i < b->n_tx; i++) {
        for (uint32_t k = 0; k < b->tx[i].n_out; k++) {
            struct out *o = find_out(w, &(struct outpoint){b->tx[i].txid, k});
            if (o)
                o->made = made;
        }
        for (uint32_t k = 0; k < b->tx[i].n_in; k++) {
            struct out *o = find_out(w, b->tx[i].in[k].prevout);
            if (o)
                o->gone = gone;
        }
    }
}

struct picked {
    struct tx *tx[16];
    size_t n, max;
};
static bool pick(void *ctx, const struct mempool_entry *e)
{
    struct picked *p = (struct picked *)ctx;
    if (p->n < p->max)
        p->tx[p->n++] = e->tx;
    return p->n < p->max;
}

static void mine(struct world *w)
{
    static const struct outpoint null = {.n = OUTPOINT_NULL_N};
    struct picked p = {.max = next(w) % 16};
    struct block_header h = {.version = 1};
    struct writer out = WRITER_INIT;
    struct tx_builder b;
    struct tx *coinbase;
    uint8_t sig[8];

    if (w->n_block == BLOCKS_MAX)
        return;
    if (p.max)
        mempool_each(w->m, pick, &p);
    put_le64(sig, (uint64_t)w->n_block + 1);
    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, &null, sig, sizeof(sig), SEQUENCE_FINAL);
    tx_builder_add_out(&b, 1, w->spk, sizeof(w->spk));
    coinbase = tx_build(&b);
    tx_builder_clear(&b);
    block_header_encode(writer_extend(&out, 80), &h);
    write_compact_size(&out, p.n + 1);
    tx_write(&out, coinbase, true);
    tx_unref(coinbase);
    for (size_t i = 0; i < p.n; i++)
        tx_write(&out, p.tx[i], true);
    w->block[w->n_block] = block_decode(out.data, out.len);
    ASSERT(w->block[w->n_block]);
    w->height++;
    change_outs(w, w->block[w->n_block], w->height, w->height);
    mempool_block_connected(w->m, w->block[w->n_block++], w->height);
    mempool_tip_changed(w->m);
}

static void reorganise(struct world *w)
{
    size_t depth = 1 + next(w) % BLOCKS_MAX;

    for (; depth && w->n_block; depth--) {
        struct block *b = w->block[--w->n_block];
        w->height--;
        change_outs(w, b, INT32_MAX, INT32_MAX);
        mempool_block_disconnected(w->m, b);
        block_unref(b);
    }
    mempool_tip_changed(w->m);
}

/* ---- events ---- */

static void event(struct world *w)
{
    unsigned what = next(w);

    switch (what % 16) {
    case 0:
        mine(w);
        break;
    case 1:
        reorganise(w);
        break;
    case 2:
        if (w->n_tx)
            mempool_prioritise(w->m, &w->tx[next(w) % w->n_tx]->txid, ((int64_t)next(w) - 128) * (what & 16 ? 100 : 100000000));
        break;
    case 3:
        w->time += next(w) * 1000;
        time_mock_set(w->time);
        break;
    case 4:
        accept_package(w, true);
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        accept_package(w, false);
        break;
    case 9:
        if (w->n_tx)
            mempool_set_unbroadcast(w->m, &w->tx[next(w) % w->n_tx]->txid, what & 16);
        break;
    default:
        accept_one(w);
    }
}

static void open_world(struct world *w, const uint8_t *data, size_t size)
{
    static const uint8_t op_true[1] = {OP_1};
    struct block_header h = {.version = 0x20000000, .bits = 0x207fffff};
    struct mempool_options o = {.expiry = 100 * 3600, .chain = {w, get_coin, tip, NULL}, .events = {w, added, removed}};
    unsigned limits;

    w->data = data;
    w->end = data + size;
    limits = next(w);
    chain_params_init(&w->params, CHAIN_REGTEST);
    w->node = (struct header_node *)xcalloc(HEADERS, sizeof(*w->node));
    for (int i = 0; i < HEADERS; i++) {
        struct block_hash hash = {{(uint8_t)i, (uint8_t)(i >> 8), 1}};
        h.time = START + 600u * (uint32_t)i;
        header_node_init(&w->node[i], &h, &hash, i ? &w->node[i - 1] : NULL);
    }
    w->height = 250;
    w->time = START + 600 * 251;
    time_mock_set(w->time);
    w->spk[0] = OP_0;
    w->spk[1] = 32;
    sha256(w->spk + 2, op_true, 1);
    for (; w->n_out < COINS; w->n_out++) {
        struct out *c = &w->out[w->n_out];
        *c = (struct out){{{{(uint8_t)w->n_out, 0x77}}, 0}, VALUE, 100, INT32_MAX};
    }
    w->cache = sig_cache_new((size_t)1 << 20);
    o.params = &w->params;
    o.sig_cache = w->cache;
    o.max_bytes = limits & 1 ? 60000 : 5000000;
    policy_init(&o.policy, &w->params);
    o.policy.require_standard = !(limits & 2);
    o.policy.cluster_count = limits & 4 ? 5 : 64;
    o.policy.cluster_vsize = limits & 8 ? 12000 : 101000;
    w->m = mempool_new(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool log_is_open;
    struct world *w = (struct world *)xcalloc(1, sizeof(*w));

    if (!log_is_open) /* lines before that are kept, which looks like a leak and has the fuzzer search for it after each input */
        log_is_open = log_open(&(struct log_config){0});
    open_world(w, data, size);
    mempool_check(w->m);
    for (unsigned i = 0; i < EVENTS_MAX && w->data < w->end; i++) {
        event(w);
        mempool_check(w->m);
    }
    mempool_free(w->m);
    for (size_t i = 0; i < w->n_tx; i++)
        tx_unref(w->tx[i]);
    while (w->n_block)
        block_unref(w->block[--w->n_block]);
    sig_cache_free(w->cache);
    chain_params_clear(&w->params);
    free(w->node);
    free(w);
    time_mock_set(0);
    return 0;
}
