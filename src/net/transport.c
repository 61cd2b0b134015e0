/* transport.c - one front for both transports: which of them a connection speaks is decided here once, and connection.c need not know. */
#include "net/transport.h"

#include "net/transport_v2.h"
#include "util/assert.h"

void transport_init(struct transport *t, const uint8_t magic[4], enum transport_role role)
{
    transport_v1_init(&t->v1, magic);
    t->v2 = role == TRANSPORT_V1_ONLY ? NULL : transport_v2_new(magic, role == TRANSPORT_V2_INITIATOR, NULL);
}

void transport_clear(struct transport *t)
{
    transport_v1_clear(&t->v1);
    transport_v2_free(t->v2);
    t->v2 = NULL;
}

/* The peer speaks v1: what has been read of its first header is given to that parser. */
static void fall_back(struct transport *t, const uint8_t *prefix)
{
    size_t n;
    enum transport_event e = transport_v1_feed(&t->v1, prefix, TRANSPORT_V2_V1_PREFIX, &n);

    ASSERT(e == TRANSPORT_NEED_MORE && n == TRANSPORT_V2_V1_PREFIX);
    transport_v2_free(t->v2);
    t->v2 = NULL;
}

enum transport_event transport_feed(struct transport *t, const uint8_t *data, size_t len, size_t *used)
{
    const uint8_t *prefix;
    enum transport_event e;
    size_t more;

    if (!t->v2)
        return transport_v1_feed(&t->v1, data, len, used);
    e = transport_v2_feed(t->v2, data, len, used);
    prefix = transport_v2_v1_prefix(t->v2);
    if (!prefix)
        return e;
    fall_back(t, prefix);
    if (*used == len)
        return TRANSPORT_NEED_MORE;
    e = transport_v1_feed(&t->v1, data + *used, len - *used, &more);
    *used += more;
    return e;
}

struct message transport_message(struct transport *t)
{
    return t->v2 ? transport_v2_message(t->v2) : transport_v1_message(&t->v1);
}

size_t transport_wire_size(const struct transport *t)
{
    return t->v2 ? transport_v2_wire_size(t->v2) : transport_v1_wire_size(&t->v1);
}

const char *transport_problem(const struct transport *t)
{
    return t->v2 ? transport_v2_problem(t->v2) : t->v1.problem;
}

void transport_release(struct transport *t)
{
    if (t->v2)
        transport_v2_release(t->v2);
    else
        transport_v1_release(&t->v1);
}

const uint8_t *transport_pending(const struct transport *t, size_t *len)
{
    *len = 0;
    return t->v2 ? transport_v2_pending(t->v2, len) : NULL;
}

void transport_pending_done(struct transport *t)
{
    if (t->v2)
        transport_v2_pending_done(t->v2);
}

bool transport_can_send(const struct transport *t)
{
    return !t->v2 || transport_v2_can_send(t->v2);
}

size_t transport_size(const struct transport *t, const char *type, size_t len)
{
    return t->v2 ? transport_v2_packet_size(type, len) : MESSAGE_HEADER_SIZE + len;
}

void transport_write(struct transport *t, uint8_t *out, const char *type, const void *payload, size_t len)
{
    if (t->v2) {
        transport_v2_write(t->v2, out, type, payload, len);
        return;
    }
    transport_v1_header(out, t->v1.magic, type, payload, len);
    if (len)
        memcpy(out + MESSAGE_HEADER_SIZE, payload, len);
}

const char *transport_name(const struct transport *t)
{
    if (!t->v2)
        return "v1";
    return transport_v2_session_id(t->v2) ? "v2" : "detecting";
}

const uint8_t *transport_session_id(const struct transport *t)
{
    return t->v2 ? transport_v2_session_id(t->v2) : NULL;
}

bool transport_unanswered(const struct transport *t)
{
    return t->v2 && transport_v2_unanswered(t->v2);
}
