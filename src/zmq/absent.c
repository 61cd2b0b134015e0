/* absent.c - takes the place of publisher.c and socket.c in a program that is built without libzmq: there are no notifications. */
#include "zmq/publisher.h"

bool zmq_available(void)
{
    return false;
}

struct zmq_publisher *zmq_publisher_open(const struct zmq_feed *feeds, size_t n)
{
    (void)feeds;
    (void)n;
    return NULL;
}

void zmq_publisher_close(struct zmq_publisher *p)
{
    (void)p;
}

void zmq_publish_connected(struct zmq_publisher *p, struct block *b)
{
    (void)p;
    (void)b;
}

void zmq_publish_disconnected(struct zmq_publisher *p, struct block *b)
{
    (void)p;
    (void)b;
}

void zmq_publish_tip(struct zmq_publisher *p, struct block *b)
{
    (void)p;
    (void)b;
}

void zmq_publish_tx_added(struct zmq_publisher *p, struct tx *tx, uint64_t sequence)
{
    (void)p;
    (void)tx;
    (void)sequence;
}

void zmq_publish_tx_removed(struct zmq_publisher *p, struct tx *tx, uint64_t sequence)
{
    (void)p;
    (void)tx;
    (void)sequence;
}

void zmq_publisher_each(struct zmq_publisher *p, void (*fn)(void *ctx, const struct zmq_feed *feed), void *ctx)
{
    (void)p;
    (void)fn;
    (void)ctx;
}
