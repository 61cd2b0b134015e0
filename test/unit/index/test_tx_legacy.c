/* test_tx_legacy.c - a transaction index that was begun by Bitcoin Core 31 or older: its rows stay and answer, new blocks get rows of
 * today's format behind them. */
#include "chain/forest.h"
#include "index/tx_index.h"
#include "primitives/serialize.h"

#define LOCATOR_VERSION 70016

struct legacy {
    struct bed bed;
    struct forest f;
    char *dir;
    struct tx_index *x;
    atomic_int fatals;
};

static void on_fatal(void *ctx, const char *text)
{
    struct legacy *t = ctx;

    printf("index: %s\n", text);
    atomic_fetch_add(&t->fatals, 1);
}

static void on_tip(void *ctx, const struct block_entry *tip, const struct block_entry *fork, bool initial)
{
    struct legacy *t = (struct legacy *)(void *)((char *)ctx - offsetof(struct legacy, bed));

    bed_tip(ctx, tip, fork, initial);
    if (t->x)
        index_wake(tx_index_base(t->x));
}

static void on_disconnected(void *ctx, const struct block_entry *e, struct block *b)
{
    struct legacy *t = (struct legacy *)(void *)((char *)ctx - offsetof(struct legacy, bed));

    bed_disconnected(ctx, e, b);
    if (t->x)
        index_disconnected(tx_index_base(t->x), e);
}

static struct kv *open_store(const struct legacy *t)
{
    struct kv *kv;
    char *error = NULL;

    assert_int_equal(kv_open(&kv, t->dir, &(struct kv_options){.cache_bytes = 1 << 20}, &error), RC_OK);
    return kv;
}

/* A row as the old program wrote it: 't' and the id; file, position of the block, and offset behind its header. */
static void put_row(struct kv *kv, const struct txid *id, uint32_t file, uint32_t pos, uint32_t offset)
{
    struct writer value = WRITER_INIT;
    uint8_t key[33] = {'t'};

    memcpy(key + 1, id->b, 32);
    write_varint(&value, file);
    write_varint(&value, pos);
    write_varint(&value, offset);
    assert_int_equal(kv_put(kv, key, sizeof(key), value.data, value.len, false), RC_OK);
    writer_clear(&value);
}

static void write_old_block(const struct legacy *t, struct kv *kv, const struct block *b)
{
    struct writer n = WRITER_INIT;
    struct entry_facts facts;
    uint32_t offset;

    chain_facts(t->bed.c, chain_lookup(t->bed.c, &b->hash), &facts);
    write_compact_size(&n, b->n_tx);
    offset = (uint32_t)n.len;
    writer_clear(&n);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        put_row(kv, &b->tx[i].txid, (uint32_t)facts.pos.file, facts.pos.pos, offset);
        offset += (uint32_t)b->tx[i].raw_len;
    }
}

static void write_old_place(struct kv *kv, const struct block_hash *at)
{
    struct writer w = WRITER_INIT;

    write_u32(&w, LOCATOR_VERSION);
    write_compact_size(&w, 1);
    write_bytes(&w, at->b, 32);
    assert_int_equal(kv_put(kv, "B", 1, w.data, w.len, true), RC_OK);
    writer_clear(&w);
}

static void open_index(struct legacy *t)
{
    const struct index_setup s = {.chain = t->bed.c, .dir = t->dir, .cache_bytes = 1 << 20, .fatal = on_fatal, .ctx = t};
    char *error = NULL;

    if (tx_index_open(&t->x, &s, &error) != RC_OK)
        fail_msg("%s", error);
    index_start(tx_index_base(t->x));
    for (int i = 0; i < 30000 && !index_wait(tx_index_base(t->x), NULL); i++)
        usleep(1000);
    assert_true(index_wait(tx_index_base(t->x), NULL));
}

static void close_index(struct legacy *t)
{
    struct tx_index *x = t->x;

    assert_int_equal(chain_flush(t->bed.c), RC_OK);
    index_stop(tx_index_base(x));
    t->x = NULL;
    tx_index_close(x);
    assert_int_equal(atomic_load(&t->fatals), 0);
}

static void expect_found(struct legacy *t, const struct block *b)
{
    for (uint32_t i = 0; i < b->n_tx; i++) {
        const struct block_entry *e;
        struct tx *tx;

        assert_int_equal(tx_index_find(t->x, &tx, &e, &b->tx[i].txid), RC_OK);
        assert_memory_equal(tx->txid.b, b->tx[i].txid.b, 32);
        assert_memory_equal(e->node.hash.b, b->hash.b, 32);
        tx_unref(tx);
    }
}

static void expect_missing(struct legacy *t, const struct txid *id, enum rc why)
{
    const struct block_entry *e;
    struct tx *tx;

    assert_int_equal(tx_index_find(t->x, &tx, &e, id), why);
}

static int legacy_setup(void **state)
{
    struct legacy *t = xcalloc(1, sizeof(*t));
    int at;

    bed_init(&t->bed, CHAIN_REGTEST);
    t->bed.o.events.tip_changed = on_tip;
    t->bed.o.events.block_disconnected = on_disconnected;
    t->dir = fs_join(t->bed.dir, "indexes/txindex");
    forest_init(&t->f, &t->bed.params, 91);
    at = forest_trunk(&t->f);
    for (int i = 0; i < 12; i++)
        at = forest_grow(&t->f, at, 8, FLAW_NONE);
    bed_open(&t->bed);
    for (int i = 0; i < t->f.n; i++)
        bed_submit(&t->bed, t->f.plant[i].block);
    *state = t;
    return 0;
}

static int legacy_teardown(void **state)
{
    struct legacy *t = *state;

    bed_clear(&t->bed);
    forest_clear(&t->f);
    free(t->dir);
    free(t);
    return 0;
}

/* The old program stood some blocks below the tip; the index goes on from there, and a second opening finds the same. */
static void goes_on(void **state)
{
    struct legacy *t = *state;
    struct forest *f = &t->f;
    struct kv *kv = open_store(t);
    uint8_t key[33] = {'t'}, *value;
    size_t len;
    int old = f->n - 4, at = f->n - 1;

    for (int i = 0; i < old; i++)
        write_old_block(t, kv, f->plant[i].block);
    write_old_place(kv, &f->plant[old - 1].block->hash);
    kv_close(kv);

    open_index(t);
    for (int i = 0; i < f->n; i++)
        expect_found(t, f->plant[i].block);
    at = forest_grow(f, at, 8, FLAW_NONE);
    bed_submit(&t->bed, f->plant[at].block);
    for (int i = 0; i < 30000 && !index_wait(tx_index_base(t->x), NULL); i++)
        usleep(1000);
    expect_found(t, f->plant[at].block);
    close_index(t);

    open_index(t);
    for (int i = 0; i < f->n; i++)
        expect_found(t, f->plant[i].block);
    close_index(t);

    kv = open_store(t); /* no row of the old format was added or taken */
    for (int i = 0; i < f->n; i++) {
        memcpy(key + 1, f->plant[i].block->tx[0].txid.b, 32);
        assert_int_equal(kv_get(kv, key, sizeof(key), &value, &len), i < old ? RC_OK : RC_NOT_FOUND);
        free(value);
    }
    kv_close(kv);
}

/* Rows that point nowhere, at another transaction, or that are none: no answer, and no harm. */
static void wrong_rows(void **state)
{
    struct legacy *t = *state;
    struct forest *f = &t->f;
    struct kv *kv = open_store(t);
    const struct block *last = f->plant[f->n - 1].block;
    struct entry_facts facts;
    struct txid id[5];
    uint8_t key[33] = {'t'};

    chain_facts(t->bed.c, chain_lookup(t->bed.c, &last->hash), &facts);
    for (int i = 0; i < 5; i++)
        memset(id[i].b, 0x70 + i, 32);
    write_old_block(t, kv, last);
    put_row(kv, &id[0], (uint32_t)facts.pos.file, facts.pos.pos, 1); /* the coinbase's place under another name */
    put_row(kv, &id[1], (uint32_t)facts.pos.file, facts.pos.pos + 1, 1);
    put_row(kv, &id[2], 4000, 8, 1);
    put_row(kv, &id[3], (uint32_t)facts.pos.file, facts.pos.pos, UINT32_MAX);
    memcpy(key + 1, id[4].b, 32);
    assert_int_equal(kv_put(kv, key, sizeof(key), "\x80", 1, false), RC_OK);
    write_old_place(kv, &last->hash);
    kv_close(kv);

    open_index(t);
    expect_found(t, last);
    for (int i = 0; i < 4; i++)
        expect_missing(t, &id[i], RC_NOT_FOUND);
    expect_missing(t, &id[4], RC_CORRUPT);
    close_index(t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, legacy_setup, legacy_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(goes_on), TEST(wrong_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
