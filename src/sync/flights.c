/* flights.c - the table of blocks that were asked for or are being worked on, who was asked, how fast he delivers, and who sent a block that is
 * not fully judged yet. Used by download.c, block.c and compact*.c. */
#include <string.h>

#include "sync/internal.h"
#include "util/mem.h"

#define MAX_SOURCES 4096
#define LEAST_DELIVERIES 8 /* before the measured speed counts */

/* ---- who sent a block ---- */

struct block_source *source_find(struct sync *s, const struct block_hash *hash)
{
    struct block_source *b;
    HASH_FIND(hh, s->sources, hash, sizeof(*hash), b);
    return b;
}

void source_drop(struct sync *s, struct block_source *b)
{
    HASH_DEL(s->sources, b);
    free(b);
}

void source_add(struct sync *s, const struct block_hash *hash, peer_id peer, bool compact)
{
    struct block_source *b;

    if (source_find(s, hash))
        return;
    if (HASH_COUNT(s->sources) >= MAX_SOURCES)
        source_drop(s, s->sources);
    b = xcalloc(1, sizeof(*b));
    b->hash = *hash;
    b->peer = peer;
    b->compact = compact;
    HASH_ADD(hh, s->sources, hash, sizeof(b->hash), b);
}

/* ---- flights ---- */

struct flight *flight_find(struct sync *s, const struct block_hash *hash)
{
    struct flight *f;
    HASH_FIND(hh, s->flights, hash, sizeof(*hash), f);
    return f;
}

struct flight *flight_get(struct sync *s, const struct block_hash *hash)
{
    struct flight *f = flight_find(s, hash);
    if (f)
        return f;
    f = xcalloc(1, sizeof(*f));
    f->hash = *hash;
    HASH_ADD(hh, s->flights, hash, sizeof(f->hash), f);
    return f;
}

void flight_drop_if_idle(struct sync *s, struct flight *f)
{
    if (f->n_asked || f->processing)
        return;
    HASH_DEL(s->flights, f);
    free(f);
}

struct asked *flight_asked(struct flight *f, peer_id peer)
{
    for (unsigned i = 0; f && i < f->n_asked; i++)
        if (f->asked[i].peer == peer)
            return &f->asked[i];
    return NULL;
}

/* p is no longer asked for f. */
static void leave(struct sync *s, struct peer *p, const struct flight *f)
{
    for (size_t i = 0; i < p->n_in_flight; i++) {
        if (p->in_flight[i] != f)
            continue;
        if (i == 0 && p->downloading_since < time_now_us())
            p->downloading_since = time_now_us(); /* the next one's time starts now */
        memmove(p->in_flight + i, p->in_flight + i + 1, (p->n_in_flight - i - 1) * sizeof(*p->in_flight));
        p->n_in_flight--;
        break;
    }
    if (p->n_in_flight == 0)
        s->n_downloading--;
    p->stalling_since = 0;
}

void flight_unask(struct sync *s, struct flight *f, peer_id peer)
{
    for (unsigned i = 0; i < f->n_asked; i++) {
        struct asked a = f->asked[i];
        struct peer *p = sync_peer(s, a.peer);
        if (a.peer != peer)
            continue;
        memmove(f->asked + i, f->asked + i + 1, (f->n_asked - i - 1) * sizeof(*f->asked));
        f->n_asked--;
        s->n_requested_blocks--;
        partial_free(a.partial);
        if (p)
            leave(s, p, f);
        return;
    }
}

void flight_unask_all(struct sync *s, struct flight *f)
{
    while (f->n_asked)
        flight_unask(s, f, f->asked[f->n_asked - 1].peer);
}

struct asked *flight_ask(struct sync *s, struct peer *p, const struct block_entry *e)
{
    struct flight *f;
    struct asked *a;

    if (block_hash_equal(&e->node.hash, &p->spoiled))
        return NULL;
    f = flight_get(s, &e->node.hash);
    f->entry = e;
    if (flight_asked(f, p->id) || f->n_asked == MAX_ASKED)
        return NULL;
    a = &f->asked[f->n_asked++];
    *a = (struct asked){.peer = p->id, .since = time_now_us(), .since_mono = time_mono_us()};
    s->n_requested_blocks++;
    if (p->n_in_flight == p->cap_in_flight) {
        p->cap_in_flight = p->cap_in_flight ? p->cap_in_flight * 2 : BLOCKS_IN_FLIGHT;
        p->in_flight = xrealloc(p->in_flight, p->cap_in_flight * sizeof(*p->in_flight));
    }
    p->in_flight[p->n_in_flight++] = f;
    if (p->n_in_flight == 1) {
        p->downloading_since = time_now_us();
        s->n_downloading++;
    }
    return a;
}

bool download_request(struct sync *s, struct peer *p, const struct block_entry *e)
{
    return flight_ask(s, p, e) != NULL;
}

void download_forget(struct sync *s, const struct block_hash *hash, const struct peer *from)
{
    struct flight *f = flight_find(s, hash);
    if (!f)
        return;
    if (from)
        flight_unask(s, f, from->id);
    else
        flight_unask_all(s, f);
    flight_drop_if_idle(s, f);
}

void download_forget_peer(struct sync *s, struct peer *p)
{
    while (p->n_in_flight) {
        struct flight *f = p->in_flight[p->n_in_flight - 1];
        flight_unask(s, f, p->id);
        flight_drop_if_idle(s, f);
    }
}

void download_clear(struct sync *s)
{
    while (s->flights) {
        struct flight *f = s->flights;
        HASH_DEL(s->flights, f);
        for (unsigned i = 0; i < f->n_asked; i++)
            partial_free(f->asked[i].partial);
        free(f);
    }
    while (s->sources)
        source_drop(s, s->sources);
}

bool download_known(struct sync *s, const struct block_hash *hash)
{
    return flight_find(s, hash) != NULL;
}

/* ---- speed ---- */

void flight_delivered(struct sync *s, struct peer *p, struct flight *f)
{
    struct asked *a = flight_asked(f, p->id);
    int64_t now = time_mono_us(), from, took;

    if (!a)
        return;
    /* Those who were asked for the whole block before p. (With compact blocks it is no shame to be second.) */
    for (unsigned i = 0; !a->partial && i < f->n_asked && &f->asked[i] != a; i++) {
        struct peer *q = sync_peer(s, f->asked[i].peer);
        if (q && !f->asked[i].partial)
            q->overtaken++;
    }
    from = a->since_mono > p->last_delivery_mono ? a->since_mono : p->last_delivery_mono;
    took = now - from < 1 ? 1 : now - from;
    p->block_us = p->deliveries ? p->block_us + (took - p->block_us) / 8 : took;
    p->deliveries++;
    p->overtaken = 0;
    p->last_delivery_mono = now;
    p->last_delivery = time_now_us();
}

unsigned flight_limit(const struct peer *p)
{
    int64_t n;

    if (p->overtaken)
        return p->overtaken > 3 ? 1 : BLOCKS_IN_FLIGHT >> (p->overtaken + 1);
    if (p->deliveries < LEAST_DELIVERIES)
        return BLOCKS_IN_FLIGHT;
    n = p->block_us > 0 ? US / p->block_us : MAX_BLOCKS_IN_FLIGHT;
    return n < MIN_BLOCKS_IN_FLIGHT ? MIN_BLOCKS_IN_FLIGHT : n > MAX_BLOCKS_IN_FLIGHT ? MAX_BLOCKS_IN_FLIGHT : (unsigned)n;
}
