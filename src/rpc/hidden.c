/* hidden.c - commands for tests: clocks, echo, waiting for queued work. */
#include <stdlib.h>

#include "rpc/priv.h"

static void nothing(void *arg)
{
    (void)arg;
}

static bool is_mockable(struct rpc_call *call, const char *name)
{
    if (call->host->params->id == CHAIN_REGTEST)
        return true;
    return rpc_error(call, RPC_MISC_ERROR, "%s is for regression testing (-regtest mode) only", name);
}

static void setmocktime(struct rpc_call *call)
{
    int64_t t;

    if (!is_mockable(call, "setmocktime") || !rpc_int64(call, &t, 0, 0))
        return;
    if (t < 0 || t > UINT32_MAX)
        rpc_error(call, RPC_INVALID_PARAMETER, "Mocktime must be in the range [0, 4294967295], not %lld.", (long long)t);
    else
        time_mock_set(t);
}

/* Everything that stood in the queues of the other two threads has been done afterwards. */
static void drain_queues(struct rpc_call *call)
{
    if (rpc_on_validation(call, nothing, NULL))
        rpc_on_loop(call, nothing, NULL);
}

static void syncwithvalidationinterfacequeue(struct rpc_call *call)
{
    drain_queues(call);
}

struct forward_op {
    const struct rpc_host *host;
    int64_t seconds;
};

static void forward(void *arg)
{
    struct forward_op *op = arg;
    op->host->net_ops->forward(op->host->net, op->seconds);
}

static void forward_node(void *arg)
{
    struct forward_op *op = arg;
    op->host->forward(op->host->ctx, op->seconds);
}

/* Most timers here follow the mocked clock by themselves; the network's others are moved, and what is then due is done. */
static void mockscheduler(struct rpc_call *call)
{
    int64_t seconds;

    if (!is_mockable(call, "mockscheduler") || !rpc_int64(call, &seconds, 0, 0))
        return;
    if (seconds <= 0 || seconds > 3600)
        rpc_error(call, RPC_MISC_ERROR, "delta_time must be between 1 and 3600 seconds (1 hr)");
    else {
        struct forward_op op = {call->host, seconds};
        if (call->host->net)
            rpc_on_loop(call, forward, &op);
        if (call->host->forward)
            rpc_on_validation(call, forward_node, &op);
        drain_queues(call);
    }
}

static void echo(struct rpc_call *call)
{
    struct json_object *last = rpc_arg(call, 9);

    if (json_object_is_type(last, json_type_string) && strcmp(json_object_get_string(last), "trigger_internal_bug") == 0) {
        rpc_error(call, RPC_MISC_ERROR, "Internal bug detected: request.params[9].get_str() != \"trigger_internal_bug\"\n");
        return;
    }
    jw_given(&call->out, call->params);
}

static void echoipc(struct rpc_call *call)
{
    const char *text;

    if (rpc_text(call, &text, 0, ""))
        jw_str(&call->out, text);
}

#define ECHO_ARG(n)                                                                                                                \
    {                                                                                                                              \
        "arg" #n, RPC_STR, RPC_ANY_TYPE, NULL, "", NULL                                                                            \
    }
#define ECHO_ARGS                                                                                                                  \
    RPC_PARAMS(ECHO_ARG(0), ECHO_ARG(1), ECHO_ARG(2), ECHO_ARG(3), ECHO_ARG(4), ECHO_ARG(5), ECHO_ARG(6), ECHO_ARG(7),             \
               ECHO_ARG(8), ECHO_ARG(9))
#define ECHO_HELP "Simply echo back the input arguments. This command is for testing."

const struct rpc_command rpc_hidden_commands[] = {
    {"hidden", "setmocktime", setmocktime,
     RPC_PARAMS({"timestamp", RPC_NUM, RPC_REQUIRED, NULL, "UNIX epoch time. Pass 0 to go back to using the system time.", NULL}),
     RPC_INLINE, "Set the local time to given timestamp (-regtest only)\n"},
    {"hidden", "mockscheduler", mockscheduler,
     RPC_PARAMS({"delta_time", RPC_NUM, RPC_REQUIRED, NULL, "Number of seconds to forward the scheduler into the future.", NULL}),
     0, "Bump the scheduler into the future (-regtest only)\n"},
    {"hidden", "syncwithvalidationinterfacequeue", syncwithvalidationinterfacequeue, NULL, 0,
     "Waits for the validation interface queue to catch up on everything that was there when we entered this function.\n"},
    {"hidden", "echo", echo, ECHO_ARGS, RPC_INLINE | RPC_ANYWHERE, ECHO_HELP},
    {"hidden", "echojson", echo, ECHO_ARGS, RPC_INLINE | RPC_ANYWHERE, ECHO_HELP},
    {"hidden", "echoipc", echoipc, RPC_PARAMS({"arg", RPC_STR, RPC_REQUIRED, NULL, "The string to echo", NULL}), RPC_INLINE,
     "Echo back the input argument. This command is for testing; no other process takes part.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
