/* script.h - script bytes: opcodes, walking, building, the standard templates, sigop counts, text form. Pure; any thread. */
#ifndef FARTHING_SCRIPT_SCRIPT_H
#define FARTHING_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "primitives/tx.h"
#include "script/opcodes.h"

#define MAX_SCRIPT_SIZE 10000
#define MAX_SCRIPT_ELEMENT_SIZE 520
#define MAX_OPS_PER_SCRIPT 201
#define MAX_PUBKEYS_PER_MULTISIG 20
#define MAX_STACK_SIZE 1000
#define LOCKTIME_THRESHOLD 500000000u

/** Steps to the next operation of [*pos, end). Out: *opcode, *data and *len (NULL and 0 unless it is a push).
 *  Returns: false at the end or when a push is cut short (then *pos < end). */
bool script_next(const uint8_t **pos, const uint8_t *end, uint8_t *opcode, const uint8_t **data, size_t *len);
/** Only pushes (opcodes up to OP_16) and well formed. */
bool script_is_push_only(const uint8_t *script, size_t len);
bool script_is_p2sh(const uint8_t *script, size_t len);
bool script_is_p2wsh(const uint8_t *script, size_t len);
bool script_is_p2tr(const uint8_t *script, size_t len);
bool script_is_p2a(const uint8_t *script, size_t len);
/** BIP141 witness program. Out: *version (0..16), *program, *program_len. */
bool script_is_witness_program(const uint8_t *script, size_t len, int *version, const uint8_t **program, size_t *program_len);
/** Pushes with the shortest opcode for that length (not OP_N: Core's `CScript << vector`). */
void script_write_push(struct writer *w, const void *data, size_t len);
/** Pushes a number the way script builders do: OP_0, OP_1NEGATE, OP_1..OP_16 or minimal bytes (Core's `CScript << int64`). */
void script_write_int(struct writer *w, int64_t n);

/** Legacy sigops; accurate: OP_N before CHECKMULTISIG counts N instead of 20. */
unsigned script_sigops(const uint8_t *script, size_t len, bool accurate);
/** Sigops of the redeem script that an input's scriptSig reveals for a P2SH output. */
unsigned script_p2sh_sigops(const uint8_t *script_pubkey, size_t pk_len, const uint8_t *script_sig, size_t sig_len);
/** Sigops of a witness input under the given flags (0 if the output is no witness program, direct or in P2SH). */
unsigned script_witness_sigops(const struct tx_in *in, const struct tx_out *spent, uint32_t flags);

enum script_type {
    SCRIPT_NONSTANDARD,
    SCRIPT_PUBKEY,
    SCRIPT_PUBKEYHASH,
    SCRIPT_SCRIPTHASH,
    SCRIPT_MULTISIG,
    SCRIPT_NULLDATA,
    SCRIPT_WITNESS_V0_KEYHASH,
    SCRIPT_WITNESS_V0_SCRIPTHASH,
    SCRIPT_WITNESS_V1_TAPROOT,
    SCRIPT_ANCHOR,
    SCRIPT_WITNESS_UNKNOWN
};
struct script_solution {
    enum script_type type;
    unsigned required;       /* multisig: m */
    unsigned n;              /* multisig: keys; else number of items */
    const uint8_t *item[20]; /* keys, hashes or programs, borrowed from the script */
    uint8_t item_len[20];
    int witness_version;
};
/** Recognises the standard templates (Core's Solver). */
enum script_type script_solve(struct script_solution *out, const uint8_t *script, size_t len);
/** "pubkeyhash", "witness_v1_taproot", "nonstandard", ... as RPC shows it. */
const char *script_type_name(enum script_type type);

/** Text form as RPC shows it (Core's ScriptToAsmStr); sighash_decode: show "[ALL]" behind signatures. Returns: a string to free. */
char *script_to_asm(const uint8_t *script, size_t len, bool sighash_decode);
/** Compiles the assembly of the script vectors and of Core's ParseScript. Returns: false if malformed. */
bool script_from_asm(struct writer *out, const char *text);
/** "OP_CHECKSIG", "OP_UNKNOWN", ...; numbers 0..16 as Core names them ("0", "1"...). */
const char *opcode_name(uint8_t opcode);

#endif
