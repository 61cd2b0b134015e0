/* import.c - takes blocks out of files: the node's own ones (-reindex) or any other (-loadblock). Two passes: headers, then the
 * blocks themselves, which are connected as they come. Validation thread, with a reader thread ahead of it. */
#include "chain/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/fs.h"
#include "util/time.h"

static char *own_path(const struct chain *c, unsigned file)
{
    char name[32];

    snprintf(name, sizeof(name), "blk%05u.dat", file);
    return fs_join(c->o.blocks_dir, name);
}

static enum rc import_block(struct chain *c, struct import_item *item, unsigned *loaded)
{
    struct block_entry *e;
    struct verdict v;
    bool is_new;

    verdict_init(&v);
    if (!accept_block(c, item->block, &item->pre, true, true, item->pos.file >= 0 ? &item->pos : NULL, &e, &is_new, &v))
        return v.kind == VERDICT_INTERNAL ? RC_IO : RC_OK;
    *loaded += is_new;
    if (c->check_for_pruning && c->o.prune_target > 1 && !chain_reindexing(c)) {
        enum rc rc = flush_state(c, FLUSH_NONE, 0);
        if (rc != RC_OK)
            return rc;
    }
    return is_new ? activate(c, item->block) : RC_OK;
}

static enum rc import_blocks(struct chain *c, const char *path, int32_t file)
{
    struct import_reader *r = import_reader_start(c, path, file);
    int64_t start = time_mono_us();
    struct import_item *item;
    unsigned loaded = 0;
    enum rc rc = RC_OK;

    if (!r)
        return RC_IO;
    while (rc == RC_OK && !c->stopping && (item = import_reader_next(r, &rc))) {
        rc = import_block(c, item, &loaded);
        block_unref(item->block);
        free(item);
        if (rc == RC_OK && c->o.events.between_blocks)
            c->o.events.between_blocks(c->o.events.ctx);
        if (rc == RC_OK && interrupted(c))
            rc = RC_INTERRUPTED;
    }
    import_reader_stop(r);
    log_info("Loaded %u blocks from external file in %" PRId64 "ms", loaded, (time_mono_us() - start) / 1000);
    return rc;
}

static enum rc reindex_headers(struct chain *c, unsigned n_files)
{
    struct header_pass *p = header_pass_new(c);
    enum rc rc = RC_OK;

    for (unsigned i = 0; i < n_files && rc == RC_OK; i++) {
        char *path = own_path(c, i);

        rc = header_pass_file(p, path, true);
        free(path);
    }
    header_pass_free(p);
    return rc;
}

static enum rc reindex_blocks(struct chain *c, unsigned n_files)
{
    enum rc rc = RC_OK;

    for (unsigned i = 0; i < n_files && rc == RC_OK && !c->stopping; i++) {
        char *path = own_path(c, i);

        log_info("Reindexing block file blk%05u.dat (%u%% complete)...", i, i * 100 / n_files);
        if (c->o.events.progress)
            c->o.events.progress(c->o.events.ctx, "Reindexing blocks…", (int)(i * 100 / n_files));
        rc = import_blocks(c, path, (int32_t)i);
        free(path);
    }
    return rc;
}

static enum rc reindex(struct chain *c)
{
    unsigned n = 0;
    enum rc rc;

    while (blockfiles_exists(c->files, n, false))
        n++;
    rc = reindex_headers(c, n);
    if (rc == RC_OK)
        rc = reindex_blocks(c, n);
    if (rc == RC_OK && c->stopping)
        rc = RC_INTERRUPTED;
    if (rc == RC_OK)
        rc = pipeline_advance(c, true);
    /* The mark goes only when the index that was built is safe. */
    if (rc == RC_OK)
        rc = flush_state(c, FLUSH_ALWAYS, 0);
    if (rc != RC_OK) {
        if (rc == RC_INTERRUPTED)
            log_info("Interrupt requested. Exit reindexing.");
        return rc;
    }
    if (blockdb_set_reindexing(c->index, false) != RC_OK)
        return fatal(c, RC_IO, "System error while flushing: %s", kv_last_error());
    atomic_store(&c->reindexing, false);
    log_info("Reindexing finished");
    return load_genesis(c);
}

static enum rc load_file(struct chain *c, const char *path)
{
    struct header_pass *p = header_pass_new(c);
    enum rc rc;

    log_info("Importing blocks file %s...", path);
    rc = header_pass_file(p, path, false);
    header_pass_free(p);
    if (rc == RC_OK)
        rc = import_blocks(c, path, -1);
    if (rc == RC_INTERRUPTED)
        log_info("Interrupt requested. Exit block importing.");
    return rc;
}

enum rc chain_import_file(struct chain *c, const char *path)
{
    struct verdict v;
    enum rc rc;

    if (c->broken)
        return RC_IO;
    chain_drain(c);
    c->importing = true;
    rc = path ? load_file(c, path) : chain_reindexing(c) ? reindex(c) : RC_OK;
    if (rc == RC_OK)
        rc = chain_activate_best(c, &v);
    if (!c->broken)
        chain_drain(c);
    c->importing = false;
    update_initial_download(c);
    return rc == RC_OK && c->broken ? RC_IO : rc;
}
