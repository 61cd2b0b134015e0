/* addrman_record.c - one address of the address manager: where its keyed hashes put it, how good it looks. Pure but for the record. */
#include <string.h>

#include "crypto/sha256.h"
#include "net/addrman_priv.h"
#include "primitives/serialize.h"

#define TRIED_BUCKETS_PER_GROUP 8
#define NEW_BUCKETS_PER_SOURCE 64
#define HORIZON (30 * 86400)
#define RETRIES 3
#define MAX_FAILURES 10
#define MIN_FAIL (7 * 86400)

struct net_addr record_addr(const struct record *r)
{
    struct net_addr a = {.network = (enum net_network)r->network, .port = r->port};

    memcpy(a.ip, r->ip, sizeof(a.ip));
    return a;
}

struct addr_entry record_entry(const struct record *r)
{
    return (struct addr_entry){.time = r->time, .services = r->services, .addr = record_addr(r)};
}

void record_set_addr(struct record *r, const struct net_addr *addr)
{
    r->network = (uint8_t)addr->network;
    memcpy(r->ip, addr->ip, sizeof(r->ip));
    r->port = addr->port;
}

uint32_t record_seconds(int64_t time)
{
    return time < 0 ? 0 : time > UINT32_MAX ? UINT32_MAX : (uint32_t)time;
}

unsigned record_network(const struct record *r)
{
    struct net_addr a = record_addr(r);

    return net_addr_is_routable(&a) ? r->network : NET_UNKNOWN;
}

/* The hashes are Core's, over its serialisation, so that a file fits either program. */
static void hash_key(struct sha256 *h, const struct addrman *a)
{
    sha256_init(h);
    sha256_write(h, a->key, sizeof(a->key));
}

static void hash_bytes(struct sha256 *h, const uint8_t *data, size_t len)
{
    uint8_t n = (uint8_t)len; /* a CompactSize: always below 253 here */

    sha256_write(h, &n, 1);
    sha256_write(h, data, len);
}

static void hash_u64(struct sha256 *h, uint64_t v)
{
    uint8_t buf[8];

    put_le64(buf, v);
    sha256_write(h, buf, sizeof(buf));
}

static uint64_t hash_cheap(struct sha256 *h)
{
    uint8_t out[32];

    sha256d_finish(h, out);
    return get_le64(out);
}

/* Address and port. */
static void hash_service(struct sha256 *h, const struct record *r)
{
    struct net_addr a = record_addr(r);
    uint8_t buf[34];
    size_t n = net_addr_bytes(buf, &a);

    buf[n++] = (uint8_t)(r->port >> 8);
    buf[n++] = (uint8_t)r->port;
    hash_bytes(h, buf, n);
}

static int position(const struct addrman *a, const struct record *r, char table, int bucket)
{
    struct sha256 h;
    uint8_t buf[5];

    hash_key(&h, a);
    buf[0] = (uint8_t)table;
    put_le32(buf + 1, (uint32_t)bucket);
    sha256_write(&h, buf, sizeof(buf));
    hash_service(&h, r);
    return (int)(hash_cheap(&h) % BUCKET_SIZE);
}

struct place record_place_tried(const struct addrman *a, const struct record *r)
{
    struct net_addr addr = record_addr(r);
    uint8_t group[NETGROUP_MAX];
    size_t group_len = netgroup_of(a->groups, group, &addr);
    struct sha256 h;
    uint64_t within;
    struct place p;

    hash_key(&h, a);
    hash_service(&h, r);
    within = hash_cheap(&h) % TRIED_BUCKETS_PER_GROUP;
    hash_key(&h, a);
    hash_bytes(&h, group, group_len);
    hash_u64(&h, within);
    p.bucket = (int)(hash_cheap(&h) % TRIED_BUCKETS);
    p.position = position(a, r, 'K', p.bucket);
    return p;
}

struct place record_place_new(const struct addrman *a, const struct record *r, const struct net_addr *source)
{
    struct net_addr addr = record_addr(r);
    uint8_t group[NETGROUP_MAX], source_group[NETGROUP_MAX];
    size_t group_len = netgroup_of(a->groups, group, &addr);
    size_t source_len = netgroup_of(a->groups, source_group, source);
    struct sha256 h;
    uint64_t within;
    struct place p;

    hash_key(&h, a);
    hash_bytes(&h, group, group_len);
    hash_bytes(&h, source_group, source_len);
    within = hash_cheap(&h) % NEW_BUCKETS_PER_SOURCE;
    hash_key(&h, a);
    hash_bytes(&h, source_group, source_len);
    hash_u64(&h, within);
    p.bucket = (int)(hash_cheap(&h) % NEW_BUCKETS);
    p.position = record_position_new(a, r, p.bucket);
    return p;
}

int record_position_new(const struct addrman *a, const struct record *r, int bucket)
{
    return position(a, r, 'N', bucket);
}

bool record_is_terrible(const struct record *r, int64_t now)
{
    if (now - r->last_try <= 60) /* it may just be answering */
        return false;
    if (r->time > now + 600 || now - r->time > HORIZON)
        return true;
    if (r->last_success == 0 && r->attempts >= RETRIES)
        return true;
    return now - r->last_success > MIN_FAIL && r->attempts >= MAX_FAILURES;
}

double record_chance(const struct record *r, int64_t now)
{
    double chance = now - r->last_try < 600 ? 0.01 : 1.0;

    /* A third less for each failure, but not below 1/28, so that an outage does not count for ever. */
    for (int32_t i = 0; i < r->attempts && i < 8; i++)
        chance *= 0.66;
    return chance;
}
