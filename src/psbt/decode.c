/* decode.c - bytes to PSBTs (BIP174, 370, 371, 373), as strict as Core and with its messages. Called by RPC with what clients send; pure. */
#include <stdlib.h>

#include "crypto/keys.h"
#include "primitives/serialize.h"
#include "psbt/decoding.h"
#include "script/script.h"
#include "util/mem.h"

enum { FOUND_TX_VERSION = 1, FOUND_LOCK_TIME = 2, FOUND_N_IN = 4, FOUND_N_OUT = 8 };
enum { FOUND_TXID = 1, FOUND_INDEX = 2, FOUND_AMOUNT = 4, FOUND_SCRIPT = 8 };

/* ---- fields ---- */

static uint32_t read_number(struct decoding *d)
{
    struct stated s = dec_stated(d);
    uint32_t n = d->error ? 0 : dec_u32(d);

    dec_stated_end(d, s);
    return n;
}

static void read_unsigned_tx(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct stated s = dec_stated(d);

    (void)e;
    (void)f;
    if (!d->error) {
        tx_unref(d->tx); /* a second one is a duplicate, seen later */
        d->tx = dec_tx(d, false);
    }
    dec_stated_end(d, s);
    for (uint32_t i = 0; !d->error && i < d->tx->n_in; i++) {
        if (d->tx->in[i].script_len)
            dec_fail(d, "Unsigned tx does not have empty scriptSigs and scriptWitnesses.: iostream error");
    }
}

static void read_global_number(struct decoding *d, const struct entry *e, const struct field *f)
{
    uint32_t n = read_number(d);

    (void)f;
    if (e->type == 0xfb) {
        d->has_version = true;
        d->p->version = n;
        if (n > 2 && !d->error)
            dec_fail(d, "Unsupported version number: iostream error");
    } else if (e->type == 0x02) {
        d->p->tx_version = n;
        d->found |= FOUND_TX_VERSION;
    } else {
        d->p->lock_time = n;
        d->p->has_lock_time = true;
        d->found |= FOUND_LOCK_TIME;
    }
}

static void read_count(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct stated s = dec_stated(d);
    uint64_t n = d->error ? 0 : dec_compact(d);

    (void)f;
    dec_stated_end(d, s);
    if (e->type == 0x04)
        d->n_in = n;
    else
        d->n_out = n;
    d->found |= e->type == 0x04 ? FOUND_N_IN : FOUND_N_OUT;
}

static void read_modifiable(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct stated s = dec_stated(d);
    const uint8_t *flags = d->error ? NULL : dec_bytes(d, 1);

    (void)e;
    (void)f;
    dec_stated_end(d, s);
    d->p->has_modifiable = true;
    d->p->modifiable = flags ? *flags : 0;
}

static void read_prev(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct stated s = dec_stated(d);

    (void)e;
    (void)f;
    if (!d->error) {
        tx_unref(d->in->prev); /* a second one is a duplicate, seen later */
        d->in->prev = dec_tx(d, true);
    }
    dec_stated_end(d, s);
}

static void read_utxo(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct stated s = dec_stated(d);
    const uint8_t *value = d->error ? NULL : dec_bytes(d, 8), *script;
    size_t len = 0;

    (void)e;
    (void)f;
    script = value ? dec_var_bytes(d, &len) : NULL;
    dec_stated_end(d, s);
    if (d->error)
        return;
    d->in->utxo = (struct tx_out){(int64_t)get_le64(value), arena_copy(&d->p->arena, script, len), (uint32_t)len};
    d->in->has_utxo = d->in->utxo.value != -1; /* Core's mark of an output that is none */
}

static void read_in_number(struct decoding *d, const struct entry *e, const struct field *f)
{
    uint32_t n = read_number(d);
    struct psbt_in *in = d->in;

    (void)f;
    if (d->error)
        return;
    switch (e->type) {
    case 0x03:
        in->has_hash_type = true;
        in->hash_type = (int32_t)n;
        break;
    case 0x0f:
        in->prevout.n = n;
        d->found |= FOUND_INDEX;
        break;
    case 0x10:
        in->has_sequence = true;
        in->sequence = n;
        break;
    case 0x11:
        in->has_time_lock = true;
        in->time_lock = n;
        if (n < LOCKTIME_THRESHOLD)
            dec_fail(d, "Required time based locktime is invalid (less than 500000000): iostream error");
        break;
    default:
        in->has_height_lock = true;
        in->height_lock = n;
        if (n >= LOCKTIME_THRESHOLD)
            dec_fail(d, "Required height based locktime is invalid (greater than or equal to 500000000): iostream error");
        else if (n == 0)
            dec_fail(d, "Required height based locktime is invalid (0): iostream error");
    }
}

static void read_txid(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct stated s = dec_stated(d);
    const uint8_t *id = d->error ? NULL : dec_bytes(d, 32);

    (void)e;
    (void)f;
    dec_stated_end(d, s);
    if (id)
        memcpy(d->in->prevout.txid.b, id, 32);
    d->found |= FOUND_TXID;
}

static void read_amount(struct decoding *d, const struct entry *e, const struct field *f)
{
    struct stated s = dec_stated(d);
    const uint8_t *value = d->error ? NULL : dec_bytes(d, 8);

    (void)e;
    (void)f;
    dec_stated_end(d, s);
    if (value)
        d->out->amount = (int64_t)get_le64(value);
    d->found |= FOUND_AMOUNT;
}

static void read_script(struct decoding *d, const struct entry *e, const struct field *f)
{
    size_t len;
    const uint8_t *script = dec_var_bytes(d, &len);

    (void)e;
    (void)f;
    if (script) {
        d->out->script = arena_copy(&d->p->arena, script, len);
        d->out->script_len = (uint32_t)len;
    }
    d->found |= FOUND_SCRIPT;
}

static const struct field global_fields[] = {
    {0x00, 0, 1, "Global Unsigned TX", read_unsigned_tx, NULL},
    {0x01, PSBT_XPUB, 79, "Global XPUB", dec_value_xpub, NULL},
    {0x02, 0, 1, "Global Transaction Version", read_global_number, NULL},
    {0x03, 0, 1, "Global Fallback Locktime", read_global_number, NULL},
    {0x04, 0, 1, "Global Input Count", read_count, NULL},
    {0x05, 0, 1, "Global Output Count", read_count, NULL},
    {0x06, 0, 1, "Global TX Modifiable Flags", read_modifiable, NULL},
    {0xfb, 0, 1, "Global PSBT Version", read_global_number, NULL},
    {0xfc, PSBT_PROPRIETARY, 0, NULL, dec_value_proprietary, NULL},
};
static const struct field in_fields[] = {
    {0x00, 0, 1, "Input Non-witness UTXO", read_prev, NULL},
    {0x01, 0, 1, "Input Witness UTXO", read_utxo, NULL},
    {0x02, PSBT_PARTIAL_SIG, 0, NULL, dec_value_partial_sig, NULL},
    {0x03, 0, 1, "Input Sighash Type", read_in_number, NULL},
    {0x04, PSBT_REDEEM, 1, "Input redeemScript", dec_value_script, NULL},
    {0x05, PSBT_WITNESS, 1, "Input witnessScript", dec_value_script, NULL},
    {0x06, PSBT_ORIGIN, 0, NULL, dec_value_origin, NULL},
    {0x07, PSBT_FINAL_SCRIPT, 1, "Input Final scriptSig", dec_value_script, NULL},
    {0x08, PSBT_FINAL_WITNESS, 1, "Input Final scriptWitness", dec_value_stack, NULL},
    {0x0a, PSBT_RIPEMD160, 21, "Input RIPEMD160 Preimage", dec_value_bytes, NULL},
    {0x0b, PSBT_SHA256, 33, "Input SHA256 Preimage", dec_value_bytes, NULL},
    {0x0c, PSBT_HASH160, 21, "Input Hash160 Preimage", dec_value_bytes, NULL},
    {0x0d, PSBT_HASH256, 33, "Input Hash256 Preimage", dec_value_bytes, NULL},
    {0x0e, 0, 1, "Input Previous TXID", read_txid, "Previous txid"},
    {0x0f, 0, 1, "Input Previous Output's Index", read_in_number, "Previous output's index"},
    {0x10, 0, 1, "Input Sequence", read_in_number, "Sequence"},
    {0x11, 0, 1, "Input Required Time Based Locktime", read_in_number, "Required time based locktime"},
    {0x12, 0, 1, "Input Required Height Based Locktime", read_in_number, "Required height based locktime"},
    {0x13, PSBT_TAP_SIG, 1, "Input Taproot Key Path Signature", dec_value_tap_sig, NULL},
    {0x14, PSBT_TAP_LEAF_SIG, 65, "Input Taproot Script Path Signature", dec_value_tap_sig, NULL},
    {0x15, PSBT_TAP_LEAF, 0, NULL, dec_value_tap_leaf, NULL},
    {0x16, PSBT_TAP_ORIGIN, 33, "Input Taproot BIP32 Keypath", dec_value_tap_origin, NULL},
    {0x17, PSBT_TAP_INTERNAL, 1, "Input Taproot Internal Key", dec_value_hash, NULL},
    {0x18, PSBT_TAP_ROOT, 1, "Input Taproot Merkle Root", dec_value_hash, NULL},
    {0x1a, PSBT_PARTICIPANTS, 34, "Input MuSig2 Participants Pubkeys", dec_value_participants, NULL},
    {0x1b, PSBT_PUB_NONCE, 0, NULL, dec_value_nonce, NULL},
    {0x1c, PSBT_MUSIG_SIG, 0, NULL, dec_value_nonce, NULL},
    {0xfc, PSBT_PROPRIETARY, 0, NULL, dec_value_proprietary, NULL},
};
static const struct field out_fields[] = {
    {0x00, PSBT_REDEEM, 1, "Output redeemScript", dec_value_script, NULL},
    {0x01, PSBT_WITNESS, 1, "Output witnessScript", dec_value_script, NULL},
    {0x02, PSBT_ORIGIN, 0, NULL, dec_value_origin, NULL},
    {0x03, 0, 1, "Output Amount", read_amount, "Output amount"},
    {0x04, 0, 1, "Output Script", read_script, "Output script"},
    {0x05, PSBT_TAP_INTERNAL, 1, "Output Taproot Internal Key", dec_value_hash, NULL},
    {0x06, PSBT_TAP_TREE, 1, "Output Taproot Tree Key", dec_value_tap_tree, NULL},
    {0x07, PSBT_TAP_ORIGIN, 33, "Output Taproot BIP32 Keypath", dec_value_tap_origin, NULL},
    {0x08, PSBT_PARTICIPANTS, 34, "Output MuSig2 Participants Pubkeys", dec_value_participants, NULL},
    {0xfc, PSBT_PROPRIETARY, 0, NULL, dec_value_proprietary, NULL},
};

/* ---- the whole ---- */

static const char *version_conflict(const struct decoding *d)
{
    unsigned found = d->found;

    if (d->p->version == 1)
        return "There is no PSBT version 1";
    if (d->p->version == 0)
        return !d->tx                       ? "No unsigned transaction was provided"
               : (found & FOUND_TX_VERSION) ? "PSBT_GLOBAL_TX_VERSION is not allowed in PSBTv0"
               : (found & FOUND_LOCK_TIME)  ? "PSBT_GLOBAL_FALLBACK_LOCKTIME is not allowed in PSBTv0"
               : (found & FOUND_N_IN)       ? "PSBT_GLOBAL_INPUT_COUNT is not allowed in PSBTv0"
               : (found & FOUND_N_OUT)      ? "PSBT_GLOBAL_OUTPUT_COUNT is not allowed in PSBTv0"
               : d->p->has_modifiable       ? "PSBT_GLOBAL_TX_MODIFIABLE is not allowed in PSBTv0"
                                            : NULL;
    return !(found & FOUND_TX_VERSION) ? "PSBT_GLOBAL_TX_VERSION is required in PSBTv2"
           : !(found & FOUND_N_IN)     ? "PSBT_GLOBAL_INPUT_COUNT is required in PSBTv2"
           : !(found & FOUND_N_OUT)    ? "PSBT_GLOBAL_OUTPUT_COUNT is required in PSBTv2"
           : d->tx                     ? "PSBT_GLOBAL_UNSIGNED_TX is not allowed in PSBTv2"
                                       : NULL;
}

static void read_global(struct decoding *d)
{
    const uint8_t *magic = dec_bytes(d, 5);
    const char *conflict;

    if (magic && memcmp(magic, "psbt\xff", 5) != 0)
        dec_fail(d, "Invalid PSBT magic bytes: iostream error");
    d->place = "global";
    d->map = &d->p->map;
    if (!d->error)
        dec_map(d, global_fields, ARRAY_LEN(global_fields));
    conflict = d->error ? NULL : version_conflict(d);
    if (conflict)
        dec_fail(d, "%s: iostream error", conflict);
    d->v2 = d->p->version >= 2;
    if (d->error || d->v2)
        return;
    d->p->tx_version = d->tx->version;
    d->p->lock_time = d->tx->lock_time;
    d->p->has_lock_time = true;
    d->n_in = d->tx->n_in;
    d->n_out = d->tx->n_out;
}

static void read_input(struct decoding *d, size_t i)
{
    struct psbt_in *in = psbt_add_in(d->p);

    if (!d->v2) {
        in->prevout = *d->tx->in[i].prevout;
        in->has_sequence = true;
        in->sequence = d->tx->in[i].sequence;
    }
    d->in = in;
    d->map = &in->map;
    dec_map(d, in_fields, ARRAY_LEN(in_fields));
    if (!d->error && d->v2 && !(d->found & FOUND_TXID))
        dec_fail(d, "Previous TXID is required in PSBTv2: iostream error");
    if (!d->error && d->v2 && !(d->found & FOUND_INDEX))
        dec_fail(d, "Previous output's index is required in PSBTv2: iostream error");
    if (d->error || !in->prev)
        return;
    if (!txid_equal(&in->prev->txid, &in->prevout.txid))
        dec_fail(d, "Non-witness UTXO does not match outpoint hash: iostream error");
    else if (in->prevout.n >= in->prev->n_out)
        dec_fail(d, "Input specifies output index that does not exist: iostream error");
}

static void read_output(struct decoding *d, size_t i)
{
    struct psbt_out *out = psbt_add_out(d->p);

    if (!d->v2) {
        const struct tx_out *o = &d->tx->out[i];
        out->amount = o->value;
        out->script = arena_copy(&d->p->arena, o->script, o->script_len);
        out->script_len = o->script_len;
    }
    d->out = out;
    d->map = &out->map;
    dec_map(d, out_fields, ARRAY_LEN(out_fields));
    if (!d->error && d->v2 && !(d->found & FOUND_AMOUNT))
        dec_fail(d, "Output amount is required in PSBTv2: iostream error");
    if (!d->error && d->v2 && !(d->found & FOUND_SCRIPT))
        dec_fail(d, "Output script is required in PSBTv2: iostream error");
}

static void read_all(struct decoding *d)
{
    read_global(d);
    d->place = "input";
    d->name = "Input";
    for (size_t i = 0; !d->error && i < d->n_in && reader_left(&d->r); i++)
        read_input(d, i);
    if (!d->error && d->p->n_in != d->n_in)
        dec_fail(d, "Inputs provided does not match the number of inputs in transaction.: iostream error");
    d->place = "output";
    d->name = "Output";
    for (size_t i = 0; !d->error && i < d->n_out && reader_left(&d->r); i++)
        read_output(d, i);
    if (!d->error && d->p->n_out != d->n_out)
        dec_fail(d, "Outputs provided does not match the number of outputs in transaction.: iostream error");
    if (!d->error && reader_left(&d->r))
        dec_fail(d, "extra data after PSBT");
}

struct psbt *psbt_decode(const void *data, size_t len, char **error)
{
    struct decoding d = {.r = reader_make(data, len), .p = xcalloc(1, sizeof(*d.p))};

    read_all(&d);
    tx_unref(d.tx);
    *error = d.error;
    if (!d.error)
        return d.p;
    psbt_free(d.p);
    return NULL;
}
