/* indexes.c - the optional indexes: opened behind the chain, told of new tips, stopped before the chain closes. Validation thread. */
#include <stdio.h>
#include <stdlib.h>

#include "node/private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

#define CACHE_MAX ((size_t)8 << 20) /* records are small and written once */

static void on_index_fatal(void *ctx, const char *text)
{
    char whole[320];

    snprintf(whole, sizeof(whole), "A fatal internal error occurred, see debug.log for details: %s", text);
    node_fatal(ctx, whole);
}

bool node_indexes_open(struct node *n, char **error)
{
    const struct node_config *c = n->config;
    size_t cache = c->dbcache / 8 < CACHE_MAX ? c->dbcache / 8 : CACHE_MAX;
    char *dir;
    enum rc rc;

    *error = NULL;
    if (!c->block_filter_index)
        return true;
    log_info("* Using %.1f MiB for %s database", (double)cache / (1 << 20), FILTER_INDEX_NAME);
    dir = fs_join(c->dir.net_dir, "indexes/blockfilter/basic");
    rc = filter_index_open(&n->filters,
                           &(struct filter_index_options){.chain = n->chain,
                                                          .dir = dir,
                                                          .cache_bytes = cache,
                                                          .wipe = args_bool(c->args, "reindex", false),
                                                          .fatal = on_index_fatal,
                                                          .ctx = n},
                           error);
    free(dir);
    if (rc != RC_OK)
        return false;
    index_start(filter_index_base(n->filters));
    return true;
}

void node_indexes_wake(struct node *n)
{
    if (n->filters)
        index_wake(filter_index_base(n->filters));
}

void node_indexes_disconnected(struct node *n, const struct block_entry *e)
{
    if (n->filters)
        index_disconnected(filter_index_base(n->filters), e);
}

int32_t node_indexes_need_from(struct node *n)
{
    return n->filters ? index_needs_from(filter_index_base(n->filters)) : INT32_MAX;
}

void node_indexes_close(struct node *n)
{
    if (!n->filters)
        return;
    index_stop(filter_index_base(n->filters));
    filter_index_close(n->filters);
    n->filters = NULL;
}
