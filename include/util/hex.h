/* hex.h - hexadecimal text. Pure; any thread. */
#ifndef FARTHING_UTIL_HEX_H
#define FARTHING_UTIL_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Writes 2*len lower-case digits and a NUL. Out: out (2*len+1 bytes). */
void hex_encode(char *out, const void *data, size_t len);
/** The same without the NUL. Out: out (2*len bytes). */
void hex_put(char *out, const void *data, size_t len);
/** hex_encode with the bytes in reverse order: how hashes are displayed. */
void hex_encode_reversed(char *out, const void *data, size_t len);
/** Decodes exactly 2*len digits of either case; text must be exactly that long (NUL-terminated). Returns: false (out undefined) if not. */
bool hex_decode(void *out, size_t len, const char *text);
bool hex_decode_reversed(void *out, size_t len, const char *text);
/** True if text is an even number (0 included) of hex digits. */
bool hex_is_valid(const char *text);

#endif
