/* test_eviction.c - the choice of an inbound peer to disconnect: each trait protects as many as it should, whatever the order of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/eviction.h"
#include "util/mem.h"
#include "util/random.h"

#define MAX 300
#define ROUNDS 200

/* Candidates without any merit, each connected at another time, all in groups of their own. */
static void plain(struct eviction_candidate *c, size_t n, struct rng *rng)
{
    memset(c, 0, n * sizeof(*c));
    for (size_t i = 0; i < n; i++) {
        c[i].id = (int64_t)i;
        c[i].inbound = true;
        c[i].connected = 1000 + (int64_t)((i * 7919) % n);
        c[i].min_ping = INT64_MAX - (int64_t)(rng_u64(rng) % 1000);
        c[i].net_group = rng_u64(rng);
        c[i].network = NET_IPV4;
        c[i].relays_txs = true;
    }
}

static void shuffle(struct eviction_candidate *c, size_t n, struct rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = rng_u64(rng) % i;
        struct eviction_candidate t = c[i - 1];
        c[i - 1] = c[k];
        c[k] = t;
    }
}

/* Does a change that marks the candidates with id < k keep them all, n candidates in all? */
static void never_chosen(struct rng *rng, size_t n, size_t k, void (*mark)(struct eviction_candidate *))
{
    for (int round = 0; round < ROUNDS; round++) {
        struct eviction_candidate c[MAX];
        int64_t id = -1;

        plain(c, n, rng);
        for (size_t i = 0; i < k; i++)
            mark(&c[i]);
        shuffle(c, n, rng);
        if (eviction_choose(&id, c, n))
            assert_true(id >= (int64_t)k);
    }
}

static void set_group(struct eviction_candidate *c)
{
    c->net_group = UINT64_MAX - (uint64_t)c->id;
}
static void set_ping(struct eviction_candidate *c)
{
    c->min_ping = c->id;
}
static void set_tx(struct eviction_candidate *c)
{
    c->last_tx = 10 + c->id;
}
static void set_block(struct eviction_candidate *c)
{
    c->last_block = 10 + c->id;
}
static void set_block_relay(struct eviction_candidate *c)
{
    c->relays_txs = false;
    c->services = true;
    c->last_block = 10 + c->id;
}
static void set_noban(struct eviction_candidate *c)
{
    c->noban = true;
}
static void set_outbound(struct eviction_candidate *c)
{
    c->inbound = false;
}
static void set_old(struct eviction_candidate *c)
{
    c->connected = -c->id;
}

static void traits_protect(void **state)
{
    struct rng rng;

    (void)state;
    rng_init_seed(&rng, 1);
    never_chosen(&rng, 200, 4, set_group);
    never_chosen(&rng, 200, 8, set_ping);
    never_chosen(&rng, 200, 4, set_tx);
    never_chosen(&rng, 200, 4, set_block);
    never_chosen(&rng, 200, 8 + 4, set_block_relay);
    never_chosen(&rng, 200, 199, set_noban);
    never_chosen(&rng, 200, 200, set_outbound);
    never_chosen(&rng, 200, 80, set_old);
}

/* The same traits on one more than are protected: that one is chosen if everything else speaks against it. */
static void one_too_many(void **state)
{
    struct rng rng;
    struct eviction_candidate c[MAX];
    int64_t id;

    (void)state;
    rng_init_seed(&rng, 2);
    for (int round = 0; round < ROUNDS; round++) {
        plain(c, 60, &rng);
        for (size_t i = 0; i < 60; i++) {
            c[i].net_group = i < 5 ? 1 : 100 + i; /* five in one group: the largest, and the lowest key */
            c[i].connected = i < 5 ? 9000 - (int64_t)i : c[i].connected;
            c[i].last_tx = i < 5 ? 0 : 1;
            c[i].min_ping = i < 5 ? INT64_MAX : 1;
        }
        shuffle(c, 60, &rng);
        assert_true(eviction_choose(&id, c, 60));
        assert_int_equal(id, 0); /* the youngest of them */
    }
}

static void few_are_all_protected(void **state)
{
    struct rng rng;
    struct eviction_candidate c[MAX];
    int64_t id;

    (void)state;
    rng_init_seed(&rng, 3);
    for (size_t n = 0; n <= 20; n++) {
        plain(c, n, &rng);
        assert_false(eviction_choose(&id, c, n)); /* 4 by group, 8 by ping, 4 by transactions, 4 by blocks */
    }
    plain(c, 21, &rng);
    assert_true(eviction_choose(&id, c, 21));
    for (size_t n = 29; n < MAX; n++) {
        plain(c, n, &rng);
        for (size_t i = 0; i < n; i++) {
            c[i].relays_txs = i % 3 != 0;
            c[i].services = i % 2 != 0;
            c[i].bloom = i % 5 == 0;
        }
        assert_true(eviction_choose(&id, c, n));
    }
}

static void discouraged_go_first(void **state)
{
    struct rng rng;
    struct eviction_candidate c[MAX];
    int64_t id;

    (void)state;
    rng_init_seed(&rng, 4);
    for (int round = 0; round < ROUNDS; round++) {
        plain(c, 100, &rng);
        for (size_t i = 0; i < 100; i++)
            c[i].net_group = i; /* protected by it: 96 to 99 */
        for (size_t i = 10; i < 20; i++) {
            c[i].prefer_evict = true;
            c[i].min_ping = INT64_MAX;
            c[i].connected = 5000 + (int64_t)i;
        }
        shuffle(c, 100, &rng);
        assert_true(eviction_choose(&id, c, 100));
        assert_true(id >= 10 && id < 20);
    }
}

/* ---- ratios ---- */

static size_t count_left(const struct eviction_candidate *c, size_t n, enum net_network net)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += net == NET_UNKNOWN ? c[i].local : c[i].network == net;
    return count;
}

static void ratio_keeps_slow_networks(void **state)
{
    static const struct {
        size_t n, onion, i2p, cjdns, local;                  /* the youngest of n */
        size_t left_onion, left_i2p, left_cjdns, left_local; /* not protected */
    } cases[] = {
        {12, 3, 0, 0, 0, 0, 0, 0, 0},   /* a quarter is theirs */
        {12, 4, 0, 0, 0, 1, 0, 0, 0},   /* and no more */
        {12, 0, 0, 0, 3, 0, 0, 0, 0},   /* */
        {12, 2, 0, 0, 1, 0, 0, 0, 0},   /* */
        {24, 4, 2, 0, 0, 0, 0, 0, 0},   /* what one kind leaves goes to the other */
        {48, 6, 6, 6, 6, 3, 3, 3, 3},   /* twelve slots in equal parts */
        {48, 10, 10, 1, 0, 5, 4, 0, 0}, /* CJDNS needs one of its four; of the last slots I2P has the first */
        {4, 2, 0, 0, 0, 1, 0, 0, 0},    /* */
        {3, 1, 0, 0, 0, 1, 0, 0, 0},    /* half of one is none */
        {0, 0, 0, 0, 0, 0, 0, 0, 0},
    };
    struct rng rng;
    struct eviction_candidate c[MAX];

    (void)state;
    rng_init_seed(&rng, 5);
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        size_t n = cases[k].n, at = 0, left;
        plain(c, n, &rng);
        for (size_t i = 0; i < n; i++)
            c[i].connected = 10000 - (int64_t)i;
        for (size_t i = 0; i < cases[k].onion; i++)
            c[at++].network = NET_ONION;
        for (size_t i = 0; i < cases[k].i2p; i++)
            c[at++].network = NET_I2P;
        for (size_t i = 0; i < cases[k].cjdns; i++)
            c[at++].network = NET_CJDNS;
        for (size_t i = 0; i < cases[k].local; i++)
            c[at++].local = true;
        shuffle(c, n, &rng);
        left = eviction_protect_by_ratio(c, n);
        assert_int_equal(left, n - n / 2);
        if (count_left(c, left, NET_ONION) != cases[k].left_onion || count_left(c, left, NET_I2P) != cases[k].left_i2p ||
            count_left(c, left, NET_CJDNS) != cases[k].left_cjdns || count_left(c, left, NET_UNKNOWN) != cases[k].left_local)
            fail_msg("case %zu", k);
        for (size_t i = 1; i < left; i++)
            assert_true(c[i - 1].connected >= c[i].connected);
    }
}

static void ratio_is_exact(void **state)
{
    static const enum net_network nets[] = {NET_IPV4, NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};
    struct rng rng;
    struct eviction_candidate c[MAX];

    (void)state;
    rng_init_seed(&rng, 6);
    for (int round = 0; round < 5000; round++) {
        size_t n = rng_u64(&rng) % MAX;
        plain(c, n, &rng);
        for (size_t i = 0; i < n; i++) {
            c[i].network = nets[rng_u64(&rng) % ARRAY_LEN(nets)];
            c[i].local = rng_u64(&rng) % 4 == 0;
        }
        assert_int_equal(eviction_protect_by_ratio(c, n), n - n / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traits_protect),
        cmocka_unit_test(one_too_many),
        cmocka_unit_test(few_are_all_protected),
        cmocka_unit_test(discouraged_go_first),
        cmocka_unit_test(ratio_keeps_slow_networks),
        cmocka_unit_test(ratio_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
