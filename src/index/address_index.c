/* address_index.c - opens the address index and follows the chain with it. The rows always stand as some block left them, which is written down
 * with them; the follower's own place may be another after a crash, and then the rows are brought to where they are wanted. On the index's thread,
 * but for opening and closing (validation thread). */
#include "index/address_index.h"

#include <stdlib.h>
#include <string.h>

#include "address_priv.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

#define NEAR_TIP 6    /* blocks: that close to the tip each block is written at once */
#define WAYS_BACK 100 /* blocks: that close to it a way back is kept */
/* Keys are spread evenly, so that merging one table reads about ten others, all of them mapped meanwhile: small tables save memory. But LevelDB
 * goes through the list of all of them after each merge. */
#define TABLE_MIN ((size_t)1 << 20)
#define TABLE_MAX ((size_t)8 << 20)
#define WRITE_SHARE 5         /* of the cache for one write buffer; LevelDB's own cache is not used for what is mapped */
#define CHAIN_PER_TABLE 65536 /* bytes of blocks, on disk or still to come, for each byte of a table: up to some 20,000 tables */

/* ---- bringing the rows to a block ---- */

static enum rc is_in_rows(struct address_index *x, bool *yes, const struct block_entry *e)
{
    struct block_hash hash;
    enum rc rc = RC_OK;

    *yes = false;
    if (e->node.height > x->rows.height)
        return RC_OK;
    rc = cache_flush(x);
    if (rc == RC_OK)
        rc = rows_block(x, &hash, e->node.height);
    if (rc == RC_OK)
        *yes = block_hash_equal(&hash, &e->node.hash);
    return rc;
}

static bool on_disk(struct address_index *x, const struct block_entry *e)
{
    const struct block_entry *flushed = chain_flushed(x->chain);

    return flushed && flushed->node.height >= e->node.height && header_node_ancestor(&flushed->node, e->node.height) == &e->node;
}

/* Blocks that a crash may take away from the chain, and for which others may come, are kept with the rows. During the first download it would
 * cost more than it saves. */
static enum rc add_block(struct address_index *x, const struct block_entry *e, const struct block *b, const struct block_undo *undo)
{
    int32_t behind = chain_height(x->chain) - e->node.height;
    bool follows = !chain_initial_download(x->chain), close = follows && behind <= NEAR_TIP;

    if (e->node.height > MAX_PLACE_HEIGHT || (e->node.prev && !undo))
        return RC_INVALID;
    cache_block(x, e, b, undo, follows && behind <= WAYS_BACK && !on_disk(x, e));
    return close || x->n_touch >= x->cache_events || kv_batch_size(x->batch) > x->cache_events * sizeof(*x->touch) ? cache_flush(x)
                                                                                                                   : RC_OK;
}

static enum rc add_from_chain(struct address_index *x, const struct block_entry *e)
{
    struct block_undo *undo = NULL;
    struct block *b;
    enum rc rc = chain_read_block(x->chain, &b, e);

    if (rc != RC_OK)
        return rc;
    if (e->node.prev)
        rc = chain_read_undo(x->chain, &undo, e);
    if (rc == RC_OK)
        rc = add_block(x, e, b, undo);
    block_unref(b);
    if (undo)
        block_undo_free(undo);
    return rc;
}

/* Takes blocks off until the last one is an ancestor of e or e itself (NULL: until none is left). */
static enum rc back_to_branch(struct address_index *x, const struct block_entry *e)
{
    enum rc rc = cache_flush(x);

    while (rc == RC_OK && x->rows.height >= 0) {
        const struct header_node *same = e ? header_node_ancestor(&e->node, x->rows.height) : NULL;

        if (same && block_hash_equal(&same->hash, &x->rows.hash))
            break;
        rc = rows_back(x);
    }
    return rc;
}

/* Has the rows stand at e. */
static enum rc bring_to(struct address_index *x, const struct block_entry *e)
{
    enum rc rc = back_to_branch(x, e);

    while (rc == RC_OK && e && x->rows.height < e->node.height)
        rc = add_from_chain(x, entry_of(header_node_ancestor(&e->node, x->rows.height + 1)));
    return rc;
}

/* The rows cannot be brought to where they must be: they are made anew at the next start. */
static enum rc damaged(struct address_index *x, enum rc rc)
{
    if (rc != RC_CORRUPT && rc != RC_NOT_FOUND)
        return rc;
    log_error("The %s is damaged at height %d (%s); it will be built anew at the next start", ADDRESS_INDEX_NAME, x->rows.height,
              rc_name(rc));
    if (kv_delete(x->kv, (const uint8_t[]){ROW_FORMAT}, 1, true) != RC_OK)
        log_error("Cannot mark the %s as damaged: %s", ADDRESS_INDEX_NAME, kv_last_error());
    return RC_CORRUPT;
}

/* A chain that went back on its own branch (invalidateblock) leaves the follower where it is, and does not tell it when the blocks come again: the
 * rows are brought to what is active of what the follower has seen. Rows that are ahead of it are at a block that it is about to be told of. */
enum rc rows_follow(struct address_index *x)
{
    const struct block_entry *at = x->rows.height < 0 ? NULL : chain_lookup(x->chain, &x->rows.hash), *seen;
    struct index_summary s;
    enum rc rc = RC_OK;

    index_summary(x->base, &s);
    seen = s.best ? chain_fork(x->chain, s.best) : NULL;
    if (at && !chain_contains(x->chain, at))
        rc = damaged(x, bring_to(x, chain_fork(x->chain, at)));
    if (rc == RC_OK && at && seen && seen->node.height > x->rows.height)
        rc = damaged(x, bring_to(x, seen));
    return rc == RC_OK ? cache_flush(x) : rc;
}

/* ---- the follower's orders ---- */

/* A reader does not wait for that. */
static void keep_merged(struct address_index *x, const struct block_entry *e)
{
    if (e->node.height + NEAR_TIP < chain_height(x->chain) || chain_initial_download(x->chain))
        kv_wait_merged(x->kv);
}

static enum rc ai_append(void *impl, const struct block_entry *e, const struct block *b, const struct block_undo *undo)
{
    struct address_index *x = impl;
    bool there;
    enum rc rc;

    pthread_mutex_lock(&x->lock);
    rc = is_in_rows(x, &there, e);
    if (rc == RC_OK && !there) {
        if (x->rows.height != e->node.height - 1 || (e->node.prev && !block_hash_equal(&x->rows.hash, &e->node.prev->hash)))
            rc = bring_to(x, entry_prev(e));
        if (rc == RC_OK)
            rc = add_block(x, e, b, undo);
    }
    rc = damaged(x, rc);
    pthread_mutex_unlock(&x->lock);
    if (rc == RC_OK)
        keep_merged(x, e);
    return rc;
}

static enum rc ai_remove(void *impl, const struct block_entry *e)
{
    struct address_index *x = impl;
    enum rc rc;

    pthread_mutex_lock(&x->lock);
    rc = damaged(x, back_to_branch(x, entry_prev(e))); /* a reader may have brought them back further already */
    pthread_mutex_unlock(&x->lock);
    return rc;
}

static enum rc ai_commit(void *impl, struct kv_batch *batch)
{
    struct address_index *x = impl;
    struct index_summary s;
    enum rc rc;

    index_summary(x->base, &s);
    pthread_mutex_lock(&x->lock);
    rc = cache_flush(x);
    if (rc == RC_OK && s.best)
        rc = rows_forget_ways(x, batch, s.best->node.height);
    pthread_mutex_unlock(&x->lock);
    return rc;
}

/* ---- opening ---- */

static enum rc read_rows_tip(struct address_index *x)
{
    struct reader r;
    uint8_t *value;
    size_t len;
    enum rc rc = kv_get(x->kv, (const uint8_t[]){ROW_STATE}, 1, &value, &len);

    x->rows.height = -1;
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    r = reader_make(value, len);
    x->rows.height = (int32_t)read_u32(&r);
    read_copy(&r, x->rows.hash.b, 32);
    free(value);
    return reader_done(&r) && x->rows.height >= -1 && x->rows.height <= MAX_PLACE_HEIGHT ? RC_OK : RC_CORRUPT;
}

static enum rc find_lowest_back(struct address_index *x)
{
    uint8_t key[BLOCK_KEY];
    struct kv_iter *it = kv_iter_new(x->kv);
    enum rc rc;

    x->lowest_back = INT32_MAX;
    kv_iter_seek(it, key, key_block(key, ROW_WAY_BACK, 0));
    if (kv_iter_valid(it)) {
        struct reader r = kv_iter_key(it);
        const uint8_t *p = read_bytes(&r, BLOCK_KEY);

        if (p && p[0] == ROW_WAY_BACK)
            x->lowest_back = p[1] << 16 | p[2] << 8 | p[3];
    }
    rc = kv_iter_status(it);
    kv_iter_free(it);
    return rc;
}

/* Are the rows those of a descendant of best that only the way through the chain leads back from? Then they wait for the chain. */
static bool is_ahead(struct address_index *x, const struct block_entry *best)
{
    bool in_rows;

    return best && is_in_rows(x, &in_rows, best) == RC_OK && in_rows && x->rows.height > best->node.height &&
           x->lowest_back > best->node.height + 1 && !chain_lookup(x->chain, &x->rows.hash);
}

static enum rc ai_start(void *impl, const struct block_entry *best)
{
    struct address_index *x = impl;
    enum rc rc = read_rows_tip(x);

    x->seen_all = x->rows.height >= 0;
    if (rc == RC_OK)
        rc = find_lowest_back(x);
    if (rc != RC_OK || is_ahead(x, best))
        return rc;
    return damaged(x, bring_to(x, best));
}

static const struct index_ops ops = {
    .name = ADDRESS_INDEX_NAME,
    .thread_name = "addressidx",
    .needs_undo = true,
    .heals = true,
    .start = ai_start,
    .append = ai_append,
    .remove = ai_remove,
    .commit = ai_commit,
};

/* The first row: version of the format, and the secrets. */
static enum rc make_format(struct address_index *x)
{
    struct writer w = WRITER_INIT;
    enum rc rc;

    random_bytes(&x->secret, sizeof(x->secret));
    write_u32(&w, ADDRESS_FORMAT);
    for (size_t i = 0; i < ADDRESS_SECRETS; i++)
        write_u64(&w, x->secret.k[i]);
    rc = kv_put(x->kv, (const uint8_t[]){ROW_FORMAT}, 1, w.data, w.len, true);
    writer_clear(&w);
    return rc;
}

/* Returns: RC_CORRUPT if it is of another version or was marked as damaged. */
static enum rc read_format(struct address_index *x)
{
    struct reader r;
    uint8_t *value;
    size_t len;
    uint32_t version;
    enum rc rc = kv_get(x->kv, (const uint8_t[]){ROW_FORMAT}, 1, &value, &len);

    if (rc == RC_NOT_FOUND)
        return kv_is_empty(x->kv) ? make_format(x) : RC_CORRUPT;
    if (rc != RC_OK)
        return rc;
    r = reader_make(value, len);
    version = read_u32(&r);
    for (size_t i = 0; i < ADDRESS_SECRETS; i++)
        x->secret.k[i] = read_u64(&r);
    free(value);
    return reader_done(&r) && version == ADDRESS_FORMAT ? RC_OK : RC_CORRUPT;
}

/* A node that was killed before the follower's place was ever stored: going on from nothing would cost as much as beginning. */
static bool was_abandoned(struct address_index *x)
{
    uint8_t *place = NULL, *state = NULL;
    size_t len;
    bool yes = kv_get(x->kv, (const uint8_t[]){ROW_STATE}, 1, &state, &len) == RC_OK &&
               kv_get(x->kv, (const uint8_t[]){'B'}, 1, &place, &len) == RC_NOT_FOUND;

    free(place);
    free(state);
    return yes;
}

static struct address_index *make(const struct index_setup *s)
{
    struct address_index *x = xcalloc(1, sizeof(*x));

    x->chain = s->chain;
    x->totals_lot = TOTALS_LOT;
    x->totals_gap = TOTALS_GAP;
    x->cache_events = s->cache_bytes / 8 / (sizeof(struct touch) + sizeof(struct coin_change));
    pthread_mutex_init(&x->lock, NULL);
    return x;
}

static size_t table_bytes(struct chain *c)
{
    uint64_t expected = chain_get_params(c)->assumed_blockchain_gb << 30, there = chain_disk_size(c);
    uint64_t bytes = (expected > there ? expected : there) / CHAIN_PER_TABLE;

    return bytes < TABLE_MIN ? TABLE_MIN : bytes > TABLE_MAX ? TABLE_MAX : (size_t)bytes;
}

static enum rc try_open(struct address_index **out, const struct index_setup *s, bool wipe, char **error)
{
    struct kv_options ko = {.cache_bytes = s->cache_bytes / 2,
                            .write_bytes = s->cache_bytes / WRITE_SHARE,
                            .wipe = wipe,
                            .no_bloom = true,
                            .table_bytes = table_bytes(s->chain)};
    struct index_options io = {.chain = s->chain, .ops = &ops, .fatal = s->fatal, .ctx = s->ctx};
    struct address_index *x = make(s);
    enum rc rc = kv_open(&x->kv, s->dir, &ko, error);

    if (rc == RC_OK) {
        x->batch = kv_batch_new(x->kv);
        rc = read_format(x);
        if (rc != RC_OK)
            *error = xstrdup("the database is damaged, or of another format");
        else if (was_abandoned(x)) {
            *error = xstrdup("the node was killed soon after it had begun");
            rc = RC_CORRUPT;
        }
    }
    if (rc == RC_OK) {
        io.kv = x->kv;
        io.impl = x;
        rc = index_new(&x->base, &io, error);
    }
    if (rc != RC_OK) {
        address_index_close(x);
        return rc;
    }
    *out = x;
    return RC_OK;
}

enum rc address_index_open(struct address_index **out, const struct index_setup *s, char **error)
{
    enum rc rc;

    *out = NULL;
    *error = NULL;
    rc = try_open(out, s, s->wipe, error);
    if (rc != RC_CORRUPT || s->wipe)
        return rc;
    log_warning("%s: %s. It is built anew.", ADDRESS_INDEX_NAME, *error);
    free(*error);
    *error = NULL;
    return try_open(out, s, true, error);
}

void address_index_close(struct address_index *x)
{
    if (!x)
        return;
    index_free(x->base);
    cache_clear(x);
    kv_close(x->kv);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

struct index *address_index_base(struct address_index *x)
{
    return x->base;
}

void address_index_damaged(struct address_index *x)
{
    pthread_mutex_lock(&x->lock);
    damaged(x, RC_CORRUPT);
    pthread_mutex_unlock(&x->lock);
}
