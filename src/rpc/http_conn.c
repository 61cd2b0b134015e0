/* http_conn.c - one connection of the HTTP server: its life, bytes in, requests to their handlers one after the other. A plain socket is read into
 * the server's scratch buffer and parsed there, so that a short call costs one read and one write; what cannot be done at once is kept, within
 * bounds. Answers go out in http_send.c, TLS is in http_tls.c. Loop thread. */
#include <errno.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/http_server.h"
#include "rpc/server_priv.h"

#define LINGER_US 1000000
#define TLS_HELLO 0x16 /* the first byte of a TLS connection, never one of a request */

static bool conn_feed(struct http_conn *c, const char *data, const char *end);

/* ---- lists ---- */

static void list_remove(struct http_conn *c)
{
    struct http_conn_list *l = c->list;

    *(c->prev ? &c->prev->next : &l->first) = c->next;
    *(c->next ? &c->next->prev : &l->last) = c->prev;
    l->n--;
}

static void list_append(struct http_conn_list *l, struct http_conn *c)
{
    c->list = l;
    c->next = NULL;
    c->prev = l->last;
    *(l->last ? &l->last->next : &l->first) = c;
    l->last = c;
    l->n++;
}

void http_conn_touch(struct http_conn *c)
{
    c->active_us = time_mono_us();
    if (!c->next && c->list == (c->proven ? &c->server->proven : &c->server->fresh))
        return;
    list_remove(c);
    list_append(c->proven ? &c->server->proven : &c->server->fresh, c);
}

/* ---- end ---- */

static void close_socket(struct http_conn *c)
{
    if (c->readable)
        event_free(c->readable);
    if (c->writable)
        event_free(c->writable);
    c->readable = c->writable = NULL;
    if (c->tls)
        bufferevent_free(c->tls); /* and the socket */
    else if (c->fd >= 0)
        close(c->fd);
    c->tls = NULL;
    c->fd = -1;
}

static void request_sent(struct http_request *req)
{
    void (*fn)(void *) = req->on_sent;

    req->on_sent = NULL;
    http_reply_release(req);
    if (fn)
        fn(req->sent_arg);
}

static void conn_free(struct http_conn *c)
{
    list_remove(c);
    close_socket(c);
    request_sent(&c->req);
    http_parser_clear(&c->req.parse);
    free(c->req.peer);
    writer_clear(&c->in);
    writer_clear(&c->out);
    http_session_set(&c->req, NULL, NULL);
    free(c);
}

void http_conn_drop(struct http_conn *c)
{
    struct http_request *req = &c->req;

    close_socket(c);
    atomic_store(&req->gone, true);
    if (req->pending && !req->away && req->on_gone) {
        void (*fn)(struct http_request *) = req->on_gone;
        req->on_gone = NULL;
        fn(req); /* answers, now or later: the end comes with it */
        return;
    }
    if (!req->pending && !c->feeding)
        conn_free(c);
}

/* The client has shut its side. */
void http_conn_eof(struct http_conn *c)
{
    struct http_request *req = &c->req;

    c->eof = true;
    if (c->readable)
        event_del(c->readable);
    if (req->pending && req->on_gone && !req->away) {
        void (*fn)(struct http_request *) = req->on_gone;
        req->on_gone = NULL;
        fn(req);
    } else if (!req->pending && !c->sending) {
        http_conn_drop(c);
    }
}

/* ---- from one request to the next ---- */

static void linger(struct http_conn *c)
{
    c->closing = true;
    writer_clear(&c->in);
    if (c->tls || c->eof || shutdown(c->fd, SHUT_WR) != 0) {
        http_conn_drop(c);
        return;
    }
    http_conn_touch(c);
    if (c->paused)
        event_add(c->readable, NULL);
    c->paused = false;
}

/* Looks at what came while the last request was under way. */
static void resume(struct http_conn *c)
{
    struct writer in = c->in;
    bool alive = true;

    c->in = (struct writer)WRITER_INIT;
    if (in.len)
        alive = conn_feed(c, (const char *)in.data, (const char *)in.data + in.len);
    writer_clear(&in);
    if (!alive || c->req.pending || c->sending || c->closing)
        return;
    if (c->eof) {
        http_conn_drop(c);
        return;
    }
    if (c->tls) /* later: the scratch buffer may be in use for another connection */
        bufferevent_trigger(c->tls, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
    else if (c->paused)
        event_add(c->readable, NULL);
    c->paused = false;
}

void http_conn_next(struct http_conn *c, bool keep)
{
    struct http_request *req = &c->req;
    struct http_parser parse;

    if (req->status < 400)
        c->proven = true;
    request_sent(req);
    http_parser_next(&req->parse);
    parse = req->parse;
    free(req->peer);
    memset(req, 0, sizeof(*req));
    req->parse = parse;
    req->conn = c;
    c->begun_us = 0;
    c->trusted = false;
    c->body_at = c->out_at = 0;
    http_conn_touch(c);
    if (!keep)
        linger(c);
    else if (!c->feeding)
        resume(c);
}

/* ---- requests ---- */

static void refuse(struct http_conn *c, int status)
{
    struct http_request *req = &c->req;

    log_debug(LOG_HTTP, "Error reading HTTP request from client %s (id=%llu): %s", http_peer(req), (unsigned long long)c->id,
              status == 413 ? "body too large" : "malformed");
    if (!req->parse.head.len || !req->route)
        req->parse.minor = 1;
    req->hang_up = req->pending = true;
    http_reply_error(req, status, NULL);
}

static void send_continue(struct http_conn *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (c->tls)
        bufferevent_write(c->tls, text, sizeof(text) - 1);
    else if (send(c->fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug(LOG_HTTP, "HTTP client (id=%llu) does not read",
                  (unsigned long long)c->id); /* it goes on by itself after a while */
}

/* The head is complete: is the body wanted? more: part of it is here. */
static void on_head(struct http_conn *c, bool more)
{
    struct http_request *req = &c->req;
    const struct http_route *r = req->route = http_route_of(c->server, http_target(req));

    c->trusted = req->parse.method != HTTP_OTHER && r && (!r->pass || r->pass(r->arg, req));
    req->parse.discard = !c->trusted;
    if (!req->parse.expects_continue || req->parse.minor == 0)
        return;
    if (!c->trusted) { /* the answer is known without the body, which is not read, or for something else */
        req->hang_up = true;
        req->parse.at = AT_END;
    } else if (!more) {
        send_continue(c);
    }
}

static const char *method_name(enum http_method m)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "unknown"};

    return names[m];
}

static void on_request(struct http_conn *c)
{
    struct http_request *req = &c->req;

    if (log_enabled(LOG_HTTP, LOG_LEVEL_DEBUG))
        log_debug(LOG_HTTP, "Received a %s request for %s from %s (id=%llu)", method_name(req->parse.method), http_target(req),
                  http_peer(req), (unsigned long long)c->id);
    req->pending = true;
    if (c->server->stopping || atomic_load(&c->server->rpc->stopping))
        http_reply_error(req, 503, NULL);
    else if (req->parse.method == HTTP_OTHER)
        http_reply_error(req, 405, NULL);
    else if (!req->route)
        http_reply_error(req, 404, NULL);
    else
        req->route->handle(req->route->arg, req);
}

/* Reads requests out of what came, as long as each is answered at once. Returns: false if the connection was dropped. */
static bool conn_feed(struct http_conn *c, const char *data, const char *end)
{
    struct http_request *req = &c->req;
    enum http_event e = HTTP_GOT_REQUEST;

    c->feeding = true;
    while (c->fd >= 0 && !c->closing && !req->pending && !c->sending && e != HTTP_MORE && data < end) {
        if (!c->begun_us)
            c->begun_us = c->active_us;
        e = http_parse(&req->parse, &data, end);
        if (e == HTTP_GOT_HEAD) {
            on_head(c, data < end);
            e = req->parse.at == AT_END ? HTTP_GOT_REQUEST : http_parse(&req->parse, &data, end);
        }
        if (e == HTTP_GOT_REQUEST)
            on_request(c);
        else if (e == HTTP_BAD || e == HTTP_TOO_LARGE)
            refuse(c, e == HTTP_BAD ? 400 : 413);
    }
    c->feeding = false;
    if (c->fd < 0) {
        http_conn_drop(c);
        return false;
    }
    if (req->pending)
        http_parser_keep_body(&req->parse);
    if (!c->closing && data < end)
        write_bytes(&c->in, data, (size_t)(end - data));
    if (!c->eof || req->pending || c->sending)
        return true;
    http_conn_drop(c);
    return false;
}

/* Bytes from the client. */
void http_conn_input(struct http_conn *c, const char *data, size_t n)
{
    if (c->closing)
        return;
    http_conn_touch(c);
    if (c->req.pending || c->sending || c->in.len)
        write_bytes(&c->in, data, n);
    else
        conn_feed(c, data, data + n);
}

bool http_conn_full(const struct http_conn *c)
{
    return c->in.len >= HTTP_AHEAD_MAX && !c->closing;
}

static bool plain_text_allowed(const struct http_conn *c)
{
    return c->peer.network == NET_UNKNOWN || net_addr_is_local(&c->peer);
}

/* ---- plain sockets ---- */

/* Returns: false if it is not plain text that is coming, or not to be. */
static bool decide(struct http_conn *c)
{
    unsigned char first;
    ssize_t n = recv(c->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    c->undecided = false;
    if (n == 1 && first == TLS_HELLO) {
        http_tls_start(c);
        return false;
    }
    if (plain_text_allowed(c))
        return true;
    log_debug(LOG_HTTP, "HTTP request in plain text from %s refused: TLS is required", http_peer(&c->req));
    http_conn_drop(c);
    return false;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *c = arg;
    ssize_t n;

    (void)what;
    if (c->undecided && !decide(c))
        return;
    if (http_conn_full(c)) {
        c->paused = true;
        event_del(c->readable);
        return;
    }
    n = recv(fd, c->server->scratch, HTTP_SCRATCH, MSG_DONTWAIT);
    if (n > 0)
        http_conn_input(c, c->server->scratch, (size_t)n);
    else if (n == 0)
        http_conn_eof(c);
    else if (errno != EAGAIN && errno != EINTR)
        http_conn_drop(c);
}

/* ---- life ---- */

void http_conn_new(struct http_server *h, int fd, const struct net_addr *peer)
{
    struct http_conn *c = xcalloc(1, sizeof(*c));

    c->server = h;
    c->fd = fd;
    c->id = ++h->last_id;
    c->peer = *peer;
    c->req.conn = c;
    c->undecided = h->tls && peer->network != NET_UNKNOWN;
    c->readable = event_new(h->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(h->base, fd, EV_WRITE | EV_PERSIST, http_send_on_writable, c);
    ASSERT(c->readable && c->writable);
    event_add(c->readable, NULL);
    list_append(&h->fresh, c);
    http_conn_touch(c);
    if (log_enabled(LOG_HTTP, LOG_LEVEL_DEBUG))
        log_debug(LOG_HTTP, "HTTP Connection accepted from %s (id=%llu)", http_peer(&c->req), (unsigned long long)c->id);
}

bool http_conn_check_time(struct http_conn *c, int64_t now_us)
{
    int64_t most = c->server->timeout_us, idle = now_us - c->active_us;
    bool late;

    if (c->req.pending)
        return true;
    late = c->closing ? idle > LINGER_US : most > 0 && idle > most;
    if (!late && most > 0 && c->begun_us && !c->trusted && !c->sending) /* a head that comes byte by byte */
        late = now_us - c->begun_us > most;
    if (!late)
        return true;
    if (!c->closing)
        log_debug(LOG_HTTP, "HTTP client idle timeout %s (id=%llu)", http_peer(&c->req), (unsigned long long)c->id);
    http_conn_drop(c);
    return false;
}
