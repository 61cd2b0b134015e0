/* socks5.c - the SOCKS5 client as a machine over bytes (socks5.h). Pure. */
#include "net/socks5.h"

#include <stdio.h>

enum { VERSION = 5, AUTH_VERSION = 1, METHOD_NONE = 0, METHOD_PASSWORD = 2, CMD_CONNECT = 1 };
enum { ADDR_IPV4 = 1, ADDR_NAME = 3, ADDR_IPV6 = 4 };

static enum exchange_step fail(struct socks5 *s, const char *why)
{
    snprintf(s->error, sizeof(s->error), "%s", why);
    return EXCHANGE_FAILED;
}

static enum exchange_step expect(struct socks5 *s, enum socks5_step step, size_t want)
{
    s->step = step;
    s->have = 0;
    s->want = want;
    return EXCHANGE_MORE;
}

bool socks5_init(struct socks5 *s, const char *host, uint16_t port, const char *credentials)
{
    memset(s, 0, sizeof(*s));
    if (strlen(host) > 255)
        return false;
    snprintf(s->host, sizeof(s->host), "%s", host);
    snprintf(s->credentials, sizeof(s->credentials), "%s", credentials ? credentials : "");
    s->port = port;
    write_u8(&s->out, VERSION);
    write_u8(&s->out, credentials ? 2 : 1);
    write_u8(&s->out, METHOD_NONE);
    if (credentials)
        write_u8(&s->out, METHOD_PASSWORD);
    expect(s, SOCKS5_METHOD, 2);
    return true;
}

void socks5_clear(struct socks5 *s)
{
    writer_clear(&s->out);
}

static enum exchange_step send_request(struct socks5 *s)
{
    size_t len = strlen(s->host);

    write_u8(&s->out, VERSION);
    write_u8(&s->out, CMD_CONNECT);
    write_u8(&s->out, 0);
    write_u8(&s->out, ADDR_NAME);
    write_u8(&s->out, (uint8_t)len);
    write_bytes(&s->out, s->host, len);
    write_u8(&s->out, (uint8_t)(s->port >> 8));
    write_u8(&s->out, (uint8_t)s->port);
    return expect(s, SOCKS5_REPLY, 4);
}

static enum exchange_step on_method(struct socks5 *s)
{
    size_t len = strlen(s->credentials);

    if (s->buf[0] != VERSION)
        return fail(s, "Proxy failed to initialize");
    if (s->buf[1] == METHOD_NONE)
        return send_request(s);
    if (s->buf[1] != METHOD_PASSWORD || !len) {
        snprintf(s->error, sizeof(s->error), "Proxy requested wrong authentication method %02x", s->buf[1]);
        return EXCHANGE_FAILED;
    }
    write_u8(&s->out, AUTH_VERSION);
    for (int i = 0; i < 2; i++) {
        write_u8(&s->out, (uint8_t)len);
        write_bytes(&s->out, s->credentials, len);
    }
    return expect(s, SOCKS5_AUTH, 2);
}

/* RFC 1928, and Tor's extensions (its proposal 304). */
static const char *reply_text(uint8_t code)
{
    static const char *const rfc[] = {NULL,
                                      "general failure",
                                      "connection not allowed",
                                      "network unreachable",
                                      "host unreachable",
                                      "connection refused",
                                      "TTL expired",
                                      "protocol error",
                                      "address type not supported"};
    static const char *const tor[] = {
        "descriptor can not be found",  "descriptor is invalid",      "introduction failed", "rendezvous failed",
        "missing client authorization", "wrong client authorization", "invalid address",     "introduction timed out"};
    if (code >= 0xf0 && code < 0xf0 + sizeof(tor) / sizeof(tor[0]))
        return tor[code - 0xf0];
    return code < sizeof(rfc) / sizeof(rfc[0]) ? rfc[code] : NULL;
}

static enum exchange_step on_reply(struct socks5 *s)
{
    uint8_t code = s->buf[1];
    const char *text = reply_text(code);

    if (s->buf[0] != VERSION)
        return fail(s, "Proxy failed to accept request");
    if (code) {
        s->refused = true;
        if (text)
            snprintf(s->error, sizeof(s->error), "%s%s", code >= 0xf0 ? "onion service " : "", text);
        else
            snprintf(s->error, sizeof(s->error), "unknown (0x%02x)", code);
        return EXCHANGE_FAILED;
    }
    if (s->buf[2])
        return fail(s, "Error: malformed proxy response");
    switch (s->buf[3]) {
    case ADDR_IPV4:
        return expect(s, SOCKS5_BOUND, 4 + 2);
    case ADDR_IPV6:
        return expect(s, SOCKS5_BOUND, 16 + 2);
    case ADDR_NAME:
        return expect(s, SOCKS5_BOUND_LENGTH, 1);
    default:
        return fail(s, "Error: malformed proxy response");
    }
}

static enum exchange_step on_piece(struct socks5 *s)
{
    switch (s->step) {
    case SOCKS5_METHOD:
        return on_method(s);
    case SOCKS5_AUTH:
        if (s->buf[0] != AUTH_VERSION || s->buf[1])
            return fail(s, "Proxy authentication unsuccessful");
        return send_request(s);
    case SOCKS5_REPLY:
        return on_reply(s);
    case SOCKS5_BOUND_LENGTH:
        return expect(s, SOCKS5_BOUND, s->buf[0] + 2u);
    case SOCKS5_BOUND:
        break;
    }
    return EXCHANGE_DONE; /* what the proxy bound for us is of no use to anybody */
}

enum exchange_step socks5_feed(void *socks5, const uint8_t *data, size_t len, size_t *used)
{
    struct socks5 *s = socks5;
    enum exchange_step step = EXCHANGE_MORE;

    *used = 0;
    while (step == EXCHANGE_MORE && *used < len) {
        size_t left = len - *used, n = s->want - s->have < left ? s->want - s->have : left;
        memcpy(s->buf + s->have, data + *used, n);
        s->have += n;
        *used += n;
        if (s->have == s->want)
            step = on_piece(s);
    }
    return step;
}
