/* net_local.c - our own addresses: of interfaces, -bind and -externalip, confirmed by peers; which of them is told to a peer. Loop thread. */
#include <string.h>

#include "node/net_private.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

bool net_local_add(struct node_net *n, const struct net_addr *a, int score, bool even_unreachable)
{
    char text[NET_ADDR_TEXT];

    if (!net_addr_is_routable(a) || (!n->set.discover && score < LOCAL_MANUAL) ||
        (!even_unreachable && !net_reachable(n, a->network)))
        return false;
    net_addr_text(text, a);
    if (n->set.log_ips)
        log_info("AddLocal(%s,%i)", text, score);
    local_addrs_add(&n->local, a, score);
    return true;
}

void net_local_remove(struct node_net *n, const struct net_addr *a)
{
    char text[NET_ADDR_TEXT];

    net_addr_text(text, a);
    if (n->set.log_ips)
        log_info("RemoveLocal(%s)", text);
    local_addrs_remove(&n->local, a);
}

bool net_is_own(const struct node_net *n, const struct net_addr *a)
{
    return local_addrs_score(&n->local, a) > 0;
}

static void add_interfaces(struct node_net *n)
{
    struct net_addr list[MAX_LOCAL_ADDRS];
    size_t count = interface_addrs(list, ARRAY_LEN(list));

    for (size_t i = 0; i < count; i++) {
        list[i].port = n->set.public_port;
        net_local_add(n, &list[i], LOCAL_IF, false);
    }
}

static void add_bound(struct node_net *n, const struct net_addr *a)
{
    net_local_add(n, a, LOCAL_BIND, false); /* unless unroutable, such as 0.0.0.0 */
}

void net_local_start(struct node_net *n)
{
    const struct net_settings *s = &n->set;
    bool any = s->bind_any;

    for (size_t i = 0; i < s->n_external; i++)
        net_local_add(n, &s->external[i], LOCAL_MANUAL, true);
    for (size_t i = 0; i < s->n_binds; i++)
        any = any || net_addr_is_any(&s->binds[i]);
    for (size_t i = 0; i < s->n_whitebinds; i++)
        any = any || net_addr_is_any(&s->whitebinds[i].addr);
    if (any && s->discover)
        add_interfaces(n);
    if (!s->listen)
        return;
    for (size_t i = 0; i < s->n_binds; i++)
        add_bound(n, &s->binds[i]);
    for (size_t i = 0; i < s->n_whitebinds; i++)
        if (!net_has_permission(s->whitebinds[i].flags, PERM_NOBAN))
            add_bound(n, &s->whitebinds[i].addr);
}

void net_seen_as(void *ctx, peer_id peer, const struct net_addr *us)
{
    struct node_net *n = ctx;
    struct net_peer *p = net_peer_find(n, peer);

    if (!p)
        return;
    p->seen_as = *us;
    if (p->type == CONN_INBOUND && net_addr_is_routable(us))
        local_addrs_seen(&n->local, us);
}

/* May what the peer says of our address be believed? */
static bool seen_as_is_useful(const struct node_net *n, const struct net_peer *p)
{
    return n->set.discover && !p->facts.proxied && net_addr_is_routable(&p->addr) && net_addr_is_routable(&p->seen_as) &&
           net_reachable(n, p->seen_as.network);
}

bool net_own_address(void *ctx, peer_id peer, struct addr_entry *out)
{
    struct node_net *n = ctx;
    const struct net_peer *p = net_peer_find(n, peer);
    enum net_network through;
    bool have;

    if (!p || !n->set.listen)
        return false;
    through = p->facts.inbound_onion ? NET_ONION : net_addr_class(&p->addr);
    memset(&out->addr, 0, sizeof(out->addr));
    have = local_addrs_best(&out->addr, &n->local, &p->addr, through);
    if (!have)
        out->addr.port = n->set.public_port;
    /* Sometimes what the peer itself says: perhaps it knows better. Less often when many have confirmed ours. */
    if (seen_as_is_useful(n, p) &&
        (!have || random_u64() % (local_addrs_score(&n->local, &out->addr) > LOCAL_MANUAL ? 8 : 2) == 0)) {
        uint16_t port =
            p->type == CONN_INBOUND ? p->seen_as.port : out->addr.port; /* where we connected to it, it saw another port */
        out->addr = p->seen_as;
        out->addr.port = port;
        have = true;
    }
    return have;
}
