/* index_test.h - a chain with a block filter index on it, and what must hold between the two at any time. */
#ifndef FARTHING_TEST_INDEX_TEST_H
#define FARTHING_TEST_INDEX_TEST_H

#include "chain/forest.h"
#include "index/blockfilter.h"
#include "index/filter_index.h"
#include "primitives/serialize.h"

struct follow {
    struct bed bed;
    char *dir;
    bool wipe;
    uint32_t file_size;
    struct filter_index *fi;
    atomic_int fatals;
};

static inline void follow_fatal(void *ctx, const char *text)
{
    struct follow *t = (struct follow *)ctx;
    printf("index: %s\n", text);
    atomic_fetch_add(&t->fatals, 1);
}

static inline void follow_tip(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial)
{
    struct follow *t = (struct follow *)(void *)((char *)ctx - offsetof(struct follow, bed));
    bed_tip(ctx, tip, fork, initial);
    if (t->fi)
        index_wake(filter_index_base(t->fi));
}

static inline void follow_disconnected(void *ctx, const struct block_entry *e, struct block *b)
{
    struct follow *t = (struct follow *)(void *)((char *)ctx - offsetof(struct follow, bed));
    bed_disconnected(ctx, e, b);
    if (t->fi)
        index_disconnected(filter_index_base(t->fi), e);
}

static inline void follow_init(struct follow *t, enum chain_id id)
{
    memset(t, 0, sizeof(*t));
    bed_init(&t->bed, id);
    t->dir = fs_join(t->bed.dir, "indexes/blockfilter/basic");
    t->bed.o.events.tip_changed = follow_tip;
    t->bed.o.events.block_disconnected = follow_disconnected;
}

static inline enum rc follow_try_open(struct follow *t, char **error)
{
    struct filter_index_options o = {.chain = t->bed.c,
                                     .dir = t->dir,
                                     .cache_bytes = (size_t)1 << 20,
                                     .wipe = t->wipe,
                                     .file_size = t->file_size,
                                     .fatal = follow_fatal,
                                     .ctx = t};
    enum rc rc = filter_index_open(&t->fi, &o, error);

    t->wipe = false;
    if (rc == RC_OK)
        index_start(filter_index_base(t->fi));
    return rc;
}

static inline void follow_open(struct follow *t)
{
    char *error = NULL;

    if (!t->bed.c)
        bed_open(&t->bed);
    if (follow_try_open(t, &error) != RC_OK)
        fail_msg("%s", error);
}

/* Stops as the node does: the chain flushes, the index stores its place, the chain closes. */
static inline void follow_close(struct follow *t)
{
    assert_int_equal(chain_flush(t->bed.c), RC_OK);
    index_stop(filter_index_base(t->fi));
    filter_index_close(t->fi);
    t->fi = NULL;
    bed_close(&t->bed);
    assert_int_equal(atomic_load(&t->fatals), 0);
}

static inline void follow_clear(struct follow *t)
{
    if (t->fi)
        follow_close(t);
    bed_clear(&t->bed);
    free(t->dir);
}

/* Until the index has been at the tip once, and then covers it. */
static inline void follow_wait(struct follow *t)
{
    for (int i = 0; i < 60000 && !index_wait(filter_index_base(t->fi), NULL); i++)
        usleep(1000);
    assert_true(index_wait(filter_index_base(t->fi), NULL));
}

static inline struct hash256 follow_header(struct follow *t, const struct block_entry *e)
{
    struct hash256 h;
    assert_int_equal(filter_index_header(t->fi, &h, e), RC_OK);
    return h;
}

/* The stored filter of a block is that of the block and its coins, and its header follows the parent's. */
static inline void follow_check_block(struct follow *t, const struct block_entry *e)
{
    struct block *b;
    struct block_undo *undo = NULL;
    struct writer w = WRITER_INIT;
    struct hash256 want = {{0}}, hash, have;
    uint8_t *filter;
    size_t len;

    assert_int_equal(chain_read_block(t->bed.c, &b, e), RC_OK);
    if (e->node.prev) {
        assert_int_equal(chain_read_undo(t->bed.c, &undo, e), RC_OK);
        want = follow_header(t, entry_prev(e));
    }
    filter_encode_basic(&w, b, undo);
    assert_int_equal(filter_index_read(t->fi, &filter, &len, e), RC_OK);
    assert_int_equal(len, w.len);
    assert_memory_equal(filter, w.data, len);
    filter_hash(&hash, filter, len);
    filter_header(&want, &hash, &want);
    have = follow_header(t, e);
    assert_memory_equal(have.b, want.b, 32);
    free(filter);
    writer_clear(&w);
    block_unref(b);
    if (undo)
        block_undo_free(undo);
}

static inline void follow_check_all(struct follow *t)
{
    struct index_summary s;

    follow_wait(t);
    index_summary(filter_index_base(t->fi), &s);
    assert_string_equal(s.name, "basic block filter index");
    assert_true(s.synced);
    assert_ptr_equal(s.best, chain_tip(t->bed.c));
    for (int32_t h = 0; h <= chain_height(t->bed.c); h++)
        follow_check_block(t, chain_at(t->bed.c, h));
}

#endif
