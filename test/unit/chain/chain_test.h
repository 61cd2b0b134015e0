/* chain_test.h - for the tests of the chain: a datadir of one's own, opening and closing, and the coin set's hashes. */
#ifndef FARTHING_TEST_CHAIN_TEST_H
#define FARTHING_TEST_CHAIN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain/chain.h"
#include "chain/undo.h"
#include "chain/utxo_stats.h"
#include "consensus/block_tool.h"
#include "script/cache.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/time.h"
#include "vectors.h"

/* A node's folder and what a chain is opened with. */
struct bed {
    char *dir, *blocks, *index, *coins;
    struct chain_params params;
    struct chain_options o;
    struct sig_cache *cache;
    struct chain *c;
    /* what the events said */
    int connected, disconnected, tips, fatals, stops, checked;
    struct verdict last_checked;
};

static inline void bed_connected(void *ctx, const struct block_entry *e, struct block *b)
{
    struct bed *t = ctx;
    assert_true(block_hash_equal(&b->hash, &e->node.hash));
    assert_ptr_equal(chain_tip(t->c), e);
    t->connected++;
}
static inline void bed_disconnected(void *ctx, const struct block_entry *e, struct block *b)
{
    struct bed *t = ctx;
    assert_ptr_equal(chain_tip(t->c), entry_prev(e));
    assert_true(block_hash_equal(&b->hash, &e->node.hash));
    t->disconnected++;
}
static inline void bed_tip(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial)
{
    struct bed *t = ctx;
    (void)initial;
    assert_ptr_equal(chain_tip(t->c), tip);
    assert_ptr_equal(header_node_ancestor(&tip->node, fork->node.height), &fork->node);
    t->tips++;
}
static inline void bed_checked(void *ctx, const struct block_hash *hash, const struct verdict *v)
{
    struct bed *t = ctx;
    (void)hash;
    t->checked++;
    t->last_checked = *v;
}
static inline void bed_fatal(void *ctx, const char *text)
{
    ((struct bed *)ctx)->fatals++;
    printf("fatal: %s\n", text);
}
static inline void bed_stop(void *ctx)
{
    ((struct bed *)ctx)->stops++;
}

static inline void bed_init(struct bed *t, enum chain_id id)
{
    const char *base = getenv("TMPDIR");
    memset(t, 0, sizeof(*t));
    t->dir = xasprintf("%s/farthing-chain-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(t->dir));
    t->blocks = fs_join(t->dir, "blocks");
    t->index = fs_join(t->blocks, "index");
    t->coins = fs_join(t->dir, "chainstate");
    assert_int_equal(fs_mkdirs(t->blocks), RC_OK);
    chain_params_init(&t->params, id);
    t->cache = sig_cache_new((size_t)1 << 20);
    t->o = (struct chain_options){
        .params = &t->params,
        .blocks_dir = t->blocks,
        .block_index_dir = t->index,
        .chainstate_dir = t->coins,
        .dbcache = (size_t)32 << 20,
        .script_threads = 1,
        .sig_cache = t->cache,
        .blocks_xor = true,
        .check_block_index = true,
        .max_tip_age = 24 * 60 * 60,
        .check_blocks = 6,
        .check_level = 3,
        .events = {.ctx = t,
                   .block_connected = bed_connected,
                   .block_disconnected = bed_disconnected,
                   .tip_changed = bed_tip,
                   .block_checked = bed_checked,
                   .fatal = bed_fatal,
                   .stop_requested = bed_stop},
    };
}

static inline void bed_open(struct bed *t)
{
    char *error = NULL;
    enum rc rc = chain_open(&t->c, &t->o, &error);
    if (rc != RC_OK)
        printf("chain_open: %s\n", error);
    assert_int_equal(rc, RC_OK);
    t->o.reindex = t->o.reindex_chainstate = false;
}

static inline void bed_close(struct bed *t)
{
    assert_int_equal(chain_close(t->c), RC_OK);
    t->c = NULL;
}

static inline void bed_clear(struct bed *t)
{
    if (t->c)
        bed_close(t);
    assert_int_equal(fs_remove_tree(t->dir), RC_OK);
    sig_cache_free(t->cache);
    chain_params_clear(&t->params);
    free(t->dir);
    free(t->blocks);
    free(t->index);
    free(t->coins);
}

static inline struct utxo_stats bed_stats(struct bed *t, enum utxo_hash_type type)
{
    const struct block_entry *tip;
    struct coindb_iter *it;
    struct utxo_stats s;
    assert_int_equal(chain_coins_snapshot(t->c, &it, &tip), RC_OK);
    assert_int_equal(utxo_stats_compute(&s, it, type, NULL), RC_OK);
    coindb_iter_free(it);
    return s;
}

static inline struct hash_hex bed_hash(struct bed *t, enum utxo_hash_type type)
{
    struct utxo_stats s = bed_stats(t, type);
    return hash_to_hex(s.hash);
}

struct outcome {
    int calls;
    bool is_new;
    struct verdict v;
};
static inline void outcome_done(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    struct outcome *o = arg;
    (void)hash;
    o->calls++;
    o->is_new = is_new;
    o->v = *v;
}
/* Submits a block and waits for the verdict on it. */
static inline struct outcome bed_submit(struct bed *t, struct block *b)
{
    struct outcome o = {0};
    chain_process_block(t->c, b, true, true, outcome_done, &o);
    chain_drain(t->c);
    assert_int_equal(o.calls, 1);
    return o;
}

#endif
