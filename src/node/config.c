/* config.c - reads both sources of options and settles the paths that follow from them. Called by main once. */
#include "node/config.h"

#include <stdlib.h>
#include <string.h>

#include "node/options.h"
#include "node/settings_file.h"
#include "util/fs.h"
#include "util/mem.h"

static bool fail(char **error, char *text_take)
{
    *error = text_take;
    return false;
}

/* The path of an option's file below base; NULL when negated. */
static char *file_option(const struct node_config *c, const char *option, const char *dflt)
{
    if (args_is_negated(c->args, option))
        return NULL;
    return path_resolve(c->dir.net_dir, args_str(c->args, option, dflt));
}

/* -blocksdir holds the block files; the index stays in the datadir, as in Core. */
static bool settle_blocks(struct node_config *c, char **error)
{
    const char *given = args_str(c->args, "blocksdir", "");
    char *own = fs_join(c->dir.net_dir, "blocks");

    c->index_dir = fs_join(own, "index");
    if (*given) {
        char *top = path_absolute(given);
        char *net = fs_join(top, c->params.folder);
        bool ok = fs_is_dir(top);
        c->blocks_dir = fs_join(c->params.folder[0] ? net : top, "blocks");
        free(top);
        free(net);
        free(own);
        return ok || fail(error, xasprintf("Specified blocks directory \"%s\" does not exist.", given));
    }
    c->blocks_dir = own;
    return true;
}

static bool wants_text_only(const struct args *a)
{
    return args_bool(a, "help", false) || args_bool(a, "h", false) || args_bool(a, "?", false) ||
           args_bool(a, "help-debug", false) || args_bool(a, "version", false);
}

bool node_config_read(struct node_config *c, int argc, char **argv, char **error)
{
    size_t n;
    const struct arg_spec *specs = options_table(&n);
    int rest = argc;
    char *why = NULL;
    enum chain_id id = CHAIN_MAIN;

    memset(c, 0, sizeof(*c));
    c->args = args_new(specs, n);
    if (!args_parse(c->args, argc, argv, &rest, &why)) {
        *error = xasprintf("Error parsing command line arguments: %s", why);
        free(why);
        return false;
    }
    if (rest < argc)
        return fail(error,
                    xasprintf("Command line contains unexpected token '%s', see farthingd -h for a list of options.", argv[rest]));
    if (wants_text_only(c->args))
        return true;
    if (!confdir_read(&c->dir, c->args, error) || !confdir_check_ignored(&c->dir, c->args, error))
        return false;
    if (!settings_file_read(c->args, c->dir.net_dir, error))
        return false;
    if (!chain_id_from_name(&id, c->dir.network->name))
        return fail(error, xasprintf("Unknown chain %s.", c->dir.network->name));
    chain_params_init(&c->params, id);
    c->coins_dir = fs_join(c->dir.net_dir, "chainstate");
    c->log_path = file_option(c, "debuglogfile", "debug.log");
    c->pid_path = file_option(c, "pid", c->dir.core_names ? "bitcoind.pid" : "farthingd.pid");
    return true;
}

bool node_config_check(struct node_config *c, char **error)
{
    *error = args_section_errors(c->args);
    return !*error && settle_blocks(c, error);
}

void node_config_clear(struct node_config *c)
{
    args_free(c->args);
    chain_params_clear(&c->params);
    keyring_clear(&c->signet_keys);
    confdir_clear(&c->dir);
    free(c->blocks_dir);
    free(c->index_dir);
    free(c->coins_dir);
    free(c->log_path);
    free(c->pid_path);
    memset(c, 0, sizeof(*c));
}
