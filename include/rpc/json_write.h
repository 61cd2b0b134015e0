/* json_write.h - streaming JSON output straight into a byte buffer: no tree, no copies. Commas are kept by one flag. Numbers and escapes come
 * out as Bitcoin Core prints them. A plain value of one thread. */
#ifndef FARTHING_RPC_JSON_WRITE_H
#define FARTHING_RPC_JSON_WRITE_H

#include <stdbool.h>

#include "primitives/hashes.h"
#include "util/bytes.h"

struct json_writer {
    struct writer w; /* owned */
    bool comma;      /* a value stands in front of the next one */
};
#define JSON_WRITER_INIT                                                                                                           \
    {                                                                                                                              \
        WRITER_INIT, false                                                                                                         \
    }

void jw_clear(struct json_writer *j);
/** Makes room for an answer that is known to be long, so that it is not moved as it grows. */
void jw_room(struct json_writer *j, size_t len);
void jw_obj_begin(struct json_writer *j);
void jw_obj_end(struct json_writer *j);
void jw_arr_begin(struct json_writer *j);
void jw_arr_end(struct json_writer *j);
void jw_key_len(struct json_writer *j, const char *key, size_t len);
/** Writes a member's name; a value must follow. key: needs no escapes. */
static inline void jw_key(struct json_writer *j, const char *key)
{
    jw_key_len(j, key, strlen(key));
}
/** The same for a name that came from outside. */
void jw_key_text(struct json_writer *j, const char *key, size_t len);

void jw_null(struct json_writer *j);
void jw_bool(struct json_writer *j, bool v);
void jw_int(struct json_writer *j, int64_t v);
void jw_uint(struct json_writer *j, uint64_t v);
/** 16 significant digits. */
void jw_double(struct json_writer *j, double v);
/** Satoshi as a number of coins with 8 decimals. */
void jw_amount(struct json_writer *j, int64_t satoshi);
void jw_str(struct json_writer *j, const char *s);
void jw_str_len(struct json_writer *j, const char *s, size_t len);
/** Text that is known to need no escapes. */
void jw_plain(struct json_writer *j, const char *s, size_t len);
/** A string of hex digits. */
void jw_hex(struct json_writer *j, const void *data, size_t len);
/** A hash in display order. */
void jw_hash(struct json_writer *j, const uint8_t hash[32]);
/** 8 hex digits of a number, as a string. */
void jw_hex32(struct json_writer *j, uint32_t v);
/** Text that is JSON already. */
void jw_raw(struct json_writer *j, const void *json, size_t len);

static inline void jw_kv_bool(struct json_writer *j, const char *key, bool v)
{
    jw_key(j, key);
    jw_bool(j, v);
}
static inline void jw_kv_int(struct json_writer *j, const char *key, int64_t v)
{
    jw_key(j, key);
    jw_int(j, v);
}
static inline void jw_kv_uint(struct json_writer *j, const char *key, uint64_t v)
{
    jw_key(j, key);
    jw_uint(j, v);
}
static inline void jw_kv_double(struct json_writer *j, const char *key, double v)
{
    jw_key(j, key);
    jw_double(j, v);
}
static inline void jw_kv_amount(struct json_writer *j, const char *key, int64_t v)
{
    jw_key(j, key);
    jw_amount(j, v);
}
static inline void jw_kv_str(struct json_writer *j, const char *key, const char *v)
{
    jw_key(j, key);
    jw_str(j, v);
}
static inline void jw_kv_hex(struct json_writer *j, const char *key, const void *data, size_t len)
{
    jw_key(j, key);
    jw_hex(j, data, len);
}
static inline void jw_kv_hash(struct json_writer *j, const char *key, const uint8_t hash[32])
{
    jw_key(j, key);
    jw_hash(j, hash);
}
static inline void jw_kv_hex32(struct json_writer *j, const char *key, uint32_t v)
{
    jw_key(j, key);
    jw_hex32(j, v);
}

#endif
