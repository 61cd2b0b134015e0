/* fuzz_config.c - any bytes as a command line (the first line, words parted by blanks) and a config file (the rest), for each network:
 * nothing may crash or leak, an error comes with a message, and what the accessors say of one option never contradicts itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/args.h"
#include "util/assert.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_WORDS 30

static const struct arg_spec SPECS[] = {
    {"help", NULL, "Options", 0, "Print this"},
    {"datadir", "<dir>", "Options", ARG_NO_NEGATION, "Where the data are"},
    {"port", "<port>", "Connection options", ARG_NETWORK_ONLY, "Where to listen"},
    {"rpcpassword", "<pw>", "RPC server options", ARG_SENSITIVE, "Secret"},
    {"debug", "<category>", "Debugging/Testing options", ARG_DEBUG_ONLY, "What to log"},
    {"loglevel", "<level>", NULL, ARG_NEEDS_VALUE, NULL},
    {"here", NULL, NULL, ARG_COMMAND_LINE_ONLY, NULL},
    {"server", NULL, NULL, 0, NULL},
    {"node", NULL, NULL, 0, NULL}, /* begins with "no" */
    {"conf", NULL, NULL, 0, NULL},
    {"includeconf", NULL, NULL, 0, NULL},
    {"chain", NULL, NULL, 0, NULL},
    {"regtest", NULL, NULL, 0, NULL},
    {"testnet", NULL, NULL, 0, NULL},
    {"testnet4", NULL, NULL, 0, NULL},
    {"signet", NULL, NULL, 0, NULL},
};

/* One line as argv; text is cut into words. */
static bool parse_words(struct args *a, char *text, char **error)
{
    char *argv[MAX_WORDS + 1] = {"fuzz"}, *save = NULL;
    int argc = 1, rest = -1;
    bool ok;

    for (char *word = strtok_r(text, " ", &save); word && argc < MAX_WORDS; word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    ok = args_parse(a, argc, argv, &rest, error);
    ASSERT(!ok || (rest >= 1 && rest <= argc));
    return ok;
}

/* No file but the given one is read: other paths are not the fuzzer's to choose. */
static bool read_file(struct args *a, const uint8_t *data, size_t len, char **error)
{
    const int fd = memfd_create("config", 0);
    char path[40];
    bool ok;

    ASSERT(fd >= 0 && write(fd, data, len) == (ssize_t)len);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    args_set_include_dir(a, "/proc/self/fdinfo/none");
    ok = args_read_config(a, path, false, error);
    close(fd);
    return ok;
}

static void check_option(const struct args *a, const char *name)
{
    const char *const *values;
    const size_t n = args_list(a, name, &values);
    const char *text = args_str(a, name, NULL);

    for (size_t i = 0; i < n; i++)
        ASSERT(values[i] && strlen(values[i]) < (size_t)1 << 24);
    ASSERT((text != NULL) == args_is_set(a, name));
    if (args_is_negated(a, name)) {
        ASSERT(strcmp(text, "0") == 0);
        ASSERT(!args_bool(a, name, true) && args_int(a, name, 7) == 0);
    }
    if (!text) {
        ASSERT(args_bool(a, name, true) && !args_bool(a, name, false));
        ASSERT(args_int(a, name, 7) == 7);
    }
}

static void count(void *ctx, const char *source, const char *name, const char *value)
{
    ASSERT(source && name && value);
    (*(size_t *)ctx)++;
}

static void check_all(struct args *a)
{
    size_t n = 0;
    char *errors = args_section_errors(a), *help = args_help(a, true);

    for (size_t i = 0; i < ARRAY_LEN(SPECS); i++)
        check_option(a, SPECS[i].name);
    ASSERT(!errors || errors[strlen(errors) - 1] == '\n');
    ASSERT(args_warnings(a) && args_section_warnings(a) && strstr(help, "-datadir=<dir>"));
    args_each(a, count, &n);
    if (!args_is_set(a, "server")) {
        ASSERT(args_soft_set(a, "server", "soft") && strcmp(args_str(a, "server", ""), "soft") == 0);
        ASSERT(!args_soft_set(a, "server", "again"));
    }
    args_force(a, "port", "17");
    ASSERT(args_int(a, "port", 0) == 17);
    free(errors);
    free(help);
}

/* Does a line of the file include one by an absolute path? */
static bool includes_elsewhere(const uint8_t *data, size_t len)
{
    return memmem(data, len, "includeconf", 11) && memchr(data, '/', len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    const size_t line = newline ? (size_t)(newline - data) : size;
    struct args *a = args_new(SPECS, ARRAY_LEN(SPECS));
    char *words = xcalloc(1, line + 1), *error = NULL;
    const char *chain = NULL;
    bool ok;

    if (line)
        memcpy(words, data, line);
    ok = parse_words(a, words, &error);
    if (ok && newline && !includes_elsewhere(newline + 1, size - line - 1))
        ok = read_file(a, newline + 1, size - line - 1, &error);
    if (ok)
        chain = args_chain(a, &error);
    if (chain) {
        args_select_network(a, chain);
        check_all(a);
    }
    ASSERT((error == NULL) == (chain != NULL));
    ASSERT(!error || *error);
    free(error);
    free(words);
    args_free(a);
    return 0;
}
