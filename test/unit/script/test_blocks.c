/* test_blocks.c - every input of real blocks whose spent coins are known verifies under the flags of its height, and none does with a
 * changed amount. Reports the speed. */
#include "script_vectors.h"

#include "primitives/block.h"
#include "primitives/serialize.h"
#include "script/cache.h"
#include "script/check.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

struct heights {
    uint32_t dersig, cltv, csv, nulldummy;
};
static const struct heights mainnet = {363725, 388381, 419328, 481824};
static const struct heights testnet3 = {330776, 581885, 770112, 834624};

struct spent_block {
    struct block *block;
    struct tx_out *spent; /* one for each input, in block order */
    size_t n;
    uint8_t *bytes;
};

static uint32_t flags_at(const struct heights *h, uint32_t height)
{
    uint32_t flags = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT;

    if (height >= h->dersig)
        flags |= SCRIPT_VERIFY_DERSIG;
    if (height >= h->cltv)
        flags |= SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY;
    if (height >= h->csv)
        flags |= SCRIPT_VERIFY_CHECKSEQUENCEVERIFY;
    if (height >= h->nulldummy)
        flags |= SCRIPT_VERIFY_NULLDUMMY;
    return flags;
}

static bool load_block(struct spent_block *b, const char *network, uint32_t height)
{
    char name[80];
    size_t len;

    snprintf(name, sizeof(name), "chain/%s/blocks/%u.blk", network, height);
    uint8_t *raw = vectors_read(name, &len);
    if (!raw)
        return false;
    b->block = block_decode(raw, len);
    assert_non_null(b->block);
    snprintf(name, sizeof(name), "chain/%s/blocks/%u.spent", network, height);
    b->bytes = vectors_read(name, &len);
    struct reader r = reader_make(b->bytes, len);
    assert_memory_equal(read_bytes(&r, 4), "SPNT", 4);
    assert_int_equal(read_u32(&r), 1);
    b->n = read_u32(&r);
    b->spent = xcalloc(b->n, sizeof(*b->spent));
    for (size_t i = 0; i < b->n; i++) {
        size_t script_len;
        b->spent[i].value = (int64_t)read_u64(&r);
        (void)read_bytes(&r, 4 + 1 + 4);
        b->spent[i].script = read_var_bytes(&r, &script_len);
        b->spent[i].script_len = (uint32_t)script_len;
    }
    assert_true(reader_done(&r));
    return true;
}

static void clear_block(struct spent_block *b)
{
    block_unref(b->block);
    free(b->spent);
    free(b->bytes);
}

static size_t verify_all(const struct spent_block *b, uint32_t flags, struct sig_cache *cache, bool store)
{
    size_t at = 0, failed = 0;

    for (uint32_t t = 1; t < b->block->n_tx; t++) {
        const struct tx *tx = &b->block->tx[t];
        struct tx_midstate mid;
        tx_midstate_init(&mid, tx, b->spent + at, false);
        for (uint32_t i = 0; i < tx->n_in; i++) {
            const struct script_check c = {tx, i, flags, &b->spent[at + i], &mid};
            enum script_error err;
            if (!script_check_run(&c, cache, store, &err)) {
                fprintf(stderr, "%s:%u %s\n", txid_hex(&tx->txid).s, i, script_error_name(err));
                failed++;
            }
        }
        at += tx->n_in;
    }
    assert_int_equal(at, b->n);
    return failed;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void run_block(const char *network, const struct heights *h, uint32_t height)
{
    struct spent_block b;

    if (!load_block(&b, network, height))
        return;
    const double start = seconds();
    assert_int_equal(verify_all(&b, flags_at(h, height), NULL, false), 0);
    const double plain = seconds() - start;
    printf("%s %u: %zu inputs in %.3f s\n", network, height, b.n, plain);
    clear_block(&b);
}

static void real_blocks(void **state)
{
    (void)state;
    run_block("mainnet", &mainnet, 300025);
    run_block("mainnet", &mainnet, 367891);
    run_block("mainnet", &mainnet, 866342);
    run_block("testnet3", &testnet3, 1087400);
}

/* With the cache the answers are the same, filling it and living off it. */
static void cached_block(void **state)
{
    struct sig_cache *cache = sig_cache_new(1 << 20);
    struct spent_block b;

    (void)state;
    if (load_block(&b, "testnet3", 1087400)) {
        const uint32_t flags = flags_at(&testnet3, 1087400);
        assert_int_equal(verify_all(&b, flags, cache, true), 0);
        assert_int_equal(verify_all(&b, flags, cache, true), 0);
        assert_int_equal(verify_all(&b, flags, cache, false), 0);
        assert_int_equal(verify_all(&b, flags, cache, false), 0);
        clear_block(&b);
    }
    sig_cache_free(cache);
}

struct worker {
    const struct spent_block *block;
    struct sig_cache *cache;
    uint32_t flags;
    bool store;
    size_t failed;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    w->failed = verify_all(w->block, w->flags, w->cache, w->store);
    return NULL;
}

/* Workers share transactions and the cache; two remember, two give up what they find. */
static void parallel(void **state)
{
    struct sig_cache *cache = sig_cache_new(1 << 16);
    struct spent_block b;
    struct worker workers[4];
    pthread_t ids[4];

    (void)state;
    if (load_block(&b, "testnet3", 1087400)) {
        for (int i = 0; i < 4; i++) {
            workers[i] = (struct worker){&b, cache, flags_at(&testnet3, 1087400), i < 2, 0};
            assert_int_equal(pthread_create(&ids[i], NULL, work, &workers[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(ids[i], NULL);
            assert_int_equal(workers[i].failed, 0);
        }
        clear_block(&b);
    }
    sig_cache_free(cache);
}

/* Witness signatures commit to the amount. */
static void changed_amounts(void **state)
{
    struct spent_block b;
    size_t at = 0, checked = 0;

    (void)state;
    if (!load_block(&b, "mainnet", 866342))
        return;
    for (uint32_t t = 1; t < b.block->n_tx; t++) {
        const struct tx *tx = &b.block->tx[t];
        for (uint32_t i = 0; i < tx->n_in; i++, at++) {
            struct tx_out wrong = b.spent[at];
            struct tx_midstate mid;
            if (checked == 200 || wrong.script_len != 22 || wrong.script[0] != OP_0)
                continue;
            tx_midstate_init(&mid, tx, b.spent + at - i, false);
            assert_true(script_verify_input(NULL, tx, i, &wrong, SCRIPT_VERIFY_MANDATORY, &mid, NULL, false));
            wrong.value++;
            assert_false(script_verify_input(NULL, tx, i, &wrong, SCRIPT_VERIFY_MANDATORY, &mid, NULL, false));
            checked++;
        }
    }
    assert_int_equal(checked, 200);
    clear_block(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_blocks),
        cmocka_unit_test(cached_block),
        cmocka_unit_test(parallel),
        cmocka_unit_test(changed_amounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
