/* test_prune.c - block files that go, what stays possible without them; and undo records. */
#include "chain/forest.h"

static unsigned files_there(struct bed *t)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 64; i++) {
        char *name = xasprintf("%s/blk%05u.dat", t->blocks, i);
        n += fs_exists(name);
        free(name);
    }
    return n;
}

static void manual(void **state)
{
    struct forest f;
    struct bed t;
    struct block *b;
    struct entry_facts facts;
    struct verdict v;
    struct hash_hex before;
    int32_t reached = -2;
    unsigned files;
    char *error = NULL;
    int at;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    t.o.fast_prune = true;
    t.o.prune_target = 1;
    bed_open(&t);
    forest_init(&f, &t.params, 31);
    at = forest_trunk(&f);
    for (int i = 0; i < 500; i++)
        at = forest_grow(&f, at, 2, FLAW_NONE);
    for (int i = 0; i < f.n; i++)
        chain_process_block(t.c, f.plant[i].block, true, true, NULL, NULL);
    chain_drain(t.c);
    before = bed_hash(&t, UTXO_HASH_MUHASH);
    files = files_there(&t);
    assert_true(files > 3);
    assert_false(chain_pruned(t.c));
    assert_int_equal(chain_prune_to(t.c, 260, &reached), RC_OK);
    assert_true(chain_pruned(t.c));
    assert_true(reached > 50 && reached <= 260);
    assert_true(files_there(&t) < files);
    chain_facts(t.c, chain_at(t.c, reached), &facts);
    assert_false(facts.status & (BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO));
    assert_int_equal(chain_read_block(t.c, &b, chain_at(t.c, reached)), RC_NOT_FOUND);
    assert_int_equal(chain_read_block(t.c, &b, chain_at(t.c, reached + 1)), RC_OK);
    block_unref(b);
    /* Never the last 288, whatever is asked for. */
    assert_int_equal(chain_prune_to(t.c, 100000, &reached), RC_OK);
    assert_true(reached <= chain_height(t.c) - 288);
    bed_close(&t);
    t.o.prune_target = 0;
    assert_int_not_equal(chain_open(&t.c, &t.o, &error), RC_OK);
    assert_non_null(strstr(error, "You need to rebuild the database using -reindex to go back to unpruned mode."));
    free(error);
    t.c = NULL;
    t.o.prune_target = 1;
    bed_open(&t);
    assert_string_equal(bed_hash(&t, UTXO_HASH_MUHASH).s, before.s);
    assert_int_equal(chain_verify(t.c, 4, 100), RC_OK);
    /* A pruned block cannot be disconnected: invalidating it stops where the data end, and the node goes on. */
    assert_false(chain_invalidate(t.c, chain_at(t.c, 20), &v));
    assert_int_equal(t.fatals, 0);
    chain_reconsider(t.c, chain_lookup(t.c, &f.plant[at].block->hash));
    assert_int_equal(chain_activate_best(t.c, &v), RC_OK);
    assert_int_equal(chain_height(t.c), f.plant[at].height);
    assert_string_equal(bed_hash(&t, UTXO_HASH_MUHASH).s, before.s);
    bed_clear(&t);
    forest_clear(&f);
}

static void undo_records(void **state)
{
    struct forest f;
    struct bed t;
    struct block_undo *u;
    struct writer w = WRITER_INIT;
    int at;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    bed_open(&t);
    forest_init(&f, &t.params, 32);
    at = forest_trunk(&f);
    at = forest_grow(&f, at, 10, FLAW_NONE);
    for (int i = 0; i < f.n; i++)
        bed_submit(&t, f.plant[i].block);
    assert_int_equal(chain_read_undo(t.c, &u, chain_tip(t.c)), RC_OK);
    assert_int_equal(u->n_tx + 1, f.plant[at].block->n_tx);
    for (uint32_t i = 0; i < u->n_tx; i++) {
        assert_int_equal(u->tx[i].n, f.plant[at].block->tx[i + 1].n_in);
        for (uint32_t j = 0; j < u->tx[i].n; j++) {
            assert_int_equal(u->tx[i].coin[j].out.script_len, 1);
            assert_int_equal(u->tx[i].coin[j].out.script[0], 0x51);
        }
    }
    block_undo_encode(&w, u);
    block_undo_free(u);
    u = block_undo_decode(w.data, w.len);
    assert_non_null(u);
    block_undo_free(u);
    for (size_t cut = 0; cut < w.len; cut++) /* cut anywhere, it is refused */
        assert_null(block_undo_decode(w.data, cut));
    write_u8(&w, 0);
    assert_null(block_undo_decode(w.data, w.len));
    assert_null(block_undo_decode((const uint8_t *)"\xfe\xff\xff\xff\x01", 5)); /* a count that the bytes cannot hold */
    writer_clear(&w);
    bed_clear(&t);
    forest_clear(&f);
}

/* Leaving initial download: once, when the tip is recent. */
static void initial_download(void **state)
{
    struct forest f;
    struct bed t;
    int trunk;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    forest_init(&f, &t.params, 33);
    trunk = forest_trunk(&f);
    time_mock_set((int64_t)f.plant[trunk].block->header.time + 60);
    bed_open(&t);
    assert_true(chain_initial_download(t.c));
    bed_submit(&t, f.plant[0].block);
    assert_true(chain_initial_download(t.c) == (f.plant[trunk].block->header.time - f.plant[0].block->header.time > 24 * 60 * 60));
    for (int i = 1; i <= trunk; i++)
        bed_submit(&t, f.plant[i].block);
    assert_false(chain_initial_download(t.c));
    time_mock_set((int64_t)f.plant[trunk].block->header.time + 1000000);
    assert_false(chain_initial_download(t.c));
    assert_true(chain_progress(t.c, chain_tip(t.c)) > 0.0);
    time_mock_set(0);
    bed_clear(&t);
    forest_clear(&f);
}

/* Locators and forks as peers use them. */
static void locators(void **state)
{
    struct forest f;
    struct bed t;
    struct block_hash h[64];
    size_t n;
    int trunk, side;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    bed_open(&t);
    forest_init(&f, &t.params, 34);
    trunk = forest_trunk(&f);
    side = forest_grow(&f, trunk - 4, 0, FLAW_NONE);
    for (int i = 0; i < f.n; i++)
        bed_submit(&t, f.plant[i].block);
    n = chain_locator(t.c, NULL, h);
    assert_int_equal(n, 18); /* 110..99 one by one, then 97, 93, 85, 69, 37, 0 */
    assert_true(block_hash_equal(&h[0], &chain_tip(t.c)->node.hash));
    assert_true(block_hash_equal(&h[11], &chain_at(t.c, 99)->node.hash));
    assert_true(block_hash_equal(&h[12], &chain_at(t.c, 97)->node.hash));
    assert_true(block_hash_equal(&h[16], &chain_at(t.c, 37)->node.hash));
    assert_true(block_hash_equal(&h[17], &chain_at(t.c, 0)->node.hash));
    assert_ptr_equal(chain_find_fork(t.c, h + 3, n - 3), chain_at(t.c, 107));
    h[0] = f.plant[side].block->hash; /* known, but not active */
    assert_ptr_equal(chain_find_fork(t.c, h, 1), chain_at(t.c, 0));
    assert_ptr_equal(chain_fork(t.c, chain_lookup(t.c, &h[0])), chain_at(t.c, f.plant[side].height - 1));
    assert_null(chain_next(t.c, chain_tip(t.c)));
    assert_null(chain_next(t.c, chain_lookup(t.c, &h[0])));
    assert_ptr_equal(chain_next(t.c, chain_at(t.c, 5)), chain_at(t.c, 6));
    assert_null(chain_at(t.c, 111));
    assert_null(chain_at(t.c, -1));
    bed_clear(&t);
    forest_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manual),
        cmocka_unit_test(undo_records),
        cmocka_unit_test(initial_download),
        cmocka_unit_test(locators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
