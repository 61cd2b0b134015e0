/* message.c - codecs of version, inv, locators, headers and the small messages. Pure. */
#include "net/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "primitives/serialize.h"
#include "util/mem.h"

uint8_t *message_take(const struct message *m)
{
    uint8_t *p;

    if (!m->owner || *m->owner != m->payload || !m->len)
        return xmemdup(m->len ? (const void *)m->payload : "", m->len ? m->len : 1);
    p = *m->owner;
    *m->owner = NULL;
    return p;
}

static uint16_t read_be16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static void write_be16(struct writer *w, uint16_t v)
{
    uint8_t *p = writer_extend(w, 2);
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void write_addr16(struct writer *w, const struct net_addr *a)
{
    net_addr_to16(writer_extend(w, 16), a);
    write_be16(w, a->port);
}

static void read_addr16(struct reader *r, struct net_addr *a)
{
    uint8_t ip[16];
    read_copy(r, ip, 16);
    net_addr_from16(a, ip);
    a->port = read_be16(r);
}

void msg_version_encode(struct writer *w, const struct msg_version *m)
{
    static const struct net_addr none = {.network = NET_IPV6};
    size_t n = strlen(m->user_agent);

    write_u32(w, (uint32_t)m->version);
    write_u64(w, m->services);
    write_u64(w, (uint64_t)m->time);
    write_u64(w, m->addr_recv_services);
    write_addr16(w, &m->addr_recv);
    write_u64(w, m->services);
    write_addr16(w, &none);
    write_u64(w, m->nonce);
    write_var_bytes(w, m->user_agent, n);
    write_u32(w, (uint32_t)m->start_height);
    write_u8(w, m->relay);
}

bool msg_version_decode(struct msg_version *m, const void *data, size_t len)
{
    struct reader r = reader_make(data, len);
    const uint8_t *p;
    size_t n;

    memset(m, 0, sizeof(*m));
    m->nonce = 1;
    m->start_height = -1;
    m->relay = true;
    m->version = (int32_t)read_u32(&r);
    m->services = read_u64(&r);
    m->time = (int64_t)read_u64(&r);
    m->addr_recv_services = read_u64(&r);
    read_addr16(&r, &m->addr_recv);
    if (reader_left(&r)) {
        read_bytes(&r, 26);
        m->nonce = read_u64(&r);
    }
    if (reader_left(&r)) {
        p = read_var_bytes(&r, &n);
        if (n > MAX_USER_AGENT)
            return false;
        if (p)
            message_sanitize(m->user_agent, sizeof(m->user_agent), (const char *)p, n);
    }
    if (reader_left(&r))
        m->start_height = (int32_t)read_u32(&r);
    if (reader_left(&r))
        m->relay = read_u8(&r) != 0;
    return !r.failed;
}

bool msg_inv_decode(struct inv **items, size_t *n, const void *data, size_t len)
{
    struct reader r = reader_make(data, len);
    uint64_t count = read_compact_size(&r);

    *items = NULL;
    *n = 0;
    if (r.failed || count > reader_left(&r) / 36)
        return false;
    *items = xmalloc(count * sizeof(**items) + 1);
    for (uint64_t i = 0; i < count; i++) {
        (*items)[i].type = read_u32(&r);
        read_copy(&r, (*items)[i].hash, 32);
    }
    *n = (size_t)count;
    return true;
}

void msg_inv_encode(struct writer *w, const struct inv *items, size_t n)
{
    write_compact_size(w, n);
    for (size_t i = 0; i < n; i++) {
        write_u32(w, items[i].type);
        write_bytes(w, items[i].hash, 32);
    }
}

const char *inv_text(char out[96], const struct inv *i)
{
    static const char *const kinds[] = {NULL, "tx", "block", "merkleblock", "cmpctblock", "wtx"};
    uint32_t kind = i->type & (0xffffffffu >> 2);
    struct hash_hex hex = hash_to_hex(i->hash);

    if (kind == 0 || kind > 5)
        snprintf(out, 96, "0x%08x %s", i->type, hex.s);
    else
        snprintf(out, 96, "%s%s %s", i->type & INV_WITNESS ? "witness-" : "", kinds[kind], hex.s);
    return out;
}

bool msg_locator_decode(struct msg_locator *m, const void *data, size_t len)
{
    struct reader r = reader_make(data, len);
    uint64_t count;

    m->hashes = NULL;
    m->n = 0;
    read_u32(&r); /* version: unused */
    count = read_compact_size(&r);
    if (r.failed || count > reader_left(&r) / 32)
        return false;
    m->hashes = xmalloc(count * sizeof(*m->hashes) + 1);
    for (uint64_t i = 0; i < count; i++)
        read_copy(&r, m->hashes[i].b, 32);
    m->n = (size_t)count;
    read_copy(&r, m->stop.b, 32);
    if (r.failed) {
        free(m->hashes);
        m->hashes = NULL;
        return false;
    }
    return true;
}

void msg_locator_encode(struct writer *w, const struct block_hash *hashes, size_t n, const struct block_hash *stop)
{
    write_u32(w, PROTOCOL_VERSION);
    write_compact_size(w, n);
    for (size_t i = 0; i < n; i++)
        write_bytes(w, hashes[i].b, 32);
    write_bytes(w, stop->b, 32);
}

bool msg_headers_decode(struct block_header **headers, size_t *n, const void *data, size_t len)
{
    struct reader r = reader_make(data, len);
    uint64_t count = read_compact_size(&r);

    *headers = NULL;
    *n = (size_t)count;
    if (r.failed)
        return false;
    if (count > MAX_HEADERS_ITEMS)
        return true;
    if (count > reader_left(&r) / (BLOCK_HEADER_SIZE + 1))
        return false;
    *headers = xmalloc(count * sizeof(**headers) + 1);
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *p = read_bytes(&r, BLOCK_HEADER_SIZE);
        if (p)
            block_header_decode(&(*headers)[i], p);
        read_compact_size(&r); /* transactions: none */
    }
    if (r.failed) {
        free(*headers);
        *headers = NULL;
        return false;
    }
    return true;
}

void msg_headers_encode(struct writer *w, const struct block_header *headers, size_t n)
{
    write_compact_size(w, n);
    for (size_t i = 0; i < n; i++) {
        block_header_encode(writer_extend(w, BLOCK_HEADER_SIZE), &headers[i]);
        write_u8(w, 0);
    }
}

bool msg_sendcmpct_decode(struct msg_sendcmpct *m, const void *data, size_t len)
{
    struct reader r = reader_make(data, len);
    m->announce = read_u8(&r);
    m->version = read_u64(&r);
    return !r.failed;
}

void msg_sendcmpct_encode(struct writer *w, const struct msg_sendcmpct *m)
{
    write_u8(w, m->announce);
    write_u64(w, m->version);
}

bool msg_u64_decode(uint64_t *v, const void *data, size_t len)
{
    struct reader r = reader_make(data, len);
    *v = read_u64(&r);
    return !r.failed;
}

bool message_type_known(const char *type)
{
    static const char *const types[] = {
        "addr",         "addrv2",       "block",       "blocktxn",    "cfcheckpt",  "cfheaders", "cfilter",     "cmpctblock",
        "feature",      "feefilter",    "filteradd",   "filterclear", "filterload", "getaddr",   "getblocks",   "getblocktxn",
        "getcfcheckpt", "getcfheaders", "getcfilters", "getdata",     "getheaders", "headers",   "inv",         "mempool",
        "merkleblock",  "notfound",     "ping",        "pong",        "sendaddrv2", "sendcmpct", "sendheaders", "sendtxrcncl",
        "tx",           "verack",       "version",     "wtxidrelay",
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i], type) == 0)
            return true;
    return false;
}

void message_sanitize(char *out, size_t size, const char *text, size_t len)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,;-_/:?@()";
    size_t n = 0;

    for (size_t i = 0; i < len && n + 1 < size; i++)
        if (text[i] && strchr(safe, text[i]))
            out[n++] = text[i];
    out[n] = 0;
}
