/* test_transport_v2.c - BIP324 sessions between two parsers: its vectors, every split of the input, garbage of every length, decoys, tampering,
 * what is no v2 at all, and the memory that a stranger can make us hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/bip324.h"
#include "net/transport_v2.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"
#include "vectors.h"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

/* One end, and what it has said that the other has not been fed. */
struct end {
    struct transport t;
    struct writer out;
};

static void drain(struct end *e)
{
    size_t len;
    const uint8_t *data = transport_pending(&e->t, &len);
    write_bytes(&e->out, data, len);
    transport_pending_done(&e->t);
}

static void end_open(struct end *e, bool initiating, const struct transport_v2_random *random)
{
    memset(e, 0, sizeof(*e));
    transport_init(&e->t, magic, TRANSPORT_V1_ONLY);
    e->t.v2 = transport_v2_new(magic, initiating, random);
    drain(e);
}

static void end_close(struct end *e)
{
    transport_clear(&e->t);
    writer_clear(&e->out);
}

static void say(struct end *e, const char *type, const void *payload, size_t len)
{
    transport_write(&e->t, writer_extend(&e->out, transport_size(&e->t, type, len)), type, payload, len);
}

/* A packet of any contents. */
static void raw(struct end *e, const void *contents, size_t len, bool ignore)
{
    uint8_t *p = writer_extend(&e->out, len + BIP324_EXPANSION);
    if (len)
        memcpy(p + BIP324_CONTENTS, contents, len);
    transport_v2_write_raw(e->t.v2, p, len, ignore);
}

/* Feeds exact copies, so that a read beyond a piece is seen by sanitizers. Returns: the event that was not NEED_MORE, or that. */
static enum transport_event feed(struct end *to, const uint8_t *data, size_t len, size_t *used)
{
    uint8_t *piece = xmemdup(data, len);
    enum transport_event e = transport_feed(&to->t, piece, len, used);
    free(piece);
    drain(to);
    return e;
}

/* Gives all that one end has said to the other, which must not report anything. */
static void hear(struct end *to, struct end *from)
{
    size_t used;

    assert_int_equal(feed(to, from->out.data, from->out.len, &used), TRANSPORT_NEED_MORE);
    assert_int_equal(used, from->out.len);
    writer_clear(&from->out);
}

static void shake_hands(struct end *a, struct end *b)
{
    for (int i = 0; i < 3; i++) {
        hear(b, a);
        hear(a, b);
    }
    assert_string_equal(transport_name(&a->t), "v2");
    assert_string_equal(transport_name(&b->t), "v2");
    assert_memory_equal(transport_session_id(&a->t), transport_session_id(&b->t), 32);
}

static void expect(struct end *to, struct end *from, const char *type, const void *payload, size_t len)
{
    struct message m;
    size_t used, size = from->out.len;

    assert_int_equal(feed(to, from->out.data, from->out.len, &used), TRANSPORT_MESSAGE);
    assert_int_equal(used, size);
    m = transport_message(&to->t);
    assert_string_equal(m.type, type);
    assert_int_equal(m.len, len);
    assert_memory_equal(m.payload, payload, len);
    assert_int_equal(transport_wire_size(&to->t), size);
    writer_clear(&from->out);
}

/* A pair whose keys are always the same. */
static void known_pair(struct end *a, struct end *b, size_t garbage_a, size_t garbage_b)
{
    static uint8_t garbage[TRANSPORT_V2_MAX_GARBAGE];
    static struct transport_v2_random side[2];

    if (!side[0].key[0]) {
        memset(garbage, 0x33, sizeof(garbage));
        for (unsigned i = 0; i < 2; i++) {
            memset(side[i].key, (int)i + 1, 32);
            assert_true(ellswift_create(side[i].ell, side[i].key, side[i].key));
            side[i].garbage = garbage;
        }
    }
    side[0].garbage_len = garbage_a;
    side[1].garbage_len = garbage_b;
    end_open(a, true, &side[0]);
    end_open(b, false, &side[1]);
}

static void talk(void **state)
{
    struct end a, b;
    uint8_t *big = xcalloc(1, MAX_MESSAGE_PAYLOAD);

    (void)state;
    memset(big, 0x77, MAX_MESSAGE_PAYLOAD);
    end_open(&a, true, NULL);
    end_open(&b, false, NULL);
    assert_string_equal(transport_name(&a.t), "detecting");
    assert_string_equal(transport_name(&b.t), "detecting");
    assert_int_equal(b.out.len, 0); /* waits for the first byte */
    assert_true(a.out.len >= 64);
    assert_false(transport_can_send(&a.t));
    assert_true(transport_unanswered(&a.t));
    assert_false(transport_unanswered(&b.t));
    shake_hands(&a, &b);
    assert_false(transport_unanswered(&a.t));
    for (int round = 0; round < 500; round++) { /* across two changes of keys */
        say(&a, "ping", "12345678", 8);
        assert_int_equal(a.out.len, 8 + 1 + BIP324_EXPANSION); /* a short id */
        expect(&b, &a, "ping", "12345678", 8);
        say(&b, "oddity", "x", 1);
        assert_int_equal(b.out.len, 1 + 13 + BIP324_EXPANSION);
        expect(&a, &b, "oddity", "x", 1);
    }
    say(&a, "verack", NULL, 0);
    expect(&b, &a, "verack", "", 0);
    say(&a, "block", big, MAX_MESSAGE_PAYLOAD);
    expect(&b, &a, "block", big, MAX_MESSAGE_PAYLOAD);
    say(&a, "elevenplus12", big, MAX_MESSAGE_PAYLOAD); /* the longest contents there are */
    expect(&b, &a, "elevenplus12", big, MAX_MESSAGE_PAYLOAD);
    transport_release(&b.t);
    assert_int_equal(transport_v2_memory(b.t.v2), 0);
    say(&a, "block", big, 50000);
    expect(&b, &a, "block", big, 50000);
    transport_release(&b.t); /* between two messages little is kept: there may be a thousand peers */
    assert_int_equal(transport_v2_memory(b.t.v2), 0);
    end_close(&a);
    end_close(&b);
    free(big);
}

/* The vector's packet, if it is one that the transport makes: not the first, which is the version packet, and without data beside it. */
static bool packet_matches(struct transport_v2 *t, char **cell)
{
    unsigned long index = strtoul(cell[0], NULL, 10), times = strtoul(cell[6], NULL, 10);
    size_t part = strlen(cell[5]) / 2, len = part * times;
    uint8_t *packet;
    char *hex;

    if (index == 0 || *cell[7])
        return false;
    packet = xmalloc(len + BIP324_EXPANSION);
    hex = xmalloc(2 * (len + BIP324_EXPANSION) + 1);
    while (--index)
        transport_v2_write_raw(t, packet, 0, false);
    for (unsigned long i = 0; i < times; i++)
        assert_true(hex_decode(packet + BIP324_CONTENTS + i * part, part, cell[5]));
    transport_v2_write_raw(t, packet, len, cell[8][0] == '1');
    hex_encode(hex, packet, len + BIP324_EXPANSION);
    if (*cell[20])
        assert_string_equal(hex, cell[20]);
    assert_string_equal(hex + strlen(hex) - strlen(cell[21]), cell[21]);
    free(hex);
    free(packet);
    return true;
}

/* BIP324's own packets, written and read by the transport's cipher behind its handshake. */
static void vectors(void **state)
{
    static const uint8_t main_magic[4] = {0xf9, 0xbe, 0xb4, 0xd9};
    size_t len;
    uint8_t *file = vectors_read("crypto/bip324-packet_encoding_test_vectors.csv", &len);
    char *text, *line, *save = NULL;
    unsigned rows = 0, compared = 0;

    (void)state;
    if (!file)
        return;
    text = xasprintf("%.*s", (int)len, (const char *)file);
    for (line = strtok_r(text, "\r\n", &save); (line = strtok_r(NULL, "\r\n", &save)) != NULL; rows++) {
        struct transport_v2_random r = {.garbage_len = 0};
        char *cell[22], *p = line;
        uint8_t theirs[64], want[16];
        struct transport_v2 *t;
        size_t used, n;
        bool initiating;

        for (unsigned i = 0; i < ARRAY_LEN(cell); i++) {
            cell[i] = p;
            p = strchr(p, ',');
            assert_true(p || i + 1 == ARRAY_LEN(cell));
            if (p)
                *p++ = 0;
        }
        initiating = cell[4][0] == '1';
        assert_true(hex_decode(r.key, 32, cell[1]) && hex_decode(r.ell, 64, cell[2]) && hex_decode(theirs, 64, cell[3]) &&
                    hex_decode(want, 16, cell[17]));
        t = transport_v2_new(main_magic, initiating, &r);
        assert_int_equal(transport_v2_feed(t, theirs, 64, &used), TRANSPORT_NEED_MORE);
        /* Key, terminator, and the version packet. */
        const uint8_t *sent = transport_v2_pending(t, &n);
        assert_int_equal(n, 64 + 16 + BIP324_EXPANSION);
        assert_memory_equal(sent, r.ell, 64);
        assert_memory_equal(sent + 64, want, 16);
        compared += packet_matches(t, cell);
        /* The other side's terminator ends its garbage, wherever it stands. */
        assert_true(hex_decode(want, 16, cell[18]));
        assert_int_equal(transport_v2_feed(t, theirs, 64, &used), TRANSPORT_NEED_MORE);
        assert_int_equal(transport_v2_feed(t, want, 16, &used), TRANSPORT_NEED_MORE);
        assert_null(transport_v2_session_id(t));
        transport_v2_free(t);
    }
    assert_true(rows >= 7 && compared >= 1);
    free(text);
    free(file);
}

/* The whole of what an initiator says, cut in two at every place, and in single bytes. */
static void every_split(void **state)
{
    struct end a, b, c;
    struct writer all = WRITER_INIT;

    (void)state;
    known_pair(&a, &b, 40, 5);
    write_bytes(&all, a.out.data, a.out.len);
    hear(&b, &a);
    hear(&a, &b);
    raw(&a, "decoy", 5, true);
    say(&a, "ping", "12345678", 8);
    say(&a, "verack", "", 0);
    write_bytes(&all, a.out.data, a.out.len);
    for (size_t cut = 0; cut < all.len; cut++) {
        size_t pos = 0, seen = 0, step = cut ? all.len : 1;
        struct end idle;
        known_pair(&idle, &c, 40, 5);
        while (pos < all.len) {
            size_t used, upto = pos < cut ? cut : pos + step < all.len ? pos + step : all.len;
            enum transport_event e = feed(&c, all.data + pos, upto - pos, &used);
            assert_true(e == TRANSPORT_NEED_MORE || e == TRANSPORT_MESSAGE);
            assert_true(used > 0);
            pos += used;
            if (e == TRANSPORT_MESSAGE)
                assert_string_equal(transport_message(&c.t).type, seen++ ? "verack" : "ping");
        }
        assert_int_equal(seen, 2);
        assert_memory_equal(transport_session_id(&c.t), transport_session_id(&a.t), 32);
        end_close(&idle);
        end_close(&c);
    }
    writer_clear(&all);
    end_close(&a);
    end_close(&b);
}

static void garbage_of_every_length(void **state)
{
    (void)state;
    for (size_t n = 0; n <= TRANSPORT_V2_MAX_GARBAGE; n++) {
        struct end a, b;
        known_pair(&a, &b, n, TRANSPORT_V2_MAX_GARBAGE - n);
        assert_int_equal(a.out.len, 64 + n);
        shake_hands(&a, &b);
        end_close(&a);
        end_close(&b);
    }
}

/* One byte of garbage more than there may be. */
static void no_terminator(void **state)
{
    struct end a, b;
    uint8_t junk[TRANSPORT_V2_MAX_GARBAGE + 16];
    size_t used;

    (void)state;
    known_pair(&a, &b, 0, 0);
    memset(junk, 0, sizeof(junk));
    assert_int_equal(feed(&b, junk, 64, &used), TRANSPORT_NEED_MORE);
    assert_int_equal(feed(&b, junk, sizeof(junk) - 1, &used), TRANSPORT_NEED_MORE);
    assert_int_equal(feed(&b, junk, 2, &used), TRANSPORT_BROKEN);
    assert_string_equal(transport_problem(&b.t), "V2 transport error: missing garbage terminator");
    assert_int_equal(feed(&b, junk, 2, &used), TRANSPORT_BROKEN);
    assert_int_equal(used, 0);
    end_close(&a);
    end_close(&b);
}

/* Each byte that the initiator sends after its key is authenticated, one way or another. */
static void tampering(void **state)
{
    struct end a, b;
    size_t total;

    (void)state;
    known_pair(&a, &b, 20, 3);
    hear(&b, &a);
    hear(&a, &b);
    total = 20 + 16 + BIP324_EXPANSION;
    end_close(&a);
    end_close(&b);
    for (size_t i = 0; i < total; i++) {
        size_t used, first;
        enum transport_event e;
        known_pair(&a, &b, 20, 3);
        if (i < 20) { /* garbage leaves before the keys are there */
            a.out.data[64 + i] ^= 1;
            hear(&b, &a);
            hear(&a, &b);
        } else {
            hear(&b, &a);
            hear(&a, &b);
            a.out.data[i - 20] ^= 1;
        }
        first = a.out.len;
        say(&a, "ping", "12345678", 8);
        e = feed(&b, a.out.data, first, &used);
        if (e == TRANSPORT_NEED_MORE && used == first)
            e = feed(&b, a.out.data + first, a.out.len - first, &used);
        /* A wrong terminator may be waited out, a longer length too: never is anything believed. */
        assert_true(e == TRANSPORT_BROKEN || (e == TRANSPORT_NEED_MORE && i >= 20 && i < 20 + 16 + 3));
        assert_null(transport_session_id(&b.t));
        end_close(&a);
        end_close(&b);
    }
}

static void bad_packets(void **state)
{
    struct end a, b;
    size_t used;

    (void)state;
    known_pair(&a, &b, 0, 0);
    shake_hands(&a, &b);
    /* An empty packet, an unknown id, a long type that is cut, and ones with bytes that no type has: skipped. */
    static const struct {
        const char *contents;
        size_t len;
    } bad[] = {
        {"", 0}, {"\x26", 1}, {"\xff", 1}, {"\0short", 6}, {"\0ab\0c\0\0\0\0\0\0\0\0", 13}, {"\0\x1f\0\0\0\0\0\0\0\0\0\0\0", 13}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char want[96];
        raw(&a, bad[i].contents, bad[i].len, false);
        assert_int_equal(feed(&b, a.out.data, a.out.len, &used), TRANSPORT_REJECTED);
        snprintf(want, sizeof(want), "V2 transport error: invalid message type (%zu bytes contents)", bad[i].len);
        assert_string_equal(transport_problem(&b.t), want);
        assert_int_equal(transport_wire_size(&b.t), bad[i].len + BIP324_EXPANSION);
        writer_clear(&a.out);
    }
    say(&a, "ping", "12345678", 8); /* goes on */
    expect(&b, &a, "ping", "12345678", 8);
    end_close(&a);
    end_close(&b);
}

/* Decoys are dropped in every place: before the version packet (the first carries the garbage), and between messages. */
static void decoys(void **state)
{
    struct end a, b;
    struct writer version = WRITER_INIT;
    size_t used;

    (void)state;
    known_pair(&a, &b, 7, 0);
    shake_hands(&a, &b);
    for (int i = 0; i < 1000; i++) {
        raw(&a, "anything", (size_t)i % 9, true);
        if (i % 100 == 99) {
            say(&a, "pong", "87654321", 8);
            assert_int_equal(feed(&b, a.out.data, a.out.len, &used), TRANSPORT_MESSAGE);
            assert_string_equal(transport_message(&b.t).type, "pong");
            assert_int_equal(used, a.out.len);
            writer_clear(&a.out);
        }
    }
    end_close(&a);
    end_close(&b);

    /* A first packet of someone else's making: a decoy that authenticates the garbage, then contents in the version packet. */
    struct transport_v2_random r = {.garbage = (const uint8_t *)"abc", .garbage_len = 3};
    struct bip324_cipher c;
    uint8_t secret[32], packet[100];
    const uint8_t *theirs;
    size_t n;

    memset(r.key, 9, 32);
    assert_true(ellswift_create(r.ell, r.key, r.key));
    end_open(&b, false, NULL);
    write_bytes(&version, r.ell, 64);
    write_bytes(&version, "abc", 3);
    assert_int_equal(transport_feed(&b.t, version.data, version.len, &used), TRANSPORT_NEED_MORE);
    theirs = transport_pending(&b.t, &n);
    assert_true(bip324_ecdh(secret, r.key, r.ell, theirs, true));
    bip324_cipher_init(&c, secret, magic, true);
    memcpy(packet, c.send_garbage_terminator, 16);
    assert_int_equal(transport_feed(&b.t, packet, 16, &used), TRANSPORT_NEED_MORE);
    memcpy(packet + BIP324_CONTENTS, "decoy", 5);
    bip324_encrypt(&c, packet, 5, (const uint8_t *)"abc", 3, true);
    assert_int_equal(transport_feed(&b.t, packet, 5 + BIP324_EXPANSION, &used), TRANSPORT_NEED_MORE);
    assert_null(transport_session_id(&b.t));
    memcpy(packet + BIP324_CONTENTS, "future", 6);
    bip324_encrypt(&c, packet, 6, NULL, 0, false);
    assert_int_equal(transport_feed(&b.t, packet, 6 + BIP324_EXPANSION, &used), TRANSPORT_NEED_MORE);
    assert_memory_equal(transport_session_id(&b.t), c.session_id, 32);
    writer_clear(&version);
    bip324_cipher_clear(&c);
    end_close(&b);
}

/* A length that announces 4 MB costs little until the bytes come, and one beyond the limit ends it. */
static void memory_follows_the_bytes(void **state)
{
    struct end a, b;
    uint8_t *big = xcalloc(1, 5000000);
    size_t used, sent = 0;

    (void)state;
    known_pair(&a, &b, 0, 0);
    shake_hands(&a, &b);
    raw(&a, big, 13 + MAX_MESSAGE_PAYLOAD, false);
    while (sent < 1000000) {
        size_t step = sent == 0 ? 3 : 997;
        assert_int_equal(feed(&b, a.out.data + sent, step, &used), TRANSPORT_NEED_MORE);
        sent += step;
        assert_true(transport_v2_memory(b.t.v2) <= sent + 256 * 1024);
    }
    end_close(&a);
    end_close(&b);
    known_pair(&a, &b, 0, 0);
    shake_hands(&a, &b);
    raw(&a, big, 13 + MAX_MESSAGE_PAYLOAD + 1, false);
    assert_int_equal(feed(&b, a.out.data, 3, &used), TRANSPORT_BROKEN);
    assert_string_equal(transport_problem(&b.t), "V2 transport error: packet too large (4000014 bytes)");
    assert_true(transport_v2_memory(b.t.v2) <= 64 * 1024);
    end_close(&a);
    end_close(&b);
    free(big);
}

/* A peer that speaks v1 is understood, wherever its first message is cut. */
static void v1_is_detected(void **state)
{
    uint8_t data[MESSAGE_HEADER_SIZE + 20] = {0};

    (void)state;
    transport_v1_header(data, magic, "version", data + MESSAGE_HEADER_SIZE, 20);
    for (size_t cut = 0; cut <= sizeof(data); cut++) {
        struct end b;
        size_t used;
        enum transport_event e = TRANSPORT_NEED_MORE;

        end_open(&b, false, NULL);
        if (cut)
            e = feed(&b, data, cut, &used);
        assert_string_equal(transport_name(&b.t), cut < 16 ? "detecting" : "v1");
        if (cut < sizeof(data)) {
            assert_int_equal(e, TRANSPORT_NEED_MORE);
            e = feed(&b, data + cut, sizeof(data) - cut, &used);
            assert_int_equal(used, sizeof(data) - cut);
        }
        assert_int_equal(e, TRANSPORT_MESSAGE);
        assert_string_equal(transport_message(&b.t).type, "version");
        assert_int_equal(transport_wire_size(&b.t), sizeof(data));
        assert_int_equal(b.out.len, 0); /* not a byte of a key */
        assert_true(transport_can_send(&b.t));
        say(&b, "verack", "", 0);
        assert_int_equal(b.out.len, MESSAGE_HEADER_SIZE);
        assert_memory_equal(b.out.data, magic, 4);
        end_close(&b);
    }
}

/* The first byte that no v1 connection begins with brings our key. */
static void key_waits_for_a_difference(void **state)
{
    static const char begin[] = "\xfa\xbf\xb5\xdaversion\0\0\0\0";
    size_t used;

    (void)state;
    for (size_t n = 0; n < 15; n++) {
        struct end b;
        end_open(&b, false, NULL);
        if (n)
            assert_int_equal(feed(&b, (const uint8_t *)begin, n, &used), TRANSPORT_NEED_MORE);
        assert_int_equal(b.out.len, 0);
        assert_int_equal(feed(&b, (const uint8_t *)"\x55", 1, &used), TRANSPORT_NEED_MORE);
        assert_true(b.out.len >= 64);
        end_close(&b);
    }
}

static void other_network(void **state)
{
    struct end b;
    uint8_t data[17] = "\x0b\x11\x09\x07version";
    size_t used;

    (void)state;
    end_open(&b, false, NULL);
    assert_int_equal(feed(&b, data, sizeof(data), &used), TRANSPORT_BROKEN);
    assert_string_equal(transport_problem(&b.t), "V2 transport error: V1 peer with wrong MessageStart 0b110907");
    end_close(&b);
    end_open(&b, true, NULL); /* from one that we called, it is a key like any other */
    assert_int_equal(feed(&b, data, sizeof(data), &used), TRANSPORT_NEED_MORE);
    end_close(&b);
}

static void noise(void **state)
{
    struct rng r;
    uint8_t data[6000];

    (void)state;
    rng_init_seed(&r, 11);
    for (int round = 0; round < 300; round++) {
        struct end a, b, *to = round % 2 ? &a : &b;
        size_t pos = 0, used, len = rng_below(&r, sizeof(data)) + 1;

        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)rng_u64(&r);
        known_pair(&a, &b, 10, 10);
        if (round % 4 >= 2)
            shake_hands(&a, &b);
        while (pos < len) {
            size_t step = rng_below(&r, len - pos) + 1;
            enum transport_event e = feed(to, data + pos, step, &used);
            assert_true(e == TRANSPORT_NEED_MORE || e == TRANSPORT_BROKEN);
            if (e == TRANSPORT_BROKEN)
                break;
            pos += used;
        }
        end_close(&a);
        end_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(talk),
        cmocka_unit_test(vectors),
        cmocka_unit_test(every_split),
        cmocka_unit_test(garbage_of_every_length),
        cmocka_unit_test(no_terminator),
        cmocka_unit_test(tampering),
        cmocka_unit_test(bad_packets),
        cmocka_unit_test(decoys),
        cmocka_unit_test(memory_follows_the_bytes),
        cmocka_unit_test(v1_is_detected),
        cmocka_unit_test(key_waits_for_a_difference),
        cmocka_unit_test(other_network),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
