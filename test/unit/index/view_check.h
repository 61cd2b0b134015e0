/* view_check.h - a view of the address index against the model of its block: summaries, histories and coins of every script, whole and in parts. */
#ifndef FARTHING_TEST_VIEW_CHECK_H
#define FARTHING_TEST_VIEW_CHECK_H

#include "index/address_index.h"
#include "index/grove.h"

struct seen_tx {
    struct address_tx tx[4000];
    size_t n, stop;
};
struct seen_coins {
    struct address_coin coin[4000];
    size_t n, stop;
};

static inline bool see_tx(void *ctx, const struct address_tx *tx)
{
    struct seen_tx *s = (struct seen_tx *)ctx;

    assert_true(s->n < ARRAY_LEN(s->tx));
    s->tx[s->n++] = *tx;
    return s->n != s->stop;
}

static inline bool see_coin(void *ctx, const struct address_coin *coin)
{
    struct seen_coins *s = (struct seen_coins *)ctx;

    assert_true(s->n < ARRAY_LEN(s->coin));
    s->coin[s->n++] = *coin;
    return s->n != s->stop;
}

static inline bool is_behind(int32_t height, uint32_t pos, struct address_place from)
{
    return height > from.height || (height == from.height && pos >= from.pos);
}

/* Histories from a place to a height, of which the visitor takes `stop` rows at most (0: all). */
static inline void check_history(struct address_view *v, const struct model *m, unsigned kind, const struct script_hash *h,
                                 struct address_place from, int32_t to, size_t stop)
{
    struct seen_tx *s = (struct seen_tx *)xcalloc(1, sizeof(*s));
    size_t n = 0;

    s->stop = stop;
    assert_int_equal(address_view_history(v, h, from, to, see_tx, s), RC_OK);
    for (size_t i = 0; i < m->n_txs && (!stop || n < stop); i++) {
        const struct model_tx *t = &m->tx[i];

        if (!t->of[kind].touched || !is_behind(t->height, t->pos, from) || (to >= 0 && t->height > to))
            continue;
        assert_true(n < s->n);
        assert_int_equal(s->tx[n].at.height, t->height);
        assert_int_equal(s->tx[n].at.pos, t->pos);
        assert_memory_equal(s->tx[n].txid.b, t->id.b, 32);
        assert_int_equal(s->tx[n].received, t->of[kind].received);
        assert_int_equal(s->tx[n].spent, t->of[kind].spent);
        n++;
    }
    assert_int_equal(s->n, n);
    free(s);
}

static inline void check_coins(struct address_view *v, const struct model *m, unsigned kind, const struct script_hash *h,
                               struct address_place from, size_t stop)
{
    struct seen_coins *s = (struct seen_coins *)xcalloc(1, sizeof(*s));
    size_t n = 0;

    s->stop = stop;
    assert_int_equal(address_view_coins(v, h, from, see_coin, s), RC_OK);
    for (size_t i = 0; i < m->n_coins && (!stop || n < stop); i++) {
        const struct model_coin *c = &m->coin[i];

        if (c->kind != kind || c->spent_height || !is_behind(c->height, c->pos, from))
            continue;
        assert_true(n < s->n);
        assert_true(outpoint_equal(&s->coin[n].outpoint, &c->o));
        assert_int_equal(s->coin[n].at.height, c->height);
        assert_int_equal(s->coin[n].at.pos, c->pos);
        assert_int_equal(s->coin[n].value, c->value);
        assert_int_equal(s->coin[n].coinbase, c->pos == 0);
        n++;
    }
    assert_int_equal(s->n, n);
    free(s);
}

static inline void check_summary(struct address_view *v, const struct model *m, unsigned kind, const struct script_hash *h)
{
    struct address_summary want = {0}, have;
    int64_t young = 0, immature;

    for (size_t i = 0; i < m->n_coins; i++) {
        const struct model_coin *c = &m->coin[i];

        if (c->kind != kind)
            continue;
        want.received += c->value;
        if (c->spent_height)
            continue;
        want.balance += c->value;
        want.n_coins++;
        if (!model_spendable(c, m->height + 1))
            young += c->value;
    }
    for (size_t i = 0; i < m->n_txs; i++) {
        if (!m->tx[i].of[kind].touched)
            continue;
        if (!want.n_txs++)
            want.first_height = m->tx[i].height;
        want.last_height = m->tx[i].height;
    }
    assert_int_equal(address_view_immature(v, &immature, h), RC_OK);
    assert_int_equal(immature, young);
    assert_int_equal(address_view_summary(v, &have, h), want.n_txs ? RC_OK : RC_NOT_FOUND);
    if (!want.n_txs)
        return;
    assert_int_equal(have.balance, want.balance);
    assert_int_equal(have.received, want.received);
    assert_int_equal(have.n_txs, want.n_txs);
    assert_int_equal(have.n_coins, want.n_coins);
    assert_int_equal(have.first_height, want.first_height);
    assert_int_equal(have.last_height, want.last_height);
}

static inline struct address_place random_place(struct rng *rng, int32_t height)
{
    return (struct address_place){(int32_t)rng_below(rng, (uint64_t)height + 2), (uint32_t)rng_below(rng, 12)};
}

/** All scripts in a view whose block the model is of. */
static inline void check_view(struct address_view *v, const struct model *m, struct rng *rng)
{
    static const struct address_place start = {0, 0};

    for (unsigned kind = 0; kind <= GROVE_KINDS; kind++) { /* of the last one there are no coins */
        uint8_t script[4];
        struct script_hash h = script_hash_of(script, grove_script(script, kind));

        check_summary(v, m, kind, &h);
        check_history(v, m, kind, &h, start, -1, 0);
        check_history(v, m, kind, &h, random_place(rng, m->height), (int32_t)rng_below(rng, (uint64_t)m->height + 2), 0);
        check_history(v, m, kind, &h, random_place(rng, m->height), -1, 1 + rng_below(rng, 9));
        check_coins(v, m, kind, &h, start, 0);
        check_coins(v, m, kind, &h, random_place(rng, m->height), rng_below(rng, 5));
    }
}

#endif
