/* block_cache.c - what was asked for of blocks a moment ago, and is likely to be asked for again: a block's bytes for REST, and what "getblock" shows
 * of it besides its header. Explorers and wallets ask for the same new blocks again and again, while a client that goes through the chain asks for
 * each once, or two of them do: so nothing is kept before it is asked for a second time, bytes, which cost little to read, a third time, and nothing
 * for long. Any thread. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rpc/server_priv.h"
#include "util/fs.h"

#define BYTES_MAX ((size_t)16 << 20)
#define ENTRY_MAX ((size_t)8 << 20)
#define ENTRIES_MAX 64
#define ASKED_MAX 64 /* what was asked for lately */
#define TIMES 2      /* that it is asked for until it is kept */
#define TIMES_RAW 3
#define IDLE_US 60000000
#define FILE_MIN ((size_t)64 << 10) /* below that, a copy is as good */

struct asked {
    struct block_hash hash;
    enum kept_form form;
    unsigned times; /* 0: free */
};
struct block_cache {
    pthread_mutex_t mutex;
    struct kept *first; /* the one that was used last */
    size_t bytes;
    unsigned n;
    struct asked asked[ASKED_MAX];
    unsigned next_asked;
    struct block_buffer *buffer; /* NULL: none, or in use */
    bool buffer_used;            /* since the last sweep */
};

struct block_cache *block_cache_new(void)
{
    struct block_cache *c = xcalloc(1, sizeof(*c));

    pthread_mutex_init(&c->mutex, NULL);
    return c;
}

void kept_unref(void *arg)
{
    struct kept *k = arg;

    if (!k || atomic_fetch_sub(&k->refs, 1) != 1)
        return;
    if (k->file >= 0)
        close(k->file);
    free(k->data);
    free(k);
}

/* Lets go of the one that *at points to. The lock is held. */
static void drop(struct block_cache *c, struct kept **at)
{
    struct kept *k = *at;

    *at = k->next;
    c->bytes -= k->len;
    c->n--;
    kept_unref(k);
}

void block_cache_free(struct block_cache *c)
{
    while (c->first)
        drop(c, &c->first);
    free(c->buffer);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

struct kept *block_cache_find(struct block_cache *c, const struct block_hash *hash, enum kept_form form)
{
    struct kept *k = NULL;

    pthread_mutex_lock(&c->mutex);
    for (struct kept **at = &c->first; *at && !k; at = &(*at)->next) {
        if ((*at)->form != form || !block_hash_equal(&(*at)->hash, hash))
            continue;
        k = *at;
        *at = k->next;
        k->next = c->first;
        c->first = k;
        k->used_us = time_mono_us();
        atomic_fetch_add(&k->refs, 1);
        break;
    }
    pthread_mutex_unlock(&c->mutex);
    return k;
}

/* Notes that it was asked for. Returns: was it often enough? */
static bool asked_again(struct block_cache *c, const struct block_hash *hash, enum kept_form form)
{
    for (unsigned i = 0; i < ASKED_MAX; i++) {
        struct asked *a = &c->asked[i];
        if (!a->times || a->form != form || !block_hash_equal(&a->hash, hash))
            continue;
        if (++a->times < (form == KEPT_RAW ? TIMES_RAW : TIMES))
            return false;
        a->times = 0;
        return true;
    }
    c->asked[c->next_asked++ % ASKED_MAX] = (struct asked){*hash, form, 1};
    return false;
}

bool block_cache_wants(struct block_cache *c, const struct block_hash *hash, enum kept_form form, size_t len)
{
    bool again;

    if (len > ENTRY_MAX)
        return false;
    pthread_mutex_lock(&c->mutex);
    again = asked_again(c, hash, form);
    pthread_mutex_unlock(&c->mutex);
    return again;
}

/* As a file the bytes can be sent without being copied into the socket. */
static void make_file(struct kept *k)
{
    k->file = k->form == KEPT_RAW && k->len >= FILE_MIN ? memfd_create("block", MFD_CLOEXEC) : -1;
    if (k->file < 0)
        return;
    if (fs_pwrite(k->file, k->data, k->len, 0) == RC_OK) {
        free(k->data);
        k->data = NULL;
    } else {
        close(k->file);
        k->file = -1;
    }
}

struct kept *block_cache_add_take(struct block_cache *c, const struct block_hash *hash, enum kept_form form, uint8_t *data_take,
                                  size_t len)
{
    struct kept *k = xcalloc(1, sizeof(*k)), **last;

    atomic_init(&k->refs, 2);
    k->hash = *hash;
    k->form = form;
    k->data = data_take;
    k->len = len;
    k->used_us = time_mono_us();
    make_file(k);
    pthread_mutex_lock(&c->mutex);
    k->next = c->first;
    c->first = k;
    c->bytes += len;
    c->n++;
    while (c->bytes > BYTES_MAX || c->n > ENTRIES_MAX) {
        for (last = &c->first; (*last)->next; last = &(*last)->next)
            ;
        drop(c, last);
    }
    pthread_mutex_unlock(&c->mutex);
    return k;
}

struct block_buffer *block_buffer_get(struct block_cache *c)
{
    struct block_buffer *b;

    pthread_mutex_lock(&c->mutex);
    b = c->buffer;
    c->buffer = NULL;
    c->buffer_used = true;
    pthread_mutex_unlock(&c->mutex);
    if (!b) {
        b = xmalloc(sizeof(*b));
        b->of = c;
    }
    return b;
}

void block_buffer_put(void *arg)
{
    struct block_buffer *b = arg;
    struct block_cache *c = b->of;

    pthread_mutex_lock(&c->mutex);
    if (!c->buffer) {
        c->buffer = b;
        b = NULL;
    }
    pthread_mutex_unlock(&c->mutex);
    free(b);
}

void block_cache_sweep(struct block_cache *c, int64_t now_us)
{
    struct kept **at = &c->first;

    pthread_mutex_lock(&c->mutex);
    if (!c->buffer_used) {
        free(c->buffer);
        c->buffer = NULL;
    }
    c->buffer_used = false;
    while (*at) {
        if (now_us - (*at)->used_us > IDLE_US)
            drop(c, at);
        else
            at = &(*at)->next;
    }
    pthread_mutex_unlock(&c->mutex);
}
