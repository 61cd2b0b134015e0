/* test_connection.c - the loop and real sockets on the loopback: posting, connecting, backpressure both ways, peers that send garbage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connection.h"
#include "net/endpoint.h"
#include "util/mem.h"
#include "util/time.h"

struct side {
    struct connection *conn;
    unsigned messages, closed, writable;
    unsigned pause_at; /* after so many messages, 0: never */
    char last_type[13];
    enum transport_role role;
    bool wanted_v1; /* when it was closed */
    char transport[12];
};

struct world {
    struct loop *loop;
    struct listener *listener;
    struct net_addr addr;
    struct side a, b; /* a connected, b accepted */
    bool failed, early;
    int err;
};

static const uint8_t magic[4] = {1, 2, 3, 4};

static bool on_message(void *ctx, struct connection *c, const struct message *m)
{
    struct side *s = ctx;
    assert_ptr_equal(c, s->conn);
    strcpy(s->last_type, m->type);
    return ++s->messages != s->pause_at;
}

static void on_writable(void *ctx, struct connection *c)
{
    struct side *s = ctx;
    (void)c;
    s->writable++;
}

static void on_closed(void *ctx, struct connection *c)
{
    struct side *s = ctx;
    s->closed++;
    s->wanted_v1 = connection_wants_v1(c);
    strcpy(s->transport, connection_transport(c));
    s->conn = NULL;
    connection_free(c);
}

static struct connection *make(struct world *w, evutil_socket_t fd, struct side *s)
{
    struct connection_config config = {
        .id = 1, .max_send = 100000, .events = {on_message, on_writable, on_closed}, .ctx = s, .role = s->role};
    memcpy(config.magic, magic, 4);
    return connection_new(w->loop, fd, &config);
}

static void on_accept(void *ctx, evutil_socket_t fd, const struct net_addr *peer, const struct net_addr *local)
{
    struct world *w = ctx;
    assert_true(net_addr_is_local(peer));
    assert_int_equal(local->port, w->addr.port);
    w->b.conn = make(w, fd, &w->b);
}

static void on_connected(void *ctx, evutil_socket_t fd, const struct net_addr *peer, int err)
{
    struct world *w = ctx;
    (void)peer;
    w->err = err;
    w->failed = fd < 0;
    if (fd >= 0)
        w->a.conn = make(w, fd, &w->a);
    if (w->early) { /* nothing can have come from the other end */
        assert_string_equal(connection_transport(w->a.conn), "detecting");
        assert_null(connection_session_id(w->a.conn));
        connection_send(w->a.conn, "ping", "12345678", 8);
        connection_send(w->a.conn, "oddity", "", 0);
    }
}

/* Runs the loop until *what reaches n, or fails after five seconds. */
#define run_until(w, cond)                                                                                                         \
    do {                                                                                                                           \
        int64_t end_ = time_mono_us() + 5000000;                                                                                   \
        while (!(cond)) {                                                                                                          \
            assert_true(time_mono_us() < end_);                                                                                    \
            event_base_loop(loop_base((w)->loop), EVLOOP_NONBLOCK);                                                                \
        }                                                                                                                          \
    } while (0)

static void run_for(struct world *w, int64_t us)
{
    int64_t end = time_mono_us() + us;
    while (time_mono_us() < end)
        event_base_loop(loop_base(w->loop), EVLOOP_NONBLOCK);
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    char *error = NULL;

    w->loop = loop_new();
    w->addr.network = NET_IPV4;
    memcpy(w->addr.ip, "\x7f\0\0\1", 4);
    for (w->addr.port = 23000 + (uint16_t)(getpid() % 20000); !w->listener; w->addr.port++) {
        w->listener = listener_new(w->loop, &w->addr, on_accept, w, &error);
        free(error);
        error = NULL;
        if (w->listener)
            break;
    }
    *state = w;
    return 0;
}

static int setup_v2(void **state)
{
    struct world *w;
    setup(state);
    w = *state;
    w->a.role = TRANSPORT_V2_INITIATOR;
    w->b.role = TRANSPORT_V2_RESPONDER;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    connection_free(w->a.conn);
    connection_free(w->b.conn);
    listener_free(w->listener);
    loop_free(w->loop);
    free(w);
    return 0;
}

static void connect_pair(struct world *w)
{
    connector_start(w->loop, &w->addr, 2000, on_connected, w);
    run_until(w, w->a.conn && w->b.conn);
}

static void talk(void **state)
{
    struct world *w = *state;
    struct message_count counts[8];

    connect_pair(w);
    connection_send(w->a.conn, "ping", "12345678", 8);
    connection_send(w->a.conn, "oddity", "", 0);
    run_until(w, w->b.messages == 2);
    assert_string_equal(w->b.last_type, "oddity");
    assert_int_equal(connection_bytes_recv(w->b.conn), 32 + 24);
    assert_int_equal(connection_bytes_sent(w->a.conn), 32 + 24);
    assert_int_equal(connection_message_counts(w->b.conn, counts, 8), 2);
    assert_string_equal(counts[0].type, "*other*");
    assert_int_equal(counts[0].recv, 24);
    assert_string_equal(counts[1].type, "ping");
    assert_int_equal(counts[1].recv, 32);
    connection_close(w->a.conn);
    run_until(w, w->a.closed && w->b.closed);
}

/* What is sent before the keys are there waits for them; byte counts are those of the wire. */
static void talk_v2(void **state)
{
    struct world *w = *state;
    struct message_count counts[8];

    w->early = true;
    connect_pair(w);
    run_until(w, w->b.messages == 2);
    assert_string_equal(w->b.last_type, "oddity");
    assert_string_equal(connection_transport(w->b.conn), "v2");
    run_until(w, connection_session_id(w->a.conn));
    assert_memory_equal(connection_session_id(w->a.conn), connection_session_id(w->b.conn), 32);
    assert_int_equal(connection_message_counts(w->b.conn, counts, 8), 2);
    assert_int_equal(counts[0].recv, 20 + 13); /* *other* */
    assert_int_equal(counts[1].recv, 20 + 1 + 8);
    assert_int_equal(connection_bytes_recv(w->b.conn), connection_bytes_sent(w->a.conn));
    connection_send(w->b.conn, "pong", "12345678", 8);
    run_until(w, w->a.messages == 1);
    connection_close(w->b.conn);
    run_until(w, w->a.closed && w->b.closed);
    assert_false(w->a.wanted_v1);
    assert_string_equal(w->a.transport, "v2");
}

/* A responder understands v1, and an initiator learns that its peer knows nothing else. */
static void mixed(void **state)
{
    struct world *w = *state;

    w->a.role = TRANSPORT_V1_ONLY;
    connect_pair(w);
    connection_send(w->a.conn, "version", "12345678", 8);
    run_until(w, w->b.messages == 1);
    assert_string_equal(connection_transport(w->b.conn), "v1");
    connection_send(w->b.conn, "verack", "", 0);
    run_until(w, w->a.messages == 1);
    connection_close(w->a.conn);
    run_until(w, w->a.closed && w->b.closed);
    assert_false(w->a.wanted_v1 || w->b.wanted_v1);

    w->a = (struct side){.role = TRANSPORT_V2_INITIATOR};
    w->b = (struct side){.role = TRANSPORT_V1_ONLY};
    w->early = true;
    connector_start(w->loop, &w->addr, 2000, on_connected, w);
    run_until(w, w->a.closed && w->b.closed);
    assert_true(w->a.wanted_v1);
    assert_string_equal(w->a.transport, "detecting");
    assert_int_equal(w->b.messages, 0);
}

static void refused(void **state)
{
    struct world *w = *state;
    struct net_addr addr = w->addr;

    listener_free(w->listener);
    w->listener = NULL;
    connector_start(w->loop, &addr, 2000, on_connected, w);
    run_until(w, w->failed);
    assert_int_equal(w->err, ECONNREFUSED);
}

static void bind_twice(void **state)
{
    struct world *w = *state;
    char *error = NULL, *want;

    assert_null(listener_new(w->loop, &w->addr, on_accept, w, &error));
    want = xasprintf("Unable to bind to 127.0.0.1:%u on this computer. Farthing is probably already running.", w->addr.port);
    assert_string_equal(error, want);
    free(want);
    free(error);
}

/* What comes after a pause is neither lost nor delivered early. */
static void pause_and_resume(void **state)
{
    struct world *w = *state;

    w->b.pause_at = 3;
    connect_pair(w);
    for (int i = 0; i < 10; i++)
        connection_send(w->a.conn, "ping", "12345678", 8);
    run_until(w, w->b.messages == 3);
    run_for(w, 20000);
    assert_int_equal(w->b.messages, 3);
    w->b.pause_at = 5;
    connection_resume(w->b.conn);
    run_until(w, w->b.messages == 5);
    run_for(w, 20000);
    assert_int_equal(w->b.messages, 5);
    w->b.pause_at = 0;
    connection_resume(w->b.conn);
    run_until(w, w->b.messages == 10);
}

static void full_and_writable(void **state)
{
    struct world *w = *state;
    uint8_t *block = xcalloc(1, 1000000);
    unsigned sent = 0;

    w->b.pause_at = 1; /* reads one message, then nothing */
    connect_pair(w);
    while (!connection_send_full(w->a.conn) && sent < 100) {
        connection_send(w->a.conn, "block", block, 1000000);
        sent++;
        event_base_loop(loop_base(w->loop), EVLOOP_NONBLOCK);
    }
    assert_true(sent < 100); /* the system's buffers are finite, so it fills */
    assert_int_equal(w->a.writable, 0);
    w->b.pause_at = 0;
    run_until(w, w->b.messages >= 1);
    connection_resume(w->b.conn);
    run_until(w, w->b.messages == sent);
    run_until(w, w->a.writable == 1);
    assert_false(connection_send_full(w->a.conn));
    free(block);
}

static void garbage_closes(void **state)
{
    struct world *w = *state;
    struct sockaddr_storage ss;
    socklen_t len;
    int fd;
    uint8_t junk[5000];

    memset(junk, 0xa5, sizeof(junk));
    assert_true(net_addr_to_sockaddr(&ss, &len, &w->addr));
    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
    assert_int_equal(send(fd, junk, sizeof(junk), 0), sizeof(junk));
    run_until(w, w->b.closed == 1);
    assert_int_equal(w->b.messages, 0);
    close(fd);
}

struct posted {
    struct loop *loop;
    unsigned ran, dropped;
};

static void count_run(void *arg)
{
    ((struct posted *)arg)->ran++;
}

static void count_drop(void *arg)
{
    ((struct posted *)arg)->dropped++;
}

static void *poster(void *arg)
{
    struct posted *p = arg;
    for (int i = 0; i < 1000; i++)
        loop_post(p->loop, count_run, count_drop, p);
    assert_true(loop_call(p->loop, count_run, p));
    loop_stop(p->loop);
    return NULL;
}

static void posting(void **state)
{
    struct posted p = {.loop = loop_new()};
    pthread_t t;

    (void)state;
    pthread_create(&t, NULL, poster, &p);
    loop_run(p.loop);
    pthread_join(t, NULL);
    assert_int_equal(p.ran, 1001);
    /* After its end nothing runs, and nobody waits for ever. */
    loop_post(p.loop, count_run, count_drop, &p);
    assert_int_equal(p.dropped, 1);
    assert_false(loop_call(p.loop, count_run, &p));
    assert_int_equal(p.ran, 1001);
    loop_free(p.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(talk, setup, teardown),
        cmocka_unit_test_setup_teardown(talk_v2, setup_v2, teardown),
        cmocka_unit_test_setup_teardown(mixed, setup_v2, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
        cmocka_unit_test_setup_teardown(bind_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(pause_and_resume, setup, teardown),
        cmocka_unit_test_setup_teardown(pause_and_resume, setup_v2, teardown),
        cmocka_unit_test_setup_teardown(full_and_writable, setup, teardown),
        cmocka_unit_test_setup_teardown(full_and_writable, setup_v2, teardown),
        cmocka_unit_test_setup_teardown(garbage_closes, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_closes, setup_v2, teardown),
        cmocka_unit_test(posting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
