/* connection.c - one connection on the loop: socket events, the parser's input, the output buffer, counters. Created by node for accepted and
 * for connected sockets. All callbacks to the owner come from event handlers, so that the owner may free or close at will. */
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

#include "net/transport.h"
#include "util/assert.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define READ_CHUNK 65536
#define OTHER "*other*"
#define MAX_TYPES 48

struct connection {
    struct connection_config cfg;
    evutil_socket_t fd;
    struct event *ev_read, *ev_write, *ev_later; /* later: resume and close */
    struct evbuffer *out;
    struct transport_v1 in;
    uint8_t *rest; /* bytes read but not parsed while paused */
    size_t rest_len;
    bool paused, closing, was_full, closed_told;
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

/* Parses bytes until they are used, the owner pauses, or the stream breaks. Returns: bytes used. */
static size_t parse(struct connection *c, const uint8_t *data, size_t len)
{
    size_t pos = 0, used;

    while (pos < len && !c->paused && !c->closing) {
        struct message m;
        enum transport_event e = transport_v1_feed(&c->in, data + pos, len - pos, &used);
        pos += used;
        switch (e) {
        case TRANSPORT_NEED_MORE:
            break;
        case TRANSPORT_MESSAGE:
            m = transport_v1_message(&c->in);
            count(c, m.type, 0, transport_v1_wire_size(&c->in));
            if (!c->cfg.events.message(c->cfg.ctx, c, &m))
                c->paused = true;
            transport_v1_release(&c->in); /* the next message may be long in coming */
            break;
        case TRANSPORT_REJECTED:
            log_debug(LOG_NET, "Header error: %s, peer=%" PRId64, c->in.problem, c->cfg.id);
            count(c, OTHER, 0, transport_v1_wire_size(&c->in));
            break;
        case TRANSPORT_BROKEN:
            log_debug(LOG_NET, "Header error: %s, peer=%" PRId64, c->in.problem, c->cfg.id);
            log_debug(LOG_NET, "receiving message bytes failed, disconnecting peer=%" PRId64, c->cfg.id);
            connection_close(c);
            break;
        }
    }
    return pos;
}

static void keep_rest(struct connection *c, const uint8_t *data, size_t len)
{
    if (c->closing || len == 0)
        return;
    ASSERT(!c->rest);
    c->rest = xmemdup(data, len);
    c->rest_len = len;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    uint8_t buf[READ_CHUNK];
    ssize_t n;
    size_t used;

    (void)what;
    n = recv(fd, buf, sizeof(buf), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
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
    used = parse(c, buf, (size_t)n);
    keep_rest(c, buf + used, (size_t)n - used);
    if (c->paused || c->closing)
        event_del(c->ev_read);
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
        c->sent += (uint64_t)n;
        c->last_send = time_now();
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        log_debug(LOG_NET, "socket send error, disconnecting peer=%" PRId64 ": %s (%d)", c->cfg.id, strerror(errno), errno);
        return false;
    }
    if (evbuffer_get_length(c->out))
        event_add(c->ev_write, NULL);
    return true;
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;

    (void)fd;
    (void)what;
    if (!write_out(c)) {
        connection_close(c);
        return;
    }
    if (c->was_full && !connection_send_full(c)) {
        c->was_full = false;
        if (!c->closing)
            c->cfg.events.writable(c->cfg.ctx, c);
    }
}

/* Resume and close, asked for from anywhere, happen here. */
static void on_later(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;

    (void)fd;
    (void)what;
    if (c->rest && !c->paused && !c->closing) {
        uint8_t *rest = c->rest;
        size_t len = c->rest_len, used;
        c->rest = NULL;
        used = parse(c, rest, len);
        keep_rest(c, rest + used, len - used);
        free(rest);
    }
    if (c->closing) {
        if (c->closed_told)
            return;
        c->closed_told = true;
        event_del(c->ev_read);
        event_del(c->ev_write);
        c->cfg.events.closed(c->cfg.ctx, c); /* frees c */
        return;
    }
    if (!c->paused)
        event_add(c->ev_read, NULL);
}

struct connection *connection_new(struct loop *l, evutil_socket_t fd_take, const struct connection_config *config)
{
    struct connection *c = xcalloc(1, sizeof(*c));
    int on = 1;

    c->cfg = *config;
    c->fd = fd_take;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    transport_v1_init(&c->in, config->magic);
    c->out = evbuffer_new();
    c->ev_read = event_new(loop_base(l), c->fd, EV_READ | EV_PERSIST, on_read, c);
    c->ev_write = event_new(loop_base(l), c->fd, EV_WRITE, on_write, c);
    c->ev_later = event_new(loop_base(l), -1, 0, on_later, c);
    ASSERT(c->out && c->ev_read && c->ev_write && c->ev_later);
    memcpy(c->counts[0].type, OTHER, sizeof(OTHER));
    c->n_counts = 1;
    event_add(c->ev_read, NULL);
    return c;
}

void connection_free(struct connection *c)
{
    if (!c)
        return;
    event_free(c->ev_read);
    event_free(c->ev_write);
    event_free(c->ev_later);
    evbuffer_free(c->out);
    transport_v1_clear(&c->in);
    free(c->rest);
    evutil_closesocket(c->fd);
    free(c);
}

void connection_send(struct connection *c, const char *type, const void *payload, size_t len)
{
    uint8_t header[MESSAGE_HEADER_SIZE];
    bool idle = evbuffer_get_length(c->out) == 0;

    if (c->closing)
        return;
    transport_v1_header(header, c->cfg.magic, type, payload, len);
    evbuffer_add(c->out, header, sizeof(header));
    if (len)
        evbuffer_add(c->out, payload, len);
    count(c, type, len + sizeof(header), 0);
    if (idle && !write_out(c))
        connection_close(c);
    if (connection_send_full(c))
        c->was_full = true;
}

bool connection_send_full(const struct connection *c)
{
    return evbuffer_get_length(c->out) > c->cfg.max_send;
}

void connection_resume(struct connection *c)
{
    if (!c->paused || c->closing)
        return;
    c->paused = false;
    event_active(c->ev_later, 0, 0);
}

void connection_close(struct connection *c)
{
    if (c->closing)
        return;
    c->closing = true;
    event_active(c->ev_later, 0, 0);
}

bool connection_closing(const struct connection *c)
{
    return c->closing;
}

int64_t connection_id(const struct connection *c)
{
    return c->cfg.id;
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
