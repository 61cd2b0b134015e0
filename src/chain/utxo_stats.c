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

struct hasher {
    enum utxo_hash_type type;
    struct sha256 sha;
    struct muhash muhash;
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

static void group_hash(struct group *g, struct hasher *h)
{
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

enum rc utxo_stats_compute(struct utxo_stats *out, struct coindb_iter *it, enum utxo_hash_type type, const atomic_bool *interrupt)
{
    struct group g = {.sorted = true};
    struct hasher h = {.type = type};
    struct outpoint o;
    struct coin c;
    enum rc rc;

    *out = (struct utxo_stats){0};
    sha256_init(&h.sha);
    muhash_init(&h.muhash);
    while ((rc = coindb_iter_next(it, &o, &c)) == RC_OK) {
        if (!out->txouts || !txid_equal(&g.txid, &o.txid)) {
            group_hash(&g, &h);
            g.txid = o.txid;
            out->transactions++;
        }
        count_coin(out, &c);
        if (type != UTXO_HASH_NONE)
            group_add(&g, &o, &c);
        if (interrupt && (out->txouts & 1023) == 0 && atomic_load_explicit(interrupt, memory_order_relaxed)) {
            rc = RC_INTERRUPTED;
            break;
        }
    }
    group_hash(&g, &h);
    free(g.e);
    writer_clear(&g.bytes);
    if (rc != RC_NOT_FOUND)
        return rc;
    if (type == UTXO_HASH_SERIALIZED)
        sha256d_finish(&h.sha, out->hash);
    else if (type == UTXO_HASH_MUHASH)
        muhash_finish(&h.muhash, out->hash);
    return RC_OK;
}
