/* encode.c - PSBTs to bytes, entries in Core's order; and the type numbers of all kinds. Called by RPC; pure. */
#include "primitives/serialize.h"
#include "psbt/maps.h"
#include "util/mem.h"

#define NO 0xffff

/* Type numbers by kind: in the global map, in inputs, in outputs. */
static const uint16_t types[][3] = {
    [PSBT_XPUB] = {0x01, NO, NO},         [PSBT_PARTIAL_SIG] = {NO, 0x02, NO},    [PSBT_REDEEM] = {NO, 0x04, 0x00},
    [PSBT_WITNESS] = {NO, 0x05, 0x01},    [PSBT_ORIGIN] = {NO, 0x06, 0x02},       [PSBT_RIPEMD160] = {NO, 0x0a, NO},
    [PSBT_SHA256] = {NO, 0x0b, NO},       [PSBT_HASH160] = {NO, 0x0c, NO},        [PSBT_HASH256] = {NO, 0x0d, NO},
    [PSBT_TAP_SIG] = {NO, 0x13, NO},      [PSBT_TAP_LEAF_SIG] = {NO, 0x14, NO},   [PSBT_TAP_LEAF] = {NO, 0x15, NO},
    [PSBT_TAP_ORIGIN] = {NO, 0x16, 0x07}, [PSBT_TAP_INTERNAL] = {NO, 0x17, 0x05}, [PSBT_TAP_ROOT] = {NO, 0x18, NO},
    [PSBT_TAP_TREE] = {NO, NO, 0x06},     [PSBT_PARTICIPANTS] = {NO, 0x1a, 0x08}, [PSBT_PUB_NONCE] = {NO, 0x1b, NO},
    [PSBT_MUSIG_SIG] = {NO, 0x1c, NO},    [PSBT_FINAL_SCRIPT] = {NO, 0x07, NO},   [PSBT_FINAL_WITNESS] = {NO, 0x08, NO},
    [PSBT_PROPRIETARY] = {NO, NO, NO}, /* these have theirs in the key */
    [PSBT_UNKNOWN] = {NO, NO, NO},
};
enum place { GLOBAL, INPUT, OUTPUT };

static void write_head(struct writer *w, uint8_t type, size_t len)
{
    write_u8(w, 1);
    write_u8(w, type);
    write_compact_size(w, len);
}

static void write_number(struct writer *w, uint8_t type, uint32_t value)
{
    write_head(w, type, 4);
    write_u32(w, value);
}

static void write_count(struct writer *w, uint8_t type, size_t n)
{
    write_head(w, type, compact_size_len(n));
    write_compact_size(w, n);
}

static void write_record(struct writer *w, const struct psbt_record *r, enum place place)
{
    uint16_t type = types[r->kind][place];

    write_compact_size(w, r->key_len + (type != NO));
    if (type != NO)
        write_u8(w, (uint8_t)type);
    write_bytes(w, r->key, r->key_len);
    write_var_bytes(w, r->value, r->value_len);
}

static void write_kinds(struct writer *w, const struct psbt_map *m, enum psbt_kind from, enum psbt_kind to, enum place place)
{
    for (int kind = (int)from; kind <= (int)to; kind++) {
        size_t n;
        const struct psbt_record *r = psbt_entries(m, (enum psbt_kind)kind, &n);
        for (size_t i = 0; i < n; i++)
            write_record(w, &r[i], place);
    }
}

static void encode_input(struct writer *w, const struct psbt *p, const struct psbt_in *in)
{
    if (in->prev) {
        write_head(w, 0x00, in->prev->stripped_len);
        tx_write(w, in->prev, false);
    }
    if (in->has_utxo) {
        write_head(w, 0x01, 8 + compact_size_len(in->utxo.script_len) + in->utxo.script_len);
        write_u64(w, (uint64_t)in->utxo.value);
        write_var_bytes(w, in->utxo.script, in->utxo.script_len);
    }
    if (!psbt_is_final(in)) {
        write_kinds(w, &in->map, PSBT_PARTIAL_SIG, PSBT_PARTIAL_SIG, INPUT);
        if (in->has_hash_type)
            write_number(w, 0x03, (uint32_t)in->hash_type);
        write_kinds(w, &in->map, PSBT_REDEEM, PSBT_MUSIG_SIG, INPUT);
    }
    write_kinds(w, &in->map, PSBT_FINAL_SCRIPT, PSBT_FINAL_WITNESS, INPUT);
    if (p->version >= 2) {
        write_head(w, 0x0e, 32);
        write_bytes(w, in->prevout.txid.b, 32);
        write_number(w, 0x0f, in->prevout.n);
        if (in->has_sequence)
            write_number(w, 0x10, in->sequence);
        if (in->has_time_lock)
            write_number(w, 0x11, in->time_lock);
        if (in->has_height_lock)
            write_number(w, 0x12, in->height_lock);
    }
    write_kinds(w, &in->map, PSBT_PROPRIETARY, PSBT_UNKNOWN, INPUT);
    write_u8(w, 0);
}

static void encode_output(struct writer *w, const struct psbt *p, const struct psbt_out *out)
{
    write_kinds(w, &out->map, PSBT_REDEEM, PSBT_ORIGIN, OUTPUT);
    if (p->version >= 2) {
        write_head(w, 0x03, 8);
        write_u64(w, (uint64_t)out->amount);
        write_head(w, 0x04, out->script_len);
        write_bytes(w, out->script, out->script_len);
    }
    write_kinds(w, &out->map, PSBT_PROPRIETARY, PSBT_PROPRIETARY, OUTPUT);
    write_kinds(w, &out->map, PSBT_TAP_INTERNAL, PSBT_TAP_INTERNAL, OUTPUT);
    write_kinds(w, &out->map, PSBT_TAP_TREE, PSBT_TAP_TREE, OUTPUT);
    write_kinds(w, &out->map, PSBT_TAP_ORIGIN, PSBT_TAP_ORIGIN, OUTPUT);
    write_kinds(w, &out->map, PSBT_PARTICIPANTS, PSBT_PARTICIPANTS, OUTPUT);
    write_kinds(w, &out->map, PSBT_UNKNOWN, PSBT_UNKNOWN, OUTPUT);
    write_u8(w, 0);
}

static void encode_global(struct writer *w, const struct psbt *p)
{
    write_bytes(w, "psbt\xff", 5);
    if (p->version < 2) {
        struct tx *tx = psbt_unsigned_tx(p); /* in version 0 there is no conflict of lock times */
        write_head(w, 0x00, tx->stripped_len);
        tx_write(w, tx, false);
        tx_unref(tx);
    }
    write_kinds(w, &p->map, PSBT_XPUB, PSBT_XPUB, GLOBAL);
    if (p->version >= 2) {
        write_number(w, 0x02, p->tx_version);
        if (p->has_lock_time)
            write_number(w, 0x03, p->lock_time);
        write_count(w, 0x04, p->n_in);
        write_count(w, 0x05, p->n_out);
        if (p->has_modifiable) {
            write_head(w, 0x06, 1);
            write_u8(w, p->modifiable);
        }
        write_number(w, 0xfb, p->version);
    }
    write_kinds(w, &p->map, PSBT_PROPRIETARY, PSBT_UNKNOWN, GLOBAL);
    write_u8(w, 0);
}

void psbt_encode(struct writer *w, const struct psbt *p)
{
    encode_global(w, p);
    for (size_t i = 0; i < p->n_in; i++)
        encode_input(w, p, &p->in[i]);
    for (size_t i = 0; i < p->n_out; i++)
        encode_output(w, p, &p->out[i]);
}
