/* index.c - the pool's tables: entries by txid and by wtxid, inputs by the outpoint that they spend. Chained, salted, doubling; links live
 * in the entries. Called by all of the pool; validation thread. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "mempool/internal.h"
#include "util/assert.h"
#include "util/mem.h"
#include "util/random.h"

#define INITIAL_BUCKETS 256

static size_t hash_of(const struct mempool *m, const uint8_t id[32])
{
    return (size_t)siphash_hash(m->salt[0], m->salt[1], id);
}

static size_t hash_of_outpoint(const struct mempool *m, const struct outpoint *o)
{
    return (size_t)siphash_hash_u32(m->salt[0], m->salt[1], o->txid.b, o->n);
}

static void table_init(struct table *t)
{
    t->n = 0;
    t->mask = INITIAL_BUCKETS - 1;
    t->bucket = (void **)xcalloc(INITIAL_BUCKETS, sizeof(*t->bucket));
}

void index_init(struct mempool *m)
{
    random_bytes(m->salt, sizeof(m->salt));
    table_init(&m->by_txid);
    table_init(&m->by_wtxid);
    table_init(&m->spent);
}

void index_clear(struct mempool *m)
{
    free(m->by_txid.bucket);
    free(m->by_wtxid.bucket);
    free(m->spent.bucket);
}

size_t index_usage(const struct mempool *m)
{
    return heap_bytes((m->by_txid.mask + 1) * sizeof(void *)) + heap_bytes((m->by_wtxid.mask + 1) * sizeof(void *)) +
           heap_bytes((m->spent.mask + 1) * sizeof(void *));
}

struct entry *index_find(const struct mempool *m, const struct txid *id)
{
    size_t hash = hash_of(m, id->b);
    struct entry *e = (struct entry *)m->by_txid.bucket[hash & m->by_txid.mask];
    while (e && (e->hash_txid != hash || !txid_equal(&e->pub.tx->txid, id)))
        e = e->next_txid;
    return e;
}

struct entry *index_find_wtxid(const struct mempool *m, const struct wtxid *id)
{
    size_t hash = hash_of(m, id->b);
    struct entry *e = (struct entry *)m->by_wtxid.bucket[hash & m->by_wtxid.mask];
    while (e && (e->hash_wtxid != hash || !wtxid_equal(&e->pub.tx->wtxid, id)))
        e = e->next_wtxid;
    return e;
}

struct spend *index_find_spend(const struct mempool *m, const struct outpoint *o)
{
    size_t hash = hash_of_outpoint(m, o);
    struct spend *s = (struct spend *)m->spent.bucket[hash & m->spent.mask];
    while (s && (s->hash != hash || !outpoint_equal(s->outpoint, o)))
        s = s->next;
    return s;
}

static void link_txid(struct table *t, struct entry *e)
{
    void **b = &t->bucket[e->hash_txid & t->mask];
    e->next_txid = (struct entry *)*b;
    *b = e;
}

static void link_wtxid(struct table *t, struct entry *e)
{
    void **b = &t->bucket[e->hash_wtxid & t->mask];
    e->next_wtxid = (struct entry *)*b;
    *b = e;
}

static void link_spend(struct table *t, struct spend *s)
{
    void **b = &t->bucket[s->hash & t->mask];
    s->next = (struct spend *)*b;
    *b = s;
}

/* Makes a table's load at most one. kind: which links. */
enum table_kind { BY_TXID, BY_WTXID, BY_SPEND };
static void table_grow(struct table *t, enum table_kind kind)
{
    struct table bigger = {.n = t->n, .mask = 2 * t->mask + 1};
    bigger.bucket = (void **)xcalloc(bigger.mask + 1, sizeof(*bigger.bucket));
    for (size_t i = 0; i <= t->mask; i++) {
        void *next;
        for (void *at = t->bucket[i]; at; at = next) {
            if (kind == BY_TXID) {
                next = ((struct entry *)at)->next_txid;
                link_txid(&bigger, (struct entry *)at);
            } else if (kind == BY_WTXID) {
                next = ((struct entry *)at)->next_wtxid;
                link_wtxid(&bigger, (struct entry *)at);
            } else {
                next = ((struct spend *)at)->next;
                link_spend(&bigger, (struct spend *)at);
            }
        }
    }
    free(t->bucket);
    *t = bigger;
}

void index_add(struct mempool *m, struct entry *e)
{
    if (m->by_txid.n++ > m->by_txid.mask)
        table_grow(&m->by_txid, BY_TXID);
    if (m->by_wtxid.n++ > m->by_wtxid.mask)
        table_grow(&m->by_wtxid, BY_WTXID);
    e->hash_txid = hash_of(m, e->pub.tx->txid.b);
    e->hash_wtxid = hash_of(m, e->pub.tx->wtxid.b);
    link_txid(&m->by_txid, e);
    link_wtxid(&m->by_wtxid, e);
    for (uint32_t i = 0; i < e->pub.tx->n_in; i++) {
        if (m->spent.n++ > m->spent.mask)
            table_grow(&m->spent, BY_SPEND);
        e->spend[i].hash = hash_of_outpoint(m, e->spend[i].outpoint);
        link_spend(&m->spent, &e->spend[i]);
    }
    e->in_pool = true;
}

static void unlink_spend(struct mempool *m, struct spend *s)
{
    struct spend **at = (struct spend **)(void *)&m->spent.bucket[s->hash & m->spent.mask];
    while (*at != s) {
        ASSERT(*at);
        at = &(*at)->next;
    }
    *at = s->next;
    m->spent.n--;
}

void index_remove(struct mempool *m, struct entry *e)
{
    struct entry **at = (struct entry **)(void *)&m->by_txid.bucket[e->hash_txid & m->by_txid.mask];
    while (*at != e)
        at = &(*at)->next_txid;
    *at = e->next_txid;
    at = (struct entry **)(void *)&m->by_wtxid.bucket[e->hash_wtxid & m->by_wtxid.mask];
    while (*at != e)
        at = &(*at)->next_wtxid;
    *at = e->next_wtxid;
    m->by_txid.n--;
    m->by_wtxid.n--;
    for (uint32_t i = 0; i < e->pub.tx->n_in; i++)
        unlink_spend(m, &e->spend[i]);
    e->in_pool = false;
}
