/* http_send.c - answers on their way out. A plain socket is given an answer at once and whole, as it nearly always takes it; what it does not take
 * follows when there is room. Loop thread. */
#include <errno.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "rpc/http_server.h"
#include "rpc/server_priv.h"

#define SEND_AT_ONCE ((size_t)1 << 20) /* a body that the socket may be given whole */
#define SEND_MAX ((size_t)256 << 10)   /* of a longer one at a time: others have their turn in between */

/* All of the answer is with the system. */
static void sent(struct http_conn *c)
{
    c->sending = false;
    writer_clear(&c->out);
    http_conn_next(c, !c->req.hang_up);
}

/* How much of a body of `len` bytes is sent now if `left` are left of it. */
static size_t piece(size_t len, size_t left)
{
    return len <= SEND_AT_ONCE || left < SEND_MAX ? left : SEND_MAX;
}

/* Sends what is left of the head, and of a body that is a file: its pages go to the socket without a copy. Returns: false if that failed. */
static bool send_file(struct http_conn *c)
{
    struct http_request *req = &c->req;
    off_t at = (off_t)c->body_at;
    ssize_t n;

    if (c->out_at < c->out.len) {
        n = send(c->fd, c->out.data + c->out_at, c->out.len - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        c->out_at += (size_t)n;
        if (c->out_at < c->out.len)
            return true;
    }
    n = sendfile(c->fd, req->file, &at, piece(req->len, req->len - c->body_at));
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->body_at += (size_t)n;
    return n > 0;
}

/* Sends what is left. Returns: false if that failed and the connection is to be dropped. */
static bool send_more(struct http_conn *c)
{
    struct http_request *req = &c->req;
    struct iovec v[2] = {{c->out.data ? c->out.data + c->out_at : NULL, c->out.len - c->out_at},
                         {(char *)(uintptr_t)req->data + c->body_at, piece(req->len, req->len - c->body_at)}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    ssize_t n;
    size_t head;

    if (req->from_file)
        return send_file(c);
    n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    head = (size_t)n < v[0].iov_len ? (size_t)n : v[0].iov_len;
    c->out_at += head;
    c->body_at += (size_t)n - head;
    return true;
}

static bool all_sent(const struct http_conn *c)
{
    return c->out_at == c->out.len && c->body_at == c->req.len;
}

static void send_failed(struct http_conn *c)
{
    log_debug(LOG_HTTP, "Error sending HTTP response data to client (id=%llu): %s", (unsigned long long)c->id, strerror(errno));
    c->sending = false;
    http_conn_drop(c);
}

void http_send_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *c = arg;

    (void)fd;
    (void)what;
    if (!send_more(c)) {
        send_failed(c);
        return;
    }
    http_conn_touch(c);
    if (!all_sent(c))
        return;
    event_del(c->writable);
    sent(c);
}

/* Head and file as far as the socket takes them. Returns: false if that failed. */
static bool send_plain_file(struct http_conn *c, const char *head, size_t n)
{
    write_bytes(&c->out, head, n);
    if (!send_file(c))
        return false;
    if (!all_sent(c))
        event_add(c->writable, NULL);
    return true;
}

/* The whole answer at once if the socket takes it, which it nearly always does. Returns: false if that failed. */
static bool send_plain(struct http_conn *c, char *head, size_t n)
{
    struct http_request *req = &c->req;
    struct iovec v[2] = {{head, n}, {(void *)(uintptr_t)req->data, piece(req->len, req->len)}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = req->len ? 2 : 1};
    ssize_t done = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    size_t of_head;

    if (done < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    if (done < 0)
        done = 0;
    of_head = (size_t)done < n ? (size_t)done : n;
    c->body_at = (size_t)done - of_head;
    if ((size_t)done < n + req->len) {
        write_bytes(&c->out, head + of_head, n - of_head);
        event_add(c->writable, NULL);
    }
    return true;
}

void http_conn_answer(struct http_conn *c)
{
    struct http_request *req = &c->req;
    char head[HTTP_HEAD_ROOM];
    bool keep, body;
    size_t n;

    req->pending = false;
    req->on_gone = NULL;
    if (c->fd < 0) {
        http_conn_drop(c);
        return;
    }
    n = http_reply_head(req, head, &keep, &body);
    req->hang_up = !keep;
    if (!body)
        http_reply_release(req);
    log_debug(LOG_HTTP, "HTTPResponse (status code: %d size: %zu) added to send buffer for client (id=%llu)", req->status,
              n + req->len, (unsigned long long)c->id);
    c->sending = true;
    if (c->tls)
        http_tls_send(c, head, n);
    else if (!(req->from_file ? send_plain_file(c, head, n) : send_plain(c, head, n)))
        send_failed(c);
    else if (all_sent(c))
        sent(c);
}

void http_conn_flush(struct http_conn *c, int64_t until_us)
{
    int64_t now;

    while (c->sending && !c->tls && c->fd >= 0 && !all_sent(c) && (now = time_mono_us()) < until_us) {
        struct pollfd p = {c->fd, POLLOUT, 0};
        if (poll(&p, 1, (int)((until_us - now) / 1000 + 1)) < 0 || (p.revents && !send_more(c)))
            return;
    }
}
