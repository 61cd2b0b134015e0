/* fuzz_message.c - v1 framing and every message decoder. The first byte picks how: 0 the stream parser, fed in pieces; else one decoder. */
#include <stdlib.h>

#include "net/transport.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stream(const uint8_t *data, size_t size)
{
    static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};
    struct transport_v1 t;
    size_t pos = 0, step = size ? data[0] % 37 + 1 : 1;

    transport_v1_init(&t, magic);
    while (pos < size) {
        size_t n = size - pos < step ? size - pos : step, used;
        enum transport_event e = transport_v1_feed(&t, data + pos, n, &used);
        ASSERT(used <= n);
        if (e == TRANSPORT_BROKEN)
            break;
        ASSERT(used > 0);
        if (e == TRANSPORT_MESSAGE)
            ASSERT(transport_v1_message(&t).len <= size);
        pos += used;
    }
    transport_v1_clear(&t);
}

static void version(const uint8_t *data, size_t size)
{
    struct msg_version v, again;
    struct writer w = WRITER_INIT;

    if (!msg_version_decode(&v, data, size))
        return;
    msg_version_encode(&w, &v);
    ASSERT(msg_version_decode(&again, w.data, w.len));
    ASSERT(again.nonce == v.nonce && again.version == v.version && again.start_height == v.start_height);
    writer_clear(&w);
}

static void lists(uint8_t kind, const uint8_t *data, size_t size)
{
    struct inv *items;
    struct block_header *headers;
    struct msg_locator l;
    struct addr_entry *entries;
    const char *problem;
    char text[NET_ADDR_TEXT];
    size_t n;

    if (kind == 2 && msg_inv_decode(&items, &n, data, size)) {
        ASSERT(n <= size / 36);
        free(items);
    } else if (kind == 3 && msg_headers_decode(&headers, &n, data, size)) {
        free(headers);
    } else if (kind == 4 && msg_locator_decode(&l, data, size)) {
        free(l.hashes);
    } else if ((kind == 5 || kind == 6) && msg_addr_decode(&entries, &n, kind == 6, data, size, &problem)) {
        for (size_t i = 0; entries && i < n; i++) {
            struct net_addr again;
            net_addr_text(text, &entries[i].addr);
            if (entries[i].addr.port && entries[i].addr.network != NET_UNKNOWN && entries[i].addr.network != NET_CJDNS &&
                !net_addr_is_internal(&entries[i].addr)) /* that is shown as a name */
                ASSERT(net_addr_parse(&again, text, 0));
        }
        free(entries);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct msg_sendcmpct c;
    uint64_t v;
    uint8_t kind;

    if (size == 0)
        return 0;
    kind = data[0] % 8;
    data++;
    size--;
    if (kind == 0)
        stream(data, size);
    else if (kind == 1)
        version(data, size);
    else if (kind < 7)
        lists(kind, data, size);
    else if (msg_sendcmpct_decode(&c, data, size))
        ASSERT(msg_u64_decode(&v, data, size));
    return 0;
}
