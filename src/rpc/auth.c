/* auth.c - who may call: the cookie file, -rpcuser/-rpcpassword, -rpcauth, and -rpcwhitelist. Made once at start, read-only after (loop and pool
 * threads); passwords are kept as salted hashes only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "rpc/server_priv.h"
#include "util/base64.h"
#include "util/fs.h"
#include "util/random.h"

struct credential {
    char *user, *salt, *hash; /* hash: hex of HMAC-SHA256(salt, password) */
};
struct whitelist {
    char *user;
    char **methods;
    size_t n;
};
struct rpc_auth {
    struct credential *creds;
    size_t n_creds;
    struct whitelist *lists;
    size_t n_lists;
    bool deny_unlisted; /* -rpcwhitelistdefault */
    char *cookie;       /* path, NULL: none made */
};

static void add_credential(struct rpc_auth *a, const char *user, size_t user_len, const char *salt, size_t salt_len,
                           const char *hash)
{
    struct credential *c;

    a->creds = xrealloc(a->creds, (a->n_creds + 1) * sizeof(*a->creds));
    c = &a->creds[a->n_creds++];
    c->user = xasprintf("%.*s", (int)user_len, user);
    c->salt = xasprintf("%.*s", (int)salt_len, salt);
    c->hash = xstrdup(hash);
}

static void hash_password(char hex[65], const char *salt, const char *password, size_t len)
{
    uint8_t mac[32];

    hmac_sha256(mac, salt, strlen(salt), password, len);
    hex_encode(hex, mac, 32);
}

static void add_password(struct rpc_auth *a, const char *user, const char *password)
{
    uint8_t raw[16];
    char salt[33], hash[65];

    random_bytes(raw, sizeof(raw));
    hex_encode(salt, raw, sizeof(raw));
    hash_password(hash, salt, password, strlen(password));
    add_credential(a, user, strlen(user), salt, strlen(salt), hash);
}

static bool cookie_mode(unsigned *mode, const char *perms)
{
    *mode = strcmp(perms, "owner") == 0 ? 0600 : strcmp(perms, "group") == 0 ? 0640 : strcmp(perms, "all") == 0 ? 0644 : 0;
    return *mode != 0;
}

static bool make_cookie(struct rpc_auth *a, const struct rpc_host *host)
{
    const char *name = args_str(host->args, "rpccookiefile", ".cookie"), *perms = args_str(host->args, "rpccookieperms", "owner");
    uint8_t raw[32];
    char password[65], *text, *path, *tmp;
    unsigned mode;
    enum rc rc;

    if (!cookie_mode(&mode, perms)) {
        log_error("Invalid -rpccookieperms=%s; must be one of 'owner', 'group', or 'all'.", perms);
        return false;
    }
    if (args_is_negated(host->args, "rpccookiefile") || !*name) {
        log_info("RPC authentication cookie file generation is disabled.");
        return true;
    }
    random_bytes(raw, sizeof(raw));
    hex_encode(password, raw, sizeof(raw));
    path = *name == '/' ? xstrdup(name) : fs_join(host->datadir, name);
    text = xasprintf("__cookie__:%s", password);
    tmp = xasprintf("%s.tmp", path); /* Bitcoin Core's name for it, which its tests make unusable */
    rc = fs_write_atomic(tmp, text, strlen(text), mode);
    if (rc == RC_OK && (chmod(tmp, mode) != 0 || rename(tmp, path) != 0))
        rc = RC_IO;
    free(tmp);
    crypto_wipe(text, strlen(text));
    free(text);
    if (rc != RC_OK) {
        log_warning("Unable to open cookie authentication file %s for writing", path);
        free(path);
        return false;
    }
    a->cookie = path;
    add_password(a, "__cookie__", password);
    crypto_wipe(password, sizeof(password));
    log_info("Generated RPC authentication cookie %s", path);
    log_info("Permissions used for cookie: rw-%s%s", mode & 040 ? "r--" : "---", mode & 04 ? "r--" : "---");
    log_info("Using random cookie authentication.");
    return true;
}

/* "user:salt$hash" */
static bool add_rpcauth(struct rpc_auth *a, const char *text)
{
    const char *colon = strchr(text, ':'), *dollar = colon ? strchr(colon, '$') : NULL;

    if (!dollar || strchr(colon + 1, ':') || strchr(dollar + 1, '$')) {
        log_warning("Invalid -rpcauth argument.");
        return false;
    }
    add_credential(a, text, (size_t)(colon - text), colon + 1, (size_t)(dollar - colon - 1), dollar + 1);
    return true;
}

static bool has_method(const struct whitelist *l, const char *method)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->methods[i], method) == 0)
            return true;
    }
    return false;
}

static struct whitelist *find_list(const struct rpc_auth *a, const char *user)
{
    for (size_t i = 0; i < a->n_lists; i++) {
        if (strcmp(a->lists[i].user, user ? user : "") == 0)
            return &a->lists[i];
    }
    return NULL;
}

static void list_clear(struct whitelist *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->methods[i]);
    free(l->methods);
    free(l->user);
}

/* "user:method,method"; a second list of one user leaves what both have. */
static void add_whitelist(struct rpc_auth *a, const char *text)
{
    size_t user_len = strcspn(text, ":");
    const char *p = text + user_len;
    struct whitelist new = {.user = xasprintf("%.*s", (int)user_len, text)}, *old;

    old = find_list(a, new.user);
    if (*p != ':') { /* no list: an earlier one stays */
        if (old) {
            list_clear(&new);
            return;
        }
    }
    while (*p) {
        size_t n = strcspn(++p, ", ");
        char *m = xasprintf("%.*s", (int)n, p);
        p += n;
        if (old && !has_method(old, m)) {
            free(m);
            continue;
        }
        new.methods = xrealloc(new.methods, (new.n + 1) * sizeof(char *));
        new.methods[new.n++] = m;
    }
    if (old) {
        list_clear(old);
        *old = new;
        return;
    }
    a->lists = xrealloc(a->lists, (a->n_lists + 1) * sizeof(*a->lists));
    a->lists[a->n_lists++] = new;
}

bool rpc_auth_init(struct rpc_auth **out, const struct rpc_host *host, char **error)
{
    struct rpc_auth *a = *out = xcalloc(1, sizeof(*a));
    const char *password = args_str(host->args, "rpcpassword", "");
    const char *const *values;
    size_t n;
    bool ok = true;

    if (!*password) {
        ok = make_cookie(a, host);
    } else {
        log_info("Using rpcuser/rpcpassword authentication.");
        log_warning("The use of rpcuser/rpcpassword is less secure, because credentials are configured in plain text. It is "
                    "recommended that "
                    "locally-run instances switch to cookie-based auth, or otherwise to use hashed rpcauth credentials.");
        add_password(a, args_str(host->args, "rpcuser", ""), password);
    }
    n = args_list(host->args, "rpcauth", &values);
    if (n)
        log_info("Using rpcauth authentication.");
    for (size_t i = 0; ok && i < n; i++)
        ok = add_rpcauth(a, values[i]);
    n = args_list(host->args, "rpcwhitelist", &values);
    a->deny_unlisted = args_bool(host->args, "rpcwhitelistdefault", n > 0);
    for (size_t i = 0; ok && i < n; i++)
        add_whitelist(a, values[i]);
    if (!ok)
        *error = xstrdup("Unable to start HTTP server. See debug log for details.");
    return ok;
}

void rpc_auth_free(struct rpc_auth *a)
{
    if (!a)
        return;
    if (a->cookie && unlink(a->cookie) != 0 && errno != ENOENT)
        log_warning("Unable to remove random auth cookie file %s: %s", a->cookie, strerror(errno));
    free(a->cookie);
    for (size_t i = 0; i < a->n_creds; i++) {
        free(a->creds[i].user);
        free(a->creds[i].salt);
        free(a->creds[i].hash);
    }
    free(a->creds);
    for (size_t i = 0; i < a->n_lists; i++)
        list_clear(&a->lists[i]);
    free(a->lists);
    free(a);
}

static bool same_text(const char *a, const char *b)
{
    size_t n = strlen(a);

    return n == strlen(b) && crypto_memcmp(a, b, n) == 0;
}

bool rpc_auth_check(const struct rpc_auth *a, const char *header, char **user)
{
    char plain[1024], hash[65], *colon;
    size_t len, n;
    bool ok = false;

    *user = NULL;
    if (strncmp(header, "Basic ", 6) != 0)
        return false;
    header += 6 + strspn(header + 6, " \t\r\n");
    len = strlen(header);
    while (len > 0 && strchr(" \t\r\n", header[len - 1]))
        len--;
    n = sizeof(plain) - 1;
    if (!base64_decode(plain, &n, header, len))
        return false;
    plain[n] = 0;
    colon = strchr(plain, ':');
    if (!colon)
        return false;
    *colon++ = 0;
    for (size_t i = 0; i < a->n_creds; i++) {
        if (!same_text(a->creds[i].user, plain))
            continue;
        hash_password(hash, a->creds[i].salt, colon, (size_t)(plain + n - colon));
        if (same_text(a->creds[i].hash, hash)) {
            ok = true;
            break;
        }
    }
    if (ok)
        *user = xstrdup(plain);
    crypto_wipe(plain, sizeof(plain));
    return ok;
}

bool rpc_auth_user_allowed(const struct rpc_auth *a, const char *user)
{
    return !a || !a->deny_unlisted || find_list(a, user);
}

bool rpc_auth_method_allowed(const struct rpc_auth *a, const char *user, const char *method)
{
    const struct whitelist *l = a ? find_list(a, user) : NULL;

    return !l || has_method(l, method);
}
