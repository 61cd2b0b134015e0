/* test_reorg.c - block trees: the best valid branch wins, and its coins are those of a chain that went there straight. */
#include "chain/forest.h"

/* The first grown of the highest good blocks: what a node that sees them in that order must be at. */
static int best_of(const struct forest *f)
{
    int best = -1;
    for (int i = 0; i < f->n; i++)
        if (f->plant[i].good && (best < 0 || f->plant[i].height > f->plant[best].height))
            best = i;
    return best;
}

static void grow_at_random(struct forest *f, int trunk, int n)
{
    for (int i = 0; i < n; i++) {
        int first = f->n - 12 > trunk ? f->n - 12 : trunk;
        int parent = first + (int)rng_below(&f->rng, (uint64_t)(f->n - first));
        enum flaw flaw = rng_below(&f->rng, 8) ? FLAW_NONE : (enum flaw)rng_below(&f->rng, FLAW_KINDS);
        forest_grow(f, parent, (unsigned)rng_below(&f->rng, 12), flaw);
    }
}

static void expect_tip(struct bed *t, const struct forest *f, int at)
{
    assert_int_equal(chain_height(t->c), f->plant[at].height);
    assert_true(block_hash_equal(&chain_tip(t->c)->node.hash, &f->plant[at].block->hash));
    assert_string_equal(bed_hash(t, UTXO_HASH_MUHASH).s, forest_straight(f, at).s);
    assert_int_equal(chain_verify(t->c, 4, 0), RC_OK);
}

static void one_tree(uint64_t seed, unsigned threads, bool initial, bool restarts)
{
    struct forest f;
    struct bed t;
    int trunk;

    bed_init(&t, CHAIN_REGTEST);
    t.o.script_threads = threads;
    if (!initial)
        t.o.max_tip_age = INT32_MAX;
    bed_open(&t);
    forest_init(&f, &t.params, seed);
    trunk = forest_trunk(&f);
    grow_at_random(&f, trunk, 80);
    for (int i = 0; i < f.n; i++) {
        struct outcome o = {0};
        chain_process_block(t.c, f.plant[i].block, true, true, outcome_done, &o);
        if (rng_below(&f.rng, 4) == 0 || !initial) {
            chain_drain(t.c);
            assert_int_equal(o.calls, 1);
        }
        if (o.calls && o.v.kind == VERDICT_INVALID)
            assert_false(f.plant[i].good);
        if (!initial) {
            int saved = f.n;
            f.n = i + 1;
            assert_true(block_hash_equal(&chain_tip(t.c)->node.hash, &f.plant[best_of(&f)].block->hash));
            f.n = saved;
        }
        /* o lives no longer than this turn */
        chain_drain(t.c);
        if (restarts && rng_below(&f.rng, 20) == 0) {
            bed_close(&t);
            bed_open(&t);
        }
    }
    expect_tip(&t, &f, best_of(&f));
    assert_int_equal(t.fatals, 0);
    bed_clear(&t);
    forest_clear(&f);
}

static void trees(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++)
        one_tree(seed, seed % 3, seed & 1, seed % 4 == 0);
}

/* Headers first, then the blocks in any order. */
static void shuffled(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 106; seed++) {
        struct forest f;
        struct bed t;
        int *order, best;

        bed_init(&t, CHAIN_REGTEST);
        bed_open(&t);
        forest_init(&f, &t.params, seed);
        grow_at_random(&f, forest_trunk(&f), 60);
        order = xmalloc((size_t)f.n * sizeof(int));
        for (int i = 0; i < f.n; i++) {
            const struct block_entry *last;
            struct verdict v;
            order[i] = i;
            assert_true(chain_accept_headers(t.c, &f.plant[i].block->header, 1, true, &last, &v));
            assert_true(block_hash_equal(&last->node.hash, &f.plant[i].block->hash));
        }
        for (int i = f.n - 1; i > 0; i--) {
            int j = (int)rng_below(&f.rng, (uint64_t)i + 1), k = order[i];
            order[i] = order[j];
            order[j] = k;
        }
        for (int i = 0; i < f.n; i++)
            chain_process_block(t.c, f.plant[order[i]].block, true, true, NULL, NULL);
        chain_drain(t.c);
        best = best_of(&f);
        assert_int_equal(chain_height(t.c), f.plant[best].height);
        for (best = 0; !block_hash_equal(&f.plant[best].block->hash, &chain_tip(t.c)->node.hash); best++)
            assert_true(best < f.n);
        assert_true(f.plant[best].good);
        expect_tip(&t, &f, best);
        /* Found invalid or never looked at, but never part of the chain. */
        for (int i = 0; i < f.n; i++)
            if (!f.plant[i].good)
                assert_false(chain_contains(t.c, chain_lookup(t.c, &f.plant[i].block->hash)));
        free(order);
        bed_clear(&t);
        forest_clear(&f);
    }
}

struct log_item {
    int order;
    bool is_new;
    struct verdict v;
};
static struct log_item told[64];
static int n_told;
static void tell(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    (void)hash;
    told[n_told++] = (struct log_item){(int)(intptr_t)arg, is_new, *v};
}

/* A script fails while the blocks behind it are connected already: all are taken back, and each submitter learns why. */
static void failure_in_flight(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads < 3; threads++) {
        struct forest f;
        struct bed t;
        int at, trunk, base;

        bed_init(&t, CHAIN_REGTEST);
        t.o.script_threads = threads;
        bed_open(&t);
        forest_init(&f, &t.params, 7);
        at = trunk = forest_trunk(&f);
        for (int i = 0; i <= trunk; i++)
            chain_process_block(t.c, f.plant[i].block, true, true, NULL, NULL);
        chain_drain(t.c);
        base = f.n;
        for (int i = 0; i < 12; i++)
            at = forest_grow(&f, at, 6, i == 5 ? FLAW_SCRIPT : FLAW_NONE);
        assert_int_equal(f.plant[base + 5].flaw, FLAW_SCRIPT);
        n_told = 0;
        for (int i = base; i < f.n; i++)
            chain_process_block(t.c, f.plant[i].block, true, true, tell, (void *)(intptr_t)(i - base));
        chain_drain(t.c);
        assert_int_equal(n_told, 12);
        for (int i = 0; i < 12; i++) {
            assert_int_equal(told[i].order, i);
            if (i < 5)
                assert_int_equal(told[i].v.kind, VERDICT_VALID);
            if (i == 5) {
                assert_int_equal(told[i].v.kind, VERDICT_INVALID);
                assert_int_equal(told[i].v.code, BLOCK_CONSENSUS);
                assert_string_equal(told[i].v.reason, "block-script-verify-flag-failed (OP_RETURN was encountered)");
                assert_memory_equal(told[i].v.debug, "input 0 of ", 11);
                assert_non_null(strstr(told[i].v.debug, ", spending "));
            }
            if (i > 5)
                assert_int_equal(told[i].v.kind, VERDICT_INVALID);
        }
        expect_tip(&t, &f, base + 4);
        /* Another branch from there is taken up as if nothing had been. */
        at = forest_grow(&f, base + 4, 5, FLAW_NONE);
        assert_int_equal(bed_submit(&t, f.plant[at].block).v.kind, VERDICT_VALID);
        expect_tip(&t, &f, at);
        bed_clear(&t);
        forest_clear(&f);
    }
}

/* The verdict on each kind of bad block, as Core words it. */
static void reasons(void **state)
{
    static const char *const expected[FLAW_KINDS] = {"", "block-script-verify-flag-failed (OP_RETURN was encountered)",
                                                     "bad-txns-inputs-missingorspent", "bad-txns-in-belowout", "bad-cb-amount"};
    struct forest f;
    struct bed t;
    int trunk;
    struct outcome o;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    bed_open(&t);
    forest_init(&f, &t.params, 3);
    trunk = forest_trunk(&f);
    for (int i = 0; i <= trunk; i++)
        bed_submit(&t, f.plant[i].block);
    for (int k = FLAW_SCRIPT; k < FLAW_KINDS; k++) {
        int bad = forest_grow(&f, trunk, 4, (enum flaw)k), child = forest_grow(&f, bad, 0, FLAW_NONE);
        struct verdict v;

        assert_false(chain_test_block(t.c, f.plant[bad].block, true, true, &v));
        assert_string_equal(v.reason, expected[k]);
        o = bed_submit(&t, f.plant[bad].block);
        assert_int_equal(o.v.kind, VERDICT_INVALID);
        assert_true(o.is_new);
        assert_string_equal(o.v.reason, expected[k]);
        assert_string_equal(t.last_checked.reason, expected[k]);
        assert_string_equal(bed_submit(&t, f.plant[child].block).v.reason, "bad-prevblk");
        assert_string_equal(bed_submit(&t, f.plant[bad].block).v.reason, "duplicate-invalid");
        expect_tip(&t, &f, trunk);
    }
    bed_clear(&t);
    forest_clear(&f);
}

static void unrequested(void **state)
{
    struct forest f;
    struct bed t;
    struct outcome o = {0};
    int a, b, trunk;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    bed_open(&t);
    forest_init(&f, &t.params, 5);
    trunk = forest_trunk(&f);
    for (int i = 0; i <= trunk; i++)
        bed_submit(&t, f.plant[i].block);
    /* Less work: the header is taken, the data are not. */
    a = forest_grow(&f, trunk - 5, 0, FLAW_NONE);
    chain_process_block(t.c, f.plant[a].block, false, true, outcome_done, &o);
    chain_drain(t.c);
    assert_int_equal(o.calls, 1);
    assert_int_equal(o.v.kind, VERDICT_VALID);
    assert_false(o.is_new);
    assert_non_null(chain_lookup(t.c, &f.plant[a].block->hash));
    /* No parent; and a parent with less than the minimum work. */
    b = forest_grow(&f, forest_grow(&f, trunk, 0, FLAW_NONE), 0, FLAW_NONE);
    assert_string_equal(bed_submit(&t, f.plant[b].block).v.reason, "prev-blk-not-found");
    bed_clear(&t);
    forest_clear(&f);
}

static void invalidate_and_back(void **state)
{
    struct forest f;
    struct bed t;
    struct verdict v;
    const struct block_entry *e;
    int trunk, a, b, side;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    bed_open(&t);
    forest_init(&f, &t.params, 11);
    trunk = a = side = forest_trunk(&f);
    for (int i = 0; i < 6; i++)
        a = forest_grow(&f, a, 5, FLAW_NONE);
    for (int i = 0; i < 3; i++)
        side = forest_grow(&f, side, 5, FLAW_NONE);
    for (int i = 0; i < f.n; i++)
        bed_submit(&t, f.plant[i].block);
    expect_tip(&t, &f, a);
    e = chain_lookup(t.c, &f.plant[trunk + 3].block->hash);
    assert_true(chain_invalidate(t.c, e, &v));
    assert_int_equal(chain_height(t.c), f.plant[trunk + 2].height);
    assert_int_equal(chain_activate_best(t.c, &v), RC_OK);
    expect_tip(&t, &f, side);
    bed_close(&t); /* the decision lasts */
    bed_open(&t);
    assert_int_equal(chain_activate_best(t.c, &v), RC_OK);
    expect_tip(&t, &f, side);
    e = chain_lookup(t.c, &f.plant[trunk + 3].block->hash);
    chain_reconsider(t.c, e);
    assert_int_equal(chain_activate_best(t.c, &v), RC_OK);
    expect_tip(&t, &f, a);
    /* Of two equal branches the precious one. */
    b = a;
    for (int i = 0; i < 3; i++)
        side = forest_grow(&f, side, 2, FLAW_NONE);
    for (int i = b + 4; i < f.n; i++)
        bed_submit(&t, f.plant[i].block);
    expect_tip(&t, &f, a);
    assert_true(chain_precious(t.c, chain_lookup(t.c, &f.plant[side].block->hash), &v));
    expect_tip(&t, &f, side);
    assert_true(chain_precious(t.c, chain_lookup(t.c, &f.plant[a].block->hash), &v));
    expect_tip(&t, &f, a);
    bed_clear(&t);
    forest_clear(&f);
}

static void floresta(void **state)
{
    struct json_object *json = vectors_json("chain/regtest/floresta_test_reorg.json");
    struct bed t;

    (void)state;
    if (!json)
        return;
    bed_init(&t, CHAIN_REGTEST);
    bed_open(&t);
    for (size_t k = 0; k < 2; k++) {
        struct json_object *list = json_object_array_get_idx(json, k);
        for (size_t i = 0; i < json_object_array_length(list); i++) {
            size_t len;
            uint8_t *data = vectors_hex(json_object_get_string(json_object_array_get_idx(list, i)), &len);
            struct block *b = block_decode(data, len);
            assert_non_null(b);
            assert_int_equal(bed_submit(&t, b).v.kind, VERDICT_VALID);
            block_unref(b);
            assert_int_equal(chain_height(t.c), k == 0 ? (int)i + 1 : i < 5 ? 10 : (int)i + 6);
        }
    }
    assert_memory_equal(block_hash_hex(&chain_tip(t.c)->node.hash).s, "4572ac401b94915d", 16);
    bed_clear(&t);
    json_object_put(json);
}

/* Shutdown is asked for when the old branch is half gone: the chain must not be left at the fork. */
static atomic_bool stop_asked;
static void ask_to_stop(void *ctx, const struct block_entry *e, struct block *b)
{
    bed_disconnected(ctx, e, b);
    atomic_store(&stop_asked, true);
}

static void interrupted_half_way(void **state)
{
    struct forest f;
    struct bed t;
    struct verdict v;
    int a, side;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    t.o.interrupt = &stop_asked;
    t.o.events.block_disconnected = ask_to_stop;
    bed_open(&t);
    forest_init(&f, &t.params, 31);
    a = side = forest_trunk(&f);
    for (int i = 0; i < 3; i++)
        a = forest_grow(&f, a, 2, FLAW_NONE);
    for (int i = 0; i < 4; i++)
        side = forest_grow(&f, side, 2, FLAW_NONE);
    for (int i = 0; i < f.n; i++)
        chain_process_block(t.c, f.plant[i].block, true, true, NULL, NULL);
    chain_drain(t.c);
    assert_true(atomic_exchange(&stop_asked, false));
    expect_tip(&t, &f, side);
    bed_close(&t);
    bed_open(&t);
    assert_int_equal(chain_activate_best(t.c, &v), RC_OK);
    expect_tip(&t, &f, side);
    bed_clear(&t);
    forest_clear(&f);
}

static void stop_at_height(void **state)
{
    struct forest f;
    struct bed t;
    int trunk;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    t.o.stop_at_height = 50;
    bed_open(&t);
    forest_init(&f, &t.params, 21);
    trunk = forest_trunk(&f);
    for (int i = 0; i <= trunk; i++)
        chain_process_block(t.c, f.plant[i].block, true, true, NULL, NULL);
    chain_drain(t.c);
    assert_int_equal(chain_height(t.c), 50);
    assert_int_equal(t.stops, 1);
    bed_clear(&t);
    forest_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floresta),
        cmocka_unit_test(reasons),
        cmocka_unit_test(failure_in_flight),
        cmocka_unit_test(unrequested),
        cmocka_unit_test(trees),
        cmocka_unit_test(shuffled),
        cmocka_unit_test(invalidate_and_back),
        cmocka_unit_test(interrupted_half_way),
        cmocka_unit_test(stop_at_height),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
