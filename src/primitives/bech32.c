/* bech32.c - bech32 and bech32m (BIP173, BIP350), and the search for the wrong characters of a mistyped address.
 * Called by address.c and RPC; pure, any thread. */
#include <stdlib.h>
#include <string.h>

#include "primitives/address.h"
#include "util/mem.h"

#define BECH32_MAX 90
#define HRP_MAX 83
#define CHECKSUM_LEN 6
#define BECH32_CONST 1u
#define BECH32M_CONST 0x2bc830a3u

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Value of a character of the data part, -1 if it is none. */
static int char_value(char c)
{
    const char *at = c ? strchr(charset, to_lower(c)) : NULL;
    return at ? (int)(at - charset) : -1;
}

/* Multiples of the generator by each of the 32 elements. */
static const uint32_t generator[32] = {0x00000000, 0x3b6a57b2, 0x26508e6d, 0x1d3ad9df, 0x1ea119fa, 0x25cb4e48, 0x38f19797,
                                       0x039bc025, 0x3d4233dd, 0x0628646f, 0x1b12bdb0, 0x2078ea02, 0x23e32a27, 0x18897d95,
                                       0x05b3a44a, 0x3ed9f3f8, 0x2a1462b3, 0x117e3501, 0x0c44ecde, 0x372ebb6c, 0x34b57b49,
                                       0x0fdf2cfb, 0x12e5f524, 0x298fa296, 0x1756516e, 0x2c3c06dc, 0x3106df03, 0x0a6c88b1,
                                       0x09f74894, 0x329d1f26, 0x2fa7c6f9, 0x14cd914b};

/* One step of the checksum: state * x modulo the generator, over GF(32), six coefficients of five bits. */
static uint32_t times_x(uint32_t state)
{
    return (state & 0x1ffffff) << 5 ^ generator[state >> 25];
}

/* The remainder after prefix (any case) and values. */
static uint32_t remainder_of(const char *hrp, size_t hrp_len, const uint8_t *values, size_t n)
{
    uint32_t c = 1;

    for (size_t i = 0; i < hrp_len; i++)
        c = times_x(c) ^ ((uint32_t)to_lower(hrp[i]) >> 5);
    c = times_x(c);
    for (size_t i = 0; i < hrp_len; i++)
        c = times_x(c) ^ ((uint32_t)to_lower(hrp[i]) & 31);
    for (size_t i = 0; i < n; i++)
        c = times_x(c) ^ values[i];
    return c;
}

/* Positions with room for some of them; counts only those that fit. */
struct position_list {
    int *at;
    size_t n, room;
};

static void add_position(struct position_list *list, size_t at)
{
    if (list->n < list->room)
        list->at[list->n++] = (int)at;
}

/* Outside printable ASCII, or in the other case than a letter before. Returns: true if all characters are fine. */
static bool check_characters(const char *text, size_t len, struct position_list *bad)
{
    bool lower = false, upper = false, ok = true;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_lower = c >= 'a' && c <= 'z', is_upper = c >= 'A' && c <= 'Z';
        if (c < 33 || c > 126 || (is_lower && upper) || (is_upper && lower)) {
            add_position(bad, i);
            ok = false;
            continue;
        }
        lower |= is_lower;
        upper |= is_upper;
    }
    return ok;
}

enum bech32_encoding bech32_decode(char *hrp, uint8_t *data, size_t *len, const char *text)
{
    struct position_list none = {NULL, 0, 0};
    size_t text_len = strnlen(text, BECH32_MAX + 1);
    const char *separator = text_len <= BECH32_MAX ? strrchr(text, '1') : NULL;
    uint8_t values[BECH32_MAX];

    if (!separator || !check_characters(text, text_len, &none))
        return BECH32_INVALID;
    size_t hrp_len = (size_t)(separator - text);
    size_t n = text_len - hrp_len - 1;
    if (hrp_len == 0 || n < CHECKSUM_LEN)
        return BECH32_INVALID;
    for (size_t i = 0; i < n; i++) {
        int v = char_value(separator[1 + i]);
        if (v < 0)
            return BECH32_INVALID;
        values[i] = (uint8_t)v;
    }
    uint32_t residue = remainder_of(text, hrp_len, values, n);
    if (residue != BECH32_CONST && residue != BECH32M_CONST)
        return BECH32_INVALID;
    for (size_t i = 0; i < hrp_len; i++)
        hrp[i] = to_lower(text[i]);
    hrp[hrp_len] = '\0';
    *len = n - CHECKSUM_LEN;
    memcpy(data, values, *len);
    return residue == BECH32_CONST ? BECH32 : BECH32M;
}

char *bech32_encode(const char *hrp, const uint8_t *data, size_t len, enum bech32_encoding enc)
{
    size_t hrp_len = strlen(hrp);

    if (hrp_len > HRP_MAX || len > BECH32_MAX || hrp_len + 1 + len + CHECKSUM_LEN > BECH32_MAX)
        return NULL;
    char *text = xmalloc(hrp_len + 1 + len + CHECKSUM_LEN + 1);
    char *p = text + hrp_len;
    memcpy(text, hrp, hrp_len);
    *p++ = '1';
    for (size_t i = 0; i < len; i++)
        *p++ = charset[data[i] & 31];
    uint32_t c = remainder_of(hrp, hrp_len, data, len);
    for (unsigned i = 0; i < CHECKSUM_LEN; i++)
        c = times_x(c);
    c ^= enc == BECH32M ? BECH32M_CONST : BECH32_CONST;
    for (unsigned i = 0; i < CHECKSUM_LEN; i++)
        *p++ = charset[c >> 5 * (CHECKSUM_LEN - 1 - i) & 31];
    *p = '\0';
    return text;
}

/* What one wrong character does to the remainder: the difference e at the p-th place from the right adds e * x^p. */
struct single_error {
    uint32_t residue;
    uint32_t place;
};

static int compare_residue(const void *a, const void *b)
{
    const struct single_error *x = a, *y = b;
    return x->residue < y->residue ? -1 : x->residue > y->residue;
}

/* All single errors in n places, sorted by residue. Out: table (n * 31). */
static void single_errors(struct single_error *table, size_t n)
{
    for (uint32_t e = 1; e < 32; e++) {
        uint32_t residue = e;
        for (uint32_t p = 0; p < n; p++, table++) {
            table->residue = residue;
            table->place = p;
            residue = times_x(residue);
        }
    }
    table -= n * 31;
    qsort(table, n * 31, sizeof(*table), compare_residue);
}

/* Up to two places (from the right) whose characters explain the residue; the code's distance of 5 over these lengths makes
 * the answer unique. Returns: their number, the leftmost first; 0 if more are wrong. */
static size_t explain_residue(size_t place[2], uint32_t residue, const struct single_error *table, size_t n_table)
{
    struct single_error key = {residue, 0};
    const struct single_error *hit = bsearch(&key, table, n_table, sizeof(*table), compare_residue);

    if (hit) {
        place[0] = hit->place;
        return 1;
    }
    for (size_t i = 0; i < n_table; i++) {
        key.residue = residue ^ table[i].residue;
        hit = bsearch(&key, table, n_table, sizeof(*table), compare_residue);
        if (!hit || hit->place == table[i].place)
            continue;
        bool first = table[i].place > hit->place;
        place[0] = first ? table[i].place : hit->place;
        place[1] = first ? hit->place : table[i].place;
        return 2;
    }
    return 0;
}

/* The checksum is wrong: tries both kinds and takes the one with fewer errors, bech32 first. */
static const char *locate_in_data(const char *text, size_t hrp_len, const uint8_t *values, size_t n, struct position_list *list)
{
    static const uint32_t constant[2] = {BECH32_CONST, BECH32M_CONST};
    static const char *const message[2] = {"Invalid Bech32 checksum", "Invalid Bech32m checksum"};
    struct single_error table[BECH32_MAX * 31];
    const char *result = "Invalid checksum";
    uint32_t remainder = remainder_of(text, hrp_len, values, n);
    size_t best_n = 0, best[2] = {0, 0};

    if (remainder == BECH32_CONST || remainder == BECH32M_CONST)
        return "";
    single_errors(table, n);
    for (unsigned kind = 0; kind < 2; kind++) {
        size_t place[2] = {0, 0};
        size_t count = explain_residue(place, remainder ^ constant[kind], table, n * 31);
        if (count == 0 || (best_n != 0 && count >= best_n))
            continue;
        best_n = count;
        memcpy(best, place, sizeof(best));
        result = message[kind];
    }
    for (size_t i = 0; i < best_n; i++)
        add_position(list, hrp_len + n - best[i]);
    return result;
}

static const char *locate(const char *text, struct position_list *list)
{
    size_t len = strlen(text);
    const char *separator = strrchr(text, '1');
    uint8_t values[BECH32_MAX];

    if (len > BECH32_MAX) {
        for (size_t i = BECH32_MAX; i < len; i++)
            add_position(list, i);
        return "Bech32 string too long";
    }
    if (!check_characters(text, len, list))
        return "Invalid character or mixed case";
    if (!separator)
        return "Missing separator";
    size_t hrp_len = (size_t)(separator - text);
    if (hrp_len == 0 || hrp_len + CHECKSUM_LEN >= len) {
        add_position(list, hrp_len);
        return "Invalid separator position";
    }
    size_t n = len - hrp_len - 1;
    for (size_t i = 0; i < n; i++) {
        int v = char_value(separator[1 + i]);
        if (v < 0) {
            add_position(list, hrp_len + 1 + i);
            return "Invalid Base 32 character";
        }
        values[i] = (uint8_t)v;
    }
    return locate_in_data(text, hrp_len, values, n, list);
}

const char *bech32_locate_errors(const char *text, int *positions, size_t *n)
{
    struct position_list list = {positions, 0, *n};
    const char *message = locate(text, &list);

    *n = list.n;
    return message;
}
