/* descriptor_infer.c - the checksum of descriptors, and the descriptor shown with each output ("desc"). Runs for every output of getblock 2. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/keys.h"
#include "rpc/descriptor.h"
#include "script/script.h"
#include "util/hex.h"
#include "util/mem.h"

/* Place of each character in the alphabet of descriptors, which groups those that are easily mistaken for each other; 255: not in it. */
static const uint8_t alphabet[128] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 94,  59,  92,  91,  28,  29,
                                      50,  15,  10,  11,  17,  51,  14,  52,  53,  16,  0,   1,   2,   3,   4,   5,   6,   7,   8,
                                      9,   27,  54,  55,  56,  57,  58,  26,  82,  83,  84,  85,  86,  87,  88,  89,  32,  33,  34,
                                      35,  36,  37,  38,  39,  40,  41,  42,  43,  44,  45,  46,  47,  48,  49,  12,  93,  13,  60,
                                      61,  90,  18,  19,  20,  21,  22,  23,  24,  25,  64,  65,  66,  67,  68,  69,  70,  71,  72,
                                      73,  74,  75,  76,  77,  78,  79,  80,  81,  30,  62,  31,  63,  255};
static const char output_set[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint64_t step(uint64_t c, unsigned v)
{
    static const uint64_t generator[5] = {0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a, 0x644d626ffd};
    unsigned top = (unsigned)(c >> 35);

    c = (c & 0x7ffffffff) << 5 ^ v;
    for (unsigned i = 0; i < 5; i++)
        c ^= generator[i] & (0 - (uint64_t)(top >> i & 1));
    return c;
}

bool descriptor_checksum(char out[9], const char *text, size_t len)
{
    uint64_t c = 1;
    unsigned classes = 0, count = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char ch = (unsigned char)text[i];
        unsigned pos = ch < 128 ? alphabet[ch] : 255;
        if (pos == 255)
            return false;
        c = step(c, pos & 31);
        classes = classes * 3 + (pos >> 5);
        if (++count == 3) {
            c = step(c, classes);
            classes = count = 0;
        }
    }
    if (count)
        c = step(c, classes);
    for (int i = 0; i < 8; i++)
        c = step(c, 0);
    c ^= 1;
    for (int i = 0; i < 8; i++)
        out[i] = output_set[c >> (5 * (7 - i)) & 31];
    out[8] = 0;
    return true;
}

static void put(struct writer *w, const char *s)
{
    write_bytes(w, s, strlen(s));
}

static void put_hex(struct writer *w, const uint8_t *data, size_t len)
{
    char *at = (char *)writer_extend(w, 2 * len + 1);

    hex_encode(at, data, len);
    w->len--;
}

/* A key as it may stand in a descriptor: no hybrid ones, and compressed only inside witness scripts. */
static bool key_fits(const uint8_t *key, size_t len, bool witness)
{
    if (len == 33)
        return key[0] == 2 || key[0] == 3;
    return len == 65 && key[0] == 4 && !witness;
}

/* pk() and multi(). Returns: false if the script is neither. */
static bool infer_keys(struct writer *w, const uint8_t *script, size_t len, bool witness)
{
    struct script_solution s;
    char number[16];

    switch (script_solve(&s, script, len)) {
    case SCRIPT_PUBKEY:
        if (!key_fits(s.item[0], s.item_len[0], witness))
            return false;
        put(w, "pk(");
        put_hex(w, s.item[0], s.item_len[0]);
        put(w, ")");
        return true;
    case SCRIPT_MULTISIG:
        for (unsigned i = 0; i < s.n; i++) {
            if (!key_fits(s.item[i], s.item_len[i], witness))
                return false;
        }
        snprintf(number, sizeof(number), "%u", s.required);
        put(w, "multi(");
        put(w, number);
        for (unsigned i = 0; i < s.n; i++) {
            put(w, ",");
            put_hex(w, s.item[i], s.item_len[i]);
        }
        put(w, ")");
        return true;
    default:
        return false;
    }
}

static bool infer_inner(struct writer *w, const uint8_t *script, size_t len, const uint8_t *inner, size_t inner_len)
{
    bool witness = script_is_p2wsh(script, len);

    if (!inner || (!witness && !script_is_p2sh(script, len)))
        return false;
    put(w, witness ? "wsh(" : "sh(");
    if (!infer_keys(w, inner, inner_len, witness)) {
        w->len = 0;
        return false;
    }
    put(w, ")");
    return true;
}

char *descriptor_infer(const uint8_t *script, size_t len, const char *address, const uint8_t *inner, size_t inner_len)
{
    struct writer w = WRITER_INIT;
    char sum[9];

    if (infer_inner(&w, script, len, inner, inner_len) || (!address && infer_keys(&w, script, len, false))) {
        /* done */
    } else if (script_is_p2tr(script, len) && xonly_is_valid(script + 2)) {
        put(&w, "rawtr(");
        put_hex(&w, script + 2, 32);
        put(&w, ")");
    } else if (address) {
        put(&w, "addr(");
        put(&w, address);
        put(&w, ")");
    } else {
        put(&w, "raw(");
        put_hex(&w, script, len);
        put(&w, ")");
    }
    descriptor_checksum(sum, (const char *)w.data, w.len);
    put(&w, "#");
    write_bytes(&w, sum, 9);
    return (char *)w.data;
}
