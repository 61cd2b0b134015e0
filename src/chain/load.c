/* load.c - brings the block index into memory at start and finds the tip that the coins stand at. Called by open.c before any
 * other thread knows the chain. */
#include "chain/internal.h"

#include <stdlib.h>

#include "util/mem.h"
#include "util/time.h"

struct loader {
    struct chain *c;
    struct block_header *headers; /* by order of the tree's entries */
    size_t n, cap;
};

static bool load_record(void *ctx, const struct block_record *rec)
{
    struct loader *l = ctx;
    struct block_entry *e;

    if (tree_find(&l->c->tree, &rec->hash))
        return true;
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 1024;
        l->headers = xrealloc(l->headers, l->cap * sizeof(*l->headers));
    }
    l->headers[l->n++] = rec->header;
    e = tree_add(&l->c->tree, &rec->hash);
    e->node.height = rec->height;
    e->status = rec->status;
    e->n_tx = rec->n_tx;
    e->file = rec->file;
    e->data_pos = rec->data_pos;
    e->undo_pos = rec->undo_pos;
    e->sequence_id = SEQUENCE_FROM_DISK;
    return !interrupted(l->c);
}

struct by_height {
    int32_t height;
    uint32_t i;
};

static int compare_heights(const void *pa, const void *pb)
{
    const struct by_height *a = pa, *b = pb;

    if (a->height != b->height)
        return a->height < b->height ? -1 : 1;
    return a->i < b->i ? -1 : a->i > b->i;
}

static struct by_height *sort_by_height(const struct tree *t)
{
    struct by_height *order = xmalloc((t->count ? t->count : 1) * sizeof(*order));

    for (size_t i = 0; i < t->count; i++)
        order[i] = (struct by_height){tree_entry(t, i)->node.height, (uint32_t)i};
    qsort(order, t->count, sizeof(*order), compare_heights);
    return order;
}

/* Behind a snapshot that was given up stand blocks that were valid with its coins alone: they are judged again once their turn comes. */
static void forget_validity(struct chain *c, struct block_entry *e)
{
    const struct block_entry *prev = prev_entry(e);
    uint32_t level = e->status & BLOCK_VALID_MASK, most;

    if (!prev || !prev->node.prev || prev == atomic_load(&c->base))
        return; /* genesis has no scripts to be valid */
    most = prev->status & BLOCK_VALID_MASK;
    if (most < BLOCK_VALID_TRANSACTIONS)
        most = BLOCK_VALID_TRANSACTIONS;
    if (level > most)
        set_status(c, e, most, BLOCK_VALID_MASK);
}

/* What follows from the parent, which was treated before: place, work, transactions, failure. Returns: false if there is none. */
static bool link_entry(struct chain *c, struct block_entry *e, const struct block_header *h)
{
    struct block_entry *prev = tree_find(&c->tree, &h->prev);
    struct block_hash hash = e->node.hash;
    int32_t height = e->node.height;

    if (height && !prev)
        return false;
    header_node_init(&e->node, h, &hash, prev ? &prev->node : NULL);
    if (e->node.height != height || !check_proof_of_work(c->params, &hash, h->bits))
        return height == 0; /* genesis is compared by hash later */
    if (c->assumed && block_hash_equal(&hash, &c->assumed->hash)) {
        e->chain_tx = c->assumed->chain_tx_count; /* its ancestors may never have been seen */
        atomic_store(&c->base, e);
        if ((e->status & BLOCK_HAVE_DATA) && prev && !prev->chain_tx)
            unlinked_add(&c->unlinked, e);
    } else if (e->n_tx && !prev)
        e->chain_tx = e->n_tx;
    else if (e->n_tx && prev->chain_tx)
        e->chain_tx = prev->chain_tx + e->n_tx;
    else if (e->n_tx && (e->status & BLOCK_HAVE_DATA))
        unlinked_add(&c->unlinked, e);
    forget_validity(c, e);
    if (e->status & BLOCK_FAILED_CHILD)
        set_status(c, e, BLOCK_FAILED_VALID, BLOCK_FAILED_CHILD);
    if (prev && entry_failed(prev))
        set_status(c, e, BLOCK_FAILED_VALID, 0);
    return true;
}

static void note_best(struct chain *c, struct block_entry *e)
{
    const struct block_entry *best = best_header_of(c);

    if (entry_failed(e) && (!c->best_invalid || u256_cmp(e->node.chain_work, c->best_invalid->node.chain_work) > 0))
        c->best_invalid = e;
    if (entry_valid(e, BLOCK_VALID_TREE) && (!best || entry_worse(best, e)))
        atomic_store(&c->best_header, e);
}

static enum rc link_all(struct chain *c, const struct block_header *headers, char **cause)
{
    struct by_height *order = sort_by_height(&c->tree);
    enum rc rc = RC_OK;

    for (size_t i = 0; i < c->tree.count && rc == RC_OK; i++) {
        struct block_entry *e = tree_entry(&c->tree, order[i].i);

        if (!link_entry(c, e, &headers[order[i].i])) {
            free(*cause);
            *cause = xasprintf("LoadBlockIndex: block index is non-contiguous or damaged at height %d (%s)", e->node.height,
                               block_hash_hex(&e->node.hash).s);
            rc = RC_CORRUPT;
        }
        note_best(c, e);
        if (interrupted(c))
            rc = RC_INTERRUPTED;
    }
    free(order);
    return rc;
}

static enum rc load_files(struct chain *c)
{
    struct blockfile_info *infos;
    unsigned last;
    enum rc rc = blockdb_read_files(c->index, &infos, &last);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    log_info("Loading block index db: last block file = %u", last);
    blockfiles_restore(c->files, infos, last + 1, last);
    free(infos);
    return RC_OK;
}

/* Every file that an entry points into must be there. */
static enum rc files_present(struct chain *c, char **cause)
{
    unsigned n = blockfiles_count(c->files);
    enum rc rc = RC_OK;
    bool *checked;

    log_info("Checking all blk files are present...");
    checked = xcalloc((size_t)n + 1, sizeof(*checked));
    for (size_t i = 0; i < c->tree.count && rc == RC_OK; i++) {
        const struct block_entry *e = tree_entry(&c->tree, i);

        if (!(e->status & BLOCK_HAVE_DATA))
            continue;
        if (e->file < 0 || (unsigned)e->file > n || (!checked[e->file] && !blockfiles_exists(c->files, (unsigned)e->file, false))) {
            *cause = xasprintf("Block file blk%05d.dat is missing in %s", e->file, c->o.blocks_dir);
            rc = RC_CORRUPT;
            break;
        }
        checked[e->file] = true;
    }
    free(checked);
    return rc;
}

/* Files whose pruning was recorded, but not finished. */
static void delete_forgotten(struct chain *c)
{
    unsigned n = blockfiles_count(c->files);

    for (unsigned i = 0; i + 1 < n; i++)
        if (!blockfiles_info(c->files, i).size && (blockfiles_exists(c->files, i, false) || blockfiles_exists(c->files, i, true)))
            blockfiles_delete(c->files, i);
}

enum rc load_index(struct chain *c, char **error)
{
    struct loader l = {.c = c};
    char *cause = NULL;
    bool flag = false;
    enum rc rc = blockdb_each(c->index, load_record, &l);

    if (rc == RC_OK)
        rc = link_all(c, l.headers, &cause);
    free(l.headers);
    if (rc == RC_OK)
        rc = load_files(c);
    if (rc == RC_OK)
        rc = files_present(c, &cause);
    if (rc != RC_OK)
        return chain_refuse(rc, error, rc == RC_INTERRUPTED ? "Interrupted" : "Error loading block database", cause);
    if (blockdb_get_flag(c->index, "prunedblockfiles", &flag) == RC_OK && flag) {
        log_info("Loading block index db: Block files have previously been pruned");
        atomic_store(&c->have_pruned, true);
        delete_forgotten(c);
    }
    atomic_store(&c->reindexing, blockdb_reindexing(c->index));
    if (c->tree.count && !tree_find(&c->tree, &c->params->genesis_hash)) {
        *error = xstrdup("Incorrect or no genesis block found. Wrong datadir for network?");
        return RC_INVALID;
    }
    if (chain_pruned(c) && !c->o.prune_target) {
        *error = xstrdup("You need to rebuild the database using -reindex to go back to unpruned mode.  This will redownload the "
                         "entire blockchain");
        return RC_INVALID;
    }
    return RC_OK;
}

enum rc load_genesis(struct chain *c)
{
    struct block *b;
    struct block_entry *e;
    struct disk_pos pos;
    enum rc rc;

    e = tree_find(&c->tree, &c->params->genesis_hash);
    if (e && (e->status & BLOCK_HAVE_DATA))
        return RC_OK;
    if (e && e->n_tx)
        return RC_OK; /* pruned */
    b = chain_params_genesis(c->params);
    rc = blockfiles_append(c->files, &pos, b->raw, b->raw_len, 0, b->header.time);
    if (rc == RC_OK) {
        if (!e)
            e = add_entry(c, &b->header, &b->hash);
        received_transactions(c, e, b, pos);
    } else {
        log_error("Writing genesis block to disk failed");
    }
    block_unref(b);
    return rc;
}

/* The active chain wins among branches of equal work. */
static void set_sequences(struct block_entry *tip)
{
    for (struct block_entry *e = tip; e; e = prev_entry(e))
        e->sequence_id = SEQUENCE_BEST_FROM_DISK;
}

static bool needs_redownload(const struct chain *c, const struct block_entry *tip)
{
    for (const struct block_entry *e = tip; e && deployment_active_after(c->params, e->node.prev, DEPLOYMENT_SEGWIT);
         e = prev_entry(e))
        if (!(e->status & BLOCK_OPT_WITNESS))
            return true;
    return false;
}

static void log_loaded(struct chain *c, const struct block_entry *tip)
{
    char date[32];

    time_format_iso(date, sizeof(date), tip->node.time);
    log_info("Loaded best chain: hashBestChain=%s height=%d date=%s progress=%f", block_hash_hex(&tip->node.hash).s,
             tip->node.height, date, chain_progress(c, tip));
}

void load_candidates(struct chain *c)
{
    struct block_entry *tip = tip_of(c);

    c->candidates.first = c->candidates.n = 0;
    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_entry *e = tree_entry(&c->tree, i);

        if (entry_valid(e, BLOCK_VALID_TRANSACTIONS) && e->chain_tx)
            try_add_candidate(c, e);
    }
    if (tip)
        candidates_insert(&c->candidates, tip); /* a snapshot's block may never have been seen itself */
}

enum rc load_tip(struct chain *c, char **error)
{
    struct block_entry *tip = NULL;
    struct block_hash best;
    enum rc rc = coindb_best_block(c->coindb, &best);

    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return chain_refuse(rc, error, "Error opening coins database", NULL);
    coins_base_empty(c->coins, rc == RC_NOT_FOUND);
    if (rc == RC_OK) {
        tip = tree_find(&c->tree, &best);
        if (!tip || !tip->chain_tx) {
            log_error("The coins stand at block %s, which the block index does not have", block_hash_hex(&best).s);
            return chain_refuse(RC_CORRUPT, error, "Error initializing block database", NULL);
        }
        c->candidates.first = c->candidates.n; /* sorted by what changes now */
        set_sequences(tip);
        active_set(c, tip);
        update_initial_download(c);
        log_loaded(c, tip);
    }
    load_candidates(c);
    if (tip && needs_redownload(c, tip)) {
        char *text = xasprintf("Witness data for blocks after height %d requires validation. Please restart with -reindex.",
                               c->params->buried[DEPLOYMENT_SEGWIT]);
        rc = chain_refuse(RC_INVALID, error, text, NULL);
        free(text);
        return rc;
    }
    return RC_OK;
}
