/* test_trickle.c - how transactions are told to peers: in order, at a bounded rate, at times that inbound peers share; and what that costs with
 * a thousand peers and fifty thousand announcements that wait. */
#include <time.h>

#include "sync/sim.h"

#define MANY_PEERS 1000
#define MANY_TXS 50000

/* A node whose peers only count what they are told. */
struct crowd {
    struct sim sim;
    struct sync *sync;
    size_t invs, items;
    uint8_t *said[4]; /* hashes that the first peers were told, in order */
    size_t n_said[4];
    int64_t when[4]; /* of the last one */
    int64_t wake;
};

static void on_send(void *ctx, peer_id peer, const char *type, const void *payload, size_t len)
{
    struct crowd *c = ctx;
    struct inv *items;
    size_t n;

    if (strcmp(type, "inv") != 0)
        return;
    assert_true(msg_inv_decode(&items, &n, payload, len));
    c->invs++;
    c->items += n;
    if (peer < 4) {
        c->said[peer] = xrealloc(c->said[peer], (c->n_said[peer] + n) * 32);
        for (size_t i = 0; i < n; i++)
            memcpy(c->said[peer] + 32 * c->n_said[peer]++, items[i].hash, 32);
        c->when[peer] = time_now();
    }
    free(items);
}

static void on_disconnect(void *ctx, peer_id peer)
{
    (void)ctx;
    fail_msg("peer %d was disconnected", (int)peer);
}

static bool no(void *ctx)
{
    (void)ctx;
    return false;
}

static bool not_full(void *ctx, peer_id peer)
{
    (void)ctx;
    (void)peer;
    return false;
}

static void on_wake(void *ctx, int64_t time)
{
    ((struct crowd *)ctx)->wake = time;
}

static struct crowd *crowd_new(void)
{
    struct crowd *c = xcalloc(1, sizeof(*c));
    struct sync_options o;
    struct sim_node *n;

    time_mock_set(SIM_START);
    n = sim_add(&c->sim, NULL);
    sim_grow(n, 2);
    memset(&o, 0, sizeof(o));
    o.params = &n->bed.params;
    o.chain = n->bed.c;
    o.host = (struct sync_host){.ctx = c,
                                .send = on_send,
                                .disconnect = on_disconnect,
                                .discourage = on_disconnect,
                                .busy = no,
                                .send_full = not_full,
                                .wake_at = on_wake};
    o.user_agent = "/Test:1/";
    o.local_services = NODE_NETWORK | NODE_WITNESS;
    o.incremental_fee_rate = o.min_fee_rate = 100;
    o.tx_send_rate = 14;
    o.peer_timeout = 1000000;
    o.seed = 77;
    c->sync = sync_new(&o);
    return c;
}

static void crowd_free(struct crowd *c)
{
    sync_free(c->sync);
    sim_clear(&c->sim);
    for (size_t i = 0; i < 4; i++)
        free(c->said[i]);
    free(c);
}

static void crowd_peer(struct crowd *c, peer_id id, enum connection_type type, uint32_t permissions, const char *bind)
{
    struct peer_facts f = {.type = type, .permissions = permissions};
    struct msg_version v = {
        .version = 70016, .services = NODE_NETWORK | NODE_WITNESS, .time = time_now(), .nonce = 99, .relay = true};
    struct message m = {.type = "version"};
    struct writer w = WRITER_INIT;

    strcpy(f.network, "ipv4");
    strcpy(f.addr_bind, bind);
    sync_peer_connected(c->sync, id, &f);
    msg_version_encode(&w, &v);
    m.payload = w.data;
    m.len = w.len;
    sync_message(c->sync, id, &m);
    writer_clear(&w);
    m = (struct message){.type = "wtxidrelay"};
    sync_message(c->sync, id, &m);
    m = (struct message){.type = "verack"};
    sync_message(c->sync, id, &m);
}

static struct tx *make(uint32_t salt, const struct tx *parent)
{
    struct outpoint o = {.n = 0};
    struct tx_builder b;
    struct tx *tx;

    put_le32(o.txid.b, salt);
    o.txid.b[20] = 0x55;
    if (parent)
        o.txid = parent->txid;
    tx_builder_init(&b, 2, salt);
    tx_builder_add_in(&b, &o, NULL, 0, SEQUENCE_FINAL);
    tx_builder_add_out(&b, 1000, "Q", 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static void give(struct crowd *c, struct tx *tx, double score)
{
    sync_tx_added(c->sync, tx, 100000, score, false);
    sync_announce_own_tx(c->sync, tx);
}

static void pass(struct crowd *c, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        time_mock_set(time_mock_get() + 1);
        sync_tick(c->sync);
    }
}

static void assert_said(const struct crowd *c, peer_id p, size_t i, const struct tx *tx)
{
    assert_true(i < c->n_said[p]);
    assert_memory_equal(c->said[p] + 32 * i, tx->wtxid.b, 32);
}

static void best_first_parents_before_children(void **state)
{
    struct crowd *c = crowd_new();
    struct tx *parent = make(1, NULL), *child = make(2, parent), *middle = make(3, NULL), *low = make(4, NULL),
              *gone = make(5, NULL);

    (void)state;
    crowd_peer(c, 0, CONN_OUTBOUND_FULL_RELAY, 0, "");
    pass(c, 30);
    give(c, low, 1);
    give(c, parent, 2); /* by itself */
    give(c, middle, 3);
    give(c, gone, 9);
    give(c, child, 5); /* pays for both */
    sync_tx_removed(c->sync, gone, false);
    assert_true(c->wake > time_now_us() && c->wake < time_now_us() + 60000000);
    pass(c, 60);
    assert_int_equal(c->n_said[0], 4);
    assert_said(c, 0, 0, parent);
    assert_said(c, 0, 1, child);
    assert_said(c, 0, 2, middle);
    assert_said(c, 0, 3, low);
    assert_int_equal(c->invs, 1); /* one batch */
    assert_int_equal(c->wake, INT64_MAX);
    crowd_free(c);
    tx_unref(parent);
    tx_unref(child);
    tx_unref(middle);
    tx_unref(low);
    tx_unref(gone);
}

/* Inbound peers that came to the same address hear at the same time, others at others; the privileged at once. */
static void times_are_shared(void **state)
{
    struct crowd *c = crowd_new();
    bool differ = false;

    (void)state;
    crowd_peer(c, 0, CONN_INBOUND, 0, "1.2.3.4:8333");
    crowd_peer(c, 1, CONN_INBOUND, 0, "1.2.3.4:8333");
    crowd_peer(c, 2, CONN_INBOUND, 0, "5.6.7.8:8333");
    crowd_peer(c, 3, CONN_INBOUND, PERM_NOBAN, "5.6.7.8:8333");
    pass(c, 1);
    for (uint32_t i = 0; i < 10; i++) {
        struct tx *tx = make(i, NULL);
        give(c, tx, 1);
        assert_int_equal(c->n_said[3], i + 1);
        pass(c, 120);
        for (peer_id p = 0; p < 3; p++)
            assert_int_equal(c->n_said[p], i + 1);
        assert_int_equal(c->when[0], c->when[1]);
        differ = differ || c->when[0] != c->when[2];
        tx_unref(tx);
    }
    assert_true(differ);
    crowd_free(c);
}

/* 30 seconds' worth at once, then so many in each second, to outbound peers more. */
static void rate_is_bounded(void **state)
{
    struct crowd *c = crowd_new();
    struct tx_relay_info info;

    (void)state;
    crowd_peer(c, 0, CONN_INBOUND, PERM_NOBAN, "");
    crowd_peer(c, 1, CONN_OUTBOUND_FULL_RELAY, PERM_NOBAN, "");
    pass(c, 1);
    for (uint32_t i = 0; i < 2000; i++) {
        struct tx *tx = make(i, NULL);
        give(c, tx, (double)(i % 7));
        tx_unref(tx);
    }
    info = sync_tx_relay(c->sync);
    assert_int_equal(c->n_said[0], 30 * 14);
    assert_int_equal(c->n_said[1], 30 * 14);
    assert_int_equal(info.side[0].backlog, 2000 - 30 * 14);
    pass(c, 20);
    assert_in_range(c->n_said[0], 50 * 14 - 1, 50 * 14 + 5 * 14 + 1);
    assert_in_range(c->n_said[1], 80 * 14 - 1, 80 * 14 + 5 * 14 + 1);
    pass(c, 200);
    assert_int_equal(c->n_said[0], 2000);
    assert_int_equal(c->n_said[1], 2000);
    assert_int_equal(sync_tx_relay(c->sync).side[0].backlog, 0);
    crowd_free(c);
}

static void many_peers_and_transactions(void **state)
{
    struct crowd *c = crowd_new();
    clock_t start;
    double worst = 0;

    (void)state;
    for (peer_id p = 0; p < MANY_PEERS; p++)
        crowd_peer(c, p, p < 10 ? CONN_OUTBOUND_FULL_RELAY : CONN_INBOUND, 0, "");
    pass(c, 1);
    start = clock();
    for (uint32_t i = 0; i < MANY_TXS; i++) {
        struct tx *tx = make(i, NULL);
        give(c, tx, (double)(i * 7919 % 1000));
        tx_unref(tx);
    }
    print_message("%d transactions for %d peers: %.2f us each\n", MANY_TXS, MANY_PEERS,
                  (double)(clock() - start) * 1e6 / CLOCKS_PER_SEC / MANY_TXS);
    assert_int_equal(sync_tx_relay(c->sync).side[0].backlog, MANY_TXS - 30 * 14);
    start = clock();
    for (int i = 0; i < 60; i++) {
        clock_t tick = clock();
        double ms;
        pass(c, 1);
        ms = (double)(clock() - tick) * 1e3 / CLOCKS_PER_SEC;
        worst = ms > worst ? ms : worst;
    }
    print_message("a tick: %.2f ms, the worst %.2f ms; %zu invs with %zu items\n",
                  (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC / 60, worst, c->invs, c->items);
    assert_true(c->items > (size_t)MANY_PEERS * 60 * 14 / 2);
    /* Far above what it takes, which is a few milliseconds: most of it for a batch to all inbound peers at once. */
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
    crowd_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_first_parents_before_children),
        cmocka_unit_test(times_are_shared),
        cmocka_unit_test(rate_is_bounded),
        cmocka_unit_test(many_peers_and_transactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
