/* snapshot_read.c - takes a snapshot file to pieces: its head, and its coins one by one. Everything in it is hostile. Called by snapshot_load.c
 * on the thread of loadtxoutset. */
#include "chain/snapshot_read.h"

#include <stdlib.h>

#include "chain/snapshot_format.h"
#include "primitives/serialize.h"
#include "util/log.h"
#include "util/mem.h"

#define PIECE ((size_t)1 << 20)
#define AHEAD ((size_t)1 << 15)    /* more than any coin takes but those with scripts that nobody can spend */
#define LONGEST ((size_t)64 << 20) /* the same for those */
#define LOOK_EVERY 120000u         /* coins between two looks at the interrupt */

/* ---- the head ---- */

static const char *network_of(const uint8_t magic[4], char name[16])
{
    static const enum chain_id ids[] = {CHAIN_MAIN, CHAIN_TESTNET3, CHAIN_TESTNET4, CHAIN_SIGNET, CHAIN_REGTEST};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct chain_params p;
        bool match;

        chain_params_init(&p, ids[i]);
        match = memcmp(p.magic, magic, sizeof(p.magic)) == 0;
        snprintf(name, 16, "%s", p.name);
        chain_params_clear(&p);
        if (match)
            return name;
    }
    return NULL;
}

bool snapshot_read_head(struct snapshot_head *head, FILE *f, const struct chain_params *p, char **error)
{
    uint8_t bytes[SNAPSHOT_HEAD_LEN];
    size_t len = fread(bytes, 1, sizeof(bytes), f);
    struct reader r = reader_make(bytes, len);
    const uint8_t *magic = read_bytes(&r, SNAPSHOT_MAGIC_LEN);
    char name[16];
    uint16_t version;

    *error = NULL;
    if (magic && memcmp(magic, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LEN) != 0)
        *error = xstrdup(
            "Invalid UTXO set snapshot magic bytes. Please check if this is indeed a snapshot file or if you are using an outdated "
            "snapshot format.");
    version = read_u16(&r);
    if (!*error && !r.failed && version != SNAPSHOT_VERSION)
        *error = xasprintf("Version of snapshot %u does not match any of the supported versions.", version);
    magic = read_bytes(&r, sizeof(p->magic));
    if (!*error && magic && memcmp(magic, p->magic, sizeof(p->magic)) != 0) {
        if (network_of(magic, name))
            *error = xasprintf("The network of the snapshot (%s) does not match the network of this node (%s).", name, p->name);
        else
            *error = xstrdup(
                "This snapshot has been created for an unrecognized network. This could be a custom signet, a new testnet or "
                "possibly caused by data corruption.");
    }
    read_copy(&r, head->base.b, sizeof(head->base.b));
    head->coins = read_u64(&r);
    if (!*error && r.failed)
        *error = xstrdup("AutoFile::read: end of file");
    return !*error;
}

/* ---- the coins ---- */

struct source {
    FILE *f;
    uint8_t *buf;
    size_t cap, len, pos;
    bool ended;
};

/* Reads on until `want` bytes are there, as far as the file goes. */
static void fill(struct source *s, size_t want)
{
    if (s->len - s->pos >= want || s->ended)
        return;
    if (s->cap < want + PIECE) {
        s->cap = want + PIECE;
        s->buf = xrealloc(s->buf, s->cap);
    }
    memmove(s->buf, s->buf + s->pos, s->len - s->pos);
    s->len -= s->pos;
    s->pos = 0;
    while (s->len < want && !s->ended) {
        size_t n = fread(s->buf + s->len, 1, s->cap - s->len, s->f);

        s->len += n;
        s->ended = n == 0;
    }
}

static struct reader ahead(struct source *s, size_t want)
{
    fill(s, want);
    return reader_make(s->buf + s->pos, s->len - s->pos);
}

static void used(struct source *s, const struct reader *r)
{
    s->pos = s->len - reader_left(r);
}

/* A coin with its index; one that is longer than usual is tried again with more of the file. */
static bool read_coin(struct source *s, struct outpoint *o, struct coin *c, struct arena *arena)
{
    for (size_t want = AHEAD; want <= LONGEST; want *= 4) {
        struct reader r = ahead(s, want);

        arena_reset(arena);
        o->n = (uint32_t)read_compact_size(&r);
        if (!r.failed && coin_read(c, &r, arena) && !r.failed) {
            used(s, &r);
            return true;
        }
        if (s->ended && s->len - s->pos <= want)
            return false;
    }
    return false;
}

struct coin_reader {
    struct source src;
    struct arena arena;
    const struct snapshot_reading *r;
    uint64_t left, done;
};

static bool failed(char **error, const char *text)
{
    *error = xstrdup(text);
    return false;
}

static bool take_coin(struct coin_reader *p, const struct txid *txid, char **error)
{
    uint64_t before = p->r->coins - p->left;
    struct outpoint o = {.txid = *txid};
    struct coin c;

    if (!read_coin(&p->src, &o, &c, &p->arena)) {
        *error = xasprintf("Bad snapshot format or truncated snapshot after deserializing %llu coins", (unsigned long long)p->done);
        return false;
    }
    if (c.height > (uint32_t)p->r->height) {
        *error = xasprintf("Bad snapshot data after deserializing %llu coins", (unsigned long long)before);
        return false;
    }
    if (c.out.value < 0 || c.out.value > MAX_MONEY) {
        *error = xasprintf("Bad snapshot data after deserializing %llu coins - bad tx out value", (unsigned long long)before);
        return false;
    }
    if (!p->r->take(p->r->ctx, &o, &c, error))
        return false;
    p->left--;
    p->done++;
    if (p->done % 1000000 == 0)
        log_info("[snapshot] %llu coins loaded (%.2f%%)", (unsigned long long)p->done, (double)p->done * 100 / (double)p->r->coins);
    if (p->done % LOOK_EVERY == 0 && p->r->interrupt && atomic_load(p->r->interrupt))
        return failed(error, "Aborting after an interrupt was requested");
    return true;
}

/* The coins of one transaction. */
static bool take_group(struct coin_reader *p, char **error)
{
    struct reader r = ahead(&p->src, 32 + 9);
    struct txid txid;
    uint64_t n;

    read_copy(&r, txid.b, sizeof(txid.b));
    n = read_compact_size(&r);
    if (r.failed) {
        *error = xasprintf("Bad snapshot format or truncated snapshot after deserializing %llu coins", (unsigned long long)p->done);
        return false;
    }
    used(&p->src, &r);
    if (n > p->left)
        return failed(error, "Mismatch in coins count in snapshot metadata and actual snapshot data");
    while (n--)
        if (!take_coin(p, &txid, error))
            return false;
    return true;
}

static bool take_all(struct coin_reader *p, char **error)
{
    struct reader r;

    while (p->left)
        if (!take_group(p, error))
            return false;
    r = ahead(&p->src, 1);
    if (reader_left(&r)) {
        *error = xasprintf("Bad snapshot - coins left over after deserializing %llu coins", (unsigned long long)p->r->coins);
        return false;
    }
    return true;
}

bool snapshot_read_coins(FILE *f, const struct snapshot_reading *r, char **error)
{
    struct coin_reader p = {.src = {.f = f}, .arena = ARENA_INIT, .r = r, .left = r->coins};
    bool ok = take_all(&p, error);

    free(p.src.buf);
    arena_clear(&p.arena);
    return ok;
}
