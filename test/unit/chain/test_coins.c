/* test_coins.c - the coins cache against a naive list: random adds, spends and lookups, with flushes that keep or drop, and a view
 * on top; what the database holds in the end is the list. */
#include "chain/chain_test.h"

#include "chain/coins.h"
#include "util/random.h"

#define IDS 600

struct model {
    bool there[IDS];
    struct coin coin[IDS];
    uint8_t script[IDS][700];
};

static struct outpoint point(unsigned i)
{
    struct outpoint o;
    memset(&o, 0, sizeof(o));
    put_le32(o.txid.b, i / 3 * 2654435761u); /* three outputs a transaction */
    put_le32(o.txid.b + 28, i / 3);
    o.n = i % 3 + (i % 3 == 2 ? 20000 : 0);
    return o;
}

static void random_coin(struct model *m, struct rng *r, unsigned i)
{
    static const uint32_t lens[] = {0, 1, 22, 25, 34, 67, 475, 476, 477, 700};
    struct coin *c = &m->coin[i];
    c->out.value = (int64_t)rng_below(r, MAX_MONEY);
    c->out.script_len = lens[rng_below(r, ARRAY_LEN(lens))];
    c->out.script = m->script[i];
    c->height = (uint32_t)rng_below(r, 1u << 30);
    c->coinbase = rng_below(r, 2);
    for (uint32_t k = 0; k < c->out.script_len; k++)
        m->script[i][k] = (uint8_t)rng_u64(r);
    if (c->out.script_len)
        m->script[i][0] = 0x51; /* spendable */
}

static void expect_coin(const struct coin *a, const struct coin *b)
{
    assert_int_equal(a->out.value, b->out.value);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->coinbase, b->coinbase);
    assert_int_equal(a->out.script_len, b->out.script_len);
    assert_memory_equal(a->out.script, b->out.script, b->out.script_len);
}

static void operate(struct coins *cs, struct model *m, struct rng *r, unsigned steps)
{
    struct bytes_mem mem = {0};
    for (unsigned s = 0; s < steps; s++) {
        unsigned i = (unsigned)rng_below(r, IDS);
        struct outpoint o = point(i);
        struct coin c;
        bool have;
        switch (rng_below(r, 4)) {
        case 0:
            if (m->there[i] && rng_below(r, 2))
                break; /* overwriting, now and then, as two old coinbases did */
            random_coin(m, r, i);
            coins_add(cs, &o, &m->coin[i], m->there[i] || rng_below(r, 2));
            m->there[i] = true;
            break;
        case 1:
            assert_int_equal(coins_spend(cs, rng_below(r, 2) ? &c : NULL, &o, &mem), m->there[i] ? RC_OK : RC_NOT_FOUND);
            m->there[i] = false;
            break;
        case 2:
            assert_int_equal(coins_get(cs, &c, &o, &mem, rng_below(r, 2)), m->there[i] ? RC_OK : RC_NOT_FOUND);
            if (m->there[i])
                expect_coin(&c, &m->coin[i]);
            break;
        default:
            assert_int_equal(coins_have(cs, &have, &o), RC_OK);
            assert_int_equal(have, m->there[i]);
        }
        if (s % 64 == 0)
            bytes_mem_reset(&mem);
    }
    bytes_mem_clear(&mem);
}

static void expect_database(struct coindb *db, const struct model *m)
{
    struct arena arena = ARENA_INIT;
    for (unsigned i = 0; i < IDS; i++) {
        struct outpoint o = point(i);
        struct coin c;
        assert_int_equal(coindb_get(db, &c, &o, &arena), m->there[i] ? RC_OK : RC_NOT_FOUND);
        if (m->there[i])
            expect_coin(&c, &m->coin[i]);
        arena_reset(&arena);
    }
    arena_clear(&arena);
}

static void against_a_list(void **state)
{
    struct model *m = xcalloc(1, sizeof(*m)), *copy = xmalloc(sizeof(*copy));
    struct bed t;
    struct coindb *db;
    struct coins *cs, *view;
    struct rng r;
    char *error = NULL;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    assert_int_equal(coindb_open(&db, t.coins, (size_t)1 << 20, false, &error), RC_OK);
    cs = coins_new(db, NULL);
    rng_init_seed(&r, 42);
    for (unsigned round = 0; round < 60; round++) {
        struct block_hash best = {{(uint8_t)(round + 1)}};
        operate(cs, m, &r, 400);
        /* A view on top sees all of it and changes none of it. */
        view = coins_new(NULL, cs);
        memcpy(copy, m, sizeof(*m));
        for (unsigned i = 0; i < IDS; i++)
            copy->coin[i].out.script = copy->script[i];
        operate(view, copy, &r, 300);
        coins_free(view);
        if (round % 3 == 0) {
            assert_int_equal(coins_flush(cs, &best, round & 1), RC_OK);
            assert_int_equal(coins_dirty(cs), 0);
            if (!(round & 1))
                assert_int_equal(coins_count(cs), 0);
            expect_database(db, m);
        }
    }
    coins_free(cs);
    coindb_close(db);
    bed_clear(&t);
    free(m);
    free(copy);
}

/* Made and spent between two flushes: the database never hears of it. */
static void fresh_leaves_no_trace(void **state)
{
    static const uint8_t script[22] = {0x00, 0x14};
    struct coin c = {.out = {5000, script, sizeof(script)}, .height = 9};
    struct bed t;
    struct coindb *db;
    struct coins *cs;
    char *error = NULL;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    assert_int_equal(coindb_open(&db, t.coins, (size_t)1 << 20, false, &error), RC_OK);
    cs = coins_new(db, NULL);
    for (unsigned i = 0; i < 100000; i++) {
        struct outpoint o = point(i);
        coins_add(cs, &o, &c, false);
        assert_int_equal(coins_spend(cs, NULL, &o, NULL), RC_OK);
    }
    assert_int_equal(coins_count(cs), 0);
    assert_int_equal(coins_dirty(cs), 0);
    assert_true(coins_bytes(cs) < (size_t)2 << 20); /* the memory was used again and again */
    coins_free(cs);
    coindb_close(db);
    bed_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_list),
        cmocka_unit_test(fresh_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
