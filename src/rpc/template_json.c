/* template_json.c - a block template as getblocktemplate gives it. The text of the transactions is kept with the template and shared by all
 * answers. Called by template.c on pool threads. */
#include <pthread.h>
#include <stdlib.h>

#include "rpc/mining_priv.h"
#include "rpc/server_priv.h"

/* ---- the list of transactions: megabytes of hex, written once for each template ---- */

struct template_text {
    atomic_uint refs;
    struct block_template *t; /* whose transactions these are: one reference */
    struct json_writer json;
};
struct template_store {
    struct template_cache *cache; /* if the host has none */
    pthread_mutex_t mutex;
    struct template_text *text; /* the latest, NULL: none yet */
};

struct template_store *template_store_new(void)
{
    struct template_store *s = xcalloc(1, sizeof(*s));

    s->cache = template_cache_new();
    pthread_mutex_init(&s->mutex, NULL);
    return s;
}

static void text_unref(struct template_text *x)
{
    if (!x || atomic_fetch_sub(&x->refs, 1) > 1)
        return;
    block_template_free(x->t);
    jw_clear(&x->json);
    free(x);
}

void template_store_free(struct template_store *s)
{
    if (!s)
        return;
    text_unref(s->text);
    template_cache_free(s->cache);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

struct template_cache *rpc_template_cache(const struct rpc_call *call)
{
    return call->host->templates ? call->host->templates : call->server->templates->cache;
}

/* Places of transactions by id. */
struct place {
    const struct txid *id;
    size_t n; /* counted from 1, as in "depends" */
};

static int place_cmp(const void *a, const void *b)
{
    return memcmp(((const struct place *)a)->id->b, ((const struct place *)b)->id->b, 32);
}

static struct place *sort_places(const struct block_template *t)
{
    struct place *p = xmalloc((t->n_txs + 1) * sizeof(*p));

    for (size_t i = 0; i < t->n_txs; i++)
        p[i] = (struct place){&t->txs[i].tx->txid, i + 1};
    qsort(p, t->n_txs, sizeof(*p), place_cmp);
    return p;
}

static void write_depends(struct json_writer *j, const struct tx *tx, const struct place *places, size_t n_places)
{
    jw_key(j, "depends");
    jw_arr_begin(j);
    for (uint32_t n = 0; n < tx->n_in; n++) {
        struct place want = {&tx->in[n].prevout->txid, 0};
        const struct place *found = bsearch(&want, places, n_places, sizeof(*places), place_cmp);
        if (found)
            jw_uint(j, found->n);
    }
    jw_arr_end(j);
}

static void write_transactions(struct json_writer *j, const struct block_template *t)
{
    struct place *places = sort_places(t);

    jw_arr_begin(j);
    for (size_t i = 0; i < t->n_txs; i++) {
        const struct tx *tx = t->txs[i].tx;
        jw_obj_begin(j);
        jw_kv_hex(j, "data", tx->raw, tx->raw_len);
        jw_kv_hash(j, "txid", tx->txid.b);
        jw_kv_hash(j, "hash", tx->wtxid.b);
        write_depends(j, tx, places, t->n_txs);
        jw_kv_int(j, "fee", t->txs[i].fee);
        jw_kv_int(j, "sigops", t->segwit_active ? t->txs[i].sigop_cost : t->txs[i].sigop_cost / WITNESS_SCALE_FACTOR);
        jw_kv_int(j, "weight", tx_weight(tx));
        jw_obj_end(j);
    }
    jw_arr_end(j);
    free(places);
}

/* A reference to the text. Others who want the same one wait for it. */
static struct template_text *text_of(struct template_store *s, struct block_template *t)
{
    struct template_text *x;

    pthread_mutex_lock(&s->mutex);
    x = s->text;
    if (!x || x->t != t) {
        text_unref(x);
        s->text = x = xcalloc(1, sizeof(*x));
        atomic_init(&x->refs, 1);
        x->t = block_template_ref(t);
        write_transactions(&x->json, t);
    }
    atomic_fetch_add(&x->refs, 1);
    pthread_mutex_unlock(&s->mutex);
    return x;
}

/* ---- the rest, which moves with time ---- */

/* Signalling by version bits. Returns: the version to show. */
static int32_t write_rules(struct rpc_call *call, const struct block_template *t)
{
    const struct chain_params *p = call->host->params;
    struct json_writer *j = &call->out;
    uint32_t version = (uint32_t)t->version;

    for (int d = 0; d < DEPLOYMENT_BIP9_COUNT; d++) {
        enum bip9_state s = chain_bip9_state(call->host->chain, t->prev, (enum bip9_deployment_id)d);
        if (s == BIP9_LOCKED_IN)
            version |= 1u << p->bip9[d].bit;
    }
    jw_kv_int(j, "version", (int32_t)version);
    jw_key(j, "rules");
    jw_arr_begin(j);
    jw_str(j, "csv");
    if (t->segwit_active) {
        jw_str(j, "!segwit");
        jw_str(j, "taproot");
    }
    if (p->signet)
        jw_str(j, "!signet");
    for (int d = 0; d < DEPLOYMENT_BIP9_COUNT; d++) {
        if (chain_bip9_state(call->host->chain, t->prev, (enum bip9_deployment_id)d) == BIP9_ACTIVE)
            jw_str(j, p->bip9[d].name);
    }
    jw_arr_end(j);
    jw_key(j, "vbavailable");
    jw_obj_begin(j);
    for (int d = 0; d < DEPLOYMENT_BIP9_COUNT; d++) {
        enum bip9_state s = chain_bip9_state(call->host->chain, t->prev, (enum bip9_deployment_id)d);
        if (s == BIP9_STARTED || s == BIP9_LOCKED_IN)
            jw_kv_int(j, p->bip9[d].name, p->bip9[d].bit);
    }
    jw_obj_end(j);
    jw_kv_int(j, "vbrequired", 0);
    return (int32_t)version;
}

static void write_limits(struct json_writer *j, const struct block_template *t)
{
    static const char *const mutable_parts[] = {"time", "transactions", "prevblock"};
    int64_t part = t->segwit_active ? 1 : WITNESS_SCALE_FACTOR;

    jw_kv_int(j, "mintime", t->min_time);
    jw_key(j, "mutable");
    jw_arr_begin(j);
    for (size_t i = 0; i < ARRAY_LEN(mutable_parts); i++)
        jw_str(j, mutable_parts[i]);
    jw_arr_end(j);
    jw_kv_str(j, "noncerange", "00000000ffffffff");
    jw_kv_int(j, "sigoplimit", MAX_BLOCK_SIGOPS_COST / part);
    jw_kv_int(j, "sizelimit", MAX_BLOCK_SERIALIZED_SIZE / part);
    if (t->segwit_active)
        jw_kv_int(j, "weightlimit", MAX_BLOCK_WEIGHT);
}

void rpc_write_template(struct rpc_call *call, struct block_template *t)
{
    struct template_text *text = text_of(call->server->templates, t);
    struct json_writer *j = &call->out;
    uint32_t when, bits;
    char *id;

    block_template_now(t, call->host->params, &when, &bits);
    jw_obj_begin(j);
    jw_key(j, "capabilities");
    jw_arr_begin(j);
    jw_str(j, "proposal");
    jw_arr_end(j);
    write_rules(call, t);
    jw_kv_hash(j, "previousblockhash", t->prev->node.hash.b);
    jw_key(j, "transactions");
    jw_raw(j, text->json.w.data, text->json.w.len);
    text_unref(text);
    jw_key(j, "coinbaseaux");
    jw_obj_begin(j);
    jw_kv_str(j, "flags", ""); /* older miners insist on it */
    jw_obj_end(j);
    jw_kv_int(j, "coinbasevalue", t->coinbase_value);
    id = xasprintf("%s%llu", block_hash_hex(&t->prev->node.hash).s, (unsigned long long)t->pool_updates);
    jw_kv_str(j, "longpollid", id);
    free(id);
    jw_kv_str(j, "target", rpc_target_hex(bits).s);
    write_limits(j, t);
    jw_kv_int(j, "curtime", when);
    jw_kv_hex32(j, "bits", bits);
    jw_kv_int(j, "height", t->height);
    jw_signet_challenge(call);
    jw_kv_hex(j, "default_witness_commitment", t->commitment, t->commitment_len);
    jw_obj_end(j);
}
