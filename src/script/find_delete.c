/* find_delete.c - legacy signatures do not sign themselves: a push of the signature is taken out of the script code before hashing
 * (Bitcoin Core's FindAndDelete, a rule since the first version). Called by ops_sig.c; pure, any thread. */
#include "script/find_delete.h"

#include "script/script.h"
#include "util/mem.h"

#include <stdlib.h>

/* The push as script builders write it; at most MAX_SCRIPT_ELEMENT_SIZE bytes and the opcode. */
static size_t write_pattern(uint8_t *out, const uint8_t *sig, size_t len)
{
    size_t head = 1;

    if (len < OP_PUSHDATA1) {
        out[0] = (uint8_t)len;
    } else if (len <= 0xff) {
        out[0] = OP_PUSHDATA1;
        out[1] = (uint8_t)len;
        head = 2;
    } else {
        out[0] = OP_PUSHDATA2;
        put_le16(out + 1, (uint16_t)len);
        head = 3;
    }
    memcpy(out + head, sig, len);
    return head + len;
}

static bool matches(const uint8_t *pos, const uint8_t *end, const uint8_t *pattern, size_t len)
{
    return (size_t)(end - pos) >= len && memcmp(pos, pattern, len) == 0;
}

/* Copies the code without the pattern, which stands at `first` for the first time. Returns: the length left. */
static size_t copy_without(uint8_t *out, const struct script_code *code, const uint8_t *first, const uint8_t *pattern, size_t len)
{
    const uint8_t *end = code->data + code->len, *from = code->data, *pos = first, *data;
    size_t used = 0, n;
    uint8_t op;

    do {
        memcpy(out + used, from, (size_t)(pos - from));
        used += (size_t)(pos - from);
        while (matches(pos, end, pattern, len))
            pos += len;
        from = pos;
    } while (script_next(&pos, end, &op, &data, &n));
    memcpy(out + used, from, (size_t)(end - from));
    return used + (size_t)(end - from);
}

bool code_delete_push(struct code_edit *e, const uint8_t *sig, size_t sig_len)
{
    uint8_t pattern[MAX_SCRIPT_ELEMENT_SIZE + 3];
    const uint8_t *pos = e->code.data, *end = pos + e->code.len, *data;
    size_t n;
    uint8_t op;

    if (sig_len > MAX_SCRIPT_ELEMENT_SIZE || e->code.len <= sig_len)
        return false;
    const size_t len = write_pattern(pattern, sig, sig_len);
    while (!matches(pos, end, pattern, len)) {
        if (!script_next(&pos, end, &op, &data, &n))
            return false;
    }
    uint8_t *rest = xmalloc(e->code.len);
    const size_t rest_len = copy_without(rest, &e->code, pos, pattern, len);
    free(e->owned);
    e->owned = rest;
    e->code = (struct script_code){rest, rest_len, false};
    return true;
}
