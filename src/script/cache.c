/* cache.c - the bounded, salted set of signatures and transactions found valid. A table of small buckets; which entries meet in one
 * nobody outside can choose, as keys are hashes with a secret. Any thread; a bucket is under the lock of its stripe. */
#include "script/cache.h"

#include "crypto/sha256.h"
#include "util/bytes.h"
#include "util/mem.h"
#include "util/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 7
#define STRIPES 64

enum way_state { WAY_EMPTY, WAY_LIVE, WAY_ERASED };

/* Four cache lines. Erased entries are still found, but are overwritten first; then the oldest. */
struct bucket {
    uint8_t key[WAYS][32];
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
    struct bucket *bucket;   /* zeroed memory that the system provides page by page as it is used */
    size_t mask;             /* number of buckets, a power of two, minus one */
};

struct sig_cache *sig_cache_new(size_t max_bytes)
{
    static const uint8_t kinds[3] = {'E', 'S', 'T'};
    struct sig_cache *c = xmalloc(sizeof(*c));
    uint8_t block[64] = {0};
    size_t n = 1;

    while (n * 2 <= max_bytes / sizeof(struct bucket))
        n *= 2;
    c->mask = n - 1;
    c->bucket = xcalloc(n, sizeof(*c->bucket));
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
    const size_t i = get_le64(key) & c->mask;

    *lock = &c->stripe[i % STRIPES].lock;
    pthread_mutex_lock(*lock);
    return &c->bucket[i];
}

static int find_way(const struct bucket *b, const uint8_t key[32])
{
    for (int i = 0; i < WAYS; i++) {
        if (b->state[i] != WAY_EMPTY && memcmp(b->key[i], key, 32) == 0)
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

    if (way < 0) {
        way = way_to_overwrite(b);
        memcpy(b->key[way], key, 32);
    }
    b->state[way] = WAY_LIVE;
    pthread_mutex_unlock(lock);
}
