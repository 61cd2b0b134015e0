/* connection.h - one TCP connection that carries messages, in the clear or encrypted (BIP324): reading with backpressure, a bounded send queue,
 * byte counters. Loop thread only.
 *
 * It uses plain events and an output evbuffer instead of a bufferevent: libevent 2.1 reads at most 4 KiB a call through a bufferevent, while
 * 64 KiB straight into the parser saves a copy and most system calls when blocks arrive. */
#ifndef FARTHING_NET_CONNECTION_H
#define FARTHING_NET_CONNECTION_H

#include <event2/util.h>

#include "net/loop.h"
#include "net/transport.h"

struct connection;

/* Calls from the event loop; never from inside connection_send, connection_close or connection_resume. */
struct connection_events {
    /* A whole message (borrowed). Returns: false to stop reading until connection_resume. */
    bool (*message)(void *ctx, struct connection *c, const struct message *m);
    /* The send queue is no longer full. */
    void (*writable)(void *ctx, struct connection *c);
    /* Ended by the peer, an error, or connection_close. Once, last: the callee frees the connection. */
    void (*closed)(void *ctx, struct connection *c);
};

struct connection_config {
    uint8_t magic[4];
    int64_t id;      /* for the log */
    size_t max_send; /* bytes queued above which the connection counts as full */
    size_t max_recv; /* most bytes read ahead of the message that is being handled; 0: no bound but our own, 64 KiB */
    enum transport_role role;
    struct connection_events events;
    void *ctx;
};

struct message_count {
    const char *type;
    uint64_t sent, recv;
};

/** Takes a connected, non-blocking socket. Reading starts at once. */
struct connection *connection_new(struct loop *l, evutil_socket_t fd_take, const struct connection_config *config);
void connection_free(struct connection *c);
/** Queues a message (payload copied, up to TRANSPORT_MAX_SEND bytes: longer ones are dropped); it is written at the end of the loop's turn, with all
 *  others of that turn. Ignored once closing. */
void connection_send(struct connection *c, const char *type, const void *payload, size_t len);
/** Is the send queue over its bound? */
bool connection_send_full(const struct connection *c);
/** Goes on reading after `message` returned false. */
void connection_resume(struct connection *c);
/** Ends the connection: no more messages; `closed` is called from the loop soon. */
void connection_close(struct connection *c);
bool connection_closing(const struct connection *c);
int64_t connection_id(const struct connection *c);
/** "v1", "v2", "detecting". */
const char *connection_transport(const struct connection *c);
/** BIP324's session id (32 bytes); NULL unless v2 is spoken. */
const uint8_t *connection_session_id(const struct connection *c);
/** Once closed: did we try v2 with a peer that left without a byte, after as many from us as a v1 node needs to see that they make no sense to it?
 *  It is to be tried again with v1 (Core's rule). */
bool connection_wants_v1(const struct connection *c);
/** Bytes on the wire; time of the last ones (unix seconds by time_now, 0: never). */
uint64_t connection_bytes_sent(const struct connection *c);
uint64_t connection_bytes_recv(const struct connection *c);
int64_t connection_last_send(const struct connection *c);
int64_t connection_last_recv(const struct connection *c);
/** Per message type, ordered by name, types that occurred only; unknown ones as "*other*". Out: out (max entries). Returns: the count. */
size_t connection_message_counts(const struct connection *c, struct message_count *out, size_t max);

#endif
