/* snapshot_dir.c - where a snapshot's coins are between two runs, as Bitcoin Core has it: the folder chainstate_snapshot beside chainstate, with
 * the file base_blockhash in it. It becomes chainstate once it is validated, chainstate_snapshot_INVALID if it proves wrong. Called at start
 * and by the validation thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/internal.h"
#include "util/fs.h"
#include "util/mem.h"

#define BASE_FILE "base_blockhash"

static enum rc rename_dir(const char *from, const char *to)
{
    char *slash, *parent;
    enum rc rc;

    if (rename(from, to) != 0) {
        log_error("[snapshot] Error renaming path (%s) -> (%s): %s", from, to, strerror(errno));
        return RC_IO;
    }
    parent = xstrdup(to);
    slash = strrchr(parent, '/');
    if (slash)
        *slash = 0;
    rc = fs_sync_dir(*parent ? parent : "/");
    free(parent);
    return rc;
}

enum rc snapshot_name_base(const char *dir, const struct block_hash *base)
{
    char *path = fs_join(dir, BASE_FILE);
    enum rc rc = fs_write_atomic(path, base->b, sizeof(base->b), 0600);

    if (rc != RC_OK)
        log_error("[snapshot] failed to write base blockhash file: %s", path);
    free(path);
    return rc;
}

static bool read_base(const char *dir, struct block_hash *base)
{
    char *path = fs_join(dir, BASE_FILE);
    uint8_t *data = NULL;
    size_t len = 0;
    enum rc rc = fs_read(path, 4096, &data, &len);
    bool ok = rc == RC_OK && len >= sizeof(base->b);

    if (ok)
        memcpy(base->b, data, sizeof(base->b));
    if (ok && len > sizeof(base->b))
        log_warning("[snapshot] unexpected trailing data in %s", path);
    else if (rc == RC_NOT_FOUND)
        log_warning("[snapshot] snapshot chainstate dir is malformed! no base blockhash file exists at path %s. Try deleting %s "
                    "and calling "
                    "loadtxoutset again?",
                    dir, path);
    else if (!ok)
        log_warning("[snapshot] failed to read base blockhash file: %s", path);
    free(data);
    free(path);
    return ok;
}

static const struct assumed_point *assumed_by_hash(const struct chain_params *p, const struct block_hash *hash)
{
    for (unsigned i = 0; i < p->n_assumed; i++)
        if (block_hash_equal(&p->assumed[i].hash, hash))
            return &p->assumed[i];
    return NULL;
}

/* The old coins are moved aside only when the snapshot is to take their place: a crash may have come between the two steps, or before the
 * old ones were deleted. */
static enum rc finish_swap(struct chain *c, const char *old)
{
    enum rc rc = RC_OK;

    if (!fs_exists(old))
        return RC_OK;
    if (!fs_exists(c->o.chainstate_dir) && fs_exists(c->snapshot_dir))
        rc = rename_dir(c->snapshot_dir, c->o.chainstate_dir);
    if (rc == RC_OK && fs_exists(c->o.chainstate_dir) && fs_remove_tree(old) != RC_OK)
        log_warning("Deletion of %s failed. Please remove it manually, as the directory is now unnecessary.", old);
    return rc;
}

enum rc snapshot_find(struct chain *c, char **error)
{
    char *old = xasprintf("%s_todelete", c->o.chainstate_dir);
    struct block_hash base;
    enum rc rc;

    c->snapshot_dir = xasprintf("%s_snapshot", c->o.chainstate_dir);
    rc = finish_swap(c, old);
    free(old);
    if (rc != RC_OK)
        return rc;
    if (!fs_exists(c->snapshot_dir))
        return RC_OK;
    if (c->o.reindex || c->o.reindex_chainstate) {
        log_info("[snapshot] deleting snapshot chainstate due to reindexing");
        if (fs_remove_tree(c->snapshot_dir) == RC_OK)
            return RC_OK;
        *error = xstrdup("Couldn't remove snapshot chainstate.");
        return RC_IO;
    }
    if (!read_base(c->snapshot_dir, &base))
        return RC_OK;
    log_info("[snapshot] detected active snapshot chainstate (%s) - loading", c->snapshot_dir);
    c->assumed = assumed_by_hash(c->params, &base);
    if (c->assumed)
        return RC_OK;
    *error = xasprintf(
        "A fatal internal error occurred, see debug.log for details: Assumeutxo data not found for the given blockhash '%s'.",
        block_hash_hex(&base).s);
    log_error("%s", *error);
    return RC_INVALID;
}

enum rc snapshot_swap(struct chain *c, char **error)
{
    char *old = xasprintf("%s_todelete", c->o.chainstate_dir);
    enum rc rc;

    log_info("[snapshot] deleting background chainstate directory (now unnecessary) (%s)", c->o.chainstate_dir);
    rc = rename_dir(c->o.chainstate_dir, old);
    if (rc == RC_OK) {
        log_info("[snapshot] moving snapshot chainstate (%s) to default chainstate directory (%s)", c->snapshot_dir,
                 c->o.chainstate_dir);
        rc = rename_dir(c->snapshot_dir, c->o.chainstate_dir);
    }
    if (rc != RC_OK)
        *error = xstrdup("Background chainstate cleanup failed unexpectedly.");
    else if (fs_remove_tree(old) != RC_OK)
        log_warning("Deletion of %s failed. Please remove it manually, as the directory is now unnecessary.", old);
    else
        log_info("[snapshot] deleted background chainstate directory (%s)", c->o.chainstate_dir);
    free(old);
    return rc;
}

char *snapshot_set_aside(struct chain *c)
{
    char *invalid = xasprintf("%s_INVALID", c->snapshot_dir), *error = NULL;

    log_info("[snapshot] renaming snapshot datadir %s to %s", c->snapshot_dir, invalid);
    if (rename_dir(c->snapshot_dir, invalid) != RC_OK)
        error = xasprintf(
            "Rename of '%s' -> '%s' failed. You should resolve this by manually moving or deleting the invalid snapshot directory "
            "%s, otherwise you will encounter the same error again on the next startup.",
            c->snapshot_dir, invalid, c->snapshot_dir);
    free(invalid);
    return error;
}
