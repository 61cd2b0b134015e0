/* test_private_broadcast.c - own transactions that are told in private: the connection's few messages, the queue, what comes back. */
#include "sync/sim.h"

static int wanted;

static void on_wanted(void *ctx, int connections)
{
    (void)ctx;
    wanted += connections;
}

static void tune(struct sync_options *o)
{
    o->host.private_wanted = on_wanted;
}

static int setup(void **state)
{
    struct sim *s = xcalloc(1, sizeof(*s));
    time_mock_set(SIM_START);
    wanted = 0;
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

/* A transaction with a witness, so that txid and wtxid differ. */
static struct tx *make(uint8_t salt)
{
    struct outpoint o = {.txid = {{0xaa, salt}}};
    struct witness_item item = {(const uint8_t *)"w", 1};
    uint8_t script[2] = {0x51, 0x51};
    struct tx_builder b;
    struct tx *tx;

    tx_builder_init(&b, 2, salt);
    tx_builder_add_in(&b, &o, NULL, 0, SEQUENCE_FINAL);
    tx_builder_add_out(&b, 1000, script, 2);
    tx_builder_set_witness(&b, 0, &item, 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

/* The next message to the peer must be of that type. */
static struct sim_msg *next(struct sim_node *n, peer_id id, const char *type)
{
    struct sim_msg *m = sim_queue_pop(&n->peer[id].out);
    assert_non_null(m);
    assert_string_equal(m->type, type);
    return m;
}

static void version(struct sim *s, struct sim_node *n, peer_id id, bool relay)
{
    struct msg_version v = {.version = 70016, .services = NODE_NETWORK | NODE_WITNESS, .nonce = 9, .relay = relay};
    struct writer w = WRITER_INIT;
    msg_version_encode(&w, &v);
    play_writer(s, n, id, "version", &w);
}

/* A private connection up to its inv. */
static peer_id open_one(struct sim *s, struct sim_node *n, const struct tx *want)
{
    peer_id id = sim_peer_add(n, NULL, CONN_PRIVATE_BROADCAST, 0);
    struct sim_msg *m;
    struct inv *items;
    size_t count;

    version(s, n, id, true);
    play(s, n, id, "wtxidrelay", NULL, 0);
    play(s, n, id, "verack", NULL, 0);
    sim_msg_free(next(n, id, "version"));
    sim_msg_free(next(n, id, "verack"));
    if (!want) {
        assert_true(n->peer[id].closed);
        return id;
    }
    m = next(n, id, "inv");
    assert_true(msg_inv_decode(&items, &count, m->data, m->len));
    assert_int_equal(count, 1);
    assert_int_equal(items[0].type, INV_TX);
    assert_memory_equal(items[0].hash, want->txid.b, 32);
    free(items);
    sim_msg_free(m);
    return id;
}

/* The peer fetches it and confirms. */
static void fetch(struct sim *s, struct sim_node *n, peer_id id, const struct tx *tx)
{
    struct sim_msg *m, *ping;

    play_inv(s, n, id, "getdata", INV_WITNESS_TX, tx->txid.b);
    m = next(n, id, "tx");
    ping = next(n, id, "ping");
    assert_false(n->peer[id].closed);
    play(s, n, id, "pong", ping->data, ping->len);
    assert_true(n->peer[id].closed);
    sim_msg_free(m);
    sim_msg_free(ping);
    sim_drop(n, id);
}

static void whole_story(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    struct tx *tx = make(1);
    struct private_info *list;
    peer_id id;

    assert_int_equal(sync_private_add(n->sync, tx), PRIVATE_ADDED);
    assert_int_equal(wanted, 3);
    assert_int_equal(sync_private_add(n->sync, tx), PRIVATE_ALREADY);
    assert_int_equal(wanted, 3);
    id = open_one(s, n, tx);
    play(s, n, id, "getheaders", NULL, 0); /* nothing else is answered */
    play(s, n, id, "ping", "12345678", 8);
    assert_null(sim_queue_pop(&n->peer[id].out));
    fetch(s, n, id, tx);
    assert_int_equal(sync_private_list(n->sync, &list), 1);
    assert_ptr_equal(list[0].tx, tx);
    assert_int_equal(list[0].n_peers, 1);
    assert_int_equal(list[0].attempts_left, 999);
    assert_true(list[0].peers[0].received != 0);
    free(list);
    assert_int_equal(wanted, 3);
    /* It comes back from the network: two of the three are not needed any more. */
    id = play_peer(s, n, CONN_INBOUND, 0, true);
    play_inv(s, n, id, "inv", INV_WTX, tx->wtxid.b);
    time_mock_set(SIM_START + 10);
    sim_run_seconds(s, 1);
    struct writer w = WRITER_INIT;
    tx_write(&w, tx, true);
    play_writer(s, n, id, "tx", &w);
    assert_int_equal(sync_private_list(n->sync, &list), 0);
    free(list);
    assert_int_equal(wanted, 1);
    open_one(s, n, NULL); /* in vain */
    tx_unref(tx);
}

static void version_tells_nothing(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id id = sim_peer_add(n, NULL, CONN_PRIVATE_BROADCAST, 0);
    struct sim_msg *m = next(n, id, "version");
    struct msg_version v;

    assert_true(msg_version_decode(&v, m->data, m->len));
    assert_int_equal(v.version, 70016);
    assert_true(v.services == 0 && v.time == 0 && v.start_height == 0 && !v.relay);
    assert_string_equal(v.user_agent, "/pynode:0.0.1/");
    assert_false(net_addr_is_valid(&v.addr_recv));
    sim_msg_free(m);
    version(s, n, id, false); /* it takes no transactions */
    assert_true(n->peer[id].closed);
    assert_null(sim_queue_pop(&n->peer[id].out));
}

static void failures(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    struct tx *a = make(1), *b = make(2);
    peer_id id;

    sync_private_add(n->sync, a);
    id = open_one(s, n, a);
    sync_private_add(n->sync, b);
    assert_int_equal(wanted, 6);
    play_inv(s, n, id, "getdata", INV_WITNESS_TX, b->txid.b); /* not what it was told of */
    assert_true(n->peer[id].closed);
    sim_drop(n, id);
    assert_int_equal(wanted, 7);
    fetch(s, n, open_one(s, n, b), b); /* the one that was sent less often */
    id = open_one(s, n, a);            /* as often, but without a confirmation */
    sim_drop(n, id);
    tx_unref(a);
    tx_unref(b);
}

static void stale(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    struct tx *tx = make(1), **list;
    peer_id id;

    sync_private_add(n->sync, tx);
    assert_int_equal(sync_private_stale(n->sync, &list), 0);
    free(list);
    id = open_one(s, n, tx);
    time_mock_set(SIM_START + 181);
    sim_run_seconds(s, 1);
    assert_true(n->peer[id].closed); /* too slow */
    sim_drop(n, id);
    assert_int_equal(wanted, 4);
    time_mock_set(SIM_START + 302);
    assert_int_equal(sync_private_stale(n->sync, &list), 1);
    assert_ptr_equal(list[0], tx);
    sync_private_settle(n->sync, tx, NULL);
    assert_int_equal(wanted, 5);
    sync_private_settle(n->sync, tx, "txn-already-known");
    tx_unref(list[0]);
    free(list);
    assert_int_equal(sync_private_abort(n->sync, tx->txid.b, &list), 0);
    free(list);
    sync_private_add(n->sync, tx);
    assert_int_equal(wanted, 8);
    assert_int_equal(sync_private_abort(n->sync, tx->wtxid.b, &list), 1);
    tx_unref(list[0]);
    free(list);
    assert_int_equal(wanted, 5);
    tx_unref(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_story, setup, teardown),
        cmocka_unit_test_setup_teardown(version_tells_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(failures, setup, teardown),
        cmocka_unit_test_setup_teardown(stale, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
