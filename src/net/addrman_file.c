/* addrman_file.c - peers.dat: the address manager in Core's format. Called by the node at start, from time to time and at the end.
 *
 * magic | format | 32 + lowest format that a reader must know | key | count of new | count of tried | buckets of the new table ^ 2^30 | new
 * addresses | tried addresses | for each bucket: count, indexes of new addresses | hash of the AS map | checksum. Positions are not stored:
 * they follow from the key. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net/addr_codec.h"
#include "net/addrman_priv.h"
#include "net/disk_addr.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

/* Formats: 0 historic, 1 deterministic buckets, 2 hash of the AS map, 3 addresses of BIP155, 4 several ports per address. */
#define FORMAT 4
#define FORMAT_DETERMINISTIC 1
#define FORMAT_ASMAP 2
#define FORMAT_BIP155 3
#define LOWEST_COMPATIBLE 4
#define COMPATIBLE_BASE 32
#define BUCKETS_MARK (1u << 30)
#define MAX_FILE (16u << 20)
#define MAX_NEW (NEW_BUCKETS * BUCKET_SIZE)
#define MAX_TRIED (TRIED_BUCKETS * BUCKET_SIZE)

/* Core's exceptions of the stream end so. */
#define STREAM_ERROR ": iostream error"
static const char end_of_file[] = "AutoFile::read: end of file";

/* --- Writing ------------------------------------------------------------------------------------------------------------------------- */

static void write_record(struct writer *w, const struct addrman *a, const struct record *r)
{
    struct addr_entry e = record_entry(r);
    struct net_addr source = record_source(a, r);

    disk_addr_write(w, &e);
    addr_write_v2(w, &source);
    write_u64(w, r->last_success);
    write_u32(w, (uint32_t)r->attempts);
}

static void write_buckets(struct writer *w, const struct addrman *a, const uint32_t *index)
{
    for (int bucket = 0; bucket < NEW_BUCKETS; bucket++) {
        uint32_t n = 0;
        for (int i = 0; i < BUCKET_SIZE; i++)
            n += a->fresh[bucket][i] != NO_RECORD;
        write_u32(w, n);
        for (int i = 0; i < BUCKET_SIZE; i++)
            if (a->fresh[bucket][i] != NO_RECORD)
                write_u32(w, index[a->fresh[bucket][i]]);
    }
}

void addrman_encode(struct writer *w, const struct addrman *a, const uint8_t magic[4])
{
    uint32_t *index = xcalloc(a->n_records + 1, sizeof(*index)), n = 0;
    struct hash256 version = netgroup_version(a->groups);

    write_bytes(w, magic, 4);
    write_u8(w, FORMAT);
    write_u8(w, COMPATIBLE_BASE + LOWEST_COMPATIBLE);
    write_bytes(w, a->key, sizeof(a->key));
    write_u32(w, (uint32_t)a->n_new);
    write_u32(w, (uint32_t)a->n_tried);
    write_u32(w, NEW_BUCKETS ^ BUCKETS_MARK);
    for (size_t i = 0; i < a->n; i++) {
        if (a->records[a->order[i]].tried)
            continue;
        index[a->order[i]] = n++;
        write_record(w, a, &a->records[a->order[i]]);
    }
    for (size_t i = 0; i < a->n; i++)
        if (a->records[a->order[i]].tried)
            write_record(w, a, &a->records[a->order[i]]);
    write_buckets(w, a, index);
    write_bytes(w, version.b, sizeof(version.b));
    disk_file_end(w);
    free(index);
}

enum rc addrman_save(struct addrman *a, const char *path, const uint8_t magic[4])
{
    struct writer w = WRITER_INIT;
    enum rc rc;

    addrman_encode(&w, a, magic);
    rc = fs_write_atomic(path, w.data, w.len, 0600);
    writer_clear(&w);
    return rc;
}

/* --- Reading ------------------------------------------------------------------------------------------------------------------------- */

struct loader {
    struct addrman *a;
    struct reader r;
    uint8_t format;
    int32_t n_new, n_tried;
    uint32_t buckets;
    int32_t *fresh; /* records of the new addresses, by their index in the file */
    size_t lost_new, lost_tried;
    bool twice;    /* an address stands there twice */
    bool negative; /* a time is */
    char **problem;
};

static enum rc bad(struct loader *l, const char *text)
{
    *l->problem = xasprintf("%s" STREAM_ERROR, text);
    return RC_CORRUPT;
}

static enum rc read_head(struct loader *l)
{
    uint8_t compatible;
    struct reader *r = &l->r;

    l->format = read_u8(r);
    compatible = read_u8(r);
    if (r->failed)
        return bad(l, end_of_file);
    if (compatible < COMPATIBLE_BASE) {
        *l->problem =
            xasprintf("Corrupted addrman database: The compat value (%u) is lower than the expected minimum value %d." STREAM_ERROR,
                      compatible, COMPATIBLE_BASE);
        return RC_CORRUPT;
    }
    if (compatible - COMPATIBLE_BASE > FORMAT) {
        *l->problem = xasprintf("Unsupported format of addrman database: %u. It is compatible with formats >=%d, but the maximum "
                                "supported by this version of Farthing is %d." STREAM_ERROR,
                                l->format, compatible - COMPATIBLE_BASE, FORMAT);
        return RC_INVALID;
    }
    read_copy(r, l->a->key, sizeof(l->a->key));
    l->n_new = (int32_t)read_u32(r);
    l->n_tried = (int32_t)read_u32(r);
    l->buckets = read_u32(r);
    if (r->failed)
        return bad(l, end_of_file);
    if (l->format >= FORMAT_DETERMINISTIC)
        l->buckets ^= BUCKETS_MARK;
    if (l->n_new < 0 || l->n_new > MAX_NEW) {
        *l->problem =
            xasprintf("Corrupt AddrMan serialization: nNew=%" PRId32 ", should be in [0, %d]" STREAM_ERROR, l->n_new, MAX_NEW);
        return RC_CORRUPT;
    }
    if (l->n_tried < 0 || l->n_tried > MAX_TRIED) {
        *l->problem = xasprintf("Corrupt AddrMan serialization: nTried=%" PRId32 ", should be in [0, %d]" STREAM_ERROR, l->n_tried,
                                MAX_TRIED);
        return RC_CORRUPT;
    }
    return RC_OK;
}

/* One address with what is known of it. */
struct loaded {
    struct addr_entry e;
    struct net_addr source;
    int64_t last_success;
    int32_t attempts;
};

static enum rc read_record(struct loader *l, struct loaded *out)
{
    const char *problem = end_of_file;
    uint8_t ip[16];
    bool v2 = l->format >= FORMAT_BIP155;

    memset(out, 0, sizeof(*out));
    if (!disk_addr_read(&l->r, &out->e, v2, &problem) || (v2 && !addr_read_v2(&l->r, &out->source, &problem)))
        return bad(l, problem);
    if (!v2) {
        read_copy(&l->r, ip, sizeof(ip));
        net_addr_from16(&out->source, ip);
    }
    out->last_success = (int64_t)read_u64(&l->r);
    out->attempts = (int32_t)read_u32(&l->r);
    return l->r.failed ? bad(l, end_of_file) : RC_OK;
}

/* Makes a record of the manager. Addresses that are not valid are not linked: they go again, and thousands of "::" would be one chain. */
static int32_t keep(struct loader *l, const struct loaded *in)
{
    const struct net_addr *addr = &in->e.addr;
    bool valid = net_addr_is_valid(addr), twice = valid && addrman_find(l->a, addr) != NO_RECORD;
    int32_t id = addrman_create(l->a, addr, &in->source, valid && !twice);
    struct record *r = &l->a->records[id];

    l->twice |= twice;
    l->negative |= in->last_success < 0;
    r->time = in->e.time;
    r->services = in->e.services;
    r->last_success = record_seconds(in->last_success);
    r->attempts = in->attempts;
    return id;
}

static enum rc read_new(struct loader *l)
{
    struct loaded r;
    enum rc rc;

    for (int32_t i = 0; i < l->n_new; i++) {
        rc = read_record(l, &r);
        if (rc != RC_OK)
            return rc;
        l->fresh[i] = keep(l, &r);
        l->a->n_new++;
        l->a->counts[record_network(&l->a->records[l->fresh[i]])][0]++;
    }
    return RC_OK;
}

static enum rc read_tried(struct loader *l)
{
    struct addrman *a = l->a;
    struct loaded in;
    enum rc rc;

    for (int32_t i = 0; i < l->n_tried; i++) {
        struct record r = {0};
        struct place p;
        rc = read_record(l, &in);
        if (rc != RC_OK)
            return rc;
        record_set_addr(&r, &in.e.addr);
        p = record_place_tried(a, &r);
        if (!net_addr_is_valid(&in.e.addr) || a->tried[p.bucket][p.position] != NO_RECORD) {
            l->lost_tried++;
            continue;
        }
        a->tried[p.bucket][p.position] = keep(l, &in);
        a->records[a->tried[p.bucket][p.position]].tried = true;
        a->n_tried++;
        a->counts[record_network(&r)][1]++;
    }
    return RC_OK;
}

/* Gives a new address a place: the one that it had, if the file's buckets are ours, else the one where it belongs by its source. */
static void place_new(struct loader *l, int bucket, int32_t id, bool same_buckets)
{
    struct addrman *a = l->a;
    struct record *r = &a->records[id];
    struct net_addr addr = record_addr(r), source = record_source(a, r);
    struct place p = {bucket, 0};

    if (!net_addr_is_valid(&addr) || r->refs >= MAX_REFS)
        return;
    if (same_buckets)
        p.position = record_position_new(a, r, bucket);
    if (!same_buckets || a->fresh[p.bucket][p.position] != NO_RECORD)
        p = record_place_new(a, r, &source);
    if (a->fresh[p.bucket][p.position] != NO_RECORD)
        return;
    a->fresh[p.bucket][p.position] = id;
    r->refs++;
}

/* Goes through the lists of buckets; with place: puts the addresses there. They are read twice, as what they mean depends on what follows. */
static void walk_buckets(struct loader *l, struct reader *r, bool place, bool same_buckets)
{
    for (uint32_t bucket = 0; bucket < l->buckets && !r->failed; bucket++) {
        int32_t n = (int32_t)read_u32(r);
        for (int32_t i = 0; i < n && !r->failed; i++) {
            int32_t index = (int32_t)read_u32(r);
            if (place && !r->failed && index >= 0 && index < l->n_new)
                place_new(l, (int)bucket, l->fresh[index], same_buckets);
        }
    }
}

static enum rc read_buckets(struct loader *l)
{
    struct reader again = l->r;
    struct hash256 ours = netgroup_version(l->a->groups), theirs = {{0}};
    bool same;

    if (l->buckets > INT32_MAX)
        l->buckets = 0;
    walk_buckets(l, &l->r, false, false);
    if (l->format >= FORMAT_ASMAP)
        read_copy(&l->r, theirs.b, sizeof(theirs.b));
    if (l->r.failed)
        return bad(l, end_of_file);
    same = l->buckets == NEW_BUCKETS && memcmp(ours.b, theirs.b, sizeof(ours.b)) == 0;
    if (!same)
        log_debug(LOG_ADDRMAN, "Bucketing method was updated, re-bucketing addrman entries from disk");
    walk_buckets(l, &again, true, same);
    return RC_OK;
}

/* Forgets new addresses that got no place. */
static void prune(struct loader *l)
{
    struct addrman *a = l->a;

    for (int32_t i = 0; i < l->n_new; i++) {
        struct record *r = &a->records[l->fresh[i]];
        if (r->refs)
            continue;
        a->n_new--;
        a->counts[record_network(r)][0]--;
        addrman_delete(a, l->fresh[i]);
        l->lost_new++;
    }
    if (l->lost_new + l->lost_tried > 0)
        log_debug(LOG_ADDRMAN, "addrman lost %zu new and %zu tried addresses due to collisions or invalid addresses", l->lost_new,
                  l->lost_tried);
}

static enum rc load(struct loader *l)
{
    enum rc rc = read_head(l);
    int check;

    if (rc != RC_OK)
        return rc;
    l->fresh = xmalloc((size_t)l->n_new * sizeof(*l->fresh));
    rc = read_new(l);
    if (rc == RC_OK)
        rc = read_tried(l);
    if (rc == RC_OK)
        rc = read_buckets(l);
    if (rc == RC_OK)
        prune(l);
    free(l->fresh);
    if (rc != RC_OK)
        return rc;
    check = l->twice ? -5 : l->negative ? -8 : addrman_check(l->a);
    if (!check)
        return RC_OK;
    *l->problem = xasprintf("Corrupt data. Consistency check failed with code %d" STREAM_ERROR, check);
    return RC_CORRUPT;
}

enum rc addrman_decode(struct addrman *a, const uint8_t *data, size_t len, const uint8_t magic[4], char **problem)
{
    struct loader l = {.a = a, .r = reader_make(data, len), .problem = problem};
    const uint8_t *m = read_bytes(&l.r, 4);
    enum rc rc;

    *problem = NULL;
    if (!m)
        return bad(&l, end_of_file);
    if (memcmp(m, magic, 4) != 0) {
        *problem = xstrdup("Invalid network magic number");
        return RC_CORRUPT;
    }
    rc = load(&l);
    if (rc != RC_OK || disk_file_check(&l.r, data))
        return rc;
    if (l.r.failed)
        return bad(&l, end_of_file);
    *problem = xstrdup("Checksum mismatch, data corrupted");
    return RC_CORRUPT;
}

enum rc addrman_load(struct addrman **a_new, const char *path, const uint8_t magic[4], const struct netgroup *groups,
                     bool deterministic, unsigned check_ratio, char **problem)
{
    uint8_t *data;
    size_t len;
    enum rc rc = fs_read(path, MAX_FILE, &data, &len);

    *a_new = NULL;
    *problem = NULL;
    if (rc == RC_NOT_FOUND)
        return rc;
    if (rc != RC_OK) {
        *problem = xstrdup(rc == RC_CORRUPT ? "Checksum mismatch, data corrupted" : "AutoFile::read: read failed" STREAM_ERROR);
        return rc;
    }
    *a_new = addrman_new(groups, deterministic, check_ratio);
    rc = addrman_decode(*a_new, data, len, magic, problem);
    free(data);
    if (rc != RC_OK) {
        addrman_free(*a_new);
        *a_new = NULL;
    }
    return rc;
}
