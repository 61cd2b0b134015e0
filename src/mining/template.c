/* template.c - what goes into the next block: the pool's chunks by fee rate, within weight and sigops. Called by RPC and node; validation
 * thread. */
#include <stdlib.h>

#include "crypto/sha256.h"
#include "mining/mining.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define COINBASE_SIGOPS 400     /* kept free for what a miner's coinbase may hold */
#define MAX_FAILURES 1000       /* chunks in a row that did not fit ... */
#define FULL_ENOUGH_WEIGHT 4000 /* ... and no more room than this: enough */
#define MAX_TIMEWARP 600

int64_t mining_min_time(const struct chain_params *p, const struct header_node *prev)
{
    int64_t least = header_node_mtp(prev) + 1;
    if ((prev->height + 1) % chain_params_interval(p) == 0 && (int64_t)prev->time - MAX_TIMEWARP > least)
        least = (int64_t)prev->time - MAX_TIMEWARP;
    return least;
}

void block_template_now(const struct block_template *t, const struct chain_params *p, uint32_t *time, uint32_t *bits)
{
    int64_t now = time_now();
    if (now < t->min_time)
        now = t->min_time;
    if (now > UINT32_MAX)
        now = UINT32_MAX;
    *time = (int64_t)t->time < now ? (uint32_t)now : t->time;
    *bits = p->pow_min_difficulty_blocks ? next_work_required(p, &t->prev->node, *time) : t->bits;
}

void block_template_update_time(struct block_template *t, const struct chain_params *p)
{
    block_template_now(t, p, &t->time, &t->bits);
}

static struct block_template *template_new(struct chain *c, const struct mining_options *o)
{
    const struct chain_params *p = chain_get_params(c);
    struct block_template *t = (struct block_template *)xcalloc(1, sizeof(*t));

    atomic_init(&t->refs, 1);
    t->prev = chain_tip(c);
    t->height = t->prev->node.height + 1;
    t->version = p->mineable_by_rpc && o->version ? o->version : block_version_after(p, &t->prev->node);
    t->min_time = mining_min_time(p, &t->prev->node);
    t->signet_keys = o->signet_keys;
    t->weight = o->reserved_weight;
    t->sigop_cost = COINBASE_SIGOPS;
    t->segwit_active = deployment_active_after(p, &t->prev->node, DEPLOYMENT_SEGWIT);
    block_template_update_time(t, p);
    t->bits = next_work_required(p, &t->prev->node, t->time);
    return t;
}

static void template_add(struct block_template *t, struct tx *tx, int64_t fee, int64_t sigop_cost, size_t *cap)
{
    if (t->n_txs == *cap) {
        *cap = *cap ? 2 * *cap : 64;
        t->txs = (struct template_tx *)xrealloc(t->txs, *cap * sizeof(*t->txs));
    }
    t->txs[t->n_txs++] = (struct template_tx){tx_ref(tx), fee, sigop_cost};
    t->fees += fee;
    t->weight += tx_weight(tx);
    t->sigop_cost += sigop_cost;
}

/* OP_RETURN, and a push of the commitment's tag and hash (BIP141), with a reserved value of zeroes. */
static void template_commit(struct block_template *t)
{
    static const uint8_t head[6] = {OP_RETURN, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    uint8_t *ids = (uint8_t *)xcalloc(t->n_txs + 1, 32), pair[64] = {0};
    struct hash256 root;

    for (size_t i = 0; i < t->n_txs; i++)
        memcpy(ids + 32 * (i + 1), t->txs[i].tx->wtxid.b, 32);
    root = merkle_root(ids, t->n_txs + 1, NULL);
    free(ids);
    memcpy(pair, root.b, 32);
    t->commitment_len = sizeof(head) + 32;
    t->commitment = (uint8_t *)xmalloc(t->commitment_len);
    memcpy(t->commitment, head, sizeof(head));
    sha256d(t->commitment + sizeof(head), pair, sizeof(pair));
}

static struct block_template *template_finish(struct block_template *t, const struct chain_params *p)
{
    template_commit(t);
    t->coinbase_value = block_subsidy(p, t->height) + t->fees;
    return t;
}

/* ---- choice ---- */

struct choice {
    struct block_template *t;
    const struct mining_options *o;
    int64_t mtp;
    size_t cap;
    unsigned failures;
};

static bool chunk_fits(const struct choice *s, const struct mempool_chunk *k)
{
    int64_t sigops = 0;
    for (size_t i = 0; i < k->n; i++) {
        sigops += k->tx[i].sigop_cost;
        if (!is_final_tx(k->tx[i].tx, s->t->height, s->mtp))
            return false;
    }
    return s->t->weight + k->weight < s->o->max_weight && s->t->sigop_cost + sigops < MAX_BLOCK_SIGOPS_COST;
}

static void print_fee(const struct mempool_entry *e)
{
    int64_t rate = (int64_t)((__int128)e->modified_fee * 1000 / e->vsize);
    log_info("fee rate %s%lld.%08lld BTC/kvB txid %s", rate < 0 ? "-" : "", (long long)llabs(rate / COIN),
             (long long)llabs(rate % COIN), txid_hex(&e->tx->txid).s);
}

static enum mempool_visit choose(void *ctx, const struct mempool_chunk *k)
{
    struct choice *s = (struct choice *)ctx;
    int64_t vsize = (k->weight + WITNESS_SCALE_FACTOR - 1) / WITNESS_SCALE_FACTOR;

    if ((__int128)k->fee * 1000 < (__int128)s->o->min_fee_rate * vsize)
        return MEMPOOL_STOP;
    if (!chunk_fits(s, k)) {
        if (++s->failures > MAX_FAILURES && s->t->weight + FULL_ENOUGH_WEIGHT > s->o->max_weight)
            return MEMPOOL_STOP;
        return MEMPOOL_LEFT_OUT;
    }
    s->failures = 0;
    for (size_t i = 0; i < k->n; i++) {
        template_add(s->t, k->tx[i].tx, k->tx[i].fee, k->tx[i].sigop_cost, &s->cap);
        if (s->o->print_fees)
            print_fee(&k->tx[i]);
    }
    return MEMPOOL_TAKEN;
}

struct block_template *mining_template(struct chain *c, struct mempool *m, const struct mining_options *o)
{
    struct block_template *t = template_new(c, o);
    struct choice s = {.t = t, .o = o, .mtp = header_node_mtp(&t->prev->node)};

    if (m) {
        t->pool_updates = mempool_updates(m);
        mempool_take_chunks(m, choose, &s);
    }
    template_finish(t, chain_get_params(c));
    log_info("CreateNewBlock(): block weight: %lld txs: %zu fees: %lld sigops %lld", (long long)t->weight, t->n_txs,
             (long long)t->fees, (long long)t->sigop_cost);
    return t;
}

struct block_template *mining_template_of(struct chain *c, struct tx *const *txs, size_t n, const struct mining_options *o)
{
    struct block_template *t = template_new(c, o);
    size_t cap = 0;
    for (size_t i = 0; i < n; i++)
        template_add(t, txs[i], 0, 0, &cap);
    return template_finish(t, chain_get_params(c));
}

struct block_template *block_template_ref(struct block_template *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void block_template_free(struct block_template *t)
{
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < t->n_txs; i++)
        tx_unref(t->txs[i].tx);
    free(t->txs);
    free(t->commitment);
    free(t);
}
