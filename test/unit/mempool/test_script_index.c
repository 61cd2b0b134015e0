/* test_script_index.c - the mempool by script against a plain list of what came and went, with scripts that many transactions share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/sha256.h"
#include "mempool/script_index.h"
#include "util/mem.h"
#include "util/random.h"

#define TXS 300
#define SCRIPTS 9
#define PARTS 5

/* A transaction of the model. */
struct made {
    struct tx *tx;
    struct script_spend spent[PARTS];
    bool in; /* in the pool */
};
static uint8_t scripts[SCRIPTS][3]; /* the last begins with OP_RETURN */

static int number_of(const uint8_t *script)
{
    return script[1];
}

static void make(struct made *m, int i, const struct made *all, struct rng *rng)
{
    unsigned ins = 1 + (unsigned)rng_below(rng, PARTS), outs = 1 + (unsigned)rng_below(rng, PARTS);
    struct tx_builder b;

    tx_builder_init(&b, 2, (uint32_t)i);
    for (unsigned k = 0; k < ins; k++) {
        struct outpoint o = {.n = (uint32_t)i * PARTS + k};
        const struct made *parent = i && rng_below(rng, 2) ? &all[rng_below(rng, (uint64_t)i)] : NULL;

        m->spent[k] = (struct script_spend){scripts[rng_below(rng, SCRIPTS - 1)], 3, 100 + i};
        if (parent && rng_below(rng, 2) == 0 && number_of(parent->tx->out[0].script) != SCRIPTS - 1) {
            o = (struct outpoint){parent->tx->txid, 0};
            m->spent[k] = (struct script_spend){parent->tx->out[0].script, 3, parent->tx->out[0].value};
        }
        tx_builder_add_in(&b, &o, "", 0, SEQUENCE_FINAL);
    }
    for (unsigned k = 0; k < outs; k++)
        tx_builder_add_out(&b, 10 * i + k, scripts[rng_below(rng, SCRIPTS)], 3);
    m->tx = tx_build(&b);
    tx_builder_clear(&b);
}

static bool is_in(const struct made *all, const struct txid *id)
{
    for (int i = 0; i < TXS; i++)
        if (all[i].in && txid_equal(&all[i].tx->txid, id))
            return true;
    return false;
}

static bool is_spent(const struct made *all, const struct outpoint *o)
{
    for (int i = 0; i < TXS; i++)
        for (uint32_t k = 0; all[i].in && k < all[i].tx->n_in; k++)
            if (outpoint_equal(all[i].tx->in[k].prevout, o))
                return true;
    return false;
}

static void check(struct script_index *x, const struct made *all, int s)
{
    size_t n_txs = 0, n_coins = 0, n_spent = 0, n_deltas = 0, n;
    int64_t received = 0, spent = 0, got_received, got_spent;
    struct script_tx *txs;
    struct script_coin *coins;
    struct script_delta *deltas;
    struct outpoint *points;
    uint8_t hash[32];

    sha256(hash, scripts[s], 3);
    for (int i = 0; i < TXS; i++) {
        size_t touches = 0;

        for (uint32_t k = 0; all[i].in && k < all[i].tx->n_out; k++) {
            struct outpoint o = {all[i].tx->txid, k};
            if (s == SCRIPTS - 1 || number_of(all[i].tx->out[k].script) != s)
                continue;
            touches++;
            received += all[i].tx->out[k].value;
            n_coins += !is_spent(all, &o);
        }
        for (uint32_t k = 0; all[i].in && k < all[i].tx->n_in; k++) {
            if (number_of(all[i].spent[k].script) != s)
                continue;
            touches++;
            n_spent++;
            spent += all[i].spent[k].value;
        }
        n_txs += touches > 0;
        n_deltas += touches;
    }
    assert_int_equal(script_index_sums(x, &got_received, &got_spent, hash), n_txs);
    assert_int_equal(got_received, received);
    assert_int_equal(got_spent, spent);
    n = script_index_txs(x, &txs, hash);
    assert_int_equal(n, n_txs);
    for (size_t i = 0; i < n; i++) {
        bool parents = false;

        assert_true(is_in(all, &txs[i].txid));
        for (int k = 0; k < TXS; k++)
            for (uint32_t j = 0; txid_equal(&all[k].tx->txid, &txs[i].txid) && j < all[k].tx->n_in; j++)
                parents |= is_in(all, &all[k].tx->in[j].prevout->txid);
        assert_int_equal(txs[i].unconfirmed_parents, parents);
        assert_true(i == 0 || memcmp(txs[i - 1].txid.b, txs[i].txid.b, 32) < 0);
    }
    assert_int_equal(script_index_coins(x, &coins, hash), n_coins);
    for (size_t i = 0; i < n_coins; i++)
        assert_true(is_in(all, &coins[i].outpoint.txid) && !is_spent(all, &coins[i].outpoint));
    assert_int_equal(script_index_spent(x, &points, hash), n_spent);
    for (size_t i = 0; i < n_spent; i++)
        assert_true(is_spent(all, &points[i]));
    assert_int_equal(script_index_deltas(x, &deltas, hash), n_deltas);
    for (size_t i = 0; i < n_deltas; i++)
        *(deltas[i].input ? &spent : &received) -= deltas[i].value;
    assert_int_equal(received, 0);
    assert_int_equal(spent, 0);
    free(txs);
    free(coins);
    free(points);
    free(deltas);
}

static void comes_and_goes(void **state)
{
    struct made *all = xcalloc(TXS, sizeof(*all));
    struct script_index *x = script_index_new();
    uint8_t(*touched)[32];
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 5);
    for (int s = 0; s < SCRIPTS; s++)
        memcpy(scripts[s], (uint8_t[]){s == SCRIPTS - 1 ? 0x6a : 0x51, (uint8_t)s, 0x75}, 3);
    for (int i = 0; i < TXS; i++)
        make(&all[i], i, all, &rng);
    for (int round = 0; round < 40; round++) {
        for (int k = 0; k < 30; k++) {
            struct made *m = &all[rng_below(&rng, TXS)];

            if (m->in && rng_below(&rng, 3) == 0) {
                script_index_remove(x, &m->tx->txid);
                m->in = false;
            } else {
                script_index_add(x, m->tx, m->spent, 7, 100, 1000); /* twice does no harm */
                m->in = true;
            }
        }
        check(x, all, (int)rng_below(&rng, SCRIPTS));
    }
    for (int i = 0; i < TXS; i++) {
        size_t n = script_index_touched(x, &touched, &all[i].tx->txid);

        assert_int_equal(n > 0, all[i].in);
        free(touched);
        script_index_remove(x, &all[i].tx->txid);
        all[i].in = false;
    }
    for (int s = 0; s < SCRIPTS; s++)
        check(x, all, s);
    script_index_free(x);
    for (int i = 0; i < TXS; i++)
        tx_unref(all[i].tx);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(comes_and_goes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
