/* local.c - own addresses: their scores, and the choice of one for a peer. Called by the node's network glue; pure. */
#include "net/local.h"

#include <string.h>

#include "util/mem.h"

enum reach { REACH_NONE, REACH_DEFAULT, REACH_TEREDO, REACH_IPV6_WEAK, REACH_IPV4, REACH_IPV6_STRONG, REACH_PRIVATE };

static size_t find(const struct local_addrs *l, const struct net_addr *a)
{
    size_t i = 0;
    while (i < l->n && !net_addr_same_ip(&l->v[i].addr, a))
        i++;
    return i;
}

void local_addrs_add(struct local_addrs *l, const struct net_addr *a, int score)
{
    size_t i = find(l, a);

    if (i == l->n) {
        if (l->n == MAX_LOCAL_ADDRS)
            return;
        l->v[l->n].addr = *a;
        l->v[l->n++].score = score;
    } else if (score >= l->v[i].score) {
        l->v[i].score = score + 1;
        l->v[i].addr.port = a->port;
    }
}

void local_addrs_remove(struct local_addrs *l, const struct net_addr *a)
{
    size_t i = find(l, a);
    if (i < l->n)
        l->v[i] = l->v[--l->n];
}

int local_addrs_score(const struct local_addrs *l, const struct net_addr *a)
{
    size_t i = find(l, a);
    return i < l->n ? l->v[i].score : 0;
}

bool local_addrs_seen(struct local_addrs *l, const struct net_addr *a)
{
    size_t i = find(l, a);

    if (i == l->n)
        return false;
    if (l->v[i].score < INT32_MAX)
        l->v[i].score++;
    return true;
}

/* ---- reachability ---- */

static bool starts_with(const struct net_addr *a, const uint8_t *prefix, size_t len)
{
    return a->network == NET_IPV6 && memcmp(a->ip, prefix, len) == 0;
}

static bool is_teredo(const struct net_addr *a)
{
    static const uint8_t prefix[] = {0x20, 0x01, 0, 0};
    return starts_with(a, prefix, sizeof(prefix));
}

/* IPv4 in IPv6 by 6to4 (RFC 3964) or a translator (RFC 6052, RFC 6145). */
static bool is_tunnelled(const struct net_addr *a)
{
    static const uint8_t six_to_four[] = {0x20, 0x02}, nat64[] = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0},
                         translated[] = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0};
    return starts_with(a, six_to_four, sizeof(six_to_four)) || starts_with(a, nat64, sizeof(nat64)) ||
           starts_with(a, translated, sizeof(translated));
}

/* From a peer without an address that means something. */
static enum reach from_unroutable(const struct net_addr *ours)
{
    if (is_teredo(ours))
        return REACH_TEREDO;
    switch (ours->network) {
    case NET_IPV6:
        return REACH_IPV6_WEAK;
    case NET_IPV4:
        return REACH_IPV4;
    case NET_ONION:
        return REACH_PRIVATE;
    default:
        return REACH_DEFAULT;
    }
}

static enum reach from_ipv6(const struct net_addr *ours, bool teredo)
{
    if (is_teredo(ours))
        return REACH_TEREDO;
    if (ours->network == NET_IPV4)
        return REACH_IPV4;
    if (ours->network != NET_IPV6)
        return REACH_DEFAULT;
    return teredo || is_tunnelled(ours) ? REACH_IPV6_WEAK : REACH_IPV6_STRONG; /* a tunnel is worse than IPv4 */
}

int local_reachability(const struct net_addr *ours, const struct net_addr *theirs)
{
    if (!net_addr_is_routable(ours))
        return REACH_NONE;
    if (!net_addr_is_routable(theirs))
        return from_unroutable(ours);
    switch (theirs->network) {
    case NET_IPV4:
        return ours->network == NET_IPV4 ? REACH_IPV4 : REACH_DEFAULT;
    case NET_IPV6:
        return from_ipv6(ours, is_teredo(theirs));
    case NET_ONION: /* an exit leads to IPv4 as well */
        return ours->network == NET_ONION ? REACH_PRIVATE : ours->network == NET_IPV4 ? REACH_IPV4 : REACH_DEFAULT;
    case NET_I2P:
    case NET_CJDNS:
        return ours->network == theirs->network ? REACH_PRIVATE : REACH_DEFAULT;
    default:
        return from_unroutable(ours);
    }
}

static bool is_private(enum net_network n)
{
    return n == NET_ONION || n == NET_I2P;
}

bool local_addrs_best(struct net_addr *out, const struct local_addrs *l, const struct net_addr *peer, enum net_network through)
{
    int best_reach = -1, best_score = -1;

    for (size_t i = 0; i < l->n; i++) {
        const struct net_addr *a = &l->v[i].addr;
        int reach, score = l->v[i].score;
        if (a->network != through && (is_private(a->network) || is_private(through)))
            continue;
        reach = local_reachability(a, peer);
        if (reach < best_reach || (reach == best_reach && score <= best_score))
            continue;
        *out = *a;
        best_reach = reach;
        best_score = score;
    }
    return best_reach >= 0;
}
