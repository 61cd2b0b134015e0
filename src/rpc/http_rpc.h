/* http_rpc.h - calls that came over HTTP: http_rpc.c (where they run), http_login.c (who may call), http_wait.c (those that wait). Loop thread. */
#ifndef FARTHING_RPC_HTTP_RPC_H
#define FARTHING_RPC_HTTP_RPC_H

#include "rpc/http_server.h"
#include "rpc/server_priv.h"

enum job_kind { JOB_ON_POOL, JOB_WAITING, JOB_REFUSED };
/* A request that is not answered at once. */
struct rpc_job {
    struct rpc_http *h;
    struct http_request *req;
    enum job_kind kind;
    struct json_object *request; /* NULL: still text */
    char *user;
    struct rpc_reply reply;
    struct remote_job *remote;       /* what the validation thread does of it, NULL: nothing */
    struct mempool_scripts *scripts; /* that the pool runs first */
    bool looked_at;                  /* whether there are any */
    struct event *timer;
    int64_t deadline_us;         /* JOB_WAITING; 0: none */
    struct rpc_job *next, *prev; /* jobs of the server */
};

struct rpc_http {
    struct rpc_server *rpc;
    struct http_server *http;
    struct rpc_job *jobs;
    unsigned n_waiting;      /* of them long polls */
    unsigned n_remote;       /* of them on the validation thread */
    int64_t last_refusal_us; /* when the last wrong password will have been answered */
    struct event *stop_timer;
    bool stop_requested;
};

/* Whom a connection speaks for: its last Authorization line that was right is not looked up again. */
struct session {
    char *header, *user;                                             /* NULL: none yet */
    enum { SESSION_OPEN, SESSION_NO_HEADER, SESSION_WRONG } verdict; /* on the request under way */
};

/* ---- http_rpc.c ---- */
struct rpc_job *http_job_new(struct rpc_http *h, struct http_request *req, enum job_kind kind);
void http_job_free(struct rpc_job *job);
/** Sends its reply; the job is let go of. */
void http_job_answer(struct rpc_job *job);
/** The same for a job that comes back from another thread. */
void http_job_back(struct http_request *req);
void http_send_unauthorized(struct http_request *req);

/* ---- http_login.c ---- */
/** What the connection is known for. */
struct session *http_session_of(struct http_request *req);
/** A route's `pass`: bodies of those who may not call are not kept. Out: the session's verdict. */
bool http_login(void *arg, struct http_request *req);
/** A wrong password is answered late. */
void http_login_refuse(struct rpc_http *h, struct http_request *req);

/* ---- http_wait.c ---- */
/** Its reply is deferred: it waits, without a thread. */
void http_wait_start(struct rpc_job *job);
/** The wait is over: answers. */
void http_wait_end(struct rpc_job *job);

#endif
