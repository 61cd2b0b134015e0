/* permissions.h - what -whitelist and -whitebind allow a peer. Pure; any thread. */
#ifndef FARTHING_NET_PERMISSIONS_H
#define FARTHING_NET_PERMISSIONS_H

#include "net/subnet.h"

enum net_permission {
    PERM_NONE = 0,
    PERM_BLOOM = 1 << 1,
    PERM_RELAY = 1 << 3,
    PERM_FORCERELAY = (1 << 2) | PERM_RELAY,
    PERM_DOWNLOAD = 1 << 6,
    PERM_NOBAN = (1 << 4) | PERM_DOWNLOAD,
    PERM_MEMPOOL = 1 << 5,
    PERM_ADDR = 1 << 7,
    PERM_IMPLICIT = 1 << 30, /* no list was given: the defaults apply */
    PERM_ALL = PERM_BLOOM | PERM_FORCERELAY | PERM_NOBAN | PERM_MEMPOOL | PERM_ADDR
};
static inline bool net_has_permission(uint32_t flags, uint32_t p)
{
    return (flags & p) == p;
}

struct whitelist_entry {
    uint32_t flags;
    bool in, out;
    struct subnet subnet;
};
struct whitebind {
    uint32_t flags;
    struct net_addr addr;
};

/** "[permissions@]subnet". Returns: false with Core's message in *error (to free). */
bool whitelist_parse(struct whitelist_entry *w, const char *text, char **error);
/** "[permissions@]address:port". */
bool whitebind_parse(struct whitebind *w, const char *text, char **error);
/** Replaces PERM_IMPLICIT by the default permissions. relay, forcerelay: -whitelistrelay, -whitelistforcerelay. */
uint32_t net_permissions_resolve(uint32_t flags, bool relay, bool forcerelay);
/** Names for getpeerinfo, in Core's order. Out: names (7 at most). Returns: the count. */
size_t net_permission_names(const char *names[7], uint32_t flags);

#endif
