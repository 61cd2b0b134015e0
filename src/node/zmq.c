/* zmq.c - what the options -zmqpub<topic> ask for, and the order in which the events of chain and mempool go to the publisher. Connected blocks
 * are told when the step that they belong to is complete, after the transactions that a reorganisation put back, as Bitcoin Core does.
 * Opened and closed on the main thread; events on the validation thread. */
#include "zmq/publisher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/netaddr.h"
#include "node/private.h"
#include "util/log.h"
#include "util/mem.h"

#define HELD_BYTES_MAX ((size_t)64 << 20) /* a reorganisation with more is told of in parts */

static const char *option_name(char name[32], enum zmq_topic t, const char *suffix)
{
    snprintf(name, 32, "zmqpub%s%s", zmq_topic_name(t), suffix);
    return name;
}

bool node_zmq_check(const struct args *a, char **error)
{
    char name[32], host[512];
    const char *const *values;
    uint16_t port;

    for (int t = 0; t < ZMQ_TOPIC_END; t++) {
        size_t n = args_list(a, option_name(name, (enum zmq_topic)t, ""), &values);
        for (size_t i = 0; i < n; i++) {
            bool path = strncmp(values[i], "unix:", 5) == 0 || strncmp(values[i], "ipc:", 4) == 0;
            if (path || net_split_host_port(host, sizeof(host), &port, values[i]))
                continue;
            *error = xasprintf("Invalid port specified in -%s: '%s'", name, values[i]);
            return false;
        }
    }
    return true;
}

static size_t add_feeds(struct zmq_feed **feeds, size_t n, const struct args *a, enum zmq_topic t)
{
    char name[32];
    const char *const *values;
    size_t count = args_list(a, option_name(name, t, ""), &values);
    int64_t hwm = args_int(a, option_name(name, t, "hwm"), ZMQ_DEFAULT_HWM);

    if (!count)
        return n;
    *feeds = xrealloc(*feeds, (n + count) * sizeof(**feeds));
    for (size_t i = 0; i < count; i++)
        (*feeds)[n + i] = (struct zmq_feed){t, values[i], hwm < 0 || hwm > INT32_MAX ? ZMQ_DEFAULT_HWM : (int)hwm};
    return n + count;
}

void node_zmq_open(struct node *n)
{
    struct zmq_feed *feeds = NULL;
    size_t count = 0;

    for (int t = 0; t < ZMQ_TOPIC_END; t++)
        count = add_feeds(&feeds, count, n->config->args, (enum zmq_topic)t);
    if (count && !zmq_available())
        log_warning("Options -zmqpub<topic> have no effect: this program was built without libzmq");
    else if (count)
        n->zmq.publisher = zmq_publisher_open(feeds, count);
    free(feeds);
}

static void tell_held(struct node_zmq *z)
{
    for (size_t i = 0; i < z->n_held; i++) {
        zmq_publish_connected(z->publisher, z->held[i]);
        block_unref(z->held[i]);
    }
    z->n_held = 0;
    z->held_bytes = 0;
}

void node_zmq_close(struct node *n)
{
    struct node_zmq *z = &n->zmq;

    tell_held(z);
    zmq_publisher_close(z->publisher);
    block_unref(z->last);
    free(z->held);
}

void node_zmq_connected(struct node *n, struct block *b)
{
    struct node_zmq *z = &n->zmq;

    if (!z->publisher)
        return;
    if (z->held_bytes > HELD_BYTES_MAX)
        tell_held(z);
    if (z->n_held == z->cap_held) {
        z->cap_held = z->cap_held ? 2 * z->cap_held : 8;
        z->held = xrealloc(z->held, z->cap_held * sizeof(*z->held));
    }
    z->held[z->n_held++] = block_ref(b);
    z->held_bytes += block_memory(b);
    block_unref(z->last);
    z->last = block_ref(b);
}

void node_zmq_disconnected(struct node *n, struct block *b)
{
    if (!n->zmq.publisher)
        return;
    tell_held(&n->zmq); /* of a branch that turned out to be bad half-way */
    zmq_publish_disconnected(n->zmq.publisher, b);
}

void node_zmq_tip_changed(struct node *n, const struct block_entry *tip, const struct block_entry *fork, bool initial_download)
{
    struct node_zmq *z = &n->zmq;

    if (!z->publisher)
        return;
    tell_held(z);
    if (z->last && !initial_download && tip != fork && block_hash_equal(&z->last->hash, &tip->node.hash))
        zmq_publish_tip(z->publisher, z->last);
    block_unref(z->last);
    z->last = NULL;
}
