/* asmap.c - checks and runs AS maps. Pure; called by netgroup.c.
 *
 * A map is a stream of bits (lowest bit of a byte first) with four instructions: RETURN asn; JUMP n: skip n bits if the next address bit is
 * one; MATCH bits: go on if the next address bits are these, else return the default; DEFAULT asn: set the default. */
#include "net/asmap.h"

#include "util/assert.h"

#define ADDRESS_BITS 128
#define NO_NUMBER UINT32_MAX

enum op { OP_RETURN, OP_JUMP, OP_MATCH, OP_DEFAULT, OP_END };

struct program {
    const uint8_t *map;
    size_t pos, end; /* bits */
};

static struct program program_make(const uint8_t *map, size_t len)
{
    return (struct program){map, 0, len * 8};
}

/* The next bit of the program, -1 at its end. */
static int next_bit(struct program *p)
{
    if (p->pos == p->end)
        return -1;
    p->pos++;
    return p->map[(p->pos - 1) / 8] >> ((p->pos - 1) % 8) & 1;
}

/* A number of one of the sizes from..to in bits: each 1 in front means that it lies beyond all numbers of the present size. */
static uint32_t read_number(struct program *p, uint32_t least, unsigned from, unsigned to)
{
    uint32_t v = least, mantissa = 0;
    unsigned size = from;
    int bit;

    for (; size < to; size++) {
        bit = next_bit(p);
        if (bit < 0)
            return NO_NUMBER;
        if (!bit)
            break;
        v += 1u << size;
    }
    for (unsigned i = 0; i < size; i++) {
        bit = next_bit(p);
        if (bit < 0)
            return NO_NUMBER;
        mantissa = mantissa << 1 | (uint32_t)bit;
    }
    return v + mantissa;
}

static enum op read_op(struct program *p)
{
    int bit = next_bit(p);

    if (bit == 0)
        return OP_RETURN;
    if (bit < 0 || (bit = next_bit(p)) < 0)
        return OP_END;
    if (bit == 0)
        return OP_JUMP;
    bit = next_bit(p);
    return bit < 0 ? OP_END : bit ? OP_DEFAULT : OP_MATCH;
}

static uint32_t read_asn(struct program *p)
{
    return read_number(p, 1, 15, 24);
}

static uint32_t read_jump(struct program *p)
{
    return read_number(p, 17, 5, 30);
}

/* The pattern's bits stand below a leading one. */
static uint32_t read_match(struct program *p)
{
    return read_number(p, 2, 1, 8);
}

static unsigned match_length(uint32_t match)
{
    return 31 - (unsigned)__builtin_clz(match);
}

bool asmap_lookup(uint32_t *asn, const uint8_t *map, size_t len, const uint8_t ip[16])
{
    struct program p = program_make(map, len);
    uint32_t fallback = 0, n;
    unsigned used = 0, left;

#define IP_BIT(i) (ip[(i) / 8] >> (7 - (i) % 8) & 1u)
    for (;;) {
        switch (read_op(&p)) {
        case OP_RETURN:
            *asn = read_asn(&p);
            return *asn != NO_NUMBER;
        case OP_JUMP:
            n = read_jump(&p);
            if (n == NO_NUMBER || used == ADDRESS_BITS || n >= p.end - p.pos)
                return false;
            if (IP_BIT(used))
                p.pos += n;
            used++;
            break;
        case OP_MATCH:
            n = read_match(&p);
            if (n == NO_NUMBER || ADDRESS_BITS - used < match_length(n))
                return false;
            for (left = match_length(n); left > 0; left--, used++) {
                if (IP_BIT(used) != (n >> (left - 1) & 1)) {
                    *asn = fallback;
                    return true;
                }
            }
            break;
        case OP_DEFAULT:
            fallback = read_asn(&p);
            if (fallback == NO_NUMBER)
                return false;
            break;
        case OP_END:
            return false;
        }
    }
#undef IP_BIT
}

/* A place that some jump leads to, and the address bits left there. Each jump has used one, so that no more than 128 are open. */
struct landing {
    size_t pos;
    unsigned bits;
};

struct checker {
    struct program p;
    struct landing open[ADDRESS_BITS];
    size_t n_open;
    unsigned bits; /* of the address, left */
    enum op last;
    bool short_match; /* in this row of matches there was one of less than eight bits */
};

static bool check_jump(struct checker *c)
{
    uint32_t n = read_jump(&c->p);
    size_t to;

    if (n == NO_NUMBER || n > c->p.end - c->p.pos || c->bits == 0)
        return false;
    c->bits--;
    to = c->p.pos + n;
    if (c->n_open && to >= c->open[c->n_open - 1].pos)
        return false;
    ASSERT(c->n_open < ADDRESS_BITS);
    c->open[c->n_open++] = (struct landing){to, c->bits};
    c->last = OP_JUMP;
    return true;
}

static bool check_match(struct checker *c)
{
    uint32_t n = read_match(&c->p);
    unsigned length;

    if (n == NO_NUMBER)
        return false;
    length = match_length(n);
    if (c->last != OP_MATCH)
        c->short_match = false;
    if ((length < 8 && c->short_match) || c->bits < length)
        return false;
    c->short_match = length < 8;
    c->bits -= length;
    c->last = OP_MATCH;
    return true;
}

/* The last path has ended: only zeroes may fill the last byte. */
static bool check_padding(struct program *p)
{
    if (p->end - p->pos > 7)
        return false;
    while (p->pos != p->end)
        if (next_bit(p))
            return false;
    return true;
}

/* After a result the next open landing must follow at once. */
static bool check_return(struct checker *c)
{
    if (c->last == OP_DEFAULT || read_asn(&c->p) == NO_NUMBER || c->open[c->n_open - 1].pos != c->p.pos)
        return false;
    c->bits = c->open[--c->n_open].bits;
    c->last = OP_JUMP;
    return true;
}

bool asmap_check(const uint8_t *map, size_t len)
{
    struct checker c = {.p = program_make(map, len), .bits = ADDRESS_BITS, .last = OP_JUMP};
    bool ok = true;

    while (ok && c.p.pos != c.p.end) {
        if (c.n_open && c.p.pos >= c.open[c.n_open - 1].pos)
            return false;
        switch (read_op(&c.p)) {
        case OP_RETURN:
            if (!c.n_open)
                return c.last != OP_DEFAULT && read_asn(&c.p) != NO_NUMBER && check_padding(&c.p);
            ok = check_return(&c);
            break;
        case OP_JUMP:
            ok = check_jump(&c);
            break;
        case OP_MATCH:
            ok = check_match(&c);
            break;
        case OP_DEFAULT:
            ok = c.last != OP_DEFAULT && read_asn(&c.p) != NO_NUMBER;
            c.last = OP_DEFAULT;
            break;
        case OP_END:
            return false;
        }
    }
    return false;
}
