/* server.c - life of the RPC server: start, warm-up, ready, stop. Owned by node; the state is shared with everything posted to the loop. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rpc/server_priv.h"

struct rpc_server *rpc_server_new(const struct rpc_host *host)
{
    struct rpc_server *s = xcalloc(1, sizeof(*s));
    int64_t threads = host->args ? args_int(host->args, "rpcthreads", 16) : 1;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t depth = host->args ? args_int(host->args, "rpcworkqueue", 64) : 1;

    atomic_init(&s->refs, 1);
    s->host = *host;
    s->commands = command_table_new();
    s->blocks = block_cache_new();
    s->sends_privately = host->args && args_bool(host->args, "privatebroadcast", false);
    s->doc_check = host->args && args_bool(host->args, "rpcdoccheck", false);
    s->templates = template_store_new();
    s->started = time_mono_us() / 1000000;
    s->queue_depth = (unsigned)(depth < 1 ? 1 : depth > 1000000 ? 1000000 : depth);
    threads = threads < 1 ? 1 : threads > 1024 ? 1024 : threads;
    s->pool = pool_new("http", (unsigned)threads);
    s->busy_pool =
        pool_new("httpbusy", processors > 2 && threads > 1 ? (unsigned)(processors < threads ? processors : threads) - 1 : 1);
    s->waits_max = (unsigned)threads + s->queue_depth;
    s->helpers = processors > 2 ? (unsigned)processors - 1 : 1;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, NULL);
    snprintf(s->warmup, sizeof(s->warmup), "RPC server started");
    return s;
}

void rpc_server_ref(struct rpc_server *s)
{
    atomic_fetch_add(&s->refs, 1);
}

void rpc_server_unref(struct rpc_server *s)
{
    if (atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    if (s->pool)
        pool_free(s->pool);
    if (s->busy_pool)
        pool_free(s->busy_pool);
    rpc_auth_free(s->auth);
    free(s->commands);
    block_cache_free(s->blocks);
    template_store_free(s->templates);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

bool rpc_server_start(struct rpc_server **out, const struct rpc_host *host, char **error)
{
    struct rpc_server *s = rpc_server_new(host);

    *error = NULL;
    s->loop_thread = pthread_self();
    s->has_loop_thread = true;
    if (rpc_auth_init(&s->auth, host, error) && rpc_http_start(&s->front, s, error)) {
        *out = s;
        return true;
    }
    rpc_server_unref(s);
    *out = NULL;
    return false;
}

void rpc_server_warmup(struct rpc_server *s, const char *text)
{
    pthread_mutex_lock(&s->mutex);
    snprintf(s->warmup, sizeof(s->warmup), "%s", text);
    pthread_mutex_unlock(&s->mutex);
}

void rpc_server_ready(struct rpc_server *s, const struct rpc_host *host)
{
    pthread_mutex_lock(&s->mutex);
    s->host = *host;
    pthread_mutex_unlock(&s->mutex);
    atomic_store(&s->ready, true);
}

void rpc_server_stop(struct rpc_server *s)
{
    atomic_store(&s->stopping, true);
    pthread_mutex_lock(&s->mutex);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    if (s->front)
        rpc_http_stop(s->front); /* empties the pool, sends what is done */
    s->front = NULL;
    rpc_auth_free(s->auth);
    s->auth = NULL;
}

void rpc_server_free(struct rpc_server *s)
{
    if (!s)
        return;
    if (s->front)
        rpc_server_stop(s);
    rpc_server_unref(s);
}

static void tip_on_loop(void *arg)
{
    struct rpc_server *s = arg;

    if (s->front)
        rpc_http_tip_changed(s->front);
    rpc_server_unref(s);
}

static void tip_dropped(void *arg)
{
    rpc_server_unref(arg);
}

void rpc_server_tip_changed(struct rpc_server *s, const struct block_entry *tip)
{
    struct loop *loop;

    (void)tip;
    pthread_mutex_lock(&s->mutex);
    s->tip_changes++;
    pthread_cond_broadcast(&s->changed);
    loop = s->host.loop; /* in a reindex the tip changes while the server becomes ready */
    pthread_mutex_unlock(&s->mutex);
    if (!s->has_loop_thread || !loop)
        return;
    rpc_server_ref(s);
    loop_post(loop, tip_on_loop, tip_dropped, s);
}
