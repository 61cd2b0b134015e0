/* test_crash.c - kill -9 in the middle of work, and files damaged while the node was away. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "chain/forest.h"

static void pause_us(long us)
{
    struct timespec ts = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&ts, NULL);
}

/* What the process does that is going to be killed. */
static void work(struct bed *t, const struct forest *f)
{
    char *error = NULL;

    if (chain_open(&t->c, &t->o, &error) != RC_OK) {
        fprintf(stderr, "child: %s\n", error);
        _exit(2);
    }
    for (int i = 0; i < f->n; i++) {
        chain_process_block(t->c, f->plant[i].block, true, true, NULL, NULL);
        if (i % 17 == 0 && chain_flush(t->c) != RC_OK)
            _exit(3);
    }
    chain_drain(t->c);
    pause();
    _exit(0);
}

static void kills(void **state)
{
    struct forest f;
    struct bed t;
    struct rng rng;
    int at, trunk;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    t.o.events = (struct chain_events){0};
    t.o.check_level = 4;
    t.o.check_blocks = 40;
    forest_init(&f, &t.params, 77);
    rng_init(&rng);
    at = trunk = forest_trunk(&f);
    for (int i = 0; i < 150; i++)
        at = forest_grow(&f, i % 40 == 30 ? at - 3 : at, 8, FLAW_NONE); /* and some reorganisations */
    for (int k = 0; k < 8; k++) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            work(&t, &f);
        pause_us(2000 + (long)rng_below(&rng, 150000));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
        bed_open(&t); /* a start, verified to level 4 */
        assert_true(chain_height(t.c) >= 0);
        bed_close(&t);
    }
    bed_open(&t);
    for (int i = 0; i < f.n; i++)
        chain_process_block(t.c, f.plant[i].block, true, true, NULL, NULL);
    chain_drain(t.c);
    assert_int_equal(chain_height(t.c), f.plant[at].height);
    assert_string_equal(bed_hash(&t, UTXO_HASH_MUHASH).s, forest_straight(&f, at).s);
    bed_clear(&t);
    forest_clear(&f);
}

/* A flush that stops half way leaves two heads; the next start goes over the blocks between them again. */
static void half_flush(void **state)
{
    struct forest f;
    struct bed t;
    struct coindb *db;
    struct coindb_flush *flush;
    char *error = NULL;
    struct block_hash heads[2];
    int at, trunk, old;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    forest_init(&f, &t.params, 78);
    at = trunk = forest_trunk(&f);
    for (int i = 0; i < 30; i++)
        at = forest_grow(&f, at, 8, FLAW_NONE);
    old = at - 10;
    bed_open(&t);
    for (int i = 0; i <= at; i++)
        bed_submit(&t, f.plant[i].block);
    bed_close(&t);
    /* Back to the coins of the block `old`, with the index knowing them all: a chain that was killed before its last flush. */
    t.o.reindex_chainstate = true;
    t.o.stop_at_height = f.plant[old].height;
    bed_open(&t);
    assert_int_equal(chain_import_file(t.c, NULL), RC_OK);
    assert_int_equal(chain_height(t.c), f.plant[old].height);
    bed_close(&t);
    t.o.stop_at_height = 0;
    /* The flush to the tip wrote a part: the last block's first coinbase output, and its heads. */
    assert_int_equal(coindb_open(&db, t.coins, (size_t)1 << 20, false, &error), RC_OK);
    assert_int_equal(coindb_flush_begin(&flush, db, &f.plant[at].block->hash, 1), RC_OK);
    {
        const struct block *b = f.plant[at].block;
        struct outpoint o = {b->tx[0].txid, 0};
        struct coin c = {.out = b->tx[0].out[0], .height = (uint32_t)f.plant[at].height, .coinbase = true};
        assert_int_equal(coindb_flush_put(flush, &o, &c), RC_OK);
        assert_int_equal(coindb_flush_remove(flush, b->tx[1].in[0].prevout), RC_OK);
    }
    coindb_flush_abandon(flush);
    assert_int_equal(coindb_head_blocks(db, heads), RC_OK);
    coindb_close(db);
    bed_open(&t);
    assert_int_equal(chain_height(t.c), f.plant[at].height);
    assert_string_equal(bed_hash(&t, UTXO_HASH_MUHASH).s, forest_straight(&f, at).s);
    assert_int_equal(chain_verify(t.c, 4, 0), RC_OK);
    bed_clear(&t);
    forest_clear(&f);
}

static void flip(const char *path, off_t from_end)
{
    FILE *f = fopen(path, "r+b");
    int c;

    assert_non_null(f);
    assert_int_equal(fseeko(f, from_end, SEEK_SET), 0);
    c = fgetc(f);
    assert_int_equal(fseeko(f, from_end, SEEK_SET), 0);
    fputc(c ^ 0x55, f);
    fclose(f);
}

static void expect_refusal(struct bed *t, const char *text)
{
    char *error = NULL;

    assert_int_not_equal(chain_open(&t->c, &t->o, &error), RC_OK);
    assert_non_null(error);
    if (!strstr(error, text))
        fail_msg("\"%s\" instead of \"%s\"", error, text);
    free(error);
    t->c = NULL;
}

static void damage(void **state)
{
    struct forest f;
    struct bed t;
    struct entry_facts facts;
    char *blk, *rev, *away;
    int at;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    forest_init(&f, &t.params, 79);
    at = forest_trunk(&f);
    for (int i = 0; i < 10; i++)
        at = forest_grow(&f, at, 5, FLAW_NONE);
    bed_open(&t);
    for (int i = 0; i <= at; i++)
        bed_submit(&t, f.plant[i].block);
    assert_int_equal(chain_verify(t.c, 4, 0), RC_OK);
    chain_facts(t.c, chain_at(t.c, f.plant[at].height - 2), &facts);
    blk = fs_join(t.blocks, "blk00000.dat");
    rev = fs_join(t.blocks, "rev00000.dat");
    away = fs_join(t.blocks, "blk.away");
    bed_close(&t);

    flip(blk, facts.pos.pos + 100);
    expect_refusal(&t, "Corrupted block database detected");
    flip(blk, facts.pos.pos + 100);
    flip(rev, facts.undo_pos + 5);
    expect_refusal(&t, "Corrupted block database detected");
    t.o.check_level = 1;
    bed_open(&t); /* undo data are not looked at below level 2 */
    assert_int_equal(chain_verify(t.c, 2, 6), RC_CORRUPT);
    bed_close(&t);
    flip(rev, facts.undo_pos + 5);
    t.o.check_level = 3;

    assert_int_equal(rename(blk, away), 0);
    expect_refusal(&t, "Error loading block database");
    assert_int_equal(rename(away, blk), 0);

    { /* a coin that is gone */
        struct coindb *db;
        struct coindb_flush *flush;
        char *error = NULL;
        struct outpoint o = {f.plant[at].block->tx[0].txid, 0};
        assert_int_equal(coindb_open(&db, t.coins, (size_t)1 << 20, false, &error), RC_OK);
        assert_int_equal(coindb_flush_begin(&flush, db, &f.plant[at].block->hash, 1 << 20), RC_OK);
        assert_int_equal(coindb_flush_remove(flush, &o), RC_OK);
        assert_int_equal(coindb_flush_end(flush), RC_OK);
        coindb_close(db);
        expect_refusal(&t, "Corrupted block database detected");
        t.o.reindex_chainstate = true;
        bed_open(&t);
        assert_int_equal(chain_import_file(t.c, NULL), RC_OK);
        assert_string_equal(bed_hash(&t, UTXO_HASH_MUHASH).s, forest_straight(&f, at).s);
        bed_close(&t);
    }
    { /* another network's folder */
        struct chain_params other;
        chain_params_init(&other, CHAIN_SIGNET);
        t.o.params = &other;
        expect_refusal(&t, "");
        t.o.params = &t.params;
        chain_params_clear(&other);
    }
    bed_open(&t);
    assert_int_equal(chain_height(t.c), f.plant[at].height);
    bed_clear(&t);
    forest_clear(&f);
    free(blk);
    free(rev);
    free(away);
}

/* Blocks in the wrong order, twice, and garbage between them: a reindex and a -loadblock find them all. */
static void disorder(void **state)
{
    struct forest f;
    struct bed t;
    struct writer w = WRITER_INIT;
    char *path;
    FILE *out;
    int at;

    (void)state;
    bed_init(&t, CHAIN_REGTEST);
    forest_init(&f, &t.params, 80);
    at = forest_trunk(&f);
    for (int i = 0; i < 20; i++)
        at = forest_grow(&f, at, 5, FLAW_NONE);
    for (int i = f.n - 1; i >= 0; i--) {
        const struct block *b = f.plant[i].block;
        if (i % 7 == 0)
            write_bytes(&w, "garbage", 7);
        if (i % 11 == 0)
            write_bytes(&w, t.params.magic, 4); /* a false start */
        for (int twice = 0; twice < (i && i % 5 == 0 ? 2 : 1); twice++) {
            write_bytes(&w, t.params.magic, 4);
            write_u32(&w, b->raw_len);
            write_bytes(&w, b->raw, b->raw_len);
        }
    }
    path = fs_join(t.dir, "blocks.dat");
    out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(w.data, 1, w.len - 10, out), w.len - 10); /* block 1 comes last, and is cut short */
    fclose(out);
    bed_open(&t);
    assert_int_equal(chain_import_file(t.c, path), RC_OK);
    assert_int_equal(chain_height(t.c), 0);
    bed_submit(&t, f.plant[0].block); /* nothing hung on it so far, now all of the file does */
    assert_int_equal(chain_import_file(t.c, path), RC_OK);
    assert_int_equal(chain_height(t.c), f.plant[at].height);
    bed_close(&t);
    t.o.reindex = true;
    bed_open(&t);
    assert_int_equal(chain_import_file(t.c, NULL), RC_OK);
    assert_int_equal(chain_height(t.c), f.plant[at].height);
    assert_string_equal(bed_hash(&t, UTXO_HASH_MUHASH).s, forest_straight(&f, at).s);
    assert_int_not_equal(chain_import_file(t.c, "/nonexistent"), RC_OK);
    bed_clear(&t);
    forest_clear(&f);
    writer_clear(&w);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills),
        cmocka_unit_test(half_flush),
        cmocka_unit_test(damage),
        cmocka_unit_test(disorder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
