/* bed.h - for the tests of the memory pool: a chain made of a few headers and coins, and transactions that spend P2WSH(OP_TRUE). */
#ifndef FARTHING_TEST_MEMPOOL_BED_H
#define FARTHING_TEST_MEMPOOL_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "mempool/mempool.h"
#include "primitives/serialize.h"
#include "script/cache.h"
#include "script/script.h"
#include "util/mem.h"
#include "util/time.h"

#define BED_HEADERS 400
#define BED_START_TIME 1700000000

struct bed_coin {
    struct outpoint at;
    int64_t value;
    uint32_t height;
    bool coinbase, spent;
    uint8_t script[64];
    uint32_t script_len;
};

struct bed {
    struct chain_params params;
    struct header_node *node;
    int32_t height;                      /* the tip */
    const struct header_node *other_tip; /* if set: the tip, on another branch */
    struct bed_coin *coin;
    size_t n_coins, cap_coins;
    struct sig_cache *cache;
    struct mempool *m;
    uint8_t spk[34]; /* P2WSH(OP_TRUE) */
    struct mempool_result r;
    /* what the events said */
    unsigned added, removed;
    char last_reason[16];
    enum rc get_coin_fails; /* if not RC_OK: what reading coins says */
    uint64_t next_id;
};

static inline enum rc bed_get_coin(void *ctx, struct coin *c, const struct outpoint *o, struct arena *arena)
{
    struct bed *t = (struct bed *)ctx;
    if (t->get_coin_fails != RC_OK)
        return t->get_coin_fails;
    for (size_t i = 0; i < t->n_coins; i++) {
        const struct bed_coin *b = &t->coin[i];
        if (b->spent || !outpoint_equal(&b->at, o))
            continue;
        uint8_t *script = (uint8_t *)arena_alloc(arena, b->script_len + 1);
        memcpy(script, b->script, b->script_len);
        *c = (struct coin){{b->value, script, b->script_len}, b->height, b->coinbase};
        return RC_OK;
    }
    return RC_NOT_FOUND;
}

static inline const struct header_node *bed_tip(void *ctx)
{
    const struct bed *t = (const struct bed *)ctx;
    return t->other_tip ? t->other_tip : &t->node[t->height];
}

static inline void bed_added(void *ctx, struct tx *tx, int64_t fee, uint64_t sequence)
{
    (void)tx;
    (void)fee;
    (void)sequence;
    ((struct bed *)ctx)->added++;
}

static inline void bed_removed(void *ctx, struct tx *tx, const char *reason, uint64_t sequence)
{
    struct bed *t = (struct bed *)ctx;
    (void)tx;
    (void)sequence;
    t->removed++;
    snprintf(t->last_reason, sizeof(t->last_reason), "%s", reason);
}

static inline struct mempool_options bed_options(struct bed *t)
{
    struct mempool_options o = {.params = &t->params,
                                .max_bytes = (size_t)300 * 1000000,
                                .expiry = 336 * 3600,
                                .sig_cache = t->cache,
                                .chain = {t, bed_get_coin, bed_tip, NULL},
                                .events = {t, bed_added, bed_removed}};
    policy_init(&o.policy, &t->params);
    o.policy.require_standard = true;
    o.check = 1;
    return o;
}

static inline void bed_init(struct bed *t)
{
    static const uint8_t op_true[1] = {OP_1};
    struct block_header h = {.version = 0x20000000, .bits = 0x207fffff};
    memset(t, 0, sizeof(*t));
    chain_params_init(&t->params, CHAIN_REGTEST);
    t->node = (struct header_node *)xcalloc(BED_HEADERS, sizeof(*t->node));
    for (int i = 0; i < BED_HEADERS; i++) {
        struct block_hash hash = {{(uint8_t)i, (uint8_t)(i >> 8), 1}};
        h.time = BED_START_TIME + 600u * (uint32_t)i;
        header_node_init(&t->node[i], &h, &hash, i ? &t->node[i - 1] : NULL);
    }
    t->height = 300;
    t->cache = sig_cache_new((size_t)1 << 20);
    t->spk[0] = OP_0;
    t->spk[1] = 32;
    sha256(t->spk + 2, op_true, 1);
    time_mock_set(BED_START_TIME + 600 * 301);
    struct mempool_options o = bed_options(t);
    t->m = mempool_new(&o);
}

static inline void bed_renew(struct bed *t, const struct mempool_options *o)
{
    mempool_free(t->m);
    t->m = mempool_new(o);
}

static inline void bed_clear(struct bed *t)
{
    mempool_free(t->m);
    sig_cache_free(t->cache);
    chain_params_clear(&t->params);
    free(t->node);
    free(t->coin);
    time_mock_set(0);
}

/* A confirmed coin with any script. */
static inline struct outpoint bed_coin_of(struct bed *t, int64_t value, uint32_t height, bool coinbase, const uint8_t *script,
                                          size_t len)
{
    struct bed_coin *c;
    if (t->n_coins == t->cap_coins) {
        t->cap_coins = t->cap_coins ? 2 * t->cap_coins : 64;
        t->coin = (struct bed_coin *)xrealloc(t->coin, t->cap_coins * sizeof(*t->coin));
    }
    c = &t->coin[t->n_coins++];
    memset(c, 0, sizeof(*c));
    put_le64(c->at.txid.b, ++t->next_id);
    c->at.txid.b[31] = 0x77;
    c->value = value;
    c->height = height;
    c->coinbase = coinbase;
    memcpy(c->script, script, len);
    c->script_len = (uint32_t)len;
    return c->at;
}

static inline struct outpoint bed_coin(struct bed *t, int64_t value)
{
    return bed_coin_of(t, value, 100, false, t->spk, sizeof(t->spk));
}

static inline struct outpoint out_of(const struct tx *tx, uint32_t n)
{
    return (struct outpoint){tx->txid, n};
}

static inline void spend_op_true(struct tx_builder *b, const struct outpoint *o, uint32_t sequence)
{
    static const uint8_t op_true[1] = {OP_1};
    struct witness_item script = {op_true, 1};
    tx_builder_set_witness(b, tx_builder_add_in(b, o, NULL, 0, sequence), &script, 1);
}

/* Spends P2WSH(OP_TRUE) outputs into others of one value each; pad: bytes of data beside. */
static inline struct tx *bed_tx(struct bed *t, uint32_t version, const struct outpoint *in, size_t n_in, const int64_t *values,
                                size_t n_out, size_t pad)
{
    struct tx_builder b;
    struct tx *tx;
    tx_builder_init(&b, version, 0);
    for (size_t i = 0; i < n_in; i++)
        spend_op_true(&b, &in[i], SEQUENCE_FINAL);
    for (size_t i = 0; i < n_out; i++)
        tx_builder_add_out(&b, values[i], t->spk, sizeof(t->spk));
    if (pad) {
        struct writer w = WRITER_INIT;
        uint8_t *zeroes = (uint8_t *)xcalloc(1, pad);
        write_u8(&w, OP_RETURN);
        script_write_push(&w, zeroes, pad);
        tx_builder_add_out(&b, 0, w.data, w.len);
        writer_clear(&w);
        free(zeroes);
    }
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static inline struct tx *bed_tx1(struct bed *t, struct outpoint in, int64_t value)
{
    return bed_tx(t, 2, &in, 1, &value, 1, 0);
}

static inline bool bed_accept(struct bed *t, struct tx *tx)
{
    return mempool_accept(t->m, tx, false, false, &t->r);
}

static inline void assert_accepted(struct bed *t, struct tx *tx)
{
    if (!bed_accept(t, tx))
        fail_msg("refused: %s, %s", t->r.verdict.reason, t->r.verdict.debug);
}

static inline void assert_refused(struct bed *t, struct tx *tx, enum verdict_code code, const char *reason)
{
    assert_false(bed_accept(t, tx));
    assert_int_equal(t->r.verdict.kind, VERDICT_INVALID);
    assert_string_equal(t->r.verdict.reason, reason);
    assert_int_equal(t->r.verdict.code, code);
}

static inline bool bed_has(struct bed *t, const struct tx *tx)
{
    struct mempool_entry e;
    return mempool_get(t->m, &e, &tx->txid);
}

/* A block of these transactions behind a coinbase of nothing. Its header means nothing. */
static inline struct block *bed_block(struct bed *t, struct tx *const *txs, size_t n)
{
    static const struct outpoint null = {.n = OUTPOINT_NULL_N};
    struct block_header h = {.version = 1};
    struct writer w = WRITER_INIT;
    struct tx_builder b;
    struct tx *coinbase;
    uint8_t sig[8];

    put_le64(sig, ++t->next_id);
    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, &null, sig, sizeof(sig), SEQUENCE_FINAL);
    tx_builder_add_out(&b, 50 * COIN, t->spk, sizeof(t->spk));
    coinbase = tx_build(&b);
    tx_builder_clear(&b);
    block_header_encode(writer_extend(&w, 80), &h);
    write_compact_size(&w, n + 1);
    tx_write(&w, coinbase, true);
    tx_unref(coinbase);
    for (size_t i = 0; i < n; i++)
        tx_write(&w, txs[i], true);
    return block_decode(w.data, w.len);
}

/* The coins that a block spends and makes, forth and back. */
static inline void bed_apply(struct bed *t, const struct block *b, bool forth)
{
    for (uint32_t i = 0; i < b->n_tx; i++) {
        for (uint32_t k = 0; k < b->tx[i].n_out && forth; k++) {
            bed_coin_of(t, b->tx[i].out[k].value, (uint32_t)t->height, i == 0, b->tx[i].out[k].script,
                        b->tx[i].out[k].script_len > 64 ? 64 : b->tx[i].out[k].script_len);
            t->coin[t->n_coins - 1].at = out_of(&b->tx[i], k);
        }
    }
    for (size_t c = 0; c < t->n_coins; c++) {
        for (uint32_t i = 0; i < b->n_tx; i++) {
            for (uint32_t k = 0; k < b->tx[i].n_in; k++) {
                if (outpoint_equal(b->tx[i].in[k].prevout, &t->coin[c].at))
                    t->coin[c].spent = forth;
            }
            if (!forth && txid_equal(&b->tx[i].txid, &t->coin[c].at.txid))
                t->coin[c].spent = true;
        }
    }
}

static inline void bed_connect(struct bed *t, const struct block *b)
{
    t->height++;
    bed_apply(t, b, true);
    mempool_block_connected(t->m, b, t->height);
}

static inline void bed_disconnect(struct bed *t, const struct block *b)
{
    bed_apply(t, b, false);
    t->height--;
    mempool_block_disconnected(t->m, b);
}

#endif
