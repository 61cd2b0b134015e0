/* subnet.c - ranges of addresses for -whitelist and bans. Pure. */
#include "net/subnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counts the leading ones of a mask. Returns: false if a one follows a zero. */
static bool mask_bits(unsigned *bits, const uint8_t *mask, size_t len)
{
    bool ended = false;
    *bits = 0;
    for (size_t i = 0; i < len * 8; i++) {
        bool one = mask[i / 8] >> (7 - i % 8) & 1;
        if (one && ended)
            return false;
        if (one)
            (*bits)++;
        else
            ended = true;
    }
    return true;
}

/* Bits behind the mask become zero, so that one subnet has one form. */
static void clear_host(struct subnet *s)
{
    unsigned bytes = s->bits / 8, rest = s->bits % 8;

    if (rest)
        s->base.ip[bytes++] &= (uint8_t)(0xff << (8 - rest));
    memset(s->base.ip + bytes, 0, sizeof(s->base.ip) - bytes);
}

bool subnet_parse(struct subnet *s, const char *text)
{
    const char *slash = strrchr(text, '/');
    char host[128];
    struct net_addr mask;
    size_t len, n;

    n = slash ? (size_t)(slash - text) : strlen(text);
    if (n >= sizeof(host))
        return false;
    memcpy(host, text, n);
    host[n] = 0;
    if (!net_addr_parse(&s->base, host, 0) || s->base.port)
        return false;
    len = net_addr_size(s->base.network);
    s->bits = (unsigned)len * 8;
    if (!slash)
        return true;
    if (s->base.network != NET_IPV4 && s->base.network != NET_IPV6)
        return false;
    n = strlen(slash + 1);
    if (n && n <= 3 && strspn(slash + 1, "0123456789") == n) {
        unsigned long bits = strtoul(slash + 1, NULL, 10);
        if (bits > len * 8)
            return false;
        s->bits = (unsigned)bits;
    } else if (!net_addr_parse(&mask, slash + 1, 0) || mask.network != s->base.network || !mask_bits(&s->bits, mask.ip, len)) {
        return false;
    }
    clear_host(s);
    return true;
}

void subnet_of_addr(struct subnet *s, const struct net_addr *a)
{
    s->base = *a;
    s->base.port = 0;
    s->bits = (unsigned)net_addr_size(a->network) * 8;
}

int subnet_compare(const struct subnet *a, const struct subnet *b)
{
    int order = (a->base.network > b->base.network) - (a->base.network < b->base.network);

    if (!order)
        order = memcmp(a->base.ip, b->base.ip, sizeof(a->base.ip));
    return order ? order : (a->bits > b->bits) - (a->bits < b->bits);
}

void subnet_text(char out[SUBNET_TEXT], const struct subnet *s)
{
    char ip[NET_ADDR_TEXT];

    net_addr_ip_text(ip, &s->base);
    if (s->base.network == NET_IPV4 || s->base.network == NET_IPV6)
        snprintf(out, SUBNET_TEXT, "%s/%u", ip, s->bits & 0xff);
    else
        snprintf(out, SUBNET_TEXT, "%s", ip);
}

bool subnet_contains(const struct subnet *s, const struct net_addr *a)
{
    unsigned bytes = s->bits / 8, rest = s->bits % 8;

    if (a->network != s->base.network || memcmp(a->ip, s->base.ip, bytes) != 0)
        return false;
    return !rest || ((a->ip[bytes] ^ s->base.ip[bytes]) >> (8 - rest)) == 0;
}
