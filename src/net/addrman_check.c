/* addrman_check.c - the consistency of the address manager (-checkaddrman, after a load, tests). The numbers are Core's. */
#include <stdlib.h>
#include <string.h>

#include "net/addrman_priv.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

/* Counts by network, and how often each record stands in the tables. */
struct tally {
    size_t counts[NETWORKS][2];
    size_t n_new, n_tried;
    uint8_t *left; /* by record: places that the tables have to show yet */
};

static int check_record(const struct addrman *a, struct tally *t, size_t i)
{
    int32_t id = a->order[i];
    const struct record *r = &a->records[id];
    struct net_addr addr = record_addr(r);

    if (r->tried) {
        if (r->last_success == 0)
            return -1;
        if (r->refs)
            return -2;
        t->n_tried++;
    } else {
        if (r->refs > MAX_REFS)
            return -3;
        if (r->refs == 0)
            return -4;
        t->n_new++;
    }
    t->counts[record_network(r)][r->tried]++;
    t->left[id] = r->tried ? 1 : r->refs;
    if (addrman_find(a, &addr) != id)
        return -5;
    return r->shuffle != i ? -14 : 0;
}

static int check_tried(const struct addrman *a, struct tally *t)
{
    for (int bucket = 0; bucket < TRIED_BUCKETS; bucket++) {
        for (int position = 0; position < BUCKET_SIZE; position++) {
            int32_t id = a->tried[bucket][position];
            struct place p;
            if (id == NO_RECORD)
                continue;
            if (!a->records[id].tried || !t->left[id])
                return -11;
            p = record_place_tried(a, &a->records[id]);
            if (p.bucket != bucket)
                return -17;
            if (p.position != position)
                return -18;
            t->left[id]--;
        }
    }
    return 0;
}

static int check_new(const struct addrman *a, struct tally *t)
{
    for (int bucket = 0; bucket < NEW_BUCKETS; bucket++) {
        for (int position = 0; position < BUCKET_SIZE; position++) {
            int32_t id = a->fresh[bucket][position];
            if (id == NO_RECORD)
                continue;
            if (a->records[id].tried || !t->left[id])
                return -12;
            if (record_position_new(a, &a->records[id], bucket) != position)
                return -19;
            t->left[id]--;
        }
    }
    return 0;
}

static int check_all(const struct addrman *a, struct tally *t)
{
    int problem = 0;

    if (a->n != a->n_new + a->n_tried)
        return -7;
    for (size_t i = 0; i < a->n && !problem; i++)
        problem = check_record(a, t, i);
    if (problem)
        return problem;
    if (t->n_tried != a->n_tried)
        return -9;
    if (t->n_new != a->n_new)
        return -10;
    problem = check_tried(a, t);
    if (!problem)
        problem = check_new(a, t);
    for (size_t i = 0; i < a->n && !problem; i++)
        if (t->left[a->order[i]])
            problem = a->records[a->order[i]].tried ? -13 : -15;
    if (problem)
        return problem;
    if (hash_is_zero(a->key))
        return -16;
    return memcmp(t->counts, a->counts, sizeof(a->counts)) == 0 ? 0 : -21;
}

int addrman_check(const struct addrman *a)
{
    struct tally t = {.n_new = 0};
    int64_t start = time_mono_us();
    int problem;

    log_debug(LOG_ADDRMAN, "CheckAddrman: new %zu, tried %zu, total %zu started", a->n_new, a->n_tried, a->n);
    t.left = xcalloc(a->n_records + 1, 1);
    problem = check_all(a, &t);
    free(t.left);
    log_debug(LOG_ADDRMAN, "CheckAddrman: completed (%.2fms)", (double)(time_mono_us() - start) / 1000);
    return problem;
}
