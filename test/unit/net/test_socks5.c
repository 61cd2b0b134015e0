/* test_socks5.c - the SOCKS5 client fed with answers, whole and byte by byte; proxies as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "net/dial.h"
#include "net/socks5.h"
#include "util/mem.h"

/* Feeds all of it in pieces; checks that nothing after the answer is taken. */
static enum exchange_step feed(struct socks5 *s, const void *data, size_t len, size_t piece, size_t *taken)
{
    enum exchange_step step = EXCHANGE_MORE;
    const uint8_t *p = data;

    *taken = 0;
    while (step == EXCHANGE_MORE && *taken < len) {
        size_t n = len - *taken < piece ? len - *taken : piece, used;
        step = socks5_feed(s, p + *taken, n, &used);
        assert_true(used <= n);
        *taken += used;
    }
    return step;
}

static void expect_out(struct socks5 *s, const void *data, size_t len)
{
    assert_int_equal(s->out.len, len);
    assert_memory_equal(s->out.data, data, len);
    writer_clear(&s->out);
}

static void no_credentials(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 30; piece += 7) {
        struct socks5 s;
        size_t taken;
        assert_true(socks5_init(&s, "node.example", 8333, NULL));
        expect_out(&s, "\x05\x01\x00", 3);
        assert_int_equal(feed(&s, "\x05\x00", 2, piece, &taken), EXCHANGE_MORE);
        expect_out(&s, "\x05\x01\x00\x03\x0cnode.example\x20\x8d", 5 + 12 + 2);
        assert_int_equal(feed(&s, "\x05\x00\x00\x01\x01\x02\x03\x04\x05\x06hello", 15, piece, &taken), EXCHANGE_DONE);
        assert_int_equal(taken, 10);
        assert_int_equal(s.out.len, 0);
        socks5_clear(&s);
    }
}

static void credentials(void **state)
{
    struct socks5 s;
    size_t taken;

    (void)state;
    assert_true(socks5_init(&s, "h", 1, "user-7"));
    expect_out(&s, "\x05\x02\x00\x02", 4);
    assert_int_equal(feed(&s, "\x05\x02", 2, 9, &taken), EXCHANGE_MORE);
    expect_out(&s, "\x01\x06user-7\x06user-7", 15);
    assert_int_equal(feed(&s, "\x01\x00", 2, 9, &taken), EXCHANGE_MORE);
    expect_out(&s, "\x05\x01\x00\x03\x01h\x00\x01", 8);
    /* a name as the bound address, and an IPv6 one */
    assert_int_equal(feed(&s, "\x05\x00\x00\x03\x02xy\x00\x01z", 10, 3, &taken), EXCHANGE_DONE);
    assert_int_equal(taken, 9);
    socks5_clear(&s);
    assert_true(socks5_init(&s, "h", 1, "user-7"));
    assert_int_equal(feed(&s, "\x05\x00", 2, 9, &taken), EXCHANGE_MORE); /* the proxy wants none */
    assert_int_equal(feed(&s,
                          "\x05\x00\x00\x04"
                          "0123456789abcdef\x00\x01z",
                          23, 5, &taken),
                     EXCHANGE_DONE);
    assert_int_equal(taken, 22);
    socks5_clear(&s);
}

static void failures(void **state)
{
    static const struct {
        const char *answer;
        size_t len;
        const char *credentials, *error;
        bool refused;
    } cases[] = {
        {"\x04\x00", 2, NULL, "Proxy failed to initialize", false},
        {"\x05\x02", 2, NULL, "Proxy requested wrong authentication method 02", false},
        {"\x05\xff", 2, "u", "Proxy requested wrong authentication method ff", false},
        {"\x05\x02\x01\x01", 4, "u", "Proxy authentication unsuccessful", false},
        {"\x05\x02\x05\x00", 4, "u", "Proxy authentication unsuccessful", false},
        {"\x05\x00\x04\x00\x00\x01", 6, NULL, "Proxy failed to accept request", false},
        {"\x05\x00\x05\x05\x00\x01", 6, NULL, "connection refused", true},
        {"\x05\x00\x05\xf2\x00\x01", 6, NULL, "onion service introduction failed", true},
        {"\x05\x00\x05\x66\x00\x01", 6, NULL, "unknown (0x66)", true},
        {"\x05\x00\x05\x00\x01\x01", 6, NULL, "Error: malformed proxy response", false},
        {"\x05\x00\x05\x00\x00\x02", 6, NULL, "Error: malformed proxy response", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct socks5 s;
        size_t taken;
        assert_true(socks5_init(&s, "host", 5, cases[i].credentials));
        assert_int_equal(feed(&s, cases[i].answer, cases[i].len, 1, &taken), EXCHANGE_FAILED);
        assert_string_equal(s.error, cases[i].error);
        assert_int_equal(s.refused, cases[i].refused);
        socks5_clear(&s);
    }
}

static void long_host(void **state)
{
    struct socks5 s;
    char host[300];
    size_t taken;

    (void)state;
    memset(host, 'a', sizeof(host));
    host[256] = 0;
    assert_false(socks5_init(&s, host, 1, NULL));
    host[255] = 0;
    assert_true(socks5_init(&s, host, 1, NULL));
    writer_clear(&s.out);
    assert_int_equal(feed(&s, "\x05\x00", 2, 2, &taken), EXCHANGE_MORE);
    assert_int_equal(s.out.len, 5 + 255 + 2);
    assert_int_equal(s.out.data[4], 255);
    socks5_clear(&s);
}

static void proxies(void **state)
{
    struct proxy p;
    char text[160], path[200] = "unix:";

    (void)state;
    assert_true(proxy_parse(&p, "127.0.0.1", 9050));
    proxy_text(text, sizeof(text), &p);
    assert_string_equal(text, "127.0.0.1:9050");
    assert_true(proxy_parse(&p, "[::1]:1080", 9050));
    proxy_text(text, sizeof(text), &p);
    assert_string_equal(text, "[::1]:1080");
    assert_true(proxy_parse(&p, "unix:/run/tor/socks", 9050));
    assert_int_equal(p.kind, PROXY_UNIX);
    proxy_text(text, sizeof(text), &p);
    assert_string_equal(text, "unix:/run/tor/socks");
    assert_false(proxy_parse(&p, "unix:", 9050));
    memset(path + 5, 'x', 107);
    assert_true(proxy_parse(&p, path, 1));
    memset(path + 5, 'x', 108);
    assert_false(proxy_parse(&p, path, 1));
    assert_false(proxy_parse(&p, "localhost:9050", 9050));
    assert_false(proxy_parse(&p, "0.0.0.0:9050", 9050));
    assert_false(proxy_parse(&p, "1.2.3.4:0", 9050));
    assert_false(proxy_parse(&p, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 9050));
    memset(&p, 0, sizeof(p));
    proxy_text(text, sizeof(text), &p);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_credentials), cmocka_unit_test(credentials), cmocka_unit_test(failures),
                                       cmocka_unit_test(long_host), cmocka_unit_test(proxies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
