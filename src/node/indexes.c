/* indexes.c - the optional indexes: opened behind the chain, handed its blocks, stopped before the chain closes. Validation thread. */
#include <stdio.h>
#include <stdlib.h>

#include "node/private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

static void on_index_fatal(void *ctx, const char *text)
{
    char whole[320];

    snprintf(whole, sizeof(whole), "A fatal internal error occurred, see debug.log for details: %s", text);
    node_fatal(ctx, whole);
}

#define PRUNE_BUFFER 11 /* blocks before those that an index needs, which stay for reorganisations */

/* Opens one of them into the node. Out: *x, what follows the chain for it. */
typedef enum rc (*opener)(struct index **x, struct node *n, const struct index_setup *s, char **error);

static enum rc open_txs(struct index **x, struct node *n, const struct index_setup *s, char **error)
{
    enum rc rc = tx_index_open(&n->txs, s, error);

    if (rc == RC_OK)
        *x = tx_index_base(n->txs);
    return rc;
}

static enum rc open_stats(struct index **x, struct node *n, const struct index_setup *s, char **error)
{
    enum rc rc = stats_index_open(&n->coin_stats, s, error);

    if (rc == RC_OK)
        *x = stats_index_base(n->coin_stats);
    return rc;
}

static enum rc open_spenders(struct index **x, struct node *n, const struct index_setup *s, char **error)
{
    enum rc rc = spender_index_open(&n->spenders, s, error);

    if (rc == RC_OK)
        *x = spender_index_base(n->spenders);
    return rc;
}

static enum rc open_filters(struct index **x, struct node *n, const struct index_setup *s, char **error)
{
    struct filter_index_options o = {
        .chain = s->chain, .dir = s->dir, .cache_bytes = s->cache_bytes, .wipe = s->wipe, .fatal = s->fatal, .ctx = s->ctx};
    enum rc rc = filter_index_open(&n->filters, &o, error);

    if (rc == RC_OK)
        *x = filter_index_base(n->filters);
    return rc;
}

static enum rc open_addresses(struct index **x, struct node *n, const struct index_setup *s, char **error)
{
    enum rc rc = address_index_open(&n->addresses, s, error);

    if (rc == RC_OK)
        *x = address_index_base(n->addresses);
    return rc;
}

/* In the order of getindexinfo. */
static const struct kind {
    const char *option; /* NULL: of the block filters, which the configuration has read already */
    const char *dir;
    const char *cache_name; /* in the log */
    unsigned cache_share;   /* percent of -dbcache */
    unsigned cache_max;     /* MiB: records are small and written once */
    opener open;
} kinds[NODE_INDEXES] = {
    {"txindex", "indexes/txindex", "transaction index", 10, 3, open_txs},
    {"coinstatsindex", "indexes/coinstatsindex/db", NULL, 0, 1, open_stats},
    {"txospenderindex", "indexes/txospenderindex/db", "transaction output spender index", 5, 4, open_spenders},
    {NULL, "indexes/blockfilter/basic", FILTER_INDEX_NAME, 5, 8, open_filters},
    {"addressindex", "indexes/addressindex", "address index", 5, 5, open_addresses},
};

#define CACHE_MIN ((size_t)1 << 20)

bool node_wants_addresses(const struct node_config *c)
{
    return args_bool(c->args, "addressindex", electrum_wanted(c->args));
}

static bool wanted(const struct node_config *c, const struct kind *k)
{
    if (k->open == open_addresses)
        return node_wants_addresses(c);
    return k->option ? args_bool(c->args, k->option, false) : c->block_filter_index;
}

static size_t cache_of(const struct node_config *c, const struct kind *k)
{
    size_t bytes = c->dbcache / 100 * k->cache_share, max = (size_t)k->cache_max << 20;

    return bytes < CACHE_MIN ? CACHE_MIN : bytes > max ? max : bytes;
}

size_t node_indexes_cache(const struct node_config *c)
{
    size_t sum = 0;

    for (size_t i = 0; i < NODE_INDEXES; i++)
        if (wanted(c, &kinds[i]))
            sum += cache_of(c, &kinds[i]);
    return sum < c->dbcache / 2 ? sum : c->dbcache / 2;
}

/* The Electrum server needs it, asked for or not. */
static void say_why(const struct node_config *c, const char *dir)
{
    if (args_is_set(c->args, "addressindex"))
        return;
    if (fs_exists(dir))
        log_info("-electrum: the address index is on as with -addressindex");
    else
        log_info("-electrum needs the address index, which is missing: it is switched on as with -addressindex, and built now");
}

static bool open_one(struct index **x, struct node *n, const struct kind *k, char **error)
{
    const struct node_config *c = n->config;
    char *dir = fs_join(c->dir.net_dir, k->dir);
    struct index_setup s = {.chain = n->chain,
                            .dir = dir,
                            .cache_bytes = cache_of(c, k),
                            .wipe = args_bool(c->args, "reindex", false),
                            .fatal = on_index_fatal,
                            .ctx = n};
    enum rc rc;

    if (k->cache_name)
        log_info("* Using %.1f MiB for %s database", (double)s.cache_bytes / (1 << 20), k->cache_name);
    if (k->open == open_addresses)
        say_why(c, dir);
    rc = k->open(x, n, &s, error);
    free(dir);
    if (rc == RC_NOT_FOUND) { /* blocks that it needs are pruned: Core says so in two lines */
        char *first = *error;

        *error =
            xasprintf("%s\nError: A fatal internal error occurred, see debug.log for details: Failed to start indexes, shutting "
                      "down…",
                      first);
        free(first);
    }
    return rc == RC_OK;
}

bool node_indexes_open(struct node *n, char **error)
{
    static const uint8_t order[] = {0, 2, 3, 1, 4}; /* Core's, which says whose error the user sees */
    struct index *opened[NODE_INDEXES] = {NULL};

    _Static_assert(ARRAY_LEN(order) == NODE_INDEXES, "every kind is opened");
    *error = NULL;
    for (size_t i = 0; i < NODE_INDEXES; i++)
        if (wanted(n->config, &kinds[order[i]]) && !open_one(&opened[order[i]], n, &kinds[order[i]], error))
            return false;
    for (size_t i = 0; i < NODE_INDEXES; i++)
        if (opened[i])
            n->indexes[n->n_indexes++] = opened[i];
    for (size_t i = 0; i < n->n_indexes; i++)
        index_start(n->indexes[i]);
    return true;
}

void node_indexes_wake(struct node *n)
{
    for (size_t i = 0; i < n->n_indexes; i++)
        index_wake(n->indexes[i]);
}

void node_indexes_offer(struct node *n, const struct block_entry *e, struct block *block, const uint8_t *undo, size_t undo_len)
{
    struct index_block *b;

    if (!n->n_indexes)
        return;
    b = index_block_new(e, block, undo, undo_len);
    for (size_t i = 0; i < n->n_indexes; i++)
        index_offer(n->indexes[i], b);
    index_block_unref(b);
}

static bool prunes(const struct node *n)
{
    return args_int(n->config->args, "prune", 0) > 0;
}

void node_indexes_disconnected(struct node *n, const struct block_entry *e)
{
    for (size_t i = 0; i < n->n_indexes; i++) {
        struct index_summary s;

        index_disconnected(n->indexes[i], e);
        index_summary(n->indexes[i], &s);
        if (prunes(n) && s.best && s.best->node.height >= e->node.height)
            log_debug(LOG_PRUNE, "%s prune lock moved back to %d", s.name, e->node.height - 1);
    }
}

int32_t node_indexes_need_from(struct node *n)
{
    int32_t lowest = INT32_MAX;
    const char *name = "";

    for (size_t i = 0; i < n->n_indexes; i++) {
        int32_t height = index_needs_from(n->indexes[i]);
        struct index_summary s;

        if (height >= lowest)
            continue;
        index_summary(n->indexes[i], &s);
        lowest = height;
        name = s.name;
    }
    if (lowest != INT32_MAX && lowest > PRUNE_BUFFER)
        log_debug(LOG_PRUNE, "%s limited pruning to height %d", name, lowest - PRUNE_BUFFER);
    return lowest;
}

void node_indexes_close(struct node *n)
{
    for (size_t i = 0; i < n->n_indexes; i++)
        index_stop(n->indexes[i]);
    n->n_indexes = 0;
    tx_index_close(n->txs);
    stats_index_close(n->coin_stats);
    spender_index_close(n->spenders);
    filter_index_close(n->filters);
    address_index_close(n->addresses);
    n->txs = NULL;
    n->coin_stats = NULL;
    n->spenders = NULL;
    n->filters = NULL;
    n->addresses = NULL;
}
