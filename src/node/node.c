/* node.c - the composition root. Opens the parts in order, becomes the loop thread, closes them in reverse.
 *
 * Order: loop and RPC (answering "warming up"), the validation thread with chain and mempool, the network. Validation does all
 * long work (loading, importing, verifying); the loop only waits for it, so that RPC answers from the first second. */
#include "node/node.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/daemon.h"
#include "node/private.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define VALIDATION_QUEUE_BYTES ((size_t)32 << 20)
#define IO_THREADS 4

/* ---- stopping ---- */

static void stop_on_loop(void *arg)
{
    struct node *n = arg;
    loop_stop(n->loop);
}

void node_request_stop(void *ctx)
{
    struct node *n = ctx;
    if (!atomic_exchange(&n->interrupt, true))
        loop_post(n->loop, stop_on_loop, NULL, n);
}

void node_fatal(struct node *n, const char *text)
{
    /* What a rebuild cures is a question to the user in Bitcoin Core, and questions have no caption. */
    const char *caption = strstr(text, "\nPlease restart with -reindex") ? "" : "Error: ";

    log_event(LOG_LEVEL_ERROR, LOG_NONE, LOG_EVENT("fatal", {"reason", text, 0}), "%s", text);
    fprintf(stderr, "%s%s\n", caption, text);
    atomic_store(&n->exit_code, EXIT_FAILURE);
    node_request_stop(n);
}

static void on_stop_signal(evutil_socket_t signal, short events, void *arg)
{
    (void)signal;
    (void)events;
    node_request_stop(arg);
}

static void on_hangup(evutil_socket_t signal, short events, void *arg)
{
    (void)signal;
    (void)events;
    (void)arg;
    log_reopen();
}

/* The loop lives: a node that does not answer is started anew by systemd. */
static void on_watchdog(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    (void)arg;
    daemon_notify_systemd("WATCHDOG=1");
}

static void watchdog_open(struct node *n)
{
    int64_t us = daemon_watchdog_us();
    struct timeval interval = {us / 1000000, us % 1000000};

    if (us <= 0)
        return;
    n->watchdog = event_new(loop_base(n->loop), -1, EV_PERSIST, on_watchdog, NULL);
    event_add(n->watchdog, &interval);
}

static void signals_open(struct node *n)
{
    struct event_base *base = loop_base(n->loop);

    signal(SIGPIPE, SIG_IGN);
    n->signals[0] = evsignal_new(base, SIGTERM, on_stop_signal, n);
    n->signals[1] = evsignal_new(base, SIGINT, on_stop_signal, n);
    n->signals[2] = evsignal_new(base, SIGHUP, on_hangup, n);
    for (size_t i = 0; i < ARRAY_LEN(n->signals); i++)
        event_add(n->signals[i], NULL);
}

static void signals_close(struct node *n)
{
    for (size_t i = 0; i < ARRAY_LEN(n->signals); i++)
        event_free(n->signals[i]);
    if (n->watchdog)
        event_free(n->watchdog);
}

/* ---- opening ---- */

static bool get_warning(void *ctx, unsigned i, char *text, size_t size)
{
    struct node *n = ctx;
    char warning[WARNING_SIZE];

    if (!warnings_get(&n->warnings, i, warning))
        return false;
    snprintf(text, size, "%s", warning);
    return true;
}

static void fill_rpc_host(struct node *n, struct rpc_host *h)
{
    static const struct net_host_ops net_ops = NET_HOST_OPS_INIT;

    memset(h, 0, sizeof(*h));
    h->params = &n->config->params;
    h->args = n->config->args;
    h->datadir = n->config->dir.net_dir;
    h->log_path = n->config->log_path ? n->config->log_path : "";
    h->chain = n->chain;
    h->mempool = n->mempool;
    h->fees = n->fees;
    h->filters = n->filters;
    h->txs = n->txs;
    h->coin_stats = n->coin_stats;
    h->spenders = n->spenders;
    h->addresses = n->addresses;
    h->scripts = n->scripts;
    h->indexes = n->indexes;
    h->n_indexes = n->n_indexes;
    h->loop = n->loop;
    h->validation = n->validation;
    h->io = n->io;
    h->net = n->net;
    h->net_ops = &net_ops;
    h->mining = &n->config->mining;
    h->templates = n->templates;
    h->miner = n->miner;
    h->zmq = n->zmq.publisher;
    h->stratum = n->stratum;
    h->loaded = &n->mempool_loaded;
    h->interrupt = &n->interrupt;
    h->ctx = n;
    h->request_stop = node_request_stop;
    h->forward = node_fees_forward;
    h->warning = get_warning;
}

static bool start_stratum(struct node *n)
{
    struct rpc_host host;
    struct stratum *st;
    char *error = NULL;

    fill_rpc_host(n, &host);
    if (!stratum_start(&st, &host, &error)) {
        node_fatal(n, error);
        free(error);
        return false;
    }
    n->stratum = st;
    return true;
}

static bool start_electrum(struct node *n)
{
    struct rpc_host host;
    struct electrum *e;
    char *error = NULL;

    fill_rpc_host(n, &host);
    if (!electrum_start(&e, &host, &error)) {
        node_fatal(n, error);
        free(error);
        return false;
    }
    n->electrum = e;
    return true;
}

/* The chain stands: starts the network and lets RPC commands in. Loop thread. */
static void on_chain_open(void *arg)
{
    struct node *n = arg;
    struct rpc_host host;
    char *error = NULL;

    if (atomic_load(&n->interrupt))
        return;
    if (!node_net_start(n->net, &error)) {
        node_fatal(n, error);
        free(error);
        return;
    }
    n->net_started = true;
    if (!start_stratum(n) || !start_electrum(n))
        return;
    if (n->rpc) {
        fill_rpc_host(n, &host);
        rpc_server_ready(n->rpc, &host);
    }
    cpu_miner_set_threads(n->miner, node_config_gen(n->config));
    daemon_ready(n->ready_fd, true);
    n->ready_fd = -1;
    daemon_notify_systemd("READY=1");
    if (*args_str(n->config->args, "startupnotify", ""))
        daemon_run_command(args_str(n->config->args, "startupnotify", ""), NULL);
    log_event(LOG_LEVEL_INFO, LOG_NONE, LOG_EVENT("ready", {"height", NULL, chain_height(n->chain)}), "init message: Done loading");
}

static struct cpu_miner *make_miner(struct node *n)
{
    struct cpu_miner_host h = {.params = &n->config->params,
                               .chain = n->chain,
                               .mempool = n->mempool,
                               .validation = n->validation,
                               .options = &n->config->mining,
                               .templates = n->templates,
                               .script = n->config->mining_script,
                               .script_len = n->config->mining_script_len};
    return cpu_miner_new(&h);
}

void node_chain_opened(struct node *n)
{
    n->miner = make_miner(n);
    n->net = node_net_new(n->config, n->loop, n->chain, n->mempool, n->filters, n->validation, n->io);
    loop_post(n->loop, on_chain_open, NULL, n);
}

static bool open_rpc(struct node *n, char **error)
{
    struct rpc_host host;
    if (!args_bool(n->config->args, "server", true))
        return true;
    fill_rpc_host(n, &host);
    log_info("Starting HTTP server");
    return rpc_server_start(&n->rpc, &host, error);
}

/* ---- closing ---- */

static void close_all(struct node *n)
{
    const char *const *commands;
    size_t n_commands;

    log_event(LOG_LEVEL_INFO, LOG_NONE, LOG_EVENT("stopping", {"exit_code", NULL, atomic_load(&n->exit_code)}),
              "Shutdown in progress...");
    daemon_notify_systemd("STOPPING=1");
    n_commands = args_list(n->config->args, "shutdownnotify", &commands);
    daemon_run_commands_wait(commands, n_commands);
    if (n->rpc)
        rpc_server_stop(n->rpc);
    if (n->net_started)
        node_net_stop(n->net);
    if (n->stratum)
        stratum_stop(n->stratum);
    if (n->electrum)
        electrum_stop(n->electrum);
    if (n->net_started)
        cpu_miner_set_threads(n->miner, 0);
    pool_free(n->io); /* its jobs read blocks: before the chain closes */
    queue_close(n->validation);
    pthread_join(n->validation_thread, NULL); /* flushes and closes the chain */
    node_zmq_close(n);
    if (n->rpc)
        rpc_server_free(n->rpc);
    if (n->net)
        node_net_free(n->net);
    stratum_free(n->stratum);
    electrum_free(n->electrum);
    cpu_miner_free(n->miner);
    template_cache_free(n->templates);
    node_parts_close(n);
    queue_free(n->validation);
}

int node_run(struct node_config *config, int ready_fd)
{
    struct node n = {.config = config, .ready_fd = ready_fd, .templates = template_cache_new()};
    char *error = NULL;

    atomic_init(&n.exit_code, EXIT_SUCCESS);
    warnings_init(&n.warnings);
    n.loop = loop_new();
    n.validation = queue_new(VALIDATION_QUEUE_BYTES);
    n.io = pool_new("io", IO_THREADS);
    signals_open(&n);
    watchdog_open(&n);
    log_info("scheduler thread start"); /* timers are the loop's; scripts wait for Core's lines */
    if (!node_net_check(config, &error) || !open_rpc(&n, &error)) {
        log_error("%s", error);
        fprintf(stderr, "Error: %s\n", error);
        free(error);
        atomic_store(&n.exit_code, EXIT_FAILURE);
        atomic_store(&n.interrupt, true);
    }
    if (!atomic_load(&n.interrupt))
        node_zmq_open(&n);
    n.validation_thread = thread_start("validation", node_validation_main, &n);
    if (!atomic_load(&n.interrupt))
        loop_run(n.loop);
    close_all(&n);
    daemon_ready(n.ready_fd, false);
    signals_close(&n);
    loop_free(n.loop);
    warnings_clear(&n.warnings);
    return atomic_load(&n.exit_code);
}
