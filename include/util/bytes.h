/* bytes.h - the sticky reader and the growing writer that all (de)serialisation goes through.
 *
 * Reader: a borrowed byte range and one sticky flag. A read past the end sets `failed`, returns zeroes and leaves the
 * position; a decoder checks `failed` once, at its end. Little-endian unless the name says otherwise.
 * Writer: an owned buffer that doubles. Both are plain values of one thread. */
#ifndef FARTHING_UTIL_BYTES_H
#define FARTHING_UTIL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const uint8_t *pos; /* next byte; valid up to end */
    const uint8_t *end;
    bool failed; /* sticky: something ran past the end or was malformed */
};

/** A reader over borrowed bytes; data may be NULL if len is 0. */
static inline struct reader reader_make(const void *data, size_t len)
{
    const uint8_t *start = data ? (const uint8_t *)data : (const uint8_t *)""; /* nothing may be added to NULL, not even 0 */
    struct reader r = {start, start + len, false};
    return r;
}
/** Bytes left (0 once failed is set by reader_fail). */
static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->pos);
}
/** Marks the input as malformed and leaves nothing to read. */
static inline void reader_fail(struct reader *r)
{
    r->failed = true;
    r->pos = r->end;
}
/** True if nothing failed and every byte was used. */
static inline bool reader_done(const struct reader *r)
{
    return !r->failed && r->pos == r->end;
}
/** Borrows `len` bytes and steps over them. Returns: pointer into the input, NULL (and failed) when too short. */
static inline const uint8_t *read_bytes(struct reader *r, size_t len)
{
    const uint8_t *p = r->pos;
    if (reader_left(r) < len) {
        reader_fail(r);
        return NULL;
    }
    r->pos += len;
    return p;
}
/** Copies `len` bytes to out; zero-fills out on failure. */
static inline void read_copy(struct reader *r, void *out, size_t len)
{
    const uint8_t *p = read_bytes(r, len);
    if (p)
        memcpy(out, p, len);
    else
        memset(out, 0, len);
}

static inline uint16_t get_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t get_le64(const uint8_t *p)
{
    return (uint64_t)get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}
static inline uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}
static inline uint64_t get_be64(const uint8_t *p)
{
    return (uint64_t)get_be32(p + 4) | (uint64_t)get_be32(p) << 32;
}
static inline void put_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}
static inline void put_le32(uint8_t *p, uint32_t v)
{
    put_le16(p, (uint16_t)v);
    put_le16(p + 2, (uint16_t)(v >> 16));
}
static inline void put_le64(uint8_t *p, uint64_t v)
{
    put_le32(p, (uint32_t)v);
    put_le32(p + 4, (uint32_t)(v >> 32));
}
static inline void put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}
static inline void put_be64(uint8_t *p, uint64_t v)
{
    put_be32(p, (uint32_t)(v >> 32));
    put_be32(p + 4, (uint32_t)v);
}

static inline uint8_t read_u8(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 1);
    return p ? *p : 0;
}
static inline uint16_t read_u16(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 2);
    return p ? get_le16(p) : 0;
}
static inline uint32_t read_u32(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 4);
    return p ? get_le32(p) : 0;
}
static inline uint64_t read_u64(struct reader *r)
{
    const uint8_t *p = read_bytes(r, 8);
    return p ? get_le64(p) : 0;
}

struct writer {
    uint8_t *data; /* owned; NULL while empty */
    size_t len;
    size_t cap;
};

#define WRITER_INIT                                                                                                                \
    {                                                                                                                              \
        NULL, 0, 0                                                                                                                 \
    }

/** Makes room for `len` more bytes. Returns: where they go; the caller fills them (len is already counted). */
uint8_t *writer_extend(struct writer *w, size_t len);
/** Frees the buffer; the writer is empty and usable again. */
void writer_clear(struct writer *w);
static inline void write_bytes(struct writer *w, const void *data, size_t len)
{
    if (len)
        memcpy(writer_extend(w, len), data, len);
}
static inline void write_u8(struct writer *w, uint8_t v)
{
    *writer_extend(w, 1) = v;
}
static inline void write_u16(struct writer *w, uint16_t v)
{
    put_le16(writer_extend(w, 2), v);
}
static inline void write_u32(struct writer *w, uint32_t v)
{
    put_le32(writer_extend(w, 4), v);
}
static inline void write_u64(struct writer *w, uint64_t v)
{
    put_le64(writer_extend(w, 8), v);
}

#endif
