/* coindb.c - chainstate: coins by outpoint, and the block they stand at. Read by the coins cache on any thread;
 * written by coindb_flush.c, walked over by coindb_iter.c. */
#include "storage/coindb.h"

#include <stdlib.h>
#include <string.h>

#include "coindb_internal.h"
#include "error.h"
#include "primitives/serialize.h"
#include "util/mem.h"

#define KEY_OLD_COINS 'c' /* per transaction, before Core 0.15 */

/* Coins of the old format sort behind all of today's keys. */
static enum rc check_format(struct kv *kv)
{
    const uint8_t old = KEY_OLD_COINS;
    struct kv_iter *it = kv_iter_new(kv);
    enum rc rc;

    kv_iter_seek(it, &old, 1);
    rc = kv_iter_status(it);
    if (rc == RC_OK && kv_iter_valid(it)) {
        storage_error_set(
            "Unsupported chainstate database format found. Please restart with -reindex-chainstate. This will rebuild the "
            "chainstate database.");
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
    rc = check_format(kv);
    if (rc != RC_OK) {
        *error = xstrdup(storage_error_text());
        kv_close(kv);
        return rc;
    }
    *out = xcalloc(1, sizeof(**out));
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

size_t coindb_key(uint8_t key[COIN_KEY_MAX], const struct outpoint *o)
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

enum rc coindb_corrupt(const struct outpoint *o)
{
    storage_error_set("The coin database has a malformed coin at %s:%u", txid_hex(&o->txid).s, o->n);
    return RC_CORRUPT;
}

enum rc coindb_get(struct coindb *db, struct coin *c, const struct outpoint *o, struct arena *arena)
{
    uint8_t key[COIN_KEY_MAX], *value;
    size_t len;
    struct reader r;
    enum rc rc = kv_get(db->kv, key, coindb_key(key, o), &value, &len);

    if (rc != RC_OK)
        return rc;
    r = reader_make(value, len);
    if (!coin_read(c, &r, arena)) {
        rc = coindb_corrupt(o);
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
    enum rc rc = kv_get(db->kv, key, coindb_key(key, o), &value, &len);

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

uint64_t coindb_disk_size(struct coindb *db)
{
    const uint8_t from = KEY_COIN, to = KEY_COIN + 1;

    return kv_approximate_size(db->kv, &from, 1, &to, 1);
}
