/* test_addr.c - what peers tell each other of addresses: one node with a made-up address manager, and peers that the test plays. */
#include "sync/sim.h"

#define PLENTY 1000 /* s: more than any random delay between two addr messages */

/* The host's side. */
static struct {
    struct addr_entry heard[64];
    size_t n_heard, calls, sampled;
    struct addr_entry sample[1200];
    size_t n_sample;
    bool all, has_own;
    struct net_addr own, seen_as, dirty;
    uint64_t services, done;
} host;

static struct net_addr ip(uint8_t a, uint8_t b, uint16_t port)
{
    struct net_addr r = {.network = NET_IPV4, .ip = {a, b, 3, 4}, .port = port};
    return r;
}
static void on_heard(void *ctx, peer_id peer, const struct addr_entry *entries, size_t n)
{
    (void)ctx;
    (void)peer;
    host.calls++;
    for (size_t i = 0; i < n && host.n_heard < ARRAY_LEN(host.heard); i++)
        host.heard[host.n_heard++] = entries[i];
}
static size_t on_sample(void *ctx, peer_id peer, bool all, struct addr_entry **out)
{
    (void)ctx;
    (void)peer;
    host.all = all;
    host.sampled++;
    *out = xmemdup(host.sample, sizeof(host.sample));
    return host.n_sample;
}
static bool on_clean(void *ctx, const struct net_addr *a)
{
    (void)ctx;
    return !net_addr_equal(a, &host.dirty);
}
static bool on_reachable(void *ctx, const struct net_addr *a)
{
    (void)ctx;
    return a->network == NET_IPV4;
}
static void on_services(void *ctx, peer_id peer, uint64_t services)
{
    (void)ctx;
    (void)peer;
    host.services = services;
}
static void on_done(void *ctx, peer_id peer, uint64_t services)
{
    (void)ctx;
    (void)peer;
    host.done = services;
}
static void on_seen_as(void *ctx, peer_id peer, const struct net_addr *us)
{
    (void)ctx;
    (void)peer;
    host.seen_as = *us;
}
static bool on_own(void *ctx, peer_id peer, struct addr_entry *out)
{
    (void)ctx;
    (void)peer;
    out->addr = host.own;
    return host.has_own;
}

static void tune(struct sync_options *o)
{
    o->peer_timeout = (int64_t)1 << 40; /* played peers answer no pings */
    o->host.addr = (struct sync_addr_host){on_heard, on_sample, on_clean, on_reachable, on_services, on_done, on_seen_as, on_own};
}

static int setup(void **state)
{
    struct sim *s = xcalloc(1, sizeof(*s));
    time_mock_set(SIM_START);
    memset(&host, 0, sizeof(host));
    sim_tune = tune;
    sim_add(s, NULL);
    sim_grow(&s->node[0], 3);
    *state = s;
    return 0;
}
static int teardown(void **state)
{
    sim_clear(*state);
    free(*state);
    return 0;
}

static void play_addrs(struct sim *s, peer_id id, const struct addr_entry *e, size_t n, bool v2)
{
    struct writer w = WRITER_INIT;
    msg_addr_encode(&w, e, n, v2);
    play_writer(s, &s->node[0], id, v2 ? "addrv2" : "addr", &w);
}
static struct addr_entry fresh(struct net_addr a)
{
    struct addr_entry e = {.time = (uint32_t)time_now(), .services = NODE_NETWORK | NODE_WITNESS, .addr = a};
    return e;
}
/* How often the node has told the peer of a; takes all that it sent. */
static size_t told(struct sim_node *n, peer_id id, const char *type, const struct net_addr *a)
{
    struct sim_msg *m;
    size_t count = 0;
    while ((m = played(n, id, type))) {
        struct addr_entry *e;
        size_t k;
        assert_true(msg_addr_decode(&e, &k, strcmp(type, "addrv2") == 0, m->data, m->len, NULL));
        assert_true(k <= 1000);
        for (size_t i = 0; i < k; i++)
            count += net_addr_equal(&e[i].addr, a);
        free(e);
        sim_msg_free(m);
    }
    return count;
}
static void later(struct sim *s, int64_t seconds)
{
    time_mock_set(time_mock_get() + seconds);
    for (peer_id id = 0; id < s->node[0].next; id++) /* nobody is to be dropped for silence */
        if (s->node[0].peer[id].used)
            sim_queue_push(&s->node[0].peer[id].in, "feefilter", "\0\0\0\0\0\0\0\0", 8);
    sim_run(s);
}
/* Inbound peers that exchange addresses. */
static void listeners(struct sim *s, peer_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ids[i] = play_peer(s, &s->node[0], CONN_INBOUND, 0, true);
        play(s, &s->node[0], ids[i], "addr", "\0", 1);
        later(s, PLENTY);
    }
}

static void fresh_addresses_go_to_two_peers(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id from = play_peer(s, n, CONN_INBOUND, 0, true), to[5], mute = play_peer(s, n, CONN_INBOUND, 0, true);
    struct addr_entry e;
    size_t total = 0, first[5];

    listeners(s, to, 5);
    e = fresh(ip(8, 8, 8333));
    play_addrs(s, from, &e, 1, false);
    assert_int_equal(host.n_heard, 1);
    assert_true(net_addr_equal(&host.heard[0].addr, &e.addr));
    later(s, PLENTY);
    for (size_t i = 0; i < 5; i++) {
        first[i] = told(n, to[i], "addr", &e.addr);
        assert_true(first[i] <= 1);
        total += first[i];
    }
    assert_int_equal(total, 2);
    assert_int_equal(told(n, mute, "addr", &e.addr), 0); /* it has shown no interest in addresses */
    assert_int_equal(told(n, from, "addr", &e.addr), 0);
    /* Said again soon, it would go to the same two, who know it. At most one may have changed at the turn of the day. */
    e = fresh(e.addr);
    play_addrs(s, from, &e, 1, false);
    later(s, PLENTY);
    total = 0;
    for (size_t i = 0; i < 5; i++)
        total += told(n, to[i], "addr", &e.addr);
    assert_true(total <= 1);
}

static void what_is_not_passed_on(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id from = play_peer(s, n, CONN_INBOUND, 0, true), to;
    struct addr_entry e[11], *old = &e[0];
    size_t before;

    listeners(s, &to, 1);
    *old = fresh(ip(8, 1, 1));
    old->time -= 3600;
    play_addrs(s, from, old, 1, false); /* not seen lately, but kept */
    assert_int_equal(host.n_heard, 1);
    e[0] = fresh(ip(8, 2, 1));
    e[0].services = NODE_WITNESS; /* serves nothing */
    play_addrs(s, from, e, 1, false);
    host.dirty = ip(8, 3, 1);
    e[0] = fresh(host.dirty);
    play_addrs(s, from, e, 1, false);
    e[0] = fresh(ip(10, 1, 1)); /* a private network; the address manager will not want it either */
    play_addrs(s, from, e, 1, false);
    assert_int_equal(host.n_heard, 2);
    e[0] = fresh(ip(8, 4, 1)); /* a time in the future is made up */
    e[0].time += 3600;
    play_addrs(s, from, e, 1, false);
    assert_int_equal(host.n_heard, 3);
    assert_true(host.heard[2].time < time_now() - 4 * 24 * 3600);
    later(s, PLENTY);
    for (uint8_t k = 0; k < 11; k++)
        e[k] = fresh(ip(9, k, 1));
    before = host.n_heard;
    play_addrs(s, from, e, 11, false); /* too many to be news */
    assert_true(host.n_heard > before);
    later(s, PLENTY);
    assert_false(played_any(n, to, "addr"));
}

static void rate_limit(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true), q = play_peer(s, n, CONN_INBOUND, PERM_ADDR, true);
    struct peer_info *info;
    struct addr_entry e[10];

    for (uint8_t k = 0; k < 10; k++)
        e[k] = fresh(ip(8, k, 1));
    play_addrs(s, p, e, 10, false);
    play_addrs(s, q, e, 10, false);
    assert_int_equal(sync_peers(n->sync, &info), 2);
    assert_int_equal(info[0].addr_processed, 1);
    assert_int_equal(info[0].addr_rate_limited, 9);
    assert_int_equal(info[1].addr_processed, 10);
    free(info);
    assert_int_equal(host.n_heard, 11);
    time_mock_set(time_mock_get() + 30); /* three more tokens */
    play_addrs(s, p, e, 10, false);
    assert_int_equal(host.n_heard, 14);
}

static void getaddr_is_answered_once(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true), out = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true), vip;
    size_t count = 0;
    struct sim_msg *m;

    host.n_sample = 1000;
    for (size_t i = 0; i < 1000; i++)
        host.sample[i] = fresh(ip(8, (uint8_t)i, (uint16_t)(1 + i)));
    play(s, n, p, "getaddr", NULL, 0);
    play(s, n, p, "getaddr", NULL, 0);
    play(s, n, out, "getaddr", NULL, 0);
    assert_int_equal(host.sampled, 1);
    assert_false(host.all);
    later(s, PLENTY);
    while ((m = played(n, p, "addr"))) {
        struct addr_entry *e;
        size_t k;
        assert_true(msg_addr_decode(&e, &k, false, m->data, m->len, NULL));
        count += k;
        free(e);
        sim_msg_free(m);
    }
    assert_int_equal(count, 1000);
    assert_false(played_any(n, out, "addr"));
    vip = play_peer(s, n, CONN_INBOUND, PERM_ADDR, true);
    play(s, n, vip, "getaddr", NULL, 0);
    assert_true(host.all);
}

static void our_own_address(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p, blocks;
    struct sim_msg *m;

    host.has_own = true;
    host.own = ip(42, 42, 8333);
    p = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true);
    blocks = play_peer(s, n, CONN_BLOCK_RELAY, 0, true);
    m = played(n, p, "addr");
    assert_non_null(m); /* at once, alone */
    assert_int_equal(m->len, 31);
    sim_msg_free(m);
    later(s, PLENTY);
    assert_false(played_any(n, p, "addr"));
    later(s, 20 * 24 * 3600); /* the delay is 24 h on average */
    assert_int_equal(told(n, p, "addr", &host.own), 1);
    assert_int_equal(told(n, blocks, "addr", &host.own), 0);
}

static void onion_needs_addrv2(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id from = play_peer(s, n, CONN_INBOUND, 0, true), to[3], v2 = sim_peer_add(n, NULL, CONN_INBOUND, 0);
    struct msg_version v = {.version = 70016, .services = NODE_NETWORK | NODE_WITNESS, .time = SIM_START, .relay = true};
    struct writer w = WRITER_INIT;
    struct net_addr onion = {.network = NET_ONION, .ip = {7, 7, 7}, .port = 8333};
    struct addr_entry e;

    msg_version_encode(&w, &v);
    play_writer(s, n, v2, "version", &w);
    play(s, n, v2, "sendaddrv2", NULL, 0);
    play(s, n, v2, "verack", NULL, 0);
    play(s, n, v2, "addrv2", "\0", 1);
    listeners(s, to, 3);
    e = fresh(onion);
    play_addrs(s, from, &e, 1, true);
    assert_int_equal(host.n_heard, 0); /* of a network that we do not reach: passed on, not kept */
    later(s, PLENTY);
    assert_int_equal(told(n, v2, "addrv2", &onion), 1);
    for (size_t i = 0; i < 3; i++)
        assert_false(played_any(n, to[i], "addr"));
}

static void peers_without_addresses(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id blocks = play_peer(s, n, CONN_BLOCK_RELAY, 0, true), fetch, feeler;
    struct addr_entry e[2];

    assert_int_equal(host.done, NODE_NETWORK | NODE_WITNESS);
    assert_int_equal(host.services, NODE_NETWORK | NODE_WITNESS);
    assert_false(played_any(n, blocks, "getaddr"));
    e[0] = fresh(ip(8, 1, 1));
    e[1] = fresh(ip(8, 2, 1));
    play_addrs(s, blocks, e, 1, false);
    assert_int_equal(host.calls, 0);
    host.done = 0;
    feeler = sim_peer_add(n, NULL, CONN_FEELER, 0);
    play_version(s, n, feeler, true);
    assert_false(n->peer[feeler].used);
    assert_int_equal(host.done, NODE_NETWORK | NODE_WITNESS);
    fetch = play_peer(s, n, CONN_ADDR_FETCH, 0, true);
    play_addrs(s, fetch, e, 1, false); /* its own */
    assert_true(n->peer[fetch].used);
    play_addrs(s, fetch, e, 2, false);
    assert_false(n->peer[fetch].used);
    assert_int_equal(host.n_heard, 3);
}

static void too_many(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct addr_entry *e = xcalloc(1001, sizeof(*e));

    for (size_t i = 0; i < 1001; i++)
        e[i] = fresh(ip(8, 8, 1));
    play_addrs(s, p, e, 1001, false);
    assert_true(n->peer[p].discouraged);
    free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fresh_addresses_go_to_two_peers, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_passed_on, setup, teardown),
        cmocka_unit_test_setup_teardown(rate_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(getaddr_is_answered_once, setup, teardown),
        cmocka_unit_test_setup_teardown(our_own_address, setup, teardown),
        cmocka_unit_test_setup_teardown(onion_needs_addrv2, setup, teardown),
        cmocka_unit_test_setup_teardown(peers_without_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
