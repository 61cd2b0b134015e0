/* sync_world.h - for fuzz_sync_messages: a small regtest chain with headers ahead of it, and transactions; made once, then only read. */
#ifndef FARTHING_FUZZ_SYNC_WORLD_H
#define FARTHING_FUZZ_SYNC_WORLD_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consensus/check.h"
#include "primitives/serialize.h"
#include "script/cache.h"
#include "sync/sync.h"
#include "util/assert.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/time.h"

#define KNOWN 40  /* blocks of the chain, genesis included */
#define AHEAD 20  /* headers behind them, whose blocks the node lacks */
#define ORPHANS 2 /* blocks behind those that the node knows nothing of */
#define BLOCKS (KNOWN + AHEAD + ORPHANS)
#define TXS 24
#define START 1700000000

static struct {
    struct chain_params params;
    struct sig_cache *cache;
    struct chain *chain;
    char *dir;
    struct block *block[BLOCKS];
    struct tx *tx[TXS]; /* every third one spends an output of the one before it */
} world;

static void end_world(void)
{
    for (int i = 0; i < BLOCKS; i++)
        block_unref(world.block[i]);
    for (int i = 0; i < TXS; i++)
        tx_unref(world.tx[i]);
    (void)chain_close(world.chain);
    sig_cache_free(world.cache);
    (void)fs_remove_tree(world.dir);
    free(world.dir);
}

static struct tx *make_tx(const struct outpoint *prevout, const void *script, size_t len, int64_t value, bool witness)
{
    static const struct outpoint null_outpoint = {.n = OUTPOINT_NULL_N};
    static const uint8_t op_true = 0x51;
    struct witness_item item = {&op_true, 1};
    struct tx_builder b;
    struct tx *tx;

    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, prevout ? prevout : &null_outpoint, script, len, 0xffffffff);
    tx_builder_add_out(&b, value, &op_true, 1);
    if (witness)
        tx_builder_set_witness(&b, 0, &item, 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

/* A block with its coinbase and a transaction that spends nothing there is: only blocks that are never connected have one. */
static struct block *make_block(const struct block_hash *prev, uint32_t time, uint8_t height, struct tx *extra)
{
    uint8_t script[3] = {1, height, 0}, hashes[64];
    struct tx *coinbase;
    struct block_header h = {.version = 0x20000000, .time = time, .bits = 0x207fffff, .prev = *prev};
    struct writer w = WRITER_INIT;
    struct block_hash hash;

    if (height <= 16) {
        script[0] = (uint8_t)(0x50 + height);
        script[1] = 0;
    }
    coinbase = make_tx(NULL, script, height <= 16 ? 2 : 3, 5000000000, false);
    memcpy(hashes, coinbase->txid.b, 32);
    if (extra)
        memcpy(hashes + 32, extra->txid.b, 32);
    h.merkle_root = merkle_root(hashes, extra ? 2 : 1, NULL);
    do {
        h.nonce++;
        w.len = 0;
        block_header_encode(writer_extend(&w, BLOCK_HEADER_SIZE), &h);
        block_header_hash(&hash, &h);
    } while (!check_proof_of_work(&world.params, &hash, h.bits));
    write_compact_size(&w, extra ? 2 : 1);
    tx_write(&w, coinbase, true);
    if (extra)
        tx_write(&w, extra, true);
    tx_unref(coinbase);
    return block_decode(w.data, w.len);
}

static void on_judged(void *arg, const struct block_hash *hash, bool is_new, const struct verdict *v)
{
    (void)arg;
    (void)hash;
    (void)is_new;
    ASSERT(v->kind == VERDICT_VALID);
}

static void fill_chain(void)
{
    struct block_header headers[AHEAD];
    const struct block_entry *last;
    struct verdict v;

    ASSERT(chain_read_block(world.chain, &world.block[0], chain_tip(world.chain)) == RC_OK);
    for (int i = 0; i < TXS; i++) {
        struct outpoint o = {.txid = {{0xaa, (uint8_t)i}}, .n = 1};
        if (i % 3 == 1)
            o = (struct outpoint){.txid = world.tx[i - 1]->txid, .n = 0};
        world.tx[i] = make_tx(&o, "\1x", 2, 1000 + i, i & 1);
    }
    for (int i = 1; i < BLOCKS; i++) {
        uint32_t time = i < KNOWN - 1 ? (uint32_t)(START - 100000 + i) : (uint32_t)(START + i);
        world.block[i] = make_block(&world.block[i - 1]->hash, time, (uint8_t)i, i < KNOWN ? NULL : world.tx[i % 8]);
        ASSERT(world.block[i]);
        if (i < KNOWN)
            chain_process_block(world.chain, world.block[i], true, true, on_judged, NULL);
        else if (i < KNOWN + AHEAD)
            headers[i - KNOWN] = world.block[i]->header;
    }
    chain_drain(world.chain);
    verdict_init(&v);
    ASSERT(chain_accept_headers(world.chain, headers, AHEAD, true, &last, &v));
    ASSERT(chain_height(world.chain) == KNOWN - 1);
}

static void make_world(void)
{
    const char *tmp = getenv("TMPDIR");
    char *blocks, *index, *coins, *error = NULL;
    struct chain_options o = {.params = &world.params, .dbcache = (size_t)4 << 20, .max_tip_age = 24 * 3600};

    time_mock_set(START);
    world.dir = xasprintf("%s/farthing-fuzz-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    ASSERT(mkdtemp(world.dir));
    blocks = fs_join(world.dir, "blocks");
    index = fs_join(blocks, "index");
    coins = fs_join(world.dir, "chainstate");
    ASSERT(fs_mkdirs(blocks) == RC_OK);
    chain_params_init(&world.params, CHAIN_REGTEST);
    world.cache = sig_cache_new((size_t)1 << 16);
    o.sig_cache = world.cache;
    o.blocks_dir = blocks;
    o.block_index_dir = index;
    o.chainstate_dir = coins;
    ASSERT(chain_open(&world.chain, &o, &error) == RC_OK);
    fill_chain();
    free(blocks);
    free(index);
    free(coins);
    atexit(end_world);
}

#endif
