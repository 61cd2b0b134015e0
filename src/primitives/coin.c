/* coin.c - coins as the coin database and the undo files hold them. Called for every coin read or written; pure, any thread. */
#include "primitives/coin.h"

#include "primitives/serialize.h"

static inline uint32_t coin_code(const struct coin *c)
{
    return c->height << 1 | (c->coinbase ? 1 : 0);
}

static inline void write_output(struct writer *w, const struct coin *c)
{
    write_varint(w, amount_compress((uint64_t)c->out.value));
    write_compressed_script(w, c->out.script, c->out.script_len);
}

static inline void read_code(struct coin *c, struct reader *r)
{
    uint32_t code = read_varint32(r);
    c->height = code >> 1;
    c->coinbase = code & 1;
}

static inline bool read_output(struct coin *c, struct reader *r, struct arena *arena)
{
    c->out.value = (int64_t)amount_decompress(read_varint(r));
    c->out.script = read_compressed_script(r, arena, &c->out.script_len);
    return !r->failed;
}

void coin_write(struct writer *w, const struct coin *c)
{
    write_varint(w, coin_code(c));
    write_output(w, c);
}

bool coin_read(struct coin *c, struct reader *r, struct arena *arena)
{
    read_code(c, r);
    return read_output(c, r, arena);
}

void undo_coin_write(struct writer *w, const struct coin *c)
{
    write_varint(w, coin_code(c));
    if (c->height > 0)
        write_u8(w, 0);
    write_output(w, c);
}

bool undo_coin_read(struct coin *c, struct reader *r, struct arena *arena)
{
    read_code(c, r);
    if (c->height > 0)
        read_varint32(r);
    return read_output(c, r, arena);
}
