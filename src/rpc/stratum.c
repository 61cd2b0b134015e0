/* stratum.c - the stratum server: listens, keeps the work of all clients up to date, hands in their blocks. Owned by node; the loop thread, with jobs
 * on the validation thread for templates and blocks. */
#include "rpc/stratum.h"

#include <event2/event.h>
#include <math.h>
#include <stdlib.h>

#include "rpc/mining_priv.h"
#include "rpc/stratum_priv.h"
#include "util/random.h"

#define DEFAULT_ADDRESS "127.0.0.1"
#define DEFAULT_PORT 3333
#define REFRESH_SECONDS 30    /* the same tip, but other fees and a later time */
#define HANDSHAKE_US 60000000 /* to subscribe and authorise */
#define DEFAULT_TIMEOUT 600   /* s */

/* ---- work ---- */

struct fresh_work {
    struct stratum *st;
    struct mining_work *work;
};

static void fresh_drop(void *arg)
{
    struct fresh_work *f = arg;

    mining_work_unref(f->work);
    free(f);
}

static void send_work(struct stratum *st, bool clean)
{
    uint8_t header[BLOCK_HEADER_SIZE] = {0};

    mining_work_set_time(header, st->work, st->host.params, time_now());
    st->bits = get_le32(header + 72);
    for (size_t i = 0; i < st->n_clients; i++) {
        struct stratum_client *c = st->clients[i];
        if (c->dead || !stratum_session_ready(&c->s))
            continue;
        stratum_session_work(&c->s, st->work, clean);
        stratum_client_flush(c);
    }
}

static void publish(void *arg)
{
    struct fresh_work *f = arg;
    struct stratum *st = f->st;
    bool clean = !st->work || st->work->t->prev != f->work->t->prev;

    mining_work_unref(st->work);
    st->work = mining_work_ref(f->work);
    st->work_time = time_now();
    send_work(st, clean);
    fresh_drop(f);
}

/* Validation thread. */
static void make_work(void *arg)
{
    struct stratum *st = arg;
    struct fresh_work *f;

    atomic_store(&st->asked, false);
    if (!mining_ready(st->host.chain))
        return; /* the clock asks again */
    chain_drain(st->host.chain);
    atomic_store(&st->outdated, false);
    f = xcalloc(1, sizeof(*f));
    f->st = st;
    f->work = mining_work_new(template_cache_get(st->host.templates, st->host.chain, st->host.mempool, st->host.mining));
    loop_post(st->host.loop, publish, fresh_drop, f);
}

void stratum_ask(struct stratum *st)
{
    if (!atomic_exchange(&st->asked, true))
        queue_push(st->host.validation, make_work, NULL, st, 0);
}

void stratum_tip_changed(struct stratum *st)
{
    atomic_store(&st->outdated, true);
    if (atomic_load(&st->occupied))
        stratum_ask(st);
}

/* ---- blocks ---- */

struct found_block {
    struct stratum *st;
    struct block *block;
    char *user;
};

static void found_drop(void *arg)
{
    struct found_block *f = arg;

    block_unref(f->block);
    free(f->user);
    free(f);
}

static void count_block(void *arg)
{
    struct stratum *st = arg;

    st->blocks++;
}

/* Validation thread. */
static void submit(void *arg)
{
    struct found_block *f = arg;
    struct submit_op op = {.chain = f->st->host.chain, .block = f->block};
    char text[sizeof(struct verdict)];

    rpc_submit_on_validation(&op);
    if (op.done && op.verdict.kind != VERDICT_VALID) {
        log_warning("stratum: the block %s of %s was refused: %s", block_hash_hex(&f->block->hash).s, f->user,
                    verdict_string(&op.verdict, text));
    } else {
        log_info("stratum: %s found block %s%s", f->user, block_hash_hex(&f->block->hash).s,
                 op.connected ? "" : ", which is not in the best chain");
        loop_post(f->st->host.loop, count_block, NULL, f->st);
    }
    found_drop(f);
}

void stratum_submit_block(struct stratum *st, struct block *b_take, const char *user)
{
    struct found_block *f = xcalloc(1, sizeof(*f));

    f->st = st;
    f->block = b_take;
    f->user = xstrdup(user);
    queue_push(st->host.validation, submit, found_drop, f, b_take->raw_len);
}

/* ---- the clock ---- */

/* On networks where a late block may be easier, the work of all changes with the time. */
static bool bits_changed(const struct stratum *st)
{
    uint8_t header[BLOCK_HEADER_SIZE] = {0};

    if (!st->host.params->pow_min_difficulty_blocks)
        return false;
    mining_work_set_time(header, st->work, st->host.params, time_now());
    return get_le32(header + 72) != st->bits;
}

/* A clock that was set back counts as well. */
static bool refresh_due(const struct stratum *st)
{
    int64_t now = time_now();

    return now - st->work_time > REFRESH_SECONDS || now < st->work_time;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct stratum *st = arg;
    int64_t now = time_mono_us();

    (void)fd;
    (void)what;
    for (size_t i = 0; i < st->n_clients; i++) {
        struct stratum_client *c = st->clients[i];
        if (c->dead)
            continue;
        if (now - c->last_us > st->timeout_us ||
            (!stratum_session_ready(&c->s) &&
             now - c->s.start_us > (HANDSHAKE_US < st->timeout_us ? HANDSHAKE_US : st->timeout_us)))
            stratum_client_drop(c, "it is silent");
        stratum_session_tick(&c->s, now);
        stratum_client_flush(c);
    }
    if (st->n_clients == 0)
        return;
    if (!st->work || atomic_load(&st->outdated) || refresh_due(st))
        stratum_ask(st);
    else if (bits_changed(st))
        send_work(st, true);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    stratum_reap(arg);
}

/* ---- life ---- */

static bool fail(char **error, char *text_take)
{
    *error = text_take;
    return false;
}

static bool listen_at(struct stratum *st, const char *text, char **error)
{
    struct net_addr a;

    if (!*text || strcmp(text, "1") == 0)
        text = DEFAULT_ADDRESS;
    if (!net_addr_parse(&a, text, DEFAULT_PORT))
        return fail(error, xasprintf("Cannot resolve -stratum address: '%s'", text));
    if (st->n_listeners == STRATUM_MAX_LISTENERS)
        return fail(error, xasprintf("-stratum may be given %d times at most", STRATUM_MAX_LISTENERS));
    st->listeners[st->n_listeners] = listener_new(st->host.loop, &a, stratum_client_accept, st, error);
    if (!st->listeners[st->n_listeners])
        return false;
    st->n_listeners++;
    return true;
}

static bool read_options(struct stratum *st, const char *const *values, size_t n, char **error)
{
    const char *difficulty = args_str(st->host.args, "stratumdifficulty", "1");
    int64_t timeout = args_int(st->host.args, "stratumtimeout", DEFAULT_TIMEOUT);

    if (st->host.params->signet)
        return fail(error, xstrdup("-stratum is not possible on a signet, whose blocks need a signature"));
    st->timeout_us = (timeout < 1 ? 1 : timeout > 1000000 ? 1000000 : timeout) * 1000000;
    st->difficulty = strtod(difficulty, NULL);
    if (!isfinite(st->difficulty) || st->difficulty <= 0)
        return fail(error, xasprintf("Invalid -stratumdifficulty: '%s'", difficulty));
    for (size_t i = 0; i < n; i++) {
        if (!listen_at(st, values[i], error))
            return false;
    }
    return true;
}

bool stratum_start(struct stratum **out, const struct rpc_host *host, char **error)
{
    static const struct timeval second = {1, 0};
    const char *const *values;
    size_t n = args_list(host->args, "stratum", &values);
    struct stratum *st;

    *out = NULL;
    if (n == 0 || args_is_negated(host->args, "stratum") || (n == 1 && strcmp(values[0], "0") == 0))
        return true;
    st = xcalloc(1, sizeof(*st));
    st->host = *host;
    random_bytes(&st->next_extra, sizeof(st->next_extra));
    atomic_init(&st->outdated, true);
    st->tick = event_new(loop_base(host->loop), -1, EV_PERSIST, on_tick, st);
    st->reap = event_new(loop_base(host->loop), -1, 0, on_reap, st);
    ASSERT(st->tick && st->reap);
    event_add(st->tick, &second);
    if (read_options(st, values, n, error)) {
        *out = st;
        return true;
    }
    stratum_stop(st);
    stratum_free(st);
    return false;
}

void stratum_stop(struct stratum *st)
{
    for (size_t i = 0; i < st->n_listeners; i++)
        listener_free(st->listeners[i]);
    st->n_listeners = 0;
    for (size_t i = 0; i < st->n_clients; i++)
        stratum_client_drop(st->clients[i], "the node stops");
    stratum_reap(st);
    event_free(st->tick);
    event_free(st->reap);
    st->tick = st->reap = NULL;
}

void stratum_free(struct stratum *st)
{
    if (!st)
        return;
    mining_work_unref(st->work);
    free(st);
}
