/* serialize.c - writing CompactSize and VARINT; the readers are inline in the header. Pure, any thread. */
#include "primitives/serialize.h"

unsigned compact_size_len(uint64_t n)
{
    if (n < 0xfd)
        return 1;
    if (n <= UINT16_MAX)
        return 3;
    return n <= UINT32_MAX ? 5 : 9;
}

void write_compact_size(struct writer *w, uint64_t n)
{
    switch (compact_size_len(n)) {
    case 1:
        write_u8(w, (uint8_t)n);
        break;
    case 3:
        write_u8(w, 0xfd);
        write_u16(w, (uint16_t)n);
        break;
    case 5:
        write_u8(w, 0xfe);
        write_u32(w, (uint32_t)n);
        break;
    default:
        write_u8(w, 0xff);
        write_u64(w, n);
        break;
    }
}

void write_varint(struct writer *w, uint64_t n)
{
    uint8_t tmp[10];
    size_t at = sizeof(tmp);

    /* Each group but the last stands for its value plus one, so that every number has exactly one form. */
    tmp[--at] = n & 0x7f;
    while (n > 0x7f) {
        n = (n >> 7) - 1;
        tmp[--at] = 0x80 | (n & 0x7f);
    }
    write_bytes(w, tmp + at, sizeof(tmp) - at);
}

void write_var_bytes(struct writer *w, const void *data, size_t len)
{
    write_compact_size(w, len);
    write_bytes(w, data, len);
}
