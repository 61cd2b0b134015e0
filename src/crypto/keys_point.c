/* keys_point.c - rebuilding a full public key from its compressed form, for the coin database. Pure, any thread. */
#include <secp256k1.h>

#include "crypto/keys.h"

bool pubkey_decompress(uint8_t out[65], const uint8_t in[33])
{
    secp256k1_pubkey key;
    size_t len = 65;

    /* Parsing needs no tables, so the library's constant context does. */
    if (!secp256k1_ec_pubkey_parse(secp256k1_context_static, &key, in, 33))
        return false;
    return secp256k1_ec_pubkey_serialize(secp256k1_context_static, out, &len, &key, SECP256K1_EC_UNCOMPRESSED) == 1;
}
