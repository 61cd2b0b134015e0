/* client.c - the connections of Electrum clients on the loop thread: lines of bounded length go to a pool thread, a few at a time, and answers come
 * back. A client that asks for more than its share waits, and is not read meanwhile; so does one that does not read its answers. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

#include "net/tls.h"
#include "server.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define JOB_BYTES ((size_t)64 << 10)   /* of lines in one job, unless one alone is longer */
#define UNREAD_MAX ((size_t)256 << 10) /* answers waiting, above which no more are made */
#define UNREAD_DROP ((size_t)4 << 20)  /* of notifications on top: it does not listen */
#define UNREAD_ALL ((size_t)128 << 20) /* of all clients: nobody gets more answers until some are taken */
#define INPUT_MAX ((size_t)64 << 10)   /* bytes of lines kept for later, and of a line */
#define LONG_LINES 32                  /* clients that may send longer ones at a time */
#define LONG_US 60000000               /* and how long such a line may take */
#define HELLO_US 60000000              /* to say the first word */
#define IDLE_US 600000000              /* without one */
#define STUCK_SECONDS 60               /* without taking a byte of what it is sent */
#define BUDGET_MAX 3000000             /* units of cost, about a microsecond each, that a client has saved at most */
#define BUDGET_SECOND 250000           /* and gets a second */

struct electrum_client {
    struct electrum *server;
    uint64_t id;
    size_t place;
    struct bufferevent *be;
    struct electrum_session s;
    int64_t last_us;           /* its last line */
    int64_t budget;            /* may be in debt */
    int64_t budget_us;         /* as of when */
    bool working;              /* the session is a pool thread's */
    bool waiting;              /* lines are there, for which it has no budget or does not read the answers */
    bool dead, hang_up, ended; /* ended: no more is coming */
    bool long_line;            /* has one of the few places for them */
    int64_t long_us;           /* since when */
    bool header_due;
    UT_hash_handle hh;        /* by id */
    struct json_writer later; /* notifications that came while it was working */
};

struct lines_job {
    struct electrum_client *client;
    char *text; /* lines, each with its end */
    size_t len;
    bool goes_on;
};

static void pump(struct electrum_client *c);

static void drop(struct electrum_client *c, const char *why)
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

static void client_free(struct electrum_client *c)
{
    struct electrum *e = c->server;
    size_t last = --e->n_clients;

    watch_remove_all(e->data.watches, &c->s.watcher);
    HASH_DELETE(hh, e->by_id, c);
    e->long_lines -= c->long_line;
    electrum_session_clear(&c->s);
    jw_clear(&c->later);
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

static size_t unread(const struct electrum_client *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->be));
}

static void send_bytes(struct electrum_client *c, struct json_writer *j)
{
    if (!c->dead && j->w.len) {
        bufferevent_write(c->be, j->w.data, j->w.len);
        if (unread(c) > ELECTRUM_REPLY_MAX + UNREAD_DROP)
            drop(c, "it does not read");
    }
    jw_clear(j);
}

/* ---- work ---- */

/* Pool thread. */
static void answer_lines(struct lines_job *job)
{
    struct electrum_session *s = &job->client->s;
    const char *p = job->text, *end = job->text + job->len;

    job->goes_on = true;
    while (p < end && job->goes_on && !atomic_load(&job->client->server->data.stopping)) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((stop ? stop : end) - p);
        if (len && p[len - 1] == '\r')
            len--;
        if (len)
            job->goes_on = electrum_session_line(s, p, len);
        p = stop ? stop + 1 : end;
    }
}

static void job_free(struct lines_job *job)
{
    free(job->text);
    free(job);
}

static void write_later(struct electrum_client *c)
{
    if (c->header_due)
        electrum_write_header(&c->later, c->server->height, c->server->header, true);
    c->header_due = false;
    send_bytes(c, &c->later);
}

/* Loop thread. */
static void on_answered(void *arg)
{
    static const struct timeval now = {0, 0};
    struct lines_job *job = arg;
    struct electrum_client *c = job->client;

    c->working = false;
    c->budget -= c->s.cost;
    c->s.cost = 0;
    send_bytes(c, &c->s.out);
    write_later(c);
    if (!job->goes_on)
        c->hang_up = true;
    job_free(job);
    if (c->dead) {
        if (c->server->reap)
            event_add(c->server->reap, &now);
    } else {
        pump(c);
    }
}

static void on_dropped(void *arg)
{
    job_free(arg); /* the loop has ended, and its clients are gone */
}

static void job_run(void *arg)
{
    struct lines_job *job = arg;

    answer_lines(job);
    loop_post(job->client->server->host.loop, on_answered, on_dropped, job);
}

static void refill(struct electrum_client *c, int64_t now)
{
    c->budget += (now - c->budget_us) * (BUDGET_SECOND / 1000) / 1000;
    if (c->budget > BUDGET_MAX)
        c->budget = BUDGET_MAX;
    c->budget_us = now;
}

/* The whole lines at the front of the input, at most JOB_BYTES of them. Returns: their length; 0: there is none. */
static size_t lines_ready(struct electrum_client *c, bool *too_long)
{
    struct evbuffer *in = bufferevent_get_input(c->be);
    size_t limit = electrum_session_limit(&c->s), len = 0;
    struct evbuffer_ptr at, from;

    *too_long = false;
    evbuffer_ptr_set(in, &from, 0, EVBUFFER_PTR_SET);
    for (;;) {
        at = evbuffer_search_eol(in, &from, NULL, EVBUFFER_EOL_LF);
        if (at.pos < 0) {
            *too_long = len == 0 && evbuffer_get_length(in) > limit;
            return len;
        }
        if ((size_t)at.pos - len > limit) {
            *too_long = len == 0;
            return len;
        }
        if (len && (size_t)at.pos + 1 > JOB_BYTES)
            return len;
        len = (size_t)at.pos + 1;
        if (!c->s.version || evbuffer_ptr_set(in, &from, len, EVBUFFER_PTR_SET) != 0 || len == evbuffer_get_length(in))
            return len; /* the first line alone: it sets limits */
    }
}

/* No line is whole yet. Most clients keep little of one; a few at a time may send transactions and packages. */
static void read_on(struct electrum_client *c, int64_t now)
{
    struct electrum *e = c->server;

    if (c->ended) {
        c->hang_up = true;
        if (unread(c) == 0)
            drop(c, "it hung up");
    } else if (!c->long_line && c->s.version && evbuffer_get_length(bufferevent_get_input(c->be)) >= INPUT_MAX) {
        c->waiting = e->long_lines == LONG_LINES;
        if (c->waiting)
            return;
        e->long_lines++;
        c->long_line = true;
        c->long_us = now;
        bufferevent_setwatermark(c->be, EV_READ, 0, ELECTRUM_LINE_MAX + 2);
    } else if (c->long_line && now - c->long_us > LONG_US) {
        drop(c, "a long line takes too long");
    }
}

static void end_long_line(struct electrum_client *c)
{
    c->server->long_lines -= c->long_line;
    c->long_line = false;
    bufferevent_setwatermark(c->be, EV_READ, 0, INPUT_MAX);
}

/* Starts the next job, if there is something to do, and the client may. */
static void pump(struct electrum_client *c)
{
    struct electrum *e = c->server;
    int64_t now = time_mono_us();
    struct lines_job *job;
    bool too_long;
    size_t len;

    if (c->dead || c->working || e->stopping)
        return;
    if (c->hang_up) {
        if (unread(c) == 0)
            drop(c, "it makes no sense");
        return;
    }
    refill(c, now);
    c->waiting = c->budget <= 0 || unread(c) > UNREAD_MAX || e->unread > UNREAD_ALL;
    if (c->waiting)
        return;
    len = lines_ready(c, &too_long);
    if (too_long) {
        drop(c, "a line is too long");
        return;
    }
    if (!len) {
        read_on(c, now);
        return;
    }
    job = xcalloc(1, sizeof(*job));
    job->client = c;
    job->text = xmalloc(len);
    job->len = len;
    bufferevent_read(c->be, job->text, len);
    if (c->long_line)
        end_long_line(c);
    c->last_us = now;
    c->working = true;
    pool_push(e->pool, job_run, job, 0);
}

static void on_readable(struct bufferevent *be, void *arg)
{
    (void)be;
    pump(arg);
}

static void on_written(struct bufferevent *be, void *arg)
{
    (void)be;
    pump(arg);
}

/* What it asked before is still answered. */
static void on_end(struct electrum_client *c)
{
    c->ended = true;
    pump(c);
}

static void on_event(struct bufferevent *be, short what, void *arg)
{
    (void)be;
    if (what & BEV_EVENT_TIMEOUT)
        drop(arg, "it does not read");
    else if (what & BEV_EVENT_ERROR)
        drop(arg, "the connection broke");
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
    if (c->later.w.len > UNREAD_DROP)
        drop(c, "too many notifications");
    else if (!c->working)
        send_bytes(c, &c->later);
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
        if (c->dead)
            continue;
        if (c->working) {
            c->header_due |= atomic_load(&c->s.headers);
        } else if (atomic_load(&c->s.headers)) {
            bufferevent_write(c->be, j.w.data, j.w.len);
        }
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
    static const struct timeval stuck = {STUCK_SECONDS, 0};
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
    c->last_us = c->budget_us = time_mono_us();
    c->budget = BUDGET_MAX;
    electrum_session_init(&c->s, &e->source, c->id);
    bufferevent_setcb(be, on_readable, on_written, on_event, c);
    bufferevent_setwatermark(be, EV_READ, 0, INPUT_MAX);
    bufferevent_set_timeouts(be, NULL, &stuck);
    bufferevent_enable(be, EV_READ | EV_WRITE);
    c->place = e->n_clients;
    e->clients[e->n_clients++] = c;
    HASH_ADD(hh, e->by_id, id, sizeof(c->id), c);
}

void electrum_clients_tick(struct electrum *e, int64_t now)
{
    e->unread = 0;
    for (size_t i = 0; i < e->n_clients; i++)
        e->unread += unread(e->clients[i]);
    for (size_t i = 0; i < e->n_clients; i++) {
        struct electrum_client *c = e->clients[i];
        if (c->dead || c->working)
            continue;
        if (now - c->last_us > (c->s.version ? IDLE_US : HELLO_US) && !c->waiting)
            drop(c, "it is silent");
        else if (c->waiting || c->long_line)
            pump(c);
    }
}

void electrum_clients_close(struct electrum *e)
{
    while (e->n_clients)
        client_free(e->clients[e->n_clients - 1]);
}
