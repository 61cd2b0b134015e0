/* config.c - finds the datadir and the config file, reads both sources of options, selects the network. Called by main once. */
#include "node/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/options.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

static bool fail(char **error, char *text_take)
{
    *error = text_take;
    return false;
}

static char *default_datadir(void)
{
    const char *home = getenv("HOME");
    return fs_join(home && *home ? home : "/", ".farthing");
}

/* An absolute path: relative ones start at base. */
static char *resolve(const char *base, const char *path)
{
    return path[0] == '/' ? xstrdup(path) : fs_join(base, path);
}

static char *absolute(const char *path)
{
    char *cwd, *joined;
    if (path[0] == '/')
        return xstrdup(path);
    cwd = getcwd(NULL, 0);
    joined = fs_join(cwd ? cwd : ".", path);
    free(cwd);
    return joined;
}

static bool settle_datadir(struct node_config *c, char **error)
{
    const char *given = args_str(c->args, "datadir", "");
    free(c->datadir);
    c->datadir = *given ? absolute(given) : default_datadir();
    if (*given && !fs_is_dir(c->datadir))
        return fail(error, xasprintf("Specified data directory \"%s\" does not exist.", given));
    return true;
}

/* farthing.conf, or bitcoin.conf where the datadir has that one. */
static char *default_conf(struct node_config *c)
{
    char *core = fs_join(c->datadir, "bitcoin.conf");
    char *own = fs_join(c->datadir, "farthing.conf");
    c->core_names = fs_exists(core) && !fs_exists(own);
    if (c->core_names) {
        free(own);
        return core;
    }
    free(core);
    return own;
}

static bool read_config_file(struct node_config *c, char **error)
{
    bool explicit_conf = args_is_set(c->args, "conf") && !args_is_negated(c->args, "conf");
    char *before = xstrdup(c->datadir);
    bool ok;

    if (args_is_negated(c->args, "conf")) {
        free(before);
        return true;
    }
    c->conf_path = explicit_conf ? resolve(c->datadir, args_str(c->args, "conf", "")) : default_conf(c);
    ok = args_read_config(c->args, c->conf_path, !explicit_conf, error);
    if (ok)
        ok = settle_datadir(c, error);
    if (ok && strcmp(before, c->datadir) != 0 && !args_bool(c->args, "allowignoredconf", false)) {
        /* The file moved the datadir to one with a file of its own, which nobody would read. */
        char *ignored = default_conf(c);
        if (fs_exists(ignored) && strcmp(ignored, c->conf_path) != 0)
            ok = fail(error, xasprintf("Data directory \"%s\" contains a \"%s\" file which is ignored, because a different configuration file "
                                       "\"%s\" is being used instead. Possible ways to address this would be to:\n- Delete or rename the file in the "
                                       "data directory.\n- Change datadir= or conf= options to specify one configuration file.\n"
                                       "- Set allowignoredconf=1 option to treat this condition as a warning, not an error.",
                                       c->datadir, strrchr(ignored, '/') + 1, c->conf_path));
        free(ignored);
    }
    free(before);
    return ok;
}

static bool select_network(struct node_config *c, char **error)
{
    static const char *const switches[] = {"regtest", "signet", "testnet", "testnet4"};
    static const enum chain_id ids[] = {CHAIN_REGTEST, CHAIN_SIGNET, CHAIN_TESTNET3, CHAIN_TESTNET4};
    enum chain_id id = CHAIN_MAIN;
    unsigned chosen = 0;

    for (size_t i = 0; i < ARRAY_LEN(switches); i++)
        if (args_bool(c->args, switches[i], false)) {
            id = ids[i];
            chosen++;
        }
    if (args_is_set(c->args, "chain")) {
        const char *name = args_str(c->args, "chain", "");
        chosen++;
        if (!chain_id_from_name(&id, name))
            return fail(error, xasprintf("Unknown chain %s.", name));
    }
    if (chosen > 1)
        return fail(error, xstrdup("Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one."));
    chain_params_init(&c->params, id);
    args_select_network(c->args, c->params.name);
    return true;
}

/* The path of an option's file below base; NULL when negated. */
static char *file_option(const struct node_config *c, const char *option, const char *dflt, const char *base)
{
    if (args_is_negated(c->args, option))
        return NULL;
    return resolve(base, args_str(c->args, option, dflt));
}

static bool settle_paths(struct node_config *c, char **error)
{
    const char *blocks = args_str(c->args, "blocksdir", "");
    char *blocks_base;

    c->net_dir = c->params.folder[0] ? fs_join(c->datadir, c->params.folder) : xstrdup(c->datadir);
    if (*blocks) {
        char *top = absolute(blocks);
        if (!fs_is_dir(top)) {
            free(top);
            return fail(error, xasprintf("Specified blocks directory \"%s\" does not exist.", blocks));
        }
        blocks_base = c->params.folder[0] ? fs_join(top, c->params.folder) : xstrdup(top);
        free(top);
    } else {
        blocks_base = xstrdup(c->net_dir);
    }
    c->blocks_dir = fs_join(blocks_base, "blocks");
    free(blocks_base);
    /* As in Core the index stays in the datadir when the blocks are elsewhere. */
    {
        char *own_blocks = fs_join(c->net_dir, "blocks");
        c->index_dir = fs_join(own_blocks, "index");
        free(own_blocks);
    }
    c->coins_dir = fs_join(c->net_dir, "chainstate");
    c->log_path = file_option(c, "debuglogfile", "debug.log", c->net_dir);
    c->pid_path = file_option(c, "pid", c->core_names ? "bitcoind.pid" : "farthingd.pid", c->net_dir);
    return true;
}

bool node_config_read(struct node_config *c, int argc, char **argv, char **error)
{
    size_t n;
    const struct arg_spec *specs = options_table(&n);
    int rest = argc;
    char *why = NULL;

    memset(c, 0, sizeof(*c));
    c->args = args_new(specs, n);
    if (!args_parse(c->args, argc, argv, &rest, &why)) {
        *error = xasprintf("Error parsing command line arguments: %s", why);
        free(why);
        return false;
    }
    if (rest < argc)
        return fail(error, xasprintf("Command line contains unexpected token '%s', see farthingd -h for a list of options.", argv[rest]));
    if (args_bool(c->args, "help", false) || args_bool(c->args, "h", false) || args_bool(c->args, "?", false) ||
        args_bool(c->args, "help-debug", false) || args_bool(c->args, "version", false))
        return true;
    if (!settle_datadir(c, error))
        return false;
    if (!read_config_file(c, &why)) {
        *error = strncmp(why, "Data directory", 14) == 0 || strncmp(why, "Specified data", 14) == 0
                     ? xstrdup(why)
                     : xasprintf("Error reading configuration file: %s", why);
        free(why);
        return false;
    }
    return select_network(c, error) && settle_paths(c, error);
}

void node_config_clear(struct node_config *c)
{
    args_free(c->args);
    chain_params_clear(&c->params);
    free(c->datadir);
    free(c->net_dir);
    free(c->blocks_dir);
    free(c->index_dir);
    free(c->coins_dir);
    free(c->conf_path);
    free(c->log_path);
    free(c->pid_path);
    memset(c, 0, sizeof(*c));
}
