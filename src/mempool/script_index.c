/* script_index.c - the mempool by script: one allocation for each transaction, which hangs in a table by its id and, once for each script that it
 * touches, in a table by script. Written on the validation thread, read on any. */
#include "mempool/script_index.h"

#include <pthread.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "primitives/coin.h"
#include "util/mem.h"
#include "util/random.h"

#define FIRST_BUCKETS 64

/* A script that a transaction touches. */
struct touch {
    struct touch *next, **link; /* in its bucket; what points here */
    struct entry *owner;
    uint8_t script[32];
    int64_t received, spent;
};

struct entry {
    struct entry *next; /* in its bucket by txid */
    struct tx *tx;
    int64_t fee, vsize, time;
    uint32_t n_touch;
    int64_t *in_value;  /* of each input */
    uint32_t *touch_of; /* of each output, then of each input: an index of touch[], or all ones: it touches none */
    struct touch touch[];
};

struct script_index {
    pthread_mutex_t lock;
    uint64_t k0, k1;
    struct entry **by_id;
    struct touch **by_script;
    size_t n_entries, id_buckets, n_touches, script_buckets; /* buckets: powers of two */
};

struct script_index *script_index_new(void)
{
    struct script_index *x = xcalloc(1, sizeof(*x));

    pthread_mutex_init(&x->lock, NULL);
    random_bytes(&x->k0, sizeof(x->k0));
    random_bytes(&x->k1, sizeof(x->k1));
    x->id_buckets = x->script_buckets = FIRST_BUCKETS;
    x->by_id = xcalloc(FIRST_BUCKETS, sizeof(struct entry *));
    x->by_script = xcalloc(FIRST_BUCKETS, sizeof(struct touch *));
    return x;
}

static void entry_free(struct entry *e)
{
    tx_unref(e->tx);
    free(e->in_value);
    free(e);
}

void script_index_free(struct script_index *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->id_buckets; i++) {
        for (struct entry *e = x->by_id[i], *next; e; e = next) {
            next = e->next;
            entry_free(e);
        }
    }
    free(x->by_id);
    free(x->by_script);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

/* ---- tables ---- */

static struct entry **id_bucket(struct script_index *x, const struct txid *id)
{
    return &x->by_id[siphash_hash(x->k0, x->k1, id->b) & (x->id_buckets - 1)];
}

static struct touch **script_bucket(struct script_index *x, const uint8_t script[32])
{
    return &x->by_script[siphash_hash(x->k0, x->k1, script) & (x->script_buckets - 1)];
}

static struct entry *find(struct script_index *x, const struct txid *id)
{
    struct entry *e = *id_bucket(x, id);

    while (e && !txid_equal(&e->tx->txid, id))
        e = e->next;
    return e;
}

static void hang_touch(struct script_index *x, struct touch *t)
{
    struct touch **head = script_bucket(x, t->script);

    t->next = *head;
    t->link = head;
    if (t->next)
        t->next->link = &t->next;
    *head = t;
}

static void grow_ids(struct script_index *x)
{
    struct entry **old = x->by_id;
    size_t n = x->id_buckets;

    x->id_buckets = n * 2;
    x->by_id = xcalloc(x->id_buckets, sizeof(struct entry *));
    for (size_t i = 0; i < n; i++) {
        for (struct entry *e = old[i], *next; e; e = next) {
            struct entry **head = id_bucket(x, &e->tx->txid);
            next = e->next;
            e->next = *head;
            *head = e;
        }
    }
    free(old);
}

static void grow_scripts(struct script_index *x)
{
    struct touch **old = x->by_script;
    size_t n = x->script_buckets;

    x->script_buckets = n * 2;
    x->by_script = xcalloc(x->script_buckets, sizeof(struct touch *));
    for (size_t i = 0; i < n; i++) {
        for (struct touch *t = old[i], *next; t; t = next) {
            next = t->next;
            hang_touch(x, t);
        }
    }
    free(old);
}

/* ---- coming and going ---- */

/* The script of each output and input, before it is known which are the same. */
struct named {
    uint8_t script[32];
    uint32_t at; /* output, or n_out + input */
    int64_t value;
};

static int by_name(const void *pa, const void *pb)
{
    const struct named *a = pa, *b = pb;
    int order = memcmp(a->script, b->script, 32);

    return order ? order : (a->at > b->at) - (a->at < b->at);
}

static size_t name_scripts(struct named *out, const struct tx *tx, const struct script_spend *spent)
{
    size_t n = 0;

    for (uint32_t i = 0; i < tx->n_out; i++) {
        const struct tx_out *o = &tx->out[i];
        if (script_is_unspendable(o->script, o->script_len))
            continue;
        sha256(out[n].script, o->script, o->script_len);
        out[n].at = i;
        out[n++].value = o->value;
    }
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (!spent[i].script)
            continue;
        sha256(out[n].script, spent[i].script, spent[i].len);
        out[n].at = tx->n_out + i;
        out[n++].value = spent[i].value;
    }
    if (n)
        qsort(out, n, sizeof(*out), by_name);
    return n;
}

static struct entry *make_entry(struct tx *tx, const struct script_spend *spent)
{
    struct named *named = xmalloc(((size_t)tx->n_in + tx->n_out) * sizeof(*named));
    size_t n = name_scripts(named, tx, spent), distinct = 0;
    struct entry *e;

    for (size_t i = 0; i < n; i++)
        distinct += i == 0 || memcmp(named[i].script, named[i - 1].script, 32) != 0;
    e = xcalloc(1, sizeof(*e) + distinct * sizeof(struct touch));
    e->in_value = xcalloc(1, tx->n_in * sizeof(int64_t) + ((size_t)tx->n_in + tx->n_out) * sizeof(uint32_t));
    e->touch_of = (uint32_t *)(void *)(e->in_value + tx->n_in);
    memset(e->touch_of, 0xff, ((size_t)tx->n_in + tx->n_out) * sizeof(uint32_t));
    for (size_t i = 0; i < n; i++) {
        struct touch *t;

        if (i == 0 || memcmp(named[i].script, named[i - 1].script, 32) != 0) {
            t = &e->touch[e->n_touch++];
            memcpy(t->script, named[i].script, 32);
            t->owner = e;
        }
        t = &e->touch[e->n_touch - 1];
        e->touch_of[named[i].at] = e->n_touch - 1;
        if (named[i].at < tx->n_out) {
            t->received += named[i].value;
        } else {
            t->spent += named[i].value;
            e->in_value[named[i].at - tx->n_out] = named[i].value;
        }
    }
    e->tx = tx_ref(tx);
    free(named);
    return e;
}

void script_index_add(struct script_index *x, struct tx *tx, const struct script_spend *spent, int64_t fee, int64_t vsize,
                      int64_t time)
{
    struct entry *e = make_entry(tx, spent), **head;

    e->fee = fee;
    e->vsize = vsize;
    e->time = time;
    pthread_mutex_lock(&x->lock);
    if (find(x, &tx->txid)) {
        pthread_mutex_unlock(&x->lock);
        entry_free(e);
        return;
    }
    if (++x->n_entries > x->id_buckets)
        grow_ids(x);
    head = id_bucket(x, &tx->txid);
    e->next = *head;
    *head = e;
    for (x->n_touches += e->n_touch; x->n_touches > x->script_buckets;)
        grow_scripts(x);
    for (uint32_t i = 0; i < e->n_touch; i++)
        hang_touch(x, &e->touch[i]);
    pthread_mutex_unlock(&x->lock);
}

void script_index_remove(struct script_index *x, const struct txid *id)
{
    struct entry **link, *e;

    pthread_mutex_lock(&x->lock);
    for (link = id_bucket(x, id); *link && !txid_equal(&(*link)->tx->txid, id); link = &(*link)->next)
        continue;
    e = *link;
    if (e) {
        *link = e->next;
        x->n_entries--;
        x->n_touches -= e->n_touch;
        for (uint32_t i = 0; i < e->n_touch; i++) {
            struct touch *t = &e->touch[i];
            *t->link = t->next;
            if (t->next)
                t->next->link = t->link;
        }
    }
    pthread_mutex_unlock(&x->lock);
    if (e)
        entry_free(e);
}

/* ---- questions; all under the lock ---- */

static struct touch *next_of(struct touch *t, const uint8_t script[32])
{
    while (t && memcmp(t->script, script, 32) != 0)
        t = t->next;
    return t;
}

static struct touch *first_of(struct script_index *x, const uint8_t script[32])
{
    return next_of(*script_bucket(x, script), script);
}

/* An array that grows. */
struct list {
    void *data;
    size_t n, cap, size;
};

static void *list_add(struct list *l)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->data = xrealloc(l->data, l->cap * l->size);
    }
    return (char *)l->data + l->size * l->n++;
}

static void list_sort(struct list *l, int (*order)(const void *a, const void *b))
{
    if (l->n)
        qsort(l->data, l->n, l->size, order);
}

static bool has_parents(struct script_index *x, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (find(x, &tx->in[i].prevout->txid))
            return true;
    return false;
}

static int tx_order(const void *a, const void *b)
{
    return memcmp(((const struct script_tx *)a)->txid.b, ((const struct script_tx *)b)->txid.b, 32);
}

size_t script_index_txs(struct script_index *x, struct script_tx **out, const uint8_t script_hash[32])
{
    struct list l = {.size = sizeof(struct script_tx)};

    pthread_mutex_lock(&x->lock);
    for (struct touch *t = first_of(x, script_hash); t; t = next_of(t->next, script_hash)) {
        const struct entry *e = t->owner;
        struct script_tx *s = list_add(&l);

        *s = (struct script_tx){
            .txid = e->tx->txid, .fee = e->fee, .vsize = e->vsize, .time = e->time, .received = t->received, .spent = t->spent};
        s->unconfirmed_parents = has_parents(x, e->tx);
    }
    pthread_mutex_unlock(&x->lock);
    list_sort(&l, tx_order);
    *out = l.data;
    return l.n;
}

size_t script_index_sums(struct script_index *x, int64_t *received, int64_t *spent, const uint8_t script_hash[32])
{
    size_t n = 0;

    *received = *spent = 0;
    pthread_mutex_lock(&x->lock);
    for (const struct touch *t = first_of(x, script_hash); t; t = next_of(t->next, script_hash)) {
        *received += t->received;
        *spent += t->spent;
        n++;
    }
    pthread_mutex_unlock(&x->lock);
    return n;
}

int outpoint_order(const void *a, const void *b)
{
    const struct outpoint *x = a, *y = b;
    int order = memcmp(x->txid.b, y->txid.b, 32);

    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static struct list collect_spent(struct script_index *x, const uint8_t script_hash[32])
{
    struct list l = {.size = sizeof(struct outpoint)};

    for (const struct touch *t = first_of(x, script_hash); t; t = next_of(t->next, script_hash)) {
        const struct entry *e = t->owner;
        for (uint32_t i = 0; i < e->tx->n_in; i++)
            if (e->touch_of[e->tx->n_out + i] == (uint32_t)(t - e->touch))
                *(struct outpoint *)list_add(&l) = *e->tx->in[i].prevout;
    }
    list_sort(&l, outpoint_order);
    return l;
}

size_t script_index_spent(struct script_index *x, struct outpoint **out, const uint8_t script_hash[32])
{
    struct list l;

    pthread_mutex_lock(&x->lock);
    l = collect_spent(x, script_hash);
    pthread_mutex_unlock(&x->lock);
    *out = l.data;
    return l.n;
}

/* Who spends an output of a script touches that script as well: its spends are all that must be looked through. */
size_t script_index_coins(struct script_index *x, struct script_coin **out, const uint8_t script_hash[32])
{
    struct list l = {.size = sizeof(struct script_coin)}, spent;

    pthread_mutex_lock(&x->lock);
    spent = collect_spent(x, script_hash);
    for (const struct touch *t = first_of(x, script_hash); t; t = next_of(t->next, script_hash)) {
        const struct entry *e = t->owner;
        for (uint32_t i = 0; i < e->tx->n_out; i++) {
            struct outpoint o = {e->tx->txid, i};

            if (e->touch_of[i] == (uint32_t)(t - e->touch) &&
                !(spent.n && bsearch(&o, spent.data, spent.n, sizeof(o), outpoint_order)))
                *(struct script_coin *)list_add(&l) = (struct script_coin){o, e->tx->out[i].value};
        }
    }
    pthread_mutex_unlock(&x->lock);
    free(spent.data);
    list_sort(&l, outpoint_order); /* the outpoint comes first in it */
    *out = l.data;
    return l.n;
}

static int delta_order(const void *a, const void *b)
{
    const struct script_delta *x = a, *y = b;
    int order = memcmp(x->txid.b, y->txid.b, 32);

    if (order == 0)
        order = (int)x->input - (int)y->input;
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

size_t script_index_deltas(struct script_index *x, struct script_delta **out, const uint8_t script_hash[32])
{
    struct list l = {.size = sizeof(struct script_delta)};

    pthread_mutex_lock(&x->lock);
    for (const struct touch *t = first_of(x, script_hash); t; t = next_of(t->next, script_hash)) {
        const struct entry *e = t->owner;
        const struct tx *tx = e->tx;

        for (uint32_t i = 0; i < tx->n_out + tx->n_in; i++) {
            uint32_t in = i - tx->n_out;
            struct script_delta d = {.txid = tx->txid, .index = i, .time = e->time};

            if (e->touch_of[i] != (uint32_t)(t - e->touch))
                continue;
            d.input = i >= tx->n_out;
            if (d.input) {
                d.index = in;
                d.prevout = *tx->in[in].prevout;
            }
            d.value = d.input ? e->in_value[in] : tx->out[i].value;
            *(struct script_delta *)list_add(&l) = d;
        }
    }
    pthread_mutex_unlock(&x->lock);
    list_sort(&l, delta_order);
    *out = l.data;
    return l.n;
}

size_t script_index_touched(struct script_index *x, uint8_t (**out)[32], const struct txid *id)
{
    const struct entry *e;
    size_t n = 0;

    *out = NULL;
    pthread_mutex_lock(&x->lock);
    e = find(x, id);
    if (e && e->n_touch) {
        n = e->n_touch;
        *out = xmalloc(n * 32);
        for (size_t i = 0; i < n; i++)
            memcpy((*out)[i], e->touch[i].script, 32);
    }
    pthread_mutex_unlock(&x->lock);
    return n;
}
