/* cache.c - the bounded, salted set of signatures and transactions found valid. A table of small buckets; which entries meet in one
 * nobody outside can choose, as keys are hashes with a secret: for the same reason half of a key is enough to know it by. The table begins
 * small and doubles up to its bound. Any thread; a bucket is under the lock of its stripe, the table under all of them. */
#include "script/cache.h"

#include "crypto/sha256.h"
#include "util/bytes.h"
#include "util/mem.h"
#include "util/random.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 15
#define KEY_BYTES 16
#define STRIPES 64
#define FEW_BUCKETS 64 /* at the start: never fewer than stripes, so that a key's stripe stays the same */
#define AVERAGE_MAX 10 /* entries a bucket, above which the table doubles */

enum way_state { WAY_EMPTY, WAY_LIVE, WAY_ERASED };

/* Four cache lines. Erased entries are still found, but are overwritten first; then the oldest. */
struct bucket {
    uint8_t key[WAYS][KEY_BYTES];
    uint8_t state[WAYS];
    uint8_t oldest; /* the way to overwrite next when all are live */
};

/* On a cache line of its own. */
union stripe {
    pthread_mutex_t lock;
    char line[64];
};

struct sig_cache {
    union stripe stripe[STRIPES];
    struct sha256 salted[3]; /* states behind one block of salt: ECDSA, Schnorr, transactions */
    struct bucket *bucket;
    size_t mask, mask_max; /* number of buckets, a power of two, minus one; what it may become */
    atomic_size_t used;    /* ways that are not empty */
};

struct sig_cache *sig_cache_new(size_t max_bytes)
{
    static const uint8_t kinds[3] = {'E', 'S', 'T'};
    struct sig_cache *c = xmalloc(sizeof(*c));
    uint8_t block[64] = {0};
    size_t n = 1;

    while (n * 2 <= max_bytes / sizeof(struct bucket))
        n *= 2;
    c->mask_max = n - 1;
    c->mask = n < FEW_BUCKETS ? n - 1 : FEW_BUCKETS - 1;
    c->bucket = xcalloc(c->mask + 1, sizeof(*c->bucket));
    atomic_init(&c->used, 0);
    random_bytes(block, 32);
    for (int i = 0; i < 3; i++) {
        block[32] = kinds[i];
        sha256_init(&c->salted[i]);
        sha256_write(&c->salted[i], block, sizeof(block));
    }
    for (int i = 0; i < STRIPES; i++)
        pthread_mutex_init(&c->stripe[i].lock, NULL);
    return c;
}

void sig_cache_free(struct sig_cache *c)
{
    if (!c)
        return;
    for (int i = 0; i < STRIPES; i++)
        pthread_mutex_destroy(&c->stripe[i].lock);
    free(c->bucket);
    free(c);
}

void sig_cache_key(uint8_t key[32], const struct sig_cache *c, char kind, const uint8_t hash[32], const uint8_t *pubkey,
                   size_t pubkey_len, const uint8_t *sig, size_t sig_len)
{
    struct sha256 ctx = c->salted[kind == 'E' ? 0 : 1];

    sha256_write(&ctx, hash, 32);
    sha256_write(&ctx, pubkey, pubkey_len);
    sha256_write(&ctx, sig, sig_len);
    sha256_finish(&ctx, key);
}

void sig_cache_tx_key(uint8_t key[32], const struct sig_cache *c, const struct wtxid *wtxid, uint32_t flags)
{
    struct sha256 ctx = c->salted[2];
    uint8_t b[4];

    sha256_write(&ctx, wtxid->b, 32);
    put_le32(b, flags);
    sha256_write(&ctx, b, sizeof(b));
    sha256_finish(&ctx, key);
}

/* Finds the bucket of a key and locks it. */
static struct bucket *lock_bucket(struct sig_cache *c, const uint8_t key[32], pthread_mutex_t **lock)
{
    *lock = &c->stripe[get_le64(key) & c->mask_max & (STRIPES - 1)].lock;
    pthread_mutex_lock(*lock);
    return &c->bucket[get_le64(key) & c->mask];
}

/* Moves what is in a bucket to where it belongs in a larger table: no bucket of that gets entries of two of these. */
static void spread(struct bucket *to, size_t mask, const struct bucket *from)
{
    for (int i = 0; i < WAYS; i++) {
        struct bucket *b = &to[get_le64(from->key[i]) & mask];
        int way = 0;
        if (from->state[i] == WAY_EMPTY)
            continue;
        while (b->state[way] != WAY_EMPTY)
            way++;
        memcpy(b->key[way], from->key[i], KEY_BYTES);
        b->state[way] = from->state[i];
    }
}

static bool is_crowded(const struct sig_cache *c)
{
    return c->mask < c->mask_max && atomic_load(&c->used) > AVERAGE_MAX * (c->mask + 1);
}

static void grow(struct sig_cache *c)
{
    for (int i = 0; i < STRIPES; i++)
        pthread_mutex_lock(&c->stripe[i].lock);
    if (is_crowded(c)) {
        const size_t mask = 2 * c->mask + 1;
        struct bucket *bigger = xcalloc(mask + 1, sizeof(*bigger));
        for (size_t i = 0; i <= c->mask; i++)
            spread(bigger, mask, &c->bucket[i]);
        free(c->bucket);
        c->bucket = bigger;
        c->mask = mask;
    }
    for (int i = STRIPES - 1; i >= 0; i--)
        pthread_mutex_unlock(&c->stripe[i].lock);
}

static int find_way(const struct bucket *b, const uint8_t key[32])
{
    for (int i = 0; i < WAYS; i++) {
        if (b->state[i] != WAY_EMPTY && memcmp(b->key[i], key, KEY_BYTES) == 0)
            return i;
    }
    return -1;
}

bool sig_cache_has(struct sig_cache *c, const uint8_t key[32], bool erase)
{
    pthread_mutex_t *lock;
    struct bucket *b = lock_bucket(c, key, &lock);
    const int way = find_way(b, key);

    if (way >= 0 && erase)
        b->state[way] = WAY_ERASED;
    pthread_mutex_unlock(lock);
    return way >= 0;
}

static int way_to_overwrite(struct bucket *b)
{
    for (int i = 0; i < WAYS; i++) {
        if (b->state[i] != WAY_LIVE)
            return i;
    }
    const int way = b->oldest;
    b->oldest = (uint8_t)((way + 1) % WAYS);
    return way;
}

void sig_cache_add(struct sig_cache *c, const uint8_t key[32])
{
    pthread_mutex_t *lock;
    struct bucket *b = lock_bucket(c, key, &lock);
    int way = find_way(b, key);
    bool crowded;

    if (way < 0) {
        way = way_to_overwrite(b);
        memcpy(b->key[way], key, KEY_BYTES);
        if (b->state[way] == WAY_EMPTY)
            atomic_fetch_add(&c->used, 1);
    }
    b->state[way] = WAY_LIVE;
    crowded = is_crowded(c);
    pthread_mutex_unlock(lock);
    if (crowded)
        grow(c);
}
