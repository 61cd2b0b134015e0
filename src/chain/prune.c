/* prune.c - chooses block files that may be deleted. Called by flush.c, on the validation thread. */
#include "chain/internal.h"

#include <inttypes.h>

#include "util/mem.h"

#define MIB ((uint64_t)1 << 20)
#define PRUNE_TARGET_MIN (550 * MIB)
#define NEEDED_BUFFER 11             /* blocks kept below what an index reads next, for its own reorganisations */
#define ALLOCATION_CHUNKS (17 * MIB) /* a block file's and an undo file's next chunk */

static void forget_blocks(struct chain *c, unsigned file)
{
    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_entry *e = tree_entry(&c->tree, i);

        if (e->file != (int32_t)file || !(e->status & BLOCK_HAVE_DATA))
            continue;
        unlinked_erase(&c->unlinked, e);
        write_lock(c);
        e->status &= ~(uint32_t)(BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO);
        e->file = 0;
        e->data_pos = e->undo_pos = 0;
        unlock(c);
        mark_dirty(c, e);
    }
    blockfiles_forget(c->files, file);
}

static uint64_t room_to_keep(struct chain *c)
{
    const struct block_entry *best = best_header_of(c), *tip = tip_of(c);
    uint64_t room = ALLOCATION_CHUNKS;

    /* Each pruning flushes the coins: during the download go further, so that it is seldom (blocks of about 1 MB). */
    if (chain_initial_download(c) && best->node.height > tip->node.height)
        room += (uint64_t)(best->node.height - tip->node.height) * 1000000;
    return room;
}

/* Blocks from there on are needed by somebody; some before them are as well, for reorganisations. */
static int32_t spare(int32_t last, int32_t needed)
{
    if (needed == INT32_MAX || last <= needed - NEEDED_BUFFER)
        return last;
    return needed > NEEDED_BUFFER ? needed - NEEDED_BUFFER : 1;
}

/* The last height that may go: 288 blocks are kept for reorganisations. */
static int32_t last_prunable(struct chain *c, int32_t manual_height)
{
    int32_t last = tip_of(c)->node.height - MIN_BLOCKS_TO_KEEP;

    if (manual_height && manual_height < last)
        last = manual_height;
    if (c->o.events.needed_from)
        last = spare(last, c->o.events.needed_from(c->o.events.ctx));
    if (c->holders)
        last = spare(last, c->held_from);
    return last < 0 ? 0 : last;
}

static bool wants_automatic(struct chain *c)
{
    uint64_t height = (uint64_t)tip_of(c)->node.height;

    return c->o.prune_target > 1 && height > c->params->prune_after_height;
}

enum rc prune_forget(struct chain *c, const unsigned *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        forget_blocks(c, files[i]);
    if (!n || chain_pruned(c))
        return RC_OK;
    atomic_store(&c->have_pruned, true);
    return blockdb_set_flag(c->index, "prunedblockfiles", true);
}

/* What is validated behind a snapshot may not go before it was: up to the snapshot's block all is kept but what history left behind. */
static bool history_needs(struct chain *c, const struct blockfile_info *info)
{
    struct background *b = background_of(c);
    const struct block_entry *tip = b ? background_tip(b) : NULL;

    return b && info->height_first <= (uint32_t)assumed_base(c)->node.height &&
           (!tip || (int64_t)info->height_last > (int64_t)tip->node.height - MIN_BLOCKS_TO_KEEP);
}

bool chain_hold_blocks(struct chain *c, int32_t height)
{
    const uint32_t both = BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO;

    for (const struct block_entry *e = tip_of(c); e && e->node.height > height; e = entry_prev(e))
        if ((e->status & both) != both)
            return false;
    if (!c->holders++ || height < c->held_from)
        c->held_from = height;
    return true;
}

void chain_release_blocks(struct chain *c)
{
    c->holders--;
}

size_t prune_choose(struct chain *c, unsigned **files, int32_t manual_height)
{
    unsigned count = blockfiles_count(c->files);
    uint64_t usage = blockfiles_disk_size(c->files), target = c->o.prune_target, room;
    int32_t last;
    size_t n = 0;

    if (!manual_height)
        c->check_for_pruning = false;
    if (!tip_of(c) || count < 2 || (!manual_height && !wants_automatic(c)))
        return 0;
    if (background_of(c))
        target /= 2; /* the other half is history's */
    if (target < PRUNE_TARGET_MIN)
        target = PRUNE_TARGET_MIN;
    last = last_prunable(c, manual_height);
    room = room_to_keep(c);
    *files = xmalloc(count * sizeof(**files));
    if (!manual_height && usage + ALLOCATION_CHUNKS < target)
        return 0;
    for (unsigned i = 0; i + 1 < count; i++) {
        struct blockfile_info info = blockfiles_info(c->files, i);

        if (!info.size || info.height_last > (uint32_t)last || blockfiles_is_current(c->files, i) || history_needs(c, &info))
            continue;
        if (!manual_height && usage + room < target)
            break;
        usage -= (uint64_t)info.size + info.undo_size;
        (*files)[n++] = i;
    }
    if (manual_height)
        log_info("Prune (Manual): prune_height=%d removed %zu blk/rev pairs", last, n);
    else
        log_debug(LOG_PRUNE, "target=%" PRIu64 "MiB actual=%" PRIu64 "MiB max_prune_height=%d removed %zu blk/rev pairs",
                  target / MIB, usage / MIB, last, n);
    return n;
}
