/* address_rows.c - encodes and decodes the rows of the address index. Called by its other files on any thread. */
#include "address_rows.h"

#include "crypto/hash.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"

#define COUNT_ESCAPE 15 /* a count of 15 or more follows as a VARINT */

struct script_hash script_hash_of(const uint8_t *script, size_t len)
{
    struct script_hash h;

    sha256(h.bytes, script, len);
    return h;
}

struct short_key short_script(const struct address_secret *s, const struct script_hash *h)
{
    return (struct short_key){siphash_hash(s->k[0], s->k[1], h->bytes), (uint32_t)siphash_hash(s->k[2], s->k[3], h->bytes)};
}

struct short_key short_outpoint(const struct address_secret *s, const struct outpoint *o)
{
    return (struct short_key){siphash_hash_u32(s->k[4], s->k[5], o->txid.b, o->n),
                              (uint32_t)siphash_hash_u32(s->k[6], s->k[7], o->txid.b, o->n)};
}

/* ---- keys ---- */

static void put_short(uint8_t *out, const struct short_key *k)
{
    put_be64(out, k->a);
    put_be32(out + 8, k->b);
}

static void put_height(uint8_t *out, int32_t height)
{
    out[0] = (uint8_t)(height >> 16);
    out[1] = (uint8_t)(height >> 8);
    out[2] = (uint8_t)height;
}

size_t key_script(uint8_t *out, char row, const struct short_key *script)
{
    out[0] = (uint8_t)row;
    put_short(out + 1, script);
    return SCRIPT_PREFIX;
}

size_t key_history(uint8_t *out, const struct short_key *script, uint64_t first)
{
    key_script(out, ROW_HISTORY, script);
    put_height(out + SCRIPT_PREFIX, place_height(first));
    out[SCRIPT_PREFIX + 3] = (uint8_t)(place_pos(first) >> 8);
    out[SCRIPT_PREFIX + 4] = (uint8_t)place_pos(first);
    return HISTORY_KEY;
}

size_t key_coin(uint8_t *out, const struct short_key *script, int32_t height, const struct short_key *outpoint)
{
    key_script(out, ROW_COIN, script);
    put_height(out + SCRIPT_PREFIX, height);
    put_short(out + SCRIPT_PREFIX + 3, outpoint);
    return COIN_KEY;
}

size_t key_totals(uint8_t *out, const struct short_key *script, int32_t height)
{
    key_script(out, ROW_TOTALS, script);
    put_height(out + SCRIPT_PREFIX, MAX_PLACE_HEIGHT - height);
    return TOTALS_KEY;
}

size_t key_block(uint8_t *out, char row, int32_t height)
{
    out[0] = (uint8_t)row;
    put_height(out + 1, height);
    return BLOCK_KEY;
}

size_t key_txids(uint8_t *out, int32_t height, uint32_t group)
{
    key_block(out, ROW_TXIDS, height);
    out[4] = (uint8_t)(group >> 8);
    out[5] = (uint8_t)group;
    return TXIDS_KEY;
}

bool history_key_place(uint64_t *first, struct reader key)
{
    const uint8_t *p;

    read_bytes(&key, SCRIPT_PREFIX);
    p = read_bytes(&key, 5);
    if (!p || !reader_done(&key))
        return false;
    *first = (uint64_t)p[0] << 32 | get_be32(p + 1);
    return true;
}

/* ---- history ---- */

static void write_money(struct writer *w, int64_t satoshi)
{
    write_varint(w, amount_compress((uint64_t)satoshi));
}

/* What one transaction moves cannot be more than there is. */
static int64_t read_money(struct reader *r)
{
    uint64_t v = read_varint(r);

    if (v > UINT64_MAX / 16)
        reader_fail(r);
    v = r->failed ? 0 : amount_decompress(v);
    if (v > (uint64_t)MAX_MONEY) {
        reader_fail(r);
        return 0;
    }
    return (int64_t)v;
}

void write_history_item(struct writer *w, const struct history_item *item, uint64_t prev, bool first)
{
    uint32_t out = item->n_out < COUNT_ESCAPE ? item->n_out : COUNT_ESCAPE;
    uint32_t in = item->n_in < COUNT_ESCAPE ? item->n_in : COUNT_ESCAPE;

    if (!first) {
        int32_t step = place_height(item->place) - place_height(prev);

        write_varint(w, (uint64_t)step);
        write_varint(w, step ? place_pos(item->place) : place_pos(item->place) - place_pos(prev) - 1);
    }
    write_u8(w, (uint8_t)(out << 4 | in));
    if (out == COUNT_ESCAPE)
        write_varint(w, item->n_out - COUNT_ESCAPE);
    if (in == COUNT_ESCAPE)
        write_varint(w, item->n_in - COUNT_ESCAPE);
    if (out)
        write_money(w, item->received);
    if (in)
        write_money(w, item->spent);
}

static uint32_t read_count(struct reader *r, unsigned low)
{
    uint32_t more = low == COUNT_ESCAPE ? read_varint32(r) : 0;

    if (more > UINT32_MAX - COUNT_ESCAPE)
        reader_fail(r);
    return r->failed ? 0 : low + more;
}

static uint64_t read_step(struct reader *r, uint64_t prev)
{
    uint64_t step = read_varint(r), pos = read_varint(r);
    uint64_t height = (uint64_t)place_height(prev) + step;

    if (step > MAX_PLACE_HEIGHT || height > MAX_PLACE_HEIGHT || pos > 0xffff) {
        reader_fail(r);
        return 0;
    }
    if (step == 0)
        pos += place_pos(prev) + 1;
    if (pos > 0xffff)
        reader_fail(r);
    return height << 16 | pos;
}

bool read_history_item(struct history_item *item, struct reader *r, uint64_t prev, bool first)
{
    uint8_t counts;

    if (reader_left(r) == 0) {
        r->failed |= first; /* no row is empty */
        return false;
    }
    item->place = first ? prev : read_step(r, prev);
    counts = read_u8(r);
    item->n_out = read_count(r, counts >> 4);
    item->n_in = read_count(r, counts & 15);
    item->received = item->n_out ? read_money(r) : 0;
    item->spent = item->n_in ? read_money(r) : 0;
    return !r->failed;
}

/* ---- coins ---- */

void write_coin_row(struct writer *w, const struct coin_row *c)
{
    write_varint(w, c->pos);
    write_varint(w, c->n);
    write_money(w, c->value);
}

bool read_coin_row(struct coin_row *c, struct reader r)
{
    c->pos = read_varint32(&r);
    c->n = read_varint32(&r);
    c->value = read_money(&r);
    return reader_done(&r) && c->pos <= 0xffff;
}

/* ---- totals ---- */

/* As numbers that wrap around: a chain made for it may move more than all coins many times over. */
static int64_t sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

void totals_add(struct script_totals *t, const struct history_item *item)
{
    if (t->n_txs == 0)
        t->first_height = place_height(item->place);
    t->last = item->place;
    t->n_txs++;
    t->received = sum(t->received, item->received);
    t->balance = sum(t->balance, sum(item->received, -item->spent));
    t->n_coins += (uint64_t)item->n_out - item->n_in;
}

void write_totals(struct writer *w, const struct script_totals *t)
{
    write_varint(w, t->last);
    write_varint(w, (uint64_t)t->first_height);
    write_varint(w, t->n_txs);
    write_varint(w, t->n_coins);
    write_varint(w, (uint64_t)t->received);
    write_varint(w, (uint64_t)t->balance);
}

bool read_totals(struct script_totals *t, struct reader r)
{
    t->last = read_varint(&r);
    t->first_height = (int32_t)(read_varint32(&r) & MAX_PLACE_HEIGHT);
    t->n_txs = read_varint(&r);
    t->n_coins = read_varint(&r);
    t->received = (int64_t)read_varint(&r);
    t->balance = (int64_t)read_varint(&r);
    return reader_done(&r) && t->last >> 40 == 0;
}

/* ---- blocks ---- */

void write_coinbase_pay(struct writer *w, const struct coinbase_pay *p)
{
    put_short(writer_extend(w, SHORT_KEY), &p->script);
    write_money(w, p->value);
}

bool read_coinbase_pay(struct coinbase_pay *p, struct reader *r)
{
    const uint8_t *key;

    if (reader_left(r) == 0)
        return false;
    key = read_bytes(r, SHORT_KEY);
    if (key)
        p->script = (struct short_key){get_be64(key), get_be32(key + 8)};
    p->value = read_money(r);
    return !r->failed;
}
