/* coin.h - an unspent output with what consensus asks of its origin, and its compressed form in the coin database and in
 * undo files (Bitcoin Core's formats). */
#ifndef FARTHING_PRIMITIVES_COIN_H
#define FARTHING_PRIMITIVES_COIN_H

#include "primitives/tx.h"

struct coin {
    struct tx_out out; /* script borrowed from wherever the coin is held */
    uint32_t height;   /* of the creating block (31 bits) */
    bool coinbase;
};

/** Amount compression of the databases. */
uint64_t amount_compress(uint64_t n);
uint64_t amount_decompress(uint64_t x);

#define SPECIAL_SCRIPTS 6
/** Writes VARINT(special code or len+6) and payload: P2PKH, P2SH and P2PK scripts in 21 or 33 bytes. */
void write_compressed_script(struct writer *w, const uint8_t *script, size_t len);
/** Reads it; bytes that are not literally in the input (P2PKH...) are built in arena. A script over 10,000 bytes reads as OP_RETURN, as in Core. */
const uint8_t *read_compressed_script(struct reader *r, struct arena *arena, uint32_t *len);

/** Value of the coin database: VARINT(height*2+coinbase), compressed amount, compressed script. */
void coin_write(struct writer *w, const struct coin *c);
bool coin_read(struct coin *c, struct reader *r, struct arena *arena);
/** Record of an undo file: the same with a VARINT 0 after a height over 0 (version slot of old formats). */
void undo_coin_write(struct writer *w, const struct coin *c);
bool undo_coin_read(struct coin *c, struct reader *r, struct arena *arena);

/** True for outputs that never enter the coin set: OP_RETURN first, or a script over 10,000 bytes. */
static inline bool script_is_unspendable(const uint8_t *script, size_t len)
{
    return (len > 0 && script[0] == 0x6a) || len > 10000;
}

#endif
