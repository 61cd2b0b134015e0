/* coin_compress.c - compressed amounts and scripts of the coin database, undo files and coin snapshots, bit for bit as
 * Bitcoin Core writes them. Called by coin.c and the snapshot code; pure, any thread. */
#include "crypto/keys.h"
#include "primitives/coin.h"
#include "primitives/serialize.h"

#define MAX_SCRIPT_SIZE 10000

enum { OP_RETURN = 0x6a, OP_DUP = 0x76, OP_EQUAL = 0x87, OP_EQUALVERIFY = 0x88, OP_HASH160 = 0xa9, OP_CHECKSIG = 0xac };

/* Codes of the scripts with a short form; 2..5 carry parity and form of the key. */
enum { CODE_P2PKH = 0, CODE_P2SH = 1, CODE_P2PK = 2, CODE_P2PK_FULL = 4 };

/* A round amount is written as its trailing zeros e (up to 9), its last digit d and the rest n; an amount with nine zeros
 * or more leaves the digit in the rest. The digit of zeros comes last in decimal. */
uint64_t amount_compress(uint64_t n)
{
    unsigned e = 0;

    if (n == 0)
        return 0;
    for (; e < 9 && n % 10 == 0; e++)
        n /= 10;
    if (e == 9)
        return (n - 1) * 10 + 9 + 1;
    return ((n / 10) * 9 + n % 10 - 1) * 10 + e + 1;
}

uint64_t amount_decompress(uint64_t x)
{
    static const uint64_t power10[10] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

    if (x == 0)
        return 0;
    unsigned e = (unsigned)((x - 1) % 10);
    uint64_t rest = (x - 1) / 10;
    uint64_t n = e == 9 ? rest + 1 : rest / 9 * 10 + rest % 9 + 1;
    return n * power10[e];
}

static inline bool is_p2pkh(const uint8_t *s, size_t len)
{
    return len == 25 && s[0] == OP_DUP && s[1] == OP_HASH160 && s[2] == 20 && s[23] == OP_EQUALVERIFY && s[24] == OP_CHECKSIG;
}

static inline bool is_p2sh(const uint8_t *s, size_t len)
{
    return len == 23 && s[0] == OP_HASH160 && s[1] == 20 && s[22] == OP_EQUAL;
}

static inline bool is_p2pk_compressed(const uint8_t *s, size_t len)
{
    return len == 35 && s[0] == 33 && s[34] == OP_CHECKSIG && (s[1] == 0x02 || s[1] == 0x03);
}

/* Only a point on the curve can be rebuilt from its x; hybrid keys (0x06, 0x07) keep their long form. */
static inline bool is_p2pk_full(const uint8_t *s, size_t len)
{
    return len == 67 && s[0] == 65 && s[66] == OP_CHECKSIG && s[1] == 0x04 && pubkey_is_valid(s + 1, 65);
}

void write_compressed_script(struct writer *w, const uint8_t *script, size_t len)
{
    if (is_p2pkh(script, len)) {
        write_u8(w, CODE_P2PKH);
        write_bytes(w, script + 3, 20);
    } else if (is_p2sh(script, len)) {
        write_u8(w, CODE_P2SH);
        write_bytes(w, script + 2, 20);
    } else if (is_p2pk_compressed(script, len)) {
        write_bytes(w, script + 1, 33);
    } else if (is_p2pk_full(script, len)) {
        write_u8(w, CODE_P2PK_FULL | (script[65] & 1));
        write_bytes(w, script + 2, 32);
    } else {
        write_varint(w, len + SPECIAL_SCRIPTS);
        write_bytes(w, script, len);
    }
}

static const uint8_t *build_p2pkh(const uint8_t *hash, struct arena *arena, uint32_t *len)
{
    uint8_t *s = arena_alloc(arena, 25);
    s[0] = OP_DUP;
    s[1] = OP_HASH160;
    s[2] = 20;
    memcpy(s + 3, hash, 20);
    s[23] = OP_EQUALVERIFY;
    s[24] = OP_CHECKSIG;
    *len = 25;
    return s;
}

static const uint8_t *build_p2sh(const uint8_t *hash, struct arena *arena, uint32_t *len)
{
    uint8_t *s = arena_alloc(arena, 23);
    s[0] = OP_HASH160;
    s[1] = 20;
    memcpy(s + 2, hash, 20);
    s[22] = OP_EQUAL;
    *len = 23;
    return s;
}

static const uint8_t *build_p2pk(uint32_t code, const uint8_t *x, struct arena *arena, uint32_t *len)
{
    uint8_t *s = arena_alloc(arena, 67);
    uint8_t key[33];

    if (code < CODE_P2PK_FULL) {
        s[0] = 33;
        s[1] = (uint8_t)code;
        memcpy(s + 2, x, 32);
        s[34] = OP_CHECKSIG;
        *len = 35;
        return s;
    }
    key[0] = (uint8_t)(code - 2);
    memcpy(key + 1, x, 32);
    s[0] = 65;
    s[66] = OP_CHECKSIG;
    /* Core leaves the script empty when x is on no point; such bytes were never written by a node. */
    *len = pubkey_decompress(s + 1, key) ? 67 : 0;
    return s;
}

static const uint8_t *read_raw_script(struct reader *r, uint32_t size, uint32_t *len)
{
    static const uint8_t op_return[1] = {OP_RETURN};
    const uint8_t *s = read_bytes(r, size);

    if (!s)
        return NULL;
    if (size > MAX_SCRIPT_SIZE) {
        *len = 1;
        return op_return;
    }
    *len = size;
    return s;
}

const uint8_t *read_compressed_script(struct reader *r, struct arena *arena, uint32_t *len)
{
    uint32_t code = read_varint32(r);

    *len = 0;
    if (r->failed)
        return NULL;
    if (code >= SPECIAL_SCRIPTS)
        return read_raw_script(r, code - SPECIAL_SCRIPTS, len);
    const uint8_t *payload = read_bytes(r, code <= CODE_P2SH ? 20 : 32);
    if (!payload)
        return NULL;
    if (code == CODE_P2PKH)
        return build_p2pkh(payload, arena, len);
    if (code == CODE_P2SH)
        return build_p2sh(payload, arena, len);
    return build_p2pk(code, payload, arena, len);
}
