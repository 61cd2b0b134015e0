/* client.h - a connection of the Electrum server: shared by client.c (coming, going, being told) and lines.c (asking). Loop thread. */
#ifndef FARTHING_ELECTRUM_CLIENT_H
#define FARTHING_ELECTRUM_CLIENT_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <uthash.h>

#include "server.h"

#define INPUT_MAX ((size_t)64 << 10)   /* bytes of lines kept for later, and of a line */
#define UNREAD_MAX ((size_t)256 << 10) /* answers waiting, above which no more are made */
#define UNREAD_ALL ((size_t)128 << 20) /* of all: no more answers for who has not read everything, and the worst go */

struct electrum_client {
    struct electrum *server;
    uint64_t id;
    size_t place;
    struct bufferevent *be;
    struct electrum_session s;
    int64_t last_us;           /* its last line */
    int64_t taken_us;          /* when it took something of what it is sent, or had taken all */
    size_t answers;            /* of what it has not taken, the rest is notifications */
    int64_t budget;            /* may be in debt */
    int64_t budget_us;         /* as of when, by the steady clock */
    bool working;              /* the session is a pool thread's */
    bool waiting;              /* lines are there, for which it has no budget or does not read the answers */
    bool dead, hang_up, ended; /* ended: no more is coming */
    bool long_line;            /* has one of the few places for them */
    int64_t long_us;           /* since when */
    bool header_due;
    UT_hash_handle hh;        /* by id */
    struct json_writer later; /* notifications that came while it was working */
};

/** Hangs up, soon. */
void electrum_client_drop(struct electrum_client *c, const char *why);
/** Bytes that it is sent and has not taken. */
size_t electrum_client_unread(const struct electrum_client *c);
/** What a job made; and the notifications that came meanwhile. j is cleared. */
void electrum_client_answer(struct electrum_client *c, struct json_writer *j);
/** Its budget is full. */
void electrum_lines_init(struct electrum_client *c);
/** Answers its next lines, if there are some, and it may ask. */
void electrum_client_pump(struct electrum_client *c);

#endif
