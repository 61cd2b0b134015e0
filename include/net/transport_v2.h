/* transport_v2.h - the encrypted transport of BIP324: handshake and packets, as a parser that is fed bytes in any pieces. Sans-I/O; one thread at a
 * time. net/transport.h stands in front of it. */
#ifndef FARTHING_NET_TRANSPORT_V2_H
#define FARTHING_NET_TRANSPORT_V2_H

#include "net/transport.h"

#define TRANSPORT_V2_MAX_GARBAGE 4095
#define TRANSPORT_V2_V1_PREFIX 16 /* magic and "version" padded with NULs: how a v1 connection begins */

struct transport_v2;

/* What a side draws at random; given by tests. */
struct transport_v2_random {
    uint8_t key[32];
    uint8_t ell[64];        /* an encoding of the key's point */
    const uint8_t *garbage; /* borrowed during the call */
    size_t garbage_len;     /* 0 to TRANSPORT_V2_MAX_GARBAGE */
};

/** random: NULL draws it from the kernel. initiating: we opened the connection, and our key is pending at once; else it is when the first byte
 *  shows that the peer does not speak v1. */
struct transport_v2 *transport_v2_new(const uint8_t magic[4], bool initiating, const struct transport_v2_random *random);
void transport_v2_free(struct transport_v2 *t);
/** As transport_feed. A peer that speaks v1 stops it: see transport_v2_v1_prefix. */
enum transport_event transport_v2_feed(struct transport_v2 *t, const uint8_t *data, size_t len, size_t *used);
/** Returns: the TRANSPORT_V2_V1_PREFIX bytes that were taken, to be fed to a v1 parser, if the peer speaks v1; else NULL. */
const uint8_t *transport_v2_v1_prefix(const struct transport_v2 *t);
/** Bytes of the handshake to send before anything else. Out: *len (0: none). Returns: them, valid until transport_v2_pending_done. */
const uint8_t *transport_v2_pending(const struct transport_v2 *t, size_t *len);
void transport_v2_pending_done(struct transport_v2 *t);
/** Has the peer's key come, so that packets can be written? */
bool transport_v2_can_send(const struct transport_v2 *t);
/** Bytes of the packet that carries such a message. */
size_t transport_v2_packet_size(const char *type, size_t len);
/** Writes that packet. Out: out (transport_v2_packet_size bytes). transport_v2_can_send must hold. */
void transport_v2_write(struct transport_v2 *t, uint8_t *out, const char *type, const void *payload, size_t len);
/** Makes a packet of any contents (tests): len bytes stand at packet + BIP324_CONTENTS of len + BIP324_EXPANSION. ignore: a decoy. */
void transport_v2_write_raw(struct transport_v2 *t, uint8_t *packet, size_t len, bool ignore);
/** The session id, 32 bytes; NULL until the peer's version packet has proved that both sides have the same keys. */
const uint8_t *transport_v2_session_id(const struct transport_v2 *t);
/** Is there nothing at all from the peer yet? */
bool transport_v2_unanswered(const struct transport_v2 *t);
/** Of the packet that was just reported. */
struct message transport_v2_message(const struct transport_v2 *t);
size_t transport_v2_wire_size(const struct transport_v2 *t);
const char *transport_v2_problem(const struct transport_v2 *t);
void transport_v2_release(struct transport_v2 *t);
/** Memory that waits for bytes which have been announced and not received (tests). */
size_t transport_v2_memory(const struct transport_v2 *t);

#endif
