/* filters.c - compact block filters for light clients (BIP157, behind -peerblockfilters): getcfilters, getcfheaders, getcfcheckpt. What they ask
 * for is read from the index on an I/O thread, filters a few at a time and as fast as the peer takes them; its other messages wait. */
#include "primitives/serialize.h"
#include "sync/internal.h"

#define FILTER_BASIC 0
#define MAX_FILTERS 1000u
#define MAX_FILTER_HEADERS 2000u
#define CHECKPOINT_INTERVAL 1000
#define FILTERS_AT_ONCE 32

enum query_kind { QUERY_FILTERS, QUERY_HEADERS, QUERY_CHECKPOINTS };

/* What a peer has asked for. */
struct filter_query {
    enum query_kind kind;
    const struct block_entry *stop;
    int32_t start, next; /* heights: the first one asked for; filters: the first one not read yet */
    size_t n_read;       /* filters: in this turn */
    bool reading;        /* the host is at work on it */
};

static const struct block_entry *at_height(const struct filter_query *q, int32_t height)
{
    return entry_of(header_node_ancestor(&q->stop->node, height));
}

/* ---- asking the index ---- */

static void want(struct filter_want *w, const struct block_entry *e, enum filter_part part)
{
    w->entry = e;
    w->part = part;
}

/* The next few filters; before the first ones, proof that the index has come as far as the last. Returns: the number of wants. */
static size_t want_filters(struct filter_query *q, struct filter_want *w)
{
    size_t n = 0;

    if (q->next == q->start)
        want(&w[n++], q->stop, FILTER_PART_HASH);
    for (q->n_read = 0; q->n_read < FILTERS_AT_ONCE && q->next <= q->stop->node.height; q->n_read++)
        want(&w[n++], at_height(q, q->next++), FILTER_PART_BYTES);
    return n;
}

static size_t want_headers(const struct filter_query *q, struct filter_want *w)
{
    size_t n = 0;

    if (q->start > 0)
        want(&w[n++], at_height(q, q->start - 1), FILTER_PART_HEADER);
    for (int32_t h = q->start; h <= q->stop->node.height; h++)
        want(&w[n++], at_height(q, h), FILTER_PART_HASH);
    return n;
}

static size_t want_checkpoints(const struct filter_query *q, struct filter_want *w)
{
    size_t n = (size_t)(q->stop->node.height / CHECKPOINT_INTERVAL);

    for (size_t i = 0; i < n; i++)
        want(&w[i], at_height(q, (int32_t)(i + 1) * CHECKPOINT_INTERVAL), FILTER_PART_HEADER);
    return n;
}

static void ask_index(struct sync *s, struct peer *p)
{
    struct filter_query *q = p->filter_query;
    size_t room = q->kind == QUERY_FILTERS   ? FILTERS_AT_ONCE + 1
                  : q->kind == QUERY_HEADERS ? (size_t)(q->stop->node.height - q->start) + 2
                                             : (size_t)(q->stop->node.height / CHECKPOINT_INTERVAL) + 1;
    struct filter_want *w = xcalloc(room, sizeof(*w));
    size_t n = q->kind == QUERY_FILTERS   ? want_filters(q, w)
               : q->kind == QUERY_HEADERS ? want_headers(q, w)
                                          : want_checkpoints(q, w);

    ASSERT(n <= room);
    q->reading = true;
    s->o.host.read_filters(s->o.host.ctx, p->id, w, n);
}

void filters_clear(struct peer *p)
{
    free(p->filter_query);
    p->filter_query = NULL;
}

void filters_advance(struct sync *s, struct peer *p)
{
    if (p->filter_query && !p->filter_query->reading && !s->o.host.send_full(s->o.host.ctx, p->id))
        ask_index(s, p);
}

/* ---- answering ---- */

static void write_head(struct writer *w, const struct block_entry *e)
{
    write_u8(w, FILTER_BASIC);
    write_bytes(w, e->node.hash.b, 32);
}

/* Returns: true if there is more to read. */
static bool send_filters(struct sync *s, struct peer *p, const struct filter_query *q, struct reader *r)
{
    int32_t first = q->next - (int32_t)q->n_read;
    struct writer w = WRITER_INIT;

    if (first == q->start)
        read_bytes(r, 32);
    for (int32_t h = first; h < q->next; h++) {
        size_t len;
        const uint8_t *filter = read_var_bytes(r, &len);
        ASSERT(filter);
        write_head(&w, at_height(q, h));
        write_var_bytes(&w, filter, len);
        peer_send_writer(s, p, "cfilter", &w);
    }
    return q->next <= q->stop->node.height;
}

/* 32 bytes each: in front of the list one for cfheaders, the header before the first block (zeroes for genesis). */
static void send_list(struct sync *s, struct peer *p, const struct filter_query *q, struct reader *r)
{
    static const uint8_t zeroes[32];
    struct writer w = WRITER_INIT;
    size_t len;

    write_head(&w, q->stop);
    if (q->kind == QUERY_HEADERS)
        write_bytes(&w, q->start > 0 ? read_bytes(r, 32) : zeroes, 32);
    len = reader_left(r);
    write_compact_size(&w, len / 32);
    write_bytes(&w, read_bytes(r, len), len);
    peer_send_writer(s, p, q->kind == QUERY_HEADERS ? "cfheaders" : "cfcheckpt", &w);
}

static void log_failure(const struct filter_query *q)
{
    static const char *const what[] = {"block filter", "block filter hashes", "block filter header"};
    log_debug(LOG_NET, "Failed to find %s in index: filter_type=basic, start_height=%d, stop_hash=%s", what[q->kind], q->start,
              block_hash_hex(&q->stop->node.hash).s);
}

void sync_filters_read(struct sync *s, peer_id peer, const uint8_t *data, size_t len, enum rc rc)
{
    struct peer *p = sync_peer(s, peer);
    struct reader r = reader_make(data, len);
    struct filter_query *q = p ? p->filter_query : NULL;
    bool more = false;

    if (!q || !q->reading || p->closing)
        return;
    q->reading = false;
    if (rc != RC_OK)
        log_failure(q);
    else if (q->kind == QUERY_FILTERS)
        more = send_filters(s, p, q, &r);
    else
        send_list(s, p, q, &r);
    if (!more)
        filters_clear(p);
    peer_advance(s, p);
}

/* ---- requests ---- */

/* Checks what is asked for and begins to read it. limit: of blocks. */
static void begin(struct sync *s, struct peer *p, enum query_kind kind, uint8_t type, uint32_t start,
                  const struct block_hash *stop_hash, uint32_t limit)
{
    const struct block_entry *stop = NULL;
    uint32_t stop_height;

    if (type != FILTER_BASIC || !(p->our_services & NODE_COMPACT_FILTERS)) {
        log_debug(LOG_NET, "peer requested unsupported block filter type: %u, " DISCONNECT_FMT, type, p->id);
        peer_disconnect(s, p);
        return;
    }
    stop = chain_lookup(s->o.chain, stop_hash);
    if (!stop || !serve_allowed(s, stop)) {
        log_debug(LOG_NET, "peer requested invalid block hash: %s, " DISCONNECT_FMT, block_hash_hex(stop_hash).s, p->id);
        peer_disconnect(s, p);
        return;
    }
    stop_height = (uint32_t)stop->node.height;
    if (start > stop_height) {
        log_debug(LOG_NET, "peer sent invalid getcfilters/getcfheaders with start height %u and stop height %u, " DISCONNECT_FMT,
                  start, stop_height, p->id);
        peer_disconnect(s, p);
        return;
    }
    if (stop_height - start >= limit) {
        log_debug(LOG_NET, "peer requested too many cfilters/cfheaders: %u / %u, " DISCONNECT_FMT, stop_height - start + 1, limit,
                  p->id);
        peer_disconnect(s, p);
        return;
    }
    p->filter_query = xcalloc(1, sizeof(*p->filter_query));
    *p->filter_query = (struct filter_query){.kind = kind, .stop = stop, .start = (int32_t)start, .next = (int32_t)start};
    ask_index(s, p);
}

static void on_request(struct sync *s, struct peer *p, const struct message *m, enum query_kind kind, uint32_t limit)
{
    struct reader r = reader_make(m->payload, m->len);
    uint8_t type = read_u8(&r);
    uint32_t start = kind == QUERY_CHECKPOINTS ? 0 : read_u32(&r);
    struct block_hash stop;

    read_copy(&r, stop.b, 32);
    if (r.failed)
        peer_malformed(p, m, "DataStream::read(): end of data");
    else
        begin(s, p, kind, type, start, &stop, limit);
}

void on_getcfilters(struct sync *s, struct peer *p, const struct message *m)
{
    on_request(s, p, m, QUERY_FILTERS, MAX_FILTERS);
}

void on_getcfheaders(struct sync *s, struct peer *p, const struct message *m)
{
    on_request(s, p, m, QUERY_HEADERS, MAX_FILTER_HEADERS);
}

void on_getcfcheckpt(struct sync *s, struct peer *p, const struct message *m)
{
    on_request(s, p, m, QUERY_CHECKPOINTS, UINT32_MAX);
}
