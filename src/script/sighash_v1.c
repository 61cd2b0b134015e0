/* sighash_v1.c - the signature hash of taproot and tapscript (BIP341, BIP342) and the hashes of its script trees. Called by the
 * signature checks, by verify.c and by signers. Pure; any thread. */
#include "script/hash_parts.h"
#include "script/sighash.h"

/* The states of the tagged hashes (BIP340) behind the block that is made of the tag: sha256_init_tagged of "TapSighash", "TapLeaf",
 * "TapBranch", kept to save two rounds of hashing each time. */
static const struct sha256 tag_sighash = {
    .state = {0xf504a425, 0xd7f8783b, 0x1363868a, 0xe3e55658, 0x6eee945d, 0xbc7888dd, 0x02a6e2c3, 0x1873fe9f}, .bytes = 64};
static const struct sha256 tag_leaf = {
    .state = {0x9ce0e4e6, 0x7c116c39, 0x38b3caf2, 0xc30f5089, 0xd3f3936c, 0x47636e60, 0x7db33eea, 0xddc6f0c9}, .bytes = 64};
static const struct sha256 tag_branch = {
    .state = {0x23a865a9, 0xb8a40da7, 0x977c1e04, 0xc49e246f, 0xb5be1376, 0x9d24c9b7, 0xb583b5d4, 0xa8d226d2}, .bytes = 64};

void sighash_v1_output(uint8_t out[32], const struct tx_out *output)
{
    struct sha256 ctx;

    sha256_init(&ctx);
    hash_output(&ctx, output);
    sha256_finish(&ctx, out);
}

/* What identifies the input: its index, or with ANYONECANPAY all about it. */
static void hash_input(struct sha256 *ctx, const struct tx *tx, uint32_t n, bool any, const struct tx_midstate *mid)
{
    uint8_t outpoint[OUTPOINT_SIZE];

    if (!any) {
        hash_u32(ctx, n);
        return;
    }
    put_outpoint(outpoint, tx->in[n].prevout);
    sha256_write(ctx, outpoint, sizeof(outpoint));
    hash_output(ctx, &mid->spent[n]);
    hash_u32(ctx, tx->in[n].sequence);
}

bool sighash_v1(uint8_t out[32], const struct tx *tx, uint32_t n, uint8_t hash_type, const struct sighash_v1_ctx *extra,
                const struct tx_midstate *mid)
{
    const uint8_t outputs = hash_type == SIGHASH_DEFAULT ? SIGHASH_ALL : hash_type & 3;
    const bool any = hash_type & SIGHASH_ANYONECANPAY;
    struct sha256 ctx = tag_sighash;
    uint8_t head[10], one[32];

    if ((hash_type & ~(SIGHASH_ANYONECANPAY | 3)) || hash_type == SIGHASH_ANYONECANPAY || !mid->has_v1 ||
        (outputs == SIGHASH_SINGLE && n >= tx->n_out))
        return false;
    head[0] = 0; /* epoch */
    head[1] = hash_type;
    put_le32(head + 2, tx->version);
    put_le32(head + 6, tx->lock_time);
    sha256_write(&ctx, head, sizeof(head));
    if (!any) {
        sha256_write(&ctx, mid->prevouts_single, 32);
        sha256_write(&ctx, mid->amounts_single, 32);
        sha256_write(&ctx, mid->scripts_single, 32);
        sha256_write(&ctx, mid->sequences_single, 32);
    }
    if (outputs == SIGHASH_ALL)
        sha256_write(&ctx, mid->outputs_single, 32);
    const uint8_t spend_type = (uint8_t)((extra->leaf_hash ? 2 : 0) | (extra->annex_hash ? 1 : 0));
    sha256_write(&ctx, &spend_type, 1);
    hash_input(&ctx, tx, n, any, mid);
    if (extra->annex_hash)
        sha256_write(&ctx, extra->annex_hash, 32);
    if (outputs == SIGHASH_SINGLE) {
        if (!extra->output_hash)
            sighash_v1_output(one, &tx->out[n]);
        sha256_write(&ctx, extra->output_hash ? extra->output_hash : one, 32);
    }
    if (extra->leaf_hash) {
        const uint8_t key_version = 0;
        sha256_write(&ctx, extra->leaf_hash, 32);
        sha256_write(&ctx, &key_version, 1);
        hash_u32(&ctx, extra->codesep_pos);
    }
    sha256_finish(&ctx, out);
    return true;
}

void tapleaf_hash(uint8_t out[32], uint8_t leaf_version, const uint8_t *script, size_t len)
{
    struct sha256 ctx = tag_leaf;

    sha256_write(&ctx, &leaf_version, 1);
    hash_var_bytes(&ctx, script, len);
    sha256_finish(&ctx, out);
}

void tapbranch_hash(uint8_t out[32], const uint8_t a[32], const uint8_t b[32])
{
    struct sha256 ctx = tag_branch;
    const bool in_order = memcmp(a, b, 32) < 0;

    sha256_write(&ctx, in_order ? a : b, 32);
    sha256_write(&ctx, in_order ? b : a, 32);
    sha256_finish(&ctx, out);
}

void taproot_merkle_root(uint8_t out[32], const uint8_t *control, size_t control_len, const uint8_t leaf[32])
{
    memmove(out, leaf, 32);
    for (size_t at = 33; at + 32 <= control_len; at += 32)
        tapbranch_hash(out, out, control + at);
}
