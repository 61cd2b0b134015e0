/* bans.h - addresses and subnets that the user has banned, with their ends, and addresses that are discouraged because they misbehaved. Time is
 * time_now(). One thread at a time (the node: loop). */
#ifndef FARTHING_NET_BANS_H
#define FARTHING_NET_BANS_H

#include "net/subnet.h"

struct bans;
struct ban {
    struct subnet subnet;
    int64_t created, until; /* unix seconds */
};

struct bans *bans_new(void);
void bans_free(struct bans *b);
/** Bans, or prolongs a ban; one that ends earlier than what stands changes nothing. Returns: true if something changed. */
bool bans_add(struct bans *b, const struct ban *ban);
/** Returns: false if that very subnet was not banned. */
bool bans_remove(struct bans *b, const struct subnet *s);
void bans_clear(struct bans *b);
/** Is that very subnet banned / the address inside of a banned one? Ended bans do not count. */
bool bans_has_subnet(const struct bans *b, const struct subnet *s);
bool bans_has_addr(const struct bans *b, const struct net_addr *a);
/** Drops bans that have ended. Returns: how many. */
size_t bans_sweep(struct bans *b);
/** All that have not ended, ordered by subnet; ended ones are dropped. Out: *out malloc'ed. Returns: the count. */
size_t bans_list(struct bans *b, struct ban **out);
/** Remembers / has it been seen lately (false positives are rare, the last 50,000 are certain). */
void bans_discourage(struct bans *b, const struct net_addr *a);
bool bans_is_discouraged(const struct bans *b, const struct net_addr *a);

#endif
