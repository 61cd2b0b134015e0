/* test_message.c - message codecs: round trips, every truncation, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/message.h"
#include "primitives/serialize.h"
#include "util/hex.h"
#include "util/mem.h"

static void version_round_trip(void **state)
{
    struct msg_version v = {.version = 70016,
                            .services = 0x409,
                            .time = 1700000000,
                            .nonce = 42,
                            .start_height = 7,
                            .relay = false},
                       got;
    struct writer w = WRITER_INIT;

    (void)state;
    assert_true(net_addr_parse(&v.addr_recv, "1.2.3.4:8333", 0));
    strcpy(v.user_agent, "/Satoshi:31.99.0/Farthing:0.1.0/");
    msg_version_encode(&w, &v);
    assert_true(msg_version_decode(&got, w.data, w.len));
    assert_int_equal(got.version, 70016);
    assert_int_equal(got.services, 0x409);
    assert_int_equal(got.time, 1700000000);
    assert_true(net_addr_equal(&got.addr_recv, &v.addr_recv));
    assert_int_equal(got.nonce, 42);
    assert_string_equal(got.user_agent, v.user_agent);
    assert_int_equal(got.start_height, 7);
    assert_false(got.relay);
    /* 46 bytes are the oldest form; after that each field may be missing as a whole. */
    for (size_t len = 0; len < w.len; len++) {
        uint8_t *exact = xmemdup(w.data, len);
        bool want = len == 46 || len == 80 || len == 80 + 33 || len == 80 + 33 + 4;
        assert_int_equal(msg_version_decode(&got, exact, len), want);
        free(exact);
    }
    assert_true(msg_version_decode(&got, w.data, 46));
    assert_int_equal(got.nonce, 1);
    assert_int_equal(got.start_height, -1);
    assert_true(got.relay);
    writer_clear(&w);
}

static void version_agent_is_bounded_and_clean(void **state)
{
    struct msg_version v = {.version = 70016}, got;
    struct writer w = WRITER_INIT;

    (void)state;
    memset(v.user_agent, 'a', MAX_USER_AGENT);
    v.user_agent[3] = '\n';
    msg_version_encode(&w, &v);
    assert_true(msg_version_decode(&got, w.data, w.len));
    assert_int_equal(strlen(got.user_agent), MAX_USER_AGENT - 1);
    assert_null(strchr(got.user_agent, '\n'));
    put_le16(w.data + 81, MAX_USER_AGENT + 1); /* one too long: 0xfd, then the length */
    assert_int_equal(w.data[80], 0xfd);
    assert_false(msg_version_decode(&got, w.data, w.len));
    writer_clear(&w);
}

static void inv_round_trip(void **state)
{
    struct inv in[3] = {{INV_TX, {1}}, {INV_WITNESS_BLOCK, {2}}, {INV_WTX, {3}}}, *out;
    struct writer w = WRITER_INIT;
    size_t n;
    char text[96];

    (void)state;
    msg_inv_encode(&w, in, 3);
    assert_int_equal(w.len, 1 + 3 * 36);
    assert_true(msg_inv_decode(&out, &n, w.data, w.len));
    assert_int_equal(n, 3);
    assert_memory_equal(out, in, sizeof(in));
    free(out);
    for (size_t len = 0; len < w.len; len++) {
        uint8_t *exact = xmemdup(w.data, len);
        assert_false(msg_inv_decode(&out, &n, exact, len));
        free(exact);
    }
    assert_memory_equal(inv_text(text, &in[1]), "witness-block 0000", 18);
    assert_memory_equal(inv_text(text, &in[2]), "wtx 0000", 8);
    in[0].type = 77;
    assert_memory_equal(inv_text(text, &in[0]), "0x0000004d 00", 13);
    writer_clear(&w);
}

/* A count that the bytes cannot hold must not be believed. */
static void huge_counts(void **state)
{
    static const uint8_t counts[][9] = {
        {0xfe, 0xff, 0xff, 0xff, 0x01},
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0xfe, 0x00, 0x00, 0x00, 0x02},
    };
    struct inv *items;
    struct block_header *headers;
    struct addr_entry *entries;
    struct msg_locator loc;
    size_t n;
    uint8_t locator[13] = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        memcpy(locator + 4, counts[i], 9);
        assert_false(msg_inv_decode(&items, &n, counts[i], 9));
        assert_false(msg_locator_decode(&loc, locator, sizeof(locator)));
        assert_false(msg_addr_decode(&entries, &n, false, counts[i], 9, NULL));
        assert_false(msg_addr_decode(&entries, &n, true, counts[i], 9, NULL));
        if (msg_headers_decode(&headers, &n, counts[i], 9)) {
            assert_null(headers); /* over the limit: only the count is told */
            assert_true(n > MAX_HEADERS_ITEMS);
        }
    }
}

static void locator_round_trip(void **state)
{
    struct block_hash h[2] = {{{1}}, {{2}}}, stop = {{3}};
    struct writer w = WRITER_INIT;
    struct msg_locator m;

    (void)state;
    msg_locator_encode(&w, h, 2, &stop);
    assert_true(msg_locator_decode(&m, w.data, w.len));
    assert_int_equal(m.n, 2);
    assert_memory_equal(m.hashes, h, sizeof(h));
    assert_true(block_hash_equal(&m.stop, &stop));
    free(m.hashes);
    for (size_t len = 0; len < w.len; len++)
        assert_false(msg_locator_decode(&m, w.data, len));
    writer_clear(&w);
}

static void headers_round_trip(void **state)
{
    struct block_header h[2] = {{.version = 1, .time = 5, .bits = 6, .nonce = 7}, {.version = 2, .prev = {{9}}}}, *got;
    struct writer w = WRITER_INIT, many = WRITER_INIT;
    size_t n;

    (void)state;
    msg_headers_encode(&w, h, 2);
    assert_int_equal(w.len, 1 + 2 * 81);
    assert_true(msg_headers_decode(&got, &n, w.data, w.len));
    assert_int_equal(n, 2);
    assert_memory_equal(got, h, sizeof(h));
    free(got);
    for (size_t len = 0; len < w.len; len++)
        assert_false(msg_headers_decode(&got, &n, w.data, len));
    writer_clear(&w);
    write_compact_size(&many, 2001);
    assert_true(msg_headers_decode(&got, &n, many.data, many.len));
    assert_int_equal(n, 2001);
    assert_null(got);
    writer_clear(&many);
}

static void addr_round_trip(void **state)
{
    struct addr_entry in[3] = {{.time = 1, .services = 9}, {.time = 2, .services = 1}, {.time = 3, .services = 0x10000}}, *out;
    size_t n;

    (void)state;
    assert_true(net_addr_parse(&in[0].addr, "9.8.7.6:1234", 0));
    assert_true(net_addr_parse(&in[1].addr, "[2a00::1]:8333", 0));
    assert_true(net_addr_parse(&in[2].addr, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333", 0));
    for (int v2 = 0; v2 < 2; v2++) {
        size_t count = v2 ? 3 : 2; /* the old form has no onion addresses */
        struct writer w = WRITER_INIT;
        msg_addr_encode(&w, in, count, v2);
        assert_true(msg_addr_decode(&out, &n, v2, w.data, w.len, NULL));
        assert_int_equal(n, count);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(out[i].time, in[i].time);
            assert_int_equal(out[i].services, in[i].services);
            assert_true(net_addr_equal(&out[i].addr, &in[i].addr));
        }
        free(out);
        for (size_t len = 0; len < w.len; len++) {
            uint8_t *exact = xmemdup(w.data, len);
            assert_false(msg_addr_decode(&out, &n, v2, exact, len, NULL));
            free(exact);
        }
        writer_clear(&w);
    }
}

static void addrv2_unknown_network_and_long_address(void **state)
{
    /* BIP155's numbers: an unknown network is stepped over; 513 bytes are too many; IPv4 has four. */
    static const char unknown[] = "02"
                                  "61bc6649"
                                  "01"
                                  "99"
                                  "02"
                                  "abab"
                                  "208d"
                                  "61bc6649"
                                  "01"
                                  "01"
                                  "04"
                                  "09090909"
                                  "208d";
    uint8_t bytes[600] = {0};
    struct addr_entry *e;
    size_t n;
    const char *problem;

    (void)state;
    assert_true(hex_decode(bytes, sizeof(unknown) / 2, unknown));
    assert_true(msg_addr_decode(&e, &n, true, bytes, sizeof(unknown) / 2, &problem));
    assert_int_equal(n, 2);
    assert_int_equal(e[0].addr.network, NET_UNKNOWN);
    assert_int_equal(e[1].addr.network, NET_IPV4);
    assert_int_equal(e[1].addr.ip[0], 9);
    assert_int_equal(e[1].addr.port, 0x208d);
    free(e);
    assert_true(hex_decode(bytes, 10, "0161bc66490001fd0102"));
    assert_false(msg_addr_decode(&e, &n, true, bytes, 525, &problem));
    assert_string_equal(problem, "Address too long: 513 > 512");
    assert_true(hex_decode(bytes, 8, "0161bc6649000105"));
    assert_false(msg_addr_decode(&e, &n, true, bytes, 20, &problem));
}

static void known_types(void **state)
{
    char out[16];

    (void)state;
    assert_true(message_type_known("getheaders"));
    assert_true(message_type_known("wtxidrelay"));
    assert_false(message_type_known("badmsg"));
    message_sanitize(out, sizeof(out), "a\x01\x7f<b>%", 7);
    assert_string_equal(out, "ab");
    message_sanitize(out, 4, "abcdef", 6);
    assert_string_equal(out, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_round_trip), cmocka_unit_test(version_agent_is_bounded_and_clean),
        cmocka_unit_test(inv_round_trip),     cmocka_unit_test(huge_counts),
        cmocka_unit_test(locator_round_trip), cmocka_unit_test(headers_round_trip),
        cmocka_unit_test(addr_round_trip),    cmocka_unit_test(addrv2_unknown_network_and_long_address),
        cmocka_unit_test(known_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
