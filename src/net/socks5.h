/* socks5.h - the client's side of SOCKS5 (RFC 1928) with user name and password (RFC 1929), as a machine that is fed with bytes: no socket,
 * no clock. dial.c moves the bytes. */
#ifndef FARTHING_NET_SOCKS5_PRIV_H
#define FARTHING_NET_SOCKS5_PRIV_H

#include "net/exchange.h"

enum socks5_step { SOCKS5_METHOD, SOCKS5_AUTH, SOCKS5_REPLY, SOCKS5_BOUND_LENGTH, SOCKS5_BOUND };

struct socks5 {
    enum socks5_step step;
    uint8_t buf[260]; /* of the current piece */
    size_t have, want;
    char host[256], credentials[64]; /* "": no credentials */
    uint16_t port;
    struct writer out; /* to be sent; emptied by whoever sends */
    bool refused;      /* the proxy works and says that the host cannot be reached */
    char error[80];    /* why it failed */
};

/** Begins: the greeting stands in s->out. Names go to the proxy as they are, addresses as text (as Core does: Tor resolves both).
 *  credentials: both user name and password, shorter than 64 bytes; NULL: none are offered. Returns: false if the host is longer than 255. */
bool socks5_init(struct socks5 *s, const char *host, uint16_t port, const char *credentials);
void socks5_clear(struct socks5 *s);
/** Takes bytes of the proxy. Out: *used, never more than the answer has: what follows belongs to the peer. */
enum exchange_step socks5_feed(void *socks5, const uint8_t *data, size_t len, size_t *used);

#endif
