/* watch.c - subscriptions to scripts, see watch.h. Filled by sessions on pool threads, touched by the validation thread and the notifier. */
#include "watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uthash.h>

#include "crypto/hash.h"
#include "util/mem.h"
#include "util/random.h"

/* Keys are hashed with a secret: clients choose script hashes freely, and must not choose the places in the tables. */
struct script_key {
    uint64_t k[2];
};
struct watch {
    struct script_key key;
    struct script_hash hash;
    uint64_t serial; /* grows when it is touched */
    bool touched, unconfirmed;
    struct subscription *subs;
    struct watch *next_touched, *prev_touched;
    UT_hash_handle hh;
};
struct subscription_key {
    struct script_key script;
    uint64_t who; /* twice the watcher's number, and 1 by address */
};
struct subscription {
    struct subscription_key key;
    struct watch *watch;
    struct watcher *watcher;
    struct subscription *next, *prev;         /* of the watch */
    struct subscription *next_own, *prev_own; /* of the watcher */
    char *address;                            /* NULL: by script hash */
    bool told;
    struct script_status status;
    UT_hash_handle hh;
};

struct watch_table {
    pthread_mutex_t lock;
    uint64_t secret[2];
    struct watch *watches;
    struct subscription *subs;
    struct watch *touched; /* a list */
    atomic_size_t n;       /* watches */
    size_t most;
};

struct watch_table *watch_table_new(size_t most)
{
    struct watch_table *t = xcalloc(1, sizeof(*t));

    pthread_mutex_init(&t->lock, NULL);
    random_bytes(t->secret, sizeof(t->secret));
    t->most = most;
    return t;
}

void watch_table_free(struct watch_table *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static struct script_key key_of(const struct watch_table *t, const uint8_t script[32])
{
    return (struct script_key){
        {siphash_hash(t->secret[0], t->secret[1], script), siphash_hash(t->secret[1], ~t->secret[0], script)}};
}

static struct watch *find_watch(struct watch_table *t, const uint8_t script[32])
{
    struct script_key key = key_of(t, script);
    struct watch *w;

    HASH_FIND(hh, t->watches, &key, sizeof(key), w);
    return w;
}

static struct subscription *find_sub(struct watch_table *t, const struct watcher *w, const struct script_hash *h, bool by_address)
{
    struct subscription_key key = {key_of(t, h->bytes), 2 * w->id + by_address};
    struct subscription *s;

    HASH_FIND(hh, t->subs, &key, sizeof(key), s);
    return s;
}

static void touch(struct watch_table *t, struct watch *w)
{
    w->serial++;
    if (w->touched)
        return;
    w->touched = true;
    w->prev_touched = NULL;
    w->next_touched = t->touched;
    if (t->touched)
        t->touched->prev_touched = w;
    t->touched = w;
}

static void untouch(struct watch_table *t, struct watch *w)
{
    if (!w->touched)
        return;
    if (w->prev_touched)
        w->prev_touched->next_touched = w->next_touched;
    else
        t->touched = w->next_touched;
    if (w->next_touched)
        w->next_touched->prev_touched = w->prev_touched;
    w->touched = false;
}

static struct watch *get_watch(struct watch_table *t, const struct script_hash *h)
{
    struct watch *w = find_watch(t, h->bytes);

    if (w)
        return w;
    w = xcalloc(1, sizeof(*w));
    w->key = key_of(t, h->bytes);
    w->hash = *h;
    HASH_ADD(hh, t->watches, key, sizeof(w->key), w);
    atomic_fetch_add(&t->n, 1);
    return w;
}

static void link_sub(struct subscription *s)
{
    s->next = s->watch->subs;
    if (s->next)
        s->next->prev = s;
    s->watch->subs = s;
    s->next_own = s->watcher->first;
    if (s->next_own)
        s->next_own->prev_own = s;
    s->watcher->first = s;
    s->watcher->n++;
}

bool watch_add(struct watch_table *t, struct watcher *w, uint64_t *serial, const struct script_hash *h, const char *address)
{
    struct subscription *s;
    bool room;

    pthread_mutex_lock(&t->lock);
    s = find_sub(t, w, h, address != NULL);
    room = s || (w->n < WATCH_CLIENT_MAX && HASH_COUNT(t->subs) < t->most);
    if (room && !s) {
        s = xcalloc(1, sizeof(*s));
        s->watch = get_watch(t, h);
        s->watcher = w;
        s->key = (struct subscription_key){s->watch->key, 2 * w->id + (address != NULL)};
        s->address = address ? xstrdup(address) : NULL;
        HASH_ADD(hh, t->subs, key, sizeof(s->key), s);
        link_sub(s);
    }
    if (room)
        *serial = s->watch->serial;
    pthread_mutex_unlock(&t->lock);
    return room;
}

bool watch_set(struct watch_table *t, struct watcher *w, const struct script_hash *h, bool by_address, uint64_t serial,
               const struct script_status *status)
{
    struct subscription *s;
    bool again = false;

    pthread_mutex_lock(&t->lock);
    s = find_sub(t, w, h, by_address);
    if (s) {
        s->told = true;
        s->status = *status;
        s->watch->unconfirmed |= status->unconfirmed;
        again = s->watch->serial != serial;
        if (again)
            touch(t, s->watch);
    }
    pthread_mutex_unlock(&t->lock);
    return again;
}

static void drop_sub(struct watch_table *t, struct subscription *s)
{
    struct watch *w = s->watch;

    HASH_DELETE(hh, t->subs, s);
    if (s->prev)
        s->prev->next = s->next;
    else
        w->subs = s->next;
    if (s->next)
        s->next->prev = s->prev;
    if (s->prev_own)
        s->prev_own->next_own = s->next_own;
    else
        s->watcher->first = s->next_own;
    if (s->next_own)
        s->next_own->prev_own = s->prev_own;
    s->watcher->n--;
    free(s->address);
    free(s);
    if (w->subs)
        return;
    untouch(t, w);
    HASH_DELETE(hh, t->watches, w);
    atomic_fetch_sub(&t->n, 1);
    free(w);
}

bool watch_remove(struct watch_table *t, struct watcher *w, const struct script_hash *h, bool by_address)
{
    struct subscription *s;

    pthread_mutex_lock(&t->lock);
    s = find_sub(t, w, h, by_address);
    if (s)
        drop_sub(t, s);
    pthread_mutex_unlock(&t->lock);
    return s != NULL;
}

void watch_remove_all(struct watch_table *t, struct watcher *w)
{
    pthread_mutex_lock(&t->lock);
    while (w->first)
        drop_sub(t, w->first);
    pthread_mutex_unlock(&t->lock);
}

size_t watch_count(struct watch_table *t)
{
    return atomic_load(&t->n);
}

bool watch_touch(struct watch_table *t, const uint8_t script[32])
{
    struct watch *w;

    if (atomic_load(&t->n) == 0)
        return false;
    pthread_mutex_lock(&t->lock);
    w = find_watch(t, script);
    if (w)
        touch(t, w);
    pthread_mutex_unlock(&t->lock);
    return w != NULL;
}

void watch_touch_all(struct watch_table *t, bool unconfirmed_only)
{
    pthread_mutex_lock(&t->lock);
    for (struct watch *w = t->watches; w; w = w->hh.next)
        if (w->unconfirmed || !unconfirmed_only)
            touch(t, w);
    pthread_mutex_unlock(&t->lock);
}

size_t watch_take(struct watch_table *t, struct touched_script *out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&t->lock);
    while (n < max && t->touched) {
        struct watch *w = t->touched;
        out[n++] = (struct touched_script){w->hash, w->serial};
        untouch(t, w);
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}

static bool same_status(const struct script_status *a, const struct script_status *b)
{
    return a->any == b->any && (!a->any || memcmp(a->hash, b->hash, 32) == 0);
}

void watch_publish(struct watch_table *t, const struct script_hash *h, const struct script_status *status,
                   void (*fn)(void *ctx, uint64_t watcher, const struct script_hash *h, const char *address,
                              const struct script_status *status),
                   void *ctx)
{
    struct watch *w;

    pthread_mutex_lock(&t->lock);
    w = find_watch(t, h->bytes);
    if (w)
        w->unconfirmed = status->unconfirmed;
    for (struct subscription *s = w ? w->subs : NULL; s; s = s->next) {
        if (!s->told || same_status(&s->status, status))
            continue;
        s->status = *status;
        fn(ctx, s->watcher->id, h, s->address, status);
    }
    pthread_mutex_unlock(&t->lock);
}
