/* words.c - collects the words of a command. */
#include "cli/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "util/mem.h"

/* Returns: the next line without its end (to free), NULL if there is none. */
static char *read_line(FILE *f)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = getline(&line, &cap, f);

    if (n < 0) {
        free(line);
        return NULL;
    }
    if (n > 0 && line[n - 1] == '\n')
        line[n - 1] = 0;
    return line;
}

/* A line that a terminal does not show. */
static char *read_secret(const char *prompt)
{
    struct termios old;
    bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;
    char *line;

    if (terminal) {
        struct termios silent = old;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &silent);
        fputs(prompt, stderr);
    }
    line = read_line(stdin);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &old);
        fputc('\n', stdout);
    }
    return line;
}

static void add_take(struct words *w, size_t at, char *word)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 16;
        w->v = xrealloc(w->v, w->cap * sizeof(w->v[0]));
    }
    memmove(w->v + at + 1, w->v + at, (w->n - at) * sizeof(w->v[0]));
    w->v[at] = word;
    w->n++;
}

static bool add_passphrase(struct words *w, char **error)
{
    static const char method[] = "walletpassphrase";
    char *line;

    if (w->n == 0 || strncmp(w->v[0], method, strlen(method)) != 0) {
        *error = xstrdup("-stdinwalletpassphrase is only applicable for walletpassphrase(change)");
        return false;
    }
    line = read_secret("Wallet passphrase> ");
    if (line)
        add_take(w, 1, line);
    else
        *error = xstrdup("-stdinwalletpassphrase specified but failed to read from standard input");
    return line != NULL;
}

static bool take_password(struct args *a, char **error)
{
    char *line = read_secret("RPC password> ");

    if (line)
        args_force(a, "rpcpassword", line);
    else
        *error = xstrdup("-stdinrpcpass specified but failed to read from standard input");
    free(line);
    return !*error;
}

bool words_collect(struct words *w, struct args *a, char **argv, int n, char **error)
{
    char *line;

    memset(w, 0, sizeof(*w));
    *error = NULL;
    if (args_bool(a, "stdinrpcpass", false) && !take_password(a, error))
        return false;
    for (int i = 0; i < n; i++)
        add_take(w, w->n, xstrdup(argv[i]));
    if (args_bool(a, "stdinwalletpassphrase", false) && !add_passphrase(w, error))
        return false;
    if (args_bool(a, "stdin", false)) {
        while ((line = read_line(stdin)) != NULL)
            add_take(w, w->n, line);
        if (isatty(STDIN_FILENO))
            fputc('\n', stdout);
    }
    return true;
}

void words_clear(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->v[i]);
    free(w->v);
    memset(w, 0, sizeof(*w));
}
