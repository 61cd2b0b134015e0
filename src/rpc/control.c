/* control.c - commands about the program itself: help, stop, uptime, logging, memory, the calls under way. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/doc.h"
#include "rpc/server_priv.h"

static void help(struct rpc_call *call)
{
    const struct rpc_command *c;
    const char *name;
    char *text;

    if (!rpc_text(call, &name, 0, ""))
        return;
    if (strcmp(name, "dump_all_command_conversions") == 0) {
        jw_conversions(&call->out);
        return;
    }
    c = *name ? rpc_find_command(name) : NULL;
    if (*name && !c)
        text = xasprintf("help: unknown command: %s", name);
    else
        text = c ? rpc_help_text(c) : rpc_help_list();
    jw_str(&call->out, text);
    free(text);
}

static void getopenrpcinfo(struct rpc_call *call)
{
    bool hidden;

    if (rpc_flag(call, &hidden, 0, false))
        jw_openrpc(&call->out, hidden);
}

static void discover(struct rpc_call *call)
{
    jw_openrpc(&call->out, false);
}

static void say_stopping(struct rpc_call *call)
{
    jw_str(&call->out, "Farthing stopping");
}

/* Long polls end at once; the answer goes out, after `wait` milliseconds if asked for, and then the node stops. */
static void stop(struct rpc_call *call)
{
    struct rpc_server *s = call->server;
    int64_t wait;

    if (!rpc_int(call, &wait, 0, 0))
        return;
    atomic_store(&s->waking, true);
    pthread_mutex_lock(&s->mutex);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    if (s->front)
        rpc_http_tip_changed(s->front);
    if (wait <= 0) {
        say_stopping(call);
        return;
    }
    call->wait.kind = RPC_WAIT_DELAY;
    call->wait.timeout_ms = wait;
    call->wait.finish = say_stopping;
}

static void uptime(struct rpc_call *call)
{
    jw_int(&call->out, time_mono_us() / 1000000 - call->server->started);
}

static void getrpcinfo(struct rpc_call *call)
{
    struct rpc_server *s = call->server;
    struct json_writer *j = &call->out;
    int64_t now = time_mono_us();

    jw_obj_begin(j);
    jw_key(j, "active_commands");
    jw_arr_begin(j);
    pthread_mutex_lock(&s->mutex);
    for (const struct rpc_call *c = s->active; c; c = c->next) {
        jw_obj_begin(j);
        jw_kv_str(j, "method", c->method);
        jw_kv_int(j, "duration", now - c->started_us);
        jw_obj_end(j);
    }
    pthread_mutex_unlock(&s->mutex);
    jw_arr_end(j);
    jw_kv_str(j, "logpath", call->host->log_path ? call->host->log_path : "");
    jw_obj_end(j);
}

/* ---- logging ---- */

static bool switch_categories(struct rpc_call *call, struct json_object *list, bool on)
{
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        if (!rpc_want(call, v, RPC_STR))
            return false;
        if (!log_category_set(json_object_get_string(v), on))
            return rpc_error(call, RPC_INVALID_PARAMETER, "unknown logging category %s", json_object_get_string(v));
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(log_category_name(*(const enum log_category *)a), log_category_name(*(const enum log_category *)b));
}

static void logging(struct rpc_call *call)
{
    enum log_category order[LOG_CATEGORY_END];
    size_t n = 0;

    if (!switch_categories(call, rpc_arg(call, 0), true) || !switch_categories(call, rpc_arg(call, 1), false))
        return;
    for (int c = 1; c < LOG_CATEGORY_END; c++) {
        if (c != LOG_LOCK) /* nothing here logs lock contention */
            order[n++] = (enum log_category)c;
    }
    qsort(order, n, sizeof(order[0]), by_name);
    jw_obj_begin(&call->out);
    for (size_t i = 0; i < n; i++)
        jw_kv_bool(&call->out, log_category_name(order[i]), log_category_is_on(order[i]));
    jw_obj_end(&call->out);
}

/* ---- memory ---- */

static void show_malloc_info(struct rpc_call *call)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (f && malloc_info(0, f) == 0) {
        fclose(f);
        jw_str(&call->out, text);
    } else {
        if (f)
            fclose(f);
        rpc_error(call, RPC_INVALID_PARAMETER, "mallocinfo mode not available");
    }
    free(text);
}

/* The heap as a whole: this node has no locked memory of its own, as it holds no keys. */
static void show_heap(struct rpc_call *call)
{
    struct mallinfo2 m = mallinfo2();
    struct json_writer *j = &call->out;

    jw_obj_begin(j);
    jw_key(j, "locked");
    jw_obj_begin(j);
    jw_kv_uint(j, "used", m.uordblks);
    jw_kv_uint(j, "free", m.fordblks);
    jw_kv_uint(j, "total", m.arena);
    jw_kv_uint(j, "locked", 0);
    jw_kv_uint(j, "chunks_used", m.hblks + 1);
    jw_kv_uint(j, "chunks_free", m.ordblks);
    jw_obj_end(j);
    jw_obj_end(j);
}

static void getmemoryinfo(struct rpc_call *call)
{
    const char *mode;

    if (!rpc_text(call, &mode, 0, "stats"))
        return;
    if (strcmp(mode, "stats") == 0)
        show_heap(call);
    else if (strcmp(mode, "mallocinfo") == 0)
        show_malloc_info(call);
    else
        rpc_error(call, RPC_INVALID_PARAMETER, "unknown mode %s", mode);
}

const struct rpc_command rpc_control_commands[] = {
    {"control", "help", help, RPC_PARAMS({"command", RPC_STR, 0, "all commands", "The command to get help on", NULL}), RPC_INLINE,
     "List all commands, or get help for a specified command.\n"},
    {"control", "stop", stop, RPC_PARAMS({"wait", RPC_NUM, RPC_HIDDEN, NULL, "how long to wait in ms", NULL}),
     RPC_WAITS | RPC_STOPS, "Request a graceful shutdown of Farthing."},
    {"control", "getopenrpcinfo", getopenrpcinfo,
     RPC_PARAMS({"show_hidden", RPC_BOOL, 0, "false", "With the hidden commands and parameters, too", NULL}), 0,
     "Returns an OpenRPC document of the commands that there are.\n"},
    {"control", "rpc.discover", discover, NULL, 0,
     "Returns an OpenRPC document of the commands that there are, under the name that the specification gives to this command.\n"},
    {"control", "uptime", uptime, NULL, RPC_INLINE | RPC_ANYWHERE, "Returns the total uptime of the server.\n"},
    {"control", "getrpcinfo", getrpcinfo, NULL, RPC_INLINE, "Returns details of the RPC server.\n"},
    {"control", "logging", logging,
     RPC_PARAMS({"include", RPC_ARR, 0, NULL, "The categories to add to debug logging", "[\"include_category\",...]"},
                {"exclude", RPC_ARR, 0, NULL, "The categories to remove from debug logging", "[\"exclude_category\",...]"}),
     RPC_INLINE,
     "Gets and sets the logging configuration.\n"
     "When called without an argument, returns the list of categories with status that are currently being debug logged or not.\n"
     "When called with arguments, adds or removes categories from debug logging and return the lists above.\n"
     "The arguments are evaluated in order \"include\", \"exclude\".\n"
     "If an item is both included and excluded, it will thus end up being excluded.\n"
     "The valid logging categories are: addrman, bench, blockstorage, cmpctblock, coindb, estimatefee, http, i2p, ipc, kernel, "
     "leveldb, mempool, "
     "mempoolrej, net, privatebroadcast, proxy, prune, qt, rand, reindex, rpc, scan, selectcoins, tor, txpackages, "
     "txreconciliation, validation, "
     "walletdb, zmq\n"
     "In addition, the following are available as category names with special meanings:\n"
     "  - \"all\",  \"1\" : represent all logging categories.\n"},
    {"control", "getmemoryinfo", getmemoryinfo,
     RPC_PARAMS({"mode", RPC_STR, 0, "\"stats\"", "determines what kind of information is returned.", NULL}), 0,
     "Returns an object containing information about memory usage.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
