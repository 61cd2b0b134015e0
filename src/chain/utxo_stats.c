/* utxo_stats.c - counts and hashes a coin set. Any thread. Coins come in key order, in which an output's index is a variable-length
 * number: within a transaction they are put in order by value before they are hashed. */
#include "chain/utxo_stats.h"

#include <stdlib.h>

#include "crypto/muhash.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "util/mem.h"

struct element {
    uint32_t n;
    size_t pos, len; /* of its bytes in the buffer */
};

/* The outputs of one transaction. */
struct group {
    struct txid txid;
    struct writer bytes;
    struct element *e;
    size_t count, cap;
    bool sorted;
};

struct utxo_hasher {
    struct coindb_iter *it;
    enum utxo_hash_type type;
    struct sha256 sha;
    struct muhash muhash;
    struct group group;
    struct utxo_stats stats;
};

static void group_add(struct group *g, const struct outpoint *o, const struct coin *c)
{
    size_t start = g->bytes.len;

    if (g->count == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 16;
        g->e = xrealloc(g->e, g->cap * sizeof(*g->e));
    }
    write_bytes(&g->bytes, o->txid.b, 32);
    write_u32(&g->bytes, o->n);
    write_u32(&g->bytes, c->height << 1 | (c->coinbase ? 1 : 0));
    write_u64(&g->bytes, (uint64_t)c->out.value);
    write_var_bytes(&g->bytes, c->out.script, c->out.script_len);
    if (g->count && g->e[g->count - 1].n > o->n)
        g->sorted = false;
    g->e[g->count++] = (struct element){o->n, start, g->bytes.len - start};
}

static int compare_elements(const void *pa, const void *pb)
{
    const struct element *a = pa, *b = pb;

    return (a->n > b->n) - (a->n < b->n);
}

static void group_hash(struct utxo_hasher *h)
{
    struct group *g = &h->group;

    if (!g->sorted)
        qsort(g->e, g->count, sizeof(*g->e), compare_elements);
    for (size_t i = 0; i < g->count; i++) {
        const uint8_t *p = g->bytes.data + g->e[i].pos;

        if (h->type == UTXO_HASH_SERIALIZED)
            sha256_write(&h->sha, p, g->e[i].len);
        else if (h->type == UTXO_HASH_MUHASH)
            muhash_insert(&h->muhash, p, g->e[i].len);
    }
    g->count = 0;
    g->sorted = true;
    g->bytes.len = 0;
}

static void count_coin(struct utxo_stats *s, const struct coin *c)
{
    s->txouts++;
    s->bogosize += 32 + 4 + 4 + 8 + 2 + c->out.script_len;
    s->total_amount += c->out.value;
}

struct utxo_hasher *utxo_hasher_new(struct coindb_iter *it, enum utxo_hash_type type)
{
    struct utxo_hasher *h = xcalloc(1, sizeof(*h));

    h->it = it;
    h->type = type;
    h->group.sorted = true;
    sha256_init(&h->sha);
    muhash_init(&h->muhash);
    return h;
}

static void add_coin(struct utxo_hasher *h, const struct outpoint *o, const struct coin *c)
{
    if (!h->stats.txouts || !txid_equal(&h->group.txid, &o->txid)) {
        group_hash(h);
        h->group.txid = o->txid;
        h->stats.transactions++;
    }
    count_coin(&h->stats, c);
    if (h->type != UTXO_HASH_NONE)
        group_add(&h->group, o, c);
}

static void finish(struct utxo_hasher *h)
{
    group_hash(h);
    if (h->type == UTXO_HASH_SERIALIZED)
        sha256d_finish(&h->sha, h->stats.hash);
    else if (h->type == UTXO_HASH_MUHASH)
        muhash_finish(&h->muhash, h->stats.hash);
}

enum rc utxo_hasher_step(struct utxo_hasher *h, unsigned n)
{
    struct outpoint o;
    struct coin c;
    enum rc rc = RC_OK;

    while (n-- && (rc = coindb_iter_next(h->it, &o, &c)) == RC_OK)
        add_coin(h, &o, &c);
    if (rc == RC_NOT_FOUND)
        finish(h);
    return rc;
}

const struct utxo_stats *utxo_hasher_stats(const struct utxo_hasher *h)
{
    return &h->stats;
}

void utxo_hasher_free(struct utxo_hasher *h)
{
    if (!h)
        return;
    free(h->group.e);
    writer_clear(&h->group.bytes);
    free(h);
}

enum rc utxo_stats_compute(struct utxo_stats *out, struct coindb_iter *it, enum utxo_hash_type type, const atomic_bool *interrupt)
{
    struct utxo_hasher *h = utxo_hasher_new(it, type);
    enum rc rc;

    do {
        rc = utxo_hasher_step(h, 1024);
        if (rc == RC_OK && interrupt && atomic_load_explicit(interrupt, memory_order_relaxed))
            rc = RC_INTERRUPTED;
    } while (rc == RC_OK);
    *out = h->stats;
    utxo_hasher_free(h);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
