/* number.h - script numbers: little-endian magnitude with a sign bit. Operands have at most 4 bytes (5 for lock times), results may
 * be longer. Used by the interpreter, the templates and the text form; any thread. */
#ifndef FARTHING_SCRIPT_NUMBER_H
#define FARTHING_SCRIPT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_NUMBER_MAX 9 /* bytes of the longest encoding */

/** Reads a number. Returns: false if it has more than max_len (at most 8) bytes, or is not the shortest form while minimal is set. */
bool script_number_decode(int64_t *out, const uint8_t *data, size_t len, size_t max_len, bool minimal);
/** Writes the shortest form. Out: out (SCRIPT_NUMBER_MAX bytes). Returns: its length, 0 for zero. */
size_t script_number_encode(uint8_t *out, int64_t value);
/** Cuts a value to the range of an int, as Core does before it counts or indexes with it. */
int script_number_clamp(int64_t value);

#endif
