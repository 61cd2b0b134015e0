/* test_protocol.c - one node and peers that the test plays: handshake, order of messages, time-outs, misbehaviour, and what hostile peers send. */
#include "sync/sim.h"

static int setup(void **state)
{
    struct sim *s = xcalloc(1, sizeof(*s));
    time_mock_set(SIM_START);
    sim_add(s, NULL);
    sim_grow(&s->node[0], 5);
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

static void expect_types(struct sim_node *n, peer_id id, const char *const *types)
{
    for (; *types; types++) {
        struct sim_msg *m = sim_queue_pop(&n->peer[id].out);
        assert_non_null(m);
        assert_string_equal(m->type, *types);
        sim_msg_free(m);
    }
    assert_null(n->peer[id].out.head);
}

static void handshake_inbound(void **state)
{
    static const char *const first[] = {"version", "wtxidrelay", "sendaddrv2", "verack", NULL};
    static const char *const then[] = {"sendcmpct", "ping", "getheaders", "feefilter", NULL};
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = sim_peer_add(n, NULL, CONN_INBOUND, 0);
    struct msg_version v = {
        .version = 70016, .services = NODE_NETWORK | NODE_WITNESS, .time = SIM_START, .nonce = 5, .relay = true};
    struct writer w = WRITER_INIT;

    sim_run(s);
    assert_null(n->peer[p].out.head); /* we wait for their version */
    play(s, n, p, "ping", "12345678", 8);
    play(s, n, p, "verack", NULL, 0);
    assert_null(n->peer[p].out.head);
    msg_version_encode(&w, &v);
    play(s, n, p, "version", w.data, w.len);
    expect_types(n, p, first);
    play(s, n, p, "version", w.data, w.len); /* redundant: ignored */
    play(s, n, p, "ping", "12345678", 8);    /* before verack: ignored */
    assert_null(n->peer[p].out.head);
    play(s, n, p, "verack", NULL, 0);
    expect_types(n, p, then);
    play(s, n, p, "ping", "12345678", 8);
    assert_true(played_any(n, p, "pong"));
    writer_clear(&w);
}

static void handshake_outbound(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = sim_peer_add(n, NULL, CONN_OUTBOUND_FULL_RELAY, 0), poor;
    struct msg_version v = {.version = 70016, .services = NODE_WITNESS, .time = SIM_START, .nonce = 5, .relay = true};
    struct writer w = WRITER_INIT;

    assert_true(played_any(n, p, "version"));
    play_version(s, n, p, true);
    assert_true(played_any(n, p, "getaddr"));
    poor = sim_peer_add(n, NULL, CONN_OUTBOUND_FULL_RELAY, 0);
    msg_version_encode(&w, &v);
    play_writer(s, n, poor, "version", &w);
    assert_false(n->peer[poor].used); /* no blocks to offer */
}

static void version_faults(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    struct msg_version v = {.version = 31799, .nonce = 5};
    struct writer w = WRITER_INIT;
    struct sim_msg *ours;
    peer_id p = sim_peer_add(n, NULL, CONN_INBOUND, 0), out;

    msg_version_encode(&w, &v);
    play_writer(s, n, p, "version", &w);
    assert_false(n->peer[p].used);
    assert_false(n->peer[p].discouraged);
    /* Our own nonce comes back: we connected to ourselves. */
    out = sim_peer_add(n, NULL, CONN_MANUAL, 0);
    ours = played(n, out, "version");
    p = sim_peer_add(n, NULL, CONN_INBOUND, 0);
    play(s, n, p, "version", ours->data, ours->len);
    assert_false(n->peer[p].used);
    sim_msg_free(ours);
}

static void negotiation_after_verack(void **state)
{
    static const char *const types[] = {"wtxidrelay", "sendaddrv2", "feature"};
    struct sim *s = *state;
    struct sim_node *n = node_of(state);

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
        play(s, n, p, types[i], NULL, 0);
        assert_false(n->peer[p].used);
    }
}

static void services_that_are_off(void **state)
{
    static const char *const types[] = {"filterload",   "filteradd",    "filterclear", "getcfilters",
                                        "getcfheaders", "getcfcheckpt", "mempool"};
    static const uint8_t zeroes[37];
    struct sim *s = *state;
    struct sim_node *n = node_of(state);

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
        play(s, n, p, types[i], zeroes, sizeof(zeroes));
        assert_false(n->peer[p].used);
        assert_false(n->peer[p].discouraged);
    }
}

/* Nothing of a peer is handled before what came earlier is done; blocks go in together. */
static void strict_order(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true), q = play_peer(s, n, CONN_INBOUND, 0, true);
    struct block *b1 = sim_next_block(n, chain_tip(n->bed.c), 0), *b2;
    struct header_node fake = {0};
    struct block_entry e1 = {0};

    header_node_init(&fake, &b1->header, &b1->hash, &chain_tip(n->bed.c)->node);
    e1.node = fake;
    b2 = sim_next_block(n, &e1, 0);
    while (played(n, p, "none") || played(n, q, "none"))
        ;
    n->frozen = true;
    play_block(s, n, p, b1);
    play_block(s, n, p, b2);
    assert_int_equal(n->n_jobs, 2); /* pipelined */
    play(s, n, p, "ping", "12345678", 8);
    play(s, n, p, "getaddr", NULL, 0);
    assert_int_equal(n->peer[p].in.n, 1); /* one is held, the other not even taken */
    assert_false(played_any(n, p, "pong"));
    play(s, n, q, "ping", "12345678", 8); /* others are not held up */
    assert_true(played_any(n, q, "pong"));
    sim_run_one(n);
    sim_run(s);
    assert_false(played_any(n, p, "pong"));
    n->frozen = false;
    sim_run(s);
    assert_int_equal(chain_height(n->bed.c), 7);
    assert_true(played_any(n, p, "pong"));
    assert_int_equal(n->peer[p].in.n, 0);
    block_unref(b1);
    block_unref(b2);
}

/* A block behind its header waits for it, so that it counts as asked for. */
static void block_waits_for_headers(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct block *b = sim_next_block(n, chain_tip(n->bed.c), 0);
    struct writer w = WRITER_INIT;

    n->frozen = true;
    msg_headers_encode(&w, &b->header, 1);
    play_writer(s, n, p, "headers", &w);
    play_block(s, n, p, b);
    assert_int_equal(n->n_jobs, 1);
    sim_run_one(n);
    sim_run(s);
    assert_true(played_any(n, p, "getdata"));
    assert_int_equal(n->n_jobs, 1);
    assert_true(n->jobs->flag); /* requested */
    n->frozen = false;
    sim_run(s);
    assert_int_equal(chain_height(n->bed.c), 6);
    block_unref(b);
}

static void full_send_queue_holds_requests(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct inv items[4];
    struct writer w = WRITER_INIT;

    for (int i = 0; i < 4; i++) {
        items[i].type = INV_WITNESS_BLOCK;
        memcpy(items[i].hash, chain_at(n->bed.c, i + 1)->node.hash.b, 32);
    }
    msg_inv_encode(&w, items, 4);
    n->peer[p].full = true;
    play(s, n, p, "getdata", w.data, w.len);
    play(s, n, p, "ping", "12345678", 8);
    assert_int_equal(n->peer[p].blocks_sent, 0);
    assert_false(played_any(n, p, "pong"));
    n->peer[p].full = false;
    sync_peer_writable(n->sync, p);
    sim_run(s);
    assert_int_equal(n->peer[p].blocks_sent, 4);
    for (int i = 0; i < 4; i++) { /* in order, before the pong */
        struct sim_msg *m = sim_queue_pop(&n->peer[p].out);
        struct block *b;
        assert_string_equal(m->type, "block");
        b = block_decode_copy(m->data, m->len);
        assert_memory_equal(b->hash.b, items[i].hash, 32);
        block_unref(b);
        sim_msg_free(m);
    }
    assert_true(played_any(n, p, "pong"));
    writer_clear(&w);
}

static void busy_validation_holds_blocks(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct block *b = sim_next_block(n, chain_tip(n->bed.c), 0);

    n->busy = true;
    play_block(s, n, p, b);
    assert_int_equal(n->blocks_submitted, 0);
    assert_false(sync_peer_ready(n->sync, p));
    n->busy = false;
    sim_run(s);
    assert_int_equal(n->blocks_submitted, 1);
    assert_int_equal(chain_height(n->bed.c), 6);
    block_unref(b);
}

static void timeouts(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id silent = sim_peer_add(n, NULL, CONN_INBOUND, 0), half = sim_peer_add(n, NULL, CONN_INBOUND, 0), whole;
    struct msg_version v = {.version = 70016, .nonce = 5};
    struct writer w = WRITER_INIT;

    msg_version_encode(&w, &v);
    play_writer(s, n, half, "version", &w);
    whole = play_peer(s, n, CONN_INBOUND, 0, true);
    time_mock_set(SIM_START + 60);
    sim_run(s);
    assert_true(n->peer[silent].used && n->peer[half].used);
    time_mock_set(SIM_START + 61);
    sim_run(s);
    assert_false(n->peer[silent].used);
    assert_false(n->peer[half].used);
    assert_true(n->peer[whole].used);
    /* Its first ping was never answered. */
    time_mock_set(SIM_START + 1200);
    sim_run(s);
    assert_true(n->peer[whole].used);
    time_mock_set(SIM_START + 1202);
    sim_run(s);
    assert_false(n->peer[whole].used);
}

static void pings(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id p = play_peer(s, n, CONN_INBOUND, 0, true);
    struct sim_msg *m = played(n, p, "ping");
    struct peer_info *info;

    assert_non_null(m);
    time_mock_set(SIM_START + 3);
    play(s, n, p, "pong", "wrong123", 8);
    sync_peers(n->sync, &info);
    assert_int_equal(info[0].ping_wait_us, 3000000);
    assert_int_equal(info[0].ping_us, -1);
    free(info);
    play(s, n, p, "pong", m->data, m->len);
    sync_peers(n->sync, &info);
    assert_int_equal(info[0].ping_wait_us, -1);
    assert_int_equal(info[0].ping_us, 3000000);
    free(info);
    sim_msg_free(m);
    sync_ping_all(n->sync);
    sim_run(s);
    assert_true(played_any(n, p, "ping"));
}

/* Each breaks a rule for which the peer goes and is remembered, unless it may not be punished. */
static void misbehaviour(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    static const uint32_t permissions[] = {0, PERM_NOBAN};

    for (int kind = 0; kind < 7; kind++) {
        for (size_t i = 0; i < ARRAY_LEN(permissions); i++) {
            struct block *b = sim_next_block(n, chain_tip(n->bed.c), 0);
            struct block_header h[2] = {b->header, b->header};
            struct writer w = WRITER_INIT;
            peer_id p;

            if (n->next == SIM_PEERS)
                n->next = 0; /* all gone: ids may be used again in this world */
            p = play_peer(s, n, CONN_INBOUND, permissions[i], true);
            switch (kind) {
            case 0: { /* too many items */
                struct inv *items = xcalloc(50001, sizeof(*items));
                msg_inv_encode(&w, items, 50001);
                free(items);
                play_writer(s, n, p, "inv", &w);
                break;
            }
            case 1: /* too many headers */
                write_compact_size(&w, 2001);
                play_writer(s, n, p, "headers", &w);
                break;
            case 2: /* no proof of work */
                h[0].bits = 0x1d00ffff;
                msg_headers_encode(&w, h, 1);
                play_writer(s, n, p, "headers", &w);
                break;
            case 3: /* headers that do not follow each other */
                msg_headers_encode(&w, h, 2);
                play_writer(s, n, p, "headers", &w);
                break;
            case 4: /* a block whose transactions are others */
                write_bytes(&w, b->raw, b->raw_len);
                w.data[w.len - 5] ^= 1; /* the output script */
                play_writer(s, n, p, "block", &w);
                break;
            case 5: { /* a block that pays too much */
                struct tx *cb = make_coinbase(chain_height(n->bed.c) + 1, 6000000000);
                w = make_block_bytes(&n->bed.params, &chain_tip(n->bed.c)->node.hash, b->header.time, &cb, 1, NULL);
                tx_unref(cb);
                play_writer(s, n, p, "block", &w);
                break;
            }
            case 6:
                play(s, n, p, "sendcmpct", "\2\2\0\0\0\0\0\0\0", 9);
                break;
            }
            assert_int_equal(n->peer[p].used, permissions[i] == PERM_NOBAN);
            assert_int_equal(n->peer[p].discouraged, permissions[i] == 0);
            assert_int_equal(chain_height(n->bed.c), 5);
            if (n->peer[p].used)
                sim_drop(n, p);
            sim_queue_clear(&n->peer[p].out);
            block_unref(b);
        }
    }
}

/* A block on a side branch is found wrong only when another peer extends that branch: the one who sent it goes. */
static void judged_later(void **state)
{
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id liar = play_peer(s, n, CONN_INBOUND, 0, true), other = play_peer(s, n, CONN_INBOUND, 0, true);
    const struct block_entry *fork = chain_at(n->bed.c, 4);
    struct tx *cb = make_coinbase(5, 6000000000);
    struct writer w = make_block_bytes(&n->bed.params, &fork->node.hash, fork->node.time + 9, &cb, 1, NULL);
    struct block *bad = block_decode(w.data, w.len), *child;
    struct block_entry e = {0};

    header_node_init(&e.node, &bad->header, &bad->hash, &fork->node);
    child = sim_next_block(n, &e, 0);
    play_block(s, n, liar, bad);
    assert_true(n->peer[liar].used);
    play_block(s, n, other, child);
    assert_true(n->peer[liar].discouraged);
    assert_false(n->peer[liar].used);
    assert_true(n->peer[other].used);
    assert_int_equal(chain_height(n->bed.c), 5);
    tx_unref(cb);
    block_unref(bad);
    block_unref(child);
}

/* Every message type with every kind of payload, in any order: the node stays up and answers a well-behaved peer. */
static void hostile_orders(void **state)
{
    static const char *const types[] = {"version",      "verack",
                                        "sendheaders",  "sendcmpct",
                                        "wtxidrelay",   "sendaddrv2",
                                        "feature",      "sendtxrcncl",
                                        "ping",         "pong",
                                        "addr",         "addrv2",
                                        "getaddr",      "inv",
                                        "getdata",      "notfound",
                                        "getheaders",   "getblocks",
                                        "headers",      "block",
                                        "tx",           "feefilter",
                                        "mempool",      "filterload",
                                        "filteradd",    "filterclear",
                                        "getcfilters",  "getcfheaders",
                                        "getcfcheckpt", "getblocktxn",
                                        "cmpctblock",   "blocktxn",
                                        "strange",      ""};
    struct sim *s = *state;
    struct sim_node *n = node_of(state);
    peer_id good = play_peer(s, n, CONN_INBOUND, 0, true), evil = 1;
    struct rng r;

    rng_init_seed(&r, 99);
    for (int round = 0; round < 6000; round++) {
        uint8_t data[600];
        size_t len = rng_below(&r, 3) ? rng_below(&r, sizeof(data)) : rng_below(&r, 4);
        const char *type = types[rng_below(&r, ARRAY_LEN(types))];
        if (!n->peer[evil].used) {
            sim_queue_clear(&n->peer[evil].out);
            n->next = evil;
            sim_peer_add(n, NULL, (enum connection_type)rng_below(&r, 6), rng_below(&r, 4) ? 0 : PERM_ALL);
            if (rng_below(&r, 4))
                play_version(s, n, evil, rng_below(&r, 2));
        }
        for (size_t i = 0; i < len; i++)
            data[i] = rng_below(&r, 2) ? (uint8_t)rng_u64(&r) : (uint8_t)rng_below(&r, 3);
        /* Often with hashes of real blocks, so that the paths behind are reached. */
        if (rng_below(&r, 2) && len > 40)
            memcpy(data + 5, chain_at(n->bed.c, (int32_t)rng_below(&r, 6))->node.hash.b, 32);
        if (rng_below(&r, 3) == 0 && len > 5) {
            data[0] = 1;
            put_le32(data + 1, (uint32_t)rng_below(&r, 6) | (rng_below(&r, 2) ? INV_WITNESS : 0));
        }
        if (n->peer[evil].used)
            play(s, n, evil, type, data, len);
        if (rng_below(&r, 50) == 0)
            sim_run_seconds(s, 1);
        while (n->peer[evil].out.n > 50)
            sim_msg_free(sim_queue_pop(&n->peer[evil].out));
    }
    sim_queue_clear(&n->peer[good].out);
    assert_true(n->peer[good].used);
    play(s, n, good, "ping", "12345678", 8);
    assert_true(played_any(n, good, "pong"));
    assert_int_equal(chain_height(n->bed.c), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(handshake_inbound, setup, teardown),
        cmocka_unit_test_setup_teardown(handshake_outbound, setup, teardown),
        cmocka_unit_test_setup_teardown(version_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(negotiation_after_verack, setup, teardown),
        cmocka_unit_test_setup_teardown(services_that_are_off, setup, teardown),
        cmocka_unit_test_setup_teardown(strict_order, setup, teardown),
        cmocka_unit_test_setup_teardown(block_waits_for_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(full_send_queue_holds_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(busy_validation_holds_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(timeouts, setup, teardown),
        cmocka_unit_test_setup_teardown(pings, setup, teardown),
        cmocka_unit_test_setup_teardown(misbehaviour, setup, teardown),
        cmocka_unit_test_setup_teardown(judged_later, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_orders, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
