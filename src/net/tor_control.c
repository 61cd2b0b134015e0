/* tor_control.c - the controller's side of Tor's control protocol (net/tor_control.h), following what Bitcoin Core says to Tor in that order.
 * Pure; node's net_tor.c moves the bytes. */
#include "net/tor_control.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"

#define MAX_LINE 100000 /* the protocol has no limit; memory has */
#define MAX_LINES 1000  /* of one answer */
#define MAX_REPLY (4 * MAX_LINE)
#define NONCE_SIZE 32
#define SOCKS_PORT 9050

enum { REPLY_OK = 250, REPLY_UNRECOGNIZED = 510, REPLY_SYNTAX = 512, REPLY_ASYNC = 600 };

enum tor_command { TOR_PROTOCOLINFO, TOR_CHALLENGE, TOR_AUTHENTICATE, TOR_SOCKS, TOR_ADD_ONION, TOR_ADD_ONION_PLAIN };

struct tor_control {
    struct tor_control_config c;
    char *password, *key;
    struct writer out, line;
    struct writer reply; /* texts of the lines so far, each with a NUL */
    unsigned n_lines;
    enum tor_command waiting[4]; /* commands without an answer yet, oldest first; never more than two */
    unsigned n_waiting;
    uint8_t cookie[TOR_COOKIE_SIZE], nonce[NONCE_SIZE];
};

static void command(struct tor_control *t, enum tor_command what, const char *text)
{
    if (t->n_waiting == ARRAY_LEN(t->waiting))
        return;
    t->waiting[t->n_waiting++] = what;
    write_bytes(&t->out, text, strlen(text));
    write_bytes(&t->out, "\r\n", 2);
}

struct tor_control *tor_control_new(const struct tor_control_config *config)
{
    struct tor_control *t = xcalloc(1, sizeof(*t));

    t->c = *config;
    t->password = xstrdup(config->password);
    t->key = xstrdup(config->key);
    t->c.password = t->password;
    t->c.key = t->key;
    command(t, TOR_PROTOCOLINFO, "PROTOCOLINFO 1");
    return t;
}

void tor_control_free(struct tor_control *t)
{
    if (!t)
        return;
    writer_clear(&t->out);
    writer_clear(&t->line);
    writer_clear(&t->reply);
    free(t->password);
    free(t->key);
    free(t);
}

struct writer *tor_control_out(struct tor_control *t)
{
    return &t->out;
}

/* ---- lines of answers ---- */

/* One escape after a backslash: \n \t \r, up to three octal digits, or the character itself. */
static char unescape(const char **p)
{
    const char *s = *p;
    unsigned v = 0, n = 0;

    if (*s < '0' || *s > '7') {
        (*p)++;
        return *s == 'n' ? '\n' : *s == 't' ? '\t' : *s == 'r' ? '\r' : *s;
    }
    while (n < 3 && s[n] >= '0' && s[n] <= '7' && v * 8 + (unsigned)(s[n] - '0') <= 255)
        v = v * 8 + (unsigned)(s[n++] - '0');
    *p += n;
    return (char)v;
}

/* Reads a value at *p into out (as long as the line), and steps over it. Returns: false if a quoted string has no end. */
static bool read_value(char *out, const char **p)
{
    const char *s = *p;

    if (*s != '"') {
        size_t n = strcspn(s, " ");
        memcpy(out, s, n);
        out[n] = 0;
        *p += n;
        return true;
    }
    s++;
    while (*s && *s != '"') {
        if (*s != '\\') {
            *out++ = *s++;
            continue;
        }
        s++;
        if (*s)
            *out++ = unescape(&s);
    }
    *out = 0;
    *p = s + (*s == '"');
    return *s == '"';
}

char *tor_control_value(const char *line, const char *key)
{
    char *value = xmalloc(strlen(line) + 1), *found = NULL;
    size_t key_len = strlen(key);
    bool ok = true;

    while (*line) {
        size_t n = strcspn(line, "= ");
        bool wanted = n == key_len && memcmp(line, key, n) == 0;
        if (line[n] != '=') {
            ok = line[n] == ' '; /* from here on: optional words */
            break;
        }
        line += n + 1;
        ok = read_value(value, &line);
        if (!ok)
            break;
        line += *line == ' ';
        if (wanted) {
            free(found);
            found = xstrdup(value);
        }
    }
    free(value);
    if (ok)
        return found;
    free(found);
    return NULL;
}

/* The text after a keyword that begins the line. Returns: NULL if another one does. */
static const char *after_word(const char *line, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(line, word, n) != 0 || (line[n] && line[n] != ' '))
        return NULL;
    return line + n + (line[n] == ' ');
}

static const char *first_line(const struct tor_control *t)
{
    return t->reply.len ? (const char *)t->reply.data : NULL;
}

static const char *next_line(const struct tor_control *t, const char *line)
{
    line += strlen(line) + 1;
    return line < (const char *)t->reply.data + t->reply.len ? line : NULL;
}

/* ---- authentication ---- */

static bool has_method(const char *methods, const char *name)
{
    size_t n = strlen(name);

    while (*methods) {
        size_t len = strcspn(methods, ",");
        if (len == n && memcmp(methods, name, n) == 0)
            return true;
        methods += len;
        methods += *methods == ',';
    }
    return false;
}

static void authenticate_with_password(struct tor_control *t)
{
    struct writer w = WRITER_INIT;

    write_bytes(&w, "AUTHENTICATE \"", 14);
    for (const char *p = t->password; *p; p++) {
        if (*p == '"' || *p == '\\')
            write_u8(&w, '\\');
        write_u8(&w, (uint8_t)*p);
    }
    write_bytes(&w, "\"", 2);
    log_debug(LOG_TOR, "Using HASHEDPASSWORD authentication");
    command(t, TOR_AUTHENTICATE, (const char *)w.data);
    writer_clear(&w);
}

static void authenticate_with_cookie(struct tor_control *t, const char *path)
{
    char text[64 + 2 * NONCE_SIZE], hex[2 * NONCE_SIZE + 1];

    log_debug(LOG_TOR, "Using SAFECOOKIE authentication, reading cookie authentication from %s", path);
    if (!t->c.read_cookie(t->c.ctx, t->cookie, path)) {
        log_warning("tor: Authentication cookie %s could not be opened (check permissions), or is not exactly %d bytes", path,
                    TOR_COOKIE_SIZE);
        return;
    }
    t->c.random(t->c.ctx, t->nonce, sizeof(t->nonce));
    hex_encode(hex, t->nonce, sizeof(t->nonce));
    snprintf(text, sizeof(text), "AUTHCHALLENGE SAFECOOKIE %s", hex);
    command(t, TOR_CHALLENGE, text);
}

static void authenticate(struct tor_control *t, const char *methods, const char *cookie_path)
{
    if (t->password[0] && has_method(methods, "HASHEDPASSWORD")) {
        authenticate_with_password(t);
    } else if (t->password[0]) {
        log_warning("tor: Password provided with -torpassword, but HASHEDPASSWORD authentication is not available");
    } else if (has_method(methods, "NULL")) {
        log_debug(LOG_TOR, "Using NULL authentication");
        command(t, TOR_AUTHENTICATE, "AUTHENTICATE");
    } else if (has_method(methods, "SAFECOOKIE")) {
        authenticate_with_cookie(t, cookie_path);
    } else if (has_method(methods, "HASHEDPASSWORD")) {
        log_warning(
            "tor: The only supported authentication mechanism left is password, but no password provided with -torpassword");
    } else {
        log_warning("tor: No supported authentication method");
    }
}

static void on_protocolinfo(struct tor_control *t, int code)
{
    char *methods = NULL, *cookie_path = NULL, *version = NULL;

    if (code != REPLY_OK) {
        log_warning("tor: Requesting protocol info failed");
        return;
    }
    for (const char *line = first_line(t); line; line = next_line(t, line)) {
        const char *auth = after_word(line, "AUTH"), *about = after_word(line, "VERSION");
        if (auth && !methods && !cookie_path) {
            methods = tor_control_value(auth, "METHODS");
            cookie_path = tor_control_value(auth, "COOKIEFILE");
        }
        if (about && !version)
            version = tor_control_value(about, "Tor");
    }
    if (version)
        log_debug(LOG_TOR, "Connected to Tor version %s", version);
    log_debug(LOG_TOR, "Supported authentication methods: %s", methods ? methods : "none");
    authenticate(t, methods ? methods : "", cookie_path ? cookie_path : "");
    free(methods);
    free(cookie_path);
    free(version);
}

/* What proves to know the cookie, in either direction. */
static void cookie_hash(uint8_t out[32], const struct tor_control *t, const char *label, const uint8_t server_nonce[NONCE_SIZE])
{
    uint8_t data[TOR_COOKIE_SIZE + 2 * NONCE_SIZE];

    memcpy(data, t->cookie, TOR_COOKIE_SIZE);
    memcpy(data + TOR_COOKIE_SIZE, t->nonce, NONCE_SIZE);
    memcpy(data + TOR_COOKIE_SIZE + NONCE_SIZE, server_nonce, NONCE_SIZE);
    hmac_sha256(out, label, strlen(label), data, sizeof(data));
}

static bool read_hex32(uint8_t out[32], const char *line, const char *key)
{
    char *text = tor_control_value(line, key);
    bool ok = text && strlen(text) == 64 && hex_decode(out, 32, text);

    free(text);
    return ok;
}

static void on_challenge(struct tor_control *t, int code)
{
    const char *line = first_line(t), *args = line ? after_word(line, "AUTHCHALLENGE") : NULL;
    uint8_t hash[32], nonce[NONCE_SIZE], want[32];
    char hex[65], text[128];

    if (code != REPLY_OK) {
        log_warning("tor: SAFECOOKIE authentication challenge failed");
        return;
    }
    if (!args || !read_hex32(hash, args, "SERVERHASH") || !read_hex32(nonce, args, "SERVERNONCE")) {
        log_warning("tor: Invalid reply to AUTHCHALLENGE");
        return;
    }
    cookie_hash(want, t, "Tor safe cookie authentication server-to-controller hash", nonce);
    if (memcmp(hash, want, sizeof(want)) != 0) {
        log_warning("tor: ServerHash does not match expected ServerHash");
        return;
    }
    log_debug(LOG_TOR, "SAFECOOKIE authentication challenge successful");
    cookie_hash(want, t, "Tor safe cookie authentication controller-to-server hash", nonce);
    hex_encode(hex, want, sizeof(want));
    snprintf(text, sizeof(text), "AUTHENTICATE %s", hex);
    command(t, TOR_AUTHENTICATE, text);
}

/* ---- what Tor is asked for ---- */

static void add_onion(struct tor_control *t, bool pow)
{
    char target[NET_ADDR_TEXT], *text;

    net_addr_text(target, &t->c.target);
    text = xasprintf("ADD_ONION %s%s Port=%u,%s", t->key[0] ? t->key : "NEW:ED25519-V3", pow ? " PoWDefensesEnabled=1" : "",
                     t->c.virtual_port, target);
    command(t, pow ? TOR_ADD_ONION : TOR_ADD_ONION_PLAIN, text);
    free(text);
}

static void on_authenticated(struct tor_control *t, int code)
{
    if (code != REPLY_OK) {
        log_warning("tor: Authentication failed");
        return;
    }
    log_debug(LOG_TOR, "Authentication successful");
    t->c.authenticated(t->c.ctx);
    if (t->c.want_socks)
        command(t, TOR_SOCKS, "GETINFO net/listeners/socks");
    add_onion(t, true);
}

/* Of the listeners, the first on 127.0.0.1, else the last that is an address. */
static bool pick_socks(struct net_addr *proxy, const char *list)
{
    bool found = false;

    while (*list) {
        size_t len = strcspn(list, " ");
        char text[NET_ADDR_TEXT];
        struct net_addr a;
        bool quoted = len >= 2 && (*list == '"' || *list == '\'') && list[len - 1] == *list;
        snprintf(text, sizeof(text), "%.*s", (int)(quoted ? len - 2 : len < sizeof(text) ? len : 0), list + quoted);
        if (net_addr_parse(&a, text, SOCKS_PORT) && (a.network == NET_IPV4 || a.network == NET_IPV6)) {
            *proxy = a;
            found = true;
            if (strncmp(text, "127.0.0.1:", 10) == 0)
                break;
        }
        list += len;
        list += *list == ' ';
    }
    return found;
}

static void on_socks(struct tor_control *t, int code)
{
    static const char key[] = "net/listeners/socks=";
    struct net_addr proxy = {.network = NET_IPV4, .ip = {127, 0, 0, 1}, .port = SOCKS_PORT};
    char text[NET_ADDR_TEXT];
    bool found = false;

    for (const char *line = first_line(t); line && code == REPLY_OK && !found; line = next_line(t, line))
        found = strncmp(line, key, sizeof(key) - 1) == 0 && pick_socks(&proxy, line + sizeof(key) - 1);
    net_addr_text(text, &proxy);
    if (found)
        log_debug(LOG_TOR, "Get SOCKS port command yielded %s", text);
    else if (code == REPLY_OK)
        log_warning("tor: Get SOCKS port command returned nothing");
    else if (code == REPLY_UNRECOGNIZED)
        log_warning("tor: Get SOCKS port command failed with unrecognized command (You probably should upgrade Tor)");
    else
        log_warning("tor: Get SOCKS port command failed; error code %d", code);
    log_debug(LOG_TOR, "Configuring onion proxy for %s", text);
    t->c.socks(t->c.ctx, &proxy);
}

static void on_service(struct tor_control *t, bool pow)
{
    char *id = NULL, *key = NULL, *name;
    struct net_addr addr = {0};

    log_debug(LOG_TOR, "ADD_ONION successful (PoW defenses %s)", pow ? "enabled" : "disabled");
    for (const char *line = first_line(t); line; line = next_line(t, line)) {
        if (!id)
            id = tor_control_value(line, "ServiceID");
        if (!key)
            key = tor_control_value(line, "PrivateKey");
    }
    if (id) {
        name = xasprintf("%s.onion", id);
        if (!net_addr_parse(&addr, name, t->c.virtual_port))
            memset(&addr, 0, sizeof(addr));
        log_info("Got tor service ID %s, advertising service %s:%u", id, name, t->c.virtual_port);
        free(name);
        t->c.service(t->c.ctx, &addr, key);
    } else {
        log_warning("tor: Error parsing ADD_ONION parameters: no ServiceID");
    }
    free(id);
    free(key);
}

static void on_add_onion(struct tor_control *t, int code, bool pow)
{
    if (code == REPLY_OK) {
        on_service(t, pow);
    } else if (code == REPLY_UNRECOGNIZED) {
        log_warning("tor: Add onion failed with unrecognized command (You probably need to upgrade Tor)");
    } else if (pow && code == REPLY_SYNTAX) {
        log_debug(LOG_TOR, "ADD_ONION failed with PoW defenses, retrying without");
        add_onion(t, false);
    } else {
        log_warning("tor: Add onion failed; error code %d", code);
    }
}

/* ---- bytes ---- */

static void on_reply(struct tor_control *t, int code)
{
    enum tor_command what;

    if (code >= REPLY_ASYNC || !t->n_waiting) {
        log_debug(LOG_TOR, "Received unexpected reply %d", code);
        return;
    }
    what = t->waiting[0];
    t->n_waiting--;
    memmove(t->waiting, t->waiting + 1, t->n_waiting * sizeof(t->waiting[0]));
    switch (what) {
    case TOR_PROTOCOLINFO:
        on_protocolinfo(t, code);
        break;
    case TOR_CHALLENGE:
        on_challenge(t, code);
        break;
    case TOR_AUTHENTICATE:
        on_authenticated(t, code);
        break;
    case TOR_SOCKS:
        on_socks(t, code);
        break;
    case TOR_ADD_ONION:
    case TOR_ADD_ONION_PLAIN:
        on_add_onion(t, code, what == TOR_ADD_ONION);
        break;
    }
}

/* <code><separator><text>; a space as separator ends the answer. t->line has a NUL at its end. */
static bool on_line(struct tor_control *t)
{
    const char *text = (const char *)t->line.data;
    size_t len = strlen(text);
    int code;

    if (++t->n_lines > MAX_LINES) {
        log_warning("tor: Error processing receive buffer: Control port reply exceeded %d lines, disconnecting", MAX_LINES);
        return false;
    }
    if (len < 4)
        return true;
    if (t->reply.len + len > MAX_REPLY) {
        log_warning("tor: Error processing receive buffer: Control port reply exceeded %d bytes, disconnecting", MAX_REPLY);
        return false;
    }
    code = strspn(text, "0123456789") >= 3 ? (text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0' : 0;
    write_bytes(&t->reply, text + 4, len - 4 + 1);
    if (text[3] != ' ')
        return true;
    on_reply(t, code);
    writer_clear(&t->reply);
    t->n_lines = 0;
    return true;
}

bool tor_control_feed(struct tor_control *t, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len) {
        const uint8_t *end = memchr(p, '\n', len);
        size_t n = end ? (size_t)(end - p) : len;
        bool ok;
        if (t->line.len + n > MAX_LINE) {
            log_warning("tor: Error processing receive buffer: max line length exceeded by LineReader");
            return false;
        }
        write_bytes(&t->line, p, n);
        p += n + (end != NULL);
        len -= n + (end != NULL);
        if (!end)
            break;
        if (t->line.len && t->line.data[t->line.len - 1] == '\r')
            t->line.len--;
        write_u8(&t->line, 0);
        ok = on_line(t);
        writer_clear(&t->line);
        if (!ok)
            return false;
    }
    return true;
}
