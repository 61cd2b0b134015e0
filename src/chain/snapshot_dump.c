/* snapshot_dump.c - writes a coin set into a file, and goes back to what the set was at an older block. Called by dumptxoutset on its own
 * thread, beside a chain that goes on. */
#include <errno.h>
#include <stdlib.h>

#include "chain/internal.h"
#include "chain/snapshot.h"
#include "chain/snapshot_format.h"
#include "primitives/serialize.h"

#define PIECE ((size_t)1 << 18)
#define LOOK_EVERY 4096u /* coins between two looks at the interrupt */

static bool stopped(const atomic_bool *interrupt)
{
    return interrupt && atomic_load_explicit(interrupt, memory_order_relaxed);
}

/* ---- the file ---- */

struct dump {
    FILE *f;
    struct writer out;   /* not yet in the file */
    struct writer group; /* the coins of one transaction */
    struct txid txid;
    uint64_t n_group, written;
};

static enum rc put_out(struct dump *d, size_t least)
{
    if (d->out.len < least || !d->out.len)
        return RC_OK;
    if (fwrite(d->out.data, 1, d->out.len, d->f) != d->out.len)
        return RC_IO;
    d->out.len = 0;
    return RC_OK;
}

static enum rc end_group(struct dump *d)
{
    if (!d->n_group)
        return RC_OK;
    write_bytes(&d->out, d->txid.b, 32);
    write_compact_size(&d->out, d->n_group);
    write_bytes(&d->out, d->group.data, d->group.len);
    d->written += d->n_group;
    d->n_group = 0;
    d->group.len = 0;
    return put_out(d, PIECE);
}

static void write_head(struct writer *w, const struct chain_params *p, const struct snapshot_head *head)
{
    write_bytes(w, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LEN);
    write_u16(w, SNAPSHOT_VERSION);
    write_bytes(w, p->magic, 4);
    write_bytes(w, head->base.b, 32);
    write_u64(w, head->coins);
}

static enum rc write_coins(struct dump *d, struct coindb_iter *it, const atomic_bool *interrupt)
{
    struct outpoint o;
    struct coin c;
    enum rc rc;

    for (unsigned n = 0; (rc = coindb_iter_next(it, &o, &c)) == RC_OK; n++) {
        if (n % LOOK_EVERY == 0 && stopped(interrupt))
            return RC_INTERRUPTED;
        if (d->n_group && !txid_equal(&d->txid, &o.txid)) {
            rc = end_group(d);
            if (rc != RC_OK)
                return rc;
        }
        d->txid = o.txid;
        write_compact_size(&d->group, o.n);
        coin_write(&d->group, &c);
        d->n_group++;
    }
    return rc == RC_NOT_FOUND ? end_group(d) : rc;
}

enum rc snapshot_write(FILE *f, const struct chain_params *p, const struct snapshot_head *head, struct coindb_iter *it,
                       const atomic_bool *interrupt)
{
    struct dump d = {.f = f, .out = WRITER_INIT, .group = WRITER_INIT};
    enum rc rc;

    write_head(&d.out, p, head);
    rc = write_coins(&d, it, interrupt);
    if (rc == RC_OK)
        rc = put_out(&d, 0);
    if (rc == RC_OK && d.written != head->coins)
        rc = RC_CORRUPT;
    writer_clear(&d.out);
    writer_clear(&d.group);
    return rc;
}

/* ---- back to an older block ---- */

static enum rc take_outputs(struct coindb_diff *d, const struct tx *tx)
{
    struct outpoint o = {tx->txid, 0};
    enum rc rc = RC_OK;

    for (; o.n < tx->n_out && rc == RC_OK; o.n++)
        if (!script_is_unspendable(tx->out[o.n].script, tx->out[o.n].script_len))
            rc = coindb_diff_remove(d, &o);
    return rc;
}

static enum rc put_inputs(struct coindb_diff *d, const struct tx *tx, const struct tx_undo *undo)
{
    enum rc rc = RC_OK;

    if (undo->n != tx->n_in)
        return RC_CORRUPT;
    for (uint32_t j = tx->n_in; j-- > 0 && rc == RC_OK;) {
        /* Records of versions before 0.15 may not say where a coin came from. */
        if (!undo->coin[j].height)
            return RC_CORRUPT;
        rc = coindb_diff_put(d, tx->in[j].prevout, &undo->coin[j]);
    }
    return rc;
}

static enum rc undo_block(struct coindb_diff *d, const struct block *b, const struct block_undo *undo)
{
    enum rc rc = undo->n_tx + 1 == b->n_tx ? RC_OK : RC_CORRUPT;

    for (uint32_t i = b->n_tx; i-- > 0 && rc == RC_OK;) {
        rc = take_outputs(d, &b->tx[i]);
        if (rc == RC_OK && i > 0)
            rc = put_inputs(d, &b->tx[i], &undo->tx[i - 1]);
    }
    return rc;
}

static enum rc roll_back_one(struct chain *c, struct coindb_diff *d, const struct block_entry *e)
{
    struct block_undo *undo = NULL;
    struct block *b = NULL;
    enum rc rc = chain_read_block(c, &b, e);

    if (rc == RC_OK)
        rc = chain_read_undo(c, &undo, e);
    if (rc == RC_OK)
        rc = undo_block(d, b, undo);
    block_unref(b);
    block_undo_free(undo);
    return rc;
}

enum rc snapshot_roll_back(struct chain *c, struct coindb_diff *d, const struct block_entry *from, const struct block_entry *to,
                           const atomic_bool *interrupt, const struct block_entry **failed)
{
    int64_t total = from->node.height - to->node.height, shown = 0;
    enum rc rc = RC_OK;

    log_info("Rolling back from height %d to %d", from->node.height, to->node.height);
    for (const struct block_entry *e = from; e != to && rc == RC_OK; e = entry_prev(e)) {
        int64_t percent = (from->node.height - e->node.height + 1) * 100 / total;

        *failed = e;
        rc = stopped(interrupt) ? RC_INTERRUPTED : roll_back_one(c, d, e);
        if (percent >= shown + 5) {
            log_info("Rolled back %d%% of blocks.", (int)percent);
            shown = percent;
        }
    }
    return rc == RC_OK ? coindb_diff_end(d) : rc;
}
