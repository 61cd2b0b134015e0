/* http_parser.h - requests of HTTP/1.0 and 1.1 out of the bytes of a connection, however these are cut; no I/O. What it takes and refuses is what
 * Bitcoin Core's server does, but for empty lines before a request (skipped) and codings other than "chunked" (refused). Lines may end in a bare
 * line feed. A plain value of one thread. */
#ifndef FARTHING_RPC_HTTP_PARSER_H
#define FARTHING_RPC_HTTP_PARSER_H

#include <stdint.h>

#include "rpc/http_priv.h"

#define HTTP_HEADERS_MAX 8192 /* the request line; all header and trailer lines together */
#define HTTP_BODY_MAX 0x02000000

enum http_event {
    HTTP_MORE,        /* all bytes are used up, the request is not complete */
    HTTP_GOT_HEAD,    /* method, target and headers are there; go on, perhaps with discard set */
    HTTP_GOT_REQUEST, /* complete; the bytes behind it are not touched */
    HTTP_BAD,         /* no request: 400, and the connection is of no use any more */
    HTTP_TOO_LARGE    /* likewise, 413 */
};

struct http_parser {
    enum { AT_REQUEST_LINE, AT_HEADERS, AT_BODY, AT_LENGTH_BODY, AT_CHUNK_SIZE, AT_CHUNK, AT_CHUNK_END, AT_TRAILER, AT_END } at;
    struct writer head; /* target NUL, then name NUL value NUL for each header; behind that the line that is being read */
    size_t line;        /* where that line begins in head */
    size_t octets;      /* of the headers so far, line ends included */
    enum http_method method;
    unsigned minor; /* HTTP/1.minor */
    unsigned n_headers;
    size_t headers_at;      /* where the first one begins */
    bool keep_alive, close; /* "Connection" says so */
    bool chunked, has_length, expects_continue;
    bool discard;         /* the body is read but not kept */
    uint64_t left;        /* of the body or the chunk */
    uint64_t chunked_len; /* of the chunks so far */
    struct writer kept;   /* the body, unless it came in one piece */
    const char *body;     /* after HTTP_GOT_REQUEST: in kept, or in the caller's bytes */
    size_t body_len;
};

/** Reads on. In/out: *data (to end): moved behind what was used. After HTTP_GOT_REQUEST call http_parser_next first; after HTTP_BAD and
 *  HTTP_TOO_LARGE never again. */
enum http_event http_parse(struct http_parser *p, const char **data, const char *end);
/** Makes ready for the next request. */
void http_parser_next(struct http_parser *p);
/** Copies the body if it still stands in the caller's bytes, which may go now. */
void http_parser_keep_body(struct http_parser *p);
/** Has a byte of a request come? */
bool http_parser_begun(const struct http_parser *p);
void http_parser_clear(struct http_parser *p);
const char *http_parser_target(const struct http_parser *p);
/** The value of the first header of that name (any case). Returns: NULL if there is none. */
const char *http_parser_header(const struct http_parser *p, const char *name);
/** The value of a parameter in the query of a target, URL-decoded. Out: *len; there may be a NUL in it, and one is behind it. Returns: to be freed;
 *  NULL: there is none. */
char *http_target_value(size_t *len, const char *target, const char *key);

#endif
