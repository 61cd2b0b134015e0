/* cache.c - the latest template, kept until it is out of date. Made on the validation thread; asked for on any thread, so that who wants what
 * is there already waits for nobody. */
#include <pthread.h>
#include <stdlib.h>

#include "mining/mining.h"
#include "util/mem.h"
#include "util/time.h"

#define REFRESH_SECONDS 5 /* how old a template may become when the pool has changed */

struct template_cache {
    pthread_mutex_t mutex;
    struct block_template *latest; /* one reference; NULL: none yet */
    int64_t made;                  /* when */
    atomic_uint_fast64_t last;     /* of the last one: transactions + 1 << 32 | weight; 0: none yet */
};

struct template_cache *template_cache_new(void)
{
    struct template_cache *k = (struct template_cache *)xcalloc(1, sizeof(*k));
    pthread_mutex_init(&k->mutex, NULL);
    return k;
}

void template_cache_free(struct template_cache *k)
{
    if (!k)
        return;
    block_template_free(k->latest);
    pthread_mutex_destroy(&k->mutex);
    free(k);
}

struct block_template *template_cache_peek(struct template_cache *k, struct chain *c, const struct mempool *m)
{
    const struct block_entry *tip = chain_tip(c);
    uint64_t updates = m ? mempool_updates(m) : 0;
    int64_t now = time_now();
    struct block_template *t;

    pthread_mutex_lock(&k->mutex);
    t = k->latest;
    if (t && (t->prev != tip || (t->pool_updates != updates && now - k->made > REFRESH_SECONDS)))
        t = NULL;
    if (t)
        block_template_ref(t);
    pthread_mutex_unlock(&k->mutex);
    return t;
}

struct block_template *template_cache_get(struct template_cache *k, struct chain *c, struct mempool *m,
                                          const struct mining_options *o)
{
    struct block_template *t = template_cache_peek(k, c, m), *old;
    int64_t now = time_now();

    if (t)
        return t;
    t = mining_template(c, m, o);
    if (!t)
        return NULL;
    pthread_mutex_lock(&k->mutex);
    old = k->latest;
    k->latest = block_template_ref(t);
    k->made = now;
    pthread_mutex_unlock(&k->mutex);
    template_cache_note(k, t->n_txs, t->weight);
    block_template_free(old);
    return t;
}

void template_cache_note(struct template_cache *k, size_t n_txs, int64_t weight)
{
    atomic_store(&k->last, ((uint64_t)n_txs + 1) << 32 | (uint32_t)weight);
}

bool template_cache_last(const struct template_cache *k, size_t *n_txs, int64_t *weight)
{
    uint64_t last = atomic_load(&k->last);

    *n_txs = last ? (size_t)(last >> 32) - 1 : 0;
    *weight = (int64_t)(last & UINT32_MAX);
    return last != 0;
}
