/* siphash.c - the short hashes of tables and filters: SipHash-2-4, a faster relative of it, and MurmurHash3. Pure; any thread.
 *
 * The forms for a hash and an outpoint are what maps of coins and transactions call for each lookup: no loop, no buffer. */
#include "crypto/hash.h"
#include "util/bytes.h"

struct sip {
    uint64_t a, b, c, d;
};

static inline uint64_t rotl64(uint64_t v, int n)
{
    return v << n | v >> (64 - n);
}

static inline struct sip sip_init(uint64_t k0, uint64_t k1)
{
    struct sip s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
    return s;
}

static inline void sip_round(struct sip *s)
{
    s->a += s->b;
    s->c += s->d;
    s->b = rotl64(s->b, 13) ^ s->a;
    s->d = rotl64(s->d, 16) ^ s->c;
    s->a = rotl64(s->a, 32) + s->d;
    s->c += s->b;
    s->d = rotl64(s->d, 21) ^ s->a;
    s->b = rotl64(s->b, 17) ^ s->c;
    s->c = rotl64(s->c, 32);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
    s->d ^= m;
    sip_round(s);
    sip_round(s);
    s->a ^= m;
}

/* last: the bytes beyond whole words, with the total length in the highest byte. */
static inline uint64_t sip_finish(struct sip *s, uint64_t last)
{
    sip_word(s, last);
    s->c ^= 0xff;
    sip_round(s);
    sip_round(s);
    sip_round(s);
    sip_round(s);
    return s->a ^ s->b ^ s->c ^ s->d;
}

uint64_t siphash(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
    struct sip s = sip_init(k0, k1);
    const uint8_t *p = data;
    uint64_t last = (uint64_t)len << 56;

    for (size_t i = 0; i < len / 8; i++, p += 8)
        sip_word(&s, get_le64(p));
    for (size_t i = 0; i < len % 8; i++)
        last |= (uint64_t)p[i] << 8 * i;
    return sip_finish(&s, last);
}

static inline struct sip sip_hash(uint64_t k0, uint64_t k1, const uint8_t hash[32])
{
    struct sip s = sip_init(k0, k1);

    sip_word(&s, get_le64(hash));
    sip_word(&s, get_le64(hash + 8));
    sip_word(&s, get_le64(hash + 16));
    sip_word(&s, get_le64(hash + 24));
    return s;
}

uint64_t siphash_hash(uint64_t k0, uint64_t k1, const uint8_t hash[32])
{
    struct sip s = sip_hash(k0, k1, hash);
    return sip_finish(&s, (uint64_t)32 << 56);
}

uint64_t siphash_hash_u32(uint64_t k0, uint64_t k1, const uint8_t hash[32], uint32_t extra)
{
    struct sip s = sip_hash(k0, k1, hash);
    return sip_finish(&s, (uint64_t)36 << 56 | extra);
}

uint64_t siphash13_jumbo(uint64_t k0, uint64_t k1, const uint8_t hash[32])
{
    uint64_t w[4] = {get_le64(hash), get_le64(hash + 8), get_le64(hash + 16), get_le64(hash + 24)};
    struct sip s = sip_init(k0, k1);

    s.a ^= w[1];
    s.b ^= w[2];
    s.c ^= w[3];
    s.d ^= w[0];
    sip_round(&s);
    s.a ^= w[0];
    s.b ^= w[1];
    s.c ^= w[2] ^ 0x6465646461706e75; /* "unpadded" */
    s.d ^= w[3];
    for (int i = 0; i < 3; i++)
        sip_round(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}

static inline uint32_t rotl32(uint32_t v, int n)
{
    return v << n | v >> (32 - n);
}

static inline uint32_t murmur_scramble(uint32_t k)
{
    return rotl32(k * 0xcc9e2d51, 15) * 0x1b873593;
}

uint32_t murmur3(uint32_t seed, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t h = seed, tail = 0;

    for (size_t i = 0; i < len / 4; i++, p += 4)
        h = rotl32(h ^ murmur_scramble(get_le32(p)), 13) * 5 + 0xe6546b64;
    for (size_t i = 0; i < len % 4; i++)
        tail |= (uint32_t)p[i] << 8 * i;
    h ^= murmur_scramble(tail);
    h ^= (uint32_t)len;
    h = (h ^ h >> 16) * 0x85ebca6b;
    h = (h ^ h >> 13) * 0xc2b2ae35;
    return h ^ h >> 16;
}
