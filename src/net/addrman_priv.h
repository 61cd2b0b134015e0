/* addrman_priv.h - the state of the address manager, shared by src/net/addrman*.c. One thread at a time. */
#ifndef FARTHING_NET_ADDRMAN_PRIV_H
#define FARTHING_NET_ADDRMAN_PRIV_H

#include "net/addrman.h"
#include "util/random.h"

#define NEW_BUCKETS 1024
#define TRIED_BUCKETS 256
#define BUCKET_SIZE 64
#define MAX_REFS 8 /* places of one address in the new table */
#define MAX_COLLISIONS 10
#define NETWORKS 8 /* numbers of enum net_network, and 0 for unroutable ones */

#define NO_RECORD (-1)

/* What is known of one address. 80 bytes, of which there are 81,920 at most. */
struct record {
    uint8_t ip[32];
    uint64_t services;
    uint32_t last_success, last_try, last_count; /* unix seconds; last_count: attempt that was counted as a failure */
    uint32_t time;                               /* seen */
    int32_t attempts;                            /* since the last success */
    uint32_t shuffle;                            /* where it stands in addrman.order */
    int32_t next;                                /* in its hash chain; in the list of free records */
    int32_t source;                              /* in addrman.sources */
    uint16_t port;
    uint8_t network;
    uint8_t refs; /* places in the new table; 0 when tried */
    bool tried;
};

/* Who told us of addresses. */
struct source {
    uint8_t ip[32], network;
    uint32_t refs; /* records */
    int32_t next;  /* in its hash chain; in the list of free ones */
};
struct sources {
    struct source *v;
    size_t n, cap, n_used; /* n: used at least once */
    int32_t free;
    int32_t *heads; /* n_heads: 0, or a power of two */
    size_t n_heads;
};

/* Where a record stands or belongs. */
struct place {
    int bucket, position;
};

struct addrman {
    const struct netgroup *groups;
    unsigned check_ratio;
    bool deterministic;
    struct rng rng;
    uint8_t key[32];
    uint64_t k0, k1; /* of the hash table */
    struct record *records;
    size_t n_records, cap_records; /* used at least once; allocated */
    int32_t free_record;
    struct sources sources;
    int32_t *heads; /* chains by address and port; n_heads is a power of two */
    size_t n_heads;
    int32_t *order; /* all live records, in random order as far as it was shuffled */
    size_t n, cap_order;
    size_t n_new, n_tried;
    size_t counts[NETWORKS][2]; /* by network: new, tried */
    int64_t last_good;
    int32_t collisions[MAX_COLLISIONS]; /* records that wait to replace a tried one */
    size_t n_collisions;
    int32_t fresh[NEW_BUCKETS][BUCKET_SIZE]; /* the new table */
    int32_t tried[TRIED_BUCKETS][BUCKET_SIZE];
};

/* addrman_record.c: one record. */
struct net_addr record_addr(const struct record *r);
struct addr_entry record_entry(const struct record *r);
void record_set_addr(struct record *r, const struct net_addr *addr);
/** A time as records keep it: at least 0, and a later one than fits is the latest. */
uint32_t record_seconds(int64_t time);
/** Row of addrman.counts: its network, NET_UNKNOWN if not routable. */
unsigned record_network(const struct record *r);
struct place record_place_tried(const struct addrman *a, const struct record *r);
/** Where it belongs in the new table as heard of from a source; the position in a given bucket of the new table. */
struct place record_place_new(const struct addrman *a, const struct record *r, const struct net_addr *source);
int record_position_new(const struct addrman *a, const struct record *r, int bucket);
bool record_is_terrible(const struct record *r, int64_t now);
/** In [0, 1]: relative to others, how likely it should be chosen. */
double record_chance(const struct record *r, int64_t now);

/* addrman_source.c: sources. */
/** A reference to a source, which is made if it is new. */
int32_t addrman_source_take(struct addrman *a, const struct net_addr *addr);
void addrman_source_drop(struct addrman *a, int32_t id);
struct net_addr record_source(const struct addrman *a, const struct record *r);

/* addrman.c: the tables. */
int32_t addrman_find(const struct addrman *a, const struct net_addr *addr);
/** A new record, in the hash table (if linked) and in the order, in none of the tables and not counted. */
int32_t addrman_create(struct addrman *a, const struct net_addr *addr, const struct net_addr *source, bool linked);
/** Gives back a record that is in no table. */
void addrman_delete(struct addrman *a, int32_t id);
void addrman_swap(struct addrman *a, size_t i, size_t j);
bool addrman_make_good(struct addrman *a, const struct net_addr *addr, bool test_before_evict, int64_t time);
/** One in check_ratio calls: the check; an inconsistency ends the process. */
void addrman_maybe_check(struct addrman *a);
/** New randomness, so that nobody can tell the next choices from earlier ones. */
void addrman_stir(struct addrman *a);

#endif
