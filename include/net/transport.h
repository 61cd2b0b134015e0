/* transport.h - v1 framing of messages: a parser that is fed bytes in any pieces, and the header writer. Sans-I/O; one thread at a time. */
#ifndef FARTHING_NET_TRANSPORT_H
#define FARTHING_NET_TRANSPORT_H

#include "crypto/sha256.h"
#include "net/message.h"

#define MESSAGE_HEADER_SIZE 24
#define MAX_MESSAGE_PAYLOAD 4000000u

enum transport_event {
    TRANSPORT_NEED_MORE, /* all bytes were taken, no message is complete */
    TRANSPORT_MESSAGE,   /* a message is complete; see transport_v1_take */
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
    char problem[160]; /* Core's log text after "Header error: ", without the peer */
};

void transport_v1_init(struct transport_v1 *t, const uint8_t magic[4]);
void transport_v1_clear(struct transport_v1 *t);
/** Takes bytes up to the end of one message. Out: *used (how many of len were taken). */
enum transport_event transport_v1_feed(struct transport_v1 *t, const uint8_t *data, size_t len, size_t *used);
/** Between messages: gives the memory of a large payload back. */
void transport_v1_release(struct transport_v1 *t);
/** The message that TRANSPORT_MESSAGE reported; its payload lives until the next feed or release. */
struct message transport_v1_message(const struct transport_v1 *t);
/** Bytes of a whole message that was just reported (complete or rejected), header included. */
size_t transport_v1_wire_size(const struct transport_v1 *t);
/** The header in front of a payload. */
void transport_v1_header(uint8_t out[MESSAGE_HEADER_SIZE], const uint8_t magic[4], const char *type, const void *payload,
                         size_t len);

#endif
