/* test_import.c - real and regtest chains out of files: tip, coin set and snapshot as Bitcoin Core has them; the same after a
 * restart, a reindex, with a tiny cache, and at every level of verification. */
#include "chain/chain_test.h"

#include "primitives/serialize.h"

static struct json_object *member(struct json_object *o, const char *key)
{
    struct json_object *v;
    if (!json_object_object_get_ex(o, key, &v))
        fail_msg("no member %s", key);
    return v;
}

static void expect_state(struct bed *t, struct json_object *expected)
{
    struct json_object *tip = member(expected, "tip"), *set = member(expected, "gettxoutsetinfo"), *mu, *last;
    struct utxo_stats s = bed_stats(t, UTXO_HASH_SERIALIZED);
    double total = json_object_get_double(member(set, "total_amount"));

    assert_int_equal(chain_height(t->c), json_object_get_int(member(tip, "blocks")));
    assert_string_equal(block_hash_hex(&chain_tip(t->c)->node.hash).s, json_object_get_string(member(tip, "bestblockhash")));
    assert_string_equal(u256_hex(chain_tip(t->c)->node.chain_work).s, json_object_get_string(member(tip, "chainwork")));
    assert_string_equal(hash_to_hex(s.hash).s, json_object_get_string(member(set, "hash_serialized_3")));
    assert_int_equal(s.txouts, json_object_get_int64(member(set, "txouts")));
    assert_int_equal(s.transactions, json_object_get_int64(member(set, "transactions")));
    assert_int_equal(s.bogosize, json_object_get_int64(member(set, "bogosize")));
    assert_int_equal(s.total_amount, (int64_t)(total * 1e8 + 0.5));
    mu = member(expected, "gettxoutsetinfo_muhash");
    last = json_object_array_get_idx(mu, json_object_array_length(mu) - 1);
    if (json_object_get_int(member(last, "height")) == chain_height(t->c))
        assert_string_equal(bed_hash(t, UTXO_HASH_MUHASH).s, json_object_get_string(member(last, "muhash")));
}

/* The snapshot's coins, as dumptxoutset lays them out, must be the set that is in the database. */
static void expect_snapshot(struct bed *t, const char *file)
{
    const struct block_entry *tip;
    struct coindb_iter *it;
    struct arena arena = ARENA_INIT;
    struct reader r;
    size_t len;
    uint8_t *data = vectors_read(file, &len);
    struct outpoint o, have;
    struct coin want, coin;
    uint64_t total, left = 0;

    assert_int_equal(chain_coins_snapshot(t->c, &it, &tip), RC_OK);
    r = reader_make(data, len);
    read_bytes(&r, 5 + 2 + 4);
    assert_memory_equal(read_bytes(&r, 32), tip->node.hash.b, 32);
    total = read_u64(&r);
    for (uint64_t i = 0; i < total; i++) {
        if (!left) {
            read_copy(&r, o.txid.b, 32);
            left = read_compact_size(&r);
        }
        o.n = (uint32_t)read_compact_size(&r);
        left--;
        assert_true(coin_read(&want, &r, &arena));
        assert_int_equal(coindb_iter_next(it, &have, &coin), RC_OK);
        assert_true(outpoint_equal(&o, &have));
        assert_int_equal(coin.out.value, want.out.value);
        assert_int_equal(coin.height, want.height);
        assert_int_equal(coin.coinbase, want.coinbase);
        assert_int_equal(coin.out.script_len, want.out.script_len);
        assert_memory_equal(coin.out.script, want.out.script, want.out.script_len);
        arena_reset(&arena);
    }
    assert_true(reader_done(&r));
    assert_int_equal(coindb_iter_next(it, &have, &coin), RC_NOT_FOUND);
    coindb_iter_free(it);
    arena_clear(&arena);
    free(data);
}

struct real {
    enum chain_id id;
    const char *blocks, *expected, *snapshot;
};
static const struct real REALS[] = {
    {CHAIN_MAIN, "chain/mainnet/blocks-000000-004312.dat", "chain/mainnet/blocks-000000-004312.expected.json",
     "chain/mainnet/utxo-snapshot-004312.dat"},
    {CHAIN_MAIN, "chain/mainnet-alt/blocks-000000-002016.dat", "chain/mainnet-alt/blocks-000000-002016.expected.json", NULL},
    {CHAIN_SIGNET, "chain/signet/blocks-000000-000120.dat", "chain/signet/blocks-000000-000120.expected.json", NULL},
    {CHAIN_REGTEST, "chain/regtest/blocks-000000-000150.dat", "chain/regtest/blocks-000000-000150.expected.json", NULL},
};

static void import_one(const struct real *r, unsigned threads, size_t dbcache)
{
    bool tiny = dbcache < (size_t)1 << 20; /* flushes at every block */
    struct json_object *expected = vectors_json(r->expected);
    char *path = vectors_path(r->blocks);
    struct bed t;

    if (!path)
        return;
    bed_init(&t, r->id);
    t.o.script_threads = threads;
    t.o.dbcache = dbcache;
    bed_open(&t);
    assert_int_equal(chain_height(t.c), 0);
    assert_int_equal(chain_import_file(t.c, path), RC_OK);
    expect_state(&t, expected);
    assert_int_equal(t.connected, chain_height(t.c));
    assert_int_equal(t.fatals, 0);
    if (r->snapshot)
        expect_snapshot(&t, r->snapshot);
    /* Nothing new in the same file. */
    assert_int_equal(chain_import_file(t.c, path), RC_OK);
    expect_state(&t, expected);
    for (int level = 0; level <= 4; level++)
        assert_int_equal(chain_verify(t.c, level, level < 4 ? 50 : 0), level >= 3 && tiny ? RC_BUSY : RC_OK);
    bed_close(&t);
    bed_open(&t);
    expect_state(&t, expected);
    bed_close(&t);
    t.o.reindex_chainstate = true;
    bed_open(&t);
    assert_int_equal(chain_import_file(t.c, NULL), RC_OK);
    expect_state(&t, expected);
    bed_close(&t);
    t.o.reindex = true;
    bed_open(&t);
    assert_true(chain_reindexing(t.c));
    assert_int_equal(chain_import_file(t.c, NULL), RC_OK);
    assert_false(chain_reindexing(t.c));
    expect_state(&t, expected);
    bed_clear(&t);
    json_object_put(expected);
    free(path);
}

static void imports(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(REALS); i++)
        import_one(&REALS[i], 1, (size_t)32 << 20);
}

static void imports_inline_tiny_cache(void **state)
{
    (void)state;
    for (size_t i = 2; i < ARRAY_LEN(REALS); i++)
        import_one(&REALS[i], 0, (size_t)1 << 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imports),
        cmocka_unit_test(imports_inline_tiny_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
