/* asm.c - scripts as text and back: what RPC shows of a script, and the assembly of the script vectors. Pure; any thread. */
#include "script/checksig.h"
#include "script/names.h"
#include "script/number.h"
#include "script/script.h"
#include "util/hex.h"
#include "util/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_text(struct writer *w, const char *text)
{
    write_bytes(w, text, strlen(text));
}

static const char *hash_type_suffix(uint8_t hash_type)
{
    static const char *const suffixes[2][4] = {
        {NULL, "[ALL]", "[NONE]", "[SINGLE]"},
        {NULL, "[ALL|ANYONECANPAY]", "[NONE|ANYONECANPAY]", "[SINGLE|ANYONECANPAY]"},
    };
    const uint8_t base = hash_type & ~SIGHASH_ANYONECANPAY;

    return base <= SIGHASH_SINGLE ? suffixes[hash_type >> 7][base] : NULL;
}

/* Up to four bytes are shown as a number, more as hex; with `sighash`, what looks like a signature has its hash type in words. */
static void write_data(struct writer *w, const uint8_t *data, size_t len, bool sighash)
{
    const char *suffix = NULL;
    char number[24];
    int64_t n;

    if (len <= 4) {
        (void)script_number_decode(&n, data, len, 4, false);
        snprintf(number, sizeof(number), "%d", script_number_clamp(n));
        write_text(w, number);
        return;
    }
    if (sighash && sig_check_encoding(data, len, SCRIPT_VERIFY_STRICTENC) == SCRIPT_ERR_OK)
        suffix = hash_type_suffix(data[len - 1]);
    if (suffix)
        len--;
    char *hex = (char *)writer_extend(w, 2 * len + 1);
    hex_encode(hex, data, len);
    w->len--; /* the NUL */
    if (suffix)
        write_text(w, suffix);
}

char *script_to_asm(const uint8_t *script, size_t len, bool sighash_decode)
{
    const uint8_t *pos = script, *end = script + len, *data;
    /* Data outputs may hold anything, signatures' looks included. */
    const bool sighash = sighash_decode && !(len > 0 && script[0] == OP_RETURN) && len <= MAX_SCRIPT_SIZE;
    struct writer w = WRITER_INIT;
    size_t n;
    uint8_t op;

    while (pos < end) {
        if (w.len)
            write_u8(&w, ' ');
        if (!script_next(&pos, end, &op, &data, &n)) {
            write_text(&w, "[error]");
            break;
        }
        if (op <= OP_PUSHDATA4)
            write_data(&w, data, n, sighash);
        else
            write_text(&w, opcode_name(op));
    }
    write_u8(&w, 0);
    return (char *)w.data;
}

static bool is_digits(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
    }
    return len > 0;
}

/* Decimal numbers between -0xffffffff and 0xffffffff. */
static bool write_number_word(struct writer *out, const char *word, size_t len)
{
    const bool negative = word[0] == '-';
    int64_t n = 0;

    for (size_t i = negative; i < len; i++) {
        n = n * 10 + (word[i] - '0');
        if (n > 0xffffffffLL)
            return false;
    }
    script_write_int(out, negative ? -n : n);
    return true;
}

static bool write_hex_word(struct writer *out, const char *digits, size_t len)
{
    char *text = xmalloc(len + 1);

    memcpy(text, digits, len);
    text[len] = 0;
    const bool ok = len % 2 == 0 && hex_is_valid(text);
    if (ok)
        hex_decode(writer_extend(out, len / 2), len / 2, text);
    free(text);
    return ok;
}

static bool write_word(struct writer *out, const char *word, size_t len)
{
    if (is_digits(word, len) || (word[0] == '-' && is_digits(word + 1, len - 1)))
        return write_number_word(out, word, len);
    if (len > 2 && word[0] == '0' && word[1] == 'x')
        return write_hex_word(out, word + 2, len - 2);
    if (len >= 2 && word[0] == '\'' && word[len - 1] == '\'') {
        script_write_push(out, word + 1, len - 2);
        return true;
    }
    const int op = opcode_from_name(word, len);
    if (op < 0)
        return false;
    write_u8(out, (uint8_t)op);
    return true;
}

bool script_from_asm(struct writer *out, const char *text)
{
    for (;;) {
        text += strspn(text, " \t\n");
        const size_t len = strcspn(text, " \t\n");
        if (len == 0)
            return true;
        if (!write_word(out, text, len))
            return false;
        text += len;
    }
}
