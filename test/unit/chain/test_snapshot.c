/* test_snapshot.c - coins from a file, with history validated behind them: the right snapshot, one whose coins are wrong though its hash was
 * believed, and one whose history holds an invalid block. */
#include "chain/forest.h"
#include "chain/snapshot.h"
#include "primitives/serialize.h"

#define BEFORE 40 /* blocks of the trunk that a node has before it loads */

struct scene {
    struct forest f;
    struct bed from, t;
    int base, top; /* plants: the snapshot's block, and the last */
    char *file;
    int history_done, history_begun;
};

static void on_history(void *ctx, bool complete)
{
    /* the bed is the first member that events know */
    struct bed *t = ctx;
    struct scene *s = (struct scene *)(void *)((char *)t - offsetof(struct scene, t));

    s->history_done += complete;
    s->history_begun += !complete;
}

static void submit_path(struct scene *s, struct bed *t, int to, int32_t from_height, int32_t to_height)
{
    int *path, n = forest_path(&s->f, to, &path);

    for (int i = 0; i < n; i++)
        if (i + 1 >= from_height && i + 1 <= to_height)
            chain_process_block(t->c, s->f.plant[path[i]].block, true, true, NULL, NULL);
    chain_drain(t->c);
    free(path);
}

static void give_headers(struct scene *s, struct bed *t, int to)
{
    int *path, n = forest_path(&s->f, to, &path);
    const struct block_entry *last;
    struct verdict v;

    for (int i = 0; i < n; i++)
        assert_true(chain_accept_headers(t->c, &s->f.plant[path[i]].block->header, 1, true, &last, &v));
    free(path);
}

static void write_file(struct scene *s)
{
    struct snapshot_head head;
    const struct block_entry *tip;
    struct coindb_iter *it;
    FILE *f = fopen(s->file, "wb");

    assert_int_equal(chain_coins_snapshot(s->from.c, &it, &tip), RC_OK);
    head.base = s->f.plant[s->base].block->hash;
    head.coins = bed_stats(&s->from, UTXO_HASH_NONE).txouts;
    assert_int_equal(snapshot_write(f, &s->from.params, &head, it, NULL), RC_OK);
    coindb_iter_free(it);
    assert_int_equal(fclose(f), 0);
}

/* Makes every chain of these parameters believe that these are the coins after the base. */
static void believe(struct scene *s, struct bed *t, const struct hash_hex hash, uint64_t n_tx)
{
    struct assumed_point *a = &t->params.assumed[0];

    t->params.n_assumed = 1;
    a->height = s->f.plant[s->base].height;
    a->hash = s->f.plant[s->base].block->hash;
    a->chain_tx_count = n_tx;
    assert_true(hash_from_hex(a->hash_serialized.b, hash.s));
}

static uint64_t count_tx(const struct scene *s, int to)
{
    uint64_t n = 1;

    for (; to >= 0; to = s->f.plant[to].parent)
        n += s->f.plant[to].block->n_tx;
    return n;
}

/* A forest with a flaw at one block below the base (FLAW_NONE: none), and a node that stands at the base of the flawless one. */
static void scene_init(struct scene *s, enum flaw flaw)
{
    int good;

    memset(s, 0, sizeof(*s));
    bed_init(&s->from, CHAIN_REGTEST);
    bed_init(&s->t, CHAIN_REGTEST);
    s->t.o.events.history_changed = on_history;
    s->file = fs_join(s->from.dir, "coins.dat");
    forest_init(&s->f, &s->from.params, 77);
    good = forest_trunk(&s->f);
    for (int i = 0; i < 5; i++)
        good = forest_grow(&s->f, good, 3, FLAW_NONE);
    s->base = forest_grow(&s->f, good, 3, flaw);
    for (int i = 0; i < 3; i++)
        s->base = forest_grow(&s->f, s->base, 0, FLAW_NONE);
    s->top = s->base;
    for (int i = 0; i < 4; i++)
        s->top = forest_grow(&s->f, s->top, 0, FLAW_NONE);
    bed_open(&s->from);
    submit_path(s, &s->from, s->base, 1, INT32_MAX);
    write_file(s);
    believe(s, &s->t, bed_hash(&s->from, UTXO_HASH_SERIALIZED), count_tx(s, s->base));
    bed_open(&s->t);
    submit_path(s, &s->t, s->base, 1, BEFORE);
    give_headers(s, &s->t, s->top);
}

static void scene_clear(struct scene *s)
{
    bed_clear(&s->t);
    bed_clear(&s->from);
    forest_clear(&s->f);
    free(s->file);
}

/* Returns: NULL, or why not. */
static char *load(struct scene *s)
{
    FILE *f = fopen(s->file, "rb");
    struct snapshot_load *l = NULL;
    struct snapshot_head head;
    char *error;

    assert_non_null(f);
    if (snapshot_read_head(&head, f, &s->t.params, &error) && snapshot_begin(&l, s->t.c, &head, &error) &&
        snapshot_populate(l, f, NULL, &error) && snapshot_activate(s->t.c, l, &error))
        assert_null(error);
    snapshot_load_free(l);
    fclose(f);
    return error;
}

static void finish_history(struct bed *t)
{
    while (chain_background(t->c))
        continue;
}

static bool folder_there(const struct bed *t, const char *suffix)
{
    char *path = xasprintf("%s%s", t->coins, suffix);
    bool there = fs_exists(path);

    free(path);
    return there;
}

static void expect_states(struct bed *t, int32_t history, int32_t tip, bool validated)
{
    struct chain_state states[2];
    size_t n = chain_states(t->c, states);

    assert_int_equal(n, history >= 0 ? 2 : 1);
    if (history >= 0)
        assert_int_equal(states[0].tip->node.height, history);
    assert_int_equal(states[n - 1].tip->node.height, tip);
    assert_int_equal(states[n - 1].validated, validated);
}

static void right(void **state)
{
    struct scene s;
    int32_t base, top;
    struct hash_hex want;

    (void)state;
    scene_init(&s, FLAW_NONE);
    base = s.f.plant[s.base].height;
    top = s.f.plant[s.top].height;
    want = forest_straight(&s.f, s.top);
    assert_null(load(&s));
    assert_int_equal(s.history_begun, 1);
    expect_states(&s.t, BEFORE, base, false);
    assert_ptr_equal(chain_flushed(s.t.c), chain_at(s.t.c, BEFORE));
    submit_path(&s, &s.t, s.top, base + 1, top);
    expect_states(&s.t, BEFORE, top, false);
    assert_string_equal(bed_hash(&s.t, UTXO_HASH_MUHASH).s, want.s);
    /* Half of history, in the wrong order, and a restart in between. */
    submit_path(&s, &s.t, s.top, base - 20, base);
    submit_path(&s, &s.t, s.top, BEFORE + 1, BEFORE + 30);
    finish_history(&s.t);
    expect_states(&s.t, BEFORE + 30, top, false);
    bed_close(&s.t);
    bed_open(&s.t);
    expect_states(&s.t, BEFORE + 30, top, false);
    submit_path(&s, &s.t, s.top, BEFORE + 31, base);
    finish_history(&s.t);
    assert_int_equal(s.history_done, 1);
    expect_states(&s.t, -1, top, true);
    assert_int_equal(chain_verify(s.t.c, 4, 0), RC_OK);
    bed_close(&s.t);
    assert_true(folder_there(&s.t, "_snapshot"));
    bed_open(&s.t);
    assert_false(folder_there(&s.t, "_snapshot"));
    expect_states(&s.t, -1, top, true);
    assert_string_equal(bed_hash(&s.t, UTXO_HASH_MUHASH).s, want.s);
    assert_int_equal(s.t.fatals, 0);
    scene_clear(&s);
}

/* The node believed in coins that nobody made: it says so, stops, and starts again without them. */
static void wrong_coins(void **state)
{
    struct scene s;
    int32_t base;
    struct hash_hex good;

    (void)state;
    scene_init(&s, FLAW_NONE);
    base = s.f.plant[s.base].height;
    good = bed_hash(&s.from, UTXO_HASH_MUHASH);
    /* The file of the block before, under the name of the base. */
    {
        struct verdict v;
        assert_true(chain_invalidate(s.from.c, chain_at(s.from.c, base), &v));
    }
    write_file(&s);
    believe(&s, &s.t, bed_hash(&s.from, UTXO_HASH_SERIALIZED), count_tx(&s, s.base));
    assert_null(load(&s));
    submit_path(&s, &s.t, s.base, BEFORE + 1, base);
    finish_history(&s.t);
    assert_int_equal(s.t.fatals, 1);
    assert_int_equal(s.history_done, 0);
    assert_true(folder_there(&s.t, "_snapshot_INVALID"));
    assert_false(folder_there(&s.t, "_snapshot"));
    assert_int_not_equal(chain_close(s.t.c), RC_OK);
    bed_open(&s.t);
    expect_states(&s.t, -1, base, true);
    assert_string_equal(bed_hash(&s.t, UTXO_HASH_MUHASH).s, good.s);
    scene_clear(&s);
}

/* Every header was right, but a block in between breaks the rules. */
static void wrong_history(void **state)
{
    static const enum flaw flaws[] = {FLAW_SCRIPT, FLAW_DOUBLE_SPEND, FLAW_VALUE, FLAW_COINBASE};

    (void)state;
    for (size_t i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++) {
        struct scene s;
        int32_t base;

        scene_init(&s, flaws[i]);
        base = s.f.plant[s.base].height;
        assert_int_equal(chain_height(s.from.c), base - 4); /* the flawed block did not become part of it */
        assert_null(load(&s));
        expect_states(&s.t, BEFORE, base, false);
        submit_path(&s, &s.t, s.base, BEFORE + 1, base);
        finish_history(&s.t);
        assert_int_equal(s.t.fatals, 1);
        assert_true(folder_there(&s.t, "_snapshot_INVALID"));
        assert_int_not_equal(chain_close(s.t.c), RC_OK);
        bed_open(&s.t);
        expect_states(&s.t, -1, base - 4, true);
        assert_string_equal(bed_hash(&s.t, UTXO_HASH_MUHASH).s, bed_hash(&s.from, UTXO_HASH_MUHASH).s);
        scene_clear(&s);
    }
}

/* What is found out before anything is done. */
static void refused(void **state)
{
    struct scene s;
    struct verdict v;
    char *error;

    (void)state;
    scene_init(&s, FLAW_NONE);
    s.t.params.assumed[0].hash_serialized.b[0] ^= 1;
    error = load(&s);
    assert_non_null(strstr(error, "Bad snapshot content hash: expected "));
    free(error);
    s.t.params.assumed[0].hash_serialized.b[0] ^= 1;
    assert_true(chain_invalidate(s.t.c, chain_lookup(s.t.c, &s.f.plant[s.base].block->hash), &v));
    error = load(&s);
    assert_non_null(strstr(error, "is part of an invalid chain"));
    free(error);
    chain_reconsider(s.t.c, chain_lookup(s.t.c, &s.f.plant[s.base].block->hash));
    assert_false(folder_there(&s.t, "_snapshot"));
    expect_states(&s.t, -1, BEFORE, true);
    assert_null(load(&s));
    error = load(&s);
    assert_string_equal(error, "Can't activate a snapshot-based chainstate more than once");
    free(error);
    scene_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right),
        cmocka_unit_test(wrong_coins),
        cmocka_unit_test(wrong_history),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
