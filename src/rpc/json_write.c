/* json_write.c - the JSON writer: number and string forms of Bitcoin Core's replies. Called by every command, on any thread. */
#include "rpc/json_write.h"

#include <stdio.h>

#include "util/hex.h"

void jw_clear(struct json_writer *j)
{
    writer_clear(&j->w);
    j->comma = false;
}

void jw_room(struct json_writer *j, size_t len)
{
    writer_extend(&j->w, len);
    j->w.len -= len;
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

void jw_hex(struct json_writer *j, const void *data, size_t len)
{
    uint8_t *p = value_room(j, 2 * len + 2);

    *p++ = '"';
    hex_put((char *)p, data, len);
    p[2 * len] = '"';
}

void jw_hash(struct json_writer *j, const uint8_t hash[32])
{
    uint8_t *p = value_room(j, 66), display[32];

    for (int i = 0; i < 32; i++)
        display[i] = hash[31 - i];
    *p++ = '"';
    hex_put((char *)p, display, 32);
    p[64] = '"';
}

void jw_hex32(struct json_writer *j, uint32_t v)
{
    uint8_t be[4];

    put_be32(be, v);
    jw_hex(j, be, 4);
}
