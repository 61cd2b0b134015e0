/* response.c - HTTP/1.x responses: a status line, headers, and a body with a length, in chunks, or up to the end. */
#include "cli/response.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/bytes.h"
#include "util/mem.h"

#define LINE_MAX_BYTES 16384
#define HEADERS_MAX 200
#define PIECE 65536

static const char too_short[] = "EOF", bad_chunk[] = "HTTP error: Invalid chunk size",
                  bad_length[] = "HTTP error: Invalid Content-Length";

struct input {
    struct stream *s;
    char piece[PIECE];
    size_t pos, len; /* of what is unread in it */
    const char *wrong;
};

/* Makes sure that a byte is there. Returns: false at the end or on an error (in->wrong). */
static bool more(struct input *in)
{
    ssize_t n;

    if (in->pos < in->len)
        return true;
    n = stream_read(in->s, in->piece, sizeof(in->piece));
    in->pos = 0;
    in->len = n > 0 ? (size_t)n : 0;
    if (n < 0)
        in->wrong = errno == EAGAIN || errno == EWOULDBLOCK ? "timeout" : "Read error";
    return n > 0;
}

/* A line without its end. Returns: false with in->wrong. */
static bool read_line(struct input *in, char line[LINE_MAX_BYTES])
{
    size_t n = 0;

    while (more(in)) {
        char c = in->piece[in->pos++];
        if (c == '\n') {
            n -= n > 0 && line[n - 1] == '\r';
            line[n] = 0;
            return true;
        }
        if (n + 1 == LINE_MAX_BYTES || c == 0) {
            in->wrong = "HTTP error: Invalid line";
            return false;
        }
        line[n++] = c;
    }
    if (!in->wrong)
        in->wrong = too_short;
    return false;
}

/* n bytes, or all that come (SIZE_MAX). */
static bool read_body(struct input *in, struct writer *out, size_t n)
{
    while (n > 0 && more(in)) {
        size_t have = in->len - in->pos, take = have < n ? have : n;
        write_bytes(out, in->piece + in->pos, take);
        in->pos += take;
        n -= n == SIZE_MAX ? 0 : take;
    }
    if (n > 0 && n != SIZE_MAX && !in->wrong)
        in->wrong = too_short;
    return !in->wrong;
}

static bool read_chunks(struct input *in, struct writer *out)
{
    char line[LINE_MAX_BYTES];
    unsigned long long n;
    char *end;

    for (;;) {
        if (!read_line(in, line))
            return false;
        errno = 0;
        n = strtoull(line, &end, 16);
        if (end == line || errno || n > INT32_MAX || !isxdigit((unsigned char)line[0])) {
            in->wrong = bad_chunk;
            return false;
        }
        if (n == 0)
            return true; /* what may follow means nothing here */
        if (!read_body(in, out, (size_t)n) || !read_line(in, line))
            return false;
    }
}

struct head {
    int status;
    size_t length; /* SIZE_MAX: up to the end */
    bool chunked;
};

static bool read_header(struct input *in, struct head *h, char *line)
{
    char *value = strchr(line, ':'), *end;

    if (!value || value == line) {
        in->wrong = value ? "HTTP error: Empty header name" : "HTTP error: Header missing colon (:)";
        return false;
    }
    *value++ = 0;
    value += strspn(value, " \t");
    if (strcasecmp(line, "Transfer-Encoding") == 0) {
        h->chunked = strcasecmp(value, "chunked") == 0;
    } else if (strcasecmp(line, "Content-Length") == 0 && h->length == SIZE_MAX) { /* the first counts */
        errno = 0;
        h->length = strtoull(value, &end, 10);
        if (errno || !isdigit((unsigned char)*value) || *(end + strspn(end, " \t")))
            in->wrong = bad_length;
    }
    return !in->wrong;
}

/* "HTTP/1.1 200 OK": the status. Returns: 0 with in->wrong if it is none. */
static int read_status(struct input *in, const char *line)
{
    const char *space = strchr(line, ' ');
    int status = 0;

    if (strlen(line) < 12 || strncmp(line, "HTTP/", 5) != 0 || !space)
        in->wrong = "HTTP error: Invalid status line";
    else if (strspn(space + 1, "0123456789") < 3 ||
             (status = (space[1] - '0') * 100 + (space[2] - '0') * 10 + space[3] - '0') < 100)
        in->wrong = "HTTP error: Invalid status code";
    return in->wrong ? 0 : status;
}

/* The head of the answer; interim ones (100 Continue) are skipped. */
static bool read_head(struct input *in, struct head *h)
{
    char line[LINE_MAX_BYTES];

    do {
        *h = (struct head){.length = SIZE_MAX};
        if (!read_line(in, line))
            return false;
        h->status = read_status(in, line);
        if (!h->status)
            return false;
        for (unsigned n = 0;; n++) {
            if (!read_line(in, line))
                return false;
            if (!*line)
                break;
            if (n == HEADERS_MAX)
                in->wrong = "HTTP error: Too many headers";
            if (in->wrong || !read_header(in, h, line))
                return false;
        }
    } while (h->status < 200);
    return true;
}

const char *response_read(struct stream *s, int *status, char **body, size_t *len)
{
    struct input *in = xcalloc(1, sizeof(*in));
    struct writer out = WRITER_INIT;
    const char *wrong;
    struct head h;

    in->s = s;
    if (read_head(in, &h)) {
        if (h.chunked)
            read_chunks(in, &out);
        else
            read_body(in, &out, h.length);
    }
    wrong = in->wrong;
    free(in);
    if (wrong) {
        free(out.data);
        return wrong;
    }
    *len = out.len;
    write_u8(&out, 0);
    *body = (char *)out.data;
    *status = h.status;
    return NULL;
}
