/* message_addr.c - codecs of addr and addrv2 (BIP155). Pure. */
#include <stdlib.h>
#include <string.h>

#include "net/addr_codec.h"
#include "net/message.h"
#include "primitives/serialize.h"
#include "util/mem.h"

#define ADDRV2_MAX_LEN 512

static const char end_of_data[] = "DataStream::read(): end of data";

/* IPv4 and Tor v2, which old messages carried inside of IPv6, have no business there in addrv2. */
static bool is_embedded(const uint8_t ip[16])
{
    static const uint8_t prefixes[2][12] = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, /* IPv4 */
                                            {0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43}};      /* Tor v2 */
    return memcmp(ip, prefixes[0], 12) == 0 || memcmp(ip, prefixes[1], 6) == 0;
}

/* What Core says of an address whose length is not that of its network. */
static const char *wrong_length(uint8_t id)
{
    switch (id) {
    case NET_IPV4:
        return "BIP155 IPv4 address with a wrong length (should be 4)";
    case NET_IPV6:
        return "BIP155 IPv6 address with a wrong length (should be 16)";
    case NET_ONION:
        return "BIP155 TORv3 address with a wrong length (should be 32)";
    case NET_I2P:
        return "BIP155 I2P address with a wrong length (should be 32)";
    default:
        return "BIP155 CJDNS address with a wrong length (should be 16)";
    }
}

bool addr_read_v2(struct reader *r, struct net_addr *a, const char **problem)
{
    uint8_t id = read_u8(r);
    uint64_t len = read_compact_size(r);
    const uint8_t *p;

    memset(a, 0, sizeof(*a));
    if (r->failed)
        return false;
    if (len > ADDRV2_MAX_LEN) {
        *problem = len == ADDRV2_MAX_LEN + 1 ? "Address too long: 513 > 512" : "Address too long";
        return false;
    }
    p = read_bytes(r, (size_t)len);
    if (!p)
        return false;
    if (net_addr_size((enum net_network)id) == 0)
        return true;
    if (len != net_addr_size((enum net_network)id)) {
        *problem = wrong_length(id);
        return false;
    }
    if (id == NET_IPV6 && is_embedded(p))
        return true;
    a->network = (enum net_network)id;
    memcpy(a->ip, p, (size_t)len);
    return true;
}

void addr_write_v2(struct writer *w, const struct net_addr *a)
{
    enum net_network n = a->network == NET_UNKNOWN ? NET_IPV6 : a->network;

    write_u8(w, (uint8_t)n);
    write_var_bytes(w, a->ip, net_addr_size(n));
}

uint16_t addr_read_port(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);

    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

void addr_write_port(struct writer *w, uint16_t port)
{
    write_u8(w, (uint8_t)(port >> 8));
    write_u8(w, (uint8_t)port);
}

static bool read_entry(struct reader *r, struct addr_entry *e, bool v2, const char **problem)
{
    uint8_t ip[16];

    e->time = read_u32(r);
    if (v2) {
        e->services = read_compact_u64(r);
        if (!addr_read_v2(r, &e->addr, problem))
            return false;
    } else {
        e->services = read_u64(r);
        read_copy(r, ip, 16);
        net_addr_from16(&e->addr, ip);
    }
    e->addr.port = addr_read_port(r);
    return !r->failed;
}

bool msg_addr_decode(struct addr_entry **entries, size_t *n, bool v2, const void *data, size_t len, const char **problem)
{
    struct reader r = reader_make(data, len);
    const char *why = end_of_data;
    uint64_t count = read_compact_size(&r);

    *entries = NULL;
    *n = (size_t)count;
    if (r.failed || (count && count > reader_left(&r) / 9))
        goto fail;
    if (count > MAX_ADDR_ITEMS)
        return true;
    *entries = xmalloc(count * sizeof(**entries) + 1);
    for (uint64_t i = 0; i < count; i++)
        if (!read_entry(&r, &(*entries)[i], v2, &why))
            goto fail;
    return true;
fail:
    free(*entries);
    *entries = NULL;
    if (problem)
        *problem = why;
    return false;
}

void msg_addr_encode(struct writer *w, const struct addr_entry *entries, size_t n, bool v2)
{
    write_compact_size(w, n);
    for (size_t i = 0; i < n; i++) {
        const struct addr_entry *e = &entries[i];
        write_u32(w, e->time);
        if (v2) {
            write_compact_size(w, e->services);
            addr_write_v2(w, &e->addr);
        } else {
            write_u64(w, e->services);
            net_addr_to16(writer_extend(w, 16), &e->addr);
        }
        addr_write_port(w, e->addr.port);
    }
}
