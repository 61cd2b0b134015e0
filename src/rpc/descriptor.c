/* descriptor.c - reading of output descriptors, for scantxoutset, generatetodescriptor, getdescriptorinfo and deriveaddresses. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "rpc/descriptor.h"
#include "script/script.h"
#include "util/hex.h"
#include "util/mem.h"

enum context { CTX_TOP, CTX_P2SH, CTX_P2WPKH, CTX_P2WSH, CTX_P2TR };

struct key {
    uint8_t bytes[65]; /* x-only keys: 32 bytes */
    size_t len;
};
struct parser {
    const struct chain_params *params;
    struct descriptor *d;
    struct writer text; /* canonical form */
    char *error;
    bool underivable; /* a hardened step below a public key */
};

static bool fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct parser *p, const char *fmt, ...)
{
    va_list ap;

    if (p->error)
        return false;
    va_start(ap, fmt);
    if (vasprintf(&p->error, fmt, ap) < 0)
        p->error = xstrdup("out of memory");
    va_end(ap);
    return false;
}

/* Puts the function's name in front of an error of its key. */
static bool fail_in(struct parser *p, const char *name)
{
    char *inner = p->error;

    p->error = xasprintf("%s: %s", name, inner ? inner : "");
    free(inner);
    return false;
}

static void put(struct parser *p, const char *s)
{
    write_bytes(&p->text, s, strlen(s));
}

static void put_hex(struct parser *p, const uint8_t *data, size_t len)
{
    hex_encode((char *)writer_extend(&p->text, 2 * len + 1), data, len);
    p->text.len--;
}

/* ---- keys ---- */

/* Steps behind an extended key: "/0/1h", at the end perhaps a star. */
static bool read_path(struct parser *p, const char *path)
{
    bool any = false;

    while (*path == '/') {
        size_t n = strcspn(++path, "/");
        bool hard = n > 0 && (path[n - 1] == 'h' || path[n - 1] == '\'');
        size_t digits = n - hard;
        if (digits == 1 && path[0] == '*') {
            p->d->ranged = true;
            if (path[n])
                return fail(p, "Key path value '*' is not a valid uint32");
        } else if (digits == 0 || strspn(path, "0123456789") < digits || digits > 10 || strtoull(path, NULL, 10) > 0x7fffffff) {
            return fail(p, "Key path value '%.*s' is not a valid uint32", (int)digits, path);
        }
        p->underivable |= hard;
        any = true;
        path += n;
    }
    if (any && !p->d->ranged && !p->underivable)
        return fail(p, "key with a derivation path: deriving child keys is not supported");
    return true;
}

static bool read_extended(struct parser *p, struct key *k, const char *text)
{
    size_t n = strcspn(text, "/"), len = 78;
    uint8_t raw[128];
    char *head = xasprintf("%.*s", (int)n, text);
    bool ok, secret;

    len = sizeof(raw);
    ok = base58check_decode(raw, &len, head) && len == 78;
    secret = ok && memcmp(raw, p->params->address.ext_secret, 4) == 0 && raw[45] == 0 && seckey_is_valid(raw + 46);
    ok = secret || (ok && memcmp(raw, p->params->address.ext_public, 4) == 0 && pubkey_is_valid(raw + 45, 33));
    free(head);
    if (!ok)
        return fail(p, "key '%s' is not valid", text);
    k->len = 33;
    if (secret) {
        p->d->has_private = true;
        pubkey_create(k->bytes, raw + 46, true);
    } else {
        memcpy(k->bytes, raw + 45, 33);
    }
    if (!read_path(p, text + n))
        return false;
    if (secret && p->underivable && !p->d->ranged)
        return fail(p, "key with a derivation path: deriving child keys is not supported");
    put(p, text);
    return true;
}

/* "[fingerprint/path]" in front of a key. */
static bool read_origin(struct parser *p, const char **text)
{
    const char *end;
    size_t n;

    if (**text != '[')
        return true;
    end = strchr(*text, ']');
    if (!end)
        return fail(p, "Key origin start '[ character expected but not found, got '%c' instead", **text);
    n = strcspn(*text + 1, "/]");
    if (n != 8)
        return fail(p, "Fingerprint is not 4 bytes (%zu characters instead of 8 characters)", n);
    if (strspn(*text + 1, "0123456789abcdefABCDEF") < 8)
        return fail(p, "Fingerprint '%.8s' is not hex", *text + 1);
    write_bytes(&p->text, *text, (size_t)(end + 1 - *text));
    *text = end + 1;
    return true;
}

static bool check_form(struct parser *p, const struct key *k, enum context ctx)
{
    if (k->len == 65 && (ctx == CTX_P2WPKH || ctx == CTX_P2WSH || ctx == CTX_P2TR))
        return fail(p, "Uncompressed keys are not allowed");
    return true;
}

static bool read_key(struct parser *p, struct key *k, const char *text, enum context ctx)
{
    uint8_t secret[32];
    size_t len = strlen(text);
    bool compressed;

    if (len == 0)
        return fail(p, "No key provided");
    if (!read_origin(p, &text))
        return false;
    len = strlen(text);
    if (hex_is_valid(text) && len >= 2) {
        if (len == 64 && ctx == CTX_P2TR && hex_decode(k->bytes, 32, text) && xonly_is_valid(k->bytes)) {
            k->len = 32;
            put_hex(p, k->bytes, 32);
            return true;
        }
        k->len = len / 2;
        if ((k->len != 33 && k->len != 65) || !hex_decode(k->bytes, k->len, text))
            return fail(p, "Pubkey '%s' is invalid", text);
        if (k->len == 65 && (k->bytes[0] == 6 || k->bytes[0] == 7))
            return fail(p, "Hybrid public keys are not allowed");
        if (!pubkey_is_valid(k->bytes, k->len))
            return fail(p, "Pubkey '%s' is invalid", text);
        put_hex(p, k->bytes, k->len);
        return check_form(p, k, ctx);
    }
    if (wif_decode(secret, &compressed, text, &p->params->address)) {
        p->d->has_private = true;
        k->len = compressed ? 33 : 65;
        if (!pubkey_create(k->bytes, secret, compressed))
            return fail(p, "key '%s' is not valid", text);
        crypto_wipe(secret, sizeof(secret));
        put_hex(p, k->bytes, k->len);
        return check_form(p, k, ctx);
    }
    return read_extended(p, k, text);
}

/* ---- scripts ---- */

static void script_hash160(struct writer *w, uint8_t first, const uint8_t *data, size_t len)
{
    uint8_t h[20];

    hash160(h, data, len);
    if (first)
        write_u8(w, first);
    write_u8(w, 20);
    write_bytes(w, h, 20);
}

static void write_pk(struct writer *w, const struct key *k)
{
    script_write_push(w, k->bytes, k->len);
    write_u8(w, OP_CHECKSIG);
}

static void write_pkh(struct writer *w, const struct key *k)
{
    write_u8(w, OP_DUP);
    script_hash160(w, OP_HASH160, k->bytes, k->len);
    write_u8(w, OP_EQUALVERIFY);
    write_u8(w, OP_CHECKSIG);
}

static void write_wpkh(struct writer *w, const struct key *k)
{
    write_u8(w, OP_0);
    script_hash160(w, 0, k->bytes, k->len);
}

static void write_sh(struct writer *w, const struct writer *inner)
{
    script_hash160(w, OP_HASH160, inner->data, inner->len);
    write_u8(w, OP_EQUAL);
}

static void write_wsh(struct writer *w, const struct writer *inner)
{
    write_u8(w, OP_0);
    write_u8(w, 32);
    sha256(writer_extend(w, 32), inner->data, inner->len);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(((const struct key *)a)->bytes, ((const struct key *)b)->bytes, 65);
}

static bool read_multi(struct parser *p, struct writer *w, char *args, enum context ctx, bool sorted)
{
    struct key keys[MAX_PUBKEYS_PER_MULTISIG];
    char *next = strchr(args, ','), number[16];
    unsigned n = 0;
    long m;

    if (ctx != CTX_TOP && ctx != CTX_P2SH && ctx != CTX_P2WSH)
        return fail(p, "Can only have multi/sortedmulti at top level, in sh(), or in wsh()");
    if (next)
        *next++ = 0;
    if (!*args || strlen(args) > 9 || strspn(args, "0123456789") != strlen(args))
        return fail(p, "Multi threshold '%s' is not valid", args);
    m = strtol(args, NULL, 10);
    snprintf(number, sizeof(number), "%ld", m);
    put(p, number);
    while (next) {
        char *key = next;
        next = strchr(key, ',');
        if (next)
            *next++ = 0;
        if (n == MAX_PUBKEYS_PER_MULTISIG)
            return fail(p, "Cannot have %u keys in multisig; must have between 1 and 20 keys, inclusive", n + 1);
        put(p, ",");
        memset(&keys[n], 0, sizeof(keys[n]));
        if (!read_key(p, &keys[n++], key, ctx))
            return fail_in(p, "Multi");
    }
    if (n == 0)
        return fail(p, "Cannot have 0 keys in multisig; must have between 1 and 20 keys, inclusive");
    if (m < 1)
        return fail(p, "Multisig threshold cannot be %ld, must be at least 1", m);
    if (m > (long)n)
        return fail(p, "Multisig threshold cannot be larger than the number of keys; threshold is %ld but only %u keys specified",
                    m, n);
    if (ctx == CTX_TOP && n > 3)
        return fail(p, "Cannot have %u pubkeys in bare multisig; only at most 3 pubkeys", n);
    if (sorted)
        qsort(keys, n, sizeof(keys[0]), by_bytes);
    script_write_int(w, m);
    for (unsigned i = 0; i < n; i++)
        script_write_push(w, keys[i].bytes, keys[i].len);
    script_write_int(w, n);
    write_u8(w, OP_CHECKMULTISIG);
    if (ctx == CTX_P2SH && w->len > MAX_SCRIPT_ELEMENT_SIZE)
        return fail(p, "P2SH script is too large, %zu bytes is larger than %d bytes", w->len, MAX_SCRIPT_ELEMENT_SIZE);
    return true;
}

static void add_script(struct parser *p, const struct writer *w)
{
    struct descriptor *d = p->d;

    d->script[d->n_scripts].bytes = xmemdup(w->data, w->len);
    d->script[d->n_scripts++].len = w->len;
}

static bool read_combo(struct parser *p, char *args)
{
    struct writer w = WRITER_INIT, inner = WRITER_INIT;
    struct key k;

    if (!read_key(p, &k, args, CTX_TOP))
        return fail_in(p, "combo()");
    write_pk(&w, &k);
    add_script(p, &w);
    w.len = 0;
    write_pkh(&w, &k);
    add_script(p, &w);
    if (k.len == 33) {
        write_wpkh(&inner, &k);
        add_script(p, &inner);
        w.len = 0;
        write_sh(&w, &inner);
        add_script(p, &w);
    }
    writer_clear(&w);
    writer_clear(&inner);
    return true;
}

static bool read_taproot(struct parser *p, struct writer *w, char *args, bool raw)
{
    struct key k;
    uint8_t out[32];
    const uint8_t *x;
    int parity;

    if (strchr(args, ','))
        return fail(p, raw ? "rawtr(): only one key expected." : "tr(): script trees are not supported");
    if (!read_key(p, &k, args, CTX_P2TR))
        return fail_in(p, raw ? "rawtr()" : "tr()");
    x = k.len == 33 ? k.bytes + 1 : k.bytes;
    if (raw)
        memcpy(out, x, 32);
    else if (!taproot_tweak(out, &parity, x, NULL))
        return fail(p, "tr(): key '%s' is not valid", args);
    write_u8(w, OP_1);
    write_u8(w, 32);
    write_bytes(w, out, 32);
    return true;
}

static bool read_fixed(struct parser *p, struct writer *w, const char *args, bool address)
{
    size_t len;

    p->d->solvable = false;
    put(p, args);
    if (address) {
        uint8_t script[ADDRESS_SCRIPT_MAX];
        if (!address_decode(script, &len, NULL, args, &p->params->address))
            return fail(p, "Address is not valid");
        write_bytes(w, script, len);
        return true;
    }
    if (!*args || !hex_is_valid(args))
        return fail(p, "Raw script is not hex");
    len = strlen(args) / 2;
    return hex_decode(writer_extend(w, len), len, args);
}

static bool read_script(struct parser *p, struct writer *w, char *text, enum context ctx);

static bool read_wrapped(struct parser *p, struct writer *w, char *args, enum context ctx, bool witness)
{
    struct writer inner = WRITER_INIT;
    bool ok;

    if (witness && ctx != CTX_TOP && ctx != CTX_P2SH)
        return fail(p, "Can only have wsh() at top level or inside sh()");
    if (!witness && ctx != CTX_TOP)
        return fail(p, "Can only have sh() at top level");
    ok = read_script(p, &inner, args, witness ? CTX_P2WSH : CTX_P2SH);
    if (ok && witness)
        write_wsh(w, &inner);
    else if (ok)
        write_sh(w, &inner);
    writer_clear(&inner);
    return ok;
}

static bool read_single(struct parser *p, struct writer *w, const char *name, char *args, enum context ctx)
{
    struct key k;
    char label[8];
    bool segwit = strcmp(name, "wpkh") == 0;

    if (segwit && ctx != CTX_TOP && ctx != CTX_P2SH)
        return fail(p, "Can only have wpkh() at top level or inside sh()");
    snprintf(label, sizeof(label), "%s()", name);
    if (!read_key(p, &k, args, segwit ? CTX_P2WPKH : ctx))
        return fail_in(p, label);
    if (segwit)
        write_wpkh(w, &k);
    else if (strcmp(name, "pk") == 0)
        write_pk(w, &k);
    else
        write_pkh(w, &k);
    return true;
}

static bool read_function(struct parser *p, struct writer *w, const char *name, char *args, enum context ctx, const char *whole)
{
    if (strcmp(name, "pk") == 0 || strcmp(name, "pkh") == 0 || strcmp(name, "wpkh") == 0)
        return read_single(p, w, name, args, ctx);
    if (strcmp(name, "multi") == 0 || strcmp(name, "sortedmulti") == 0)
        return read_multi(p, w, args, ctx, name[0] == 's');
    if (strcmp(name, "sh") == 0 || strcmp(name, "wsh") == 0)
        return read_wrapped(p, w, args, ctx, name[0] == 'w');
    if (strcmp(name, "combo") == 0)
        return ctx == CTX_TOP ? read_combo(p, args) : fail(p, "Can only have combo() at top level");
    if (strcmp(name, "addr") == 0)
        return ctx == CTX_TOP ? read_fixed(p, w, args, true) : fail(p, "Can only have addr() at top level");
    if (strcmp(name, "raw") == 0)
        return ctx == CTX_TOP ? read_fixed(p, w, args, false) : fail(p, "Can only have raw() at top level");
    if (strcmp(name, "tr") == 0 || strcmp(name, "rawtr") == 0)
        return ctx == CTX_TOP ? read_taproot(p, w, args, name[0] == 'r') : fail(p, "Can only have %s at top level", name);
    return fail(p, "'%s' is not a valid descriptor function", whole);
}

static bool read_script(struct parser *p, struct writer *w, char *text, enum context ctx)
{
    size_t len = strlen(text);
    char *open = strchr(text, '('), *whole;
    bool ok;

    if (!open || len == 0 || text[len - 1] != ')') {
        if (ctx == CTX_P2SH)
            return fail(p, "A function is needed within P2SH");
        if (ctx == CTX_P2WSH)
            return fail(p, "A function is needed within P2WSH");
        return fail(p, "'%s' is not a valid descriptor function", text);
    }
    whole = xstrdup(text);
    *open = 0;
    text[len - 1] = 0;
    put(p, text);
    put(p, "(");
    ok = read_function(p, w, text, open + 1, ctx, whole);
    put(p, ")");
    free(whole);
    return ok;
}

static bool check_sum(struct parser *p, char *text, bool need)
{
    char *hash = strchr(text, '#'), sum[9];

    if (hash && strchr(hash + 1, '#'))
        return fail(p, "Multiple '#' symbols");
    if (!hash && need)
        return fail(p, "Missing checksum");
    if (hash) {
        *hash++ = 0;
        if (strlen(hash) != 8)
            return fail(p, "Expected 8 character checksum, not %zu characters", strlen(hash));
    }
    if (!descriptor_checksum(sum, text, strlen(text)))
        return fail(p, "Invalid characters in payload");
    if (hash && strcmp(sum, hash) != 0)
        return fail(p, "Provided checksum '%s' does not match computed checksum '%s'", hash, sum);
    return true;
}

bool descriptor_parse(struct descriptor *d, const char *text, const struct chain_params *params, bool need_checksum, char **error)
{
    struct parser p = {.params = params, .d = d};
    struct writer w = WRITER_INIT;
    char *copy = xstrdup(text);
    bool ok;

    memset(d, 0, sizeof(*d));
    d->solvable = true;
    ok = check_sum(&p, copy, need_checksum) && read_script(&p, &w, copy, CTX_TOP);
    if (ok && d->n_scripts == 0 && !p.underivable && !d->ranged)
        add_script(&p, &w);
    writer_clear(&w);
    free(copy);
    write_u8(&p.text, 0);
    d->text = (char *)p.text.data;
    *error = p.error;
    if (ok && (p.underivable || d->ranged)) {
        for (unsigned i = 0; i < d->n_scripts; i++)
            free(d->script[i].bytes);
        d->n_scripts = 0;
    }
    if (!ok)
        descriptor_clear(d);
    return ok;
}

void descriptor_clear(struct descriptor *d)
{
    for (unsigned i = 0; i < d->n_scripts; i++)
        free(d->script[i].bytes);
    free(d->text);
    memset(d, 0, sizeof(*d));
}
