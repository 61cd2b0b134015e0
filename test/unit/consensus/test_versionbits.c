/* test_versionbits.c - the BIP9 machine against a slow one that walks forward from genesis, every transition by hand, and the warning
 * about unknown rules against recomputing it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "block_tool.h"
#include "consensus/header.h"
#include "util/random.h"

#define PERIOD 12
#define SIGNAL(bit) (int32_t)(0x20000000u | 1u << (bit))

struct test_chain {
    struct header_node *nodes;
    int32_t n;
};

/* Block i gets version[i]; times rise by a minute. */
static struct test_chain chain_make(const int32_t *version, int32_t n)
{
    struct test_chain c = {xcalloc((size_t)n, sizeof(*c.nodes)), n};
    for (int32_t i = 0; i < n; i++) {
        struct block_header h = {.version = version[i], .time = 1000000 + 60 * (uint32_t)i, .bits = 0x207fffff};
        struct block_hash hash = {{0}};
        header_node_init(&c.nodes[i], &h, &hash, i ? &c.nodes[i - 1] : NULL);
    }
    return c;
}

static int64_t mtp_of(const struct test_chain *c, int32_t height)
{
    int32_t from = height < 10 ? 0 : height - 10;
    return c->nodes[from + (height - from + 1) / 2].time; /* times rise: the median is the one in the middle */
}

/* States of all blocks, block by block: state[h] for the block at height h. */
static void slow_states(enum bip9_state *state, int32_t *since, const struct bip9_deployment *d, const struct test_chain *c)
{
    enum bip9_state now = d->start_time == BIP9_ALWAYS_ACTIVE  ? BIP9_ACTIVE
                          : d->start_time == BIP9_NEVER_ACTIVE ? BIP9_FAILED
                                                               : BIP9_DEFINED;
    uint32_t yes = 0;
    int32_t entered = 0;
    for (int32_t h = 0; h <= c->n; h++) {
        if (h > 0 && h % (int32_t)d->period == 0) {
            enum bip9_state was = now;
            int64_t mtp = mtp_of(c, h - 1);
            if (d->start_time < 0)
                now = was;
            else if (was == BIP9_DEFINED && mtp >= d->start_time)
                now = BIP9_STARTED;
            else if (was == BIP9_STARTED && yes >= d->threshold)
                now = BIP9_LOCKED_IN;
            else if (was == BIP9_STARTED && mtp >= d->timeout)
                now = BIP9_FAILED;
            else if (was == BIP9_LOCKED_IN && h >= d->min_activation_height)
                now = BIP9_ACTIVE;
            entered = now != was ? h : entered;
            yes = 0;
        }
        state[h] = now;
        since[h] = entered;
        if (h < c->n) {
            uint32_t version = (uint32_t)c->nodes[h].version;
            yes += version >> 29 == 1 && (version >> d->bit & 1);
        }
    }
}

static void compare(const struct bip9_deployment *d, const struct test_chain *c)
{
    enum bip9_state *state = xcalloc((size_t)c->n + 1, sizeof(*state));
    int32_t *since = xcalloc((size_t)c->n + 1, sizeof(*since));
    slow_states(state, since, d, c);
    for (int32_t h = 0; h <= c->n; h++) {
        const struct header_node *prev = h ? &c->nodes[h - 1] : NULL;
        assert_int_equal(bip9_state_after(d, prev), state[h]);
        assert_int_equal(bip9_state_since(d, prev), since[h]);
    }
    free(state);
    free(since);
}

/* Many random deployments over random votes. */
static void test_random(void **state)
{
    enum { BLOCKS = 40 * PERIOD };
    int32_t version[BLOCKS];
    unsigned seen[BIP9_FAILED + 1] = {0};
    struct rng rng;
    (void)state;
    rng_init_seed(&rng, 1);
    for (unsigned round = 0; round < 300; round++) {
        struct bip9_deployment d = {"dummy", (int)rng_below(&rng, 29), 0, 0, 0, PERIOD, 9};
        struct test_chain c;
        uint64_t share = rng_below(&rng, 101);
        for (unsigned i = 0; i < BLOCKS; i++) {
            version[i] = rng_below(&rng, 100) < share ? SIGNAL(d.bit) : 0x20000000;
            if (rng_below(&rng, 50) == 0)
                version[i] = (int32_t)(0x40000000u | 1u << d.bit); /* not a vote */
        }
        d.start_time = 1000000 + 60 * (int64_t)rng_below(&rng, BLOCKS);
        d.timeout = rng_below(&rng, 4) ? d.start_time + 60 * (int64_t)rng_below(&rng, BLOCKS) : BIP9_NO_TIMEOUT;
        d.min_activation_height = (int32_t)rng_below(&rng, BLOCKS);
        if (round % 20 == 0)
            d.start_time = round % 40 ? BIP9_ALWAYS_ACTIVE : BIP9_NEVER_ACTIVE;
        c = chain_make(version, BLOCKS);
        compare(&d, &c);
        seen[bip9_state_after(&d, &c.nodes[BLOCKS - 1])]++;
        free(c.nodes);
    }
    for (unsigned i = 0; i <= BIP9_FAILED; i++)
        assert_true(seen[i] > 0); /* the rounds reached every state */
}

/* One deployment from start to end, by hand. */
static void test_transitions(void **state)
{
    int32_t version[10 * PERIOD];
    struct bip9_deployment d = {"dummy", 3, 1000000 + 60 * 20, BIP9_NO_TIMEOUT, 5 * PERIOD, PERIOD, 9};
    struct test_chain c;
    struct bip9_stats s;
    bool signals[PERIOD];
    (void)state;
    for (int i = 0; i < 10 * PERIOD; i++)
        version[i] = i >= 3 * PERIOD && i < 3 * PERIOD + 9 ? SIGNAL(3) : 0x20000000;
    c = chain_make(version, 10 * PERIOD);
    assert_int_equal(bip9_state_after(&d, NULL), BIP9_DEFINED);
    assert_int_equal(bip9_state_after(&d, &c.nodes[PERIOD - 1]), BIP9_DEFINED);
    assert_int_equal(bip9_state_after(&d, &c.nodes[3 * PERIOD - 2]), BIP9_DEFINED);
    assert_int_equal(bip9_state_after(&d, &c.nodes[3 * PERIOD - 1]), BIP9_STARTED);
    assert_int_equal(bip9_state_since(&d, &c.nodes[3 * PERIOD - 1]), 3 * PERIOD);
    assert_int_equal(bip9_state_after(&d, &c.nodes[4 * PERIOD - 2]), BIP9_STARTED);
    assert_int_equal(bip9_state_after(&d, &c.nodes[4 * PERIOD - 1]), BIP9_LOCKED_IN); /* exactly the threshold */
    assert_int_equal(bip9_state_after(&d, &c.nodes[5 * PERIOD - 1]), BIP9_ACTIVE);
    assert_int_equal(bip9_state_since(&d, &c.nodes[10 * PERIOD - 1]), 5 * PERIOD);
    d.min_activation_height = 5 * PERIOD + 1; /* delays by a whole period */
    assert_int_equal(bip9_state_after(&d, &c.nodes[5 * PERIOD - 1]), BIP9_LOCKED_IN);
    assert_int_equal(bip9_state_after(&d, &c.nodes[6 * PERIOD - 1]), BIP9_ACTIVE);
    d.threshold = 10; /* one short, and no time left: failed for ever */
    d.timeout = d.start_time;
    assert_int_equal(bip9_state_after(&d, &c.nodes[4 * PERIOD - 1]), BIP9_FAILED);
    d.threshold = 9; /* a period that reaches the threshold wins over the timeout */
    assert_int_equal(bip9_state_after(&d, &c.nodes[4 * PERIOD - 1]), BIP9_LOCKED_IN);

    bip9_statistics(&s, &d, &c.nodes[3 * PERIOD + 9], signals);
    assert_true(s.period == PERIOD && s.threshold == 9 && s.elapsed == 10 && s.count == 9 && s.possible);
    assert_true(signals[0] && signals[8] && !signals[9]);
    bip9_statistics(&s, &d, &c.nodes[4 * PERIOD + 3], NULL);
    assert_true(s.elapsed == 4 && s.count == 0 && !s.possible);
    bip9_statistics(&s, &d, NULL, NULL);
    assert_true(s.elapsed == 0 && s.period == PERIOD);
    free(c.nodes);
}

static void test_version(void **state)
{
    struct chain_params p;
    int32_t version[500];
    struct test_chain c;
    (void)state;
    chain_params_init(&p, CHAIN_REGTEST);
    for (int i = 0; i < 500; i++)
        version[i] = SIGNAL(28);
    c = chain_make(version, 500);
    assert_int_equal((uint32_t)block_version_after(&p, NULL), 0x20000000);
    assert_int_equal((uint32_t)block_version_after(&p, &c.nodes[142]), 0x20000000);
    assert_int_equal((uint32_t)block_version_after(&p, &c.nodes[143]), 0x30000000); /* started */
    assert_int_equal((uint32_t)block_version_after(&p, &c.nodes[287]), 0x30000000); /* locked in */
    assert_int_equal((uint32_t)block_version_after(&p, &c.nodes[431]), 0x20000000); /* active */
    chain_params_clear(&p);
    free(c.nodes);
    for (enum bip9_state s = BIP9_DEFINED; s <= BIP9_FAILED; s++)
        assert_true(strlen(bip9_state_name(s)) > 0);
    assert_string_equal(bip9_state_name(BIP9_LOCKED_IN), "locked_in");
}

/* Unknown rules on regtest: bits 0 to 4 are looked at, others are not (BIP323); following the tip gives what a fresh look gives. */
static void test_warnings(void **state)
{
    enum { BLOCKS = 144 * 8 };
    struct chain_params p;
    int32_t version[BLOCKS];
    struct test_chain c;
    struct bip9_warnings follow = {.at = NULL};
    uint32_t locked_in, active;
    (void)state;
    chain_params_init(&p, CHAIN_REGTEST);
    for (int i = 0; i < BLOCKS; i++) {
        version[i] = 0x20000000 | 1 << 7 | 1 << 28;
        if (i >= 144 * 3 && i % 144 < 108)
            version[i] |= 1 << 2;
        if (i >= 144 * 4 && i % 144 < 107)
            version[i] |= 1 << 4;
    }
    c = chain_make(version, BLOCKS);
    for (int i = 0; i < BLOCKS; i += 1 + i % 50) {
        struct bip9_warnings fresh = {.at = NULL};
        uint32_t fresh_locked, fresh_active;
        bip9_warnings_update(&follow, &p, &c.nodes[i], &locked_in, &active);
        bip9_warnings_update(&fresh, &p, &c.nodes[i], &fresh_locked, &fresh_active);
        assert_true(locked_in == fresh_locked && active == fresh_active);
        assert_int_equal(locked_in, i >= 144 * 4 - 1 && i < 144 * 5 - 1 ? 1 << 2 : 0);
        assert_int_equal(active, i >= 144 * 5 - 1 ? 1 << 2 : 0);
    }
    bip9_warnings_update(&follow, &p, &c.nodes[200], &locked_in, &active); /* back again, as after a reorganisation */
    assert_true(!locked_in && !active);
    p.min_bip9_warning_height = 144 * 6; /* votes before do not count */
    follow.at = NULL;
    bip9_warnings_update(&follow, &p, &c.nodes[144 * 7 - 1], &locked_in, &active);
    assert_true(locked_in == 1 << 2 && !active);
    chain_params_clear(&p);
    free(c.nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_transitions),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
