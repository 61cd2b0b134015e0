/* fuzz_transport_v1.c - the v1 parser fed in pieces. The first byte chooses the length of the pieces, and whether the input is raw or each of its
 * records is given a right header, so that payloads are reached. What is understood must not depend on the pieces. */
#include <stdlib.h>

#include "net/transport.h"
#include "util/assert.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

/* Everything that the parser reports, as one number. */
static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
    struct transport t;
    uint64_t sum = 0;
    bool broken = false;

    transport_init(&t, magic, TRANSPORT_V1_ONLY);
    for (size_t pos = 0; pos < size && !broken;) {
        size_t used, len = size - pos < piece ? size - pos : piece;
        uint8_t *copy = xmemdup(data + pos, len);
        enum transport_event e = transport_feed(&t, copy, len, &used);
        struct message m;

        free(copy);
        ASSERT(used <= len && (used > 0 || e == TRANSPORT_BROKEN));
        pos += used;
        broken = e == TRANSPORT_BROKEN;
        if (e == TRANSPORT_MESSAGE) {
            m = transport_message(&t);
            ASSERT(transport_wire_size(&t) == m.len + MESSAGE_HEADER_SIZE);
            for (size_t i = 0; i < m.len; i++)
                sum = sum * 31 + m.payload[i];
        }
        sum = e == TRANSPORT_NEED_MORE ? sum : sum * 31 + (uint64_t)e + pos;
        transport_release(&t);
    }
    transport_clear(&t);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct writer w = WRITER_INIT;
    size_t piece;

    if (size < 2)
        return 0;
    piece = 1 + (size_t)(data[0] & 0x7f) * 3;
    if (data[0] & 0x80) {
        struct reader r = reader_make(data + 1, size - 1);
        while (reader_left(&r) > 1) { /* records: two bytes, of which a length and damage are made, and the payload */
            uint8_t how = read_u8(&r);
            size_t len = read_u8(&r), at = w.len;
            const uint8_t *payload;
            if (len > reader_left(&r))
                len = reader_left(&r);
            payload = read_bytes(&r, len);
            transport_v1_header(writer_extend(&w, MESSAGE_HEADER_SIZE), magic, how & 1 ? "ping" : "twelve-bytes", payload, len);
            write_bytes(&w, payload, len);
            if (how & 2)
                w.data[at + (how >> 2) % MESSAGE_HEADER_SIZE] ^= how;
        }
    } else {
        write_bytes(&w, data + 1, size - 1);
    }
    if (w.len)
        ASSERT(run(w.data, w.len, piece) == run(w.data, w.len, w.len));
    writer_clear(&w);
    return 0;
}
