/* number.c - encoding and decoding of script numbers (CScriptNum in Bitcoin Core). Called by the interpreter's number and lock-time
 * operations, the templates and the text form. Pure; any thread. */
#include "script/number.h"

#include <limits.h>

/* The top byte must carry something besides the sign, unless the byte below needs its high bit for the magnitude. */
static bool is_minimal(const uint8_t *data, size_t len)
{
    if (len == 0 || (data[len - 1] & 0x7f))
        return true;
    return len > 1 && (data[len - 2] & 0x80);
}

bool script_number_decode(int64_t *out, const uint8_t *data, size_t len, size_t max_len, bool minimal)
{
    uint64_t magnitude = 0;

    *out = 0;
    if (len > max_len || (minimal && !is_minimal(data, len)))
        return false;
    if (len == 0)
        return true;
    for (size_t i = 0; i < len; i++)
        magnitude |= (uint64_t)data[i] << 8 * i;
    const uint64_t sign = 0x80ULL << 8 * (len - 1);
    *out = magnitude & sign ? -(int64_t)(magnitude & ~sign) : (int64_t)magnitude;
    return true;
}

size_t script_number_encode(uint8_t *out, int64_t value)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    const uint8_t sign = value < 0 ? 0x80 : 0;
    size_t len = 0;

    if (!rest)
        return 0;
    for (; rest; rest >>= 8)
        out[len++] = (uint8_t)rest;
    if (out[len - 1] & 0x80)
        out[len++] = sign;
    else
        out[len - 1] |= sign;
    return len;
}

int script_number_clamp(int64_t value)
{
    if (value > INT_MAX)
        return INT_MAX;
    return value < INT_MIN ? INT_MIN : (int)value;
}
