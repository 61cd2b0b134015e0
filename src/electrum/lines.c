/* lines.c - what Electrum clients ask: lines of bounded length go to a pool thread, a few at a time, and answers come back. A client that asks for
 * more than its share waits, and is not read meanwhile; so does one that does not read its answers. Loop thread, but for the answering itself. */
#include <event2/event.h>
#include <stdlib.h>

#include "client.h"
#include "util/mem.h"
#include "util/time.h"

#define JOB_BYTES ((size_t)64 << 10) /* of lines in one job, unless one alone is longer */
#define LONG_LINES 32                /* clients that may send lines above INPUT_MAX at a time */
#define LONG_US 60000000             /* and how long such a line may take */
#define BUDGET_MAX 3000000           /* units of cost, about a microsecond each, that a client has saved at most */
#define BUDGET_SECOND 250000         /* and gets a second */

struct lines_job {
    struct electrum_client *client;
    char *text; /* lines, each with its end */
    size_t len, done;
    int64_t budget; /* no further line once this is used up */
    bool goes_on;
};

void electrum_lines_init(struct electrum_client *c)
{
    c->budget = BUDGET_MAX;
    c->budget_us = time_mono_us();
    bufferevent_setwatermark(c->be, EV_READ, 0, INPUT_MAX);
}

/* ---- answering ---- */

/* Short lines may have long answers: what is beyond the client's share is left for later. */
static bool is_enough(const struct lines_job *job)
{
    const struct electrum_session *s = &job->client->s;

    return s->cost >= job->budget || s->out.w.len > UNREAD_MAX || atomic_load(&job->client->server->data.stopping);
}

/* Pool thread. */
static void answer_lines(struct lines_job *job)
{
    job->goes_on = true;
    while (job->done < job->len && job->goes_on && !is_enough(job)) {
        const char *p = job->text + job->done, *stop = memchr(p, '\n', job->len - job->done);
        size_t len = stop ? (size_t)(stop - p) : job->len - job->done;
        job->done += stop ? len + 1 : len;
        if (len && p[len - 1] == '\r')
            len--;
        if (len)
            job->goes_on = electrum_session_line(&job->client->s, p, len);
    }
}

static void job_free(struct lines_job *job)
{
    free(job->text);
    free(job);
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
    if (!job->goes_on)
        c->hang_up = true;
    else if (job->done < job->len && !c->dead)
        evbuffer_prepend(bufferevent_get_input(c->be), job->text + job->done, job->len - job->done);
    electrum_client_answer(c, &c->s.out);
    job_free(job);
    if (!c->dead)
        electrum_client_pump(c);
    else if (c->server->reap)
        event_add(c->server->reap, &now);
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

/* ---- lines ---- */

static void refill(struct electrum_client *c)
{
    int64_t now = time_mono_us();

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
static void read_on(struct electrum_client *c)
{
    struct electrum *e = c->server;

    if (c->ended) {
        c->hang_up = true;
        if (electrum_client_unread(c) == 0)
            electrum_client_drop(c, "it hung up");
    } else if (!c->long_line && c->s.version && evbuffer_get_length(bufferevent_get_input(c->be)) >= INPUT_MAX) {
        c->waiting = e->long_lines == LONG_LINES;
        if (c->waiting)
            return;
        e->long_lines++;
        c->long_line = true;
        c->long_us = time_now_us();
        bufferevent_setwatermark(c->be, EV_READ, 0, ELECTRUM_LINE_MAX + 2);
    } else if (c->long_line && time_now_us() - c->long_us > LONG_US) {
        electrum_client_drop(c, "a long line takes too long");
    }
}

static void end_long_line(struct electrum_client *c)
{
    c->server->long_lines -= c->long_line;
    c->long_line = false;
    bufferevent_setwatermark(c->be, EV_READ, 0, INPUT_MAX);
}

static bool may_ask(struct electrum_client *c)
{
    size_t unread = electrum_client_unread(c);

    refill(c);
    return c->budget > 0 && unread <= UNREAD_MAX && (unread == 0 || c->server->unread <= UNREAD_ALL);
}

static void start_job(struct electrum_client *c, size_t len)
{
    struct lines_job *job = xcalloc(1, sizeof(*job));

    job->client = c;
    job->text = xmalloc(len);
    job->len = len;
    job->budget = c->budget;
    bufferevent_read(c->be, job->text, len);
    if (c->long_line)
        end_long_line(c);
    c->last_us = time_now_us();
    c->working = true;
    pool_push(c->server->pool, job_run, job, 0);
}

void electrum_client_pump(struct electrum_client *c)
{
    bool too_long;
    size_t len;

    if (c->dead || c->working || c->server->stopping)
        return;
    if (c->hang_up) {
        if (electrum_client_unread(c) == 0)
            electrum_client_drop(c, "it makes no sense");
        return;
    }
    c->waiting = !may_ask(c);
    if (c->waiting)
        return;
    len = lines_ready(c, &too_long);
    if (too_long)
        electrum_client_drop(c, "a line is too long");
    else if (len)
        start_job(c, len);
    else
        read_on(c);
}
