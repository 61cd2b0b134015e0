/* confdir.c - finds the datadir and the config file, reads it, selects the network. Called by both programs' main once. */
#include "util/confdir.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/assert.h"
#include "util/fs.h"
#include "util/mem.h"

static const struct network_name networks[] = {
    {"main", "", 8332},          {"test", "testnet3", 18332},   {"testnet4", "testnet4", 48332},
    {"signet", "signet", 38332}, {"regtest", "regtest", 18443},
};

static bool fail(char **error, char *text_take)
{
    *error = text_take;
    return false;
}

char *path_resolve(const char *base, const char *path)
{
    return path[0] == '/' ? xstrdup(path) : fs_join(base, path);
}

char *path_absolute(const char *path)
{
    char *cwd = getcwd(NULL, 0);
    char *resolved = path_resolve(cwd ? cwd : ".", path);
    free(cwd);
    return resolved;
}

static char *default_datadir(void)
{
    const char *home = getenv("HOME");
    return fs_join(home && *home ? home : "/", ".farthing");
}

/* Whether it was named or not, and whether it is there. */
static bool settle_datadir(struct confdir *d, const struct args *a)
{
    const char *given = args_str(a, "datadir", "");
    free(d->datadir);
    d->datadir = *given ? path_absolute(given) : default_datadir();
    return !*given || fs_is_dir(d->datadir);
}

/* farthing.conf, or bitcoin.conf where the datadir has that one. */
static char *default_conf(const char *datadir, bool *core_names)
{
    char *core = fs_join(datadir, "bitcoin.conf");
    char *own = fs_join(datadir, "farthing.conf");
    *core_names = fs_exists(core) && !fs_exists(own);
    free(*core_names ? own : core);
    return *core_names ? core : own;
}

bool confdir_check_ignored(const struct confdir *d, const struct args *a, char **error)
{
    const char *named = args_str(a, "conf", "");
    bool core_names, ok;
    char *ignored = default_conf(d->datadir, &core_names), *source;

    ok = !d->conf_path || args_bool(a, "allowignoredconf", false) || !fs_exists(ignored) || fs_same(ignored, d->conf_path);
    if (!ok) {
        const char *name = strrchr(ignored, '/') + 1;
        source =
            *named ? xasprintf("command line argument \"-conf=%s\"", named) : xasprintf("data directory \"%s\"", d->first_datadir);
        *error = xasprintf("Data directory \"%s\" contains a \"%s\" file which is ignored, because a different configuration file "
                           "\"%s\" from %s is being used instead. Possible ways to address this would be to:\n"
                           "- Delete or rename the \"%s\" file in data directory \"%s\".\n"
                           "- Change datadir= or conf= options to specify one configuration file, not two, and use includeconf= to "
                           "include any other configuration files.\n- Set allowignoredconf=1 option to treat this condition as a "
                           "warning, not an error.",
                           d->datadir, name, d->conf_path, source, name, d->datadir);
        free(source);
    }
    free(ignored);
    return ok;
}

char *confdir_unread_file(const struct confdir *d)
{
    bool core_names;
    char *path = d->conf_path ? NULL : default_conf(d->datadir, &core_names), *name;

    name = path && fs_exists(path) ? xstrdup(strrchr(path, '/') + 1) : NULL;
    free(path);
    return name;
}

static bool read_file(struct confdir *d, struct args *a, char **error)
{
    const char *name = args_str(a, "conf", "");
    char *why = NULL;

    d->first_datadir = xstrdup(d->datadir);
    if (args_is_negated(a, "conf"))
        return true;
    d->conf_path = *name ? path_resolve(d->datadir, name) : default_conf(d->datadir, &d->core_names);
    args_set_include_dir(a, d->datadir);
    if (args_read_config(a, d->conf_path, !args_is_set(a, "conf"), &why)) {
        if (settle_datadir(d, a))
            return true;
        why = xasprintf("specified data directory \"%s\" does not exist.", args_str(a, "datadir", ""));
    }
    /* A contradiction of networks comes to light in there, but is none of the file's. */
    if (args_chain(a, error) || strcmp(*error, why) != 0) {
        free(*error);
        *error = xasprintf("Error reading configuration file: %s", why);
    }
    free(why);
    return false;
}

static bool select_network(struct confdir *d, struct args *a, char **error)
{
    const char *name = args_chain(a, error);

    if (!name)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(networks); i++)
        if (strcmp(networks[i].name, name) == 0)
            d->network = &networks[i];
    ASSERT(d->network);
    args_select_network(a, d->network->name);
    return true;
}

bool confdir_read(struct confdir *d, struct args *a, char **error)
{
    memset(d, 0, sizeof(*d));
    if (!settle_datadir(d, a))
        return fail(error, xasprintf("Specified data directory \"%s\" does not exist.", args_str(a, "datadir", "")));
    if (!read_file(d, a, error) || !select_network(d, a, error))
        return false;
    d->net_dir = d->network->folder[0] ? fs_join(d->datadir, d->network->folder) : xstrdup(d->datadir);
    return true;
}

void confdir_clear(struct confdir *d)
{
    free(d->datadir);
    free(d->first_datadir);
    free(d->conf_path);
    free(d->net_dir);
    memset(d, 0, sizeof(*d));
}
