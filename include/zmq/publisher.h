/* publisher.h - notifications over ZeroMQ: blocks and transactions, as they come and go, to whoever subscribed (-zmqpub<topic>=<address>).
 *
 * Topics, messages and their order are Bitcoin Core's. A message has three parts: topic, body, and the topic's own sequence number (4 bytes,
 * little endian, from 0), in which a gap tells a subscriber that it was too slow.
 *   hashblock, rawblock  a new tip (not during initial download)
 *   hashtx, rawtx        each transaction that enters the mempool, and each of a block that is connected or disconnected
 *   sequence             hash and a letter: C connected, D disconnected; A entered, R left the mempool, with its sequence number (8 bytes)
 * Hashes stand in the order in which people read them. Events are queued in the order of the calls and sent by a thread of their own, which owns
 * the sockets: the caller waits for it only when more is queued than fits. A program built without libzmq has the same functions, of which
 * zmq_publisher_open always says no. */
#ifndef FARTHING_ZMQ_PUBLISHER_H
#define FARTHING_ZMQ_PUBLISHER_H

#include "primitives/block.h"

enum zmq_topic { ZMQ_HASHBLOCK, ZMQ_HASHTX, ZMQ_RAWBLOCK, ZMQ_RAWTX, ZMQ_SEQUENCE, ZMQ_TOPIC_END };
#define ZMQ_DEFAULT_HWM 1000

/* One topic at one address. */
struct zmq_feed {
    enum zmq_topic topic;
    const char *address; /* "tcp://127.0.0.1:28332", "ipc:///run/node.sock", and the same as "unix:/run/node.sock" */
    int hwm;             /* messages kept for a slow subscriber, 0: all; the first feed of an address decides */
};

struct zmq_publisher;

/** Was this program built with libzmq? */
bool zmq_available(void);
/** "hashblock", ... */
const char *zmq_topic_name(enum zmq_topic t);
/** Opens the sockets (feeds of one address share one) and starts the thread. feeds: n > 0, copied; messages that several of them get are sent
 *  in this order. Returns: NULL if that failed for any of them: there are no notifications then, and the log says why. */
struct zmq_publisher *zmq_publisher_open(const struct zmq_feed *feeds, size_t n);
/** Sends what is queued, waits a moment for subscribers to take it, closes. NULL is ignored. */
void zmq_publisher_close(struct zmq_publisher *p);

/* Events. One thread. Blocks and transactions are ref'ed as long as they are needed. p: NULL is ignored. */
void zmq_publish_connected(struct zmq_publisher *p, struct block *b);
void zmq_publish_disconnected(struct zmq_publisher *p, struct block *b);
void zmq_publish_tip(struct zmq_publisher *p, struct block *b);
/** tx: stand-alone. sequence: the mempool's, of this event. */
void zmq_publish_tx_added(struct zmq_publisher *p, struct tx *tx, uint64_t sequence);
void zmq_publish_tx_removed(struct zmq_publisher *p, struct tx *tx, uint64_t sequence);

/** Calls fn for each feed that works, in order; one whose socket failed is gone. Any thread; p: NULL is ignored. */
void zmq_publisher_each(struct zmq_publisher *p, void (*fn)(void *ctx, const struct zmq_feed *feed), void *ctx);

#endif
