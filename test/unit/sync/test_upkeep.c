/* test_upkeep.c - outbound peers beyond those wanted, the stale tip, and the limit of inbound peers that relay transactions. */
#include "sync/internal.h"
#include "sync/sim.h"

static int setup(void **state)
{
    struct sim *s = xcalloc(1, sizeof(*s));
    time_mock_set(SIM_START);
    sim_add(s, NULL);
    sim_grow(&s->node[0], 5);
    sync_set_outbound(s->node[0].sync, 2, 1, true);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    sim_clear(*state);
    free(*state);
    return 0;
}

static void check_at(struct sim *s, int64_t seconds)
{
    time_mock_set(SIM_START + seconds);
    upkeep_check(s->node[0].sync);
    sim_run(s);
}

static void extra_full_relay(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p[3];

    for (size_t i = 0; i < 3; i++)
        p[i] = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true);
    sync_peer(n->sync, p[1])->last_announcement = SIM_START - 100;
    sync_peer(n->sync, p[2])->last_announcement = SIM_START - 50;
    check_at(s, 20); /* too young to go */
    assert_true(n->peer[p[0]].used && n->peer[p[1]].used && n->peer[p[2]].used);
    sync_peer(n->sync, p[0])->lag_protected = true; /* never announced anything, but protected */
    check_at(s, 31);
    assert_true(n->peer[p[0]].used && !n->peer[p[1]].used && n->peer[p[2]].used);
    check_at(s, 60); /* two are wanted */
    assert_true(n->peer[p[0]].used && n->peer[p[2]].used);
}

static void the_only_one_on_its_network_stays(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p[3];

    for (size_t i = 0; i < 3; i++) {
        p[i] = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true);
        sync_peer(n->sync, p[i])->facts.remote.network = i == 2 ? NET_ONION : NET_IPV4;
    }
    check_at(s, 31); /* the youngest would go, but the other two share a network */
    assert_true(n->peer[p[0]].used && !n->peer[p[1]].used && n->peer[p[2]].used);
}

static void extra_block_relay(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id a = play_peer(s, n, CONN_BLOCK_RELAY, 0, true), b = play_peer(s, n, CONN_BLOCK_RELAY, 0, true), c;

    check_at(s, 30);
    assert_true(n->peer[a].used && !n->peer[b].used); /* the youngest */
    c = play_peer(s, n, CONN_BLOCK_RELAY, 0, true);
    sync_peer(n->sync, c)->last_block = SIM_START + 40;
    check_at(s, 40);
    assert_true(!n->peer[a].used && n->peer[c].used); /* the younger one has proved to be better */
}

static void stale_tip(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];

    check_at(s, 1);
    assert_false(sync_wants_extra_peer(n->sync));
    check_at(s, 700);
    assert_false(sync_wants_extra_peer(n->sync));
    check_at(s, 1802 + 600);
    assert_true(sync_wants_extra_peer(n->sync));
    sim_grow(n, 1);
    check_at(s, 1802 + 700); /* looked at every ten minutes only */
    assert_true(sync_wants_extra_peer(n->sync));
    check_at(s, 1802 + 1300);
    assert_false(sync_wants_extra_peer(n->sync));
    sync_set_outbound(n->sync, 2, 1, false); /* -connect: nobody else is looked for */
    check_at(s, 1802 + 20000);
    assert_false(sync_wants_extra_peer(n->sync));
}

static bool no_slot(void *ctx, peer_id peer, bool protect)
{
    (void)ctx;
    (void)peer;
    assert_true(protect);
    return false;
}

static void no_slot_for_transactions(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    struct msg_version v = {
        .version = 70016, .services = NODE_NETWORK | NODE_WITNESS, .time = SIM_START, .nonce = 5, .relay = true};
    struct writer w = WRITER_INIT;
    peer_id p = sim_peer_add(n, NULL, CONN_INBOUND, 0), q;

    n->sync->o.host.conn.tx_slot = no_slot;
    msg_version_encode(&w, &v);
    play(s, n, p, "version", w.data, w.len);
    assert_false(n->peer[p].used);
    writer_clear(&w);
    v.relay = false;
    q = sim_peer_add(n, NULL, CONN_INBOUND, 0);
    msg_version_encode(&w, &v);
    play(s, n, q, "version", w.data, w.len);
    assert_true(n->peer[q].used);
    writer_clear(&w);
}

static void merits(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = &s->node[0];
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct peer_merit m;

    assert_true(sync_peer_merit(n->sync, p, &m));
    assert_true(m.handshake_done && m.relays_txs && !m.closing && !m.bloom);
    assert_int_equal(m.last_block, 0);
    assert_false(sync_peer_merit(n->sync, p + 100, &m));
    assert_true(sync_wants_services(n->sync, NODE_NETWORK | NODE_WITNESS));
    assert_false(sync_wants_services(n->sync, NODE_WITNESS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(extra_full_relay, setup, teardown),
        cmocka_unit_test_setup_teardown(the_only_one_on_its_network_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(extra_block_relay, setup, teardown),
        cmocka_unit_test_setup_teardown(stale_tip, setup, teardown),
        cmocka_unit_test_setup_teardown(no_slot_for_transactions, setup, teardown),
        cmocka_unit_test_setup_teardown(merits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
