/* dispatch.c - the table from message type to handler, with when a type may come. Called by sync.c for each message in its turn. */
#include <string.h>

#include "sync/internal.h"

/* Since when a peer may send it. */
enum stage { STAGE_ANY, STAGE_VERSION, STAGE_DONE };

static const struct {
    const char *type;
    enum stage stage;
    void (*handle)(struct sync *s, struct peer *p, const struct message *m);
} handlers[] = {
    {"version", STAGE_ANY, on_version},
    {"verack", STAGE_VERSION, on_verack},
    {"sendheaders", STAGE_VERSION, on_sendheaders},
    {"sendcmpct", STAGE_VERSION, on_sendcmpct},
    {"wtxidrelay", STAGE_VERSION, on_wtxidrelay},
    {"sendaddrv2", STAGE_VERSION, on_sendaddrv2},
    {"feature", STAGE_VERSION, on_feature},
    {"sendtxrcncl", STAGE_VERSION, on_sendtxrcncl},
    {"ping", STAGE_DONE, on_ping},
    {"pong", STAGE_DONE, on_pong},
    {"addr", STAGE_DONE, on_addr},
    {"addrv2", STAGE_DONE, on_addrv2},
    {"getaddr", STAGE_DONE, on_getaddr},
    {"inv", STAGE_DONE, on_inv},
    {"getdata", STAGE_DONE, on_getdata},
    {"notfound", STAGE_DONE, on_notfound},
    {"getheaders", STAGE_DONE, on_getheaders},
    {"getblocks", STAGE_DONE, on_getblocks},
    {"headers", STAGE_DONE, on_headers},
    {"block", STAGE_DONE, on_block},
    {"tx", STAGE_DONE, on_tx},
    {"feefilter", STAGE_DONE, on_feefilter},
    {"mempool", STAGE_DONE, on_mempool},
    {"filterload", STAGE_DONE, on_filterload},
    {"filteradd", STAGE_DONE, on_filteradd},
    {"filterclear", STAGE_DONE, on_filterclear},
    {"getcfilters", STAGE_DONE, on_getcfilters},
    {"getcfheaders", STAGE_DONE, on_getcfheaders},
    {"getcfcheckpt", STAGE_DONE, on_getcfcheckpt},
    {"getblocktxn", STAGE_DONE, on_getblocktxn},
    {"cmpctblock", STAGE_DONE, on_cmpctblock},
    {"blocktxn", STAGE_DONE, on_blocktxn},
};

void dispatch(struct sync *s, struct peer *p, const struct message *m)
{
    char type[16];
    size_t i;

    message_sanitize(type, sizeof(type), m->type, strlen(m->type));
    log_debug(LOG_NET, "received: %s (%zu bytes) peer=%" PRId64, type, m->len, p->id);
    for (i = 0; i < ARRAY_LEN(handlers); i++)
        if (strcmp(handlers[i].type, m->type) == 0)
            break;
    if (!p->version_seen && (i == ARRAY_LEN(handlers) || handlers[i].stage != STAGE_ANY)) {
        log_debug(LOG_NET, "non-version message before version handshake. Message \"%s\" from peer=%" PRId64, type, p->id);
        return;
    }
    if (!p->handshake_done && (i == ARRAY_LEN(handlers) || handlers[i].stage == STAGE_DONE)) {
        log_debug(LOG_NET, "Unsupported message \"%s\" prior to verack from peer=%" PRId64, type, p->id);
        return;
    }
    if (i == ARRAY_LEN(handlers)) {
        log_debug(LOG_NET, "Unknown message type \"%s\" from peer=%" PRId64, type, p->id);
        return;
    }
    if (!peer_private(p) || private_may_handle(p, m->type))
        handlers[i].handle(s, p, m);
}
