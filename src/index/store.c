/* store.c - opening an index's database, its named values, and records of blocks by height and hash, in Bitcoin Core's layout. Written by the
 * index's thread, read by any. */
#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "primitives/serialize.h"
#include "util/mem.h"
#include "util/random.h"

enum rc store_open(struct kv **out, const struct index_setup *s, bool no_bloom, char **error)
{
    struct kv_options o = {.cache_bytes = s->cache_bytes, .wipe = s->wipe, .no_bloom = no_bloom};
    char *cause;
    enum rc rc = kv_open(out, s->dir, &o, &cause);

    if (rc == RC_OK)
        return RC_OK;
    *error = rc == RC_CORRUPT || rc == RC_INVALID
                 ? xasprintf("%s. Please rebuild the index: delete %s and start again, or start with -reindex.", cause, s->dir)
                 : xstrdup(cause);
    free(cause);
    return rc;
}

void store_name_key(struct writer *w, const char *name)
{
    write_var_bytes(w, name, strlen(name));
}

enum rc store_salt(uint64_t salt[2], struct kv *kv, const void *key, size_t key_len)
{
    uint8_t bytes[16], *value;
    size_t len;
    enum rc rc = kv_get(kv, key, key_len, &value, &len);

    if (rc == RC_OK) {
        rc = len == sizeof(bytes) ? RC_OK : RC_CORRUPT;
        memcpy(bytes, value, len < sizeof(bytes) ? len : sizeof(bytes));
        free(value);
    } else if (rc == RC_NOT_FOUND) {
        random_bytes(bytes, sizeof(bytes));
        rc = kv_put(kv, key, key_len, bytes, sizeof(bytes), true);
    }
    if (rc != RC_OK)
        return rc;
    salt[0] = get_le64(bytes);
    salt[1] = get_le64(bytes + 8);
    return RC_OK;
}

static void height_key(uint8_t key[5], int32_t height)
{
    key[0] = 't';
    put_be32(key + 1, (uint32_t)height);
}

static void hash_key(uint8_t key[33], const struct block_hash *hash)
{
    key[0] = 's';
    memcpy(key + 1, hash->b, 32);
}

enum rc store_block_get(struct kv *kv, uint8_t **record, size_t *len, const struct block_entry *e)
{
    uint8_t by_height[5], by_hash[33], *value;
    enum rc rc;

    *record = NULL;
    height_key(by_height, e->node.height);
    rc = kv_get(kv, by_height, sizeof(by_height), &value, len);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    if (rc == RC_OK && *len < 32) {
        free(value);
        return RC_CORRUPT;
    }
    if (rc == RC_OK && memcmp(value, e->node.hash.b, 32) == 0) {
        *len -= 32;
        memmove(value, value + 32, *len);
        *record = value;
        return RC_OK;
    }
    if (rc == RC_OK)
        free(value);
    hash_key(by_hash, &e->node.hash);
    return kv_get(kv, by_hash, sizeof(by_hash), record, len);
}

enum rc store_block_put(struct kv *kv, const struct block_entry *e, const void *record, size_t len)
{
    struct writer w = WRITER_INIT;
    uint8_t key[5];
    enum rc rc;

    height_key(key, e->node.height);
    write_bytes(&w, e->node.hash.b, 32);
    write_bytes(&w, record, len);
    rc = kv_put(kv, key, sizeof(key), w.data, w.len, false);
    writer_clear(&w);
    return rc;
}

void store_block_keep(struct kv_batch *batch, const struct block_entry *e, const void *record, size_t len)
{
    uint8_t key[33];

    hash_key(key, &e->node.hash);
    kv_batch_put(batch, key, sizeof(key), record, len);
}
