/* sync.c - the entrance: peers come and go, messages come in, jobs are answered, time passes. Keeps the strict order of each peer's messages:
 * one is handled only when everything before it is done; blocks may queue behind blocks and transactions behind transactions, as the
 * validation queue keeps their order. A message that has to wait is held here, and the peer is not read meanwhile. */
#include <string.h>

#include "sync/internal.h"

struct sync *sync_new(const struct sync_options *o)
{
    struct sync *s = xcalloc(1, sizeof(*s));

    s->o = *o;
    if (o->seed)
        rng_init_seed(&s->rng, o->seed);
    else
        rng_init(&s->rng);
    s->stall_timeout = STALL_TIMEOUT_MIN;
    s->relay_sequence = 1;
    s->relay_k0 = rng_u64(&s->rng);
    s->relay_k1 = rng_u64(&s->rng);
    trickle_init(s);
    s->addr_k0 = rng_u64(&s->rng);
    s->addr_k1 = rng_u64(&s->rng);
    s->requests = tx_requests_new(rng_u64(&s->rng), rng_u64(&s->rng));
    s->orphanage = orphanage_new(ORPHANAGE_MAX_LATENCY, ORPHANAGE_PEER_WEIGHT, &s->rng);
    s->wake_at = INT64_MAX;
    recent_init(&s->rejects, 60000);
    recent_init(&s->reconsiderable, 60000);
    recent_init(&s->confirmed, 24000);
    return s;
}

void sync_free(struct sync *s)
{
    struct peer *p, *tmp;

    if (!s)
        return;
    HASH_ITER (hh, s->peers, p, tmp)
        peer_free(s, p);
    download_clear(s);
    private_free_all(s);
    orphanage_free(s->orphanage);
    relay_clear(s);
    extra_clear(s);
    tx_requests_free(s->requests);
    recent_clear(&s->rejects);
    recent_clear(&s->reconsiderable);
    recent_clear(&s->confirmed);
    free(s);
}

struct peer *sync_peer(struct sync *s, peer_id id)
{
    struct peer *p;
    HASH_FIND(hh, s->peers, &id, sizeof(id), p);
    return p;
}

void sync_set_ready_callback(struct sync *s, void (*fn)(void *ctx, peer_id peer), void *ctx)
{
    s->ready = fn;
    s->ready_ctx = ctx;
}

void job_begin(struct peer *p, enum job_kind kind)
{
    p->pending++;
    p->pending_kind = kind;
}

void job_end(struct peer *p)
{
    if (p && p->pending && --p->pending == 0)
        p->pending_kind = JOB_NONE;
}

static enum job_kind kind_of(const char *type)
{
    if (strcmp(type, "block") == 0)
        return JOB_BLOCK;
    if (strcmp(type, "tx") == 0)
        return JOB_TX;
    if (strcmp(type, "cmpctblock") == 0 || strcmp(type, "blocktxn") == 0)
        return JOB_COMPACT;
    return strcmp(type, "headers") == 0 ? JOB_HEADERS : JOB_NONE;
}

/* May a message of that type be handled now? */
static bool may_handle(struct sync *s, struct peer *p, const char *type)
{
    enum job_kind kind = kind_of(type);

    if (p->getdata_pos < p->n_getdata || p->reading || p->filter_query || s->o.host.send_full(s->o.host.ctx, p->id))
        return false;
    if (p->pending) {
        if (kind != p->pending_kind || (kind != JOB_BLOCK && kind != JOB_TX) || p->pending >= MAX_PENDING_JOBS ||
            p->pending_bytes > MAX_PENDING_BYTES)
            return false;
    }
    return kind == JOB_NONE || !s->o.host.busy(s->o.host.ctx);
}

static void handle(struct sync *s, struct peer *p, const struct message *m)
{
    p->last_recv = time_now();
    dispatch(s, p, m);
    if (!p->closing)
        peer_flush(s, p);
}

static void hold(struct peer *p, const struct message *m)
{
    ASSERT(!p->held);
    p->held = true;
    p->held_message = *m;
    p->held_payload = m->len ? message_take(m) : NULL;
    p->held_message.payload = p->held_payload;
    p->held_message.owner = NULL;
}

bool sync_peer_ready(struct sync *s, peer_id peer)
{
    struct peer *p = sync_peer(s, peer);
    return p && !p->closing && !p->held && p->getdata_pos >= p->n_getdata && !p->reading && !p->filter_query;
}

bool sync_message(struct sync *s, peer_id peer, const struct message *m)
{
    struct peer *p = sync_peer(s, peer);

    if (!p || p->closing)
        return false;
    if (may_handle(s, p, m->type))
        handle(s, p, m);
    else
        hold(p, m);
    sync_settle(s);
    p->told_busy = !sync_peer_ready(s, peer);
    return !p->told_busy;
}

void peer_advance(struct sync *s, struct peer *p)
{
    peer_id id = p->id;

    if (p->closing)
        return;
    filters_advance(s, p);
    if (p->cmpct_waits)
        compact_recheck(s, p);
    if (serve_getdata(s, p) && !p->closing)
        orphans_run(s, p);
    if (p->held && !p->closing && may_handle(s, p, p->held_message.type)) {
        struct message m = p->held_message;
        uint8_t *payload = p->held_payload;
        m.owner = &payload;
        p->held = false;
        p->held_payload = NULL;
        handle(s, p, &m);
        free(payload);
    } else if (!p->closing) {
        peer_flush(s, p);
    }
    if (p->told_busy && sync_peer_ready(s, id)) {
        p->told_busy = false;
        if (s->ready)
            s->ready(s->ready_ctx, id);
    }
}

void sync_peer_writable(struct sync *s, peer_id peer)
{
    struct peer *p = sync_peer(s, peer);
    if (p)
        peer_advance(s, p);
}

void sync_settle(struct sync *s)
{
    int64_t next;

    tx_fetch_due(s);
    trickle_due(s);
    next = tx_requests_next(s->requests);
    if (s->next_trickle < next)
        next = s->next_trickle + 1;
    if (next == s->wake_at)
        return;
    s->wake_at = next;
    if (s->o.host.wake_at)
        s->o.host.wake_at(s->o.host.ctx, next);
}

void sync_due(struct sync *s)
{
    s->wake_at = INT64_MIN; /* the owner's timer is spent */
    trickle_refresh(s);
    sync_settle(s);
}

void sync_tick(struct sync *s)
{
    struct peer *p, *tmp;

    HASH_ITER (hh, s->peers, p, tmp)
        peer_advance(s, p);
    upkeep_tick(s);
    backlog_tick(s);
    sync_settle(s);
}

void sync_ping_all(struct sync *s)
{
    struct peer *p, *tmp;
    HASH_ITER (hh, s->peers, p, tmp)
        p->ping_queued = true;
}

void hash_list_push(struct hash_list *l, const struct block_hash *h)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->v = xrealloc(l->v, l->cap * sizeof(*l->v));
    }
    l->v[l->n++] = *h;
}

void hash_list_clear(struct hash_list *l)
{
    free(l->v);
    memset(l, 0, sizeof(*l));
}
