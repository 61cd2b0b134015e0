/* walk.c - stepping over script bytes, recognising the fixed forms of outputs, and writing pushes. Called by everything that looks at
 * scripts, the interpreter's loop included. Pure; any thread. */
#include "script/number.h"
#include "script/script.h"

bool script_next(const uint8_t **pos, const uint8_t *end, uint8_t *opcode, const uint8_t **data, size_t *len)
{
    const uint8_t *p = *pos;
    size_t n;

    *data = NULL;
    *len = 0;
    if (p >= end)
        return false;
    *opcode = *p++;
    if (*opcode > OP_PUSHDATA4) {
        *pos = p;
        return true;
    }
    const size_t head = *opcode < OP_PUSHDATA1 ? 0 : (size_t)1 << (*opcode - OP_PUSHDATA1);
    if ((size_t)(end - p) < head)
        return false;
    n = head == 0 ? *opcode : head == 1 ? *p : head == 2 ? get_le16(p) : get_le32(p);
    p += head;
    if ((size_t)(end - p) < n)
        return false;
    *data = p;
    *len = n;
    *pos = p + n;
    return true;
}

bool script_is_push_only(const uint8_t *script, size_t len)
{
    const uint8_t *end = script + len, *data;
    size_t n;
    uint8_t op;

    while (script < end) {
        if (!script_next(&script, end, &op, &data, &n) || op > OP_16)
            return false;
    }
    return true;
}

bool script_is_p2sh(const uint8_t *s, size_t len)
{
    return len == 23 && s[0] == OP_HASH160 && s[1] == 20 && s[22] == OP_EQUAL;
}

bool script_is_p2wsh(const uint8_t *s, size_t len)
{
    return len == 34 && s[0] == OP_0 && s[1] == 32;
}

bool script_is_p2tr(const uint8_t *s, size_t len)
{
    return len == 34 && s[0] == OP_1 && s[1] == 32;
}

bool script_is_p2a(const uint8_t *s, size_t len)
{
    return len == 4 && s[0] == OP_1 && s[1] == 2 && s[2] == 0x4e && s[3] == 0x73;
}

bool script_is_witness_program(const uint8_t *script, size_t len, int *version, const uint8_t **program, size_t *program_len)
{
    if (len < 4 || len > 42 || (script[0] != OP_0 && (script[0] < OP_1 || script[0] > OP_16)) || script[1] + 2u != len)
        return false;
    *version = script[0] == OP_0 ? 0 : script[0] - OP_1 + 1;
    *program = script + 2;
    *program_len = len - 2;
    return true;
}

void script_write_push(struct writer *w, const void *data, size_t len)
{
    if (len < OP_PUSHDATA1) {
        write_u8(w, (uint8_t)len);
    } else if (len <= 0xff) {
        write_u8(w, OP_PUSHDATA1);
        write_u8(w, (uint8_t)len);
    } else if (len <= 0xffff) {
        write_u8(w, OP_PUSHDATA2);
        write_u16(w, (uint16_t)len);
    } else {
        write_u8(w, OP_PUSHDATA4);
        write_u32(w, (uint32_t)len);
    }
    write_bytes(w, data, len);
}

void script_write_int(struct writer *w, int64_t n)
{
    uint8_t bytes[SCRIPT_NUMBER_MAX];

    if (n == -1 || (n >= 1 && n <= 16))
        write_u8(w, (uint8_t)(n + OP_1 - 1));
    else
        script_write_push(w, bytes, script_number_encode(bytes, n));
}
