/* stats_index.c - statistics of the coin set, block by block. The running hash is kept as a fraction in memory, and stored only together with
 * the index's place, so that the two always agree. Written by the index's own thread, read by any. */
#include "index/stats_index.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/muhash.h"
#include "primitives/serialize.h"
#include "store.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

#define BOGO_FIXED (32 + 4 + 4 + 8 + 2) /* bytes of a coin, without its script, that size counts */

struct stats_index {
    struct index *base;
    struct kv *kv;
    struct chain *chain;
    /* the index's thread */
    struct muhash muhash;
    struct coin_stats now; /* but its hash */
    struct writer scratch;
};

static const uint8_t muhash_key[1] = {'M'};

/* ---- records ---- */

static void write_u256(struct writer *w, unsigned __int128 n)
{
    write_u64(w, (uint64_t)n);
    write_u64(w, (uint64_t)(n >> 64));
    write_u64(w, 0);
    write_u64(w, 0);
}

static unsigned __int128 read_u256(struct reader *r)
{
    unsigned __int128 n = read_u64(r);

    n |= (unsigned __int128)read_u64(r) << 64;
    if (read_u64(r) | read_u64(r))
        reader_fail(r); /* no chain moves so much */
    return n;
}

void coin_stats_encode(struct writer *w, const struct coin_stats *s)
{
    write_bytes(w, s->muhash, 32);
    write_u64(w, s->txouts);
    write_u64(w, s->bogosize);
    write_u64(w, (uint64_t)s->total_amount);
    write_u64(w, (uint64_t)s->subsidy);
    write_u256(w, s->prevouts_spent);
    write_u256(w, s->new_outputs);
    write_u256(w, s->coinbase);
    write_u64(w, (uint64_t)s->genesis);
    write_u64(w, (uint64_t)s->bip30);
    write_u64(w, (uint64_t)s->scripts);
    write_u64(w, (uint64_t)s->unclaimed);
}

bool coin_stats_decode(struct coin_stats *s, struct reader *r)
{
    read_copy(r, s->muhash, 32);
    s->txouts = read_u64(r);
    s->bogosize = read_u64(r);
    s->total_amount = (int64_t)read_u64(r);
    s->subsidy = (int64_t)read_u64(r);
    s->prevouts_spent = read_u256(r);
    s->new_outputs = read_u256(r);
    s->coinbase = read_u256(r);
    s->genesis = (int64_t)read_u64(r);
    s->bip30 = (int64_t)read_u64(r);
    s->scripts = (int64_t)read_u64(r);
    s->unclaimed = (int64_t)read_u64(r);
    return reader_done(r);
}

enum rc stats_index_find(struct stats_index *x, struct coin_stats *out, const struct block_entry *e)
{
    struct reader r;
    uint8_t *value;
    size_t len;
    enum rc rc = store_block_get(x->kv, &value, &len, e);

    if (rc != RC_OK)
        return rc;
    r = reader_make(value, len);
    rc = coin_stats_decode(out, &r) ? RC_OK : RC_CORRUPT;
    free(value);
    return rc;
}

/* ---- coins ---- */

enum coin_change { COIN_MADE, COIN_GONE };

static void change_hash(struct stats_index *x, const struct outpoint *o, const struct coin *c, enum coin_change change)
{
    struct writer *w = &x->scratch;

    w->len = 0;
    write_bytes(w, o->txid.b, 32);
    write_u32(w, o->n);
    write_u32(w, c->height << 1 | (c->coinbase ? 1 : 0));
    write_u64(w, (uint64_t)c->out.value);
    write_var_bytes(w, c->out.script, c->out.script_len);
    if (change == COIN_MADE)
        muhash_insert(&x->muhash, w->data, w->len);
    else
        muhash_remove(&x->muhash, w->data, w->len);
}

/* Two coinbases of the main chain were overwritten by later ones alike, while they were unspent (BIP30). */
static bool is_overwritten(const struct block_entry *e)
{
    static const struct {
        int32_t height;
        const char *hash;
    } known[] = {{91722, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"},
                 {91812, "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"}};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (e->node.height == known[i].height && strcmp(block_hash_hex(&e->node.hash).s, known[i].hash) == 0)
            return true;
    return false;
}

static void count_outputs(struct stats_index *x, const struct block_entry *e, const struct tx *tx, bool coinbase)
{
    struct coin c = {.height = (uint32_t)e->node.height, .coinbase = coinbase};
    struct outpoint o = {.txid = tx->txid};
    struct coin_stats *s = &x->now;

    for (; o.n < tx->n_out; o.n++) {
        c.out = tx->out[o.n];
        if (script_is_unspendable(c.out.script, c.out.script_len)) {
            s->scripts += c.out.value;
            continue;
        }
        change_hash(x, &o, &c, COIN_MADE);
        if (coinbase)
            s->coinbase += (uint64_t)c.out.value;
        else
            s->new_outputs += (uint64_t)c.out.value;
        s->txouts++;
        s->total_amount += c.out.value;
        s->bogosize += BOGO_FIXED + c.out.script_len;
    }
}

static void count_inputs(struct stats_index *x, const struct tx *tx, const struct tx_undo *undo)
{
    struct coin_stats *s = &x->now;

    for (uint32_t i = 0; i < undo->n; i++) {
        const struct coin *c = &undo->coin[i];

        change_hash(x, tx->in[i].prevout, c, COIN_GONE);
        s->prevouts_spent += (uint64_t)c->out.value;
        s->txouts--;
        s->total_amount -= c->out.value;
        s->bogosize -= BOGO_FIXED + c->out.script_len;
    }
}

/* An undo record that is not this block's would be read beyond its end. */
static bool undo_fits(const struct block *b, const struct block_undo *undo)
{
    if (undo->n_tx != b->n_tx - 1)
        return false;
    for (uint32_t i = 1; i < b->n_tx; i++)
        if (undo->tx[i - 1].n != b->tx[i].n_in)
            return false;
    return true;
}

static bool count_block(struct stats_index *x, const struct block_entry *e, const struct block *b, const struct block_undo *undo,
                        int64_t subsidy)
{
    if (!undo || !undo_fits(b, undo))
        return false;
    for (uint32_t i = 0; i < b->n_tx; i++) {
        if (i == 0 && is_overwritten(e)) {
            x->now.bip30 += subsidy;
            continue;
        }
        count_outputs(x, e, &b->tx[i], i == 0);
        if (i > 0)
            count_inputs(x, &b->tx[i], &undo->tx[i - 1]);
    }
    return true;
}

/* ---- following the chain ---- */

static enum rc st_append(void *impl, const struct block_entry *e, const struct block *b, const struct block_undo *undo)
{
    struct stats_index *x = impl;
    struct coin_stats *s = &x->now;
    int64_t subsidy = block_subsidy(chain_get_params(x->chain), e->node.height);
    struct writer w = WRITER_INIT;
    enum rc rc;

    s->subsidy += subsidy;
    if (!e->node.prev)
        s->genesis += subsidy;
    else if (!count_block(x, e, b, undo, subsidy))
        return RC_CORRUPT;
    /* What came in and went nowhere is what the miner did not take. */
    s->unclaimed += (int64_t)(uint64_t)(s->prevouts_spent + (uint64_t)s->subsidy - s->new_outputs - s->coinbase -
                                        (uint64_t)(s->genesis + s->bip30 + s->scripts + s->unclaimed));
    muhash_finish(&x->muhash, s->muhash);
    coin_stats_encode(&w, s);
    rc = store_block_put(x->kv, e, w.data, w.len);
    writer_clear(&w);
    return rc;
}

/* Takes a block's coins out of the hash. */
static bool revert_hash(struct stats_index *x, const struct block_entry *e, const struct block *b, const struct block_undo *undo)
{
    if (!undo_fits(b, undo))
        return false;
    for (uint32_t i = 0; i < b->n_tx; i++) {
        const struct tx *tx = &b->tx[i];
        struct coin c = {.height = (uint32_t)e->node.height, .coinbase = i == 0};
        struct outpoint o = {.txid = tx->txid};

        if (i == 0 && is_overwritten(e))
            continue;
        for (; o.n < tx->n_out; o.n++) {
            c.out = tx->out[o.n];
            if (!script_is_unspendable(c.out.script, c.out.script_len))
                change_hash(x, &o, &c, COIN_GONE);
        }
        for (uint32_t j = 0; i > 0 && j < tx->n_in; j++)
            change_hash(x, tx->in[j].prevout, &undo->tx[i - 1].coin[j], COIN_MADE);
    }
    return true;
}

static enum rc revert_block(struct stats_index *x, const struct block_entry *e)
{
    struct block_undo *undo = NULL;
    struct block *b;
    struct coin_stats before;
    uint8_t hash[32];
    enum rc rc = chain_read_block(x->chain, &b, e);

    if (rc != RC_OK)
        return rc;
    rc = chain_read_undo(x->chain, &undo, e);
    if (rc == RC_OK && !revert_hash(x, e, b, undo))
        rc = RC_CORRUPT;
    if (rc == RC_OK)
        rc = stats_index_find(x, &before, entry_prev(e));
    if (rc == RC_OK) {
        muhash_finish(&x->muhash, hash);
        rc = memcmp(hash, before.muhash, sizeof(hash)) == 0 ? RC_OK : RC_CORRUPT;
    }
    if (rc == RC_OK)
        x->now = before;
    if (undo)
        block_undo_free(undo);
    block_unref(b);
    return rc;
}

static enum rc st_remove(void *impl, const struct block_entry *e)
{
    struct stats_index *x = impl;
    struct kv_batch *batch = kv_batch_new(x->kv);
    uint8_t *record;
    size_t len;
    enum rc rc = store_block_get(x->kv, &record, &len, e);

    if (rc == RC_OK) {
        store_block_keep(batch, e, record, len);
        rc = kv_batch_write(batch, false);
        free(record);
    }
    kv_batch_free(batch);
    return rc == RC_OK ? revert_block(x, e) : rc;
}

static enum rc st_commit(void *impl, struct kv_batch *batch)
{
    struct stats_index *x = impl;
    struct writer w = WRITER_INIT;

    for (size_t i = 0; i < ARRAY_LEN(x->muhash.num); i++)
        write_u64(&w, x->muhash.num[i]);
    for (size_t i = 0; i < ARRAY_LEN(x->muhash.den); i++)
        write_u64(&w, x->muhash.den[i]);
    kv_batch_put(batch, muhash_key, sizeof(muhash_key), w.data, w.len);
    writer_clear(&w);
    return RC_OK;
}

static enum rc read_muhash(struct stats_index *x)
{
    struct reader r;
    uint8_t *value;
    size_t len;
    enum rc rc = kv_get(x->kv, muhash_key, sizeof(muhash_key), &value, &len);

    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    r = reader_make(value, len);
    for (size_t i = 0; i < ARRAY_LEN(x->muhash.num); i++)
        x->muhash.num[i] = read_u64(&r);
    for (size_t i = 0; i < ARRAY_LEN(x->muhash.den); i++)
        x->muhash.den[i] = read_u64(&r);
    free(value);
    return reader_done(&r) ? RC_OK : RC_CORRUPT;
}

static enum rc st_start(void *impl, const struct block_entry *best)
{
    struct stats_index *x = impl;
    uint8_t hash[32];
    enum rc rc = read_muhash(x);

    if (rc != RC_OK || !best)
        return rc;
    rc = stats_index_find(x, &x->now, best);
    if (rc != RC_OK)
        return rc;
    muhash_finish(&x->muhash, hash);
    return memcmp(hash, x->now.muhash, sizeof(hash)) == 0 ? RC_OK : RC_CORRUPT;
}

static const struct index_ops ops = {
    .name = STATS_INDEX_NAME,
    .thread_name = "coinstatsidx",
    .needs_undo = true,
    .start = st_start,
    .append = st_append,
    .remove = st_remove,
    .commit = st_commit,
};

/* ---- opening ---- */

/* Versions up to 29 of Core kept an index with wrong sums in another folder, .../indexes/coinstats. */
static void warn_of_old_folder(const char *dir)
{
    static const char own[] = "index/db"; /* what .../coinstatsindex/db has behind the old name */
    size_t n = strlen(dir);
    char *old;

    if (n < sizeof(own) || strcmp(dir + n - (sizeof(own) - 1), own) != 0)
        return;
    old = xasprintf("%.*s", (int)(n - (sizeof(own) - 1)), dir);
    if (fs_exists(old))
        log_warning(
            "Old version of coinstatsindex found at %s. This folder can be safely deleted unless you plan to downgrade your node "
            "to version 29 or lower.",
            old);
    free(old);
}

enum rc stats_index_open(struct stats_index **out, const struct index_setup *s, char **error)
{
    struct stats_index *x = xcalloc(1, sizeof(*x));
    struct index_options io = {.chain = s->chain, .ops = &ops, .impl = x, .fatal = s->fatal, .ctx = s->ctx};
    enum rc rc;

    *out = NULL;
    *error = NULL;
    x->chain = s->chain;
    x->scratch = (struct writer)WRITER_INIT;
    muhash_init(&x->muhash);
    warn_of_old_folder(s->dir);
    rc = store_open(&x->kv, s, false, error);
    if (rc == RC_OK) {
        io.kv = x->kv;
        rc = index_new(&x->base, &io, error);
    }
    if (rc != RC_OK) {
        stats_index_close(x);
        return rc;
    }
    *out = x;
    return RC_OK;
}

void stats_index_close(struct stats_index *x)
{
    if (!x)
        return;
    index_free(x->base);
    kv_close(x->kv);
    writer_clear(&x->scratch);
    free(x);
}

struct index *stats_index_base(struct stats_index *x)
{
    return x->base;
}
