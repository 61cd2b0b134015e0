/* feed.c - connected blocks on their way to the indexes: made by the validation thread, shared by reference, dropped when the last index is
 * done. What does not fit is not kept: an index reads it from disk when it gets there, so that a slow index costs no memory. */
#include "feed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

struct index_block {
    atomic_uint refs;
    const struct block_entry *entry;
    struct block *block;
    size_t bytes;
    pthread_mutex_t lock; /* guards what follows */
    uint8_t *record;      /* encoded undo; NULL: none, or decoded already */
    size_t record_len;
    struct block_undo *undo;
};

struct index_block *index_block_new(const struct block_entry *e, struct block *block, const uint8_t *undo, size_t undo_len)
{
    struct index_block *b = xcalloc(1, sizeof(*b));

    atomic_init(&b->refs, 1);
    b->entry = e;
    b->block = block_ref(block);
    b->bytes = block_memory(block) + undo_len;
    pthread_mutex_init(&b->lock, NULL);
    if (undo) {
        b->record = xmemdup(undo, undo_len);
        b->record_len = undo_len;
    }
    return b;
}

static struct index_block *ref(struct index_block *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void index_block_unref(struct index_block *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    block_unref(b->block);
    if (b->undo)
        block_undo_free(b->undo);
    free(b->record);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

struct block *index_block_get(struct index_block *b)
{
    return b->block;
}

const struct block_undo *index_block_undo(struct index_block *b)
{
    pthread_mutex_lock(&b->lock);
    if (!b->undo && b->record) {
        b->undo = block_undo_decode(b->record, b->record_len);
        free(b->record);
        b->record = NULL;
    }
    pthread_mutex_unlock(&b->lock);
    return b->undo;
}

static struct index_block *pop(struct feed *f)
{
    struct index_block *b = f->block[f->first];

    f->first = (f->first + 1) % FEED_BLOCKS;
    f->n--;
    f->bytes -= b->bytes;
    return b;
}

void feed_offer(struct feed *f, struct index_block *b, const struct block_entry *best)
{
    int32_t height = best ? best->node.height : -1;

    if (f->n == FEED_BLOCKS || (f->n && f->bytes + b->bytes > FEED_BYTES) || b->entry->node.height - height > FEED_AHEAD)
        return;
    f->block[(f->first + f->n++) % FEED_BLOCKS] = ref(b);
    f->bytes += b->bytes;
}

struct index_block *feed_take(struct feed *f, const struct block_entry *e)
{
    while (f->n && f->block[f->first]->entry->node.height <= e->node.height) {
        struct index_block *b = pop(f);

        if (b->entry == e)
            return b;
        index_block_unref(b);
    }
    return NULL;
}

void feed_clear(struct feed *f)
{
    while (f->n)
        index_block_unref(pop(f));
}
