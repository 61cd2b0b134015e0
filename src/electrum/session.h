/* session.h - a client's side of the Electrum protocol without its socket: lines in, lines out. Used by one thread at a time: a pool thread while
 * lines are answered, as answers may need disks; else the loop's. */
#ifndef FARTHING_ELECTRUM_SESSION_H
#define FARTHING_ELECTRUM_SESSION_H

#include "source.h"
#include "watch.h"

#define ELECTRUM_LINE_MAX ((size_t)2 << 20)   /* bytes: a package of the largest transactions that are relayed */
#define ELECTRUM_HELLO_MAX ((size_t)16 << 10) /* the same before server.version */
#define ELECTRUM_BATCH_MAX 2000               /* requests in one line */
#define ELECTRUM_REPLY_MAX ((size_t)24 << 20) /* bytes of answers to one line; what comes behind is refused */
#define ELECTRUM_COST_MAX 10000000            /* of one line, likewise */
#define ELECTRUM_VALUES_MAX 50000             /* values of JSON in one line */
#define ELECTRUM_HISTORY_MAX 150000           /* transactions of one script */

/* Protocol versions as numbers. */
#define ELECTRUM_V(a, b, c) ((unsigned)(a) << 16 | (unsigned)(b) << 8 | (unsigned)(c))
#define ELECTRUM_1_4 ELECTRUM_V(1, 4, 0)
#define ELECTRUM_1_4_2 ELECTRUM_V(1, 4, 2)
#define ELECTRUM_1_4_3 ELECTRUM_V(1, 4, 3)
#define ELECTRUM_1_6 ELECTRUM_V(1, 6, 0)

/* Codes of errors: JSON-RPC's, and those of ElectrumX, which clients know. */
enum electrum_code {
    ELECTRUM_BAD_REQUEST = 1,
    ELECTRUM_DAEMON_ERROR = 2,
    ELECTRUM_EXCESSIVE = -101,
    ELECTRUM_SERVER_BUSY = -102,
    ELECTRUM_PARSE_ERROR = -32700,
    ELECTRUM_INVALID_REQUEST = -32600,
    ELECTRUM_NO_METHOD = -32601,
    ELECTRUM_INVALID_ARGS = -32602,
    ELECTRUM_INTERNAL = -32603
};

struct electrum_session {
    const struct electrum_source *src;
    struct watcher watcher;
    unsigned version;    /* negotiated; 0: not yet */
    bool spoke;          /* before server.version: no version that demands to be first */
    bool negotiated;     /* by server.version */
    atomic_bool headers; /* subscribed: read by the loop at any time */
    int64_t cost;        /* of what was asked since the owner looked last; about a microsecond of work each */
    struct json_writer out;
};

void electrum_session_init(struct electrum_session *s, const struct electrum_source *src, uint64_t id);
/** Its subscriptions are dropped before, by the owner. */
void electrum_session_clear(struct electrum_session *s);
/** Answers a line (without its end) into s->out, with a line's end behind. Returns: false: hang up once that is sent. */
bool electrum_session_line(struct electrum_session *s, const char *line, size_t len);
/** The longest line that it may send now. */
size_t electrum_session_limit(const struct electrum_session *s);

/** What subscribers are told; a line each. */
void electrum_write_header(struct json_writer *j, int32_t height, const uint8_t header[BLOCK_HEADER_SIZE], bool notify);
void electrum_write_change(struct json_writer *j, const struct script_hash *h, const char *address,
                           const struct script_status *status);

/* ---- for the handlers ---- */

#define ELECTRUM_ARGS 4
struct electrum_call {
    struct electrum_session *s;
    const struct electrum_source *src;
    struct json_object *args[ELECTRUM_ARGS]; /* NULL: absent or null; borrowed */
    struct json_writer *out;                 /* the result, one value */
    int code;                                /* 0: no error */
    char *message;
    bool hang_up;
};
struct electrum_method {
    const char *name;
    unsigned since, until; /* versions: until is the first without it, 0: none */
    const char *params;    /* names, "height,cp_height" */
    unsigned required;     /* how many of them */
    void (*run)(struct electrum_call *c);
    int64_t cost;  /* before what it turns out to be */
    bool any_more; /* arguments beyond those are ignored */
};
/** All, ended by a NULL name. */
extern const struct electrum_method electrum_server_methods[], electrum_chain_methods[], electrum_script_methods[],
    electrum_tx_methods[];

/** Sets the error (the first stays). Returns: false. */
bool electrum_fail(struct electrum_call *c, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** The same for an outcome. Returns: true for ELECTRUM_OK. */
bool electrum_check(struct electrum_call *c, enum electrum_rc rc, const char *what);
/** Arguments: false with the error set if they are not fit. */
bool electrum_int(struct electrum_call *c, int64_t *out, unsigned i, int64_t dflt, int64_t lo, int64_t hi);
bool electrum_flag(struct electrum_call *c, bool *out, unsigned i);
bool electrum_text(struct electrum_call *c, const char **out, unsigned i);
bool electrum_hash(struct electrum_call *c, uint8_t out[32], unsigned i, const char *what);
/** Runs one of the node's commands. params_take: may be NULL. Returns: its code, 0 without an error. */
int electrum_command(struct electrum_call *c, struct writer *out, const char *method, struct json_object *params_take);

#endif
