/* http_reply.c - the answers of requests: their heads as Bitcoin Core writes them, and where handlers put the bodies. Loop thread; a pool thread for
 * a request that it has. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rpc/http_server.h"
#include "util/assert.h"
#include "util/mem.h"
#include "util/time.h"

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content too large";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "";
    }
}

/* RFC 1123, made anew once a second. */
static const char *date_text(struct http_server *h)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t now = time_now();
    time_t t = (time_t)now;
    struct tm tm;

    if (h->date_of == now && *h->date)
        return h->date;
    h->date_of = now;
    if (!gmtime_r(&t, &tm))
        memset(&tm, 0, sizeof(tm));
    snprintf(h->date, sizeof(h->date), "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * tm.tm_wday, (unsigned)tm.tm_mday % 100,
             months + 3 * tm.tm_mon, (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
             (unsigned)tm.tm_sec % 100);
    return h->date;
}

struct head {
    char *out;
    size_t n;
};

static void put(struct head *h, const char *text)
{
    size_t n = strlen(text);

    ASSERT(h->n + n < HTTP_HEAD_ROOM);
    memcpy(h->out + h->n, text, n);
    h->n += n;
}

static void put_line(struct head *h, const char *name, const char *value)
{
    put(h, name);
    put(h, ": ");
    put(h, value);
    put(h, "\r\n");
}

static void put_number(struct head *h, size_t v)
{
    char digits[24], *p = digits + sizeof(digits) - 1;

    *p = 0;
    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    put(h, p);
}

static void put_status(struct head *h, unsigned minor, int status)
{
    put(h, "HTTP/1.");
    put_number(h, minor);
    put(h, " ");
    put_number(h, (size_t)status);
    put(h, " ");
    put(h, reason_of(status));
    put(h, "\r\n");
}

size_t http_reply_head(struct http_request *req, char out[HTTP_HEAD_ROOM], bool *keep, bool *body)
{
    const struct http_parser *p = &req->parse;
    bool has_body = req->status != 204 && req->status >= 200, old = p->minor == 0;
    struct head h = {out, 0};

    *keep = !req->hang_up && !p->close && (!old || p->keep_alive);
    *body = has_body && p->method != HTTP_HEAD;
    put_status(&h, p->minor, req->status);
    for (unsigned i = 0; i < req->n_headers; i++)
        put_line(&h, req->header[i][0], req->header[i][1]);
    if (req->type)
        put_line(&h, "Content-Type", req->type);
    if (old && *keep)
        put_line(&h, "Connection", "keep-alive");
    if (!old)
        put_line(&h, "Date", date_text(req->conn->server));
    if (has_body && (!old || *keep)) {
        put(&h, "Content-Length: ");
        put_number(&h, req->len);
        put(&h, "\r\n");
    }
    if (has_body && !req->type)
        put_line(&h, "Content-Type", "text/html; charset=ISO-8859-1");
    if (p->close || (req->hang_up && !old))
        put_line(&h, "Connection", "close");
    put(&h, "\r\n");
    return h.n;
}

void http_reply_release(struct http_request *req)
{
    if (req->release)
        req->release(req->release_arg);
    req->release = NULL;
    req->data = NULL;
    req->from_file = false;
    req->len = 0;
}

void http_reply_header(struct http_request *req, const char *name, const char *value)
{
    ASSERT(req->n_headers < HTTP_REPLY_HEADERS_MAX);
    req->header[req->n_headers][0] = name;
    req->header[req->n_headers++][1] = value;
}

void http_reply_ref(struct http_request *req, int status, const char *type, const void *data, size_t len,
                    void (*release)(void *arg), void *arg)
{
    ASSERT(req->pending && !req->answered);
    req->answered = true;
    req->status = status;
    req->type = type;
    req->data = data;
    req->len = len;
    req->release = release;
    req->release_arg = arg;
    if (!req->away)
        http_conn_answer(req->conn);
}

void http_reply_file(struct http_request *req, int status, const char *type, int file, size_t len, void (*release)(void *arg),
                     void *arg)
{
    req->from_file = true;
    req->file = file;
    http_reply_ref(req, status, type, NULL, len, release, arg);
}

void http_reply_text(struct http_request *req, int status, const char *type, const char *text)
{
    char *copy = text && *text ? xstrdup(text) : NULL;

    http_reply_ref(req, status, type, copy, copy ? strlen(copy) : 0, copy ? free : NULL, copy);
}

void http_reply_take(struct http_request *req, int status, const char *type, struct writer *body)
{
    struct writer w = *body;

    *body = (struct writer)WRITER_INIT;
    http_reply_ref(req, status, type, w.data, w.len, w.data ? free : NULL, w.data);
}

void http_reply_error(struct http_request *req, int status, const char *text)
{
    http_reply_header(req, "Cache-Control", "no-store");
    http_reply_text(req, status, NULL, text);
}
