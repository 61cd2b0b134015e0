/* net_settings.c - the network options: read and checked once at start, with Core's messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"

#define CORE_VERSION "31.99.0" /* whose behaviour clients look for in the user agent */
#define DEFAULT_EXTRA_TXS 100
#define MAX_EXTRA_TXS 1000000
#define BLOCKS_ONLY_MEMPOOL_MB "5"
#define MAX_CONNECTIONS_DEFAULT 200
#define MAX_SEND_RATE 1000

static bool read_user_agent(struct net_settings *s, const struct args *a, char **error)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,;-_?@";
    const char *const *comments;
    size_t n = args_list(a, "uacomment", &comments), len;
    struct writer w = WRITER_INIT;
    const char *head = "/Satoshi:" CORE_VERSION "/" FARTHING_NAME ":" FARTHING_VERSION;

    write_bytes(&w, head, strlen(head));
    for (size_t i = 0; i < n; i++) {
        if (strspn(comments[i], safe) != strlen(comments[i])) {
            *error = xasprintf("User Agent comment (%s) contains unsafe characters.", comments[i]);
            writer_clear(&w);
            return false;
        }
        write_bytes(&w, i ? "; " : "(", i ? 2 : 1);
        write_bytes(&w, comments[i], strlen(comments[i]));
    }
    write_bytes(&w, n ? ")/" : "/", n ? 2 : 1);
    len = w.len;
    if (len <= MAX_USER_AGENT) {
        memcpy(s->user_agent, w.data, len);
        s->user_agent[len] = 0;
    } else {
        *error = xasprintf("Total length of network version string (%zu) exceeds maximum length (%u). Reduce the number or size of "
                           "uacomments.",
                           len, MAX_USER_AGENT);
    }
    writer_clear(&w);
    return len <= MAX_USER_AGENT;
}

static void push_addr(struct net_addr **list, size_t *n, const struct net_addr *a)
{
    *list = xrealloc(*list, (*n + 1) * sizeof(**list));
    (*list)[(*n)++] = *a;
}

/* -bind=<addr>[:<port>][=onion] */
static bool read_bind(struct net_settings *s, const char *text, char **error)
{
    const char *tag = strrchr(text, '=');
    bool onion = tag && strcmp(tag, "=onion") == 0;
    size_t len = tag ? (size_t)(tag - text) : strlen(text);
    char *addr = xasprintf("%.*s", (int)len, text), host[256];
    uint16_t port = 0;
    struct net_addr a;
    bool ok = false;

    if (!net_split_host_port(host, sizeof(host), &port, addr))
        *error = xasprintf("Invalid port specified in -bind: '%s'", text);
    else if ((tag && !onion) || !net_addr_parse(&a, addr, (uint16_t)(s->listen_port + onion)))
        *error = xasprintf("Cannot resolve -bind address: '%s'", text);
    else
        ok = true;
    if (ok && !onion && port && !s->public_port)
        s->public_port = port;
    if (ok && onion)
        push_addr(&s->onion_binds, &s->n_onion_binds, &a);
    else if (ok)
        push_addr(&s->binds, &s->n_binds, &a);
    free(addr);
    return ok;
}

static bool find_duplicate(const struct net_settings *s, char **error)
{
    size_t n = 0, total = s->n_binds + s->n_onion_binds + s->n_whitebinds;
    struct net_addr *all = xmalloc(total * sizeof(*all) + 1);
    bool found = false;

    for (size_t i = 0; i < s->n_binds; i++)
        all[n++] = s->binds[i];
    for (size_t i = 0; i < s->n_onion_binds; i++)
        all[n++] = s->onion_binds[i];
    for (size_t i = 0; i < s->n_whitebinds; i++)
        all[n++] = s->whitebinds[i].addr;
    for (size_t i = 0; i < n && !found; i++) {
        for (size_t k = 0; k < i && !found; k++) {
            char text[NET_ADDR_TEXT];
            if (!net_addr_equal(&all[i], &all[k]))
                continue;
            net_addr_text(text, &all[i]);
            *error =
                xasprintf("Duplicate binding configuration for address %s. Please check your -bind, -bind=...=onion and -whitebind "
                          "settings.",
                          text);
            found = true;
        }
    }
    free(all);
    return found;
}

static bool read_binds(struct net_settings *s, const struct args *a, char **error)
{
    const char *const *list;
    size_t n;

    if (!s->listen && (args_list(a, "bind", &list) || args_list(a, "whitebind", &list))) {
        *error = xstrdup("Cannot set -bind or -whitebind together with -listen=0");
        return false;
    }
    n = args_list(a, "bind", &list);
    for (size_t i = 0; i < n; i++)
        if (!read_bind(s, list[i], error))
            return false;
    n = args_list(a, "whitebind", &list);
    s->whitebinds = xcalloc(n + 1, sizeof(*s->whitebinds));
    for (; s->n_whitebinds < n; s->n_whitebinds++)
        if (!whitebind_parse(&s->whitebinds[s->n_whitebinds], list[s->n_whitebinds], error))
            return false;
    for (size_t i = 0; i < n && !s->public_port; i++)
        if (!net_has_permission(s->whitebinds[i].flags, PERM_NOBAN))
            s->public_port = s->whitebinds[i].addr.port;
    if (!s->public_port)
        s->public_port = s->listen_port;
    s->bind_any = !s->n_binds && !s->n_whitebinds && !s->n_onion_binds;
    if (s->listen && !s->n_binds && !s->n_onion_binds) {
        const struct net_addr onion = {.network = NET_IPV4, .ip = {127, 0, 0, 1}, .port = (uint16_t)(s->listen_port + 1)};
        push_addr(&s->onion_binds, &s->n_onion_binds, &onion);
    }
    return !find_duplicate(s, error);
}

static bool is_given(const struct args *a, const char *name)
{
    const char *const *list;
    return args_list(a, name, &list) > 0;
}

static bool read_lists(struct net_settings *s, const struct node_config *c, char **error)
{
    const char *const *list;
    size_t n = args_list(c->args, "whitelist", &list);
    struct net_addr a;

    s->whitelist = xcalloc(n + 1, sizeof(*s->whitelist));
    for (; s->n_whitelist < n; s->n_whitelist++)
        if (!whitelist_parse(&s->whitelist[s->n_whitelist], list[s->n_whitelist], error))
            return false;
    n = args_list(c->args, "externalip", &list);
    for (size_t i = 0; i < n; i++) {
        if (!net_addr_parse(&a, list[i], s->public_port)) {
            *error = xasprintf("Cannot resolve -externalip address: '%s'", list[i]);
            return false;
        }
        if (args_bool(c->args, "cjdnsreachable", false))
            net_addr_flip_cjdns(&a);
        push_addr(&s->external, &s->n_external, &a);
    }
    s->n_added = args_list(c->args, "addnode", &s->added);
    s->n_connect = args_list(c->args, "connect", &s->connect);
    if (s->n_connect == 1 && strcmp(s->connect[0], "0") == 0)
        s->n_connect = 0;
    s->automatic = !is_given(c->args, "connect") && !args_is_negated(c->args, "connect");
    return true;
}

/* A port option is digits only, 1 to 65535: "8333x" is a mistake, not 8333. */
static bool read_port(const struct args *a, const char *name, uint16_t dflt, uint16_t *port, char **error)
{
    const char *text = args_str(a, name, NULL);
    long n;

    *port = dflt;
    if (!text)
        return true;
    n = strspn(text, "0123456789") == strlen(text) ? strtol(text, NULL, 10) : 0;
    *port = (uint16_t)n;
    if (n >= 1 && n <= 65535)
        return true;
    *error = xasprintf("Invalid port specified in -%s: '%s'", name, text);
    return false;
}

static bool read_ports(struct net_settings *s, const struct node_config *c, char **error)
{
    uint16_t rpc_port;
    return read_port(c->args, "port", c->params.port, &s->listen_port, error) &&
           read_port(c->args, "rpcport", c->params.rpc_port, &rpc_port, error);
}

/* A number of bytes with an optional unit: k, m, g, t by 1000, upper case by 1024; without one, MiB. Returns: false if malformed or too large. */
static bool parse_bytes(uint64_t *bytes, const char *text)
{
    static const char units[] = "kmgt";
    size_t digits = strspn(text, "0123456789"), len = strlen(text);
    unsigned power = 2;
    uint64_t base = 1024, v = 0;

    if (digits == 0 || len > digits + 1)
        return false;
    if (len > digits) {
        char lower = (char)(text[digits] | 0x20);
        if (!strchr(units, lower))
            return false;
        power = (unsigned)(strchr(units, lower) - units) + 1;
        base = text[digits] == lower ? 1000 : 1024;
    }
    for (size_t i = 0; i < digits; i++) {
        if (v > (UINT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (uint64_t)(text[i] - '0');
    }
    for (; power > 0; power--) {
        if (v > UINT64_MAX / base)
            return false;
        v *= base;
    }
    *bytes = v;
    return true;
}

static size_t read_kilobytes(const struct args *a, const char *name, int64_t dflt)
{
    int64_t v = args_int(a, name, dflt);
    return (size_t)(v < 1 ? 1 : v > 1000000 ? 1000000 : v) * 1000;
}

static bool read_numbers(struct net_settings *s, const struct args *a, char **error)
{
    int64_t v;

    s->max_connections = args_int(a, "maxconnections", MAX_CONNECTIONS_DEFAULT);
    if (s->max_connections < 0) {
        *error = xstrdup("-maxconnections must be greater or equal than zero");
        return false;
    }
    v = args_int(a, "timeout", 5000);
    s->connect_timeout_ms = v <= 0 || v > 3600000 ? 5000 : (int)v;
    s->peer_timeout = args_int(a, "peertimeout", 60);
    if (s->peer_timeout <= 0) {
        *error = xstrdup("peertimeout must be a positive integer.");
        return false;
    }
    v = args_int(a, "blockreconstructionextratxn", DEFAULT_EXTRA_TXS);
    s->extra_txs = (size_t)(v < 0 ? 0 : v > MAX_EXTRA_TXS ? MAX_EXTRA_TXS : v);
    v = args_int(a, "inboundrelaypercent", 50);
    s->inbound_relay_percent = v < 0 ? 0 : v > 100 ? 100 : v;
    if (!parse_bytes(&s->max_upload, args_str(a, "maxuploadtarget", "0"))) {
        *error = xasprintf("Unable to parse -maxuploadtarget: '%s'", args_str(a, "maxuploadtarget", ""));
        return false;
    }
    s->max_send = read_kilobytes(a, "maxsendbuffer", 1000);
    s->max_recv = read_kilobytes(a, "maxreceivebuffer", 5000);
    return true;
}

/* Sets an option unless the user has. why: for the log. */
static void imply(struct args *a, const char *name, bool value, const char *why)
{
    if (args_soft_set(a, name, value ? "1" : "0"))
        log_info("parameter interaction: %s -> setting -%s=%d", why, name, value);
}

void node_net_interact(struct args *a)
{
    const char *proxy = args_str(a, "proxy", "");

    if (is_given(a, "bind"))
        imply(a, "listen", true, "-bind set");
    if (is_given(a, "whitebind"))
        imply(a, "listen", true, "-whitebind set");
    if (is_given(a, "connect") || args_is_negated(a, "connect") || args_int(a, "maxconnections", MAX_CONNECTIONS_DEFAULT) <= 0) {
        imply(a, "dnsseed", false, "-connect or -maxconnections=0 set");
        imply(a, "listen", false, "-connect or -maxconnections=0 set");
    }
    if (*proxy && strcmp(proxy, "0") != 0) { /* for privacy */
        imply(a, "listen", false, "-proxy set");
        imply(a, "natpmp", false, "-proxy set");
        imply(a, "discover", false, "-proxy set");
    }
    if (!args_bool(a, "listen", true)) { /* pointless without */
        imply(a, "natpmp", false, "-listen=0");
        imply(a, "discover", false, "-listen=0");
        imply(a, "listenonion", false, "-listen=0");
        imply(a, "i2pacceptincoming", false, "-listen=0");
    }
    if (is_given(a, "externalip"))
        imply(a, "discover", false, "-externalip set");
    if (args_bool(a, "blocksonly", false)) {
        imply(a, "whitelistrelay", false, "-blocksonly=1");
        if (args_soft_set(a, "maxmempool", BLOCKS_ONLY_MEMPOOL_MB)) /* what nobody sends needs no room */
            log_info("parameter interaction: -blocksonly=1 -> setting -maxmempool=%s", BLOCKS_ONLY_MEMPOOL_MB);
    }
    if (args_bool(a, "whitelistforcerelay", false))
        imply(a, "whitelistrelay", true, "-whitelistforcerelay=1");
    if (net_ways_no_clearnet(a))
        imply(a, "dnsseed", false, "-onlynet excludes IPv4 and IPv6");
}

static bool read_seeds(struct net_settings *s, const struct args *a, char **error)
{
    s->dns_seed = args_bool(a, "dnsseed", true);
    s->force_dns_seed = args_bool(a, "forcednsseed", false);
    s->fixed_seeds = args_bool(a, "fixedseeds", true);
    s->n_seed_nodes = args_list(a, "seednode", &s->seed_nodes);
    if (!s->force_dns_seed || s->dns_seed)
        return true;
    *error = xstrdup("Cannot set -forcednsseed to true when setting -dnsseed to false.");
    return false;
}

static bool read_private_broadcast(struct net_settings *s, const struct args *a, char **error)
{
    static const char head[] = "Private broadcast of own transactions requested (-privatebroadcast), but ";
    const struct net_ways *w = &s->ways;
    bool later = w->listen_onion && w->onion_allowed; /* Tor's control port may yet tell where the proxy is */

    s->private_broadcast = args_bool(a, "privatebroadcast", false);
    if (!s->private_broadcast)
        return true;
    if (!w->reachable[NET_I2P] && !w->reachable[NET_ONION] && !later)
        *error = xasprintf("%snone of Tor or I2P networks is reachable", head);
    else if (is_given(a, "connect") || args_is_negated(a, "connect"))
        *error = xasprintf("%s-connect is also configured. They are incompatible because the private broadcast needs to open new "
                           "connections to randomly chosen Tor or I2P peers. Consider using -maxconnections=0 -addnode=... instead",
                           head);
    return !*error;
}

bool net_settings_read(struct net_settings *s, const struct node_config *c, char **error)
{
    const struct args *a = c->args;

    memset(s, 0, sizeof(*s));
    *error = NULL;
    s->services = NODE_WITNESS | NODE_NETWORK_LIMITED;
    if (args_int(a, "prune", 0) == 0)
        s->services |= NODE_NETWORK;
    if (args_bool(a, "peerbloomfilters", false))
        s->services |= NODE_BLOOM;
    if (args_bool(a, "peerblockfilters", false)) {
        if (!c->block_filter_index) {
            *error = xstrdup("Cannot set -peerblockfilters without -blockfilterindex.");
            return false;
        }
        s->services |= NODE_COMPACT_FILTERS;
    }
    s->v2 = args_bool(a, "v2transport", true);
    if (s->v2)
        s->services |= NODE_P2P_V2;
    s->capture = args_bool(a, "capturemessages", false);
    s->active = args_bool(a, "networkactive", true);
    s->dns = args_bool(a, "dns", true);
    s->blocks_only = args_bool(a, "blocksonly", false);
    s->tx_send_rate = args_int(a, "txsendrate", 14);
    if (s->tx_send_rate < 1 || s->tx_send_rate > MAX_SEND_RATE)
        s->tx_send_rate = s->tx_send_rate < 1 ? 1 : MAX_SEND_RATE;
    s->whitelist_forcerelay = args_bool(a, "whitelistforcerelay", false);
    s->whitelist_relay = args_bool(a, "whitelistrelay", true);
    s->log_ips = args_bool(a, "logips", false);
    if (!read_ports(s, c, error) || !read_numbers(s, a, error))
        return false;
    s->listen = args_bool(a, "listen", true);
    s->discover = args_bool(a, "discover", true);
    return read_seeds(s, a, error) && read_user_agent(s, a, error) && net_ways_read(&s->ways, a, s->listen, error) &&
           read_private_broadcast(s, a, error) && read_binds(s, a, error) && read_lists(s, c, error);
}

void net_settings_clear(struct net_settings *s)
{
    free(s->binds);
    free(s->onion_binds);
    free(s->external);
    free(s->whitebinds);
    free(s->whitelist);
    memset(s, 0, sizeof(*s));
}
