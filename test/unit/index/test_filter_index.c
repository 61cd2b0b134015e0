/* test_filter_index.c - the index on real and regtest chains: every header as the world has it, through reorganisations, restarts, a rebuilt
 * chain and damage. */
#include "index/index_test.h"

/* Blocks 0..4312 of mainnet: the index, following the import, ends with the known 4313 headers; and so after a reindex. */
static void mainnet(void **state)
{
    char *path = vectors_path("chain/mainnet/blocks-000000-004312.dat");
    struct follow t;
    uint8_t *headers;
    size_t len;

    (void)state;
    if (!path)
        return;
    headers = vectors_read("filters/mainnet-basic-filter-headers-000000-004312.bin", &len);
    assert_int_equal(len, 4313 * 32);
    follow_init(&t, CHAIN_MAIN);
    t.bed.o.check_block_index = false;
    t.file_size = 40000; /* several files */
    for (int round = 0; round < 3; round++) {
        t.bed.o.reindex = t.wipe = round == 1;
        follow_open(&t);
        if (round < 2)
            assert_int_equal(chain_import_file(t.bed.c, round == 0 ? path : NULL), RC_OK);
        assert_int_equal(chain_height(t.bed.c), 4312);
        follow_wait(&t);
        for (int32_t h = 0; h <= 4312; h++) {
            struct hash256 have = follow_header(&t, chain_at(t.bed.c, h));
            assert_memory_equal(have.b, headers + (size_t)h * 32, 32);
        }
        follow_check_block(&t, chain_at(t.bed.c, 170));
        follow_check_block(&t, chain_at(t.bed.c, 4312));
        follow_close(&t);
    }
    follow_clear(&t);
    free(headers);
    free(path);
}

static void submit(struct follow *t, const struct forest *f, int from, int to)
{
    for (int i = from; i < to; i++)
        bed_submit(&t->bed, f->plant[i].block);
}

static const struct block_entry *entry(struct follow *t, const struct forest *f, int i)
{
    return chain_lookup(t->bed.c, &f->plant[i].block->hash);
}

/* Two branches in turn: each time the new one is indexed, and the filters of the old one stay. */
static void reorganisations(void **state)
{
    struct forest f;
    struct follow t;
    int at, fork, side[2], n;

    (void)state;
    follow_init(&t, CHAIN_REGTEST);
    t.file_size = 3000;
    forest_init(&f, &t.bed.params, 5);
    fork = forest_trunk(&f);
    follow_open(&t);
    submit(&t, &f, 0, f.n);
    side[0] = side[1] = fork;
    for (int round = 0; round < 6; round++) {
        n = f.n;
        at = side[round % 2];
        while (f.plant[at].height <= f.plant[side[1 - round % 2]].height + 2)
            at = forest_grow(&f, at, 6, FLAW_NONE);
        side[round % 2] = at;
        submit(&t, &f, n, f.n);
        assert_ptr_equal(chain_tip(t.bed.c), entry(&t, &f, at));
        if (round % 3 == 2) { /* meanwhile a restart */
            follow_close(&t);
            follow_open(&t);
        }
        follow_check_all(&t);
        for (int i = 0; i < f.n; i++)
            follow_check_block(&t, entry(&t, &f, i));
    }
    follow_clear(&t);
    forest_clear(&f);
}

/* A tip that goes back on its own branch leaves the index where it is; another branch takes its place. */
static void tip_goes_back(void **state)
{
    struct index_summary s;
    struct verdict v;
    struct forest f;
    struct follow t;
    int top, other, n;

    (void)state;
    follow_init(&t, CHAIN_REGTEST);
    forest_init(&f, &t.bed.params, 6);
    top = forest_trunk(&f);
    follow_open(&t);
    submit(&t, &f, 0, f.n);
    follow_check_all(&t);
    verdict_init(&v);
    assert_true(chain_invalidate(t.bed.c, entry(&t, &f, top - 4), &v));
    assert_int_equal(chain_height(t.bed.c), f.plant[top - 5].height);
    assert_true(index_wait(filter_index_base(t.fi), NULL));
    index_summary(filter_index_base(t.fi), &s);
    assert_ptr_equal(s.best, entry(&t, &f, top));
    n = f.n;
    other = forest_grow(&f, top - 5, 3, FLAW_NONE);
    submit(&t, &f, n, f.n);
    assert_ptr_equal(chain_tip(t.bed.c), entry(&t, &f, other));
    follow_check_all(&t);
    follow_check_block(&t, entry(&t, &f, top));
    follow_clear(&t);
    forest_clear(&f);
}

/* Switched on late, it catches up; switched off and on, it goes on from its place; without its place it starts anew. */
static void catches_up(void **state)
{
    struct forest f;
    struct follow t;
    char *error = NULL, *db;
    struct kv *kv;
    uint8_t *value;
    size_t len;

    (void)state;
    follow_init(&t, CHAIN_REGTEST);
    forest_init(&f, &t.bed.params, 7);
    forest_trunk(&f);
    bed_open(&t.bed);
    submit(&t, &f, 0, 60);
    follow_open(&t);
    follow_check_all(&t);
    follow_close(&t);
    bed_open(&t.bed);
    submit(&t, &f, 60, f.n);
    bed_close(&t.bed);
    db = fs_join(t.dir, "db");
    assert_int_equal(kv_open(&kv, db, &(struct kv_options){.cache_bytes = 1 << 20}, &error), RC_OK);
    assert_int_equal(kv_get(kv, "B", 1, &value, &len), RC_OK);
    assert_memory_equal(value + 5, f.plant[59].block->hash.b, 32); /* version, count, hashes from the top */
    free(value);
    kv_close(kv);
    follow_open(&t);
    follow_check_all(&t);
    follow_close(&t);
    /* a place in a chain that this is not */
    assert_int_equal(kv_open(&kv, db, &(struct kv_options){.cache_bytes = 1 << 20}, &error), RC_OK);
    assert_int_equal(kv_get(kv, "B", 1, &value, &len), RC_OK);
    value[7] ^= 1;
    assert_int_equal(kv_put(kv, "B", 1, value, len, true), RC_OK);
    free(value);
    kv_close(kv);
    bed_open(&t.bed);
    assert_int_not_equal(follow_try_open(&t, &error), RC_OK);
    assert_string_equal(error, "best block of basic block filter index not found. Please rebuild the index.");
    free(error);
    t.wipe = true;
    follow_open(&t);
    follow_check_all(&t);
    follow_clear(&t);
    forest_clear(&f);
    free(db);
}

/* A damaged filter is noticed; its header is not in the file and stays. */
static void damage(void **state)
{
    struct forest f;
    struct follow t;
    uint8_t *filter;
    size_t len;
    char *path;
    FILE *file;

    (void)state;
    follow_init(&t, CHAIN_REGTEST);
    forest_init(&f, &t.bed.params, 8);
    forest_trunk(&f);
    follow_open(&t);
    submit(&t, &f, 0, f.n);
    follow_check_all(&t);
    path = fs_join(t.dir, "fltr00000.dat");
    file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 34, SEEK_SET), 0); /* the first filter, behind hash and length */
    fputc(0xa5, file);
    fclose(file);
    assert_int_equal(filter_index_read(t.fi, &filter, &len, chain_at(t.bed.c, 0)), RC_CORRUPT);
    follow_header(&t, chain_at(t.bed.c, 0));
    follow_check_block(&t, chain_at(t.bed.c, 1));
    assert_int_equal(truncate(path, 40), 0);
    assert_int_equal(filter_index_read(t.fi, &filter, &len, chain_at(t.bed.c, 1)), RC_CORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(filter_index_read(t.fi, &filter, &len, chain_at(t.bed.c, 2)), RC_CORRUPT);
    follow_clear(&t);
    forest_clear(&f);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mainnet),    cmocka_unit_test(reorganisations), cmocka_unit_test(tip_goes_back),
        cmocka_unit_test(catches_up), cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
