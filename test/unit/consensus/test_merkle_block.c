/* test_merkle_block.c - partial Merkle trees: those we make prove exactly what was asked, damaged ones prove nothing, and one of mainnet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/block_tool.h"
#include "consensus/check.h"
#include "consensus/merkle_block.h"
#include "util/random.h"
#include "vectors.h"

static struct block *block_of(uint32_t n)
{
    struct tx **txs = xcalloc(n, sizeof(*txs));
    struct chain_params params;
    struct block_hash prev = {{0}};
    struct writer w;

    chain_params_init(&params, CHAIN_REGTEST);
    for (uint32_t i = 0; i < n; i++)
        txs[i] = make_coinbase((int32_t)i + 1, 1000 + i);
    w = make_block_bytes(&params, &prev, 1700000000, txs, n, NULL);
    for (uint32_t i = 0; i < n; i++)
        tx_unref(txs[i]);
    free(txs);
    chain_params_clear(&params);
    return block_decode(w.data, w.len);
}

static void prove_some(struct rng *r, uint32_t n, unsigned one_in)
{
    struct block *b = block_of(n);
    bool *match = xcalloc(n, sizeof(*match));
    struct writer w = WRITER_INIT, ids = WRITER_INIT;
    struct block_header header;
    uint32_t claimed;
    size_t want = 0;

    assert_non_null(b);
    for (uint32_t i = 0; i < n; i++)
        match[i] = one_in && rng_below(r, one_in) == 0;
    merkle_block_encode(&w, b, match);
    assert_int_equal(merkle_block_check(&header, &claimed, &ids, w.data, w.len), MERKLE_BLOCK_VALID);
    assert_int_equal(claimed, n);
    assert_memory_equal(header.merkle_root.b, b->header.merkle_root.b, 32);
    for (uint32_t i = 0; i < n; i++) {
        if (!match[i])
            continue;
        assert_true(want + 32 <= ids.len);
        assert_memory_equal(ids.data + want, b->tx[i].txid.b, 32);
        want += 32;
    }
    assert_int_equal(want, ids.len);
    /* A bit of any hash changed: the proof fails. */
    for (int k = 0; k < 20; k++) {
        size_t at = BLOCK_HEADER_SIZE + 5 + (size_t)rng_below(r, 32 * (size_t)w.data[BLOCK_HEADER_SIZE + 4]);
        w.data[at] ^= 0x10;
        ids.len = 0;
        assert_int_not_equal(merkle_block_check(&header, &claimed, &ids, w.data, w.len), MERKLE_BLOCK_VALID);
        w.data[at] ^= 0x10;
    }
    assert_int_equal(merkle_block_check(&header, &claimed, &ids, w.data, w.len - 1), MERKLE_BLOCK_MALFORMED);
    free(match);
    writer_clear(&w);
    writer_clear(&ids);
    block_unref(b);
}

static void round_trips(void **state)
{
    struct rng r;

    (void)state;
    rng_init_seed(&r, 37);
    for (uint32_t n = 1; n < 40; n++) {
        prove_some(&r, n, 0);
        prove_some(&r, n, 1);
        prove_some(&r, n, 3);
        prove_some(&r, n, n);
    }
}

/* Mainnet block 300025: two of 461 transactions. */
static void of_mainnet(void **state)
{
    static const char *const want[2] = {"5708f3c63be2baf9d478256cded8787c84f1eb8262c6751993a84cd04cf89373",
                                        "5ceec2d8ee90cb4b956870fac6055bead9333570f656ec3014307031de518cec"};
    struct writer ids = WRITER_INIT;
    struct block_header header;
    uint8_t *data, hash[32];
    uint32_t n;
    size_t len;

    (void)state;
    data = vectors_read("net/merkle300025.raw", &len);
    if (!data)
        return;
    assert_int_equal(merkle_block_check(&header, &n, &ids, data, len), MERKLE_BLOCK_VALID);
    assert_int_equal(n, 461);
    assert_int_equal(ids.len, 64);
    for (int i = 0; i < 2; i++) {
        assert_true(hash_from_hex(hash, want[i]));
        assert_memory_equal(ids.data + 32 * i, hash, 32);
    }
    writer_clear(&ids);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trips), cmocka_unit_test(of_mainnet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
