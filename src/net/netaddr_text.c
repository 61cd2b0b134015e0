/* netaddr_text.c - addresses as text: IPv4, IPv6, Tor v3 and I2P names, with and without a port. Pure; options, RPC and the log use it. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crypto/hash.h"
#include "net/netaddr.h"

static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static void base32_encode(char *out, const uint8_t *data, size_t len)
{
    unsigned acc = 0, bits = 0;
    for (size_t i = 0; i < len; i++) {
        acc = (acc << 8 | data[i]) & 0xffff;
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            *out++ = base32_digits[acc >> bits & 31];
        }
    }
    if (bits)
        *out++ = base32_digits[acc << (5 - bits) & 31];
    *out = 0;
}

/* Decodes n digits to exactly len bytes; leftover bits must be zero. */
static bool base32_decode(uint8_t *out, size_t len, const char *text, size_t n)
{
    unsigned acc = 0, bits = 0;
    size_t got = 0;

    for (size_t i = 0; i < n; i++) {
        int c = tolower((unsigned char)text[i]);
        const char *p = c ? strchr(base32_digits, c) : NULL;
        if (!p)
            return false;
        acc = (acc << 5 | (unsigned)(p - base32_digits)) & 0xffff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            if (got == len)
                return false;
            out[got++] = (uint8_t)(acc >> bits);
        }
    }
    return got == len && (acc & ((1u << bits) - 1)) == 0;
}

/* The 35 bytes that a Tor v3 name holds: key, checksum, version. */
static void onion_bytes(uint8_t out[35], const uint8_t key[32])
{
    uint8_t buf[48], hash[32];
    memcpy(buf, ".onion checksum", 15);
    memcpy(buf + 15, key, 32);
    buf[47] = 3;
    sha3_256(hash, buf, sizeof(buf));
    memcpy(out, key, 32);
    memcpy(out + 32, hash, 2);
    out[34] = 3;
}

void net_addr_ip_text(char out[NET_ADDR_TEXT], const struct net_addr *a)
{
    uint8_t raw[35];

    switch (a->network) {
    case NET_IPV4:
        inet_ntop(AF_INET, a->ip, out, NET_ADDR_TEXT);
        return;
    case NET_IPV6:
    case NET_CJDNS:
        if (net_addr_is_internal(a)) {
            base32_encode(out, a->ip + 6, 10);
            memcpy(out + strlen(out), ".internal", sizeof(".internal"));
            return;
        }
        inet_ntop(AF_INET6, a->ip, out, NET_ADDR_TEXT);
        if (strchr(out, '.')) /* glibc's "::1.2.3.4": RFC 5952 keeps that for prefixes which are known to embed IPv4 */
            snprintf(out, NET_ADDR_TEXT, "::%x:%x", a->ip[12] << 8 | a->ip[13], a->ip[14] << 8 | a->ip[15]);
        return;
    case NET_ONION:
        onion_bytes(raw, a->ip);
        base32_encode(out, raw, sizeof(raw));
        memcpy(out + strlen(out), ".onion", sizeof(".onion"));
        return;
    case NET_I2P:
        base32_encode(out, a->ip, 32);
        memcpy(out + strlen(out), ".b32.i2p", sizeof(".b32.i2p"));
        return;
    case NET_UNKNOWN:
        break;
    }
    memcpy(out, "::", sizeof("::"));
}

void net_addr_text(char out[NET_ADDR_TEXT], const struct net_addr *a)
{
    char ip[NET_ADDR_TEXT];
    bool brackets = a->network == NET_IPV6 || a->network == NET_CJDNS || a->network == NET_UNKNOWN;

    net_addr_ip_text(ip, a);
    snprintf(out, NET_ADDR_TEXT, brackets ? "[%.60s]:%u" : "%.88s:%u", ip, a->port);
}

static bool parse_port(uint16_t *port, const char *text)
{
    unsigned long v = 0;
    size_t n = strlen(text);

    if (n == 0 || n > 5 || strspn(text, "0123456789") != n)
        return false;
    v = strtoul(text, NULL, 10);
    if (v == 0 || v > 65535)
        return false;
    *port = (uint16_t)v;
    return true;
}

bool net_split_host_port(char *host, size_t size, uint16_t *port, const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t len = strlen(text);

    if (text[0] == '[') {
        const char *close = strchr(text, ']');
        if (!close)
            return false;
        if (close[1] == ':') {
            if (!parse_port(port, close + 2))
                return false;
        } else if (close[1]) {
            return false;
        }
        text++;
        len = (size_t)(close - text);
    } else if (colon && strchr(text, ':') == colon) {
        if (!parse_port(port, colon + 1))
            return false;
        len = (size_t)(colon - text);
    }
    if (len >= size)
        return false;
    memcpy(host, text, len);
    host[len] = 0;
    return true;
}

static bool parse_onion(struct net_addr *a, const char *host)
{
    uint8_t raw[35], want[35];
    if (!base32_decode(raw, sizeof(raw), host, 56))
        return false;
    onion_bytes(want, raw);
    if (memcmp(raw, want, sizeof(raw)) != 0)
        return false;
    a->network = NET_ONION;
    memcpy(a->ip, raw, 32);
    return true;
}

/* What the system's resolver takes for an IPv4 address as well: 127.1, 0x7f000001, 010.0.0.1. */
static bool parse_short_ipv4(uint8_t ip[4], const char *host)
{
    struct in_addr in;

    if (strspn(host, "0123456789abcdefABCDEFxX.") != strlen(host) || !inet_aton(host, &in))
        return false;
    memcpy(ip, &in, 4);
    return true;
}

bool net_addr_parse(struct net_addr *a, const char *text, uint16_t default_port)
{
    static const char i2p_port0[] = ".b32.i2p:0"; /* the only port that I2P has, and no port elsewhere */
    char host[128];
    uint8_t ip6[16];
    size_t n = strlen(text), tail = sizeof(i2p_port0) - 1;
    uint16_t port = 0;

    memset(a, 0, sizeof(*a));
    if (n > tail && n < sizeof(host) && strcasecmp(text + n - tail, i2p_port0) == 0) {
        memcpy(host, text, n - 2);
        host[n - 2] = 0;
    } else if (!net_split_host_port(host, sizeof(host), &port, text)) {
        return false;
    }
    a->port = port ? port : default_port;
    n = strlen(host);
    if (inet_pton(AF_INET, host, a->ip) == 1 || parse_short_ipv4(a->ip, host)) {
        a->network = NET_IPV4;
        return true;
    }
    if (inet_pton(AF_INET6, host, ip6) == 1) {
        net_addr_from16(a, ip6);
        return true;
    }
    if (n == 62 && strcasecmp(host + 56, ".onion") == 0)
        return parse_onion(a, host);
    if (n == 60 && strcasecmp(host + 52, ".b32.i2p") == 0 && base32_decode(a->ip, 32, host, 52)) {
        a->network = NET_I2P;
        a->port = port;
        return true;
    }
    return false;
}
