/* json_write.c - the JSON writer: number and string forms of Bitcoin Core's replies. Called by every command, on any thread. */
#include "rpc/json_write.h"

#include <stdio.h>

void jw_clear(struct json_writer *j)
{
    writer_clear(&j->w);
    j->comma = false;
}

/* Room for a value of `len` bytes with the comma that may be due before it. */
static uint8_t *value_room(struct json_writer *j, size_t len)
{
    uint8_t *p = writer_extend(&j->w, len + j->comma);

    if (j->comma)
        *p++ = ',';
    j->comma = true;
    return p;
}

static void open_with(struct json_writer *j, char c)
{
    *value_room(j, 1) = (uint8_t)c;
    j->comma = false;
}

static void close_with(struct json_writer *j, char c)
{
    write_u8(&j->w, (uint8_t)c);
    j->comma = true;
}

void jw_obj_begin(struct json_writer *j)
{
    open_with(j, '{');
}
void jw_obj_end(struct json_writer *j)
{
    close_with(j, '}');
}
void jw_arr_begin(struct json_writer *j)
{
    open_with(j, '[');
}
void jw_arr_end(struct json_writer *j)
{
    close_with(j, ']');
}

void jw_key_len(struct json_writer *j, const char *key, size_t len)
{
    uint8_t *p = value_room(j, len + 3);

    *p++ = '"';
    memcpy(p, key, len);
    p[len] = '"';
    p[len + 1] = ':';
    j->comma = false;
}

void jw_key_text(struct json_writer *j, const char *key, size_t len)
{
    jw_str_len(j, key, len);
    write_u8(&j->w, ':');
    j->comma = false;
}

void jw_raw(struct json_writer *j, const void *json, size_t len)
{
    uint8_t *p = value_room(j, len);

    if (len)
        memcpy(p, json, len);
}

void jw_null(struct json_writer *j)
{
    jw_raw(j, "null", 4);
}
void jw_bool(struct json_writer *j, bool v)
{
    jw_raw(j, v ? "true" : "false", v ? 4 : 5);
}

static size_t put_decimal(char out[20], uint64_t v)
{
    char tmp[20];
    size_t n = 0;

    do {
        tmp[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (size_t i = 0; i < n; i++)
        out[i] = tmp[n - 1 - i];
    return n;
}

void jw_uint(struct json_writer *j, uint64_t v)
{
    char text[20];

    jw_raw(j, text, put_decimal(text, v));
}

void jw_int(struct json_writer *j, int64_t v)
{
    char text[21];
    size_t n = 0;

    if (v < 0)
        text[n++] = '-';
    n += put_decimal(text + n, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    jw_raw(j, text, n);
}

void jw_double(struct json_writer *j, double v)
{
    char text[40];
    int n = snprintf(text, sizeof(text), "%.16g", v);

    jw_raw(j, text, (size_t)n);
}

void jw_amount(struct json_writer *j, int64_t satoshi)
{
    char text[32];
    uint64_t v = satoshi < 0 ? 0 - (uint64_t)satoshi : (uint64_t)satoshi;
    uint64_t rest = v % 100000000;
    size_t n = 0;

    if (satoshi < 0)
        text[n++] = '-';
    n += put_decimal(text + n, v / 100000000);
    text[n++] = '.';
    for (int i = 7; i >= 0; i--) {
        text[n + (size_t)i] = (char)('0' + rest % 10);
        rest /= 10;
    }
    jw_raw(j, text, n + 8);
}

void jw_plain(struct json_writer *j, const char *s, size_t len)
{
    uint8_t *p = value_room(j, len + 2);

    *p++ = '"';
    memcpy(p, s, len);
    p[len] = '"';
}

static void write_escape(struct writer *w, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char esc[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    char letter = 0;

    switch (c) {
    case '"':
    case '\\':
        letter = (char)c;
        break;
    case '\b':
        letter = 'b';
        break;
    case '\t':
        letter = 't';
        break;
    case '\n':
        letter = 'n';
        break;
    case '\f':
        letter = 'f';
        break;
    case '\r':
        letter = 'r';
        break;
    default:
        write_bytes(w, esc, 6);
        return;
    }
    esc[1] = letter;
    write_bytes(w, esc, 2);
}

void jw_str_len(struct json_writer *j, const char *s, size_t len)
{
    size_t from = 0;

    *value_room(j, 1) = '"';
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        write_bytes(&j->w, s + from, i - from);
        write_escape(&j->w, c);
        from = i + 1;
    }
    write_bytes(&j->w, s + from, len - from);
    write_u8(&j->w, '"');
}

void jw_str(struct json_writer *j, const char *s)
{
    jw_str_len(j, s, strlen(s));
}

/* Two digits for each byte. */
static const char hex_pairs[] = "000102030405060708090a0b0c0d0e0f"
                                "101112131415161718191a1b1c1d1e1f"
                                "202122232425262728292a2b2c2d2e2f"
                                "303132333435363738393a3b3c3d3e3f"
                                "404142434445464748494a4b4c4d4e4f"
                                "505152535455565758595a5b5c5d5e5f"
                                "606162636465666768696a6b6c6d6e6f"
                                "707172737475767778797a7b7c7d7e7f"
                                "808182838485868788898a8b8c8d8e8f"
                                "909192939495969798999a9b9c9d9e9f"
                                "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
                                "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
                                "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
                                "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
                                "e0e1e2e3e4e5e6e7e8e9eaebecedeeef"
                                "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

static inline void put_hex(uint8_t *out, uint8_t v)
{
    memcpy(out, hex_pairs + 2 * v, 2);
}

void jw_hex(struct json_writer *j, const void *data, size_t len)
{
    const uint8_t *in = data;
    uint8_t *p = value_room(j, 2 * len + 2);

    *p++ = '"';
    for (size_t i = 0; i < len; i++, p += 2)
        put_hex(p, in[i]);
    *p = '"';
}

void jw_hash(struct json_writer *j, const uint8_t hash[32])
{
    uint8_t *p = value_room(j, 66);

    *p++ = '"';
    for (int i = 31; i >= 0; i--, p += 2)
        put_hex(p, hash[i]);
    *p = '"';
}

void jw_hex32(struct json_writer *j, uint32_t v)
{
    uint8_t be[4];

    put_be32(be, v);
    jw_hex(j, be, 4);
}
