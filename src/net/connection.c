/* connection.c - one connection on the loop: socket events, the transport's input and output, counters. Created by node for accepted and
 * for connected sockets. All callbacks to the owner come from event handlers, so that the owner may free or close at will.
 *
 * What is sent within one turn of the loop leaves in one write, at the turn's end. Until an encrypted transport has its keys, messages wait.
 * Reading is done in turns that all connections share fairly (net/turns.h): the socket's events are edge-triggered and only ask for one. */
#include "net/connection.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/assert.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define READ_CHUNK 65536    /* most that is read in a turn */
#define READ_CHUNK_MIN 4096 /* what is left of that for those who need long for it */
#define TURN_US 200         /* after this a turn ends with the message at hand */
#define OTHER "*other*"
#define MAX_TYPES 48

struct connection {
    struct connection_config cfg;
    evutil_socket_t fd;
    struct event *ev_read, *ev_write, *ev_later; /* later: flush and close */
    struct evbuffer *out;
    struct transport transport;
    struct writer early; /* messages that wait for the handshake: each its type (12), length (4) and payload */
    struct turns *turns;
    struct turn turn;
    size_t max_read, chunk; /* bytes of one read: at most, and now */
    uint8_t *rest;          /* bytes read in a turn that ended, or while paused, before they were parsed */
    size_t rest_pos, rest_len;
    bool readable; /* the socket may have more */
    bool paused, closing, was_full, closed_told;
    bool later, blocked; /* ev_later is due; the socket takes no more until ev_write */
    uint64_t sent, recv;
    int64_t last_send, last_recv;
    struct {
        char type[13];
        uint64_t sent, recv;
    } counts[MAX_TYPES]; /* as they first occur; [0] is OTHER */
    size_t n_counts;
};

static void count(struct connection *c, const char *type, uint64_t sent, uint64_t recv)
{
    size_t i = 0;

    if (message_type_known(type)) {
        for (i = 1; i < c->n_counts; i++)
            if (strcmp(c->counts[i].type, type) == 0)
                break;
        if (i == c->n_counts) {
            if (c->n_counts == MAX_TYPES) {
                i = 0;
            } else {
                snprintf(c->counts[i].type, sizeof(c->counts[i].type), "%s", type);
                c->n_counts++;
            }
        }
    }
    c->counts[i].sent += sent;
    c->counts[i].recv += recv;
}

static void do_later(struct connection *c)
{
    if (c->later)
        return;
    c->later = true;
    event_active(c->ev_later, 0, 0);
}

/* Frames a message straight into the output buffer. */
static void put(struct connection *c, const char *type, const void *payload, size_t len)
{
    size_t size = transport_size(&c->transport, type, len);
    struct evbuffer_iovec room;
    int n = evbuffer_reserve_space(c->out, (ev_ssize_t)size, &room, 1);

    ASSERT(n == 1 && room.iov_len >= size);
    transport_write(&c->transport, room.iov_base, type, payload, len);
    room.iov_len = size;
    n = evbuffer_commit_space(c->out, &room, 1);
    ASSERT(n == 0);
    count(c, type, size, 0);
}

/* The transport's own bytes, then the messages that waited for them. */
static void send_pending(struct connection *c)
{
    size_t len;
    const uint8_t *data = transport_pending(&c->transport, &len);
    struct reader r;

    if (len) {
        evbuffer_add(c->out, data, len);
        transport_pending_done(&c->transport);
        do_later(c);
    }
    if (!c->early.len || !transport_can_send(&c->transport))
        return;
    for (r = reader_make(c->early.data, c->early.len); reader_left(&r) > 0;) {
        char type[13] = "";
        uint32_t payload_len;
        read_copy(&r, type, 12);
        payload_len = read_u32(&r);
        put(c, type, read_bytes(&r, payload_len), payload_len);
    }
    writer_clear(&c->early);
    do_later(c);
}

static void report(struct connection *c)
{
    log_debug(LOG_NET, "%s, peer=%" PRId64, transport_problem(&c->transport), c->cfg.id);
}

/* Parses bytes until they are used, the turn is over, the owner pauses, or the stream breaks. Returns: bytes used. */
static size_t parse(struct connection *c, const uint8_t *data, size_t len, int64_t end_us)
{
    size_t pos = 0, used;

    while (pos < len && !c->paused && !c->closing && (pos == 0 || time_mono_us() < end_us)) {
        struct message m;
        enum transport_event e = transport_feed(&c->transport, data + pos, len - pos, &used);
        pos += used;
        send_pending(c);
        switch (e) {
        case TRANSPORT_NEED_MORE:
            break;
        case TRANSPORT_MESSAGE:
            m = transport_message(&c->transport);
            count(c, m.type, 0, transport_wire_size(&c->transport));
            if (!c->cfg.events.message(c->cfg.ctx, c, &m))
                c->paused = true;
            transport_release(&c->transport); /* the next message may be long in coming */
            break;
        case TRANSPORT_REJECTED:
            report(c);
            count(c, OTHER, 0, transport_wire_size(&c->transport));
            break;
        case TRANSPORT_BROKEN:
            report(c);
            log_debug(LOG_NET, "receiving message bytes failed, disconnecting peer=%" PRId64, c->cfg.id);
            connection_close(c);
            break;
        }
    }
    return pos;
}

static void parse_rest(struct connection *c, int64_t end_us)
{
    c->rest_pos += parse(c, c->rest + c->rest_pos, c->rest_len - c->rest_pos, end_us);
    if (c->rest_pos < c->rest_len && !c->closing)
        return;
    free(c->rest);
    c->rest = NULL;
}

/* Whoever needs more than a turn for what is read in one keeps less of our memory. */
static void adapt_chunk(struct connection *c, bool all_used)
{
    if (all_used && c->chunk < c->max_read)
        c->chunk = 2 * c->chunk < c->max_read ? 2 * c->chunk : c->max_read;
    else if (!all_used && !c->paused && c->chunk > READ_CHUNK_MIN)
        c->chunk /= 2;
}

static void read_some(struct connection *c, int64_t end_us)
{
    uint8_t buf[READ_CHUNK];
    ssize_t n = recv(c->fd, buf, c->chunk, 0);
    size_t used;

    if (n < 0 && errno == EINTR)
        return;
    if (n < 0 && errno == EAGAIN) {
        c->readable = false;
        return;
    }
    if (n <= 0) {
        if (n == 0)
            log_debug(LOG_NET, "socket closed, disconnecting peer=%" PRId64, c->cfg.id);
        else
            log_debug(LOG_NET, "socket recv error, disconnecting peer=%" PRId64 ": %s (%d)", c->cfg.id, strerror(errno), errno);
        connection_close(c);
        return;
    }
    c->recv += (uint64_t)n;
    c->last_recv = time_now();
    used = parse(c, buf, (size_t)n, end_us);
    adapt_chunk(c, used == (size_t)n);
    if (used == (size_t)n || c->closing)
        return;
    c->rest = xmemdup(buf + used, (size_t)n - used);
    c->rest_len = (size_t)n - used;
    c->rest_pos = 0;
}

static void ask_for_turn(struct connection *c)
{
    if (!c->paused && !c->closing && (c->rest || c->readable))
        turns_queue(c->turns, &c->turn);
}

static void on_turn(void *ctx)
{
    struct connection *c = ctx;
    int64_t end_us = time_mono_us() + TURN_US;

    if (c->paused || c->closing)
        return;
    if (c->rest)
        parse_rest(c, end_us);
    else
        read_some(c, end_us);
    ask_for_turn(c);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;

    (void)fd;
    (void)what;
    c->readable = true;
    ask_for_turn(c);
}

/* Writes what the socket takes. Returns: false if the connection broke. */
static bool write_out(struct connection *c)
{
    size_t before = evbuffer_get_length(c->out);
    int n;

    if (before == 0)
        return true;
    n = evbuffer_write(c->out, c->fd);
    if (n > 0) {
        if (c->sent == 0 && c->transport.v2)
            log_debug(LOG_NET, "start sending v2 handshake to peer=%" PRId64, c->cfg.id);
        c->sent += (uint64_t)n;
        c->last_send = time_now();
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        log_debug(LOG_NET, "socket send error, disconnecting peer=%" PRId64 ": %s (%d)", c->cfg.id, strerror(errno), errno);
        return false;
    }
    c->blocked = evbuffer_get_length(c->out) > 0;
    if (c->blocked)
        event_add(c->ev_write, NULL);
    return true;
}

/* Writes, and tells the owner when there is room again. */
static void flush(struct connection *c)
{
    if (!write_out(c)) {
        connection_close(c);
        return;
    }
    if (c->was_full && !connection_send_full(c) && !c->closing) {
        c->was_full = false;
        c->cfg.events.writable(c->cfg.ctx, c);
    }
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;

    (void)fd;
    (void)what;
    flush(c);
}

/* What was asked for from anywhere happens here, at the end of the loop's turn: writing and closing. */
static void on_later(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;

    (void)fd;
    (void)what;
    c->later = false;
    if (!c->blocked)
        flush(c);
    if (c->closing) {
        if (c->closed_told)
            return;
        c->closed_told = true;
        event_del(c->ev_read);
        event_del(c->ev_write);
        c->cfg.events.closed(c->cfg.ctx, c); /* frees c */
    }
}

struct connection *connection_new(struct loop *l, evutil_socket_t fd_take, const struct connection_config *config)
{
    struct connection *c = xcalloc(1, sizeof(*c));
    int on = 1;

    c->cfg = *config;
    c->fd = fd_take;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    transport_init(&c->transport, config->magic, config->role);
    c->max_read = config->max_recv && config->max_recv < READ_CHUNK ? config->max_recv : READ_CHUNK;
    c->out = evbuffer_new();
    c->chunk = c->max_read;
    c->turns = loop_turns(l);
    c->turn.fn = on_turn;
    c->turn.ctx = c;
    c->turn.weight = 1;
    turns_join(c->turns, &c->turn);
    c->ev_read = event_new(loop_base(l), c->fd, EV_READ | EV_PERSIST | EV_ET, on_readable, c);
    c->ev_write = event_new(loop_base(l), c->fd, EV_WRITE | EV_ET, on_write, c);
    c->ev_later = event_new(loop_base(l), -1, 0, on_later, c);
    ASSERT(c->out && c->ev_read && c->ev_write && c->ev_later);
    memcpy(c->counts[0].type, OTHER, sizeof(OTHER));
    c->n_counts = 1;
    event_add(c->ev_read, NULL);
    send_pending(c);
    return c;
}

void connection_free(struct connection *c)
{
    if (!c)
        return;
    turns_cancel(c->turns, &c->turn);
    event_free(c->ev_read);
    event_free(c->ev_write);
    event_free(c->ev_later);
    evbuffer_free(c->out);
    transport_clear(&c->transport);
    writer_clear(&c->early);
    free(c->rest);
    evutil_closesocket(c->fd);
    free(c);
}

/* Keeps a message until the transport can carry it. */
static void put_early(struct connection *c, const char *type, const void *payload, size_t len)
{
    uint8_t *p = writer_extend(&c->early, 12);

    memset(p, 0, 12);
    memcpy(p, type, strnlen(type, 12));
    write_u32(&c->early, (uint32_t)len);
    write_bytes(&c->early, payload, len);
}

void connection_send(struct connection *c, const char *type, const void *payload, size_t len)
{
    if (c->closing || len > TRANSPORT_MAX_SEND)
        return;
    if (transport_can_send(&c->transport))
        put(c, type, payload, len);
    else
        put_early(c, type, payload, len);
    if (connection_send_full(c) && !c->blocked && !write_out(c)) /* full is what the socket does not take */
        connection_close(c);
    if (!c->blocked)
        do_later(c);
    if (connection_send_full(c))
        c->was_full = true;
}

bool connection_send_full(const struct connection *c)
{
    return evbuffer_get_length(c->out) + c->early.len > c->cfg.max_send;
}

void connection_resume(struct connection *c)
{
    if (!c->paused || c->closing)
        return;
    c->paused = false;
    ask_for_turn(c);
}

void connection_close(struct connection *c)
{
    if (c->closing)
        return;
    c->closing = true;
    do_later(c);
}

bool connection_closing(const struct connection *c)
{
    return c->closing;
}

int64_t connection_id(const struct connection *c)
{
    return c->cfg.id;
}

const char *connection_transport(const struct connection *c)
{
    return transport_name(&c->transport);
}

const uint8_t *connection_session_id(const struct connection *c)
{
    return transport_session_id(&c->transport);
}

bool connection_wants_v1(const struct connection *c)
{
    return c->sent >= MESSAGE_HEADER_SIZE && transport_unanswered(&c->transport) && c->cfg.role == TRANSPORT_V2_INITIATOR;
}

uint64_t connection_bytes_sent(const struct connection *c)
{
    return c->sent;
}

uint64_t connection_bytes_recv(const struct connection *c)
{
    return c->recv;
}

int64_t connection_last_send(const struct connection *c)
{
    return c->last_send;
}

int64_t connection_last_recv(const struct connection *c)
{
    return c->last_recv;
}

static int by_type(const void *a, const void *b)
{
    return strcmp(((const struct message_count *)a)->type, ((const struct message_count *)b)->type);
}

size_t connection_message_counts(const struct connection *c, struct message_count *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_counts && n < max; i++)
        if (c->counts[i].sent || c->counts[i].recv)
            out[n++] = (struct message_count){c->counts[i].type, c->counts[i].sent, c->counts[i].recv};
    qsort(out, n, sizeof(*out), by_type);
    return n;
}
