/* data.c - what sessions ask of the chain: headers, blocks, where transactions are, the node's commands; and the table of all that they may ask, of
 * which data_script.c has what is known of scripts. Pool threads, several at a time; blocking. */
#include <json-c/json.h>
#include <stdlib.h>

#include "chain/undo.h"
#include "crypto/hash.h"
#include "server.h"
#include "util/mem.h"
#include "util/random.h"

#define PLACE_SETS ((size_t)1 << 16)

/* ---- the chain ---- */

static int32_t height_of(void *ctx)
{
    return chain_height(((struct electrum_data *)ctx)->host.chain);
}

static bool header_at(void *ctx, uint8_t out[BLOCK_HEADER_SIZE], struct block_hash *hash, int32_t height)
{
    const struct block_entry *e = chain_at(((struct electrum_data *)ctx)->host.chain, height);
    struct block_header h;

    if (!e)
        return false;
    header_node_header(&h, &e->node);
    block_header_encode(out, &h);
    if (hash)
        *hash = e->node.hash;
    return true;
}

static bool hash_at(void *ctx, struct block_hash *out, int32_t height)
{
    const struct block_entry *e = chain_at(((struct electrum_data *)ctx)->host.chain, height);

    if (e)
        *out = e->node.hash;
    return e != NULL;
}

static bool header_proof(void *ctx, struct merkle_proof *out, int32_t height, int32_t cp)
{
    return header_tree_proof(((struct electrum_data *)ctx)->headers, out, height, cp);
}

enum electrum_rc electrum_outcome(enum rc rc)
{
    return rc == RC_OK ? ELECTRUM_OK : rc == RC_NOT_FOUND ? ELECTRUM_NONE : ELECTRUM_BROKEN;
}

static enum electrum_rc block_ids(void *ctx, struct txid **ids, size_t *n, int32_t height)
{
    struct electrum_data *d = ctx;
    const struct block_entry *e = chain_at(d->host.chain, height);
    struct block_outline o;
    uint8_t *raw;
    size_t len;

    if (!e)
        return ELECTRUM_NONE;
    if (chain_read_raw(d->host.chain, &raw, &len, e) != RC_OK)
        return ELECTRUM_BROKEN;
    if (!block_outline_read(&o, raw, len)) {
        free(raw);
        return ELECTRUM_BROKEN;
    }
    *n = o.n_tx;
    *ids = xmemdup(o.txid, o.n_tx * sizeof(**ids));
    block_outline_clear(&o);
    free(raw);
    return ELECTRUM_OK;
}

/* One of the blocks that were read last, or from disk. Returns: one reference; NULL. */
static struct block *get_block(struct electrum_data *d, const struct block_entry *e)
{
    struct block *b = NULL;

    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < BLOCKS_KEPT && !b; i++)
        if (d->blocks[i] && block_hash_equal(&d->blocks[i]->hash, &e->node.hash))
            b = block_ref(d->blocks[i]);
    pthread_mutex_unlock(&d->lock);
    if (b || chain_read_block(d->host.chain, &b, e) != RC_OK)
        return b;
    pthread_mutex_lock(&d->lock);
    block_unref(d->blocks[d->next_block]);
    d->blocks[d->next_block] = block_ref(b);
    d->next_block = (d->next_block + 1) % BLOCKS_KEPT;
    pthread_mutex_unlock(&d->lock);
    return b;
}

/* ---- where transactions are, as far as histories told ---- */

static uint64_t place_id(const struct electrum_data *d, const struct txid *id)
{
    uint64_t v = siphash_hash(d->secret[0], d->secret[1], id->b);

    return v ? v : 1;
}

static void remember_place(struct electrum_data *d, const struct txid *id, int32_t height, uint32_t pos)
{
    uint64_t v = place_id(d, id);
    struct tx_place *set = d->places + v % d->n_sets * PLACE_WAYS, *at = set + (v >> 60) % PLACE_WAYS;

    for (unsigned i = PLACE_WAYS; i-- > 0;)
        if (!set[i].id)
            at = &set[i];
    for (unsigned i = 0; i < PLACE_WAYS; i++)
        if (set[i].id == v)
            at = &set[i];
    *at = (struct tx_place){v, height, pos};
}

void electrum_data_remember(struct electrum_data *d, const struct script_history *h)
{
    if (!d->places)
        return;
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < h->n_confirmed; i++)
        remember_place(d, &h->rows[i].txid, h->rows[i].height, h->rows[i].pos);
    pthread_mutex_unlock(&d->lock);
}

static bool find_place(struct electrum_data *d, struct tx_place *out, const struct txid *id)
{
    uint64_t v = place_id(d, id);
    bool found = false;

    if (!d->places)
        return false;
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < PLACE_WAYS && !found; i++) {
        *out = d->places[v % d->n_sets * PLACE_WAYS + i];
        found = out->id == v;
    }
    pthread_mutex_unlock(&d->lock);
    return found;
}

static enum electrum_rc known_tx(void *ctx, struct writer *raw, struct block_hash *block, const struct txid *id)
{
    struct electrum_data *d = ctx;
    const struct block_entry *e;
    struct tx_place place;
    struct block *b;
    bool found;

    if (!find_place(d, &place, id))
        return ELECTRUM_NONE;
    e = chain_at(d->host.chain, place.height);
    b = e ? get_block(d, e) : NULL;
    found = b && place.pos < b->n_tx && txid_equal(&b->tx[place.pos].txid, id); /* else the chain is another now */
    if (found) {
        *block = b->hash;
        if (raw)
            write_bytes(raw, b->tx[place.pos].raw, b->tx[place.pos].raw_len);
    }
    block_unref(b);
    return found ? ELECTRUM_OK : ELECTRUM_NONE;
}

/* ---- the rest ---- */

static int call(void *ctx, struct writer *out, const char *method, struct json_object *params)
{
    return rpc_local_call(((struct electrum_data *)ctx)->rpc, out, method, params);
}

static void hosts(void *ctx, struct json_writer *j)
{
    struct electrum_data *d = ctx;

    d->hosts(d->hosts_ctx, j);
}

void electrum_data_init(struct electrum_data *d, const struct rpc_host *host)
{
    memset(d, 0, sizeof(*d));
    d->host = *host;
    d->watches = watch_table_new(WATCH_ALL_MAX);
    d->headers = header_tree_new(hash_at, d);
    d->rpc = rpc_local_new(host);
    atomic_init(&d->stopping, false);
    pthread_mutex_init(&d->lock, NULL);
    random_bytes(d->secret, sizeof(d->secret));
    if (!host->txs) {
        d->n_sets = PLACE_SETS;
        d->places = xcalloc(PLACE_SETS * PLACE_WAYS, sizeof(*d->places));
    }
}

void electrum_data_clear(struct electrum_data *d)
{
    for (unsigned i = 0; i < BLOCKS_KEPT; i++)
        block_unref(d->blocks[i]);
    free(d->places);
    rpc_local_free(d->rpc);
    header_tree_free(d->headers);
    watch_table_free(d->watches);
    pthread_mutex_destroy(&d->lock);
}

void electrum_data_source(struct electrum_data *d, struct electrum_source *src)
{
    *src = (struct electrum_source){.ctx = d,
                                    .params = d->host.params,
                                    .banner = "",
                                    .donation = "",
                                    .height = height_of,
                                    .header = header_at,
                                    .header_proof = header_proof,
                                    .block_ids = block_ids,
                                    .known_tx = known_tx,
                                    .call = call,
                                    .hosts = hosts};
    electrum_data_script_source(src);
}
