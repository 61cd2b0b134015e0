/* http_priv.h - requests as the HTTP server hands them to those that answer: JSON-RPC, REST, metrics. A request arrives on the loop thread at the
 * handler whose path it has; it is answered there at once, or later, or by work on a pool thread. It lasts until its answer is sent. */
#ifndef FARTHING_RPC_HTTP_PRIV_H
#define FARTHING_RPC_HTTP_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "util/bytes.h"

struct http_server;
struct http_request;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_OTHER };

/* ---- paths ---- */

/* What answers requests for a path. Loop thread. */
struct http_route {
    const char *prefix; /* static: "/rest/"; the first route added that fits gets the request */
    bool exact;         /* the whole target, with its query, is `prefix` */
    /* The head is read, the body is not: is it worth reading? NULL: yes. If not, the request arrives with an empty body; `pass` sees it first. */
    bool (*pass)(void *arg, struct http_request *req);
    void (*handle)(void *arg, struct http_request *req);
    void *arg;
};
/** Adds a path. Loop thread, at start. */
void http_route_add(struct http_server *h, const struct http_route *route);

/* ---- what was asked; all borrowed from the request. The thread that has it. ---- */
enum http_method http_method(const struct http_request *req);
/** The target as the client wrote it, with query, not decoded: "/rest/tx/ab.json?x=1". */
const char *http_target(const struct http_request *req);
/** What follows the route's prefix. */
const char *http_rest_of_target(const struct http_request *req);
/** The value of ?key=..., URL-decoded (the first one; "" without "="). Out: *len: "%00" is a character of it. Returns: to be freed,
 *  with a NUL behind it; NULL: there is none. */
char *http_query_value(size_t *len, const struct http_request *req, const char *key);
/** The value of a header line (any case), blanks around it cut. Returns: NULL if there is none. */
const char *http_header(const struct http_request *req, const char *name);
const void *http_body(const struct http_request *req, size_t *len);
/** "1.2.3.4:5678", "[::1]:80", "unix". */
const char *http_peer(const struct http_request *req);
/** The client hung up: nobody reads the answer, which must be given for all that. Any thread. */
bool http_is_gone(const struct http_request *req);

/* ---- the answer: exactly one per request. Loop thread, or the pool thread that has the request. ---- */
/** One more header line ("WWW-Authenticate"); both static or living until the answer. At most four. Before the answer. */
void http_reply_header(struct http_request *req, const char *name, const char *value);
/** Answers with text (may be NULL: no body). type: NULL: Bitcoin Core's default, text/html. */
void http_reply_text(struct http_request *req, int status, const char *type, const char *text);
/** Answers with what was written; body is empty after. */
void http_reply_take(struct http_request *req, int status, const char *type, struct writer *body);
/** Answers with borrowed bytes; release(arg) is called on the loop thread when they are sent or nobody wants them. */
void http_reply_ref(struct http_request *req, int status, const char *type, const void *data, size_t len,
                    void (*release)(void *arg), void *arg);

/** The same with the first len bytes of a file, which must not change any more. */
void http_reply_file(struct http_request *req, int status, const char *type, int file, size_t len, void (*release)(void *arg),
                     void *arg);

/* ---- other threads ---- */
/** Has work(arg, req) run on a pool thread, which answers before it returns. If the work queue is full the client is told so (503).
 *  drop (may be NULL): frees arg if the work never runs. Loop thread. */
void http_offload(struct http_request *req, void (*work)(void *arg, struct http_request *req), void (*drop)(void *arg), void *arg);
/** Answers that the work queue is full: 503, with a line in the log. Loop thread. */
void http_refuse_busy(struct http_request *req);

#endif
