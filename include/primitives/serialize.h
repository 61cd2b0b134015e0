/* serialize.h - the two variable-length integers of Bitcoin, over util/bytes.h. Pure; any thread.
 * The readers are inline: they run for every field of every transaction and coin. */
#ifndef FARTHING_PRIMITIVES_SERIALIZE_H
#define FARTHING_PRIMITIVES_SERIALIZE_H

#include "util/bytes.h"

#define COMPACT_SIZE_MAX 0x02000000u /* Core's MAX_SIZE: lengths above it are refused */

/** CompactSize of a plain number: minimal, any value. */
static inline uint64_t read_compact_u64(struct reader *r)
{
    uint8_t first = read_u8(r);
    uint64_t n, least;

    if (first < 0xfd)
        return first;
    if (first == 0xfd) {
        n = read_u16(r);
        least = 0xfd;
    } else if (first == 0xfe) {
        n = read_u32(r);
        least = 0x10000;
    } else {
        n = read_u64(r);
        least = 0x100000000;
    }
    if (n < least) {
        reader_fail(r);
        return 0;
    }
    return n;
}

/** CompactSize of a length: must be minimal, at most COMPACT_SIZE_MAX. */
static inline uint64_t read_compact_size(struct reader *r)
{
    uint64_t n = read_compact_u64(r);
    if (n > COMPACT_SIZE_MAX) {
        reader_fail(r);
        return 0;
    }
    return n;
}

/** Base-128 integer of the databases (Core's VARINT); overflow fails the reader. */
static inline uint64_t read_varint(struct reader *r)
{
    uint64_t n = 0;
    for (;;) {
        const uint8_t *p = read_bytes(r, 1);
        if (!p)
            return 0;
        if (n > UINT64_MAX >> 7)
            break;
        n = n << 7 | (*p & 0x7f);
        if (!(*p & 0x80))
            return n;
        if (n == UINT64_MAX)
            break;
        n++;
    }
    reader_fail(r);
    return 0;
}

/** VARINT of a 32-bit field: a larger number fails the reader. */
static inline uint32_t read_varint32(struct reader *r)
{
    uint64_t n = read_varint(r);
    if (n > UINT32_MAX) {
        reader_fail(r);
        return 0;
    }
    return (uint32_t)n;
}

/** CompactSize length and bytes. Borrows; *len out (0 on failure). */
static inline const uint8_t *read_var_bytes(struct reader *r, size_t *len)
{
    uint64_t n = read_compact_size(r);
    const uint8_t *p = read_bytes(r, (size_t)n);
    *len = p ? (size_t)n : 0;
    return p;
}

void write_compact_size(struct writer *w, uint64_t n);
/** Bytes that write_compact_size uses: 1, 3, 5 or 9. */
unsigned compact_size_len(uint64_t n);
void write_varint(struct writer *w, uint64_t n);
void write_var_bytes(struct writer *w, const void *data, size_t len);

#endif
