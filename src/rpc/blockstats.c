/* blockstats.c - getblockstats: sums, extremes and percentiles over one block. Reads block and undo from disk; pool thread. */
#include <stdlib.h>

#include "chain/undo.h"
#include "rpc/priv.h"

#define PERCENTILES 5
#define COIN_OVERHEAD (36 + 4) /* outpoint and height, as Bitcoin Core counts */

struct fee_rate {
    int64_t rate, weight;
};
struct stats {
    int64_t max_fee, min_fee, total_fee, max_rate, min_rate, total_out, inputs, outputs, max_size, min_size, total_size,
        total_weight;
    int64_t sw_size, sw_weight, sw_txs, coins, size_inc, size_inc_actual;
    int64_t *fees, *sizes;
    struct fee_rate *rates;
    size_t n; /* transactions but the coinbase */
    int64_t percentile[PERCENTILES];
};

static int64_t output_size(const struct tx_out *out)
{
    return 8 + (out->script_len < 0xfd ? 1 : out->script_len <= 0xffff ? 3 : 5) + (int64_t)out->script_len + COIN_OVERHEAD;
}

/* The two coinbases of mainnet that others with the same id overwrote later: their outputs added nothing. */
static bool repeats_coinbase(const struct block_entry *e)
{
    return (e->node.height == 91842 &&
            strcmp(block_hash_hex(&e->node.hash).s, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec") == 0) ||
           (e->node.height == 91880 &&
            strcmp(block_hash_hex(&e->node.hash).s, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721") == 0);
}

static int64_t add_outputs(struct stats *s, const struct tx *tx, bool uncounted)
{
    int64_t total = 0;

    s->outputs += tx->n_out;
    for (uint32_t i = 0; i < tx->n_out; i++) {
        int64_t size = output_size(&tx->out[i]);
        total += tx->out[i].value;
        s->size_inc += size;
        if (uncounted || script_is_unspendable(tx->out[i].script, tx->out[i].script_len))
            continue;
        s->coins++;
        s->size_inc_actual += size;
    }
    return total;
}

static void add_fee(struct stats *s, const struct tx *tx, const struct tx_undo *undo, int64_t out)
{
    int64_t in = 0, weight = tx_weight(tx), fee, rate;

    for (uint32_t i = 0; i < undo->n; i++) {
        int64_t size = output_size(&undo->coin[i].out);
        in += undo->coin[i].out.value;
        s->size_inc -= size;
        s->size_inc_actual -= size;
    }
    fee = in - out;
    rate = weight ? fee * WITNESS_SCALE_FACTOR / weight : 0;
    s->fees[s->n] = fee;
    s->rates[s->n] = (struct fee_rate){rate, weight};
    s->total_fee += fee;
    s->max_fee = fee > s->max_fee ? fee : s->max_fee;
    s->min_fee = fee < s->min_fee ? fee : s->min_fee;
    s->max_rate = rate > s->max_rate ? rate : s->max_rate;
    s->min_rate = rate < s->min_rate ? rate : s->min_rate;
}

static void add_tx(struct stats *s, const struct tx *tx, const struct tx_undo *undo)
{
    int64_t out = add_outputs(s, tx, false), size = tx->raw_len;

    s->inputs += tx->n_in;
    s->total_out += out;
    s->sizes[s->n] = size;
    s->max_size = size > s->max_size ? size : s->max_size;
    s->min_size = size < s->min_size ? size : s->min_size;
    s->total_size += size;
    s->total_weight += tx_weight(tx);
    if (tx->has_witness) {
        s->sw_txs++;
        s->sw_size += size;
        s->sw_weight += tx_weight(tx);
    }
    add_fee(s, tx, undo, out);
    s->n++;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int by_rate(const void *a, const void *b)
{
    const struct fee_rate *x = a, *y = b;

    if (x->rate != y->rate)
        return x->rate < y->rate ? -1 : 1;
    return x->weight < y->weight ? -1 : x->weight > y->weight;
}

static int64_t median(int64_t *v, size_t n)
{
    if (n == 0)
        return 0;
    qsort(v, n, sizeof(*v), by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void find_percentiles(struct stats *s)
{
    double total = (double)s->total_weight;
    const double marks[PERCENTILES] = {total / 10.0, total / 4.0, total / 2.0, total * 3.0 / 4.0, total * 9.0 / 10.0};
    int64_t sum = 0;
    unsigned at = 0;

    if (s->n == 0)
        return;
    qsort(s->rates, s->n, sizeof(*s->rates), by_rate);
    for (size_t i = 0; i < s->n; i++) {
        sum += s->rates[i].weight;
        while (at < PERCENTILES && (double)sum >= marks[at])
            s->percentile[at++] = s->rates[i].rate;
    }
    while (at < PERCENTILES)
        s->percentile[at++] = s->rates[s->n - 1].rate;
}

/* One value of the answer; kept in the answer's order. */
struct named_value {
    const char *name;
    int64_t value;
};

static void write_value(struct json_writer *j, const struct named_value *v, const struct stats *s, const struct block_entry *e)
{
    jw_key(j, v->name);
    if (strcmp(v->name, "blockhash") == 0) {
        jw_hash(j, e->node.hash.b);
    } else if (strcmp(v->name, "feerate_percentiles") == 0) {
        jw_arr_begin(j);
        for (int i = 0; i < PERCENTILES; i++)
            jw_int(j, s->percentile[i]);
        jw_arr_end(j);
    } else {
        jw_int(j, v->value);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(json_object_get_string(*(struct json_object *const *)a), json_object_get_string(*(struct json_object *const *)b));
}

static void write_selected(struct rpc_call *call, const struct named_value *values, size_t n, const struct stats *s,
                           const struct block_entry *e)
{
    struct json_object *list = rpc_arg(call, 1);
    struct json_writer *j = &call->out;
    const char *last = "";

    jw_obj_begin(j);
    if (!list || json_object_array_length(list) == 0) {
        for (size_t i = 0; i < n; i++)
            write_value(j, &values[i], s, e);
        jw_obj_end(j);
        return;
    }
    json_object_array_sort(list, by_text); /* selected ones come in the order of their names */
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(list, i));
        size_t k = 0;
        if (i > 0 && strcmp(name, last) == 0)
            continue;
        last = name;
        while (k < n && strcmp(values[k].name, name) != 0)
            k++;
        if (k == n) {
            rpc_error(call, RPC_INVALID_PARAMETER, "Invalid selected statistic '%s'", name);
            return;
        }
        write_value(j, &values[k], s, e);
    }
    jw_obj_end(j);
}

static void write_stats(struct rpc_call *call, struct stats *s, const struct block_entry *e)
{
    int64_t n = (int64_t)s->n;
    const struct named_value values[] = {
        {"avgfee", n ? s->total_fee / n : 0},
        {"avgfeerate", s->total_weight ? s->total_fee * WITNESS_SCALE_FACTOR / s->total_weight : 0},
        {"avgtxsize", n ? s->total_size / n : 0},
        {"blockhash", 0},
        {"feerate_percentiles", 0},
        {"height", e->node.height},
        {"ins", s->inputs},
        {"maxfee", s->max_fee},
        {"maxfeerate", s->max_rate},
        {"maxtxsize", s->max_size},
        {"medianfee", median(s->fees, s->n)},
        {"mediantime", header_node_mtp(&e->node)},
        {"mediantxsize", median(s->sizes, s->n)},
        {"minfee", s->min_fee == MAX_MONEY ? 0 : s->min_fee},
        {"minfeerate", s->min_rate == MAX_MONEY ? 0 : s->min_rate},
        {"mintxsize", s->min_size == MAX_BLOCK_SERIALIZED_SIZE ? 0 : s->min_size},
        {"outs", s->outputs},
        {"subsidy", block_subsidy(call->host->params, e->node.height)},
        {"swtotal_size", s->sw_size},
        {"swtotal_weight", s->sw_weight},
        {"swtxs", s->sw_txs},
        {"time", e->node.time},
        {"total_out", s->total_out},
        {"total_size", s->total_size},
        {"total_weight", s->total_weight},
        {"totalfee", s->total_fee},
        {"txs", n + 1},
        {"utxo_increase", s->outputs - s->inputs},
        {"utxo_size_inc", s->size_inc},
        {"utxo_increase_actual", s->coins - s->inputs},
        {"utxo_size_inc_actual", s->size_inc_actual},
    };

    write_selected(call, values, ARRAY_LEN(values), s, e);
}

static bool load(struct rpc_call *call, const struct block_entry *e, struct block **b, struct block_undo **undo)
{
    if (!rpc_has_data(call, e, false))
        return false;
    if (chain_read_block(call->host->chain, b, e) != RC_OK)
        return rpc_error(call, RPC_MISC_ERROR, "Block not found on disk");
    if (e->node.height == 0)
        return true;
    if (!rpc_has_data(call, e, true))
        return false;
    if (chain_read_undo(call->host->chain, undo, e) != RC_OK || (*undo)->n_tx + 1 != (*b)->n_tx)
        return rpc_error(call, RPC_MISC_ERROR, "Can't read undo data from disk");
    return true;
}

static void compute(struct rpc_call *call, const struct block_entry *e, const struct block *b, const struct block_undo *undo)
{
    struct stats s = {.min_fee = MAX_MONEY, .min_rate = MAX_MONEY, .min_size = MAX_BLOCK_SERIALIZED_SIZE};

    s.fees = xcalloc(b->n_tx, sizeof(*s.fees));
    s.sizes = xcalloc(b->n_tx, sizeof(*s.sizes));
    s.rates = xcalloc(b->n_tx, sizeof(*s.rates));
    add_outputs(&s, &b->tx[0], e->node.height == 0 || repeats_coinbase(e));
    for (uint32_t i = 1; undo && i < b->n_tx; i++)
        add_tx(&s, &b->tx[i], &undo->tx[i - 1]);
    find_percentiles(&s);
    write_stats(call, &s, e);
    free(s.fees);
    free(s.sizes);
    free(s.rates);
}

static void getblockstats(struct rpc_call *call)
{
    const struct block_entry *e = rpc_hash_or_height(call, rpc_arg(call, 0));
    struct json_object *list = rpc_arg(call, 1);
    struct block_undo *undo = NULL;
    struct block *b = NULL;

    for (size_t i = 0; e && list && i < json_object_array_length(list); i++) {
        if (!rpc_want(call, json_object_array_get_idx(list, i), RPC_STR))
            return;
    }
    if (e && load(call, e, &b, &undo))
        compute(call, e, b, undo);
    block_unref(b);
    if (undo)
        block_undo_free(undo);
}

const struct rpc_command rpc_stats_commands[] = {
    {"blockchain", "getblockstats", getblockstats,
     RPC_PARAMS(
         {"hash_or_height", RPC_NUM, RPC_REQUIRED | RPC_ANY_TYPE, NULL, "The block hash or height of the target block", NULL},
         {"stats", RPC_ARR, 0, "all values", "Values to plot (see result below)", "stats"}),
     0,
     "Compute per block statistics for a given window. All amounts are in satoshis.\nIt won't work for some heights with "
     "pruning.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
