/* client.c - the connections of Electrum clients on the loop thread: they come, are told of what they subscribed to, and go, when they are silent or do
 * not read. What they ask is the business of lines.c. */
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "net/tls.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define UNREAD_DROP ((size_t)4 << 20) /* of notifications: it does not listen */
#define HELLO_US 60000000             /* to say the first word, handshake of TLS included */
#define IDLE_US 600000000             /* without one */
#define STUCK_US 60000000             /* without taking a byte of what it is sent */

void electrum_client_drop(struct electrum_client *c, const char *why)
{
    static const struct timeval now = {0, 0};

    if (c->dead)
        return;
    c->dead = true;
    log_debug(LOG_RPC, "electrum: client %llu leaves: %s", (unsigned long long)c->id, why);
    bufferevent_disable(c->be, EV_READ | EV_WRITE);
    if (c->server->reap)
        event_add(c->server->reap, &now);
}

/* What it is sent leaves, or comes. */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
    struct electrum_client *c = arg;
    size_t left = evbuffer_get_length(output);

    if (info->n_deleted || info->orig_size == 0)
        c->taken_us = time_now_us();
    if (left < c->answers)
        c->answers = left;
}

static void client_free(struct electrum_client *c)
{
    struct electrum *e = c->server;
    size_t last = --e->n_clients;

    watch_remove_all(e->data.watches, &c->s.watcher);
    HASH_DELETE(hh, e->by_id, c);
    e->long_lines -= c->long_line;
    electrum_session_clear(&c->s);
    jw_clear(&c->later);
    evbuffer_remove_cb(bufferevent_get_output(c->be), on_output, c);
    bufferevent_free(c->be);
    e->clients[c->place] = e->clients[last];
    e->clients[c->place]->place = c->place;
    e->clients[last] = NULL;
    free(c);
}

void electrum_clients_reap(struct electrum *e)
{
    for (size_t i = e->n_clients; i-- > 0;)
        if (e->clients[i]->dead && !e->clients[i]->working)
            client_free(e->clients[i]);
}

/* ---- what they are sent ---- */

size_t electrum_client_unread(const struct electrum_client *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->be));
}

static void tell(struct electrum_client *c, const uint8_t *data, size_t len)
{
    if (c->dead || !len)
        return;
    bufferevent_write(c->be, data, len);
    if (electrum_client_unread(c) - c->answers > UNREAD_DROP)
        electrum_client_drop(c, "it does not read what it wanted to be told");
}

static void tell_later(struct electrum_client *c)
{
    if (c->header_due)
        electrum_write_header(&c->later, c->server->height, c->server->header, true);
    c->header_due = false;
    tell(c, c->later.w.data, c->later.w.len);
    jw_clear(&c->later);
}

void electrum_client_answer(struct electrum_client *c, struct json_writer *j)
{
    if (!c->dead && j->w.len) {
        bufferevent_write(c->be, j->w.data, j->w.len);
        c->answers = electrum_client_unread(c);
    }
    jw_clear(j);
    tell_later(c);
}

static void on_readable(struct bufferevent *be, void *arg)
{
    (void)be;
    electrum_client_pump(arg);
}

static void on_written(struct bufferevent *be, void *arg)
{
    (void)be;
    electrum_client_pump(arg);
}

/* What it asked before is still answered. */
static void on_end(struct electrum_client *c)
{
    c->ended = true;
    electrum_client_pump(c);
}

static void on_event(struct bufferevent *be, short what, void *arg)
{
    (void)be;
    if (what & BEV_EVENT_ERROR)
        electrum_client_drop(arg, "the connection broke");
    else if (what & BEV_EVENT_EOF)
        on_end(arg);
}

/* ---- notifications ---- */

static struct electrum_client *find_client(struct electrum *e, uint64_t id)
{
    struct electrum_client *c;

    HASH_FIND(hh, e->by_id, &id, sizeof(id), c);
    return c;
}

void electrum_client_lines(void *server, uint64_t client, const uint8_t *lines, size_t len)
{
    struct electrum_client *c = find_client(server, client);

    if (!c || c->dead)
        return;
    write_bytes(&c->later.w, lines, len);
    if (!c->working)
        tell_later(c);
    else if (c->later.w.len > UNREAD_DROP)
        electrum_client_drop(c, "too many notifications");
}

void electrum_client_header(void *server, int32_t height, const uint8_t header[BLOCK_HEADER_SIZE])
{
    struct electrum *e = server;
    struct json_writer j = JSON_WRITER_INIT;

    e->height = height;
    memcpy(e->header, header, BLOCK_HEADER_SIZE);
    electrum_write_header(&j, height, header, true);
    for (size_t i = 0; i < e->n_clients; i++) {
        struct electrum_client *c = e->clients[i];
        if (c->dead || !atomic_load(&c->s.headers))
            continue;
        if (c->working)
            c->header_due = true;
        else
            tell(c, j.w.data, j.w.len);
    }
    jw_clear(&j);
}

/* ---- coming and going ---- */

static struct bufferevent *open_stream(struct electrum *e, const struct listen_at *l, evutil_socket_t fd)
{
    if (l->tls)
        return tls_accept(e->tls, loop_base(e->host.loop), fd);
    return bufferevent_socket_new(loop_base(e->host.loop), fd, BEV_OPT_CLOSE_ON_FREE);
}

void electrum_accept(void *listen_at, evutil_socket_t fd, const struct net_addr *peer, const struct net_addr *local)
{
    struct listen_at *l = listen_at;
    struct electrum *e = l->server;
    struct electrum_client *c;
    struct bufferevent *be;
    int on = 1;

    (void)peer; /* neither kept nor logged: who asks is not to be tied to what is asked */
    (void)local;
    if (e->n_clients == e->max_clients || e->stopping) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    be = open_stream(e, l, fd);
    if (!be)
        return;
    c = xcalloc(1, sizeof(*c));
    c->server = e;
    c->be = be;
    c->id = ++e->served;
    c->last_us = c->taken_us = time_now_us();
    electrum_lines_init(c);
    electrum_session_init(&c->s, &e->source, c->id);
    bufferevent_setcb(be, on_readable, on_written, on_event, c);
    evbuffer_add_cb(bufferevent_get_output(be), on_output, c);
    bufferevent_enable(be, EV_READ | EV_WRITE);
    c->place = e->n_clients;
    e->clients[e->n_clients++] = c;
    HASH_ADD(hh, e->by_id, id, sizeof(c->id), c);
}

/* They left too much unread all together: those go who left more than others. */
static void relieve(struct electrum *e)
{
    size_t mean = e->unread / e->n_clients;

    for (size_t i = 0; i < e->n_clients && e->unread > UNREAD_ALL; i++) {
        struct electrum_client *c = e->clients[i];
        size_t n = electrum_client_unread(c);
        if (c->dead || n < mean)
            continue;
        electrum_client_drop(c, "it does not read, and room is needed");
        e->unread -= n;
    }
}

static void look_at(struct electrum_client *c, int64_t now)
{
    if (electrum_client_unread(c) && now - c->taken_us > STUCK_US)
        electrum_client_drop(c, "it does not read");
    else if (c->working)
        return;
    else if (now - c->last_us > (c->s.version ? IDLE_US : HELLO_US) && !c->waiting)
        electrum_client_drop(c, "it is silent");
    else if (c->waiting || c->long_line)
        electrum_client_pump(c);
}

void electrum_clients_tick(struct electrum *e)
{
    int64_t now = time_now_us();

    e->unread = 0;
    for (size_t i = 0; i < e->n_clients; i++)
        e->unread += electrum_client_unread(e->clients[i]);
    if (e->unread > UNREAD_ALL)
        relieve(e);
    for (size_t i = 0; i < e->n_clients; i++)
        if (!e->clients[i]->dead)
            look_at(e->clients[i], now);
}

void electrum_clients_close(struct electrum *e)
{
    while (e->n_clients)
        client_free(e->clients[e->n_clients - 1]);
}
