/* refuse.c - what nobody asked for: compact blocks. */
#include "sync/internal.h"

void on_ignored(struct sync *s, struct peer *p, const struct message *m)
{
    (void)s;
    log_debug(LOG_NET, "peer=%" PRId64 " sent us an unsolicited %s message", p->id, m->type);
}
