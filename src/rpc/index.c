/* index.c - commands that ask the indexes: block filters, and how far each index is. Pool threads, as they read from disk. */
#include <stdlib.h>

#include "index/filter_index.h"
#include "rpc/priv.h"

/* Why there is no filter, as Core words it. */
static void filter_missing(struct rpc_call *call, const struct block_entry *e, enum rc rc, bool ready)
{
    struct entry_facts f;

    chain_facts(call->host->chain, e, &f);
    if ((f.status & BLOCK_VALID_MASK) < BLOCK_VALID_SCRIPTS || (f.status & (BLOCK_FAILED_VALID | BLOCK_FAILED_CHILD)))
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Filter not found. Block was not connected to active chain.");
    else if (rc == RC_NOT_FOUND && !ready)
        rpc_error(call, RPC_MISC_ERROR, "Filter not found. Block filters are still in the process of being indexed.");
    else
        rpc_error(call, RPC_INTERNAL_ERROR, "Filter not found. This error is unexpected and indicates index corruption.");
}

static enum rc read_filter(struct filter_index *fi, uint8_t **filter, size_t *len, struct hash256 *header,
                           const struct block_entry *e)
{
    enum rc rc = filter_index_read(fi, filter, len, e);

    if (rc == RC_OK)
        rc = filter_index_header(fi, header, e);
    if (rc != RC_OK) {
        free(*filter);
        *filter = NULL;
    }
    return rc;
}

static void getblockfilter(struct rpc_call *call)
{
    struct filter_index *fi = call->host->filters;
    const struct block_entry *e;
    struct block_hash hash;
    struct hash256 header;
    bool ready = true;
    const char *type;
    uint8_t *filter;
    size_t len;
    enum rc rc;

    if (!rpc_hash(call, hash.b, 0, "blockhash") || !rpc_text(call, &type, 1, "basic"))
        return;
    if (strcmp(type, "basic") != 0) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Unknown filtertype");
        return;
    }
    if (!fi) {
        rpc_error(call, RPC_MISC_ERROR, "Index is not enabled for filtertype %s", type);
        return;
    }
    e = chain_lookup(call->host->chain, &hash);
    if (!e) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
        return;
    }
    rc = read_filter(fi, &filter, &len, &header, e);
    if (rc == RC_NOT_FOUND) {
        ready = index_wait(filter_index_base(fi), call->host->interrupt);
        rc = read_filter(fi, &filter, &len, &header, e);
    }
    if (rc != RC_OK) {
        filter_missing(call, e, rc, ready);
        return;
    }
    jw_obj_begin(&call->out);
    jw_kv_hex(&call->out, "filter", filter, len);
    jw_kv_hash(&call->out, "header", header.b);
    jw_obj_end(&call->out);
    free(filter);
}

static void write_summary(struct rpc_call *call, struct index *x, const char *only)
{
    struct json_writer *j = &call->out;
    struct index_summary s;

    index_summary(x, &s);
    if (*only && strcmp(only, s.name) != 0)
        return;
    jw_key(j, s.name);
    jw_obj_begin(j);
    jw_kv_bool(j, "synced", s.synced);
    jw_kv_int(j, "best_block_height", s.best ? s.best->node.height : 0);
    jw_obj_end(j);
}

static void getindexinfo(struct rpc_call *call)
{
    const char *only;

    if (!rpc_text(call, &only, 0, ""))
        return;
    jw_obj_begin(&call->out);
    for (size_t i = 0; i < call->host->n_indexes; i++)
        write_summary(call, call->host->indexes[i], only);
    jw_obj_end(&call->out);
}

const struct rpc_command rpc_index_commands[] = {
    {"blockchain", "getblockfilter", getblockfilter,
     RPC_PARAMS({"blockhash", RPC_HEX, RPC_REQUIRED, NULL, "The hash of the block", NULL},
                {"filtertype", RPC_STR, 0, "\"basic\"", "The type name of the filter", NULL}),
     0, "Retrieve a BIP 157 content filter for a particular block.\n"},
    {"util", "getindexinfo", getindexinfo,
     RPC_PARAMS({"index_name", RPC_STR, 0, NULL, "Filter results for an index with a specific name.", NULL}), RPC_INLINE,
     "Returns the status of one or all available indices currently running in the node.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
