/* test_outbound.c - which connection is opened next, and bad ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/outbound.h"
#include "util/mem.h"

static void order_of_slots(void **state)
{
    struct outbound_state s = {.max_full_relay = 8,
                               .max_block_relay = 2,
                               .usual_full_relay = 8,
                               .anchors = 2,
                               .now = 100,
                               .next_block_relay = 200,
                               .next_feeler = 200,
                               .next_network = 200};
    bool timed;

    (void)state;
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_ANCHOR);
    s.anchors = 0;
    for (; s.full_relay < 8; s.full_relay++)
        assert_int_equal(outbound_next(&s, &timed), OUTBOUND_FULL_RELAY);
    s.anchors = 1;
    for (; s.block_relay < 2; s.block_relay++, s.anchors = 0)
        assert_int_equal(outbound_next(&s, &timed), s.anchors ? OUTBOUND_ANCHOR : OUTBOUND_BLOCK_RELAY);
    s.anchors = 1; /* no slot for it any more */
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_NONE);
    assert_false(timed);
    s.tip_stale = true;
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_FULL_RELAY);
    assert_false(timed);
}

static void timers(void **state)
{
    struct outbound_state s = {
        .full_relay = 8, .block_relay = 2, .max_full_relay = 8, .max_block_relay = 2, .usual_full_relay = 8, .now = 1000};
    bool timed;

    (void)state;
    s.next_block_relay = s.next_feeler = s.next_network = 999;
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_FEELER); /* initial sync is not over */
    assert_true(timed);
    s.sync_done = true;
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_BLOCK_RELAY);
    assert_true(timed);
    s.next_block_relay = 1000;
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_FEELER);
    s.next_feeler = 1000;
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_NETWORK);
    s.full_relay = 9; /* there is one already */
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_NONE);
    s.full_relay = s.max_full_relay = 5; /* -maxconnections=5 */
    s.block_relay = s.max_block_relay = 0;
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_NONE);
    s.max_full_relay = 0; /* -maxconnections=0 */
    s.full_relay = 0;
    assert_int_equal(outbound_next(&s, &timed), OUTBOUND_NONE);
}

static void bad_ports(void **state)
{
    static const uint16_t bad[] = {1, 22, 53, 110, 995, 1719, 6000, 6697, 10080, 27017},
                          good[] = {0, 2, 80, 443, 8333, 18444, 65535};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_true(outbound_port_is_bad(bad[i]));
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_false(outbound_port_is_bad(good[i]));
    /* as many as doc/p2p-bad-ports.md of Bitcoin Core lists */
    unsigned n = 0;
    for (unsigned p = 0; p < 65536; p++)
        n += outbound_port_is_bad((uint16_t)p);
    assert_int_equal(n, 85);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order_of_slots), cmocka_unit_test(timers), cmocka_unit_test(bad_ports)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
