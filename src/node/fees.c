/* fees.c - the fee estimator's place in the node: its files in the folder fees/, written hourly and at the end. Called by validation.c; the
 * validation thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define FLUSH_SECONDS 3600

static char *estimates_path(const struct node *n)
{
    return fs_join(n->config->dir.net_dir, "fees/block_policy_estimates.dat");
}

static char *window_path(const struct node *n)
{
    return fs_join(n->config->dir.net_dir, "fees/mempool_policy_estimator.dat");
}

/* Core before 31.99 kept the file beside the others. */
static void move_old_file(const struct node *n, const char *path)
{
    char *old = fs_join(n->config->dir.net_dir, "fee_estimates.dat"), *dir = fs_join(n->config->dir.net_dir, "fees");

    if (!fs_exists(old))
        ;
    else if (fs_exists(path)) {
        if (remove(old) == 0)
            log_info("Removed legacy fee estimates file %s.", old);
        else
            log_warning("Failed to remove legacy fee estimates file %s: %s. Continuing anyway.", old, strerror(errno));
    } else if (fs_mkdirs(dir) == RC_OK && rename(old, path) == 0) {
        log_info("Migrated fee estimates from %s to %s.", old, path);
    } else {
        log_warning("Failed to migrate fee estimates from %s to %s: %s. Continuing with fresh estimates.", old, path,
                    strerror(errno));
    }
    free(old);
    free(dir);
}

void node_fees_open(struct node *n)
{
    const struct args *a = n->config->args;
    const struct block_entry *tip = chain_height(n->chain) >= 0 ? chain_tip(n->chain) : NULL;
    char *estimates = estimates_path(n), *window = window_path(n);

    /* Who relays nothing would only ever have old data. */
    if (!args_bool(a, "blocksonly", false)) {
        move_old_file(n, estimates);
        n->fees = fees_new();
        (void)fees_load(n->fees, estimates, args_bool(a, "acceptstalefeeestimates", false));
        (void)fees_window_load(n->fees, window, tip ? &tip->node : NULL);
        n->fees_flushed = time_mono_us();
    }
    free(estimates);
    free(window);
}

static void flush(struct node *n)
{
    char *estimates = estimates_path(n), *window = window_path(n);

    (void)fees_save(n->fees, estimates);
    (void)fees_window_save(n->fees, window);
    n->fees_flushed = time_mono_us();
    free(estimates);
    free(window);
}

void node_fees_periodic(struct node *n)
{
    if (n->fees && time_mono_us() - n->fees_flushed >= (int64_t)FLUSH_SECONDS * 1000000)
        flush(n);
}

void node_fees_forward(void *ctx, int64_t seconds)
{
    struct node *n = ctx;

    n->fees_flushed -= seconds * 1000000;
    node_fees_periodic(n);
}

void node_fees_close(struct node *n)
{
    if (!n->fees)
        return;
    mempool_forget_fees(n->mempool);
    flush(n);
}

/* ---- what the pool asks ---- */

#define TIP_AGE_MAX (3 * 3600)

bool node_fees_current(void *ctx)
{
    struct node *n = ctx;
    const struct block_entry *tip = chain_tip(n->chain), *best;

    if (chain_initial_download(n->chain) || (int64_t)tip->node.time < time_now() - TIP_AGE_MAX)
        return false;
    best = chain_best_header(n->chain);
    return !best || tip->node.height >= best->node.height - 1;
}

bool node_fees_initial_download(void *ctx)
{
    struct node *n = ctx;
    return chain_initial_download(n->chain);
}
