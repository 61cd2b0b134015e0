/* i2p_sam.c - the SAM 3.1 client as machines over lines (i2p_sam.h). Pure. */
#include "net/i2p_sam.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "util/base64.h"
#include "util/mem.h"

#define DEST_BASE 387 /* bytes of a destination without its certificate's payload */
#define CERT_LEN_AT 385
#define SHOWN 200 /* characters of an answer that get into the log */

static enum exchange_step fail(struct sam *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static enum exchange_step fail(struct sam *s, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    free(s->error);
    s->error = xstrdup(text);
    return EXCHANGE_FAILED;
}

static void say(struct sam *s, enum sam_step step, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void say(struct sam *s, enum sam_step step, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    write_bytes(&s->out, text, n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
    s->step = step;
}

void sam_init(struct sam *s, enum sam_purpose purpose, const char *id)
{
    memset(s, 0, sizeof(*s));
    s->purpose = purpose;
    snprintf(s->id, sizeof(s->id), "%s", id);
    if (purpose == SAM_FOR_PEER)
        s->step = SAM_PEER;
    else
        say(s, SAM_HELLO, "HELLO VERSION MIN=3.1 MAX=3.1\n");
}

void sam_clear(struct sam *s)
{
    writer_clear(&s->line);
    writer_clear(&s->out);
    writer_clear(&s->key);
    free(s->error);
    memset(s, 0, sizeof(*s));
}

/* I2P writes base64 with '-' and '~' where others have '+' and '/'. */
static void swap_alphabet(char *text, const char *from, const char *to)
{
    for (; *text; text++) {
        if (*text == from[0])
            *text = to[0];
        else if (*text == from[1])
            *text = to[1];
    }
}

static bool decode64(uint8_t out[SAM_KEY_MAX], size_t *len, const char *text)
{
    char *copy;
    bool ok;

    *len = SAM_KEY_MAX;
    if (strlen(text) > SAM_KEY_MAX / 3 * 4 || text[strcspn(text, "+/")])
        return false;
    copy = xstrdup(text);
    swap_alphabet(copy, "-~", "+/");
    ok = base64_decode(out, len, copy, strlen(copy));
    free(copy);
    return ok && *len > 0;
}

static void addr_of_dest(struct net_addr *a, const uint8_t *dest, size_t len)
{
    memset(a, 0, sizeof(*a));
    a->network = NET_I2P;
    sha256(a->ip, dest, len);
}

bool sam_key_addr(struct net_addr *a, const uint8_t *key, size_t len)
{
    size_t dest_len;

    if (len < DEST_BASE)
        return false;
    dest_len = DEST_BASE + ((size_t)key[CERT_LEN_AT] << 8 | key[CERT_LEN_AT + 1]);
    if (dest_len > len)
        return false;
    addr_of_dest(a, key, dest_len);
    return true;
}

/* What the answer says for a key ("RESULT"), up to the next space. Out: *value (to free). */
static bool get(const struct sam *s, char **value, const char *key)
{
    const char *p = (const char *)s->line.data;
    size_t n = strlen(key);

    while (*p) {
        size_t len = strcspn(p, " ");
        if (len > n && p[n] == '=' && memcmp(p, key, n) == 0) {
            *value = xmalloc(len - n);
            memcpy(*value, p + n + 1, len - n - 1);
            (*value)[len - n - 1] = 0;
            return true;
        }
        p += len;
        p += *p == ' ';
    }
    return false;
}

static const char *asked(const struct sam *s)
{
    static const char *const texts[] = {"HELLO VERSION MIN=3.1 MAX=3.1",
                                        "DEST GENERATE SIGNATURE_TYPE=7",
                                        "SESSION CREATE ...",
                                        "NAMING LOOKUP ...",
                                        "STREAM CONNECT ...",
                                        "STREAM ACCEPT ..."};
    return s->step < sizeof(texts) / sizeof(texts[0]) ? texts[s->step] : "";
}

static enum exchange_step missing(struct sam *s, const char *key)
{
    return fail(s, "Missing %s= in the reply to \"%s\"", key, asked(s));
}

static enum exchange_step send_session(struct sam *s)
{
    char *text = base64_encode(s->key.data, s->key.len);

    swap_alphabet(text, "+/", "-~");
    say(s, SAM_SESSION, "SESSION CREATE STYLE=STREAM ID=%s DESTINATION=", s->id);
    write_bytes(&s->out, text, strlen(text));
    say(s, SAM_SESSION, " i2cp.leaseSetEncType=4,0 inbound.quantity=3 outbound.quantity=3\n");
    free(text);
    return EXCHANGE_MORE;
}

static enum exchange_step on_hello(struct sam *s)
{
    switch (s->purpose) {
    case SAM_FOR_SESSION:
        if (s->key.len)
            return send_session(s);
        /* 7 is EdDSA_SHA512_Ed25519; old routers know the number only. */
        say(s, SAM_GENERATE, "DEST GENERATE SIGNATURE_TYPE=7\n");
        break;
    case SAM_FOR_TRANSIENT:
        say(s, SAM_SESSION,
            "SESSION CREATE STYLE=STREAM ID=%s DESTINATION=TRANSIENT SIGNATURE_TYPE=7 i2cp.leaseSetEncType=4,0 inbound.quantity=1 "
            "outbound.quantity=1\n",
            s->id);
        break;
    case SAM_FOR_CONNECT:
        say(s, SAM_LOOKUP, "NAMING LOOKUP NAME=%s\n", s->name);
        break;
    case SAM_FOR_ACCEPT:
        say(s, SAM_ACCEPT, "STREAM ACCEPT ID=%s SILENT=false\n", s->id);
        break;
    case SAM_FOR_PEER:
        break;
    }
    return EXCHANGE_MORE;
}

static enum exchange_step take_key(struct sam *s, const char *value)
{
    uint8_t raw[SAM_KEY_MAX];
    size_t len;

    if (!decode64(raw, &len, value))
        return fail(s, "Cannot decode Base64: \"%.*s\"", SHOWN, value);
    writer_clear(&s->key);
    write_bytes(&s->key, raw, len);
    return EXCHANGE_MORE;
}

static enum exchange_step on_generated(struct sam *s)
{
    char *value;
    enum exchange_step step;

    if (!get(s, &value, "PRIV"))
        return missing(s, "PRIV");
    step = take_key(s, value);
    free(value);
    if (step == EXCHANGE_FAILED)
        return step;
    s->key_is_new = true;
    return send_session(s);
}

static enum exchange_step on_session(struct sam *s)
{
    char *value;
    enum exchange_step step = EXCHANGE_MORE;

    if (s->purpose == SAM_FOR_TRANSIENT) {
        if (!get(s, &value, "DESTINATION"))
            return missing(s, "DESTINATION");
        step = take_key(s, value);
        free(value);
    }
    if (step == EXCHANGE_FAILED)
        return step;
    if (!sam_key_addr(&s->addr, s->key.data, s->key.len))
        return fail(s, "The private key is too short (%zu)", s->key.len);
    return EXCHANGE_DONE;
}

static enum exchange_step on_looked_up(struct sam *s)
{
    char *value;

    if (!get(s, &value, "VALUE"))
        return missing(s, "VALUE");
    say(s, SAM_CONNECT, "STREAM CONNECT ID=%s DESTINATION=", s->id);
    write_bytes(&s->out, value, strlen(value));
    say(s, SAM_CONNECT, " SILENT=false\n");
    free(value);
    return EXCHANGE_MORE;
}

/* STREAM CONNECT and STREAM ACCEPT. */
static enum exchange_step on_stream(struct sam *s)
{
    char *result;

    if (!get(s, &result, "RESULT"))
        return missing(s, "RESULT");
    s->session_dead = strcmp(result, "INVALID_ID") == 0;
    s->peer_at_fault = strcmp(result, "CANT_REACH_PEER") == 0 || strcmp(result, "TIMEOUT") == 0;
    if (strcmp(result, "OK") == 0) {
        free(result);
        return EXCHANGE_DONE;
    }
    free(result);
    if (s->session_dead && s->step == SAM_CONNECT)
        return fail(s, "Invalid session id");
    return fail(s, "\"%.*s\"", SHOWN, (const char *)s->line.data);
}

static enum exchange_step on_peer(struct sam *s)
{
    const char *text = (const char *)s->line.data;
    uint8_t raw[SAM_KEY_MAX];
    size_t len;

    if (decode64(raw, &len, text)) {
        addr_of_dest(&s->addr, raw, len);
        return EXCHANGE_DONE;
    }
    s->session_dead = strstr(text, "RESULT=I2P_ERROR") != NULL;
    if (s->session_dead)
        return fail(s, "unexpected reply that hints the session is unusable: %.*s", SHOWN, text);
    return fail(s, "Cannot decode Base64: \"%.*s\"", SHOWN, text);
}

/* A whole line has come: s->line, NUL-terminated. */
static enum exchange_step on_line(struct sam *s)
{
    bool needs_ok = s->step == SAM_HELLO || s->step == SAM_SESSION || s->step == SAM_LOOKUP, ok;
    char *result;

    if (needs_ok) {
        if (!get(s, &result, "RESULT"))
            return missing(s, "RESULT");
        ok = strcmp(result, "OK") == 0;
        free(result);
        if (!ok)
            return fail(s, "Reply to \"%s\": had a RESULT not equal to OK.", asked(s));
    }
    switch (s->step) {
    case SAM_HELLO:
        return on_hello(s);
    case SAM_GENERATE:
        return on_generated(s);
    case SAM_SESSION:
        return on_session(s);
    case SAM_LOOKUP:
        return on_looked_up(s);
    case SAM_CONNECT:
    case SAM_ACCEPT:
        return on_stream(s);
    case SAM_PEER:
        break;
    }
    return on_peer(s);
}

enum exchange_step sam_feed(void *sam, const uint8_t *data, size_t len, size_t *used)
{
    struct sam *s = sam;
    enum exchange_step step = EXCHANGE_MORE;

    *used = 0;
    while (step == EXCHANGE_MORE && *used < len) {
        const uint8_t *start = data + *used, *end = memchr(start, '\n', len - *used);
        size_t n = end ? (size_t)(end - start) : len - *used;

        *used += n + (end != NULL);
        if (s->line.len + n > SAM_LINE_MAX)
            return fail(s, "Received too many bytes without a terminator (%u)", SAM_LINE_MAX);
        if (memchr(start, 0, n))
            return fail(s, "Received a line with a NUL in it");
        write_bytes(&s->line, start, n);
        if (!end)
            continue;
        write_u8(&s->line, 0);
        step = on_line(s);
        writer_clear(&s->line);
    }
    return step;
}
