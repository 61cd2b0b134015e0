/* http_tls.c - connections of the HTTP server that speak TLS: their bytes go through libevent's buffers. Loop thread. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/tls.h"
#include "rpc/http_server.h"
#include "rpc/server_priv.h"

/* ---- out ---- */

static void ref_sent(const void *data, size_t len, void *arg)
{
    struct http_request *holder = arg; /* only release and its argument */

    (void)data;
    (void)len;
    http_reply_release(holder);
    free(holder);
}

/* The answer goes into libevent's buffer; `sent` comes when that is empty. */
void http_tls_send(struct http_conn *c, const char *head, size_t n)
{
    struct http_request *req = &c->req, *holder;
    struct evbuffer *out = bufferevent_get_output(c->tls);

    evbuffer_add(out, head, n);
    if (req->from_file) {
        int file = dup(req->file);
        if (file < 0 || evbuffer_add_file(out, file, 0, (ev_off_t)req->len) != 0) {
            if (file >= 0)
                close(file);
            http_conn_drop(c);
        }
    } else if (req->len) {
        holder = xcalloc(1, sizeof(*holder));
        holder->release = req->release;
        holder->release_arg = req->release_arg;
        req->release = NULL;
        evbuffer_add_reference(out, req->data, req->len, ref_sent, holder);
    }
}

/* ---- in ---- */

static void on_tls_readable(struct bufferevent *bev, void *arg)
{
    struct http_conn *c = arg;
    size_t n;

    if (c->feeding || http_conn_full(c))
        return; /* what is left is looked at after the answer */
    n = bufferevent_read(bev, c->server->scratch, HTTP_SCRATCH);
    if (n)
        http_conn_input(c, c->server->scratch, n);
}

static void on_tls_written(struct bufferevent *bev, void *arg)
{
    struct http_conn *c = arg;

    http_conn_touch(c);
    if (c->sending && evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
        c->sending = false;
        http_conn_next(c, !c->req.hang_up);
    }
}

static void on_tls_event(struct bufferevent *bev, short what, void *arg)
{
    struct http_conn *c = arg;

    if (what & BEV_EVENT_CONNECTED)
        return;
    if (what & BEV_EVENT_ERROR) {
        log_debug(LOG_HTTP, "TLS with %s failed: %s", http_peer(&c->req), tls_failure(bev));
        http_conn_drop(c);
        return;
    }
    on_tls_readable(bev, c);
    if (what & BEV_EVENT_EOF && c->tls == bev)
        http_conn_eof(c);
}

void http_tls_start(struct http_conn *c)
{
    event_free(c->readable);
    event_free(c->writable);
    c->readable = c->writable = NULL;
    c->begun_us = c->active_us;
    c->tls = tls_accept(c->server->tls, c->server->base, c->fd);
    if (!c->tls) {
        c->fd = -1;
        http_conn_drop(c);
        return;
    }
    bufferevent_setcb(c->tls, on_tls_readable, on_tls_written, on_tls_event, c);
    bufferevent_setwatermark(c->tls, EV_READ, 0, HTTP_SCRATCH);
    bufferevent_enable(c->tls, EV_READ | EV_WRITE);
}
