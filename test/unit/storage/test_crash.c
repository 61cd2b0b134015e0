/* test_crash.c - kill -9 at any moment loses nothing that was flushed: a child writes and tells what it flushed, the parent
 * kills it and looks. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "crypto/sha256.h"
#include "storage/blockdb.h"
#include "storage/coindb.h"
#include "tempdir.h"
#include "util/bytes.h"

#define ROUNDS 12
#define COINS_PER_FLUSH 200
#define BLOCK_LEN 3000

static struct block_hash hash_of(uint32_t n)
{
    struct block_hash h;

    sha256(h.b, &n, sizeof(n));
    return h;
}

/* The number of a hash among the first `max`; -1 if it is none of them. */
static int64_t number_of(const struct block_hash *h, uint32_t max)
{
    for (uint32_t n = 0; n <= max; n++) {
        struct block_hash want = hash_of(n);
        if (block_hash_equal(h, &want))
            return n;
    }
    return -1;
}

static struct outpoint outpoint_of(uint32_t flush, uint32_t n)
{
    struct outpoint o = {.n = n};

    sha256(o.txid.b, &flush, sizeof(flush));
    return o;
}

static void tell(int fd, uint32_t n)
{
    if (write(fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
        _exit(3);
}

/* Flush k moves the coins to block k: it puts COINS_PER_FLUSH new ones and removes one of flush k - 1. Starts where the database stands. */
static void write_coins(const char *dir, int fd)
{
    uint8_t script[25] = {0x51};
    struct coin c = {.out = {.value = 7, .script = script, .script_len = sizeof(script)}};
    struct block_hash at;
    struct coindb *db;
    uint32_t k = 1;
    char *error;

    if (coindb_open(&db, dir, 1 << 20, false, &error) != RC_OK)
        _exit(1);
    /* As the chain does: an unfinished flush is done again, from its old tip to its new one. */
    if (coindb_best_block(db, &at) == RC_OK) {
        k = (uint32_t)number_of(&at, 100000) + 1;
    } else {
        struct block_hash heads[2];
        if (coindb_head_blocks(db, heads) == RC_OK)
            k = (uint32_t)number_of(&heads[0], 100000);
    }
    for (;; k++) {
        struct outpoint spent = outpoint_of(k - 1, 0);
        struct coindb_flush *f;
        at = hash_of(k);
        if (coindb_flush_begin(&f, db, &at, 4000) != RC_OK || coindb_flush_remove(f, &spent) != RC_OK)
            _exit(1);
        for (uint32_t i = 0; i < COINS_PER_FLUSH; i++) {
            struct outpoint o = outpoint_of(k, i);
            c.height = k;
            if (coindb_flush_put(f, &o, &c) != RC_OK)
                _exit(1);
        }
        if (coindb_flush_end(f) != RC_OK)
            _exit(1);
        tell(fd, k);
    }
}

static void fill_block(uint8_t block[BLOCK_LEN], struct block_header *h, uint32_t n)
{
    memset(h, 0, sizeof(*h));
    h->nonce = n;
    h->bits = 0x207fffff;
    memset(block, (int)(n & 0xff), BLOCK_LEN);
    block_header_encode(block, h);
}

struct stored {
    struct blockfiles *bf;
    struct blockdb *db;
    struct blockfile_info *infos;
    unsigned last;
    uint32_t next; /* number of the next block */
    uint32_t seen; /* entries whose data is right */
    bool wrong;
};

static bool check_entry(void *ctx, const struct block_record *rec)
{
    struct stored *s = ctx;
    struct disk_pos pos = {rec->file, rec->data_pos};
    uint8_t want[BLOCK_LEN], *got = NULL, *undo = NULL;
    struct block_header h;
    size_t len, undo_len;

    fill_block(want, &h, rec->header.nonce);
    if (blockfiles_read(s->bf, &got, &len, pos) != RC_OK || len != BLOCK_LEN || memcmp(got, want, len) != 0)
        s->wrong = true;
    if (blockfiles_read_undo(s->bf, &undo, &undo_len, rec->file, rec->undo_pos, &rec->header.prev) != RC_OK || undo_len != 50)
        s->wrong = true;
    free(got);
    free(undo);
    s->seen++;
    if (rec->header.nonce >= s->next)
        s->next = rec->header.nonce + 1;
    return true;
}

static bool open_stored(struct stored *s, const char *dir)
{
    const struct blockfiles_options o = {.dir = dir, .magic = {1, 2, 3, 4}, .use_xor = true, .fast_prune = true};
    char *index = fs_join(dir, "index"), *error;
    enum rc rc;

    memset(s, 0, sizeof(*s));
    if (blockfiles_open(&s->bf, &o, &error) != RC_OK || blockdb_open(&s->db, index, 1 << 20, false, &error) != RC_OK)
        return false;
    free(index);
    rc = blockdb_read_files(s->db, &s->infos, &s->last);
    if (rc == RC_OK)
        blockfiles_restore(s->bf, s->infos, s->last + 1, s->last);
    return (rc == RC_OK || rc == RC_NOT_FOUND) && blockdb_each(s->db, check_entry, s) == RC_OK;
}

static void close_stored(struct stored *s)
{
    free(s->infos);
    blockdb_close(s->db);
    blockfiles_close(s->bf);
}

struct dirty_files {
    unsigned file[8];
    struct blockfile_info info[8];
    size_t n;
};

static void take_dirty(void *ctx, unsigned file, const struct blockfile_info *info)
{
    struct dirty_files *d = ctx;

    if (d->n == ARRAY_LEN(d->file))
        _exit(1);
    d->file[d->n] = file;
    d->info[d->n++] = *info;
}

/* Rounds of 7 blocks with undo records: files first, then the index. */
static void write_blocks(const char *dir, int fd)
{
    struct stored s;

    if (!open_stored(&s, dir) || s.wrong)
        _exit(1);
    for (;;) {
        struct block_record recs[7];
        struct dirty_files d = {.n = 0};
        for (unsigned i = 0; i < 7; i++, s.next++) {
            struct block_record *r = &recs[i];
            uint8_t block[BLOCK_LEN], undo[50] = {9};
            struct disk_pos pos;
            *r = (struct block_record){
                .height = (int32_t)s.next, .n_tx = 1, .status = BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO | BLOCK_VALID_SCRIPTS};
            fill_block(block, &r->header, s.next);
            block_header_hash(&r->hash, &r->header);
            if (blockfiles_append(s.bf, &pos, block, BLOCK_LEN, s.next, s.next) != RC_OK ||
                blockfiles_append_undo(s.bf, &r->undo_pos, pos.file, undo, sizeof(undo), &r->header.prev, s.next) != RC_OK)
                _exit(1);
            r->file = pos.file;
            r->data_pos = pos.pos;
        }
        if (blockfiles_flush(s.bf, false) != RC_OK)
            _exit(1);
        blockfiles_each_dirty(s.bf, take_dirty, &d);
        if (blockdb_write(s.db, recs, 7, d.file, d.info, d.n, (int)blockfiles_last(s.bf)) != RC_OK)
            _exit(1);
        tell(fd, s.next);
    }
}

/* Runs the child for some milliseconds, in some rounds only after it told its first number, and kills it. Returns: the last
 * number it told, 0 if none. */
static uint32_t run_and_kill(void (*child)(const char *dir, int fd), const char *dir, unsigned round)
{
    const struct timespec wait = {0, (long)(15 + round * 7 % 40) * 1000000};
    uint32_t n, last = 0;
    int fds[2], status;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        child(dir, fds[1]);
    }
    close(fds[1]);
    if (round % 3 == 0)
        assert_int_equal(read(fds[0], &last, sizeof(last)), sizeof(last));
    nanosleep(&wait, NULL);
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (read(fds[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
        last = n;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* it did not give up by itself */
    return last;
}

/* All coins of flush k are there but for the one that flush k + 1 removes. */
static void expect_flushed(struct coindb *db, uint32_t k, bool first_too)
{
    for (uint32_t i = 0; i < COINS_PER_FLUSH; i++) {
        struct outpoint o = outpoint_of(k, i);
        if (i > 0 || first_too)
            assert_true(coindb_has(db, &o));
    }
}

static void test_coins(void **state)
{
    uint32_t told = 0;
    unsigned unfinished = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t last = run_and_kill(write_coins, *state, round);
        struct block_hash at, heads[2];
        struct coindb *db;
        int64_t stands;
        char *error;

        told = last ? last : told;
        assert_int_equal(coindb_open(&db, *state, 1 << 20, false, &error), RC_OK);
        if (coindb_best_block(db, &at) == RC_OK) {
            stands = number_of(&at, told + 1);
            if (stands > 0)
                expect_flushed(db, (uint32_t)stands, true);
        } else if (coindb_head_blocks(db, heads) == RC_OK) {
            stands = hash_is_zero(heads[1].b) ? 0 : number_of(&heads[1], told + 1);
            assert_int_equal(number_of(&heads[0], told + 2), stands + 1);
            unfinished++;
        } else {
            stands = 0;
        }
        /* The last flush may be complete and not yet told. */
        assert_true(stands == told || stands == told + 1);
        assert_true(stands > 0 || !last);
        told = (uint32_t)stands;
        for (uint32_t k = 1; k < (uint32_t)stands; k++)
            expect_flushed(db, k, false);
        if (stands > 0)
            expect_flushed(db, (uint32_t)stands, false);
        coindb_close(db);
    }
    assert_true(told > 0);
    printf("%u flushes, %u of %u kills within one\n", told, unfinished, ROUNDS);
}

static void test_blocks(void **state)
{
    uint32_t told = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t last = run_and_kill(write_blocks, *state, round);
        struct stored s;

        told = last ? last : told;
        assert_true(open_stored(&s, *state));
        assert_false(s.wrong);
        assert_int_equal(s.seen, s.next);
        assert_true(s.next == told || s.next == told + 7);
        told = s.next;
        close_stored(&s);
    }
    assert_true(told > 0);
    printf("%u blocks\n", told);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_setup, tempdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_coins), TEST(test_blocks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
