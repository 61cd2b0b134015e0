/* test_index.c - the follower by itself, with an index that only writes down what it is told: the order of blocks over reorganisations that come
 * faster than it follows, where it stops, and what a failure does. */
#include <pthread.h>

#include "index/index_test.h"

#define STEPS 4000

struct diary {
    struct bed bed;
    struct index *x;
    struct kv *kv;
    pthread_mutex_t gate; /* held by the test: the index stands still in front of its next block */
    struct {
        struct block_hash hash; /* entries are others once the chain was opened again */
        bool removed;
    } step[STEPS];
    atomic_int n;
    const struct block_entry *fails_at;
    atomic_int fatals, commits;
};

static enum rc note(struct diary *d, const struct block_entry *e, bool removed)
{
    int n = atomic_load(&d->n);

    assert_true(n < STEPS);
    d->step[n].hash = e->node.hash;
    d->step[n].removed = removed;
    atomic_store(&d->n, n + 1);
    return RC_OK;
}

static enum rc diary_start(void *impl, const struct block_entry *best)
{
    (void)impl;
    (void)best;
    return RC_OK;
}

static enum rc diary_append(void *impl, const struct block_entry *e, const struct block *b, const struct block_undo *undo)
{
    struct diary *d = impl;

    pthread_mutex_lock(&d->gate);
    pthread_mutex_unlock(&d->gate);
    if (e == d->fails_at || !block_hash_equal(&b->hash, &e->node.hash) || undo)
        return RC_IO;
    return note(d, e, false);
}

static enum rc diary_remove(void *impl, const struct block_entry *e)
{
    return note(impl, e, true);
}

static enum rc diary_commit(void *impl, struct kv_batch *batch)
{
    (void)batch;
    atomic_fetch_add(&((struct diary *)impl)->commits, 1);
    return RC_OK;
}

static void diary_fatal(void *ctx, const char *text)
{
    assert_non_null(strstr(text, "Failed to write block "));
    atomic_fetch_add(&((struct diary *)ctx)->fatals, 1);
}

static const struct index_ops ops = {.name = "diary",
                                     .thread_name = "diary",
                                     .start = diary_start,
                                     .append = diary_append,
                                     .remove = diary_remove,
                                     .commit = diary_commit};

static void on_tip(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial)
{
    struct diary *d = (struct diary *)(void *)((char *)ctx - offsetof(struct diary, bed));
    bed_tip(ctx, tip, fork, initial);
    if (d->x)
        index_wake(d->x);
}

static void on_disconnected(void *ctx, const struct block_entry *e, struct block *b)
{
    struct diary *d = (struct diary *)(void *)((char *)ctx - offsetof(struct diary, bed));
    bed_disconnected(ctx, e, b);
    if (d->x)
        index_disconnected(d->x, e);
}

static struct diary *diary_new(void)
{
    struct diary *d = xcalloc(1, sizeof(*d));

    bed_init(&d->bed, CHAIN_REGTEST);
    d->bed.o.events.tip_changed = on_tip;
    d->bed.o.events.block_disconnected = on_disconnected;
    pthread_mutex_init(&d->gate, NULL);
    return d;
}

static void diary_open(struct diary *d)
{
    char *error = NULL, *path = fs_join(d->bed.dir, "diary");

    bed_open(&d->bed);
    assert_int_equal(kv_open(&d->kv, path, &(struct kv_options){.cache_bytes = 1 << 20}, &error), RC_OK);
    assert_int_equal(
        index_new(&d->x,
                  &(struct index_options){.chain = d->bed.c, .kv = d->kv, .ops = &ops, .impl = d, .fatal = diary_fatal, .ctx = d},
                  &error),
        RC_OK);
    index_start(d->x);
    free(path);
}

static void diary_close(struct diary *d)
{
    assert_int_equal(chain_flush(d->bed.c), RC_OK);
    index_stop(d->x);
    index_free(d->x);
    d->x = NULL;
    kv_close(d->kv);
    bed_close(&d->bed);
}

static void diary_free(struct diary *d)
{
    bed_clear(&d->bed);
    pthread_mutex_destroy(&d->gate);
    free(d);
}

static void settle(struct diary *d)
{
    for (int i = 0; i < 30000 && !index_wait(d->x, NULL); i++)
        usleep(1000);
    assert_true(index_wait(d->x, NULL));
}

static const struct block_entry *entry(struct diary *d, const struct forest *f, int i)
{
    return chain_lookup(d->bed.c, &f->plant[i].block->hash);
}

static void expect_step(const struct diary *d, int i, const struct block_entry *e, bool removed)
{
    assert_true(i < atomic_load(&d->n));
    assert_true(block_hash_equal(&d->step[i].hash, &e->node.hash));
    assert_int_equal(d->step[i].removed, removed);
}

/* While the index stands still, a branch grows and is abandoned: it is visited, block by block, before the branch that replaced it. */
static void short_lived_branch(void **state)
{
    struct diary *d = diary_new();
    struct forest f;
    int trunk, a, b, n;

    (void)state;
    forest_init(&f, &d->bed.params, 3);
    trunk = forest_trunk(&f);
    diary_open(d);
    for (int i = 0; i < f.n; i++)
        bed_submit(&d->bed, f.plant[i].block);
    settle(d);
    n = atomic_load(&d->n);
    assert_int_equal(n, f.n + 1);
    pthread_mutex_lock(&d->gate);
    a = forest_grow(&f, forest_grow(&f, trunk, 0, FLAW_NONE), 0, FLAW_NONE);
    b = forest_grow(&f, forest_grow(&f, forest_grow(&f, trunk, 0, FLAW_NONE), 0, FLAW_NONE), 0, FLAW_NONE);
    for (int i = trunk + 1; i <= b; i++)
        bed_submit(&d->bed, f.plant[i].block);
    assert_ptr_equal(chain_tip(d->bed.c), entry(d, &f, b));
    pthread_mutex_unlock(&d->gate);
    settle(d);
    assert_int_equal(atomic_load(&d->n), n + 2 + 2 + 3);
    expect_step(d, n, entry(d, &f, a - 1), false);
    expect_step(d, n + 1, entry(d, &f, a), false);
    expect_step(d, n + 2, entry(d, &f, a), true);
    expect_step(d, n + 3, entry(d, &f, a - 1), true);
    for (int i = 0; i < 3; i++)
        expect_step(d, n + 4 + i, entry(d, &f, b - 2 + i), false);
    diary_close(d);
    assert_true(atomic_load(&d->commits) > 0);
    /* it goes on from its place: nothing is told twice */
    n = atomic_load(&d->n);
    diary_open(d);
    settle(d);
    assert_int_equal(atomic_load(&d->n), n);
    diary_close(d);
    diary_free(d);
    forest_clear(&f);
}

/* A stop does not wait for an index that is far behind, and its place is where it was. */
static void stops_on_the_way(void **state)
{
    struct diary *d = diary_new();
    struct forest f;

    (void)state;
    forest_init(&f, &d->bed.params, 4);
    forest_trunk(&f);
    bed_open(&d->bed);
    for (int i = 0; i < f.n; i++)
        bed_submit(&d->bed, f.plant[i].block);
    bed_close(&d->bed);
    pthread_mutex_lock(&d->gate);
    diary_open(d);
    assert_false(index_wait(d->x, NULL)); /* it was never at the tip */
    assert_int_equal(index_needs_from(d->x), 0);
    pthread_mutex_unlock(&d->gate);
    diary_close(d); /* at once, wherever it is */
    diary_open(d);
    settle(d);
    assert_int_equal(atomic_load(&d->n), f.n + 1);
    for (int i = 0; i < f.n; i++)
        expect_step(d, i + 1, entry(d, &f, i), false);
    assert_int_equal(index_needs_from(d->x), f.n);
    diary_close(d);
    diary_free(d);
    forest_clear(&f);
}

static void failure(void **state)
{
    struct diary *d = diary_new();
    atomic_bool interrupt;
    struct forest f;

    (void)state;
    atomic_init(&interrupt, true);
    forest_init(&f, &d->bed.params, 5);
    forest_trunk(&f);
    diary_open(d);
    for (int i = 0; i < 10; i++)
        bed_submit(&d->bed, f.plant[i].block);
    settle(d);
    pthread_mutex_lock(&d->gate);
    bed_submit(&d->bed, f.plant[10].block);
    assert_false(index_wait(d->x, &interrupt));
    d->fails_at = entry(d, &f, 10);
    pthread_mutex_unlock(&d->gate);
    assert_false(index_wait(d->x, NULL)); /* it has ended */
    assert_int_equal(atomic_load(&d->fatals), 1);
    assert_int_equal(atomic_load(&d->n), 11);
    diary_close(d);
    diary_free(d);
    forest_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_lived_branch),
        cmocka_unit_test(stops_on_the_way),
        cmocka_unit_test(failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
