/* descriptor.h - output descriptors (BIP380 to 386) as far as a node without a wallet needs them: addr, raw, pk, pkh, wpkh, combo, multi, sortedmulti,
 * sh, wsh, tr(KEY), rawtr, with keys in hex, WIF or an extended key without derivation steps. Pure; any thread. */
#ifndef FARTHING_RPC_DESCRIPTOR_H
#define FARTHING_RPC_DESCRIPTOR_H

#include "consensus/params.h"

struct descriptor {
    struct {
        uint8_t *bytes;
        size_t len;
    } script[4];        /* combo has up to four */
    unsigned n_scripts; /* 0 when ranged or when hardened steps need private keys */
    bool ranged, solvable, has_private;
    char *text; /* canonical, public, without checksum */
};

/** BIP380 checksum. Out: out (9 bytes). Returns: false if text has characters that no descriptor may have. */
bool descriptor_checksum(char out[9], const char *text, size_t len);
/** Reads a descriptor. Returns: false with Core's message in *error (to free); d is to be cleared only on success. */
bool descriptor_parse(struct descriptor *d, const char *text, const struct chain_params *p, bool need_checksum, char **error);
void descriptor_clear(struct descriptor *d);
/** The descriptor of a script about which nothing else is known, with checksum. inner: the script behind a P2SH or P2WSH hash, NULL if not
 *  known. address: of the script, NULL if it has none. Returns: a string to free. */
char *descriptor_infer(const uint8_t *script, size_t len, const char *address, const uint8_t *inner, size_t inner_len);

#endif
