/* refuse.c - requests for services that this node does not offer: Bloom filters (BIP37), block filters (BIP157), compact blocks that nobody
 * asked for. Peers that rely on them are disconnected, as Bitcoin Core does, so that they look for another node. */
#include "primitives/serialize.h"
#include "sync/internal.h"

void on_getcf(struct sync *s, struct peer *p, const struct message *m)
{
    if (m->len < 1) {
        peer_malformed(p, m, "DataStream::read(): end of data");
        return;
    }
    log_debug(LOG_NET, "peer requested unsupported block filter type: %u, " DISCONNECT_FMT, m->payload[0], p->id);
    peer_disconnect(s, p);
}

void on_ignored(struct sync *s, struct peer *p, const struct message *m)
{
    (void)s;
    log_debug(LOG_NET, "peer=%" PRId64 " sent us an unsolicited %s message", p->id, m->type);
}
