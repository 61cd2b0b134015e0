/* tx_request.c - who announced which transaction, and whom to ask: one peer at a time for each, preferred (outbound, noban) ones first, the
 * next one after 60 seconds or a notfound. Announcements of a peer are bounded. */
#include <string.h>
#include <utlist.h>

#include "sync/internal.h"

#define MAX_ANNOUNCEMENTS 5000
#define MAX_REQUESTED 100
#define EXPIRY (60 * US)
#define DELAY (2 * US) /* for each reason to wait: not preferred, txid only, overloaded */

struct tx_item;

/* One peer that announced one transaction. */
struct tx_candidate {
    struct peer *peer;
    struct tx_item *item;
    int64_t ready;                              /* us: not asked before */
    struct tx_candidate *prev, *next;           /* of its peer */
    struct tx_candidate *item_prev, *item_next; /* of its transaction, in order of arrival */
};

struct tx_item {
    uint8_t hash[32];
    bool is_wtxid;
    struct tx_candidate *candidates;
    struct tx_candidate *asked; /* NULL: nobody */
    int64_t expires;
    UT_hash_handle hh;
};

struct tx_requests {
    struct tx_item *items;
};

struct tx_requests *tx_requests_new(void)
{
    return xcalloc(1, sizeof(struct tx_requests));
}

static void candidate_drop(struct tx_requests *t, struct tx_candidate *c)
{
    struct tx_item *i = c->item;
    struct peer *p = c->peer;

    if (i->asked == c) {
        i->asked = NULL;
        p->n_requested--;
    }
    DL_DELETE(p->candidates, c);
    p->n_candidates--;
    DL_DELETE2(i->candidates, c, item_prev, item_next);
    free(c);
    if (!i->candidates) {
        HASH_DEL(t->items, i);
        free(i);
    }
}

static struct tx_item *item_find(struct sync *s, const uint8_t hash[32])
{
    struct tx_item *i;
    HASH_FIND(hh, s->requests->items, hash, 32, i);
    return i;
}

static void item_drop(struct tx_requests *t, struct tx_item *i)
{
    while (i->candidates->item_next)
        candidate_drop(t, i->candidates->item_next);
    candidate_drop(t, i->candidates); /* frees i */
}

void tx_requests_free(struct tx_requests *t)
{
    ASSERT(!t->items); /* all peers are gone */
    free(t);
}

int64_t tx_request_delay(const struct sync *s, const struct peer *p, bool is_wtxid)
{
    int64_t delay = p->preferred ? 0 : DELAY;
    if (!is_wtxid && s->n_wtxid_peers > 0)
        delay += DELAY;
    if (!peer_has(p, PERM_RELAY) && p->n_requested >= MAX_REQUESTED)
        delay += DELAY;
    return delay;
}

void tx_request_announced(struct sync *s, struct peer *p, const uint8_t hash[32], bool is_wtxid, int64_t delay)
{
    struct tx_item *i = item_find(s, hash);
    struct tx_candidate *c;

    if (!peer_has(p, PERM_RELAY) && p->n_candidates >= MAX_ANNOUNCEMENTS)
        return;
    if (!i) {
        i = xcalloc(1, sizeof(*i));
        memcpy(i->hash, hash, 32);
        i->is_wtxid = is_wtxid;
        HASH_ADD(hh, s->requests->items, hash, 32, i);
    }
    DL_FOREACH2(i->candidates, c, item_next)
    if (c->peer == p)
        return;
    c = xcalloc(1, sizeof(*c));
    c->peer = p;
    c->item = i;
    c->ready = time_now_us() + delay;
    DL_APPEND2(i->candidates, c, item_prev, item_next);
    DL_APPEND(p->candidates, c);
    p->n_candidates++;
}

void tx_request_answered(struct sync *s, struct peer *p, const uint8_t hash[32])
{
    struct tx_item *i = item_find(s, hash);
    struct tx_candidate *c;

    if (!i)
        return;
    DL_FOREACH2(i->candidates, c, item_next)
    {
        if (c->peer == p) {
            candidate_drop(s->requests, c);
            return;
        }
    }
}

void tx_request_forget(struct sync *s, const uint8_t hash[32])
{
    struct tx_item *i = item_find(s, hash);
    if (i)
        item_drop(s->requests, i);
}

void tx_request_forget_peer(struct sync *s, struct peer *p)
{
    while (p->candidates)
        candidate_drop(s->requests, p->candidates);
}

/* The one to ask now: the first preferred one that is ready, else the first that is ready. */
static struct tx_candidate *best(const struct tx_item *i, int64_t now)
{
    struct tx_candidate *c, *found = NULL;
    DL_FOREACH2(i->candidates, c, item_next)
    {
        if (c->ready > now)
            continue;
        if (c->peer->preferred)
            return c;
        if (!found)
            found = c;
    }
    return found;
}

static void expire(struct sync *s, struct tx_item *i, int64_t now)
{
    struct hash_hex hex;

    if (!i->asked || i->expires > now)
        return;
    hex = hash_to_hex(i->hash);
    log_debug(LOG_NET, "timeout of inflight %s %s from peer=%" PRId64, i->is_wtxid ? "wtx" : "tx", hex.s, i->asked->peer->id);
    candidate_drop(s->requests, i->asked);
}

void tx_request_flush(struct sync *s, struct peer *p, struct writer *getdata, size_t *n_getdata)
{
    int64_t now = time_now_us();
    struct tx_candidate *c, *tmp;
    uint32_t plain = peer_serves_witness(p) ? INV_WITNESS_TX : INV_TX;

    DL_FOREACH_SAFE (p->candidates, c, tmp) {
        struct tx_item *i = c->item;
        struct hash_hex hex;
        if (c->ready > now)
            continue;
        if (i->asked) {
            bool mine = i->asked == c;
            if (i->expires <= now)
                expire(s, i, now);
            else
                continue;
            if (mine)
                continue; /* c is gone */
        }
        if (best(i, now) != c)
            continue;
        if (tx_already_have(s, i->hash, i->is_wtxid)) {
            /* Only this candidate: others may be in the list that is being walked; each drops itself in its turn. */
            candidate_drop(s->requests, c);
            continue;
        }
        hex = hash_to_hex(i->hash);
        log_debug(LOG_NET, "Requesting %s %s peer=%" PRId64, i->is_wtxid ? "wtx" : "tx", hex.s, p->id);
        i->asked = c;
        i->expires = now + EXPIRY;
        p->n_requested++;
        write_u32(getdata, i->is_wtxid ? INV_WTX : plain);
        write_bytes(getdata, i->hash, 32);
        (*n_getdata)++;
    }
}
