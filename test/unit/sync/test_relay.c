/* test_relay.c - unconfirmed transactions: requests, one peer at a time, expiry; announcements by wtxid or txid, fee filters; orphans. */
#include <time.h>

#include "sync/sim.h"

static int setup(void **state)
{
    struct sim *s = xcalloc(1, sizeof(*s));
    time_mock_set(SIM_START);
    sim_add(s, NULL);
    sim_grow(&s->node[0], 2);
    assert_false(chain_initial_download(s->node[0].bed.c));
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    sim_clear(*state);
    free(*state);
    return 0;
}

static struct sim_node *node_of(void **state)
{
    return &((struct sim *)*state)->node[0];
}

/* A transaction with a witness, so that txid and wtxid differ. parent NULL: its input is one that the pool takes (0xaa) or refuses (0xee). */
static struct tx *make(uint8_t first, uint8_t salt, const struct tx *parent)
{
    struct outpoint o = {.n = 0};
    struct witness_item item = {(const uint8_t *)"w", 1};
    uint8_t script[2] = {0x51, 0x51};
    struct tx_builder b;
    struct tx *tx;

    if (parent) {
        o.txid = parent->txid;
    } else {
        o.txid.b[0] = first;
        o.txid.b[1] = salt;
    }
    tx_builder_init(&b, 2, salt);
    tx_builder_add_in(&b, &o, NULL, 0, SEQUENCE_FINAL);
    tx_builder_add_out(&b, 1000, script, 2);
    tx_builder_set_witness(&b, 0, &item, 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

/* The parent's txid must not begin with a byte that the pool takes for a sign. */
static struct tx *make_plain(uint8_t salt)
{
    for (;; salt++) {
        struct tx *tx = make(0xaa, salt, NULL);
        if (tx->txid.b[0] != 0xaa && tx->txid.b[0] != 0xee)
            return tx;
        tx_unref(tx);
    }
}

static void drain(struct sim_node *n, peer_id p)
{
    sim_queue_clear(&n->peer[p].out);
}

/* Is the next getdata (or inv) for just this? */
static void expect_item(struct sim_node *n, peer_id p, const char *type, uint32_t kind, const uint8_t hash[32])
{
    struct sim_msg *m = played(n, p, type);
    assert_non_null(m);
    assert_int_equal(m->len, 37);
    assert_int_equal(get_le32(m->data + 1), kind);
    assert_memory_equal(m->data + 5, hash, 32);
    sim_msg_free(m);
}

static void send_tx(struct sim *s, struct sim_node *n, peer_id p, const struct tx *tx)
{
    play(s, n, p, "tx", tx->raw, tx->raw_len);
}

static void announced_requested_accepted_announced(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id from = play_peer(s, n, CONN_INBOUND, PERM_NOBAN, true);
    peer_id by_w = play_peer(s, n, CONN_INBOUND, PERM_NOBAN, true);
    peer_id by_t = play_peer(s, n, CONN_INBOUND, PERM_NOBAN, false);
    struct tx *tx = make_plain(1);
    struct sim_msg *m;

    drain(n, from);
    play_inv(s, n, from, "inv", INV_TX, tx->txid.b); /* not as agreed: ignored */
    sim_run_seconds(s, 5);
    assert_false(played_any(n, from, "getdata"));
    play_inv(s, n, from, "inv", INV_WTX, tx->wtxid.b);
    expect_item(n, from, "getdata", INV_WTX, tx->wtxid.b);
    /* Before it is known it cannot be had. */
    play_inv(s, n, by_w, "getdata", INV_WTX, tx->wtxid.b);
    expect_item(n, by_w, "notfound", INV_WTX, tx->wtxid.b);
    send_tx(s, n, from, tx);
    assert_int_equal(n->n_pool, 1);
    expect_item(n, by_w, "inv", INV_WTX, tx->wtxid.b);
    expect_item(n, by_t, "inv", INV_TX, tx->txid.b);
    assert_false(played_any(n, from, "inv")); /* it told us */
    play_inv(s, n, by_w, "getdata", INV_WTX, tx->wtxid.b);
    m = played(n, by_w, "tx");
    assert_non_null(m);
    assert_int_equal(m->len, tx->raw_len);
    assert_memory_equal(m->data, tx->raw, tx->raw_len);
    sim_msg_free(m);
    play_inv(s, n, by_t, "getdata", INV_TX, tx->txid.b); /* without witness */
    m = played(n, by_t, "tx");
    assert_non_null(m);
    assert_int_equal(m->len, tx->stripped_len);
    sim_msg_free(m);
    /* Removed from the mempool: gone. */
    sync_tx_removed(n->sync, tx, false);
    play_inv(s, n, by_w, "getdata", INV_WTX, tx->wtxid.b);
    expect_item(n, by_w, "notfound", INV_WTX, tx->wtxid.b);
    tx_unref(tx);
}

/* A peer cannot find out what it was not told of. */
static void no_probing(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id from = play_peer(s, n, CONN_INBOUND, PERM_NOBAN, true), spy;
    struct tx *tx = make_plain(2);

    spy = play_peer(s, n, CONN_INBOUND, 0, true);
    play(s, n, spy, "pong", "12345678", 8);
    drain(n, spy);
    send_tx(s, n, from, tx);
    assert_int_equal(n->n_pool, 1);
    assert_false(played_any(n, spy, "inv")); /* its time has not come */
    play_inv(s, n, spy, "getdata", INV_WTX, tx->wtxid.b);
    expect_item(n, spy, "notfound", INV_WTX, tx->wtxid.b);
    sim_run_seconds(s, 100);
    expect_item(n, spy, "inv", INV_WTX, tx->wtxid.b);
    play_inv(s, n, spy, "getdata", INV_WTX, tx->wtxid.b);
    assert_true(played_any(n, spy, "tx"));
    tx_unref(tx);
}

static void one_request_at_a_time(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id in1 = play_peer(s, n, CONN_INBOUND, 0, true), in2 = play_peer(s, n, CONN_INBOUND, 0, true);
    peer_id out = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true);
    struct tx *tx = make_plain(3);

    drain(n, in1);
    drain(n, in2);
    drain(n, out);
    play_inv(s, n, in1, "inv", INV_WTX, tx->wtxid.b);
    play_inv(s, n, in2, "inv", INV_WTX, tx->wtxid.b);
    assert_false(played_any(n, in1, "getdata")); /* inbound peers wait two seconds */
    play_inv(s, n, out, "inv", INV_WTX, tx->wtxid.b);
    expect_item(n, out, "getdata", INV_WTX, tx->wtxid.b);
    sim_run_seconds(s, 10);
    assert_false(played_any(n, in1, "getdata"));
    play_inv(s, n, out, "notfound", INV_WTX, tx->wtxid.b);
    if (!n->peer[in1].out.head) { /* which of the two is chance */
        peer_id other = in1;
        in1 = in2;
        in2 = other;
    }
    expect_item(n, in1, "getdata", INV_WTX, tx->wtxid.b);
    assert_false(played_any(n, in2, "getdata"));
    sim_run_seconds(s, 59);
    assert_false(played_any(n, in2, "getdata"));
    sim_run_seconds(s, 2);
    expect_item(n, in2, "getdata", INV_WTX, tx->wtxid.b);
    /* The last one leaves: nobody is left, and a new announcement begins again. */
    sim_drop(n, in2);
    play_inv(s, n, out, "inv", INV_WTX, tx->wtxid.b);
    expect_item(n, out, "getdata", INV_WTX, tx->wtxid.b);
    send_tx(s, n, out, tx);
    assert_int_equal(n->n_pool, 1);
    play_inv(s, n, in1, "inv", INV_WTX, tx->wtxid.b);
    sim_run_seconds(s, 5);
    assert_false(played_any(n, in1, "getdata")); /* we have it */
    tx_unref(tx);
}

static void rejected_is_not_asked_again(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true);
    struct tx *bad = make(0xee, 1, NULL);

    send_tx(s, n, p, bad);
    assert_int_equal(n->n_pool, 0);
    assert_true(n->peer[p].used); /* policy differs: no reason to leave */
    drain(n, p);
    play_inv(s, n, p, "inv", INV_WTX, bad->wtxid.b);
    sim_run_seconds(s, 5);
    assert_false(played_any(n, p, "getdata"));
    /* A new tip may change that. */
    time_mock_set(time_mock_get() + 1);
    sim_grow(n, 1);
    sim_run(s);
    play_inv(s, n, p, "inv", INV_WTX, bad->wtxid.b);
    assert_true(played_any(n, p, "getdata"));
    tx_unref(bad);
}

static void fee_filter(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id from = play_peer(s, n, CONN_INBOUND, PERM_NOBAN, true), to = play_peer(s, n, CONN_INBOUND, PERM_NOBAN, true);
    struct tx *tx = make_plain(4), *more = make_plain(90);
    uint8_t rate[8];
    int64_t fee_rate = 1000 * 1000 / tx_vsize(tx); /* the mock pool says that the fee is 1000 */

    put_le64(rate, (uint64_t)fee_rate + 20);
    play(s, n, to, "feefilter", rate, 8);
    drain(n, to);
    send_tx(s, n, from, tx);
    assert_int_equal(n->n_pool, 1);
    assert_false(played_any(n, to, "inv"));
    put_le64(rate, (uint64_t)fee_rate - 20);
    play(s, n, to, "feefilter", rate, 8);
    send_tx(s, n, from, more);
    expect_item(n, to, "inv", INV_WTX, more->wtxid.b);
    tx_unref(tx);
    tx_unref(more);
}

static void orphan_and_parents(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true), q = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true);
    struct tx *grand = make_plain(5), *parent = make(0, 6, grand), *child = make(0, 7, parent);
    struct orphan_info *list;

    drain(n, p);
    send_tx(s, n, p, child);
    assert_false(played_any(n, p, "getdata")); /* the parent may come by itself */
    sim_run_seconds(s, 2);
    expect_item(n, p, "getdata", INV_WITNESS_TX, parent->txid.b);
    assert_int_equal(sync_orphans(n->sync, &list), 1);
    assert_int_equal(list[0].n_from, 1);
    assert_int_equal(list[0].from[0], p);
    free(list);
    play_inv(s, n, q, "inv", INV_WTX, child->wtxid.b); /* has it too, and so the parents */
    assert_int_equal(sync_orphans(n->sync, &list), 1);
    assert_int_equal(list[0].n_from, 2);
    assert_int_equal(list[0].from[1], q);
    free(list);
    play_inv(s, n, p, "notfound", INV_WITNESS_TX, parent->txid.b);
    sim_run_seconds(s, 2);
    expect_item(n, q, "getdata", INV_WITNESS_TX, parent->txid.b);
    send_tx(s, n, p, parent);
    sim_run_seconds(s, 2); /* both announced the parent, so either may be asked for what it lacks */
    expect_item(n, n->peer[p].out.head ? p : q, "getdata", INV_WITNESS_TX, grand->txid.b);
    assert_int_equal(n->n_pool, 0);
    send_tx(s, n, q, grand); /* from another peer */
    assert_int_equal(n->n_pool, 3);
    assert_int_equal(sync_orphans(n->sync, &list), 0);
    free(list);
    tx_unref(grand);
    tx_unref(parent);
    tx_unref(child);
}

static void few_announcements(struct sync_options *o)
{
    o->max_announcements = 90;
}

static size_t count_requests(struct sim_node *n, peer_id p)
{
    struct sim_msg *m;
    size_t count = 0;

    while ((m = played(n, p, "getdata"))) {
        count += m->data[0];
        sim_msg_free(m);
    }
    return count;
}

/* All inbound peers together may keep us busy with so much only; beyond that each has its share, and nobody else's. */
static void announcements_are_shared(void **state)
{
    struct sim s = {.n = 0};
    struct sim_node *n;
    peer_id p[3];

    (void)state;
    sim_tune = few_announcements;
    n = sim_add(&s, NULL);
    sim_tune = NULL;
    sim_grow(n, 2);
    for (int i = 0; i < 3; i++)
        p[i] = play_peer(&s, n, i < 2 ? CONN_INBOUND : CONN_OUTBOUND_FULL_RELAY, 0, true);
    for (int i = 0; i < 3; i++) {
        struct inv list[200];
        struct writer w = WRITER_INIT;
        for (int k = 0; k < 200; k++) {
            memset(list[k].hash, k + 1, 32);
            list[k].hash[0] = (uint8_t)i;
            list[k].type = INV_WTX;
        }
        drain(n, p[i]);
        msg_inv_encode(&w, list, 200);
        play_writer(&s, n, p[i], "inv", &w);
    }
    sim_run_seconds(&s, 10);
    assert_int_equal(count_requests(n, p[0]), 90);
    assert_int_equal(count_requests(n, p[1]), 30);
    assert_int_equal(count_requests(n, p[2]), 200);
    sim_clear(&s);
    time_mock_set(SIM_START);
}

static void orphans_are_bounded(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true);
    struct orphan_info *list;
    struct tx *bad = make(0xee, 2, NULL), *heir = make(0, 3, bad);

    for (int i = 0; i < 150; i++) {
        struct tx *tx = make(0x11, (uint8_t)i, NULL);
        send_tx(s, n, p, tx);
        tx_unref(tx);
    }
    assert_int_equal(sync_orphans(n->sync, &list), 150); /* one peer alone may have 3,000 */
    free(list);
    drain(n, p);
    sim_drop(n, p);
    assert_int_equal(sync_orphans(n->sync, &list), 0);
    free(list);
    /* Children of what was refused are not kept: but only the wtxid is remembered, so the child of a witness transaction still is. */
    p = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true);
    send_tx(s, n, p, bad);
    send_tx(s, n, p, heir);
    assert_int_equal(sync_orphans(n->sync, &list), 1);
    free(list);
    tx_unref(bad);
    tx_unref(heir);
}

/* A parent that pays too little is taken with a child that pays for both; without one it is not asked for again, but may come again. */
static void parent_and_child_together(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true), q = play_peer(s, n, CONN_OUTBOUND_FULL_RELAY, 0, true);
    struct tx *parent = make(0xbb, 1, NULL), *child = make(0, 2, parent);
    struct orphan_info *list;

    send_tx(s, n, p, parent);
    assert_int_equal(n->n_pool, 0);
    drain(n, p);
    play_inv(s, n, p, "inv", INV_WTX, parent->wtxid.b);
    assert_false(played_any(n, p, "getdata"));
    send_tx(s, n, q, child);
    assert_int_equal(sync_orphans(n->sync, &list), 1);
    free(list);
    send_tx(s, n, p, parent); /* from somebody who did not send the child */
    assert_int_equal(n->n_pool, 0);
    sim_run_seconds(s, 2);
    expect_item(n, q, "getdata", INV_WITNESS_TX, parent->txid.b); /* again, although it was refused */
    send_tx(s, n, q, parent);
    assert_int_equal(n->n_pool, 2);
    assert_int_equal(sync_orphans(n->sync, &list), 0);
    free(list);
    tx_unref(parent);
    tx_unref(child);
}

/* Spends outputs 0, 1, 2... of a transaction that nobody has. */
static struct tx *make_wide(uint8_t salt, unsigned n_in, const struct outpoint *last)
{
    struct outpoint o = {.n = 0};
    uint8_t script[2] = {0x51, 0x51};
    struct tx_builder b;
    struct tx *tx;

    o.txid.b[8] = 0x22;
    o.txid.b[9] = salt;
    tx_builder_init(&b, 2, salt);
    for (o.n = 0; o.n < n_in; o.n++)
        tx_builder_add_in(&b, &o, NULL, 0, SEQUENCE_FINAL);
    if (last)
        tx_builder_add_in(&b, last, NULL, 0, SEQUENCE_FINAL);
    tx_builder_add_out(&b, 1000, script, 2);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

#define CROWD 20000

/* A block of many transactions with a coinbase; each spends an outpoint of its own, the last one spends `extra`. */
static struct block *make_crowd(struct sim_node *n, const struct outpoint *extra)
{
    struct tx **txs = xmalloc((CROWD + 1) * sizeof(*txs));
    struct outpoint o = {.n = 0};
    struct writer w;
    struct block *b;

    o.txid.b[8] = 0x33;
    txs[0] = make_coinbase(chain_height(n->bed.c) + 1, 5000000000);
    for (o.n = 1; o.n <= CROWD; o.n++) {
        struct tx_builder t;
        tx_builder_init(&t, 2, 0);
        tx_builder_add_in(&t, o.n == CROWD ? extra : &o, NULL, 0, SEQUENCE_FINAL);
        tx_builder_add_out(&t, 1000, "Q", 1);
        txs[o.n] = tx_build(&t);
        tx_builder_clear(&t);
    }
    w = make_block_bytes(&n->bed.params, &chain_tip(n->bed.c)->node.hash, SIM_START, txs, CROWD + 1, NULL);
    for (unsigned i = 0; i <= CROWD; i++)
        tx_unref(txs[i]);
    free(txs);
    b = block_decode(w.data, w.len);
    assert_non_null(b);
    return b;
}

/* A large block meets large orphans and a large getdata: work must not grow with the product of the two. What it took before: many seconds. */
static void large_block_costs_little(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct outpoint spent = {.n = 7}, made = {.n = 0};
    struct orphan_info *list;
    struct inv *items = xcalloc(MAX_INV_ITEMS, sizeof(*items));
    struct writer w = WRITER_INIT;
    struct sim_msg *m;
    struct block *b;
    clock_t start;

    spent.txid.b[8] = 0x44;
    b = make_crowd(n, &spent);
    made.txid = b->tx[5].txid;
    for (uint8_t i = 0; i < 100; i++) {
        struct tx *tx = make_wide(i, i == 50 ? 0 : 20, i == 40 ? &spent : i == 50 ? &made : NULL);
        send_tx(s, n, p, tx);
        tx_unref(tx);
    }
    assert_int_equal(sync_orphans(n->sync, &list), 100);
    free(list);
    n->pool[n->n_pool++] = tx_clone(&b->tx[5]); /* so that its child is accepted when it is tried again */
    start = clock();
    sync_block_connected(n->sync, chain_tip(n->bed.c), b);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 1);
    sim_run(s);
    assert_int_equal(n->n_pool, 2);
    assert_int_equal(sync_orphans(n->sync, &list), 98); /* one conflicts, one was accepted */
    free(list);
    /* The block's transactions may be fetched by either id. */
    play_inv(s, n, p, "getdata", INV_WTX, b->tx[CROWD].wtxid.b);
    m = played(n, p, "tx");
    assert_non_null(m);
    assert_int_equal(m->len, b->tx[CROWD].raw_len);
    assert_memory_equal(m->data, b->tx[CROWD].raw, m->len);
    sim_msg_free(m);
    play_inv(s, n, p, "getdata", INV_TX, b->tx[1].txid.b);
    assert_true(played_any(n, p, "tx"));
    for (uint32_t i = 0; i < MAX_INV_ITEMS; i++) {
        items[i].type = INV_WTX;
        memcpy(items[i].hash, &i, sizeof(i));
    }
    msg_inv_encode(&w, items, MAX_INV_ITEMS);
    start = clock();
    play_writer(s, n, p, "getdata", &w);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 1);
    assert_true(played_any(n, p, "notfound"));
    free(items);
    block_unref(b);
}

static void blocks_only(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_BLOCK_RELAY, 0, true), q = play_peer(s, n, CONN_BLOCK_RELAY, 0, true);
    struct tx *tx = make_plain(8);

    play_inv(s, n, p, "inv", INV_WTX, tx->wtxid.b);
    assert_false(n->peer[p].used);
    send_tx(s, n, q, tx);
    assert_false(n->peer[q].used);
    tx_unref(tx);
}

static void mempool_message(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id from = play_peer(s, n, CONN_INBOUND, 0, true), p;
    struct tx *tx = make_plain(9);

    send_tx(s, n, from, tx);
    sim_run_seconds(s, 60);
    p = play_peer(s, n, CONN_INBOUND, PERM_MEMPOOL | PERM_NOBAN, true);
    drain(n, p);
    play(s, n, p, "mempool", NULL, 0);
    expect_item(n, p, "inv", INV_WTX, tx->wtxid.b);
    tx_unref(tx);
}

/* Malformed transactions are named in the log and harmless. */
static void malformed(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct tx *tx = make_plain(10);

    for (uint32_t len = 0; len < tx->raw_len; len++)
        play(s, n, p, "tx", tx->raw, len);
    assert_int_equal(n->n_pool, 0);
    assert_true(n->peer[p].used);
    send_tx(s, n, p, tx);
    assert_int_equal(n->n_pool, 1);
    tx_unref(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(announced_requested_accepted_announced, setup, teardown),
        cmocka_unit_test_setup_teardown(no_probing, setup, teardown),
        cmocka_unit_test_setup_teardown(one_request_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(rejected_is_not_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(fee_filter, setup, teardown),
        cmocka_unit_test_setup_teardown(orphan_and_parents, setup, teardown),
        cmocka_unit_test_setup_teardown(parent_and_child_together, setup, teardown),
        cmocka_unit_test_setup_teardown(announcements_are_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(orphans_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(large_block_costs_little, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_only, setup, teardown),
        cmocka_unit_test_setup_teardown(mempool_message, setup, teardown),
        cmocka_unit_test_setup_teardown(malformed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
