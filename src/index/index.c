/* index.c - the thread that follows the active chain for one index. Woken, it walks from where it stands to the tip by the block tree, over the
 * fork if its branch was abandoned, and takes each block out of its feed or reads it from disk. Only the ends of branches that were abandoned
 * before it got there are kept for it, so that blocks of a short-lived branch are indexed as well. */
#include "index/index.h"

#include "feed.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chain/snapshot.h"
#include "primitives/serialize.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/thread.h"
#include "util/time.h"

#define INTERVAL_US ((int64_t)30 * 1000000) /* between lines of progress, and between attempts to store the place */
#define TIDY_US 250000                      /* at least between times that free memory is given back */
#define TIDY_SHARE 20                       /* and so many times what it takes */
#define LOCATOR_VERSION 70016               /* in front of a stored locator; nobody reads it */
#define LOCATOR_MAX 64
#define ABANDONED_MAX 16
#define STOP_CATCH_UP 100 /* blocks that are still indexed when the node stops; an index further behind is being built */

static const uint8_t old_place_key[1] = {'B'};

struct index {
    struct index_options o;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; /* guards what follows, up to the blank line */
    pthread_cond_t cond;  /* woken, moved on or stopping */
    uint64_t wakes;
    bool stopping, ended;
    bool synced;
    const struct block_entry *best; /* the block up to which the index stands */
    const struct block_entry *abandoned[ABANDONED_MAX];
    unsigned n_abandoned; /* in the order of time: to be visited before the tip */
    struct feed feed;

    const struct block_entry *stored; /* the place in the database; the thread's own */
    int64_t next_log_us, next_store_us, next_tidy_us;
};

/* ---- opening ---- */

static void write_place_key(struct writer *w, const struct index_ops *ops)
{
    if (ops->place_name)
        store_name_key(w, ops->place_name);
    else
        write_bytes(w, old_place_key, sizeof(old_place_key));
}

static enum rc get_place(struct index *x, uint8_t **value, size_t *len)
{
    struct writer key = WRITER_INIT;
    enum rc rc;

    write_place_key(&key, x->o.ops);
    rc = kv_get(x->o.kv, key.data, key.len, value, len);
    writer_clear(&key);
    if (rc == RC_NOT_FOUND && x->o.ops->place_name)
        rc = kv_get(x->o.kv, old_place_key, sizeof(old_place_key), value, len);
    return rc;
}

static enum rc read_place(struct index *x, char **error)
{
    struct block_hash hash;
    struct reader r;
    uint8_t *value;
    size_t len;
    enum rc rc = get_place(x, &value, &len);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK) {
        *error = xasprintf("Cannot read the state of %s: %s", x->o.ops->name, kv_last_error());
        return rc;
    }
    r = reader_make(value, len);
    read_u32(&r);
    if (read_compact_size(&r) > 0) {
        read_copy(&r, hash.b, sizeof(hash.b));
        x->best = r.failed ? NULL : chain_lookup(x->o.chain, &hash);
    }
    free(value);
    if (!x->best) {
        *error = xasprintf("best block of %s not found. Please rebuild the index.", x->o.ops->name);
        return RC_CORRUPT;
    }
    x->stored = x->best;
    return RC_OK;
}

/* Is every block there that lies between the index and the tip? */
static bool data_available(struct index *x)
{
    uint32_t wanted = BLOCK_HAVE_DATA | (x->o.ops->needs_undo ? BLOCK_HAVE_UNDO : 0);
    const struct block_entry *fork;

    if (!chain_pruned(x->o.chain) || !chain_tip(x->o.chain))
        return true;
    fork = x->best ? chain_fork(x->o.chain, x->best) : NULL;
    for (const struct block_entry *e = chain_validated_tip(x->o.chain); e && e != fork && e->node.prev; e = entry_prev(e)) {
        struct entry_facts f;

        chain_facts(x->o.chain, e, &f);
        if ((f.status & wanted) != wanted)
            return false;
    }
    return true;
}

enum rc index_new(struct index **out, const struct index_options *o, char **error)
{
    struct index *x = xcalloc(1, sizeof(*x));
    pthread_condattr_t attr;
    enum rc rc;

    *out = NULL;
    *error = NULL;
    x->o = *o;
    pthread_mutex_init(&x->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&x->cond, &attr);
    pthread_condattr_destroy(&attr);
    rc = read_place(x, error);
    if (rc == RC_OK) {
        rc = o->ops->start(o->impl, x->best);
        if (rc != RC_OK)
            *error = xasprintf("Cannot read current %s state; index may be corrupted", o->ops->name);
    }
    if (rc == RC_OK && !data_available(x)) {
        *error = xasprintf("%s best block of the index goes beyond pruned data%s. Please disable the index or reindex (which will "
                           "download the whole blockchain again)",
                           o->ops->name, o->ops->needs_undo ? " (including undo data)" : "");
        rc = RC_NOT_FOUND;
    }
    if (rc != RC_OK) {
        index_free(x);
        return rc;
    }
    *out = x;
    return RC_OK;
}

void index_free(struct index *x)
{
    if (!x)
        return;
    feed_clear(&x->feed);
    pthread_cond_destroy(&x->cond);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

/* ---- the thread ---- */

static bool fail(struct index *x, const char *what, const struct block_entry *e)
{
    char text[200];

    snprintf(text, sizeof(text), what, block_hash_hex(&e->node.hash).s);
    x->o.fatal(x->o.ctx, text);
    return false;
}

/* What a user can do about it, beside the failure that stops the node. */
static void advise(struct index *x, enum rc rc)
{
    if (rc == RC_CORRUPT && !x->o.ops->heals)
        log_error("The %s is damaged. Please rebuild the index: delete its folder below indexes/ and start again", x->o.ops->name);
}

static bool is_ancestor(const struct block_entry *a, const struct block_entry *of)
{
    return of && a->node.height <= of->node.height && header_node_ancestor(&of->node, a->node.height) == &a->node;
}

/* Stores the place, unless the coins on disk are behind it or on another branch. A failure costs work after a restart, nothing else.
 * again: also where it is stored already, as Core does at the end: the journal then always ends in a whole record, and damage to it shows. */
static void store_place(struct index *x, bool again)
{
    const struct block_entry *best = x->best;
    struct block_hash hashes[LOCATOR_MAX];
    struct writer w = WRITER_INIT, key = WRITER_INIT;
    struct kv_batch *batch;
    size_t n;
    enum rc rc;

    if (!best || (best == x->stored && !again) || !is_ancestor(best, chain_flushed(x->o.chain)))
        return;
    batch = kv_batch_new(x->o.kv);
    n = chain_locator(x->o.chain, best, hashes);
    write_u32(&w, LOCATOR_VERSION);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++)
        write_bytes(&w, hashes[i].b, sizeof(hashes[i].b));
    rc = x->o.ops->commit(x->o.impl, batch);
    if (rc == RC_OK) {
        write_place_key(&key, x->o.ops);
        kv_batch_put(batch, key.data, key.len, w.data, w.len);
        rc = kv_batch_write(batch, true);
    }
    if (rc == RC_OK)
        x->stored = best;
    else
        log_error("Failed to commit latest %s state", x->o.ops->name);
    kv_batch_free(batch);
    writer_clear(&w);
    writer_clear(&key);
}

static void set_best(struct index *x, const struct block_entry *best)
{
    pthread_mutex_lock(&x->lock);
    x->best = best;
    pthread_cond_broadcast(&x->cond);
    pthread_mutex_unlock(&x->lock);
}

/* The end of an abandoned branch that is to be visited first; what the index covers by now is forgotten. */
static const struct block_entry *next_abandoned(struct index *x)
{
    const struct block_entry *e;

    pthread_mutex_lock(&x->lock);
    while (x->n_abandoned && is_ancestor(x->abandoned[0], x->best)) {
        x->n_abandoned--;
        memmove(x->abandoned, x->abandoned + 1, x->n_abandoned * sizeof(x->abandoned[0]));
    }
    e = x->n_abandoned ? x->abandoned[0] : NULL;
    pthread_mutex_unlock(&x->lock);
    return e;
}

/* The block that comes next. *from: its parent, which is not `best` if that was abandoned. Returns: NULL if there is none now; a tip that went
 * back on the same branch (invalidateblock, a chain state that is rebuilt) leaves the index where it is, as its blocks may well come back. */
static const struct block_entry *next_block(struct index *x, const struct block_entry **from)
{
    const struct block_entry *next = next_abandoned(x);

    *from = x->best;
    if (!x->best)
        return chain_at(x->o.chain, 0);
    if (next) {
        *from = entry_of(header_node_fork(&x->best->node, &next->node));
        return entry_of(header_node_ancestor(&next->node, (*from)->node.height + 1));
    }
    next = chain_next(x->o.chain, x->best);
    if (next || !chain_tip(x->o.chain))
        return next;
    *from = chain_fork(x->o.chain, x->best);
    return *from ? chain_next(x->o.chain, *from) : NULL;
}

/* Blocks of a history that is not validated yet, behind a snapshot, wait. */
static const struct block_entry *next_ready(struct index *x, const struct block_entry **from)
{
    const struct block_entry *next = next_block(x, from), *validated, *base;

    if (next && chain_history(x->o.chain, &validated, &base) && !is_ancestor(next, validated))
        return NULL;
    return next;
}

static bool rewind_to(struct index *x, const struct block_entry *to)
{
    while (x->best != to) {
        enum rc rc = x->o.ops->remove(x->o.impl, x->best);
        advise(x, rc);
        if (rc != RC_OK)
            return fail(x, "Failed to rewind index at block %s to a previous chain tip", x->best);
        set_best(x, entry_prev(x->best));
    }
    return true;
}

/* A block to be appended, from the feed or from disk. */
struct source {
    struct index_block *shared; /* NULL: read from disk */
    struct block *block;
    struct block_undo *read; /* from disk */
    const struct block_undo *undo;
};

static void source_clear(struct source *s)
{
    if (s->shared)
        index_block_unref(s->shared);
    else
        block_unref(s->block);
    if (s->read)
        block_undo_free(s->read);
}

static bool source_find(struct index *x, struct source *s, const struct block_entry *e)
{
    bool wants_undo = x->o.ops->needs_undo && e->node.prev;

    memset(s, 0, sizeof(*s));
    pthread_mutex_lock(&x->lock);
    s->shared = feed_take(&x->feed, e);
    pthread_mutex_unlock(&x->lock);
    if (s->shared)
        s->block = index_block_get(s->shared);
    else if (chain_read_block(x->o.chain, &s->block, e) != RC_OK)
        return fail(x, "Failed to read block %s from disk", e);
    if (!wants_undo)
        return true;
    if (s->shared)
        s->undo = index_block_undo(s->shared);
    if (!s->undo && chain_read_undo(x->o.chain, &s->read, e) != RC_OK) {
        source_clear(s);
        return fail(x, "Failed to read undo block data %s from disk", e);
    }
    if (s->read)
        s->undo = s->read;
    return true;
}

static bool append_block(struct index *x, const struct block_entry *e)
{
    struct source s;
    enum rc rc;

    if (!source_find(x, &s, e))
        return false;
    rc = x->o.ops->append(x->o.impl, e, s.block, s.undo);
    source_clear(&s);
    advise(x, rc);
    if (rc != RC_OK)
        return fail(x, "Failed to write block %s to index database", e);
    set_best(x, e);
    return true;
}

/* During a sync blocks are made on one thread and freed on another, batches grow and go: what lies free between the pieces in use is given back
 * to the system, at a small part of the time. */
static void tidy(struct index *x)
{
    int64_t start = time_mono_us(), took;

    if (start < x->next_tidy_us ||
        (!chain_initial_download(x->o.chain) && x->best->node.height + STOP_CATCH_UP >= chain_height(x->o.chain)))
        return;
    mem_give_back();
    took = time_mono_us() - start;
    x->next_tidy_us = start + took + (took * TIDY_SHARE > TIDY_US ? took * TIDY_SHARE : TIDY_US);
}

static void tell_progress(struct index *x)
{
    int64_t now = time_mono_us();

    if (now >= x->next_log_us && !x->synced) {
        log_info("Syncing %s with block chain from height %d", x->o.ops->name, x->best->node.height);
        x->next_log_us = now + INTERVAL_US;
    }
    if (now >= x->next_store_us) {
        store_place(x, false);
        x->next_store_us = now + INTERVAL_US;
    }
    tidy(x);
}

/* An index that keeps up finishes the last blocks, so that it stands at the tip after a stop. */
static bool must_stop(struct index *x)
{
    int32_t behind = chain_height(x->o.chain) - (x->best ? x->best->node.height : -1);
    bool stop;

    pthread_mutex_lock(&x->lock);
    stop = x->stopping && (!x->synced || behind > STOP_CATCH_UP);
    pthread_mutex_unlock(&x->lock);
    return stop;
}

/* Walks to the tip. Returns: false after a failure, or if the index is to stop. */
static bool walk(struct index *x)
{
    const struct block_entry *next, *from;

    while ((next = next_ready(x, &from))) {
        if (must_stop(x)) {
            log_info("%s: interrupted at height %d", x->o.ops->name, x->best ? x->best->node.height : -1);
            return false;
        }
        /* During a long import this is the moment at which the coins on disk stand exactly here. */
        if (x->best && x->best == chain_flushed(x->o.chain))
            store_place(x, false);
        if (from != x->best && !rewind_to(x, from))
            return false;
        if (!append_block(x, next))
            return false;
        tell_progress(x);
    }
    return true;
}

static void note_synced(struct index *x)
{
    const struct block_entry *tip = chain_tip(x->o.chain);
    bool first = false;

    pthread_mutex_lock(&x->lock);
    if (!x->synced && tip && is_ancestor(tip, x->best))
        first = x->synced = true;
    pthread_cond_broadcast(&x->cond);
    pthread_mutex_unlock(&x->lock);
    if (first)
        log_info("%s is enabled at height %d", x->o.ops->name, x->best->node.height);
}

/* Waits for a wake-up after `seen`, or for the next attempt to store the place. Returns: false if the index is to stop. */
static bool wait_for_work(struct index *x, uint64_t *seen)
{
    struct timespec until;
    bool go_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += INTERVAL_US / 1000000;
    pthread_mutex_lock(&x->lock);
    while (x->wakes == *seen && !x->stopping)
        if (pthread_cond_timedwait(&x->cond, &x->lock, &until) != 0)
            break;
    *seen = x->wakes;
    go_on = !x->stopping;
    pthread_mutex_unlock(&x->lock);
    return go_on;
}

static void *index_main(void *arg)
{
    struct index *x = arg;
    uint64_t seen = 0;
    bool ok;

    log_info("%s thread start", x->o.ops->thread_name);
    x->next_log_us = x->next_store_us = time_mono_us() + INTERVAL_US;
    while ((ok = walk(x))) {
        note_synced(x);
        store_place(x, false);
        if (!wait_for_work(x, &seen))
            break;
    }
    if (ok)
        walk(x); /* what came between the last look and the order to stop */
    store_place(x, true);
    pthread_mutex_lock(&x->lock);
    x->ended = true;
    pthread_cond_broadcast(&x->cond);
    pthread_mutex_unlock(&x->lock);
    log_info("%s thread exit", x->o.ops->thread_name);
    return NULL;
}

/* ---- other threads ---- */

void index_start(struct index *x)
{
    x->thread = thread_start(x->o.ops->thread_name, index_main, x);
    x->started = true;
}

void index_wake(struct index *x)
{
    pthread_mutex_lock(&x->lock);
    x->wakes++;
    pthread_cond_broadcast(&x->cond);
    pthread_mutex_unlock(&x->lock);
}

void index_offer(struct index *x, struct index_block *b)
{
    pthread_mutex_lock(&x->lock);
    if (x->started && !x->stopping && !x->ended)
        feed_offer(&x->feed, b, x->best);
    pthread_mutex_unlock(&x->lock);
}

void index_disconnected(struct index *x, const struct block_entry *e)
{
    pthread_mutex_lock(&x->lock);
    if (x->synced && !is_ancestor(e, x->best) && (!x->n_abandoned || !is_ancestor(e, x->abandoned[x->n_abandoned - 1])) &&
        x->n_abandoned < ABANDONED_MAX)
        x->abandoned[x->n_abandoned++] = e;
    pthread_mutex_unlock(&x->lock);
}

void index_stop(struct index *x)
{
    if (!x->started)
        return;
    pthread_mutex_lock(&x->lock);
    x->stopping = true;
    pthread_cond_broadcast(&x->cond);
    pthread_mutex_unlock(&x->lock);
    pthread_join(x->thread, NULL);
    x->started = false;
}

void index_summary(struct index *x, struct index_summary *out)
{
    pthread_mutex_lock(&x->lock);
    *out = (struct index_summary){x->o.ops->name, x->synced, x->best};
    pthread_mutex_unlock(&x->lock);
}

bool index_covers(struct index *x, const struct block_entry *e)
{
    bool covers;

    pthread_mutex_lock(&x->lock);
    covers = is_ancestor(e, x->best);
    pthread_mutex_unlock(&x->lock);
    return covers;
}

bool index_wait(struct index *x, const atomic_bool *interrupt)
{
    const struct block_entry *tip = chain_validated_tip(x->o.chain);
    bool covered = false;

    pthread_mutex_lock(&x->lock);
    while (x->synced && !x->ended && !(covered = !tip || (!x->n_abandoned && is_ancestor(tip, x->best)))) {
        struct timespec until;

        if (interrupt && atomic_load(interrupt))
            break;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&x->cond, &x->lock, &until);
        if (!chain_contains(x->o.chain, tip))
            tip = chain_validated_tip(x->o.chain); /* it was abandoned meanwhile */
    }
    pthread_mutex_unlock(&x->lock);
    return covered;
}

int32_t index_needs_from(struct index *x)
{
    int32_t height;

    pthread_mutex_lock(&x->lock);
    height = x->best ? x->best->node.height : 0;
    pthread_mutex_unlock(&x->lock);
    return height;
}
