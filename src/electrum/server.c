/* server.c - the life of the Electrum server: options, listeners, certificate, clock; started by node once the chain stands. Loop thread. */
#include <event2/event.h>
#include <stdlib.h>

#include "crypto/certificate.h"
#include "server.h"
#include "util/assert.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/version.h"

#define THREADS 4       /* that answer */
#define TICK_US 200000  /* for those who wait */
#define OTHER_FILES 600 /* that the node keeps open besides */
#define CERT_FILE "electrum.crt"
#define KEY_FILE "electrum.key"

/* As electrs chooses them: what wallets on the same machine try first. */
static uint16_t default_port(enum chain_id id, bool tls)
{
    switch (id) {
    case CHAIN_MAIN:
        return tls ? 50002 : 50001;
    case CHAIN_TESTNET3:
        return tls ? 60002 : 60001;
    case CHAIN_TESTNET4:
        return tls ? 40002 : 40001;
    case CHAIN_SIGNET:
        return tls ? 60602 : 60601;
    default:
        return tls ? 60402 : 60401;
    }
}

static size_t option_values(const struct args *args, const char *name, const char *const **values)
{
    size_t n = args_list(args, name, values);

    return args_is_negated(args, name) || (n == 1 && strcmp((*values)[0], "0") == 0) ? 0 : n;
}

bool electrum_wanted(const struct args *args)
{
    const char *const *values;

    return option_values(args, "electrum", &values) || option_values(args, "electrumtls", &values);
}

/* ---- opening ---- */

static bool fail(char **error, char *text_take)
{
    *error = text_take;
    return false;
}

static bool make_tls(struct electrum *e, char **error)
{
    const char *cert = args_str(e->host.args, "electrumtlscert", CERT_FILE),
               *key = args_str(e->host.args, "electrumtlskey", KEY_FILE);
    char *cert_path = *cert == '/' ? xstrdup(cert) : fs_join(e->host.datadir, cert);
    char *key_path = *key == '/' ? xstrdup(key) : fs_join(e->host.datadir, key);
    bool made = false;

    if (certificate_ensure(cert_path, key_path, &made, error)) {
        if (made)
            log_info("Made a self-signed TLS certificate for the Electrum server: %s", cert_path);
        e->tls = tls_context_new(cert_path, key_path, error);
    }
    free(cert_path);
    free(key_path);
    return e->tls != NULL;
}

static bool listen_at(struct electrum *e, const char *option, const char *text, bool tls, char **error)
{
    struct listen_at *l = &e->listeners[e->n_listeners];
    char shown[NET_ADDR_TEXT];
    struct net_addr a;

    if (!*text || strcmp(text, "1") == 0)
        text = "127.0.0.1";
    if (!net_addr_parse(&a, text, default_port(e->host.params->id, tls)))
        return fail(error, xasprintf("Cannot resolve -%s address: '%s'", option, text));
    if (e->n_listeners == ELECTRUM_LISTENERS)
        return fail(error, xasprintf("-electrum and -electrumtls may be given %d times at most", ELECTRUM_LISTENERS));
    *l = (struct listen_at){.server = e, .port = a.port, .tls = tls};
    l->listener = listener_new(e->host.loop, &a, electrum_accept, l, error);
    if (!l->listener)
        return false;
    e->n_listeners++;
    net_addr_text(shown, &a);
    log_info("Electrum server listens on %s%s", shown, tls ? " (TLS)" : "");
    return true;
}

static bool listen_all(struct electrum *e, const char *option, bool tls, char **error)
{
    const char *const *values;
    size_t n = option_values(e->host.args, option, &values);

    if (n && tls && !make_tls(e, error))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!listen_at(e, option, values[i], tls, error))
            return false;
    return true;
}

/* "hosts": any name by which this machine is reached is right. Pool threads; the listeners do not change. */
static void show_hosts(void *ctx, struct json_writer *j)
{
    const struct electrum *e = ctx;
    uint16_t port[2] = {0, 0};

    for (size_t i = 0; i < e->n_listeners; i++)
        if (!port[e->listeners[i].tls])
            port[e->listeners[i].tls] = e->listeners[i].port;
    jw_key(j, "127.0.0.1");
    jw_obj_begin(j);
    if (port[0])
        jw_kv_uint(j, "tcp_port", port[0]);
    if (port[1])
        jw_kv_uint(j, "ssl_port", port[1]);
    jw_obj_end(j);
}

static void look_again(void *ctx)
{
    struct electrum *e = ctx;

    notifier_wake(e->notifier);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    electrum_clients_tick(arg);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    electrum_clients_reap(arg);
}

/* No more clients than files may be open. */
static void fit_clients(struct electrum *e)
{
    size_t others = OTHER_FILES + (size_t)args_int(e->host.args, "maxconnections", 200);
    size_t have = fs_raise_open_files(others + ELECTRUM_CLIENTS);

    e->max_clients = have >= others + ELECTRUM_CLIENTS ? ELECTRUM_CLIENTS : have > others + 64 ? have - others : 64;
    if (e->max_clients < ELECTRUM_CLIENTS)
        log_info("Electrum server: %zu clients at most, as no more files may be open", e->max_clients);
    e->clients = xcalloc(e->max_clients, sizeof(struct electrum_client *));
}

static struct electrum *server_new(const struct rpc_host *host)
{
    static const struct timeval tick = {0, TICK_US};
    struct electrum *e = xcalloc(1, sizeof(*e));
    struct notify_target target = {e, electrum_client_lines, electrum_client_header};

    e->host = *host;
    electrum_data_init(&e->data, host);
    e->data.hosts = show_hosts;
    e->data.again = look_again;
    e->data.hosts_ctx = e->data.again_ctx = e;
    electrum_data_source(&e->data, &e->source);
    e->banner = xasprintf("Welcome to your own node: %s %s", FARTHING_NAME, FARTHING_VERSION);
    e->source.banner = e->banner;
    e->pool = pool_new("electrum", THREADS);
    e->tick = event_new(loop_base(host->loop), -1, EV_PERSIST, on_tick, e);
    e->reap = event_new(loop_base(host->loop), -1, 0, on_reap, e);
    ASSERT(e->tick && e->reap);
    event_add(e->tick, &tick);
    fit_clients(e);
    e->notifier = notifier_new(&e->data, &target);
    return e;
}

bool electrum_start(struct electrum **out, const struct rpc_host *host, char **error)
{
    struct electrum *e;

    *out = NULL;
    if (!electrum_wanted(host->args))
        return true;
    if (!host->addresses || !host->scripts)
        return fail(error, xstrdup("-electrum needs -addressindex, which is switched off"));
    e = server_new(host);
    if (!host->txs)
        log_info("Electrum server: without -txindex, transactions are found by the histories of the scripts that clients ask for");
    if (listen_all(e, "electrum", false, error) && listen_all(e, "electrumtls", true, error)) {
        *out = e;
        return true;
    }
    electrum_stop(e);
    electrum_free(e);
    return false;
}

void electrum_stop(struct electrum *e)
{
    e->stopping = true;
    atomic_store(&e->data.stopping, true);
    for (size_t i = 0; i < e->n_listeners; i++)
        listener_free(e->listeners[i].listener);
    rpc_local_stop(e->data.rpc);
    notifier_stop(e->notifier);
    pool_free(e->pool);
    e->n_listeners = 0;
    electrum_clients_close(e);
    event_free(e->tick);
    event_free(e->reap);
    e->tick = e->reap = NULL;
}

void electrum_free(struct electrum *e)
{
    if (!e)
        return;
    notifier_free(e->notifier);
    electrum_data_clear(&e->data);
    tls_context_free(e->tls);
    free(e->clients);
    free(e->banner);
    free(e);
}

/* ---- events ---- */

void electrum_tip_changed(struct electrum *e)
{
    notifier_tip_changed(e->notifier);
}

void electrum_touched(struct electrum *e, const uint8_t (*scripts)[32], size_t n)
{
    bool any = false;

    for (size_t i = 0; i < n; i++)
        any |= watch_touch(e->data.watches, scripts[i]);
    if (any)
        notifier_wake(e->notifier);
}
