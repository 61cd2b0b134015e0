/* mempool_file.c - savemempool, importmempool: the pool to and from a file, on the validation thread. */
#include <stdlib.h>

#include "rpc/priv.h"
#include "util/fs.h"

struct file_op {
    struct mempool *mempool;
    const char *path;
    struct mempool_import what;
    enum rc rc;
};

static void save(void *arg)
{
    struct file_op *op = arg;

    op->rc = mempool_save(op->mempool, op->path, NULL);
}

static void savemempool(struct rpc_call *call)
{
    struct file_op op = {.mempool = call->host->mempool};
    char *path;

    if (!rpc_need_mempool(call))
        return;
    if (call->host->loaded && !atomic_load(call->host->loaded)) {
        rpc_error(call, RPC_MISC_ERROR, "The mempool was not loaded yet");
        return;
    }
    op.path = path = fs_join(call->host->datadir, "mempool.dat");
    if (rpc_on_validation(call, save, &op)) {
        if (op.rc != RC_OK)
            rpc_error(call, RPC_MISC_ERROR, "Unable to dump mempool to disk");
        jw_obj_begin(&call->out);
        jw_kv_str(&call->out, "filename", path);
        jw_obj_end(&call->out);
    }
    free(path);
}

static void import(void *arg)
{
    struct file_op *op = arg;

    op->rc = mempool_import(op->mempool, op->path, &op->what, NULL);
}

static bool read_option(struct rpc_call *call, bool *out, const char *name)
{
    struct json_object *options = rpc_arg(call, 1), *v = options ? rpc_member(options, name) : NULL;

    if (v && !rpc_want(call, v, RPC_BOOL))
        return false;
    if (v)
        *out = json_object_get_boolean(v);
    return true;
}

static void importmempool(struct rpc_call *call)
{
    struct file_op op = {.mempool = call->host->mempool, .what = {.use_current_time = true}};

    if (!rpc_need_mempool(call))
        return;
    if (chain_initial_download(call->host->chain)) {
        rpc_error(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD, "Can only import the mempool after the block download and sync is done.");
        return;
    }
    if (!rpc_text(call, &op.path, 0, "") || !read_option(call, &op.what.use_current_time, "use_current_time") ||
        !read_option(call, &op.what.apply_deltas, "apply_fee_delta_priority") ||
        !read_option(call, &op.what.apply_unbroadcast, "apply_unbroadcast_set") || !rpc_on_validation(call, import, &op))
        return;
    if (op.rc != RC_OK) {
        rpc_error(call, RPC_MISC_ERROR, "Unable to import mempool file, see debug log for details.");
        return;
    }
    jw_obj_begin(&call->out);
    jw_obj_end(&call->out);
}

const struct rpc_command rpc_mempool_file_commands[] = {
    {"blockchain", "savemempool", savemempool, NULL, 0,
     "Dumps the mempool to disk. It will fail until the previous dump is fully loaded.\n"},
    {"blockchain", "importmempool", importmempool,
     RPC_PARAMS({"filepath", RPC_STR, RPC_REQUIRED, NULL, "The mempool file", NULL},
                {"use_current_time", RPC_BOOL, RPC_OPTION, "true",
                 "Whether to use the current system time or use the entry time metadata from the mempool file.", NULL},
                {"apply_fee_delta_priority", RPC_BOOL, RPC_OPTION, "false",
                 "Whether to apply the fee delta metadata from the mempool file, on top of any existing fee deltas.", NULL},
                {"apply_unbroadcast_set", RPC_BOOL, RPC_OPTION, "false",
                 "Whether to apply the unbroadcast set metadata from the mempool file.", NULL},
                {"options", RPC_OPTIONS, 0, NULL, "Options object that can be used to pass named arguments.", "options"}),
     0,
     "Import a mempool.dat file and attempt to add its contents to the mempool.\n"
     "Warning: Importing untrusted files is dangerous, especially if metadata from the file is taken over."},
    {NULL, NULL, NULL, NULL, 0, NULL}};
