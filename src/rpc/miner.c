/* miner.c - the node's own miner and its stratum server: setgenerate, getgenerate, gethashespersec, getstratuminfo. */
#include "mining/cpu_miner.h"
#include "rpc/priv.h"

static struct cpu_miner *need_miner(struct rpc_call *call)
{
    if (!call->host->miner)
        rpc_error(call, RPC_INTERNAL_ERROR, "Error: there is no miner in this process");
    return call->host->miner;
}

static void setgenerate(struct rpc_call *call)
{
    struct cpu_miner *m = need_miner(call);
    int64_t threads;
    bool on;

    if (!m || !rpc_flag(call, &on, 0, false) || !rpc_int(call, &threads, 1, 1))
        return;
    if (on && call->host->params->signet) {
        rpc_error(call, RPC_MISC_ERROR, "Blocks of a signet need a signature, which this miner cannot make");
        return;
    }
    if (!cpu_miner_set_threads(m, on ? threads : 0))
        rpc_error(call, RPC_MISC_ERROR, "There is no address to mine to: start with -miningaddress=<addr>");
}

static void getgenerate(struct rpc_call *call)
{
    struct cpu_miner *m = need_miner(call);

    if (m)
        jw_bool(&call->out, cpu_miner_threads(m) > 0);
}

static void gethashespersec(struct rpc_call *call)
{
    struct cpu_miner *m = need_miner(call);

    if (m)
        jw_int(&call->out, (int64_t)cpu_miner_rate(m));
}

const struct rpc_command rpc_miner_commands[] = {
    {"mining", "setgenerate", setgenerate,
     RPC_PARAMS(
         {"generate", RPC_BOOL, RPC_REQUIRED, NULL, "Whether to mine with the processor.", NULL},
         {"genproclimit", RPC_NUM, 0, "1", "The number of threads; -1 for as many as there are processors, 0 for none.", NULL}),
     RPC_OWN, "Switches the node's own miner on or off. It pays to -miningaddress.\n"},
    {"mining", "getgenerate", getgenerate, NULL, RPC_INLINE | RPC_OWN,
     "Returns whether the node's own miner is on (-gen, setgenerate).\n"},
    {"mining", "gethashespersec", gethashespersec, NULL, RPC_INLINE | RPC_OWN,
     "Returns how many hashes a second the node's own miner has made of late; 0 if it is off.\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
