/* base64.h - base64 with padding (RFC 4648). Pure; any thread. */
#ifndef FARTHING_UTIL_BASE64_H
#define FARTHING_UTIL_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Returns: a string to free. */
char *base64_encode(const void *data, size_t len);
/** Decodes text_len characters. In/out: *len: room, then bytes. Returns: false if malformed (padding included) or longer than the room. */
bool base64_decode(void *out, size_t *len, const char *text, size_t text_len);

#endif
