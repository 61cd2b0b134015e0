/* publisher.c - which feed gets what of an event, and the thread that sends it. Events come from the validation thread. */
#include "zmq/publisher.h"

#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "util/mem.h"
#include "util/thread.h"
#include "zmq/socket.h"

#define QUEUE_BYTES ((size_t)64 << 20)
#define UNIX_PREFIX "unix:"

struct feed {
    struct zmq_feed pub; /* its address is ours */
    int socket;          /* -1: failed, and out of the list */
    uint32_t sequence;   /* sending thread */
};

struct zmq_publisher {
    struct feed *feed;
    size_t n;
    struct zmq_sockets *sockets; /* sending thread, once it runs */
    struct queue *queue;
    pthread_t thread;
    pthread_mutex_t lock;       /* of feed[].socket between the sending thread, which alone changes it, and those who list */
    bool wanted[ZMQ_TOPIC_END]; /* by any feed at the start */
};

enum what { CONNECTED, DISCONNECTED, TIP, ADDED, REMOVED };
struct event {
    struct zmq_publisher *p;
    enum what what;
    struct block *block; /* or */
    struct tx *tx;
    uint64_t sequence; /* the mempool's */
};

bool zmq_available(void)
{
    return true;
}

/* ---- sending ---- */

static void drop_feed(struct zmq_publisher *p, struct feed *f)
{
    zmq_sockets_release(p->sockets, f->socket);
    pthread_mutex_lock(&p->lock);
    f->socket = -1;
    pthread_mutex_unlock(&p->lock);
}

static void send_to(struct zmq_publisher *p, struct feed *f, const void *body, size_t len)
{
    if (zmq_sockets_send(p->sockets, f->socket, zmq_topic_name(f->pub.topic), body, len, f->sequence))
        f->sequence++;
    else
        drop_feed(p, f);
}

static void display_order(uint8_t out[32], const uint8_t hash[32])
{
    for (int i = 0; i < 32; i++)
        out[i] = hash[31 - i];
}

static void send_hash(struct zmq_publisher *p, struct feed *f, const uint8_t hash[32])
{
    uint8_t body[32];

    display_order(body, hash);
    send_to(p, f, body, sizeof(body));
}

static void send_sequence(struct zmq_publisher *p, struct feed *f, const uint8_t hash[32], char label, const uint64_t *number)
{
    uint8_t body[41];

    display_order(body, hash);
    body[32] = (uint8_t)label;
    if (number)
        put_le64(body + 33, *number);
    send_to(p, f, body, number ? 41 : 33);
}

static void send_tx_to(struct zmq_publisher *p, struct feed *f, const struct tx *tx)
{
    if (f->pub.topic != ZMQ_HASHTX && f->pub.topic != ZMQ_RAWTX)
        return;
    log_debug(LOG_ZMQ, "Publish %s %s to %s", zmq_topic_name(f->pub.topic), txid_hex(&tx->txid).s, f->pub.address);
    if (f->pub.topic == ZMQ_HASHTX)
        send_hash(p, f, tx->txid.b);
    else
        send_to(p, f, tx->raw, tx->raw_len);
}

static void send_block_txs(struct zmq_publisher *p, const struct block *b)
{
    if (!p->wanted[ZMQ_HASHTX] && !p->wanted[ZMQ_RAWTX])
        return;
    for (uint32_t i = 0; i < b->n_tx; i++) {
        for (size_t k = 0; k < p->n; k++) {
            if (p->feed[k].socket >= 0)
                send_tx_to(p, &p->feed[k], &b->tx[i]);
        }
    }
}

static void send_tip_to(struct zmq_publisher *p, struct feed *f, const struct block *b)
{
    if (f->pub.topic != ZMQ_HASHBLOCK && f->pub.topic != ZMQ_RAWBLOCK)
        return;
    log_debug(LOG_ZMQ, "Publish %s %s to %s", zmq_topic_name(f->pub.topic), block_hash_hex(&b->hash).s, f->pub.address);
    if (f->pub.topic == ZMQ_HASHBLOCK)
        send_hash(p, f, b->hash.b);
    else
        send_to(p, f, b->raw, b->raw_len);
}

static void send_sequence_to(struct zmq_publisher *p, struct feed *f, const struct event *e)
{
    static const char *const words[] = {
        [CONNECTED] = "sequence block connect",
        [DISCONNECTED] = "sequence block disconnect",
        [ADDED] = "hashtx mempool acceptance",
        [REMOVED] = "hashtx mempool removal",
    };
    static const char labels[] = {[CONNECTED] = 'C', [DISCONNECTED] = 'D', [ADDED] = 'A', [REMOVED] = 'R'};
    const uint8_t *hash = e->block ? e->block->hash.b : e->tx->txid.b;

    if (f->pub.topic != ZMQ_SEQUENCE)
        return;
    log_debug(LOG_ZMQ, "Publish %s %s to %s", words[e->what], hash_to_hex(hash).s, f->pub.address);
    send_sequence(p, f, hash, labels[e->what], e->tx ? &e->sequence : NULL);
}

static void send_event_to(struct zmq_publisher *p, struct feed *f, const struct event *e)
{
    if (e->what == TIP)
        send_tip_to(p, f, e->block);
    else if (f->pub.topic == ZMQ_SEQUENCE)
        send_sequence_to(p, f, e);
    else if (e->what == ADDED)
        send_tx_to(p, f, e->tx);
}

static void drop_event(void *arg)
{
    struct event *e = arg;

    block_unref(e->block);
    tx_unref(e->tx);
    free(e);
}

static void send_event(void *arg)
{
    struct event *e = arg;
    struct zmq_publisher *p = e->p;

    if (e->what == CONNECTED || e->what == DISCONNECTED)
        send_block_txs(p, e->block);
    for (size_t k = 0; k < p->n; k++) {
        if (p->feed[k].socket >= 0)
            send_event_to(p, &p->feed[k], e);
    }
    drop_event(e);
}

static void *send_all(void *arg)
{
    struct zmq_publisher *p = arg;

    while (queue_run_one(p->queue, -1))
        continue;
    zmq_sockets_free(p->sockets);
    return NULL;
}

/* ---- opening and closing ---- */

static void free_feeds(struct zmq_publisher *p)
{
    for (size_t i = 0; i < p->n; i++)
        free((char *)(uintptr_t)p->feed[i].pub.address);
    free(p->feed);
    free(p);
}

static struct feed make_feed(const struct zmq_feed *f)
{
    struct feed out = {.pub = *f, .socket = -1};
    bool path = strncmp(f->address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;

    out.pub.address = path ? xasprintf("ipc://%s", f->address + strlen(UNIX_PREFIX)) : xstrdup(f->address);
    if (out.pub.hwm < 0)
        out.pub.hwm = ZMQ_DEFAULT_HWM;
    return out;
}

static bool open_feed(struct zmq_publisher *p, struct feed *f)
{
    const char *name = zmq_topic_name(f->pub.topic);

    p->wanted[f->pub.topic] = true;
    f->socket = zmq_sockets_bind(p->sockets, f->pub.address, name, f->pub.hwm);
    log_debug(LOG_ZMQ, "Notifier pub%s %s (address = %s)", name, f->socket >= 0 ? "ready" : "failed", f->pub.address);
    return f->socket >= 0;
}

static void log_end(const struct zmq_publisher *p)
{
    log_debug(LOG_ZMQ, "Shutdown notification interface");
    for (size_t i = 0; i < p->n; i++) {
        const struct zmq_feed *f = &p->feed[i].pub;
        log_debug(LOG_ZMQ, "Shutdown notifier pub%s at %s", zmq_topic_name(f->topic), f->address);
    }
}

struct zmq_publisher *zmq_publisher_open(const struct zmq_feed *feeds, size_t n)
{
    struct zmq_publisher *p = xcalloc(1, sizeof(*p));
    bool ok;

    p->feed = xcalloc(n, sizeof(*p->feed));
    for (; p->n < n; p->n++)
        p->feed[p->n] = make_feed(&feeds[p->n]);
    p->sockets = zmq_sockets_new();
    ok = p->sockets != NULL;
    for (size_t i = 0; ok && i < n; i++)
        ok = open_feed(p, &p->feed[i]);
    if (!ok) {
        log_warning("ZMQ notifications are off, as not all of them could be set up");
        log_end(p);
        if (p->sockets)
            zmq_sockets_free(p->sockets);
        free_feeds(p);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    p->queue = queue_new(QUEUE_BYTES);
    p->thread = thread_start("zmq", send_all, p);
    return p;
}

void zmq_publisher_close(struct zmq_publisher *p)
{
    if (!p)
        return;
    log_end(p);
    queue_close(p->queue);
    pthread_join(p->thread, NULL);
    queue_free(p->queue);
    pthread_mutex_destroy(&p->lock);
    free_feeds(p);
}

void zmq_publisher_each(struct zmq_publisher *p, void (*fn)(void *ctx, const struct zmq_feed *feed), void *ctx)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->n; i++) {
        if (p->feed[i].socket >= 0)
            fn(ctx, &p->feed[i].pub);
    }
    pthread_mutex_unlock(&p->lock);
}

/* ---- events ---- */

static void push(struct zmq_publisher *p, enum what what, struct block *b, struct tx *tx, uint64_t sequence)
{
    struct event *e = xmalloc(sizeof(*e));
    size_t bytes = sizeof(*e) + (b ? block_memory(b) : tx_bytes(tx));

    *e = (struct event){p, what, b ? block_ref(b) : NULL, tx ? tx_ref(tx) : NULL, sequence};
    queue_push(p->queue, send_event, drop_event, e, bytes);
    queue_wait_room(p->queue);
}

static bool wants_txs(const struct zmq_publisher *p)
{
    return p && (p->wanted[ZMQ_HASHTX] || p->wanted[ZMQ_RAWTX] || p->wanted[ZMQ_SEQUENCE]);
}

void zmq_publish_connected(struct zmq_publisher *p, struct block *b)
{
    if (wants_txs(p))
        push(p, CONNECTED, b, NULL, 0);
}

void zmq_publish_disconnected(struct zmq_publisher *p, struct block *b)
{
    if (wants_txs(p))
        push(p, DISCONNECTED, b, NULL, 0);
}

void zmq_publish_tip(struct zmq_publisher *p, struct block *b)
{
    if (p && (p->wanted[ZMQ_HASHBLOCK] || p->wanted[ZMQ_RAWBLOCK]))
        push(p, TIP, b, NULL, 0);
}

void zmq_publish_tx_added(struct zmq_publisher *p, struct tx *tx, uint64_t sequence)
{
    if (wants_txs(p))
        push(p, ADDED, NULL, tx, sequence);
}

void zmq_publish_tx_removed(struct zmq_publisher *p, struct tx *tx, uint64_t sequence)
{
    if (p && p->wanted[ZMQ_SEQUENCE])
        push(p, REMOVED, NULL, tx, sequence);
}
