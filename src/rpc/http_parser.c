/* http_parser.c - the grammar of HTTP requests. Called by http_conn.c for each piece that arrives; loop thread. */
#include "rpc/http_parser.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/mem.h"

#define HEAD_KEPT 2048      /* memory that a connection keeps from one request to the next */
#define REQUEST_LINE_MIN 14 /* "GET / HTTP/1.0" */

static const char *const blanks = " \f\n\r\t\v";

/* ---- lines ---- */

/* Reads up to the end of a line, at most `most` bytes of it. Out: *line, NUL-terminated, *len. Returns: HTTP_GOT_REQUEST: there is one. */
static enum http_event take_line(struct http_parser *p, const char **data, const char *end, size_t most, char **line, size_t *len)
{
    const char *feed = memchr(*data, '\n', (size_t)(end - *data));
    size_t n = (size_t)((feed ? feed : end) - *data);

    if (p->head.len - p->line + n > most)
        return HTTP_BAD;
    write_bytes(&p->head, *data, n);
    *data += n;
    if (!feed)
        return HTTP_MORE;
    ++*data;
    p->octets += p->head.len - p->line + 1;
    if (p->head.len > p->line && p->head.data[p->head.len - 1] == '\r')
        p->head.len--;
    write_u8(&p->head, 0);
    *line = (char *)p->head.data + p->line;
    *len = p->head.len - p->line - 1;
    return HTTP_GOT_REQUEST;
}

/* The line is read: its room is used again. */
static void drop_line(struct http_parser *p)
{
    p->head.len = p->line;
}

/* ---- request line ---- */

static enum http_method method_of(const char *s, size_t n)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT"};

    for (unsigned i = 0; i < HTTP_OTHER; i++) {
        if (strlen(names[i]) == n && memcmp(names[i], s, n) == 0)
            return (enum http_method)i;
    }
    return HTTP_OTHER;
}

static bool read_request_line(struct http_parser *p, char *line, size_t len)
{
    char *target = memchr(line, ' ', len), *version = target ? strchr(target + 1, ' ') : NULL;

    if (len < REQUEST_LINE_MIN || strlen(line) != len || !version || strchr(version + 1, ' '))
        return false;
    if (strncmp(version + 1, "HTTP/1.", 7) != 0 || version[8] < '0' || version[8] > '9' || version[9])
        return false;
    p->method = method_of(line, (size_t)(target - line));
    p->minor = (unsigned)(version[8] - '0');
    *version = 0;
    len = (size_t)(version - target);
    memmove(p->head.data, target + 1, len); /* with its NUL */
    p->head.len = p->line = p->headers_at = len;
    p->octets = 0;
    return true;
}

/* ---- headers ---- */

static bool same_word(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

static bool read_number(uint64_t *out, const char *s, unsigned base)
{
    char *stop;
    uint64_t v;

    if (strlen(s) > 19 || strspn(s, base == 16 ? "0123456789abcdefABCDEF" : "0123456789") != strlen(s) || !*s)
        return false;
    v = strtoull(s, &stop, (int)base);
    *out = v;
    return *stop == 0 && (base == 10 || strlen(s) <= 16);
}

/* Headers that say how the request goes on. Returns: false if they say nothing that can be. */
static bool note_header(struct http_parser *p, const char *name, const char *value)
{
    uint64_t n;

    switch (name[0] | 0x20) {
    case 'c':
        if (same_word(name, "content-length")) {
            if (!read_number(&n, value, 10) || (p->has_length && n != p->left))
                return false;
            p->has_length = true;
            p->left = n;
        } else if (same_word(name, "connection") && !p->close && !p->keep_alive) {
            p->close = same_word(value, "close");
            p->keep_alive = same_word(value, "keep-alive");
        }
        break;
    case 't':
        if (same_word(name, "transfer-encoding")) {
            if (same_word(value, "identity"))
                break;
            p->chunked = same_word(value, "chunked");
            return p->chunked;
        }
        break;
    case 'e':
        if (same_word(name, "expect"))
            p->expects_continue = same_word(value, "100-continue");
    }
    return true;
}

static bool is_field(const char *line, size_t len)
{
    size_t name = strcspn(line, ":");

    return strlen(line) == len && !strpbrk(line, "\r\n") && line[name] && name > 0 && strcspn(line, blanks) >= name;
}

static bool read_header(struct http_parser *p, char *line, size_t len)
{
    char *value;
    size_t n;

    if (!is_field(line, len))
        return false;
    value = strchr(line, ':');
    *value++ = 0;
    n = strlen(value + strspn(value, blanks));
    memmove(value, value + strspn(value, blanks), n + 1);
    while (n > 0 && strchr(blanks, value[n - 1]))
        n--;
    value[n] = 0;
    if (!note_header(p, line, value))
        return false;
    p->n_headers++;
    p->head.len = p->line = (size_t)(value + n + 1 - (char *)p->head.data);
    return true;
}

/* ---- body ---- */

static void keep(struct http_parser *p, const char *data, size_t n)
{
    if (!p->discard)
        write_bytes(&p->kept, data, n);
}

static enum http_event end_body(struct http_parser *p)
{
    p->at = AT_END;
    p->body = (const char *)p->kept.data;
    p->body_len = p->kept.len;
    return HTTP_GOT_REQUEST;
}

static enum http_event begin_body(struct http_parser *p)
{
    if (p->chunked)
        p->at = AT_CHUNK_SIZE;
    else if (!p->has_length || p->left == 0)
        return end_body(p);
    else if (p->left > HTTP_BODY_MAX)
        return HTTP_TOO_LARGE;
    else
        p->at = AT_LENGTH_BODY;
    return HTTP_MORE;
}

static enum http_event read_length_body(struct http_parser *p, const char **data, const char *end)
{
    size_t n = (size_t)(end - *data);

    if (p->kept.len == 0 && !p->discard && n >= p->left) { /* in one piece: not copied */
        p->at = AT_END;
        p->body = *data;
        p->body_len = (size_t)p->left;
        *data += p->left;
        return HTTP_GOT_REQUEST;
    }
    if (n > p->left)
        n = (size_t)p->left;
    keep(p, *data, n);
    *data += n;
    p->left -= n;
    return p->left ? HTTP_MORE : end_body(p);
}

static enum http_event read_chunk_size(struct http_parser *p, char *line)
{
    size_t n = strlen(line), from;

    line[strcspn(line, ";")] = 0;
    from = strspn(line, blanks);
    n = strlen(line);
    while (n > from && strchr(blanks, line[n - 1]))
        line[--n] = 0;
    if (!read_number(&p->left, line + from, 16))
        return HTTP_BAD;
    drop_line(p);
    if (p->left > HTTP_BODY_MAX - p->chunked_len)
        return HTTP_TOO_LARGE;
    p->chunked_len += p->left;
    p->at = p->left ? AT_CHUNK : AT_TRAILER;
    return HTTP_MORE;
}

static void read_chunk(struct http_parser *p, const char **data, const char *end)
{
    size_t n = (size_t)(end - *data);

    if (n > p->left)
        n = (size_t)p->left;
    keep(p, *data, n);
    *data += n;
    p->left -= n;
    if (p->left == 0)
        p->at = AT_CHUNK_END;
}

/* ---- all of it ---- */

static enum http_event on_header_line(struct http_parser *p, char *line, size_t len)
{
    if (p->octets > HTTP_HEADERS_MAX)
        return HTTP_BAD;
    if (len) {
        if (p->at == AT_HEADERS)
            return read_header(p, line, len) ? HTTP_MORE : HTTP_BAD;
        if (!is_field(line, len))
            return HTTP_BAD;
        drop_line(p); /* a trailer: nothing of it is used */
        return HTTP_MORE;
    }
    drop_line(p);
    if (p->at == AT_TRAILER)
        return end_body(p);
    p->at = AT_BODY;
    return HTTP_GOT_HEAD;
}

static enum http_event on_line(struct http_parser *p, char *line, size_t len)
{
    switch (p->at) {
    case AT_REQUEST_LINE:
        if (len == 0) { /* left over from the request before */
            drop_line(p);
            return p->octets > HTTP_HEADERS_MAX ? HTTP_BAD : HTTP_MORE;
        }
        if (!read_request_line(p, line, len))
            return HTTP_BAD;
        p->at = AT_HEADERS;
        return HTTP_MORE;
    case AT_CHUNK_SIZE:
        return strlen(line) == len ? read_chunk_size(p, line) : HTTP_BAD;
    case AT_CHUNK_END:
        drop_line(p);
        p->at = AT_CHUNK_SIZE;
        return len == 0 ? HTTP_MORE : HTTP_BAD;
    default:
        return on_header_line(p, line, len);
    }
}

/* How long the line may be that is being read: headers have a bound for all of them. */
static size_t line_max(const struct http_parser *p)
{
    if (p->at != AT_HEADERS && p->at != AT_TRAILER)
        return HTTP_HEADERS_MAX;
    return p->octets < HTTP_HEADERS_MAX ? HTTP_HEADERS_MAX - p->octets : 0;
}

static enum http_event step(struct http_parser *p, const char **data, const char *end)
{
    size_t counted = p->octets, len;
    enum http_event e;
    char *line;

    switch (p->at) {
    case AT_LENGTH_BODY:
        return read_length_body(p, data, end);
    case AT_CHUNK:
        read_chunk(p, data, end);
        return HTTP_MORE;
    default:
        e = take_line(p, data, end, line_max(p), &line, &len);
        if (p->at == AT_CHUNK_SIZE || p->at == AT_CHUNK_END)
            p->octets = counted;
        return e == HTTP_GOT_REQUEST ? on_line(p, line, len) : e;
    }
}

enum http_event http_parse(struct http_parser *p, const char **data, const char *end)
{
    enum http_event e = HTTP_MORE;

    if (p->at == AT_BODY)
        e = begin_body(p);
    while (e == HTTP_MORE && *data < end)
        e = step(p, data, end);
    return e;
}

void http_parser_next(struct http_parser *p)
{
    struct writer head = p->head;

    writer_clear(&p->kept);
    if (head.cap > HEAD_KEPT)
        writer_clear(&head);
    head.len = 0;
    memset(p, 0, sizeof(*p));
    p->head = head;
}

void http_parser_keep_body(struct http_parser *p)
{
    if (p->at != AT_END || p->body == (const char *)p->kept.data)
        return;
    write_bytes(&p->kept, p->body, p->body_len);
    p->body = (const char *)p->kept.data;
}

bool http_parser_begun(const struct http_parser *p)
{
    return p->at != AT_REQUEST_LINE || p->head.len > 0;
}

void http_parser_clear(struct http_parser *p)
{
    writer_clear(&p->head);
    writer_clear(&p->kept);
}

/* ---- what was read ---- */

const char *http_parser_target(const struct http_parser *p)
{
    return (const char *)p->head.data;
}

const char *http_parser_header(const struct http_parser *p, const char *name)
{
    const char *s = (const char *)p->head.data + p->headers_at;

    for (unsigned i = 0; i < p->n_headers; i++) {
        const char *value = s + strlen(s) + 1;
        if (same_word(s, name))
            return value;
        s = value + strlen(value) + 1;
    }
    return NULL;
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch |= 0x20;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* %41 is a character; anything else stands for itself, as in Bitcoin Core. Out: *len, as there may be a NUL in it; one more ends it. */
static char *url_decode(size_t *len, const char *s, size_t n)
{
    char *out = xmalloc(n + 1), *o = out;

    for (size_t i = 0; i < n; i++) {
        int high = s[i] == '%' && i + 2 < n ? hex_digit(s[i + 1]) : -1, low = high >= 0 ? hex_digit(s[i + 2]) : -1;
        if (low < 0) {
            *o++ = s[i];
            continue;
        }
        *o++ = (char)(high << 4 | low);
        i += 2;
    }
    *o = 0;
    *len = (size_t)(o - out);
    return out;
}

char *http_target_value(size_t *len, const char *target, const char *key)
{
    const char *s = strchr(target, '?'), *end;

    if (!s)
        return NULL;
    s++;
    end = s + strcspn(s, "#");
    for (;;) {
        const char *stop = memchr(s, '&', (size_t)(end - s)), *is;
        char *name;
        bool found;
        if (!stop)
            stop = end;
        is = memchr(s, '=', (size_t)(stop - s));
        name = url_decode(len, s, (size_t)((is ? is : stop) - s));
        found = *len == strlen(key) && memcmp(name, key, *len) == 0;
        free(name);
        if (found)
            return url_decode(len, is ? is + 1 : stop, is ? (size_t)(stop - is - 1) : 0);
        if (stop == end)
            return NULL;
        s = stop + 1;
    }
}
