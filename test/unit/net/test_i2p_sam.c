/* test_i2p_sam.c - the SAM client fed with a router's answers: sessions, streams, peers, and answers that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "net/i2p_sam.h"
#include "util/base64.h"
#include "util/mem.h"

/* Feeds text in pieces of 1 byte and checks what the machine says next. out: NULL: nothing. */
static enum exchange_step answer(struct sam *s, const char *text, const char *out)
{
    enum exchange_step step = EXCHANGE_MORE;

    writer_clear(&s->out);
    for (; *text && step == EXCHANGE_MORE; text++) {
        size_t used;
        step = sam_feed(s, (const uint8_t *)text, 1, &used);
        assert_int_equal(used, 1);
    }
    assert_int_equal(*text, 0);
    assert_int_equal(s->out.len, out ? strlen(out) : 0);
    if (out)
        assert_memory_equal(s->out.data, out, strlen(out));
    return step;
}

/* A private key: destination with a certificate of 4 bytes, then 96 bytes; its base64 in I2P's alphabet. */
static char *make_key(uint8_t key[487])
{
    char *text;

    for (size_t i = 0; i < 487; i++)
        key[i] = (uint8_t)(i * 7 + 250);
    key[384] = 5;
    key[385] = 0;
    key[386] = 4;
    text = base64_encode(key, 487);
    for (char *p = text; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '~' : *p;
    return text;
}

static void expect_addr(const struct net_addr *a, const uint8_t *dest, size_t len)
{
    uint8_t hash[32];

    sha256(hash, dest, len);
    assert_int_equal(a->network, NET_I2P);
    assert_int_equal(a->port, 0);
    assert_memory_equal(a->ip, hash, 32);
}

static void session_with_new_key(void **state)
{
    uint8_t key[487];
    char *text = make_key(key), *reply = xasprintf("PUB=abc PRIV=%s\n", text), *create;
    struct sam s;

    (void)state;
    create = xasprintf("SESSION CREATE STYLE=STREAM ID=0123456789 DESTINATION=%s i2cp.leaseSetEncType=4,0 inbound.quantity=3 "
                       "outbound.quantity=3\n",
                       text);
    sam_init(&s, SAM_FOR_SESSION, "0123456789");
    assert_memory_equal(s.out.data, "HELLO VERSION MIN=3.1 MAX=3.1\n", 30);
    assert_int_equal(answer(&s, "HELLO REPLY RESULT=OK VERSION=3.1\n", "DEST GENERATE SIGNATURE_TYPE=7\n"), EXCHANGE_MORE);
    assert_int_equal(answer(&s, reply, create), EXCHANGE_MORE);
    assert_int_equal(answer(&s, "SESSION STATUS RESULT=OK DESTINATION=x\n", NULL), EXCHANGE_DONE);
    assert_true(s.key_is_new);
    assert_int_equal(s.key.len, 487);
    assert_memory_equal(s.key.data, key, 487);
    expect_addr(&s.addr, key, 391);
    sam_clear(&s);
    /* the same with the kept key */
    sam_init(&s, SAM_FOR_SESSION, "0123456789");
    write_bytes(&s.key, key, 487);
    assert_int_equal(answer(&s, "HELLO REPLY RESULT=OK VERSION=3.1\n", create), EXCHANGE_MORE);
    assert_int_equal(answer(&s, "SESSION STATUS RESULT=DUPLICATED_DEST\n", NULL), EXCHANGE_FAILED);
    assert_string_equal(s.error, "Reply to \"SESSION CREATE ...\": had a RESULT not equal to OK.");
    sam_clear(&s);
    free(text);
    free(reply);
    free(create);
}

static void transient_session(void **state)
{
    uint8_t key[487];
    char *text = make_key(key), *reply = xasprintf("SESSION STATUS RESULT=OK DESTINATION=%s\n", text);
    struct sam s;

    (void)state;
    sam_init(&s, SAM_FOR_TRANSIENT, "aa");
    assert_int_equal(answer(&s, "HELLO REPLY RESULT=OK VERSION=3.1\n",
                            "SESSION CREATE STYLE=STREAM ID=aa DESTINATION=TRANSIENT SIGNATURE_TYPE=7 i2cp.leaseSetEncType=4,0 "
                            "inbound.quantity=1 outbound.quantity=1\n"),
                     EXCHANGE_MORE);
    assert_int_equal(answer(&s, reply, NULL), EXCHANGE_DONE);
    expect_addr(&s.addr, key, 391);
    assert_false(s.key_is_new);
    sam_clear(&s);
    free(text);
    free(reply);
}

static void connecting(void **state)
{
    struct sam s;
    size_t used;

    (void)state;
    for (int bad = 0; bad < 4; bad++) {
        static const char *const last[] = {"STREAM STATUS RESULT=OK\n", "STREAM STATUS RESULT=INVALID_ID MESSAGE=\"no\"\n",
                                           "STREAM STATUS RESULT=CANT_REACH_PEER\n", "STREAM STATUS RESULT=I2P_ERROR\n"};
        sam_init(&s, SAM_FOR_CONNECT, "aa");
        memcpy(s.name, "x.b32.i2p", 10);
        assert_int_equal(answer(&s, "HELLO REPLY RESULT=OK VERSION=3.1\n", "NAMING LOOKUP NAME=x.b32.i2p\n"), EXCHANGE_MORE);
        assert_int_equal(
            answer(&s, "NAMING REPLY RESULT=OK NAME=x VALUE=Zm9v=x\n", "STREAM CONNECT ID=aa DESTINATION=Zm9v=x SILENT=false\n"),
            EXCHANGE_MORE);
        assert_int_equal(answer(&s, last[bad], NULL), bad ? EXCHANGE_FAILED : EXCHANGE_DONE);
        assert_int_equal(s.session_dead, bad == 1);
        assert_int_equal(s.peer_at_fault, bad == 2);
        if (bad == 1)
            assert_string_equal(s.error, "Invalid session id");
        if (bad == 2)
            assert_string_equal(s.error, "\"STREAM STATUS RESULT=CANT_REACH_PEER\"");
        sam_clear(&s);
    }
    /* what follows the last line is the peer's */
    sam_init(&s, SAM_FOR_ACCEPT, "aa");
    assert_int_equal(answer(&s, "HELLO REPLY RESULT=OK VERSION=3.1\n", "STREAM ACCEPT ID=aa SILENT=false\n"), EXCHANGE_MORE);
    assert_int_equal(sam_feed(&s, (const uint8_t *)"STREAM STATUS RESULT=OK\nxyz", 27, &used), EXCHANGE_DONE);
    assert_int_equal(used, 24);
    sam_clear(&s);
}

static void peers(void **state)
{
    uint8_t key[487];
    char *text = make_key(key), *line = xasprintf("%s\n", text);
    struct sam s;

    (void)state;
    sam_init(&s, SAM_FOR_PEER, "");
    assert_int_equal(s.out.len, 0);
    assert_int_equal(answer(&s, line, NULL), EXCHANGE_DONE);
    expect_addr(&s.addr, key, 487);
    sam_clear(&s);
    sam_init(&s, SAM_FOR_PEER, "");
    assert_int_equal(answer(&s, "STREAM STATUS RESULT=I2P_ERROR MESSAGE=\"Session was closed\"\n", NULL), EXCHANGE_FAILED);
    assert_true(s.session_dead);
    sam_clear(&s);
    sam_init(&s, SAM_FOR_PEER, "");
    assert_int_equal(answer(&s, "\n", NULL), EXCHANGE_FAILED);
    assert_false(s.session_dead);
    sam_clear(&s);
    free(text);
    free(line);
}

static void nonsense(void **state)
{
    static uint8_t big[SAM_LINE_MAX + 1];
    struct sam s;
    size_t used;
    uint8_t key[400] = {0};
    struct net_addr a;

    (void)state;
    sam_init(&s, SAM_FOR_ACCEPT, "aa");
    assert_int_equal(answer(&s, "HELLO REPLY RESULT=NOVERSION\n", NULL), EXCHANGE_FAILED);
    sam_clear(&s);
    sam_init(&s, SAM_FOR_ACCEPT, "aa");
    assert_int_equal(answer(&s, "HELLO REPLY XRESULT=OK RESULTS=OK\n", NULL), EXCHANGE_FAILED);
    assert_string_equal(s.error, "Missing RESULT= in the reply to \"HELLO VERSION MIN=3.1 MAX=3.1\"");
    sam_clear(&s);
    sam_init(&s, SAM_FOR_TRANSIENT, "aa");
    assert_int_equal(sam_feed(&s, (const uint8_t *)"HELLO REPLY RESULT=OK\n", 22, &used), EXCHANGE_MORE);
    assert_int_equal(answer(&s, "SESSION STATUS RESULT=OK DESTINATION=AAAA\n", NULL), EXCHANGE_FAILED); /* far too short */
    sam_clear(&s);
    memset(big, 'a', sizeof(big));
    sam_init(&s, SAM_FOR_PEER, "");
    assert_int_equal(sam_feed(&s, big, SAM_LINE_MAX, &used), EXCHANGE_MORE);
    assert_int_equal(sam_feed(&s, big, 1, &used), EXCHANGE_FAILED);
    sam_clear(&s);
    sam_init(&s, SAM_FOR_PEER, "");
    assert_int_equal(sam_feed(&s, (const uint8_t *)"a\0b\n", 4, &used), EXCHANGE_FAILED);
    sam_clear(&s);
    assert_false(sam_key_addr(&a, key, 386));
    assert_true(sam_key_addr(&a, key, 387));
    key[386] = 14;
    assert_false(sam_key_addr(&a, key, 400));
    key[386] = 13;
    assert_true(sam_key_addr(&a, key, 400));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(session_with_new_key), cmocka_unit_test(transient_session),
                                       cmocka_unit_test(connecting), cmocka_unit_test(peers), cmocka_unit_test(nonsense)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
