/* chain.c - commands about the chain as a whole: state, tips, deployments, transaction rates. They only read; pool threads. */
#include <stdlib.h>

#include "rpc/priv.h"
#include "script/verify.h"

void jw_warnings(struct rpc_call *call)
{
    const struct rpc_host *host = call->host;
    bool deprecated = args_list_has(host->args, "deprecatedrpc", "warnings");
    char text[256] = "";

    jw_key(&call->out, "warnings");
    if (!deprecated)
        jw_arr_begin(&call->out);
    for (unsigned i = 0; host->warning && host->warning(host->ctx, i, text, sizeof(text)); i++)
        if (!deprecated)
            jw_str(&call->out, text);
    if (deprecated) /* the last one, as a string */
        jw_str(&call->out, text);
    else
        jw_arr_end(&call->out);
}

void jw_signet_challenge(struct rpc_call *call)
{
    if (call->host->params->signet)
        jw_kv_hex(&call->out, "signet_challenge", call->host->params->signet_challenge, call->host->params->signet_challenge_len);
}

/* Height of the first block whose data are all there up to the tip. */
static int32_t prune_height(struct chain *c, const struct block_entry *tip)
{
    struct entry_facts f;
    const struct block_entry *e = tip;

    for (; e->node.height > 0; e = entry_prev(e)) {
        chain_facts(c, e, &f);
        if (!(f.status & BLOCK_HAVE_DATA) || !(f.status & BLOCK_HAVE_UNDO))
            return e->node.height + 1;
    }
    return 0;
}

static void write_pruning(struct rpc_call *call, const struct block_entry *tip)
{
    struct json_writer *j = &call->out;
    int64_t target = call->host->args ? args_int(call->host->args, "prune", 0) : 0;
    bool pruned = chain_pruned(call->host->chain) || target > 0;

    jw_kv_bool(j, "pruned", pruned);
    if (!pruned)
        return;
    jw_kv_int(j, "pruneheight", prune_height(call->host->chain, tip));
    jw_kv_bool(j, "automatic_pruning", target > 1);
    if (target > 1)
        jw_kv_int(j, "prune_target_size", target * 1024 * 1024);
}

static void getblockchaininfo(struct rpc_call *call)
{
    struct chain *c = call->host->chain;
    const struct block_entry *tip = chain_tip(c), *best = chain_best_header(c);
    struct json_writer *j = &call->out;

    jw_obj_begin(j);
    jw_kv_str(j, "chain", call->host->params->name);
    jw_kv_int(j, "blocks", tip->node.height);
    jw_kv_int(j, "headers", best ? best->node.height : -1);
    jw_kv_hash(j, "bestblockhash", tip->node.hash.b);
    jw_kv_hex32(j, "bits", tip->node.bits);
    jw_kv_str(j, "target", rpc_target_hex(tip->node.bits).s);
    jw_kv_double(j, "difficulty", difficulty_from_bits(tip->node.bits));
    jw_kv_uint(j, "time", tip->node.time);
    jw_kv_int(j, "mediantime", header_node_mtp(&tip->node));
    jw_kv_double(j, "verificationprogress", chain_progress(c, tip));
    jw_kv_bool(j, "initialblockdownload", chain_initial_download(c));
    jw_history(call);
    jw_kv_str(j, "chainwork", u256_hex(tip->node.chain_work).s);
    jw_kv_uint(j, "size_on_disk", chain_disk_size(c));
    write_pruning(call, tip);
    jw_signet_challenge(call);
    jw_warnings(call);
    jw_obj_end(j);
}

/* ---- tips ---- */

struct entry_list {
    const struct block_entry **e;
    size_t n, cap;
};

static void collect(void *ctx, const struct block_entry *e)
{
    struct entry_list *l = ctx;

    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 1024;
        l->e = xrealloc(l->e, l->cap * sizeof(*l->e));
    }
    l->e[l->n++] = e;
}

static int by_height(const void *a, const void *b)
{
    const struct block_entry *x = *(const struct block_entry *const *)a, *y = *(const struct block_entry *const *)b;

    if (x->node.height != y->node.height)
        return x->node.height > y->node.height ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int by_address(const void *a, const void *b)
{
    const void *x = *(const void *const *)a, *y = *(const void *const *)b;

    return x < y ? -1 : x > y;
}

/* Leaves only what stands outside the active chain and has no child there. */
static void keep_tips(struct chain *c, struct entry_list *l)
{
    const void **parents;
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (!chain_contains(c, l->e[i]))
            l->e[n++] = l->e[i];
    }
    parents = xmalloc((n + 1) * sizeof(*parents));
    for (size_t i = 0; i < n; i++)
        parents[i] = entry_prev(l->e[i]);
    qsort(parents, n, sizeof(*parents), by_address);
    for (size_t i = 0; i < n; i++) {
        const void *key = l->e[i];
        if (!bsearch(&key, parents, n, sizeof(*parents), by_address))
            l->e[kept++] = l->e[i];
    }
    free(parents);
    l->n = kept;
}

static const char *tip_status(const struct entry_facts *f)
{
    if (f->active)
        return "active";
    if (f->status & (BLOCK_FAILED_VALID | BLOCK_FAILED_CHILD))
        return "invalid";
    if (f->chain_tx == 0)
        return "headers-only";
    if ((f->status & BLOCK_VALID_MASK) >= BLOCK_VALID_SCRIPTS)
        return "valid-fork";
    return (f->status & BLOCK_VALID_MASK) >= BLOCK_VALID_TREE ? "valid-headers" : "unknown";
}

static void getchaintips(struct rpc_call *call)
{
    struct chain *c = call->host->chain;
    struct json_writer *j = &call->out;
    struct entry_list l = {NULL, 0, 0};

    chain_each_entry(c, collect, &l);
    keep_tips(c, &l);
    collect(&l, chain_tip(c));
    qsort(l.e, l.n, sizeof(*l.e), by_height);
    jw_arr_begin(j);
    for (size_t i = 0; i < l.n; i++) {
        struct entry_facts f;
        chain_facts(c, l.e[i], &f);
        jw_obj_begin(j);
        jw_kv_int(j, "height", l.e[i]->node.height);
        jw_kv_hash(j, "hash", l.e[i]->node.hash.b);
        jw_kv_int(j, "branchlen", l.e[i]->node.height - chain_fork(c, l.e[i])->node.height);
        jw_kv_str(j, "status", tip_status(&f));
        jw_obj_end(j);
    }
    jw_arr_end(j);
    free(l.e);
}

/* ---- deployments ---- */

static void write_buried(struct rpc_call *call, const struct block_entry *e, const char *name, int64_t height)
{
    struct json_writer *j = &call->out;

    jw_key(j, name);
    jw_obj_begin(j);
    jw_kv_str(j, "type", "buried");
    jw_kv_bool(j, "active", e->node.height + 1 >= height);
    jw_kv_int(j, "height", height);
    jw_obj_end(j);
}

static void write_bip9_statistics(struct json_writer *j, const struct bip9_deployment *d, const struct header_node *n,
                                  enum bip9_state state)
{
    bool *signals = xcalloc(d->period, sizeof(bool));
    char *text = xmalloc(d->period);
    struct bip9_stats s;

    bip9_statistics(&s, d, n, signals);
    jw_key(j, "statistics");
    jw_obj_begin(j);
    jw_kv_uint(j, "period", s.period);
    jw_kv_uint(j, "elapsed", s.elapsed);
    jw_kv_uint(j, "count", s.count);
    if (state == BIP9_STARTED) {
        jw_kv_uint(j, "threshold", s.threshold);
        jw_kv_bool(j, "possible", s.possible);
    }
    jw_obj_end(j);
    for (uint32_t i = 0; i < s.elapsed && i < d->period; i++)
        text[i] = signals[i] ? '#' : '-';
    jw_key(j, "signalling");
    jw_plain(j, text, s.elapsed < d->period ? s.elapsed : d->period);
    free(text);
    free(signals);
}

static void write_bip9(struct rpc_call *call, const struct block_entry *e, enum bip9_deployment_id id)
{
    struct json_writer *j = &call->out;
    const struct bip9_deployment *d = &call->host->params->bip9[id];
    const struct block_entry *prev = entry_prev(e);
    enum bip9_state state = e->node.prev ? chain_bip9_state(call->host->chain, prev, id) : bip9_state_after(d, NULL);
    enum bip9_state next = chain_bip9_state(call->host->chain, e, id);
    int32_t since = bip9_state_since(d, e->node.prev), active_since = -1;
    bool counting = state == BIP9_STARTED || state == BIP9_LOCKED_IN;

    if (state == BIP9_ACTIVE)
        active_since = since;
    else if (next == BIP9_ACTIVE)
        active_since = e->node.height + 1;
    jw_key(j, d->name);
    jw_obj_begin(j);
    jw_kv_str(j, "type", "bip9");
    if (active_since >= 0)
        jw_kv_int(j, "height", active_since);
    jw_kv_bool(j, "active", active_since >= 0 && active_since <= e->node.height + 1);
    jw_key(j, "bip9");
    jw_obj_begin(j);
    if (counting)
        jw_kv_int(j, "bit", d->bit);
    jw_kv_int(j, "start_time", d->start_time);
    jw_kv_int(j, "timeout", d->timeout);
    jw_kv_int(j, "min_activation_height", d->min_activation_height);
    jw_kv_str(j, "status", bip9_state_name(state));
    jw_kv_int(j, "since", since);
    jw_kv_str(j, "status_next", bip9_state_name(next));
    if (counting)
        write_bip9_statistics(j, d, &e->node, state);
    jw_obj_end(j);
    jw_obj_end(j);
}

static void write_script_flags(struct json_writer *j, uint32_t flags)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } names[] = {{"CHECKLOCKTIMEVERIFY", SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY},
                 {"CHECKSEQUENCEVERIFY", SCRIPT_VERIFY_CHECKSEQUENCEVERIFY},
                 {"DERSIG", SCRIPT_VERIFY_DERSIG},
                 {"NULLDUMMY", SCRIPT_VERIFY_NULLDUMMY},
                 {"P2SH", SCRIPT_VERIFY_P2SH},
                 {"TAPROOT", SCRIPT_VERIFY_TAPROOT},
                 {"WITNESS", SCRIPT_VERIFY_WITNESS}};

    jw_key(j, "script_flags");
    jw_arr_begin(j);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (flags & names[i].flag)
            jw_str(j, names[i].name);
    }
    jw_arr_end(j);
}

/* Clients written for older nodes look taproot up among the deployments. */
static int64_t taproot_height(enum chain_id id)
{
    return id == CHAIN_MAIN ? 709632 : id == CHAIN_TESTNET3 ? 2011968 : 0;
}

static void getdeploymentinfo(struct rpc_call *call)
{
    const struct chain_params *p = call->host->params;
    const struct block_entry *e = chain_tip(call->host->chain);
    struct json_writer *j = &call->out;

    if (rpc_has(call, 0) && !(e = rpc_block_arg(call, 0, "blockhash")))
        return;
    jw_obj_begin(j);
    jw_kv_hash(j, "hash", e->node.hash.b);
    jw_kv_int(j, "height", e->node.height);
    write_script_flags(j, block_script_flags(p, &e->node));
    jw_key(j, "deployments");
    jw_obj_begin(j);
    for (int d = 0; d < DEPLOYMENT_BURIED_COUNT; d++)
        write_buried(call, e, buried_deployment_name((enum buried_deployment)d), p->buried[d]);
    for (int d = 0; d < DEPLOYMENT_BIP9_COUNT; d++) {
        if (p->bip9[d].start_time != BIP9_NEVER_ACTIVE)
            write_bip9(call, e, (enum bip9_deployment_id)d);
    }
    write_buried(call, e, "taproot", taproot_height(p->id));
    jw_obj_end(j);
    jw_obj_end(j);
}

/* ---- rates ---- */

static void write_window(struct rpc_call *call, const struct block_entry *e, int64_t count)
{
    const struct block_entry *past = entry_of(header_node_ancestor(&e->node, (int32_t)(e->node.height - count)));
    int64_t interval = header_node_mtp(&e->node) - header_node_mtp(&past->node);
    struct json_writer *j = &call->out;
    struct entry_facts now, then;

    chain_facts(call->host->chain, e, &now);
    chain_facts(call->host->chain, past, &then);
    jw_obj_begin(j);
    jw_kv_uint(j, "time", e->node.time);
    if (now.chain_tx)
        jw_kv_uint(j, "txcount", now.chain_tx);
    jw_kv_hash(j, "window_final_block_hash", e->node.hash.b);
    jw_kv_int(j, "window_final_block_height", e->node.height);
    jw_kv_int(j, "window_block_count", count);
    if (count > 0) {
        jw_kv_int(j, "window_interval", interval);
        if (now.chain_tx && then.chain_tx) {
            jw_kv_uint(j, "window_tx_count", now.chain_tx - then.chain_tx);
            if (interval > 0)
                jw_kv_double(j, "txrate", (double)(now.chain_tx - then.chain_tx) / (double)interval);
        }
    }
    jw_obj_end(j);
}

static void getchaintxstats(struct rpc_call *call)
{
    const struct block_entry *e = chain_tip(call->host->chain);
    int64_t count = 30 * 24 * 60 * 60 / call->host->params->pow_spacing;

    if (rpc_has(call, 1)) {
        e = rpc_block_arg(call, 1, "blockhash");
        if (!e)
            return;
        if (!chain_contains(call->host->chain, e)) {
            rpc_error(call, RPC_INVALID_PARAMETER, "Block is not in main chain");
            return;
        }
    }
    if (!rpc_has(call, 0)) {
        if (count > e->node.height - 1)
            count = e->node.height - 1;
        if (count < 0)
            count = 0;
    } else {
        if (!rpc_int(call, &count, 0, 0))
            return;
        if (count < 0 || (count > 0 && count >= e->node.height)) {
            rpc_error(call, RPC_INVALID_PARAMETER, "Invalid block count: should be between 0 and the block's height - 1");
            return;
        }
    }
    write_window(call, e, count);
}

const struct rpc_command rpc_chain_commands[] = {
    {"blockchain", "getblockchaininfo", getblockchaininfo, NULL, 0,
     "Returns an object containing various state info regarding blockchain processing.\n"},
    {"blockchain", "getchaintips", getchaintips, NULL, 0,
     "Return information about all known tips in the block tree, including the main chain as well as orphaned branches.\n"},
    {"blockchain", "getdeploymentinfo", getdeploymentinfo,
     RPC_PARAMS(
         {"blockhash", RPC_HEX, 0, "\"hash of current chain tip\"", "The block hash at which to query deployment state", NULL}),
     0, "Returns an object containing various state info regarding deployments of consensus changes."},
    {"blockchain", "getchaintxstats", getchaintxstats,
     RPC_PARAMS({"nblocks", RPC_NUM, 0, "one month", "Size of the window in number of blocks", NULL},
                {"blockhash", RPC_HEX, 0, "chain tip", "The hash of the block that ends the window.", NULL}),
     0, "Compute statistics about the total number and rate of transactions in the chain.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
