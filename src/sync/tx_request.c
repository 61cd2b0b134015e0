/* tx_request.c - the states of announcements. Waiting ones and requests stand in a heap by time; those whose time has come, but for the best, in
 * a heap of their transaction by priority; the best one in its peer's list of what to ask now. Loop thread. */
#include "sync/tx_request.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "crypto/hash.h"
#include "sync/table.h"
#include "util/assert.h"
#include "util/mem.h"

enum state { WAITING, READY, BEST, ASKED, FAILED };

struct tx_item;

/* One peer that announced one transaction. */
struct announcement {
    struct table_link by_pair;
    struct tx_announcer *from;
    struct tx_item *item;
    int64_t time; /* WAITING: when it may be asked; ASKED: when the request expires */
    uint64_t sequence, priority;
    struct announcement *peer_prev, *peer_next; /* all of its peer */
    struct announcement *item_prev, *item_next; /* all of its transaction */
    struct announcement *best_prev, *best_next; /* BEST: of its peer */
    uint32_t place;                             /* in the heap by time (WAITING, ASKED) or of its item (READY) */
    uint8_t state;
    bool is_wtxid; /* what it was announced as: both may be the same hash */
};

struct tx_item {
    struct table_link by_hash;
    struct announcement *all, *selected; /* selected: BEST or ASKED; NULL: none is ready */
    struct prio ready;
    uint32_t n_open; /* not FAILED */
    uint8_t hash[32];
};

struct tx_announcer {
    int64_t id;
    void *ctx;
    struct announcement *all, *best;
    size_t n, n_asked, n_best;
    struct tx_announcer *ready_prev, *ready_next;
    bool is_ready;
};

struct tx_requests {
    uint64_t k0, k1, sequence;
    struct table items, pairs;
    struct prio times;
    struct tx_announcer *ready;
    size_t n, n_announcers;
};

static bool sooner(const void *a, const void *b)
{
    return ((const struct announcement *)a)->time < ((const struct announcement *)b)->time;
}

static bool better(const void *a, const void *b)
{
    return ((const struct announcement *)a)->priority > ((const struct announcement *)b)->priority;
}

static const struct prio_kind by_time = {sooner, offsetof(struct announcement, place)};
static const struct prio_kind by_priority = {better, offsetof(struct announcement, place)};

struct tx_requests *tx_requests_new(uint64_t k0, uint64_t k1)
{
    struct tx_requests *t = xcalloc(1, sizeof(*t));
    t->k0 = k0;
    t->k1 = k1;
    return t;
}

void tx_requests_free(struct tx_requests *t)
{
    if (!t)
        return;
    ASSERT(t->n_announcers == 0 && t->n == 0);
    table_clear(&t->items);
    table_clear(&t->pairs);
    prio_clear(&t->times);
    free(t);
}

struct tx_announcer *tx_announcer_new(struct tx_requests *t, int64_t id, void *ctx)
{
    struct tx_announcer *a = xcalloc(1, sizeof(*a));
    a->id = id;
    a->ctx = ctx;
    t->n_announcers++;
    return a;
}

void *tx_announcer_ctx(const struct tx_announcer *a)
{
    return a->ctx;
}

int64_t tx_announcer_id(const struct tx_announcer *a)
{
    return a->id;
}

size_t tx_announcer_count(const struct tx_announcer *a)
{
    return a->n;
}

size_t tx_announcer_in_flight(const struct tx_announcer *a)
{
    return a->n_asked;
}

/* ---- finding ---- */

static uint64_t hash_digest(const struct tx_requests *t, const uint8_t hash[32])
{
    return siphash_hash(t->k0, t->k1, hash);
}

static uint64_t pair_digest(const struct tx_requests *t, uint64_t digest, const struct tx_announcer *a)
{
    uint64_t in[2] = {digest, (uint64_t)a->id};
    return siphash(t->k1, t->k0, in, sizeof(in));
}

static struct tx_item *find_item(const struct tx_requests *t, const uint8_t hash[32])
{
    struct table_link *l = table_first(&t->items, hash_digest(t, hash));

    for (; l; l = table_next(l)) {
        struct tx_item *i = ENTRY_OF(l, struct tx_item, by_hash);
        if (memcmp(i->hash, hash, 32) == 0)
            return i;
    }
    return NULL;
}

static struct announcement *find(const struct tx_requests *t, const struct tx_announcer *a, const uint8_t hash[32])
{
    struct table_link *l = table_first(&t->pairs, pair_digest(t, hash_digest(t, hash), a));

    for (; l; l = table_next(l)) {
        struct announcement *n = ENTRY_OF(l, struct announcement, by_pair);
        if (n->from == a && memcmp(n->item->hash, hash, 32) == 0)
            return n;
    }
    return NULL;
}

/* ---- states ---- */

static void list_best(struct tx_requests *t, struct announcement *n)
{
    struct tx_announcer *a = n->from;

    DL_APPEND2(a->best, n, best_prev, best_next);
    a->n_best++;
    if (!a->is_ready) {
        a->is_ready = true;
        DL_APPEND2(t->ready, a, ready_prev, ready_next);
    }
}

static void unlist_best(struct tx_requests *t, struct announcement *n)
{
    struct tx_announcer *a = n->from;

    DL_DELETE2(a->best, n, best_prev, best_next);
    if (--a->n_best == 0) {
        a->is_ready = false;
        DL_DELETE2(t->ready, a, ready_prev, ready_next);
    }
}

/* Takes an announcement out of whatever its state has put it into. The item may be left with ready ones and none selected. */
static void leave_state(struct tx_requests *t, struct announcement *n)
{
    if (n->state == WAITING || n->state == ASKED)
        prio_remove(&t->times, &by_time, n);
    else if (n->state == READY)
        prio_remove(&n->item->ready, &by_priority, n);
    else if (n->state == BEST)
        unlist_best(t, n);
    if (n->state == ASKED)
        n->from->n_asked--;
    if (n->item->selected == n)
        n->item->selected = NULL;
}

static void enter_state(struct tx_requests *t, struct announcement *n, enum state state)
{
    n->state = (uint8_t)state;
    if (state == WAITING || state == ASKED)
        prio_add(&t->times, &by_time, n);
    else if (state == READY)
        prio_add(&n->item->ready, &by_priority, n);
    else if (state == BEST)
        list_best(t, n);
    if (state == ASKED)
        n->from->n_asked++;
    if (state == BEST || state == ASKED)
        n->item->selected = n;
}

static void change(struct tx_requests *t, struct announcement *n, enum state state)
{
    leave_state(t, n);
    enter_state(t, n, state);
}

/* Nobody is selected: the best of those that are ready takes the place. */
static void reselect(struct tx_requests *t, struct tx_item *i)
{
    if (!i->selected && i->ready.n)
        change(t, prio_first(&i->ready), BEST);
}

static void drop(struct tx_requests *t, struct announcement *n)
{
    leave_state(t, n);
    table_remove(&t->pairs, &n->by_pair);
    DL_DELETE2(n->from->all, n, peer_prev, peer_next);
    DL_DELETE2(n->item->all, n, item_prev, item_next);
    n->from->n--;
    t->n--;
    free(n);
}

static void drop_item(struct tx_requests *t, struct tx_item *i)
{
    while (i->all)
        drop(t, i->all);
    table_remove(&t->items, &i->by_hash);
    prio_clear(&i->ready);
    free(i);
}

/* Returns: false if that was the last hope and the whole item, n included, is gone. */
static bool fail(struct tx_requests *t, struct announcement *n)
{
    struct tx_item *i = n->item;

    if (n->state == FAILED)
        return true;
    if (i->n_open == 1) {
        drop_item(t, i);
        return false;
    }
    i->n_open--;
    change(t, n, FAILED);
    reselect(t, i);
    return true;
}

/* Its time has come. */
static void promote(struct tx_requests *t, struct announcement *n)
{
    struct announcement *selected = n->item->selected;

    if (!selected) {
        change(t, n, BEST);
    } else if (selected->state == BEST && better(n, selected)) {
        change(t, selected, READY);
        change(t, n, BEST);
    } else {
        change(t, n, READY);
    }
}

/* ---- what happens ---- */

static struct tx_item *item_new(struct tx_requests *t, const uint8_t hash[32])
{
    struct tx_item *i = xcalloc(1, sizeof(*i));

    memcpy(i->hash, hash, 32);
    table_add(&t->items, &i->by_hash, hash_digest(t, hash));
    return i;
}

void tx_requests_announced(struct tx_requests *t, struct tx_announcer *a, const uint8_t hash[32], bool is_wtxid, bool preferred,
                           int64_t time)
{
    struct announcement *n = find(t, a, hash);

    if (n)
        return;
    n = xcalloc(1, sizeof(*n));
    n->from = a;
    n->item = find_item(t, hash);
    if (!n->item)
        n->item = item_new(t, hash);
    n->is_wtxid = is_wtxid;
    n->time = time;
    n->sequence = t->sequence++;
    table_add(&t->pairs, &n->by_pair, pair_digest(t, n->item->by_hash.digest, a));
    n->priority = n->by_pair.digest >> 1 | (preferred ? (uint64_t)1 << 63 : 0);
    DL_APPEND2(a->all, n, peer_prev, peer_next);
    DL_APPEND2(n->item->all, n, item_prev, item_next);
    a->n++;
    t->n++;
    n->item->n_open++;
    enter_state(t, n, WAITING);
}

void tx_requests_asked(struct tx_requests *t, struct tx_announcer *a, const uint8_t hash[32], int64_t expiry)
{
    struct announcement *n = find(t, a, hash), *before;

    if (!n || n->state == ASKED || n->state == FAILED)
        return;
    before = n->item->selected;
    if (before && before != n) {
        if (before->state == ASKED)
            n->item->n_open--;
        change(t, before, before->state == ASKED ? FAILED : READY);
    }
    leave_state(t, n);
    n->time = expiry;
    enter_state(t, n, ASKED);
}

void tx_requests_answered(struct tx_requests *t, struct tx_announcer *a, const uint8_t hash[32])
{
    struct announcement *n = find(t, a, hash);
    if (n)
        fail(t, n);
}

void tx_requests_forget(struct tx_requests *t, const uint8_t hash[32])
{
    struct tx_item *i = find_item(t, hash);
    if (i)
        drop_item(t, i);
}

void tx_announcer_free(struct tx_requests *t, struct tx_announcer *a)
{
    if (!a)
        return;
    while (a->all) {
        struct announcement *n = a->all;
        if (fail(t, n))
            drop(t, n);
    }
    t->n_announcers--;
    free(a);
}

void tx_requests_advance(struct tx_requests *t, int64_t now, tx_expired_fn expired, void *ctx)
{
    struct announcement *n;

    while ((n = prio_first(&t->times)) && n->time <= now) {
        if (n->state == WAITING) {
            promote(t, n);
            continue;
        }
        if (expired)
            expired(ctx, n->from, n->item->hash, n->is_wtxid);
        fail(t, n);
    }
}

static int by_sequence(const void *a, const void *b)
{
    const struct announcement *x = *(struct announcement *const *)a, *y = *(struct announcement *const *)b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

size_t tx_requests_wanted(struct tx_requests *t, struct tx_announcer *a, struct tx_wanted **out)
{
    struct announcement **list, *n;
    size_t count = 0;

    (void)t;
    *out = NULL;
    if (!a->n_best)
        return 0;
    list = xmalloc(a->n_best * sizeof(struct announcement *));
    DL_FOREACH2(a->best, n, best_next)
    list[count++] = n;
    qsort(list, count, sizeof(*list), by_sequence);
    *out = xmalloc(count * sizeof(**out));
    for (size_t i = 0; i < count; i++) {
        memcpy((*out)[i].hash, list[i]->item->hash, 32);
        (*out)[i].is_wtxid = list[i]->is_wtxid;
    }
    free(list);
    return count;
}

struct tx_announcer *tx_requests_ready(const struct tx_requests *t)
{
    return t->ready;
}

int64_t tx_requests_next(const struct tx_requests *t)
{
    const struct announcement *n = prio_first(&t->times);
    return n ? n->time : INT64_MAX;
}

size_t tx_requests_candidates(const struct tx_requests *t, const uint8_t hash[32], struct tx_announcer ***out)
{
    const struct tx_item *i = find_item(t, hash);
    const struct announcement *n;
    size_t count = 0;

    *out = NULL;
    if (!i)
        return 0;
    *out = xmalloc(i->n_open * sizeof(**out));
    DL_FOREACH2(i->all, n, item_next)
    if (n->state != FAILED)
        (*out)[count++] = n->from;
    return count;
}

size_t tx_requests_size(const struct tx_requests *t)
{
    return t->n;
}
