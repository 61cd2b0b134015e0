/* fees.c - commands that estimate fees. The estimator belongs to the validation thread, and so does the pool. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "mempool/fees.h"
#include "rpc/priv.h"

static bool need_fees(struct rpc_call *call)
{
    return call->host->fees || rpc_error(call, RPC_INTERNAL_ERROR, "Fee estimation disabled");
}

/* The longest target of all estimators: any that can be asked for. */
static bool read_target(struct rpc_call *call, int64_t *target)
{
    int64_t max = fees_max_target(call->host->fees, FEES_LONG);

    if (!rpc_int(call, target, 0, 0))
        return false;
    if (max < FEES_POOL_TARGET)
        max = FEES_POOL_TARGET;
    if (*target < 1 || *target > max)
        return rpc_error(call, RPC_INVALID_PARAMETER, "Invalid conf_target, must be between 1 and %lld", (long long)max);
    return true;
}

/* ---- estimatesmartfee ---- */

enum estimator { EITHER, BLOCK_POLICY, MEMPOOL_POLICY };
static const char *const estimator_name[] = {"none", "block_policy", "mempool_policy"};

struct smart_op {
    struct rpc_call *call;
    int64_t target, verbosity;
    bool conservative;
    enum estimator asked;
};

/* One estimator's answer. */
struct answer {
    enum estimator from;
    int64_t rate; /* 0: none, and why */
    int blocks;
    const char *error;
};

static bool same_text(const char *a, const char *b)
{
    for (; *a && tolower((unsigned char)*a) == *b; a++, b++)
        ;
    return !*a && !*b;
}

static void ask_blocks(const struct smart_op *op, struct answer *a)
{
    *a = (struct answer){.from = BLOCK_POLICY};
    a->rate = fees_estimate_smart(op->call->host->fees, &a->blocks, (unsigned)op->target, op->conservative);
    if (!a->rate)
        a->error = "Insufficient data or no feerate found";
}

static void ask_pool(const struct smart_op *op, struct answer *a, const struct fees_pool *rates)
{
    const struct rpc_host *h = op->call->host;
    enum fees_health health = fees_pool_health(h->fees);

    *a = (struct answer){.from = MEMPOOL_POLICY, .blocks = FEES_POOL_TARGET};
    if (h->loaded && !atomic_load(h->loaded))
        a->error = "mempool_policy: Mempool not loaded yet, no fee rate estimate available";
    else if (health == FEES_TOO_FEW_BLOCKS)
        a->error = "mempool_policy: Not enough recent block data for fee rate estimation";
    else if (health == FEES_LOW_COVERAGE)
        a->error = "mempool_policy: Mempool is unreliable for fee rate estimation";
    else
        a->rate = op->conservative ? rates->half : rates->three_quarters;
}

/* The lower one, if both have an answer. */
static void ask_either(const struct smart_op *op, struct answer *a, const struct fees_pool *rates)
{
    struct answer pool;

    ask_blocks(op, a);
    if (a->error)
        return;
    ask_pool(op, &pool, rates);
    if (pool.error || pool.rate < a->rate)
        *a = pool;
}

static void show_next(struct json_writer *j, const struct fees_pool *rates)
{
    jw_key(j, "mempool"); /* not Core's: what waits, whatever was mined before */
    jw_obj_begin(j);
    jw_kv_amount(j, "1", rates->next_1);
    jw_kv_amount(j, "3", rates->next_3);
    jw_kv_amount(j, "6", rates->next_6);
    jw_obj_end(j);
}

static void show_window(struct json_writer *j, const struct fees *f)
{
    const struct fees_block *b;

    jw_key(j, "mempool_health_statistics");
    jw_arr_begin(j);
    for (size_t i = fees_window(f, &b); i-- > 0;) {
        jw_obj_begin(j);
        jw_kv_int(j, "block_height", b[i].height);
        jw_kv_int(j, "block_weight", b[i].weight);
        jw_kv_int(j, "mempool_txs_weight", b[i].known_weight);
        jw_obj_end(j);
    }
    jw_arr_end(j);
}

static void show_smart(void *arg)
{
    struct smart_op *op = arg;
    struct json_writer *j = &op->call->out;
    struct fees_pool rates;
    struct mempool_stats s;
    struct answer a;

    mempool_stats(op->call->host->mempool, &s);
    fees_estimate_pool(op->call->host->fees, &rates, op->call->host->mempool);
    if (op->asked == BLOCK_POLICY)
        ask_blocks(op, &a);
    else if (op->asked == MEMPOOL_POLICY)
        ask_pool(op, &a, &rates);
    else
        ask_either(op, &a, &rates);
    jw_obj_begin(j);
    if (a.error) {
        jw_key(j, "errors");
        jw_arr_begin(j);
        jw_str(j, a.error);
        jw_arr_end(j);
    } else {
        jw_kv_amount(j, "feerate", a.rate > s.min_fee_rate ? a.rate : s.min_fee_rate);
        if (op->asked == EITHER)
            jw_kv_str(j, "estimator", estimator_name[a.from]);
    }
    jw_kv_int(j, "blocks", a.blocks);
    show_next(j, &rates);
    if (op->verbosity >= 2)
        show_window(j, op->call->host->fees);
    jw_obj_end(j);
}

static bool read_mode(struct rpc_call *call, bool *conservative)
{
    const char *mode;

    if (!rpc_text(call, &mode, 1, "economical"))
        return false;
    *conservative = same_text(mode, "conservative");
    return *conservative || same_text(mode, "economical") || same_text(mode, "unset") ||
           rpc_error(call, RPC_INVALID_PARAMETER,
                     "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \"conservative\"");
}

static bool is_null(const struct json_object *v)
{
    return !v || json_object_is_type(v, json_type_null);
}

static bool wrong_field(struct rpc_call *call, const struct json_object *v, const char *field, const char *type)
{
    return rpc_error(call, RPC_TYPE_ERROR, "JSON value of type %s for field %s is not of expected type %s", rpc_type_name(v), field,
                     type);
}

static bool read_options(struct rpc_call *call, struct smart_op *op)
{
    struct json_object *o = rpc_arg(call, 2), *name, *verbosity;

    op->verbosity = 1;
    if (is_null(o))
        return true;
    name = rpc_member(o, "fee_rate_estimator");
    verbosity = rpc_member(o, "verbosity");
    if (!is_null(name) && strcmp(rpc_type_name(name), "string") != 0)
        return wrong_field(call, name, "fee_rate_estimator", "string");
    if (!is_null(verbosity) && strcmp(rpc_type_name(verbosity), "number") != 0)
        return wrong_field(call, verbosity, "verbosity", "number");
    json_object_object_foreach(o, key, value)
    {
        (void)value;
        if (strcmp(key, "fee_rate_estimator") != 0 && strcmp(key, "verbosity") != 0)
            return rpc_error(call, RPC_TYPE_ERROR, "Unexpected key %s", key);
    }
    for (unsigned i = BLOCK_POLICY; !is_null(name) && i <= MEMPOOL_POLICY; i++) {
        if (same_text(json_object_get_string(name), estimator_name[i]))
            op->asked = (enum estimator)i;
    }
    return is_null(verbosity) || rpc_int_of(call, &op->verbosity, verbosity, INT32_MIN, INT32_MAX);
}

static void estimatesmartfee(struct rpc_call *call)
{
    struct smart_op op = {.call = call};

    if (need_fees(call) && rpc_need_mempool(call) && read_target(call, &op.target) && read_mode(call, &op.conservative) &&
        read_options(call, &op))
        rpc_on_validation(call, show_smart, &op);
}

/* ---- estimaterawfee ---- */

struct raw_op {
    struct rpc_call *call;
    int64_t target;
    double threshold;
};

static void show_range(struct json_writer *j, const char *name, const struct fees_range *r)
{
    jw_key(j, name);
    jw_obj_begin(j);
    jw_kv_double(j, "startrange", round(r->start));
    jw_kv_double(j, "endrange", round(r->end));
    jw_kv_double(j, "withintarget", round(r->within_target * 100.0) / 100.0);
    jw_kv_double(j, "totalconfirmed", round(r->confirmed * 100.0) / 100.0);
    jw_kv_double(j, "inmempool", round(r->in_pool * 100.0) / 100.0);
    jw_kv_double(j, "leftmempool", round(r->left_pool * 100.0) / 100.0);
    jw_obj_end(j);
}

static void show_raw(void *arg)
{
    static const char *const name[] = {[FEES_SHORT] = "short", [FEES_MEDIUM] = "medium", [FEES_LONG] = "long"};
    struct raw_op *op = arg;
    struct json_writer *j = &op->call->out;

    jw_obj_begin(j);
    for (int h = FEES_SHORT; h <= FEES_LONG; h++) {
        struct fees_detail d;
        int64_t rate;
        if (op->target > fees_max_target(op->call->host->fees, (enum fees_horizon)h))
            continue;
        rate = fees_estimate_raw(op->call->host->fees, &d, (unsigned)op->target, op->threshold, (enum fees_horizon)h);
        jw_key(j, name[h]);
        jw_obj_begin(j);
        if (rate)
            jw_kv_amount(j, "feerate", rate);
        jw_kv_double(j, "decay", d.decay);
        jw_kv_uint(j, "scale", d.scale);
        if (rate)
            show_range(j, "pass", &d.pass);
        if (!rate || d.fail.start >= 0)
            show_range(j, "fail", &d.fail);
        if (!rate) {
            jw_key(j, "errors");
            jw_arr_begin(j);
            jw_str(j, "Insufficient data or no feerate found which meets threshold");
            jw_arr_end(j);
        }
        jw_obj_end(j);
    }
    jw_obj_end(j);
}

static void estimaterawfee(struct rpc_call *call)
{
    struct raw_op op = {.call = call, .threshold = .95};

    if (!need_fees(call) || !read_target(call, &op.target))
        return;
    if (rpc_has(call, 1))
        op.threshold = json_object_get_double(rpc_arg(call, 1));
    if (!(op.threshold >= 0 && op.threshold <= 1))
        rpc_error(call, RPC_INVALID_PARAMETER, "Invalid threshold");
    else
        rpc_on_validation(call, show_raw, &op);
}

/* ---- getmempoolfeehistogram ---- */

static void show_histogram(void *arg)
{
    struct rpc_call *call = arg;
    struct json_writer *j = &call->out;
    struct fees_bin *bins;
    size_t n = fees_histogram(&bins, call->host->mempool);

    jw_arr_begin(j);
    for (size_t i = 0; i < n; i++) {
        jw_arr_begin(j);
        jw_double(j, (double)bins[i].rate / 1000.0);
        jw_int(j, bins[i].vsize);
        jw_arr_end(j);
    }
    jw_arr_end(j);
    free(bins);
}

static void getmempoolfeehistogram(struct rpc_call *call)
{
    if (rpc_need_mempool(call))
        rpc_on_validation(call, show_histogram, call);
}

#define TARGET_PARAM                                                                                                               \
    {                                                                                                                              \
        "conf_target", RPC_NUM, RPC_REQUIRED, NULL, "Confirmation target in blocks (1 - 1008)", NULL                               \
    }

const struct rpc_command rpc_fees_commands[] = {
    {"util", "estimatesmartfee", estimatesmartfee,
     RPC_PARAMS(TARGET_PARAM,
                {"estimate_mode", RPC_STR, 0, "\"economical\"",
                 "The fee estimate mode: unset (the default is used), economical (may be lower), conservative (may be higher).",
                 NULL},
                {"options", RPC_OBJ, 0, NULL,
                 "fee_rate_estimator: \"none\" (the lower of both estimates; an error where the mempool one is not to be had), "
                 "\"block_policy\" or \"mempool_policy\". verbosity: 1, or 2 for \"mempool_health_statistics\".",
                 "{\"fee_rate_estimator\":\"str\",\"verbosity\":n}"}),
     0,
     "Estimates the approximate fee per kilobyte needed for a transaction to begin\n"
     "confirmation within conf_target blocks if possible and return the number of blocks\n"
     "for which the estimate is valid. Uses virtual transaction size as defined\n"
     "in BIP 141 (witness data is discounted).\n"
     "\"mempool\" has the fee rates needed to be among what fills the next 1, 3 and 6 blocks now.\n"},
    {"hidden", "estimaterawfee", estimaterawfee,
     RPC_PARAMS(
         TARGET_PARAM,
         {"threshold", RPC_NUM, 0, "0.95",
          "The proportion of transactions in a given feerate range that must have been confirmed within conf_target in order "
          "to consider those feerates as high enough and proceed to check lower buckets.",
          NULL}),
     0,
     "WARNING: This interface is unstable and may disappear or change!\n"
     "\n"
     "Estimates the approximate fee per kilobyte needed for a transaction to begin\n"
     "confirmation within conf_target blocks if possible, for each time horizon by itself. Uses virtual transaction size as\n"
     "defined in BIP 141 (witness data is discounted).\n"},
    {"blockchain", "getmempoolfeehistogram", getmempoolfeehistogram, NULL, 0,
     "Returns the memory pool by fee rate: pairs of a fee rate (in sat/vB) and the virtual size of what pays at least that\n"
     "and less than the pair before, best first; as Electrum servers answer mempool.get_fee_histogram.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL},
};
