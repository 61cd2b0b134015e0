/* fuzz_http.c - any bytes as what a client of the HTTP server sends: however they are cut, the same requests come out, within the limits. */
#include <stdlib.h>
#include <string.h>

#include "rpc/http_parser.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came of it: events, and of requests all that a handler sees. */
static void note(struct writer *log, struct http_parser *p, enum http_event e)
{
    const char *target;
    char *asked;
    size_t len;

    write_u8(log, (uint8_t)e);
    if (e != HTTP_GOT_REQUEST)
        return;
    http_parser_keep_body(p);
    target = http_parser_target(p);
    ASSERT(strlen(target) <= HTTP_HEADERS_MAX && p->n_headers <= HTTP_HEADERS_MAX / 3 && p->body_len <= HTTP_BODY_MAX);
    write_u8(log, (uint8_t)(p->method | p->minor << 4));
    write_u8(log, (uint8_t)(p->keep_alive | p->close << 1 | p->expects_continue << 2));
    write_bytes(log, target, strlen(target) + 1);
    for (const char *const *name = (const char *const[]){"Host", "Authorization", "a", NULL}; *name; name++) {
        const char *value = http_parser_header(p, *name);
        write_u8(log, value != NULL);
        write_bytes(log, value, value ? strlen(value) : 0);
    }
    write_u64(log, p->body_len);
    write_bytes(log, p->body, p->body_len);
    asked = http_target_value(&len, target, "verbose");
    ASSERT(!asked || (asked[len] == 0 && len < strlen(target)));
    free(asked);
}

/* cuts: how long the pieces are, one after the other and again; NULL: one piece. */
static void parse(struct writer *log, const char *data, size_t size, const uint8_t *cuts, size_t n_cuts, bool discard)
{
    struct http_parser p = {0};
    enum http_event e = HTTP_MORE;
    size_t at = 0, turn = 0;

    while (at < size && e != HTTP_BAD && e != HTTP_TOO_LARGE) {
        size_t n = cuts ? 1 + (size_t)cuts[turn++ % n_cuts] : size;
        char *piece; /* of its own, so that nothing is read beyond it or kept of it */
        const char *d;
        n = n < size - at ? n : size - at;
        piece = malloc(n);
        ASSERT(piece);
        memcpy(piece, data + at, n);
        d = piece;
        at += n;
        do {
            e = http_parse(&p, &d, piece + n);
            if (e == HTTP_MORE)
                ASSERT(d == piece + n);
            else
                note(log, &p, e);
            if (e == HTTP_GOT_HEAD)
                p.discard = discard;
            if (e == HTTP_GOT_REQUEST)
                http_parser_next(&p);
        } while ((d < piece + n || e == HTTP_GOT_HEAD) && e != HTTP_MORE && e != HTTP_BAD && e != HTTP_TOO_LARGE);
        ASSERT(p.head.len <= 3 * HTTP_HEADERS_MAX);
        free(piece);
    }
    http_parser_clear(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct writer whole = WRITER_INIT, cut = WRITER_INIT;
    const char *text = (const char *)data + 4;

    if (size < 5)
        return 0;
    parse(&whole, text, size - 4, NULL, 0, data[0] & 1);
    parse(&cut, text, size - 4, data, 4, data[0] & 1);
    ASSERT(whole.len == cut.len && (whole.len == 0 || memcmp(whole.data, cut.data, whole.len) == 0));
    writer_clear(&whole);
    writer_clear(&cut);
    return 0;
}
