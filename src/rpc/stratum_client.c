/* stratum_client.c - the connections of stratum clients: lines of bounded length, one a turn of the loop, and bounded output. Loop thread. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "rpc/stratum_priv.h"

#define MAX_OUTPUT ((size_t)256 << 10) /* bytes that a client may leave unread */

void stratum_client_drop(struct stratum_client *c, const char *why)
{
    static const struct timeval now = {0, 0};

    if (c->dead)
        return;
    c->dead = true;
    log_debug(LOG_RPC, "stratum: client %llu (%s) leaves: %s", (unsigned long long)c->id, c->address, why);
    turns_cancel(loop_turns(c->server->host.loop), &c->turn);
    bufferevent_disable(c->be, EV_READ | EV_WRITE);
    event_add(c->server->reap, &now);
}

static void client_free(struct stratum_client *c)
{
    struct stratum *st = c->server;
    struct stratum_client *last = st->clients[--st->n_clients];

    atomic_store(&st->occupied, st->n_clients > 0);
    st->clients[c->place] = last;
    last->place = c->place;
    st->accepted += c->s.accepted;
    st->rejected += c->s.rejected;
    st->stale += c->s.stale;
    turns_cancel(loop_turns(st->host.loop), &c->turn);
    bufferevent_free(c->be);
    stratum_session_clear(&c->s);
    free(c);
}

void stratum_reap(struct stratum *st)
{
    for (size_t i = st->n_clients; i-- > 0;) {
        if (st->clients[i]->dead)
            client_free(st->clients[i]);
    }
}

void stratum_client_flush(struct stratum_client *c)
{
    struct writer *out = &c->s.out.w;

    if (c->dead || out->len == 0)
        return;
    bufferevent_write(c->be, out->data, out->len);
    jw_clear(&c->s.out);
    if (evbuffer_get_length(bufferevent_get_output(c->be)) > MAX_OUTPUT)
        stratum_client_drop(c, "it does not read");
}

/* What follows from a line besides its answer. */
static void look_after(struct stratum_client *c, bool was_ready)
{
    struct stratum *st = c->server;
    struct stratum_session *s = &c->s;

    if (s->found) {
        stratum_submit_block(st, s->found, s->user);
        s->found = NULL;
    }
    if (was_ready || !stratum_session_ready(s))
        return;
    log_info("stratum: %s works for %s (%s)", c->address, s->user, s->agent);
    if (st->work && !atomic_load(&st->outdated))
        stratum_session_work(s, st->work, true);
    else
        stratum_ask(st);
}

/* One line. */
static void on_turn(void *ctx)
{
    struct stratum_client *c = ctx;
    struct evbuffer *in = bufferevent_get_input(c->be);
    bool ready = stratum_session_ready(&c->s), goes_on;
    size_t len;
    char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

    if (!line) {
        if (evbuffer_get_length(in) > STRATUM_LINE_MAX)
            stratum_client_drop(c, "a line is too long");
        return;
    }
    if (len && line[len - 1] == '\r')
        len--;
    c->last_us = time_mono_us();
    goes_on = stratum_session_line(&c->s, line, len, c->last_us);
    free(line);
    stratum_client_flush(c);
    if (!goes_on) {
        stratum_client_drop(c, "it makes no sense");
        return;
    }
    look_after(c, ready);
    stratum_client_flush(c);
    if (!c->dead && evbuffer_get_length(in))
        turns_queue(loop_turns(c->server->host.loop), &c->turn);
}

static void on_readable(struct bufferevent *be, void *arg)
{
    struct stratum_client *c = arg;

    (void)be;
    if (!c->dead)
        turns_queue(loop_turns(c->server->host.loop), &c->turn);
}

static void on_event(struct bufferevent *be, short what, void *arg)
{
    (void)be;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        stratum_client_drop(arg, what & BEV_EVENT_EOF ? "it hung up" : "the connection broke");
}

void stratum_client_accept(void *server, evutil_socket_t fd, const struct net_addr *peer, const struct net_addr *local)
{
    struct stratum *st = server;
    struct stratum_client *c;
    uint8_t extra1[STRATUM_EXTRA1];
    int on = 1;

    (void)local;
    if (st->n_clients == STRATUM_MAX_CLIENTS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    c = xcalloc(1, sizeof(*c));
    c->server = st;
    c->id = ++st->last_client;
    c->last_us = time_mono_us();
    net_addr_text(c->address, peer);
    put_be32(extra1, st->next_extra++);
    stratum_session_init(&c->s, st->host.params, extra1, st->difficulty, c->last_us);
    c->turn = (struct turn){.fn = on_turn, .ctx = c, .weight = 1};
    turns_join(loop_turns(st->host.loop), &c->turn);
    c->be = bufferevent_socket_new(loop_base(st->host.loop), fd, BEV_OPT_CLOSE_ON_FREE);
    ASSERT(c->be);
    bufferevent_setcb(c->be, on_readable, NULL, on_event, c);
    bufferevent_setwatermark(c->be, EV_READ, 0, 2 * (size_t)STRATUM_LINE_MAX);
    bufferevent_enable(c->be, EV_READ | EV_WRITE);
    c->place = st->n_clients;
    st->clients[st->n_clients++] = c;
    atomic_store(&st->occupied, true);
}
