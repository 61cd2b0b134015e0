/* http_server.h - connections and requests inside the HTTP server: http.c (paths, time, other threads), http_listen.c (who may connect, and where),
 * http_conn.c (bytes in), http_tls.c, http_reply.c (answers), http_send.c (bytes out), and what http_rpc.c needs beyond http_priv.h. Loop thread
 * where nothing else is said. */
#ifndef FARTHING_RPC_HTTP_SERVER_H
#define FARTHING_RPC_HTTP_SERVER_H

#include <event2/event.h>
#include <stdatomic.h>

#include "net/netaddr.h"
#include "net/subnet.h"
#include "rpc/http_parser.h"

#define HTTP_ROUTES_MAX 16
#define HTTP_LISTENERS_MAX 32
#define HTTP_REPLY_HEADERS_MAX 4
#define HTTP_SCRATCH 65536   /* what one read takes */
#define HTTP_AHEAD_MAX 65536 /* bytes that are kept of a client who goes on sending before he has his answer */

struct rpc_server;
struct bufferevent;
struct tls_context;

struct http_request {
    struct http_conn *conn;
    struct http_parser parse;
    const struct http_route *route;
    bool pending; /* the handler has it */
    bool away;    /* another thread has it: an answer is only noted */
    atomic_bool gone;
    char *peer; /* text, NULL: not asked for yet */
    /* the answer */
    bool answered;
    bool hang_up; /* the connection is of no use after it */
    int status;
    const char *type;
    const char *header[HTTP_REPLY_HEADERS_MAX][2];
    unsigned n_headers;
    const void *data;
    size_t len;
    bool from_file; /* the body is in `file`, not at `data` */
    int file;
    void (*release)(void *arg);
    void *release_arg;
    /* the handler's */
    void *job;
    void (*on_gone)(struct http_request *req);
    void (*on_sent)(void *arg);
    void *sent_arg;
    void (*on_back)(struct http_request *req);
    struct http_request *next_back;
};

struct http_conn {
    struct http_conn *next, *prev; /* in a list of the server, longest idle first */
    struct http_conn_list *list;
    struct http_server *server;
    struct http_request req;
    int fd; /* -1: closed */
    struct event *readable, *writable;
    struct bufferevent *tls; /* NULL: plain */
    uint64_t id;
    struct net_addr peer;   /* all zero: a unix socket */
    int64_t active_us;      /* the last byte either way */
    int64_t begun_us;       /* the first byte of the request that is being read; 0: none */
    struct writer in;       /* received, not looked at yet */
    struct writer out;      /* of the answer's head, what the socket did not take yet */
    size_t out_at, body_at; /* of it and of the body: sent */
    bool sending;           /* an answer is under way */
    bool feeding;           /* inside conn_feed: not to be freed */
    bool undecided;         /* the first byte will tell whether it is TLS */
    bool trusted;           /* the body that is being read is welcome (route's pass) */
    bool proven;            /* a request of it was served */
    bool paused;            /* not reading */
    bool eof;
    bool closing; /* the last answer is sent: reads until the client has gone, so that it gets the answer */
    void *session;
    void (*session_free)(void *session);
};

struct http_conn_list {
    struct http_conn *first, *last;
    size_t n;
};

struct http_server {
    struct rpc_server *rpc;
    struct loop *loop; /* of rpc->host, which the loop may be replacing while a pool thread hands a request back */
    struct event_base *base;
    struct tls_context *tls; /* NULL: none */
    struct listener *listeners[HTTP_LISTENERS_MAX];
    size_t n_listeners;
    char *unix_path; /* of a socket to be removed, NULL: none */
    struct subnet *allowed;
    size_t n_allowed;
    struct http_route routes[HTTP_ROUTES_MAX];
    size_t n_routes;
    struct http_conn_list fresh, proven; /* connections that were served nothing yet, and the others */
    size_t conns_max;
    uint64_t last_id;
    int64_t timeout_us; /* -rpcservertimeout; 0: none */
    struct event *sweep;
    struct http_request *back; /* guarded by rpc->mutex: handed back by other threads */
    char date[32];
    int64_t date_of;
    bool stopping;
    char scratch[HTTP_SCRATCH];
};

/* ---- http.c ---- */
bool http_server_new(struct http_server **out, struct rpc_server *s, char **error);
/** Accepts nothing from now on. */
void http_server_close_doors(struct http_server *h);
/** Gives clients a moment to take what is on its way to them, closes everything. No request is with another thread. */
void http_server_free(struct http_server *h);
const struct http_route *http_route_of(const struct http_server *h, const char *target);
/** Requests that are back from other threads. */
void http_take_back(struct http_server *h);

/* ---- http_listen.c ---- */
/** Opens the sockets that the options name. Returns: false with *error. */
bool http_listen(struct http_server *h, char **error);

/* ---- http_conn.c ---- */
/** A connection that was accepted. fd is taken. */
void http_conn_new(struct http_server *h, int fd, const struct net_addr *peer);
void http_conn_touch(struct http_conn *c);
/** Closes it at once, unless another thread has its request. */
void http_conn_drop(struct http_conn *c);
/** Looks at the clock. Returns: false if it was dropped. */
bool http_conn_check_time(struct http_conn *c, int64_t now_us);
/** Bytes from the client. */
void http_conn_input(struct http_conn *c, const char *data, size_t n);
/** It goes on sending and is to be read no more until he has his answer. */
bool http_conn_full(const struct http_conn *c);
/** The client has shut its side. */
void http_conn_eof(struct http_conn *c);
/** The answer is with the system: on to the next request, or, without keep, to the end. */
void http_conn_next(struct http_conn *c, bool keep);

/* ---- http_send.c ---- */
/** The answer of its request is there: sends it. */
void http_conn_answer(struct http_conn *c);
/** There is room in the socket (event callback; arg: the connection). */
void http_send_on_writable(evutil_socket_t fd, short what, void *arg);
/** Waits until what is on its way is sent, or until_us. */
void http_conn_flush(struct http_conn *c, int64_t until_us);

/* ---- http_tls.c ---- */
/** A connection's first byte was one of TLS. */
void http_tls_start(struct http_conn *c);
/** Sends head and body of its answer; http_conn_next follows when they are sent. */
void http_tls_send(struct http_conn *c, const char *head, size_t n);

/* ---- http_reply.c ---- */
#define HTTP_HEAD_ROOM 1024
/** The head of the request's answer. Returns: its length. Out: *keep: does the connection go on? *body: is the body sent? */
size_t http_reply_head(struct http_request *req, char out[HTTP_HEAD_ROOM], bool *keep, bool *body);
/** Lets go of the body. */
void http_reply_release(struct http_request *req);
/** Answers with a bare status that is not to be cached. */
void http_reply_error(struct http_request *req, int status, const char *text);

/* ---- for http_rpc.c ---- */
/** What the connection remembers for the handlers; freed with it. Setting replaces. */
void *http_session(struct http_request *req);
void http_session_set(struct http_request *req, void *session, void (*free_fn)(void *session));
/** Another thread has the request from now on, until it calls http_hand_back. */
void http_take_away(struct http_request *req);
/** Any thread: back(req) runs on the loop thread, which has the request again. */
void http_hand_back(struct http_request *req, void (*back)(struct http_request *req));
/** fn is called when the client hangs up before the answer (which must be given for all that). */
void http_on_gone(struct http_request *req, void (*fn)(struct http_request *req));
/** fn(arg) is called when the answer is sent, or can not be. */
void http_on_sent(struct http_request *req, void (*fn)(void *arg), void *arg);

#endif
