/* descriptor.h - output descriptors (BIP380 to 387, 389, 390) with miniscript (BIP379): text to scripts and back, with Bitcoin Core 31's canonical
 * text and error messages. Pure; a descriptor is used by one thread at a time. */
#ifndef FARTHING_DESCRIPTOR_DESCRIPTOR_H
#define FARTHING_DESCRIPTOR_DESCRIPTOR_H

#include "consensus/params.h"
#include "script/sign.h"

/** BIP380 checksum. Out: out (9 bytes). Returns: false if text has characters that no descriptor may have. */
bool descriptor_checksum(char out[9], const char *text, size_t len);

/* One descriptor text; with multipath steps (BIP389) it stands for several descriptors that differ in one step each: its `paths`. */
struct descriptor;
/** Reads a descriptor. Returns: it, or NULL with Core's message in *error (to free; may be ""). params must outlive it. */
struct descriptor *descriptor_parse(const char *text, const struct chain_params *params, bool need_checksum, char **error);
void descriptor_free(struct descriptor *d);
/** How many it stands for, 1 without multipath steps. */
size_t descriptor_paths(const struct descriptor *d);
bool descriptor_is_range(const struct descriptor *d);
bool descriptor_is_solvable(const struct descriptor *d);
/** At least one private key is in it. */
bool descriptor_has_private(const struct descriptor *d);
/** False for unused(). */
bool descriptor_has_scripts(const struct descriptor *d);
/** False for combo(). */
bool descriptor_is_single_type(const struct descriptor *d);
/** Canonical public text with its checksum. Returns: a string to free. */
char *descriptor_text(const struct descriptor *d, size_t path);
/** The same with private keys where they are known. */
char *descriptor_text_private(const struct descriptor *d, size_t path);

struct descriptor_scripts {
    struct {
        uint8_t *bytes;
        size_t len;
    } script[4]; /* combo has 2 or 4; unused none */
    unsigned n;
};
/** The scripts at a position (0 where there is no range). Out: out (to clear); ring: if not NULL, gets all that is known of them (public keys with
 *  origins, scripts, taproot outputs) and, with `secrets`, the private keys.
 *  Returns: false (out empty, ring with parts perhaps) if private keys are needed that are not there. */
bool descriptor_expand(struct descriptor_scripts *out, struct keyring *ring, struct descriptor *d, size_t path, uint32_t position,
                       bool secrets);
void descriptor_scripts_clear(struct descriptor_scripts *s);

/** The descriptor of an output, with checksum, as far as the ring tells (NULL: nothing is known). Core's InferDescriptor. Returns: a string to
 *  free. */
char *descriptor_infer(const uint8_t *script, size_t len, const struct keyring *ring, const struct address_prefixes *p);

#endif
