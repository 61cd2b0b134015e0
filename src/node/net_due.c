/* net_due.c - the timer for what sync has to do at a certain time: requests and announcements do not wait for the next tick. Loop thread. */
#include <event2/event.h>

#include "net/loop.h"
#include "node/net_private.h"
#include "util/time.h"

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct node_net *n = arg;

    (void)fd;
    (void)what;
    if (!n->stopping)
        sync_due(n->sync);
}

void net_wake_at(void *node_net, int64_t time)
{
    struct node_net *n = node_net;
    int64_t wait = time == INT64_MAX ? 0 : time - time_now_us();
    struct timeval tv;

    if (time == INT64_MAX || time_mock_get() != 0) { /* a mocked clock moves in jumps: the tick looks at it */
        if (n->due)
            event_del(n->due);
        return;
    }
    if (!n->due)
        n->due = event_new(loop_base(n->loop), -1, 0, on_due, n);
    if (wait < 0)
        wait = 0;
    tv.tv_sec = (time_t)(wait / 1000000);
    tv.tv_usec = (suseconds_t)(wait % 1000000);
    event_add(n->due, &tv);
}

void net_due_free(struct node_net *n)
{
    if (n->due)
        event_free(n->due);
    n->due = NULL;
}
