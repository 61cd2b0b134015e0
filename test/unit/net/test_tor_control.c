/* test_tor_control.c - the conversation with Tor's control port: each way to authenticate, the proxy, the onion service, hostile answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "net/tor_control.h"
#include "util/hex.h"
#include "util/mem.h"

struct world {
    struct tor_control *t;
    char path[100], key[100];
    bool have_cookie;
    unsigned authenticated, services;
    struct net_addr socks, service;
};

static bool read_cookie(void *ctx, uint8_t cookie[TOR_COOKIE_SIZE], const char *path)
{
    struct world *w = ctx;
    strncpy(w->path, path, sizeof(w->path) - 1);
    memset(cookie, 0xcc, TOR_COOKIE_SIZE);
    return w->have_cookie;
}

static void make_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0x11, len);
}

static void on_authenticated(void *ctx)
{
    ((struct world *)ctx)->authenticated++;
}

static void on_socks(void *ctx, const struct net_addr *proxy)
{
    ((struct world *)ctx)->socks = *proxy;
}

static void on_service(void *ctx, const struct net_addr *addr, const char *key)
{
    struct world *w = ctx;
    w->services++;
    w->service = *addr;
    strncpy(w->key, key ? key : "", sizeof(w->key) - 1);
}

static void said(struct world *w, const char *want)
{
    struct writer *out = tor_control_out(w->t);
    assert_int_equal(out->len, strlen(want));
    assert_memory_equal(out->data, want, out->len);
    writer_clear(out);
}

static void begin(struct world *w, const char *password, const char *key, bool want_socks)
{
    struct tor_control_config c = {.password = password,
                                   .want_socks = want_socks,
                                   .key = key,
                                   .virtual_port = 8333,
                                   .target = {.network = NET_IPV4, .ip = {127, 0, 0, 1}, .port = 8334},
                                   .read_cookie = read_cookie,
                                   .random = make_random,
                                   .authenticated = on_authenticated,
                                   .socks = on_socks,
                                   .service = on_service,
                                   .ctx = w};
    tor_control_free(w->t);
    w->t = tor_control_new(&c);
    said(w, "PROTOCOLINFO 1\r\n");
}

static bool hear(struct world *w, const char *text)
{
    return tor_control_feed(w->t, text, strlen(text));
}

#define ONION "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"

static void without_password(void **state)
{
    struct world w = {0};
    static const char info[] = "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"0.4.8.1\"\r\n250 OK\r\n";

    (void)state;
    begin(&w, "", "", true);
    for (size_t i = 0; info[i]; i++) {
        assert_int_equal(tor_control_out(w.t)->len, 0);
        assert_true(tor_control_feed(w.t, info + i, 1));
    }
    said(&w, "AUTHENTICATE\r\n");
    assert_true(hear(&w, "250 OK\r\n"));
    assert_int_equal(w.authenticated, 1);
    said(&w, "GETINFO net/listeners/socks\r\nADD_ONION NEW:ED25519-V3 PoWDefensesEnabled=1 Port=8333,127.0.0.1:8334\r\n");
    assert_true(hear(
        &w, "650 CIRC 1 BUILT\r\n250-net/listeners/socks=\"unix:/run/tor/socks\" \"127.0.0.1:9150\" \"10.0.0.1:9\"\r\n250 OK\r\n"));
    assert_int_equal(w.socks.port, 9150);
    assert_true(hear(&w, "512 Unrecognized option\r\n")); /* Tor without PoW */
    said(&w, "ADD_ONION NEW:ED25519-V3 Port=8333,127.0.0.1:8334\r\n");
    assert_true(hear(&w, "250-ServiceID=" ONION "\r\n250-PrivateKey=ED25519-V3:abc==\r\n250 OK\r\n"));
    assert_int_equal(w.services, 1);
    assert_int_equal(w.service.network, NET_ONION);
    assert_int_equal(w.service.port, 8333);
    assert_string_equal(w.key, "ED25519-V3:abc==");
    assert_true(hear(&w, "250 OK\r\n")); /* that nobody asked for */
    said(&w, "");
    /* with the key of last time; Tor that doesn't know GETINFO has its proxy at the usual place */
    begin(&w, "", "ED25519-V3:abc==", true);
    hear(&w, info);
    hear(&w, "250 OK\r\n510 Unrecognized command\r\n");
    assert_int_equal(w.socks.port, 9050);
    said(&w, "AUTHENTICATE\r\nGETINFO net/listeners/socks\r\nADD_ONION ED25519-V3:abc== PoWDefensesEnabled=1 "
             "Port=8333,127.0.0.1:8334\r\n");
    hear(&w, "250-ServiceID=nonsense\r\n250 OK\r\n");
    assert_int_equal(w.services, 2);
    assert_int_equal(w.service.network, NET_UNKNOWN);
    assert_string_equal(w.key, "");
    tor_control_free(w.t);
}

static void with_password(void **state)
{
    struct world w = {0};

    (void)state;
    begin(&w, "a\"b\\c", "", false);
    hear(&w, "250-AUTH METHODS=COOKIE,SAFECOOKIE,HASHEDPASSWORD COOKIEFILE=\"/x\"\r\n250 OK\r\n");
    said(&w, "AUTHENTICATE \"a\\\"b\\\\c\"\r\n");
    hear(&w, "515 Bad authentication\r\n");
    assert_int_equal(w.authenticated, 0);
    said(&w, "");
    begin(&w, "secret", "", false);
    hear(&w, "250-AUTH METHODS=NULL\r\n250 OK\r\n"); /* a password was given: it is meant to be used */
    said(&w, "");
    begin(&w, "", "", false);
    hear(&w, "250-AUTH METHODS=HASHEDPASSWORD\r\n250 OK\r\n");
    said(&w, "");
    begin(&w, "", "", false);
    hear(&w, "250-AUTH METHODS=NULL\r\n250 OK\r\n");
    said(&w, "AUTHENTICATE\r\n");
    hear(&w, "250 OK\r\n");
    said(&w, "ADD_ONION NEW:ED25519-V3 PoWDefensesEnabled=1 Port=8333,127.0.0.1:8334\r\n");
    tor_control_free(w.t);
}

static void with_cookie(void **state)
{
    static const char server[] = "Tor safe cookie authentication server-to-controller hash",
                      client[] = "Tor safe cookie authentication controller-to-server hash";
    struct world w = {.have_cookie = true};
    uint8_t data[96], hash[32];
    char nonce[65], hex[65], *text;

    (void)state;
    memset(data, 0xcc, 32);
    memset(data + 32, 0x11, 32);
    memset(data + 64, 0x22, 32);
    hex_encode(nonce, data + 32, 32);
    for (int wrong = 0; wrong < 2; wrong++) {
        begin(&w, "", "", false);
        hear(&w, "250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/a \\\"b\\\\\\101\\n\"\r\n250 OK\r\n");
        assert_string_equal(w.path, "/a \"b\\A\n");
        text = xasprintf("AUTHCHALLENGE SAFECOOKIE %s\r\n", nonce);
        said(&w, text);
        free(text);
        hmac_sha256(hash, server, strlen(server), data, sizeof(data));
        hash[5] ^= (uint8_t)wrong;
        hex_encode(hex, hash, 32);
        text = xasprintf(
            "250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=2222222222222222222222222222222222222222222222222222222222222222\r\n",
            hex);
        hear(&w, text);
        free(text);
        hmac_sha256(hash, client, strlen(client), data, sizeof(data));
        hex_encode(hex, hash, 32);
        text = xasprintf("AUTHENTICATE %s\r\n", hex);
        said(&w, wrong ? "" : text);
        free(text);
    }
    w.have_cookie = false;
    begin(&w, "", "", false);
    hear(&w, "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/a\"\r\n250 OK\r\n");
    said(&w, "");
    tor_control_free(w.t);
}

static void values(void **state)
{
    static const struct {
        const char *line, *key, *want;
    } cases[] = {
        {"A=1 B=2", "B", "2"},
        {"A=1 B=2", "C", NULL},
        {"A=\"x y\" B=2", "A", "x y"},
        {"A=\"x y\" B=2", "B", "2"},
        {"A=\"x y B=2", "A", NULL},
        {"A=\"x\\", "A", NULL},
        {"A=1=2 B", "A", NULL}, /* the line ends inside a word without value */
        {"A=1=2 B more", "A", "1=2"},
        {"A=\"\\1\\12\\101\\400\\n\\t\\r\\q\"", "A", "\001\012A\0400\n\t\rq"},
        {"A=1 A=2", "A", "2"},
        {"", "A", NULL},
        {"A=", "A", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *value = tor_control_value(cases[i].line, cases[i].key);
        if (cases[i].want)
            assert_string_equal(value, cases[i].want);
        else
            assert_null(value);
        free(value);
    }
}

static void bounds(void **state)
{
    struct world w = {0};
    char *big = xcalloc(1, 100010);

    (void)state;
    memset(big, 'A', 100009);
    memcpy(big, "250-", 4);
    begin(&w, "", "", false);
    assert_true(tor_control_feed(w.t, big, 100000));
    assert_true(hear(&w, "\n"));
    assert_false(tor_control_feed(w.t, big, 100001));
    begin(&w, "", "", false);
    for (int i = 0; i < 1000; i++)
        assert_true(hear(&w, "250-Continuing\r\n"));
    assert_false(hear(&w, "250-Continuing\r\n"));
    begin(&w, "", "", false);
    for (int i = 0; i < 4; i++) {
        assert_true(tor_control_feed(w.t, big, 99999));
        assert_true(hear(&w, "\n"));
    }
    assert_true(tor_control_feed(w.t, big, 99999));
    assert_false(hear(&w, "\n"));
    tor_control_free(w.t);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_password), cmocka_unit_test(with_password),
                                       cmocka_unit_test(with_cookie), cmocka_unit_test(values), cmocka_unit_test(bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
