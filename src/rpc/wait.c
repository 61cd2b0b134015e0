/* wait.c - long polls: waitfornewblock, waitforblock, waitforblockheight. Over HTTP they hold no thread: http_wait.c keeps them until the tip moves
 * or time is up. In batches a pool thread waits. */
#include <errno.h>
#include <time.h>

#include "rpc/server_priv.h"

#define POOL_CHECK_MS 10000 /* how often the pool is looked at once a template has been the latest for its time */

bool rpc_wait_over(struct rpc_server *s, const struct rpc_wait *w)
{
    const struct block_entry *tip;

    if (atomic_load(&s->stopping) || (atomic_load(&s->waking) && w->kind != RPC_WAIT_DELAY))
        return true;
    if (w->kind == RPC_WAIT_DELAY || w->kind == RPC_WAIT_NOTHING)
        return w->kind == RPC_WAIT_NOTHING;
    if (w->kind == RPC_WAIT_OPENING)
        return !s->host.net_ops->opening(s->host.net, w->name);
    tip = chain_tip(s->host.chain);
    if (w->kind == RPC_WAIT_TIP_CHANGE || w->kind == RPC_WAIT_TEMPLATE)
        return !block_hash_equal(&tip->node.hash, &w->hash);
    if (w->kind == RPC_WAIT_BLOCK)
        return block_hash_equal(&tip->node.hash, &w->hash);
    return tip->node.height >= w->height;
}

bool rpc_wait_is_poll(const struct rpc_wait *w)
{
    return w->kind == RPC_WAIT_TIP_CHANGE || w->kind == RPC_WAIT_BLOCK || w->kind == RPC_WAIT_HEIGHT ||
           w->kind == RPC_WAIT_TEMPLATE;
}

int64_t rpc_wait_more(struct rpc_server *s, const struct rpc_wait *w)
{
    return w->kind == RPC_WAIT_TEMPLATE && mempool_updates(s->host.mempool) == w->updates ? POOL_CHECK_MS : 0;
}

static void deadline_in(struct timespec *ts, int64_t ms)
{
    clock_gettime(CLOCK_REALTIME, ts);
    ts->tv_sec += ms / 1000;
    ts->tv_nsec += (long)(ms % 1000) * 1000000;
    if (ts->tv_nsec >= 1000000000) {
        ts->tv_nsec -= 1000000000;
        ts->tv_sec++;
    }
}

void rpc_wait_block(struct rpc_server *s, const struct rpc_wait *w)
{
    struct timespec until;
    int64_t more;
    int r = 0;

    if (w->kind == RPC_WAIT_OPENING)
        return; /* a pool thread cannot ask the network: in a batch nobody waits for a connection */
    deadline_in(&until, w->timeout_ms);
    pthread_mutex_lock(&s->mutex);
    while (r != ETIMEDOUT && !rpc_wait_over(s, w)) {
        if (w->timeout_ms)
            r = pthread_cond_timedwait(&s->changed, &s->mutex, &until);
        else
            pthread_cond_wait(&s->changed, &s->mutex);
        if (r == ETIMEDOUT && (more = rpc_wait_more(s, w)) > 0) {
            deadline_in(&until, more);
            r = 0;
        }
    }
    pthread_mutex_unlock(&s->mutex);
}

static void finish_tip(struct rpc_call *call)
{
    const struct block_entry *tip = chain_tip(call->host->chain);

    jw_obj_begin(&call->out);
    jw_kv_hash(&call->out, "hash", tip->node.hash.b);
    jw_kv_int(&call->out, "height", tip->node.height);
    jw_obj_end(&call->out);
}

/* Waits unless the condition holds already. */
static void begin_wait(struct rpc_call *call, enum rpc_wait_kind kind, int64_t timeout)
{
    if (timeout < 0) {
        rpc_error(call, RPC_MISC_ERROR, "Negative timeout");
        return;
    }
    call->wait.kind = kind;
    call->wait.timeout_ms = timeout;
    call->wait.finish = finish_tip;
    if (!rpc_wait_over(call->server, &call->wait))
        return;
    call->wait.kind = RPC_WAIT_NONE;
    finish_tip(call);
}

static void waitfornewblock(struct rpc_call *call)
{
    int64_t timeout;

    if (!rpc_int(call, &timeout, 0, 0))
        return;
    call->wait.hash = chain_tip(call->host->chain)->node.hash;
    if (timeout >= 0 && rpc_has(call, 1) && !rpc_hash(call, call->wait.hash.b, 1, "current_tip"))
        return;
    begin_wait(call, RPC_WAIT_TIP_CHANGE, timeout);
}

static void waitforblock(struct rpc_call *call)
{
    int64_t timeout;

    if (rpc_hash(call, call->wait.hash.b, 0, "blockhash") && rpc_int(call, &timeout, 1, 0))
        begin_wait(call, RPC_WAIT_BLOCK, timeout);
}

static void waitforblockheight(struct rpc_call *call)
{
    int64_t height, timeout;

    if (!rpc_int(call, &height, 0, 0) || !rpc_int(call, &timeout, 1, 0))
        return;
    call->wait.height = (int32_t)height;
    begin_wait(call, RPC_WAIT_HEIGHT, timeout);
}

#define TIMEOUT_PARAM                                                                                                              \
    {                                                                                                                              \
        "timeout", RPC_NUM, 0, "0", "Time in milliseconds to wait for a response. 0 indicates no timeout.", NULL                   \
    }
#define WAIT_NOTE "\nReturns the current block on timeout or exit.\n\nMake sure to use no RPC timeout (-rpcclienttimeout=0)"

const struct rpc_command rpc_wait_commands[] = {
    {"blockchain", "waitfornewblock", waitfornewblock,
     RPC_PARAMS(TIMEOUT_PARAM, {"current_tip", RPC_HEX, 0, NULL, "Method waits for the chain tip to differ from this.", NULL}),
     RPC_WAITS, "Waits for any new block and returns useful info about it.\n" WAIT_NOTE},
    {"blockchain", "waitforblock", waitforblock,
     RPC_PARAMS({"blockhash", RPC_HEX, RPC_REQUIRED, NULL, "Block hash to wait for.", NULL}, TIMEOUT_PARAM), RPC_WAITS,
     "Waits for a specific new block and returns useful info about it.\n" WAIT_NOTE},
    {"blockchain", "waitforblockheight", waitforblockheight,
     RPC_PARAMS({"height", RPC_NUM, RPC_REQUIRED, NULL, "Block height to wait for.", NULL}, TIMEOUT_PARAM), RPC_WAITS,
     "Waits for (at least) block height and returns the height and hash\nof the current tip.\n" WAIT_NOTE},
    {NULL, NULL, NULL, NULL, 0, NULL}};
