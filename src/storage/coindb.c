/* coindb.c - chainstate: coins by outpoint, the block they stand at, and the flush that moves them to another. Read by the
 * coins cache (any thread), written by the flush on the validation thread. */
#include "storage/coindb.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "primitives/serialize.h"
#include "util/mem.h"

#define KEY_COIN 'C'
#define KEY_BEST 'B'
#define KEY_HEADS 'H'
#define KEY_OLD_COINS 'c' /* per transaction, before Core 0.15 */
#define COIN_KEY_MAX (1 + 32 + 5)

struct coindb {
    struct kv *kv;
};

struct coindb_flush {
    struct coindb *db;
    struct kv_batch *batch;
    struct writer value; /* scratch */
    struct block_hash best;
    size_t batch_bytes;
};

struct coindb_iter {
    struct kv_iter *it;
    struct arena arena; /* scripts of the current coin */
    bool started, ended;
};

/* Coins of the old format sort behind all of today's keys. */
static enum rc check_format(struct kv *kv, const char *dir)
{
    const uint8_t old = KEY_OLD_COINS;
    struct kv_iter *it = kv_iter_new(kv);
    enum rc rc;

    kv_iter_seek(it, &old, 1);
    rc = kv_iter_status(it);
    if (rc == RC_OK && kv_iter_valid(it)) {
        storage_error_set("Unsupported chainstate database format found in %s. Please restart with -reindex-chainstate. This will "
                          "rebuild the chainstate database.",
                          dir);
        rc = RC_INVALID;
    }
    kv_iter_free(it);
    return rc;
}

enum rc coindb_open(struct coindb **out, const char *dir, size_t cache_bytes, bool wipe, char **error)
{
    const struct kv_options options = {.cache_bytes = cache_bytes, .wipe = wipe, .obfuscate = true};
    struct kv *kv;
    enum rc rc = kv_open(&kv, dir, &options, error);

    *out = NULL;
    if (rc != RC_OK)
        return rc;
    rc = check_format(kv, dir);
    if (rc != RC_OK) {
        *error = xstrdup(storage_error_text());
        kv_close(kv);
        return rc;
    }
    *out = xmalloc(sizeof(**out));
    (*out)->kv = kv;
    return RC_OK;
}

void coindb_close(struct coindb *db)
{
    if (!db)
        return;
    kv_close(db->kv);
    free(db);
}

struct kv *coindb_kv(struct coindb *db)
{
    return db->kv;
}

/* Out: key. Returns: its length. The index is a base-128 integer, most significant group first. */
static size_t coin_key(uint8_t key[COIN_KEY_MAX], const struct outpoint *o)
{
    uint8_t group[5];
    uint32_t n = o->n;
    size_t count = 0, len = 1 + 32;

    key[0] = KEY_COIN;
    memcpy(key + 1, o->txid.b, 32);
    for (;;) {
        group[count] = (uint8_t)((n & 0x7f) | (count ? 0x80 : 0));
        count++;
        if (n <= 0x7f)
            break;
        n = (n >> 7) - 1;
    }
    while (count)
        key[len++] = group[--count];
    return len;
}

static enum rc corrupt_coin(const struct outpoint *o)
{
    storage_error_set("The coin database has a malformed coin at %s:%u", txid_hex(&o->txid).s, o->n);
    return RC_CORRUPT;
}

enum rc coindb_get(struct coindb *db, struct coin *c, const struct outpoint *o, struct arena *arena)
{
    uint8_t key[COIN_KEY_MAX], *value;
    size_t len;
    struct reader r;
    enum rc rc = kv_get(db->kv, key, coin_key(key, o), &value, &len);

    if (rc != RC_OK)
        return rc;
    r = reader_make(value, len);
    if (!coin_read(c, &r, arena)) {
        rc = corrupt_coin(o);
    } else if (c->out.script >= value && c->out.script <= value + len && c->out.script_len) {
        /* A script that stands in the value as it is has to outlive it. */
        uint8_t *script = arena_alloc(arena, c->out.script_len);
        memcpy(script, c->out.script, c->out.script_len);
        c->out.script = script;
    } else if (!c->out.script_len) {
        c->out.script = (const uint8_t *)""; /* readable, as any other */
    }
    free(value);
    return rc;
}

bool coindb_has(struct coindb *db, const struct outpoint *o)
{
    uint8_t key[COIN_KEY_MAX], *value;
    size_t len;
    enum rc rc = kv_get(db->kv, key, coin_key(key, o), &value, &len);

    free(value);
    return rc == RC_OK;
}

enum rc coindb_best_block(struct coindb *db, struct block_hash *out)
{
    const uint8_t key = KEY_BEST;
    uint8_t *value;
    size_t len;
    enum rc rc = kv_get(db->kv, &key, 1, &value, &len);

    memset(out, 0, sizeof(*out));
    if (rc != RC_OK)
        return rc;
    if (len >= 32)
        memcpy(out->b, value, 32);
    free(value);
    if (len < 32) {
        storage_error_set("The coin database has a malformed best block");
        return RC_CORRUPT;
    }
    return hash_is_zero(out->b) ? RC_NOT_FOUND : RC_OK;
}

enum rc coindb_head_blocks(struct coindb *db, struct block_hash heads[2])
{
    const uint8_t key = KEY_HEADS;
    uint8_t *value;
    size_t len;
    struct reader r;
    enum rc rc = kv_get(db->kv, &key, 1, &value, &len);

    memset(heads, 0, 2 * sizeof(heads[0]));
    if (rc != RC_OK)
        return rc;
    r = reader_make(value, len);
    if (read_compact_size(&r) != 2)
        reader_fail(&r);
    read_copy(&r, heads[0].b, 32);
    read_copy(&r, heads[1].b, 32);
    free(value);
    if (r.failed) {
        storage_error_set("The coin database has malformed head blocks");
        return RC_CORRUPT;
    }
    return RC_OK;
}

/* The block that the coins stood at before this flush, or before the unfinished one that it completes. */
static enum rc old_tip(struct coindb *db, const struct block_hash *new_best, struct block_hash *out)
{
    struct block_hash heads[2];
    enum rc rc = coindb_best_block(db, out);

    if (rc != RC_NOT_FOUND)
        return rc;
    rc = coindb_head_blocks(db, heads);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (!block_hash_equal(&heads[0], new_best)) {
        storage_error_set("The coins database detected an inconsistent state, likely due to a previous crash or shutdown. You will "
                          "need to restart with the -reindex-chainstate or -reindex configuration option.");
        return RC_INVALID;
    }
    *out = heads[1];
    return RC_OK;
}

enum rc coindb_flush_begin(struct coindb_flush **out, struct coindb *db, const struct block_hash *new_best, size_t batch_bytes)
{
    const uint8_t best_key = KEY_BEST, heads_key = KEY_HEADS;
    uint8_t heads[1 + 64] = {2};
    struct block_hash old;
    struct coindb_flush *f;
    enum rc rc = old_tip(db, new_best, &old);

    *out = NULL;
    if (rc != RC_OK)
        return rc;
    f = xcalloc(1, sizeof(*f));
    f->db = db;
    f->best = *new_best;
    f->batch_bytes = batch_bytes;
    f->batch = kv_batch_new(db->kv);
    memcpy(heads + 1, new_best->b, 32);
    memcpy(heads + 33, old.b, 32);
    kv_batch_delete(f->batch, &best_key, 1);
    kv_batch_put(f->batch, &heads_key, 1, heads, sizeof(heads));
    *out = f;
    return RC_OK;
}

/* Each batch is synced: LevelDB may start a new log between two of them, and a power cut could then lose the older one alone,
 * behind a database that says it is whole. */
static enum rc write_if_full(struct coindb_flush *f)
{
    return kv_batch_size(f->batch) > f->batch_bytes ? kv_batch_write(f->batch, true) : RC_OK;
}

enum rc coindb_flush_put(struct coindb_flush *f, const struct outpoint *o, const struct coin *c)
{
    uint8_t key[COIN_KEY_MAX];

    f->value.len = 0;
    coin_write(&f->value, c);
    kv_batch_put(f->batch, key, coin_key(key, o), f->value.data, f->value.len);
    return write_if_full(f);
}

enum rc coindb_flush_remove(struct coindb_flush *f, const struct outpoint *o)
{
    uint8_t key[COIN_KEY_MAX];

    kv_batch_delete(f->batch, key, coin_key(key, o));
    return write_if_full(f);
}

enum rc coindb_flush_end(struct coindb_flush *f)
{
    const uint8_t best_key = KEY_BEST, heads_key = KEY_HEADS;
    enum rc rc;

    kv_batch_delete(f->batch, &heads_key, 1);
    kv_batch_put(f->batch, &best_key, 1, f->best.b, 32);
    rc = kv_batch_write(f->batch, true);
    coindb_flush_abandon(f);
    return rc;
}

void coindb_flush_abandon(struct coindb_flush *f)
{
    if (!f)
        return;
    kv_batch_free(f->batch);
    writer_clear(&f->value);
    free(f);
}

struct coindb_iter *coindb_iter_new(struct coindb *db)
{
    struct coindb_iter *it = xcalloc(1, sizeof(*it));

    it->it = kv_iter_new(db->kv);
    return it;
}

enum rc coindb_iter_next(struct coindb_iter *it, struct outpoint *o, struct coin *c)
{
    const uint8_t first = KEY_COIN;
    struct reader key, value;
    uint64_t n;

    if (it->ended)
        return RC_NOT_FOUND;
    if (it->started)
        kv_iter_next(it->it);
    else
        kv_iter_seek(it->it, &first, 1);
    it->started = true;
    if (!kv_iter_valid(it->it)) {
        enum rc rc = kv_iter_status(it->it);
        it->ended = true;
        return rc == RC_OK ? RC_NOT_FOUND : rc;
    }
    key = kv_iter_key(it->it);
    if (read_u8(&key) != KEY_COIN) {
        it->ended = true;
        return RC_NOT_FOUND;
    }
    read_copy(&key, o->txid.b, 32);
    n = read_varint(&key);
    o->n = (uint32_t)n;
    value = kv_iter_value(it->it);
    arena_reset(&it->arena);
    if (!reader_done(&key) || n > UINT32_MAX || !coin_read(c, &value, &it->arena))
        return corrupt_coin(o);
    return RC_OK;
}

void coindb_iter_free(struct coindb_iter *it)
{
    if (!it)
        return;
    kv_iter_free(it->it);
    arena_clear(&it->arena);
    free(it);
}

uint64_t coindb_disk_size(struct coindb *db)
{
    const uint8_t from = KEY_COIN, to = KEY_COIN + 1;

    return kv_approximate_size(db->kv, &from, 1, &to, 1);
}
