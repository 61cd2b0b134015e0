/* transport.h - how messages stand in a stream of bytes: v1 framing, and one front for it and the encrypted transport (BIP324). Parsers that are fed
 * bytes in any pieces, and writers into the caller's memory. Sans-I/O; one thread at a time. */
#ifndef FARTHING_NET_TRANSPORT_H
#define FARTHING_NET_TRANSPORT_H

#include "crypto/sha256.h"
#include "net/message.h"

#define MESSAGE_HEADER_SIZE 24
#define MAX_MESSAGE_PAYLOAD 4000000u                 /* of what we take */
#define TRANSPORT_MAX_SEND ((1u << 24) - 1 - 1 - 12) /* what fits a packet's length: peers refuse it, but tests may send it */

enum transport_event {
    TRANSPORT_NEED_MORE, /* all bytes were taken, no message is complete */
    TRANSPORT_MESSAGE,   /* a message is complete */
    TRANSPORT_REJECTED,  /* a message was complete but its checksum or type is wrong: it is skipped (text in `problem`) */
    TRANSPORT_BROKEN     /* the stream cannot be followed any more: disconnect (text in `problem`) */
};

struct transport_v1 {
    uint8_t magic[4];
    uint8_t header[MESSAGE_HEADER_SIZE];
    unsigned header_len;
    bool broken;
    uint8_t *payload; /* grows with what has arrived, never ahead by more than 256 KiB */
    size_t payload_cap;
    uint32_t payload_len; /* announced */
    uint32_t payload_got;
    char type[13];
    struct sha256 hasher;
    char problem[160]; /* Core's log text, without the peer */
};

void transport_v1_init(struct transport_v1 *t, const uint8_t magic[4]);
void transport_v1_clear(struct transport_v1 *t);
/** Takes bytes up to the end of one message. Out: *used (how many of len were taken). */
enum transport_event transport_v1_feed(struct transport_v1 *t, const uint8_t *data, size_t len, size_t *used);
/** Between messages: gives the memory of a large payload back. */
void transport_v1_release(struct transport_v1 *t);
/** The message that TRANSPORT_MESSAGE reported; its payload lives until the next feed or release, unless message_take
 *  hands it over. */
struct message transport_v1_message(struct transport_v1 *t);
/** Bytes of a whole message that was just reported (complete or rejected), header included. */
size_t transport_v1_wire_size(const struct transport_v1 *t);
/** The header in front of a payload. */
void transport_v1_header(uint8_t out[MESSAGE_HEADER_SIZE], const uint8_t magic[4], const char *type, const void *payload,
                         size_t len);

/* ---- both ---- */

enum transport_role {
    TRANSPORT_V1_ONLY,
    TRANSPORT_V2_INITIATOR, /* we opened the connection and speak v2; a peer that does not will close it */
    TRANSPORT_V2_RESPONDER  /* the peer opened it: its first bytes tell */
};
struct transport_v2;
struct transport {
    struct transport_v1 v1;
    struct transport_v2 *v2; /* NULL: v1 is spoken */
};

void transport_init(struct transport *t, const uint8_t magic[4], enum transport_role role);
void transport_clear(struct transport *t);
/** Takes bytes up to the end of one message. Out: *used (how many of len were taken). */
enum transport_event transport_feed(struct transport *t, const uint8_t *data, size_t len, size_t *used);
/** Of what was just reported: the message (lives until the next feed or release), its bytes on the wire, or Core's log text without the peer. */
struct message transport_message(struct transport *t);
size_t transport_wire_size(const struct transport *t);
const char *transport_problem(const struct transport *t);
/** Between messages: gives the memory of a large payload back. */
void transport_release(struct transport *t);
/** Bytes of the handshake that go out before any message: new ones may be there after init and after each feed. Out: *len (0: none).
 *  Returns: them, valid until transport_pending_done. */
const uint8_t *transport_pending(const struct transport *t, size_t *len);
void transport_pending_done(struct transport *t);
/** May messages be written yet? */
bool transport_can_send(const struct transport *t);
/** The size of a message of `len` bytes (up to TRANSPORT_MAX_SEND) on the wire, and its writing. Out: out (that many bytes).
 *  Written messages go out in the order of writing. transport_can_send must hold. */
size_t transport_size(const struct transport *t, const char *type, size_t len);
void transport_write(struct transport *t, uint8_t *out, const char *type, const void *payload, size_t len);
/** "v1", "v2" or "detecting" (not settled yet). */
const char *transport_name(const struct transport *t);
/** BIP324's session id (32 bytes), NULL unless v2 is spoken. */
const uint8_t *transport_session_id(const struct transport *t);
/** Are we an initiator of v2 that has not had a single byte in answer? */
bool transport_unanswered(const struct transport *t);

#endif
