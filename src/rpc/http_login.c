/* http_login.c - who calls over HTTP: names and passwords, remembered for a connection, and slow answers to wrong ones. Loop thread. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "rpc/http_rpc.h"

#define WRONG_PASSWORD_MS 250
#define GUESSES_AT_A_TIME 16 /* wrong passwords answered in that time */

static void session_free(void *arg)
{
    struct session *s = arg;

    if (s->header)
        crypto_wipe(s->header, strlen(s->header));
    free(s->header);
    free(s->user);
    free(s);
}

struct session *http_session_of(struct http_request *req)
{
    struct session *s = http_session(req);

    if (!s) {
        s = xcalloc(1, sizeof(*s));
        http_session_set(req, s, session_free);
    }
    return s;
}

static bool same_secret(const char *a, const char *b)
{
    size_t n = strlen(a);

    return n == strlen(b) && crypto_memcmp(a, b, n) == 0;
}

/* Before the body is read: bodies of those who may not call are not kept. */
bool http_login(void *arg, struct http_request *req)
{
    struct rpc_http *h = arg;
    struct session *s = http_session_of(req);
    const char *header = http_header(req, "Authorization");
    char *user;

    s->verdict = SESSION_NO_HEADER;
    if (!header)
        return false;
    s->verdict = SESSION_OPEN;
    if (s->header && same_secret(header, s->header))
        return true;
    if (!rpc_auth_check(h->rpc->auth, header, &user)) {
        s->verdict = SESSION_WRONG;
        return false;
    }
    free(s->user);
    if (s->header)
        crypto_wipe(s->header, strlen(s->header));
    free(s->header);
    s->user = user;
    s->header = xstrdup(header);
    return true;
}

static void on_refused_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rpc_job *job = arg;
    struct http_request *req = job->req;

    (void)fd;
    (void)what;
    http_job_free(job);
    http_send_unauthorized(req);
}

/* The client has gone, or will send no more, which does not get him his answer sooner. */
static void on_refused_gone(struct http_request *req)
{
    if (http_is_gone(req)) {
        http_job_free(req->job);
        http_send_unauthorized(req);
    } else {
        http_on_gone(req, on_refused_gone);
    }
}

/* A wrong password is answered late, so that guessing is slow, and not faster with more connections than Bitcoin Core's threads would be. */
void http_login_refuse(struct rpc_http *h, struct http_request *req)
{
    const int64_t now = time_mono_us(), soonest = now + WRONG_PASSWORD_MS * 1000;
    int64_t next = h->last_refusal_us + WRONG_PASSWORD_MS * 1000 / GUESSES_AT_A_TIME;
    struct rpc_job *job = http_job_new(h, req, JOB_REFUSED);
    struct timeval tv;

    log_warning("ThreadRPCServer incorrect password attempt from %s", http_peer(req));
    h->last_refusal_us = next > soonest ? next : soonest;
    tv.tv_sec = (h->last_refusal_us - now) / 1000000;
    tv.tv_usec = (h->last_refusal_us - now) % 1000000;
    job->timer = evtimer_new(h->http->base, on_refused_timer, job);
    http_on_gone(req, on_refused_gone);
    evtimer_add(job->timer, &tv);
}
