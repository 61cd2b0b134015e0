/* test_transport.c - v1 framing: every split of the input, garbage, wrong magic, checksum, type and size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/transport.h"
#include "util/mem.h"
#include "util/random.h"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

static size_t frame(uint8_t *out, const char *type, const void *payload, size_t len)
{
    transport_v1_header(out, magic, type, payload, len);
    memcpy(out + MESSAGE_HEADER_SIZE, payload, len);
    return len + MESSAGE_HEADER_SIZE;
}

/* Three messages: with a payload, without, with a long one. */
static size_t make_stream(uint8_t *out)
{
    uint8_t big[700];
    size_t n = frame(out, "ping", "12345678", 8);
    n += frame(out + n, "verack", "", 0);
    memset(big, 0x5a, sizeof(big));
    return n + frame(out + n, "block", big, sizeof(big));
}

/* Feeds piece by piece; checks the three messages. */
static void feed_pieces(const uint8_t *data, size_t len, const size_t *cuts, size_t n_cuts)
{
    static const char *const types[] = {"ping", "verack", "block"};
    static const size_t lens[] = {8, 0, 700};
    struct transport_v1 t;
    size_t pos = 0, seen = 0;

    transport_v1_init(&t, magic);
    for (size_t c = 0; c <= n_cuts; c++) {
        size_t end = c < n_cuts ? cuts[c] : len;
        while (pos < end) {
            size_t used;
            /* An exact copy on the heap: a read beyond the piece is seen by sanitizers. */
            uint8_t *piece = xmemdup(data + pos, end - pos);
            enum transport_event e = transport_v1_feed(&t, piece, end - pos, &used);
            free(piece);
            assert_true(e == TRANSPORT_NEED_MORE || e == TRANSPORT_MESSAGE);
            assert_true(used > 0);
            pos += used;
            if (e == TRANSPORT_MESSAGE) {
                struct message m = transport_v1_message(&t);
                assert_true(seen < 3);
                assert_string_equal(m.type, types[seen]);
                assert_int_equal(m.len, lens[seen]);
                assert_int_equal(transport_v1_wire_size(&t), lens[seen] + 24);
                if (seen == 0)
                    assert_memory_equal(m.payload, "12345678", 8);
                seen++;
            }
        }
    }
    assert_int_equal(seen, 3);
    transport_v1_clear(&t);
}

static void every_split(void **state)
{
    uint8_t data[1024];
    size_t len = make_stream(data), cuts[1024];

    (void)state;
    for (size_t i = 1; i < len; i++)
        feed_pieces(data, len, &i, 1);
    for (size_t i = 0; i + 1 < len; i++)
        cuts[i] = i + 1;
    feed_pieces(data, len, cuts, len - 1);
}

static void wrong_magic_breaks(void **state)
{
    uint8_t data[64];
    struct transport_v1 t;
    size_t len = frame(data, "ping", "12345678", 8), used;

    (void)state;
    memset(data, 0xff, 4);
    transport_v1_init(&t, magic);
    assert_int_equal(transport_v1_feed(&t, data, len, &used), TRANSPORT_BROKEN);
    assert_string_equal(t.problem, "Header error: Wrong MessageStart ffffffff received");
    assert_int_equal(transport_v1_feed(&t, data, len, &used), TRANSPORT_BROKEN);
    assert_int_equal(used, 0);
    transport_v1_clear(&t);
}

static void wrong_checksum_skips_one(void **state)
{
    uint8_t data[128];
    struct transport_v1 t;
    size_t len = frame(data, "badmsg",
                       "\x01"
                       "d",
                       2),
           used;

    (void)state;
    memset(data + 20, 0xff, 4);
    len += frame(data + len, "ping", "12345678", 8);
    transport_v1_init(&t, magic);
    assert_int_equal(transport_v1_feed(&t, data, len, &used), TRANSPORT_REJECTED);
    assert_string_equal(t.problem, "Header error: Wrong checksum (badmsg, 2 bytes), expected 78df0a04 was ffffffff");
    assert_int_equal(used, 26);
    assert_int_equal(transport_v1_wire_size(&t), 26);
    assert_int_equal(transport_v1_feed(&t, data + used, len - used, &used), TRANSPORT_MESSAGE);
    assert_string_equal(transport_v1_message(&t).type, "ping");
    transport_v1_clear(&t);
}

static void bad_type_is_rejected(void **state)
{
    uint8_t data[64];
    struct transport_v1 t;
    size_t len = frame(data, "badmsg",
                       "\x01"
                       "d",
                       2),
           used;

    (void)state;
    data[7] = 0; /* a NUL with letters behind it */
    transport_v1_init(&t, magic);
    assert_int_equal(transport_v1_feed(&t, data, len, &used), TRANSPORT_REJECTED);
    assert_memory_equal(t.problem, "Header error: Invalid message type", 34);
    data[7] = 0x1f;
    assert_int_equal(transport_v1_feed(&t, data, len, &used), TRANSPORT_REJECTED);
    transport_v1_clear(&t);
}

static void oversize_breaks_without_allocating(void **state)
{
    uint8_t data[MESSAGE_HEADER_SIZE];
    struct transport_v1 t;
    size_t used;

    (void)state;
    transport_v1_header(data, magic, "badmsg", "", 0);
    put_le32(data + 16, MAX_MESSAGE_PAYLOAD + 1);
    transport_v1_init(&t, magic);
    assert_int_equal(transport_v1_feed(&t, data, sizeof(data), &used), TRANSPORT_BROKEN);
    assert_string_equal(t.problem, "Header error: Size too large (badmsg, 4000001 bytes)");
    assert_null(t.payload);
    transport_v1_clear(&t);
}

/* A header that announces 4 MB costs nothing until the bytes come. */
static void memory_follows_the_bytes(void **state)
{
    uint8_t data[MESSAGE_HEADER_SIZE + 100] = {0};
    struct transport_v1 t;
    size_t used;

    (void)state;
    transport_v1_header(data, magic, "block", "", 0);
    put_le32(data + 16, MAX_MESSAGE_PAYLOAD);
    transport_v1_init(&t, magic);
    assert_int_equal(transport_v1_feed(&t, data, MESSAGE_HEADER_SIZE, &used), TRANSPORT_NEED_MORE);
    assert_int_equal(t.payload_cap, 0);
    assert_int_equal(transport_v1_feed(&t, data + MESSAGE_HEADER_SIZE, 100, &used), TRANSPORT_NEED_MORE);
    assert_int_equal(used, 100);
    assert_true(t.payload_cap <= 200);
    transport_v1_clear(&t);
}

/* What is kept between two messages is little: there may be a thousand peers. */
static void little_is_kept(void **state)
{
    static uint8_t data[MESSAGE_HEADER_SIZE + 50000];
    struct transport_v1 t;
    size_t used;

    (void)state;
    transport_v1_header(data, magic, "block", data + MESSAGE_HEADER_SIZE, 50000);
    transport_v1_init(&t, magic);
    assert_int_equal(transport_v1_feed(&t, data, sizeof(data), &used), TRANSPORT_MESSAGE);
    assert_int_equal(t.payload_cap, 50000);
    transport_v1_release(&t);
    assert_int_equal(t.payload_cap, 0);
    transport_v1_clear(&t);
}

static void garbage(void **state)
{
    struct rng r;
    uint8_t data[300];

    (void)state;
    rng_init_seed(&r, 7);
    for (int round = 0; round < 2000; round++) {
        struct transport_v1 t;
        size_t len = rng_below(&r, sizeof(data)), pos = 0, used;
        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)rng_u64(&r);
        if (round % 2 && len >= 20) { /* half of them with the right magic and a small size */
            memcpy(data, magic, 4);
            put_le32(data + 16, (uint32_t)rng_below(&r, 64));
        }
        transport_v1_init(&t, magic);
        while (pos < len) {
            enum transport_event e = transport_v1_feed(&t, data + pos, len - pos, &used);
            assert_int_not_equal(e, TRANSPORT_MESSAGE); /* no checksum is right */
            pos += used;
            if (e == TRANSPORT_BROKEN)
                break;
        }
        transport_v1_clear(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split),
        cmocka_unit_test(wrong_magic_breaks),
        cmocka_unit_test(wrong_checksum_skips_one),
        cmocka_unit_test(bad_type_is_rejected),
        cmocka_unit_test(oversize_breaks_without_allocating),
        cmocka_unit_test(memory_follows_the_bytes),
        cmocka_unit_test(little_is_kept),
        cmocka_unit_test(garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
