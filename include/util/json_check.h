/* json_check.h - is a text JSON by the letter of RFC 8259? Parsers take more than that (NaN, "1.", control characters in strings), which
 * Bitcoin Core refuses; both programs ask here before they parse or pass on what a user wrote. Pure; any thread. */
#ifndef FARTHING_UTIL_JSON_CHECK_H
#define FARTHING_UTIL_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#define JSON_CHECK_DEPTH 512 /* nested arrays and objects, as in Bitcoin Core */

/** Is text (len bytes) one JSON value, blanks around it allowed? Strings must be UTF-8 without lone surrogates. */
bool json_check(const char *text, size_t len);

#endif
