/* Requests in whatever pieces they come, and what is no request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/http_parser.h"
#include "util/mem.h"

/* Feeds data in pieces of `piece` bytes. Returns: the last event but HTTP_GOT_HEAD; *left: bytes not used. */
static enum http_event feed(struct http_parser *p, const char *data, size_t len, size_t piece, size_t *left)
{
    enum http_event e = HTTP_MORE;
    size_t at = 0;

    while (e == HTTP_MORE && at < len) {
        size_t n = len - at < piece ? len - at : piece;
        const char *d = data + at, *from = d;
        e = http_parse(p, &d, data + at + n);
        if (e == HTTP_GOT_HEAD)
            e = http_parse(p, &d, data + at + n);
        at += (size_t)(d - from);
        if (e == HTTP_MORE)
            assert_ptr_equal(d, from + n);
    }
    *left = len - at;
    return e;
}

static enum http_event whole(struct http_parser *p, const char *text)
{
    size_t left;

    memset(p, 0, sizeof(*p));
    return feed(p, text, strlen(text), SIZE_MAX, &left);
}

static void expect(enum http_event want, const char *text)
{
    struct http_parser p;
    enum http_event got = whole(&p, text);

    if (got != want)
        print_message("%s\n", text);
    assert_int_equal(got, want);
    http_parser_clear(&p);
}

static void test_pieces(void **state)
{
    static const char text[] =
        "POST /wallet/a?x=1 HTTP/1.1\r\nHost: me\r\nAuthorization:  Basic abc= \r\ncontent-LENGTH: 5\r\n\r\nhello"
        "POST / HTTP/1.0\nConnection: Keep-Alive\nTransfer-Encoding: Chunked\n\n"
        "3;ext=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\n\r\n";

    (void)state;
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct http_parser p = {0};
        size_t len = strlen(text), left;
        assert_int_equal(feed(&p, text, len, piece, &left), HTTP_GOT_REQUEST);
        assert_int_equal(p.method, HTTP_POST);
        assert_int_equal(p.minor, 1);
        assert_string_equal(http_parser_target(&p), "/wallet/a?x=1");
        assert_string_equal(http_parser_header(&p, "host"), "me");
        assert_string_equal(http_parser_header(&p, "authorization"), "Basic abc=");
        assert_null(http_parser_header(&p, "hos"));
        http_parser_keep_body(&p);
        assert_int_equal(p.body_len, 5);
        assert_memory_equal(p.body, "hello", 5);
        http_parser_next(&p);
        assert_false(http_parser_begun(&p));
        assert_int_equal(feed(&p, text + len - left, left, piece, &left), HTTP_GOT_REQUEST);
        assert_int_equal(p.minor, 0);
        assert_true(p.keep_alive);
        assert_int_equal(p.body_len, 13);
        assert_memory_equal(p.body, "abc0123456789", 13);
        http_parser_next(&p);
        assert_int_equal(feed(&p, text + len - left, left, piece, &left), HTTP_GOT_REQUEST);
        assert_int_equal(left, 0);
        assert_int_equal(p.method, HTTP_GET);
        assert_int_equal(p.body_len, 0);
        http_parser_clear(&p);
    }
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "GET / \r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.11\r\n\r\n",
        "GET / HTTP/INVALID\r\n\r\n",
        "GET / NOTHTTP/1.1\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / a HTTP/1.1\r\n\r\n",
        "x HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\n: empty name\r\n\r\n",
        "POST / HTTP/1.1\r\nAuthorization : x\r\n\r\n",
        "POST / HTTP/1.1\r\nA: b\r\n folded: x\r\n\r\n",
        "POST / HTTP/1.1\r\nA: b\rc\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: \r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1 2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        expect(HTTP_BAD, bad[i]);
    expect(HTTP_TOO_LARGE, "POST / HTTP/1.1\r\nContent-Length: 33554433\r\n\r\n");
    expect(HTTP_TOO_LARGE, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2000001\r\n");
    expect(HTTP_TOO_LARGE, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2000000\r\n");
    expect(HTTP_MORE, "POST / HTTP/1.1\r\nContent-Length: 33554432\r\n\r\n");
    expect(HTTP_MORE, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell");
    expect(HTTP_GOT_REQUEST, "\r\n\nPOST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}");
    expect(HTTP_GOT_REQUEST, "DELETE / HTTP/1.1\r\n\r\n");
}

static void test_null(void **state)
{
    static const char line[] = "GET /safe\0/../x HTTP/1.1\r\n\r\n", header[] = "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n";
    struct http_parser p = {0};
    size_t left;

    (void)state;
    assert_int_equal(feed(&p, line, sizeof(line) - 1, 7, &left), HTTP_BAD);
    http_parser_clear(&p);
    memset(&p, 0, sizeof(p));
    assert_int_equal(feed(&p, header, sizeof(header) - 1, 100, &left), HTTP_BAD);
    http_parser_clear(&p);
}

/* Endless lines, headers and trailers end at the limit, not in memory. */
static void test_limits(void **state)
{
    static const char *const heads[] = {"", "GET /",
                                        "POST / HTTP/1.1\r\nA: ", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;",
                                        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"};
    static const char *const fillers[] = {"\n", "x", "y", "z", "a: b\n"};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct http_parser p;
        enum http_event e = whole(&p, heads[i]);
        size_t sent = 0, left;
        while (e == HTTP_MORE && sent < 20000) {
            e = feed(&p, fillers[i], strlen(fillers[i]), 100, &left);
            sent += strlen(fillers[i]);
        }
        assert_int_equal(e, HTTP_BAD);
        assert_true(sent >= HTTP_HEADERS_MAX - 64 && sent <= HTTP_HEADERS_MAX + 64);
        assert_true(p.head.cap < 5 * HTTP_HEADERS_MAX);
        http_parser_clear(&p);
    }
}

static void test_discard(void **state)
{
    static const char text[] = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
    struct http_parser p = {0};
    const char *d = text, *end = text + strlen(text);

    (void)state;
    assert_int_equal(http_parse(&p, &d, end), HTTP_GOT_HEAD);
    p.discard = true;
    assert_int_equal(http_parse(&p, &d, end), HTTP_GOT_REQUEST);
    assert_ptr_equal(d, end);
    assert_int_equal(p.body_len, 0);
    assert_null(p.kept.data);
    http_parser_clear(&p);
}

static void test_query(void **state)
{
    static const struct {
        const char *target, *key, *value;
    } cases[] = {{"/a?b=c", "b", "c"},
                 {"/a?x=1&b=c%20d&b=e", "b", "c d"},
                 {"/a?b", "b", ""},
                 {"/a?b=", "b", ""},
                 {"/a", "b", NULL},
                 {"/a?bb=1", "b", NULL},
                 {"/a?b=1#c=2", "c", NULL},
                 {"/a?%62=x%zz%4", "b", "x%zz%4"},
                 {"/a?b=1?c=2", "b", "1?c=2"},
                 {"/a?", "", ""}};

    size_t len;
    char *v;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        v = http_target_value(&len, cases[i].target, cases[i].key);
        if (cases[i].value) {
            assert_string_equal(v, cases[i].value);
            assert_int_equal(len, strlen(v));
        } else
            assert_null(v);
        free(v);
    }
    v = http_target_value(&len, "/a?b%00=1&b=2%003&b=4", "b"); /* a NUL is a character */
    assert_int_equal(len, 3);
    assert_memory_equal(v, "2\0003", 4);
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces), cmocka_unit_test(test_refused), cmocka_unit_test(test_null),
                                       cmocka_unit_test(test_limits), cmocka_unit_test(test_discard), cmocka_unit_test(test_query)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
