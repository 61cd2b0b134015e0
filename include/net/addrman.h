/* addrman.h - the address manager: what is known of other nodes' addresses, in keyed buckets ("new": heard of, "tried": connected to once), so
 * that an attacker with few networks cannot fill it. Core's AddrMan in behaviour and in its file (peers.dat). Time is time_now(). One thread
 * at a time (the node: loop). */
#ifndef FARTHING_NET_ADDRMAN_H
#define FARTHING_NET_ADDRMAN_H

#include "net/message.h"
#include "net/netgroup.h"
#include "util/rc.h"

struct addrman;

#define ADDRMAN_NETWORKS_ALL 0u
/** Bit of a network in a set of networks. */
#define ADDRMAN_NETWORK(n) (1u << (n))

/** groups: borrowed, must outlive it. deterministic: key 1 and no randomness but seed 0 (tests, as Core's -test=addrman).
 *  check_ratio: -checkaddrman: every how many operations the consistency is checked (0: never). */
struct addrman *addrman_new(const struct netgroup *groups, bool deterministic, unsigned check_ratio);
void addrman_free(struct addrman *a);

/** Adds addresses heard of from source to the new table. penalty: seconds taken from each time seen (unless source is the address itself).
 *  Returns: true if at least one is new. */
bool addrman_add(struct addrman *a, const struct addr_entry *entries, size_t n, const struct net_addr *source, int64_t penalty);
/** Connected and spoken with: moves it to the tried table, or notes a collision there. Returns: true if it was moved. */
bool addrman_good(struct addrman *a, const struct net_addr *addr, int64_t time);
/** A connection to it was tried. */
void addrman_attempt(struct addrman *a, const struct net_addr *addr, bool count_failure, int64_t time);
/** It was connected for a while: its time seen is moved forward (20 minutes at most). */
void addrman_connected(struct addrman *a, const struct net_addr *addr, int64_t time);
void addrman_set_services(struct addrman *a, const struct net_addr *addr, uint64_t services);
/** Settles collisions whose old entry has been tested, or has been left untested for too long. */
void addrman_resolve_collisions(struct addrman *a);
/** The old entry of one collision, to be tested by a feeler. Out: *out, *last_try. Returns: false if there is none. */
bool addrman_select_collision(struct addrman *a, struct addr_entry *out, int64_t *last_try);
/** An address to connect to, at random with a preference for good ones. networks: set of ADDRMAN_NETWORK bits, ADDRMAN_NETWORKS_ALL for any.
 *  Out: *out, *last_try. Returns: false if there is none. */
bool addrman_select(struct addrman *a, bool new_only, unsigned networks, struct addr_entry *out, int64_t *last_try);
/** Random addresses for others: at most max (0: any) and pct percent (0: any) of all, of one network (NET_UNKNOWN: any); filtered: without those
 *  that look bad. Out: *out malloc'ed. Returns: the count. */
size_t addrman_sample(struct addrman *a, struct addr_entry **out, size_t max, size_t pct, enum net_network network, bool filtered);

enum addrman_table { ADDRMAN_NEW = 1, ADDRMAN_TRIED = 2, ADDRMAN_BOTH = 3 };
/** How many addresses of a network (NET_UNKNOWN: of all). */
size_t addrman_count(const struct addrman *a, enum net_network network, enum addrman_table table);
/* Where an address stands (getrawaddrman). */
struct addrman_place {
    struct addr_entry entry;
    struct net_addr source;
    bool tried;
    int bucket, position;
};
/** Every occupied place of one table (an address may stand in several of the new one). Out: *out malloc'ed. Returns: the count. */
size_t addrman_places(const struct addrman *a, struct addrman_place **out, enum addrman_table table);

/** Core's consistency check. Returns: 0, or Core's number of what is wrong. Made by the check_ratio, after a load, and by tests. */
int addrman_check(const struct addrman *a);

/** peers.dat in Core's format (version 4; 0 to 4 are read), checksum and magic included. */
enum rc addrman_save(struct addrman *a, const char *path, const uint8_t magic[4]);
/** Returns: RC_NOT_FOUND without a file; RC_INVALID if it is of a later version that we cannot read (Core sets such a file aside); RC_CORRUPT,
 *  RC_IO. Out: *problem: malloc'ed, with all of these but RC_NOT_FOUND: Core's text. On failure *a_new is NULL. */
enum rc addrman_load(struct addrman **a_new, const char *path, const uint8_t magic[4], const struct netgroup *groups,
                     bool deterministic, unsigned check_ratio, char **problem);
/** The two halves of the above on bytes (tests, fuzzing). decode: a is new; after a failure it can only be freed. */
void addrman_encode(struct writer *w, const struct addrman *a, const uint8_t magic[4]);
enum rc addrman_decode(struct addrman *a, const uint8_t *data, size_t len, const uint8_t magic[4], char **problem);

/** anchors.dat: addresses of block-relay-only peers to come back to after a restart, in Core's format. The load deletes the file.
 *  Out: entries (max). Returns: the count (0 if the file is absent or damaged). */
size_t anchors_load(struct addr_entry *entries, size_t max, const char *path, const uint8_t magic[4]);
enum rc anchors_save(const char *path, const struct addr_entry *entries, size_t n, const uint8_t magic[4]);

#endif
