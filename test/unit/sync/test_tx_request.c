/* test_tx_request.c - who is asked for which transaction: random operations compared with a model that keeps plain lists and looks at all of
 * them each time; and what a thousand peers cost that announce the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/hash.h"
#include "sync/tx_request.h"
#include "util/mem.h"
#include "util/random.h"

#define PEERS 7
#define HASHES 9
#define K0 0x0123456789abcdefULL
#define K1 0xfedcba9876543210ULL

enum model_state { NONE, WAITING, READY, ASKED, FAILED };

struct model {
    struct tx_requests *t;
    struct tx_announcer *a[PEERS];
    struct {
        enum model_state state;
        bool preferred;
        int64_t time;
        uint64_t sequence;
    } ann[PEERS][HASHES];
    uint64_t sequence;
    int64_t now;
    size_t expired, expected_expired;
};

static void make_hash(uint8_t hash[32], unsigned h)
{
    memset(hash, (int)h, 32);
    hash[7] = 0x77;
}

static bool is_wtxid(unsigned p, unsigned h)
{
    return (p + h) % 2;
}

static uint64_t priority(const struct model *m, unsigned p, unsigned h)
{
    uint8_t hash[32];
    uint64_t in[2];

    make_hash(hash, h);
    in[0] = siphash_hash(K0, K1, hash);
    in[1] = p;
    return siphash(K1, K0, in, sizeof(in)) >> 1 | (m->ann[p][h].preferred ? (uint64_t)1 << 63 : 0);
}

/* The one to ask for h now: -1 if nobody is ready or somebody is being asked. */
static int model_best(const struct model *m, unsigned h)
{
    int best = -1;

    for (unsigned p = 0; p < PEERS; p++) {
        if (m->ann[p][h].state == ASKED)
            return -1;
        if (m->ann[p][h].state == READY && (best < 0 || priority(m, p, h) > priority(m, (unsigned)best, h)))
            best = (int)p;
    }
    return best;
}

/* A transaction whose announcers have all failed is forgotten. */
static void model_settle(struct model *m, unsigned h)
{
    unsigned open = 0;

    for (unsigned p = 0; p < PEERS; p++)
        open += m->ann[p][h].state != NONE && m->ann[p][h].state != FAILED;
    for (unsigned p = 0; !open && p < PEERS; p++)
        m->ann[p][h].state = NONE;
}

static void model_advance(struct model *m, int64_t now)
{
    m->now = now;
    for (unsigned h = 0; h < HASHES; h++) {
        for (unsigned p = 0; p < PEERS; p++) {
            if (m->ann[p][h].state == WAITING && m->ann[p][h].time <= now) {
                m->ann[p][h].state = READY;
            } else if (m->ann[p][h].state == ASKED && m->ann[p][h].time <= now) {
                m->ann[p][h].state = FAILED;
                m->expected_expired++;
            }
        }
        model_settle(m, h);
    }
}

static void on_expired(void *ctx, struct tx_announcer *a, const uint8_t hash[32], bool wtxid)
{
    struct model *m = ctx;

    m->expired++;
    assert_int_equal(hash[7], 0x77);
    assert_int_equal(wtxid, is_wtxid((unsigned)tx_announcer_id(a), hash[0]));
    assert_ptr_equal(tx_announcer_ctx(a), &m->ann[tx_announcer_id(a)]);
}

static void check_counts(struct model *m)
{
    size_t size = 0;
    int64_t next = INT64_MAX;

    for (unsigned p = 0; p < PEERS; p++) {
        size_t n = 0, asked = 0;
        for (unsigned h = 0; h < HASHES; h++) {
            enum model_state s = m->ann[p][h].state;
            n += s != NONE;
            asked += s == ASKED;
            if ((s == WAITING || s == ASKED) && m->ann[p][h].time < next)
                next = m->ann[p][h].time;
        }
        size += n;
        assert_int_equal(tx_announcer_count(m->a[p]), n);
        assert_int_equal(tx_announcer_in_flight(m->a[p]), asked);
    }
    assert_int_equal(tx_requests_size(m->t), size);
    assert_int_equal(tx_requests_next(m->t), next);
}

static void check_candidates(struct model *m)
{
    for (unsigned h = 0; h < HASHES; h++) {
        struct tx_announcer **list;
        uint8_t hash[32];
        size_t n, expected = 0;

        make_hash(hash, h);
        n = tx_requests_candidates(m->t, hash, &list);
        for (unsigned p = 0; p < PEERS; p++) {
            bool in = m->ann[p][h].state != NONE && m->ann[p][h].state != FAILED, found = false;
            for (size_t i = 0; i < n; i++)
                found = found || list[i] == m->a[p];
            assert_int_equal(in, found);
            expected += in;
        }
        assert_int_equal(n, expected);
        free(list);
    }
}

/* What each peer is to be asked, in order. */
static void check_wanted(struct model *m)
{
    bool any = false;

    for (unsigned p = 0; p < PEERS; p++) {
        struct tx_wanted *list;
        size_t n = tx_requests_wanted(m->t, m->a[p], &list), expected = 0;
        uint64_t last = 0;
        for (unsigned h = 0; h < HASHES; h++)
            expected += model_best(m, h) == (int)p;
        assert_int_equal(n, expected);
        for (size_t i = 0; i < n; i++) {
            unsigned h = list[i].hash[0];
            assert_int_equal(model_best(m, h), (int)p);
            assert_int_equal(list[i].is_wtxid, is_wtxid(p, h));
            assert_true(i == 0 || m->ann[p][h].sequence > last);
            last = m->ann[p][h].sequence;
        }
        any = any || n;
        free(list);
    }
    assert_int_equal(tx_requests_ready(m->t) != NULL, any);
}

static void step(struct model *m, struct rng *r)
{
    unsigned p = (unsigned)rng_below(r, PEERS), h = (unsigned)rng_below(r, HASHES);
    uint8_t hash[32];
    int64_t t;

    make_hash(hash, h);
    switch (rng_below(r, 12)) {
    case 0: /* the peer leaves, another one comes */
        if (rng_below(r, 4))
            return;
        tx_announcer_free(m->t, m->a[p]);
        for (unsigned i = 0; i < HASHES; i++) {
            m->ann[p][i].state = NONE;
            model_settle(m, i);
        }
        m->a[p] = tx_announcer_new(m->t, p, &m->ann[p]);
        return;
    case 1:
        if (rng_below(r, 3))
            return;
        tx_requests_forget(m->t, hash);
        for (unsigned i = 0; i < PEERS; i++)
            m->ann[i][h].state = NONE;
        return;
    case 2:
    case 3:
        tx_requests_answered(m->t, m->a[p], hash);
        if (m->ann[p][h].state != NONE)
            m->ann[p][h].state = FAILED;
        model_settle(m, h);
        return;
    case 4:
    case 5: /* mostly of what is wanted, sometimes anything */
        t = m->now + (int64_t)rng_below(r, 20) + 1;
        if (rng_below(r, 4) && model_best(m, h) >= 0)
            p = (unsigned)model_best(m, h);
        tx_requests_asked(m->t, m->a[p], hash, t);
        if (m->ann[p][h].state != WAITING && m->ann[p][h].state != READY)
            return;
        for (unsigned i = 0; i < PEERS; i++)
            if (m->ann[i][h].state == ASKED)
                m->ann[i][h].state = FAILED;
        m->ann[p][h].state = ASKED;
        m->ann[p][h].time = t;
        return;
    case 6:
    case 7:
        t = m->now + (int64_t)rng_below(r, 5);
        tx_requests_advance(m->t, t, on_expired, m);
        model_advance(m, t);
        assert_int_equal(m->expired, m->expected_expired);
        return;
    default:
        t = m->now + (int64_t)rng_below(r, 10);
        if (m->ann[p][h].state == NONE) {
            m->ann[p][h].preferred = rng_below(r, 2);
            m->ann[p][h].state = WAITING;
            m->ann[p][h].time = t;
            m->ann[p][h].sequence = ++m->sequence;
        }
        tx_requests_announced(m->t, m->a[p], hash, is_wtxid(p, h), m->ann[p][h].preferred, t);
    }
}

static void as_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct model *m = xcalloc(1, sizeof(*m));
        struct rng r;

        rng_init_seed(&r, seed);
        m->t = tx_requests_new(K0, K1);
        for (unsigned p = 0; p < PEERS; p++)
            m->a[p] = tx_announcer_new(m->t, p, &m->ann[p]);
        for (int i = 0; i < 2000; i++) {
            step(m, &r);
            check_counts(m);
            check_wanted(m);
            if (i % 16 == 0)
                check_candidates(m);
        }
        assert_true(m->expired > 0);
        for (unsigned p = 0; p < PEERS; p++)
            tx_announcer_free(m->t, m->a[p]);
        assert_int_equal(tx_requests_size(m->t), 0);
        tx_requests_free(m->t);
        free(m);
    }
}

/* 1,000 peers announce the same 1,000 transactions; all but one never answer, and their turn comes one after the other. */
static void a_crowd_costs_little(void **state)
{
    enum { CROWD = 1000, TXS = 1000 };
    struct tx_requests *t = tx_requests_new(1, 2);
    struct tx_announcer **a = xmalloc(CROWD * sizeof(*a)), *next;
    uint8_t hash[32] = {0};
    clock_t start = clock();
    size_t asked = 0;

    (void)state;
    for (unsigned p = 0; p < CROWD; p++)
        a[p] = tx_announcer_new(t, p, NULL);
    for (uint32_t i = 0; i < TXS; i++) {
        memcpy(hash, &i, sizeof(i));
        for (unsigned p = 0; p < CROWD; p++)
            tx_requests_announced(t, a[p], hash, true, p % 2, p);
    }
    assert_int_equal(tx_requests_size(t), CROWD * TXS);
    for (int64_t now = CROWD; now < CROWD + 20; now++) {
        tx_requests_advance(t, now, NULL, NULL);
        while ((next = tx_requests_ready(t))) {
            struct tx_wanted *list;
            size_t n = tx_requests_wanted(t, next, &list);
            for (size_t i = 0; i < n; i++)
                tx_requests_asked(t, next, list[i].hash, now + 1);
            asked += n;
            free(list);
        }
    }
    assert_int_equal(asked, 20 * TXS);
    for (unsigned p = 0; p < CROWD; p++)
        tx_announcer_free(t, a[p]);
    tx_requests_free(t);
    free(a);
    /* About a second; what walked over all announcers of a transaction for each of them would need minutes. */
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_model),
        cmocka_unit_test(a_crowd_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
