/* addrman_source.c - who told us of addresses: each source stands once, however many addresses are from it. Called by addrman*.c, on their thread. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "net/addrman_priv.h"
#include "util/assert.h"
#include "util/mem.h"

#define MIN_HEADS 64

static int32_t *head_of(const struct addrman *a, uint8_t network, const uint8_t ip[32])
{
    uint8_t buf[33];

    buf[0] = network;
    memcpy(buf + 1, ip, 32);
    return &a->sources.heads[siphash(a->k1, a->k0, buf, sizeof(buf)) & (a->sources.n_heads - 1)];
}

static void grow_heads(struct addrman *a)
{
    struct sources *s = &a->sources;

    s->n_heads = s->n_heads ? 2 * s->n_heads : MIN_HEADS;
    s->heads = xrealloc(s->heads, s->n_heads * sizeof(*s->heads));
    memset(s->heads, 0xff, s->n_heads * sizeof(*s->heads));
    for (size_t i = 0; i < s->n; i++) {
        int32_t *head;
        if (s->v[i].refs == 0)
            continue;
        head = head_of(a, s->v[i].network, s->v[i].ip);
        s->v[i].next = *head;
        *head = (int32_t)i;
    }
}

static int32_t new_source(struct addrman *a)
{
    struct sources *s = &a->sources;
    int32_t id = s->free;

    if (++s->n_used > s->n_heads)
        grow_heads(a);
    if (id != NO_RECORD) {
        s->free = s->v[id].next;
        return id;
    }
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap + s->cap / 2 : 16;
        s->v = xrealloc(s->v, s->cap * sizeof(*s->v));
    }
    return (int32_t)s->n++;
}

int32_t addrman_source_take(struct addrman *a, const struct net_addr *addr)
{
    struct sources *s = &a->sources;
    int32_t id = NO_RECORD, *head;

    if (s->n_heads)
        for (id = *head_of(a, (uint8_t)addr->network, addr->ip); id != NO_RECORD; id = s->v[id].next)
            if (s->v[id].network == addr->network && memcmp(s->v[id].ip, addr->ip, sizeof(addr->ip)) == 0)
                break;
    if (id == NO_RECORD) {
        id = new_source(a);
        memcpy(s->v[id].ip, addr->ip, sizeof(s->v[id].ip));
        s->v[id].network = (uint8_t)addr->network;
        s->v[id].refs = 0;
        head = head_of(a, s->v[id].network, s->v[id].ip);
        s->v[id].next = *head;
        *head = id;
    }
    s->v[id].refs++;
    return id;
}

void addrman_source_drop(struct addrman *a, int32_t id)
{
    struct sources *s = &a->sources;
    int32_t *at = head_of(a, s->v[id].network, s->v[id].ip);

    ASSERT(s->v[id].refs > 0);
    if (--s->v[id].refs)
        return;
    while (*at != id)
        at = &s->v[*at].next;
    *at = s->v[id].next;
    s->v[id].next = s->free;
    s->free = id;
    s->n_used--;
}

struct net_addr record_source(const struct addrman *a, const struct record *r)
{
    const struct source *s = &a->sources.v[r->source];
    struct net_addr addr = {.network = (enum net_network)s->network};

    memcpy(addr.ip, s->ip, sizeof(addr.ip));
    return addr;
}
