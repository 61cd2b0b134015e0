/* net_proxy.c - the options that say by which way each network is reached (net_proxy.h). Called by net_settings.c at start. */
#include "node/net_proxy.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/log.h"
#include "util/mem.h"

enum net_network net_network_parse(const char *name)
{
    static const struct {
        const char *name;
        enum net_network network;
    } all[] = {{"ipv4", NET_IPV4}, {"ipv6", NET_IPV6}, {"onion", NET_ONION}, {"i2p", NET_I2P}, {"cjdns", NET_CJDNS}};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcasecmp(name, all[i].name) == 0)
            return all[i].network;
    return NET_UNKNOWN;
}

bool net_ways_no_clearnet(const struct args *a)
{
    const char *const *list;
    size_t n = args_list(a, "onlynet", &list);
    bool clear = n == 0;

    for (size_t i = 0; i < n && !clear; i++)
        clear = net_network_parse(list[i]) == NET_IPV4 || net_network_parse(list[i]) == NET_IPV6;
    return !clear;
}

/* The proxy's own name, by the system's resolver. */
static bool look_up(struct proxy *p, const char *text, uint16_t default_port)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    char host[256];
    uint16_t port = default_port;
    bool ok = false;

    if (!net_split_host_port(host, sizeof(host), &port, text) || !host[0] || getaddrinfo(host, NULL, &hints, &list) != 0)
        return false;
    for (const struct addrinfo *i = list; i && !ok; i = i->ai_next)
        ok = net_addr_from_sockaddr(&p->addr, i->ai_addr) && net_addr_is_valid(&p->addr);
    freeaddrinfo(list);
    p->addr.port = port;
    p->kind = ok ? PROXY_TCP : PROXY_NONE;
    return ok;
}

/* option: "-proxy". suffix: whether "=network" may follow the address. */
static bool check_port(const char *option, const char *text, bool unix_allowed, bool suffix, char **error)
{
    const char *end = suffix ? strrchr(text, '=') : NULL;
    char *address = xasprintf("%.*s", (int)(end ? (size_t)(end - text) : strlen(text)), text), host[256];
    uint16_t port = 0;
    bool ok = (unix_allowed && strncmp(text, "unix:", 5) == 0) || strlen(address) >= sizeof(host) ||
              net_split_host_port(host, sizeof(host), &port, address);

    free(address);
    if (!ok)
        *error = xasprintf("Invalid port specified in %s: '%s'", option, text);
    return ok;
}

static bool read_proxy(struct proxy *p, const char *option, const char *text, uint16_t port, bool dns, char **error)
{
    if (proxy_parse(p, text, port) || (dns && strncmp(text, "unix:", 5) != 0 && look_up(p, text, port)))
        return true;
    *error = xasprintf("Invalid %s address or hostname: '%s'", option, text);
    return false;
}

static bool read_onlynet(struct net_ways *w, const struct args *a, char **error)
{
    const char *const *list;
    size_t n = args_list(a, "onlynet", &list);

    w->only_some = n > 0;
    for (int i = NET_IPV4; i <= NET_CJDNS; i++)
        w->reachable[i] = !n && net_addr_size((enum net_network)i) > 0;
    for (size_t i = 0; i < n; i++) {
        enum net_network network = net_network_parse(list[i]);
        if (network == NET_UNKNOWN) {
            *error = xasprintf("Unknown network specified in -onlynet: '%s'", list[i]);
            return false;
        }
        w->reachable[network] = true;
    }
    w->onion_allowed = w->reachable[NET_ONION];
    w->cjdns = args_is_set(a, "cjdnsreachable");
    if (n && w->reachable[NET_CJDNS] && !w->cjdns) {
        *error = xstrdup("Outbound connections restricted to CJDNS (-onlynet=cjdns) but -cjdnsreachable is not provided");
        return false;
    }
    if (!w->cjdns)
        w->reachable[NET_CJDNS] = false;
    w->cjdns = w->reachable[NET_CJDNS];
    if (args_is_set(a, "dnsseed") && args_bool(a, "dnsseed", true) && !w->reachable[NET_IPV4] && !w->reachable[NET_IPV6]) {
        *error =
            xstrdup("Incompatible options: -dnsseed=1 was explicitly specified, but -onlynet forbids connections to IPv4/IPv6");
        return false;
    }
    return true;
}

/* One -proxy=<address>[=<network>]; later ones override earlier ones. */
static bool read_one(struct net_ways *w, const char *text, bool dns, char **error)
{
    const char *tag = strrchr(text, '=');
    char *address = xasprintf("%.*s", (int)(tag ? (size_t)(tag - text) : strlen(text)), text);
    enum net_network network = tag ? net_network_parse(tag + 1) : NET_UNKNOWN;
    struct proxy p = {0};
    bool ok = true;

    if (tag && !tag[1]) {
        *error = xasprintf("Invalid -proxy address or hostname, ends with '=': '%s'", text);
        ok = false;
    } else if (address[0] && strcmp(address, "0") != 0) {
        ok = read_proxy(&p, "-proxy", address, TOR_SOCKS_PORT, dns, error);
        p.randomize = w->randomize;
    }
    if (ok && tag && (network == NET_UNKNOWN || network == NET_I2P)) {
        *error = xasprintf("Unrecognized network in -proxy='%s': '%s'", text, tag + 1);
        ok = false;
    }
    free(address);
    if (!ok)
        return false;
    if (tag)
        w->by_network[network] = p;
    else
        w->by_network[NET_IPV4] = w->by_network[NET_IPV6] = w->by_network[NET_ONION] = w->by_network[NET_CJDNS] = p;
    if (!tag || network == NET_IPV4 || network == NET_IPV6)
        w->names = p;
    return true;
}

static bool read_onion(struct net_ways *w, const struct args *a, bool dns, char **error)
{
    const char *text = args_str(a, "onion", "");
    struct proxy *p = &w->by_network[NET_ONION];
    static const struct proxy none;
    bool only = w->only_some && w->onion_allowed;

    w->onion_given = *text;
    if (strcmp(text, "0") == 0) {
        *p = none;
        if (only) {
            *error =
                xstrdup("Outbound connections restricted to Tor (-onlynet=onion) but the proxy for reaching the Tor network is "
                        "explicitly forbidden: -onion=0");
            return false;
        }
    } else if (*text) {
        *p = none;
        if (!read_proxy(p, "-onion", text, TOR_SOCKS_PORT, dns, error))
            return false;
        p->randomize = w->randomize;
    }
    if (p->kind != PROXY_NONE)
        return true;
    if (only && !w->listen_onion) {
        *error =
            xstrdup("Outbound connections restricted to Tor (-onlynet=onion) but the proxy for reaching the Tor network is not "
                    "provided: none of -proxy, -onion or -listenonion is given");
        return false;
    }
    w->reachable[NET_ONION] = false;
    return true;
}

static bool read_i2p(struct net_ways *w, const struct args *a, bool dns, char **error)
{
    const char *text = args_str(a, "i2psam", "");

    if (*text)
        return read_proxy(&w->by_network[NET_I2P], "-i2psam", text, I2P_SAM_PORT, dns, error);
    if (w->only_some && w->reachable[NET_I2P]) {
        *error = xstrdup("Outbound connections restricted to i2p (-onlynet=i2p) but -i2psam is not provided");
        return false;
    }
    w->reachable[NET_I2P] = false;
    return true;
}

static void read_tor_control(struct net_ways *w, const struct args *a, bool dns)
{
    const char *text = args_str(a, "torcontrol", "127.0.0.1");
    struct proxy *p = &w->tor_control;

    if (!w->listen_onion || proxy_parse(p, text, TOR_CONTROL_PORT) || (dns && look_up(p, text, TOR_CONTROL_PORT)))
        return;
    p->kind = PROXY_NONE;
    log_warning("tor: Failed to look up control center %s", text);
}

static bool check_ports(const struct args *a, char **error)
{
    static const struct {
        const char *name, *option;
        bool unix_allowed, suffix;
    } options[] = {{"i2psam", "-i2psam", false, false},
                   {"onion", "-onion", true, false},
                   {"proxy", "-proxy", true, true},
                   {"torcontrol", "-torcontrol", false, false}};
    const char *const *list;

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        size_t n = args_list(a, options[i].name, &list);
        for (size_t k = 0; k < n; k++)
            if (!check_port(options[i].option, list[k], options[i].unix_allowed, options[i].suffix, error))
                return false;
    }
    return true;
}

bool net_ways_read(struct net_ways *w, const struct args *a, bool listen, char **error)
{
    const char *const *list;
    size_t n = args_list(a, "proxy", &list);
    bool dns = args_bool(a, "dns", true);

    memset(w, 0, sizeof(*w));
    w->randomize = args_bool(a, "proxyrandomize", true);
    w->listen_onion = args_bool(a, "listenonion", listen);
    w->i2p_accept = args_bool(a, "i2pacceptincoming", listen);
    if (w->listen_onion && !listen) {
        *error = xstrdup("Cannot set -listen=0 together with -listenonion=1");
        return false;
    }
    if (!check_ports(a, error) || !read_onlynet(w, a, error))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!read_one(w, list[i], dns, error))
            return false;
    read_tor_control(w, a, dns);
    return read_onion(w, a, dns, error) && read_i2p(w, a, dns, error);
}
