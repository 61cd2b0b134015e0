/* miner.c - the node's own miner and its stratum server: setgenerate, getgenerate, gethashespersec, getstratuminfo. */
#include "mining/cpu_miner.h"
#include "rpc/stratum_priv.h"

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

/* ---- stratum ---- */

static void write_client(struct json_writer *j, const struct stratum_client *c, int64_t now)
{
    const struct stratum_session *s = &c->s;

    jw_obj_begin(j);
    jw_kv_uint(j, "id", c->id);
    jw_kv_str(j, "addr", c->address);
    jw_kv_str(j, "user", s->user);
    jw_kv_str(j, "agent", s->agent);
    jw_kv_int(j, "conntime", (now - s->start_us) / 1000000);
    jw_kv_bool(j, "subscribed", s->subscribed);
    jw_kv_bool(j, "authorized", s->script_len > 0);
    jw_kv_double(j, "difficulty", s->difficulty);
    jw_kv_double(j, "hashespersec", stratum_session_rate(s, now));
    jw_kv_uint(j, "accepted", s->accepted);
    jw_kv_uint(j, "rejected", s->rejected);
    jw_kv_uint(j, "stale", s->stale);
    jw_kv_double(j, "best", s->best);
    jw_kv_hex32(j, "version_mask", s->version_mask);
    jw_obj_end(j);
}

static void getstratuminfo(struct rpc_call *call)
{
    const struct stratum *st = call->host->stratum;
    struct json_writer *j = &call->out;
    int64_t now = time_mono_us();
    uint64_t accepted, rejected, stale;
    double rate = 0;

    if (!st) {
        rpc_error(call, RPC_MISC_ERROR, "The stratum server is off (-stratum)");
        return;
    }
    accepted = st->accepted;
    rejected = st->rejected;
    stale = st->stale;
    jw_obj_begin(j);
    jw_key(j, "clients");
    jw_arr_begin(j);
    for (size_t i = 0; i < st->n_clients; i++) {
        const struct stratum_client *c = st->clients[i];
        accepted += c->s.accepted;
        rejected += c->s.rejected;
        stale += c->s.stale;
        if (c->dead) /* its shares count though it is about to go */
            continue;
        write_client(j, c, now);
        rate += stratum_session_rate(&c->s, now);
    }
    jw_arr_end(j);
    jw_kv_double(j, "hashespersec", rate);
    jw_kv_uint(j, "accepted", accepted);
    jw_kv_uint(j, "rejected", rejected);
    jw_kv_uint(j, "stale", stale);
    jw_kv_uint(j, "blocks", st->blocks);
    jw_kv_int(j, "height", st->work ? st->work->t->height : -1);
    jw_obj_end(j);
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
    {"mining", "getstratuminfo", getstratuminfo, NULL, RPC_INLINE | RPC_OWN,
     "Returns what the stratum server (-stratum) has to do: its clients with their difficulty, hash rate and shares, the sums over "
     "all that were "
     "there, the blocks found, and the height that is worked at (-1: none yet).\n"},
    {NULL, NULL, NULL, NULL, 0, NULL}};
