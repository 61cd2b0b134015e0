/* permissions.c - reads -whitelist and -whitebind values. Pure; at start, by node. */
#include "net/permissions.h"

#include <string.h>

#include "util/mem.h"

static const struct {
    const char *name;
    uint32_t flags;
} names_in[] = {
    {"bloomfilter", PERM_BLOOM}, {"bloom", PERM_BLOOM},       {"noban", PERM_NOBAN}, {"forcerelay", PERM_FORCERELAY},
    {"mempool", PERM_MEMPOOL},   {"download", PERM_DOWNLOAD}, {"all", PERM_ALL},     {"relay", PERM_RELAY},
    {"addr", PERM_ADDR},
};

/* One word of the list. dir: NULL where no direction may stand. Returns: false with *error set. */
static bool add_word(uint32_t *flags, struct whitelist_entry *dir, const char *word, size_t len, char **error)
{
    if (len == 0)
        return true;
    if (len == 2 && memcmp(word, "in", 2) == 0) {
        if (dir)
            dir->in = true;
        return true;
    }
    if (len == 3 && memcmp(word, "out", 3) == 0) {
        if (!dir) {
            *error = xstrdup("whitebind may only be used for incoming connections (\"out\" was passed)");
            return false;
        }
        dir->out = true;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(names_in); i++) {
        if (strlen(names_in[i].name) == len && memcmp(names_in[i].name, word, len) == 0) {
            *flags |= names_in[i].flags;
            return true;
        }
    }
    *error = xasprintf("Invalid P2P permission: '%.*s'", (int)len, word);
    return false;
}

/* The part before '@'. Out: *rest behind it. */
static bool parse_list(uint32_t *flags, struct whitelist_entry *dir, const char **rest, const char *text, char **error)
{
    const char *at = strchr(text, '@');

    *flags = PERM_NONE;
    if (!at) {
        *flags = PERM_IMPLICIT;
        *rest = text;
    } else {
        for (const char *p = text; p < at;) {
            const char *comma = memchr(p, ',', (size_t)(at - p));
            const char *end = comma ? comma : at;
            if (!add_word(flags, dir, p, (size_t)(end - p), error))
                return false;
            p = comma ? comma + 1 : at;
        }
        *rest = at + 1;
    }
    if (dir && !dir->in && !dir->out) {
        dir->in = true;
    } else if (dir && *flags == PERM_NONE) {
        *error = xasprintf("Only direction was set, no permissions: '%s'", text);
        return false;
    }
    return true;
}

bool whitelist_parse(struct whitelist_entry *w, const char *text, char **error)
{
    const char *rest;

    memset(w, 0, sizeof(*w));
    *error = NULL;
    if (!parse_list(&w->flags, w, &rest, text, error))
        return false;
    if (!subnet_parse(&w->subnet, rest)) {
        *error = xasprintf("Invalid netmask specified in -whitelist: '%s'", rest);
        return false;
    }
    return true;
}

bool whitebind_parse(struct whitebind *w, const char *text, char **error)
{
    const char *rest;

    memset(w, 0, sizeof(*w));
    *error = NULL;
    if (!parse_list(&w->flags, NULL, &rest, text, error))
        return false;
    if (!net_addr_parse(&w->addr, rest, 0)) {
        *error = xasprintf("Cannot resolve -whitebind address: '%s'", rest);
        return false;
    }
    if (w->addr.port == 0) {
        *error = xasprintf("Need to specify a port with -whitebind: '%s'", rest);
        return false;
    }
    return true;
}

uint32_t net_permissions_resolve(uint32_t flags, bool relay, bool forcerelay)
{
    if (!(flags & PERM_IMPLICIT))
        return flags;
    flags &= ~(uint32_t)PERM_IMPLICIT;
    if (forcerelay)
        flags |= PERM_FORCERELAY;
    if (relay)
        flags |= PERM_RELAY;
    return flags | PERM_MEMPOOL | PERM_NOBAN;
}

size_t net_permission_names(const char *names[7], uint32_t flags)
{
    static const struct {
        const char *name;
        uint32_t flags;
    } out[] = {{"bloomfilter", PERM_BLOOM}, {"noban", PERM_NOBAN},     {"forcerelay", PERM_FORCERELAY},
               {"relay", PERM_RELAY},       {"mempool", PERM_MEMPOOL}, {"download", PERM_DOWNLOAD},
               {"addr", PERM_ADDR}};
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(out); i++)
        if (net_has_permission(flags, out[i].flags))
            names[n++] = out[i].name;
    return n;
}
