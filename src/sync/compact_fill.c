/* compact_fill.c - which transactions of a compact block we have: short ids matched against the mempool and the extra pool (orphans, rejected and
 * replaced transactions). The one long loop of the loop thread, hence arrays and a small salted table in place of maps. */
#include <string.h>

#include "sync/relay.h"

#define MIN_TX_WEIGHT 40      /* that serialises at all: Core's MIN_SERIALIZABLE_TRANSACTION_WEIGHT */
#define MAX_PROBES 48         /* of honest ids once in many millions of blocks */
#define TABLE_LOAD 4          /* slots for each id */
#define EMPTY UINT64_MAX      /* no place is 65535 */
#define AHEAD 8               /* transactions that are on their way from memory */
#define MAX_EXTRA_SIZE 100000 /* bytes in memory of a transaction worth keeping */

struct partial {
    struct block_header header;
    struct block_hash hash;
    uint32_t n, n_prefilled, n_pool, n_extra;
    struct tx **tx; /* references; NULL: missing. NULL itself: spent */
};

/* Open addressing over packed (short id, place); the multiplier is secret, so that nobody can choose ids that crowd. */
struct id_table {
    uint64_t *slots;
    uint64_t multiplier;
    unsigned shift;
    size_t mask;
};

static inline size_t slot_of(const struct id_table *t, uint64_t id)
{
    uint64_t h = id * t->multiplier;
    return (size_t)(((h ^ h >> 29) * t->multiplier) >> t->shift); /* twice: ids in a row stay apart, too */
}

/* Returns: the slot with that id, or the free one where it belongs; NULL where too many crowd. */
static inline uint64_t *slot_find(const struct id_table *t, uint64_t id)
{
    size_t i = slot_of(t, id);
    for (unsigned n = 0; n < MAX_PROBES; n++, i = (i + 1) & t->mask)
        if (t->slots[i] == EMPTY || t->slots[i] >> 16 == id)
            return &t->slots[i];
    return NULL;
}

/* Places of the short ids among the transactions: those that are not prefilled, in order. Returns: FILL_FAILED if two are equal or they crowd. */
static enum fill table_init(struct id_table *t, struct sync *s, const struct partial *p, const struct msg_cmpctblock *m)
{
    unsigned bits = 4;
    uint32_t place = 0;

    while (((size_t)1 << bits) < m->n_short * TABLE_LOAD)
        bits++;
    t->mask = ((size_t)1 << bits) - 1;
    t->shift = 64 - bits;
    t->multiplier = rng_u64(&s->rng) | 1;
    t->slots = xmalloc((t->mask + 1) * sizeof(*t->slots));
    memset(t->slots, 0xff, (t->mask + 1) * sizeof(*t->slots));
    for (size_t i = 0; i < m->n_short; i++, place++) {
        uint64_t *slot = slot_find(t, m->short_ids[i]);
        while (p->tx[place])
            place++;
        if (!slot || *slot != EMPTY) {
            free(t->slots);
            return FILL_FAILED;
        }
        *slot = m->short_ids[i] << 16 | place;
    }
    return FILL_OK;
}

static bool tx_is_null(const struct tx *tx)
{
    return tx->n_in == 0 && tx->n_out == 0;
}

/* Puts the prefilled ones where they belong. */
static enum fill place_prefilled(struct partial *p, const struct msg_cmpctblock *m)
{
    uint32_t next = 0;

    for (size_t i = 0; i < m->n_prefilled; i++) {
        uint32_t place = next + m->prefilled[i].skip;
        if (tx_is_null(m->prefilled[i].tx) || place > UINT16_MAX || place > m->n_short + i)
            return FILL_INVALID;
        p->tx[place] = tx_ref(m->prefilled[i].tx);
        next = place + 1;
    }
    p->n_prefilled = (uint32_t)m->n_prefilled;
    return FILL_OK;
}

/* What is known of each place while the pools are searched. */
struct search {
    struct partial *p;
    const struct cmpct_key *key;
    struct id_table table;
    bool *collided; /* two of our transactions have that short id */
    size_t found, wanted;
};

static void match(struct search *q, struct tx *tx, const struct wtxid *id, bool extra)
{
    uint64_t *slot = slot_find(&q->table, cmpct_short_id(q->key, id));
    struct tx **at;
    uint32_t place;

    if (!slot || *slot == EMPTY)
        return;
    place = (uint32_t)(*slot & 0xffff);
    at = &q->p->tx[place];
    if (q->collided[place])
        return;
    if (!*at) {
        *at = tx_ref(tx);
        q->found++;
        q->p->n_extra += extra;
    } else if (!wtxid_equal(&(*at)->wtxid, id)) {
        tx_unref(*at);
        *at = NULL;
        q->found--;
        q->collided[place] = true;
    }
}

static void search_pools(struct sync *s, struct search *q)
{
    for (size_t i = 0; i < s->n_pool && q->found < q->wanted; i++) {
        struct tx *tx = s->pool[i]->tx;
        if (i + 2 * AHEAD < s->n_pool) { /* each is elsewhere in memory: asked for before it is needed */
            __builtin_prefetch(s->pool[i + 2 * AHEAD]);
            __builtin_prefetch(&s->pool[i + AHEAD]->tx->wtxid);
        }
        match(q, tx, &tx->wtxid, false);
    }
    for (size_t i = 0; i < s->n_extra && q->found < q->wanted; i++)
        match(q, s->extra[i].tx, &s->extra[i].id, true);
}

enum fill partial_new(struct partial **out, struct sync *s, const struct msg_cmpctblock *m)
{
    struct partial *p;
    struct search q = {.key = &m->key, .wanted = m->n_short};
    enum fill r;

    log_debug(LOG_CMPCTBLOCK, "Initializing PartiallyDownloadedBlock for block %s using a cmpctblock of %zu bytes",
              block_hash_hex(&m->hash).s, m->wire_len);
    if (m->heavy)
        return FILL_FAILED;
    if (m->header.bits == 0 || m->n_short + m->n_prefilled == 0 || m->n_short + m->n_prefilled > MAX_BLOCK_WEIGHT / MIN_TX_WEIGHT)
        return FILL_INVALID;
    p = xcalloc(1, sizeof(*p));
    p->header = m->header;
    p->hash = m->hash;
    p->n = (uint32_t)(m->n_short + m->n_prefilled);
    p->tx = xcalloc(p->n, sizeof(struct tx *));
    r = place_prefilled(p, m);
    if (r == FILL_OK)
        r = table_init(&q.table, s, p, m);
    if (r != FILL_OK) {
        partial_free(p);
        return r;
    }
    q.p = p;
    q.collided = xcalloc(p->n, sizeof(bool));
    search_pools(s, &q);
    p->n_pool = (uint32_t)q.found;
    free(q.collided);
    free(q.table.slots);
    log_event(LOG_LEVEL_DEBUG, LOG_CMPCTBLOCK,
              LOG_EVENT("compact_block", {"hash", block_hash_hex(&m->hash).s, 0}, {"bytes", NULL, (int64_t)m->wire_len}),
              "Initialized PartiallyDownloadedBlock for block %s using a cmpctblock of %zu bytes", block_hash_hex(&m->hash).s,
              m->wire_len);
    *out = p;
    return FILL_OK;
}

void partial_free(struct partial *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; p->tx && i < p->n; i++)
        tx_unref(p->tx[i]);
    free(p->tx);
    free(p);
}

size_t partial_missing(const struct partial *p, uint16_t *indexes)
{
    size_t n = 0;
    for (uint32_t i = 0; i < p->n; i++)
        if (!p->tx[i])
            indexes[n++] = (uint16_t)i;
    return n;
}

struct partial *partial_new_spent(void)
{
    return xcalloc(1, sizeof(struct partial));
}

bool partial_spent(const struct partial *p)
{
    return !p->tx;
}

struct sync_block *partial_take(struct partial *p, bool segwit)
{
    struct sync_block *b = xcalloc(1, sizeof(*b));

    b->hash = p->hash;
    b->header = p->header;
    b->requested = true;
    b->parts = p->tx;
    b->n_parts = p->n;
    b->segwit = segwit;
    b->n_prefilled = p->n_prefilled;
    b->n_pool = p->n_pool;
    b->n_extra = p->n_extra;
    p->tx = NULL;
    return b;
}

void extra_add(struct sync *s, struct tx *tx)
{
    struct pool_ref *r;

    if (!s->o.extra_txs || tx->raw_len > MAX_EXTRA_SIZE)
        return;
    if (!s->extra)
        s->extra = xcalloc(s->o.extra_txs, sizeof(*s->extra));
    r = &s->extra[s->next_extra];
    if (s->n_extra < s->o.extra_txs)
        s->n_extra++;
    tx_unref(r->tx);
    *r = (struct pool_ref){.id = tx->wtxid, .tx = tx_ref(tx)};
    s->next_extra = (s->next_extra + 1) % s->o.extra_txs;
}

void extra_clear(struct sync *s)
{
    for (size_t i = 0; i < s->n_extra; i++)
        tx_unref(s->extra[i].tx);
    free(s->extra);
    s->extra = NULL;
    s->n_extra = s->next_extra = 0;
}
