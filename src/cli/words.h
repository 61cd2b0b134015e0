/* words.h - the words of a command: of the command line and of standard input. */
#ifndef FARTHING_CLI_WORDS_H
#define FARTHING_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/args.h"

struct words {
    char **v; /* owned, as are the strings */
    size_t n, cap;
};

/** Puts together what belongs to the command: with -stdinrpcpass a line of standard input becomes -rpcpassword, with -stdinwalletpassphrase the
 *  next one is the command's first argument, with -stdin all further ones follow at the end. argv: the n words behind the options.
 *  Returns: false with *error (to free). w is to be cleared either way. */
bool words_collect(struct words *w, struct args *a, char **argv, int n, char **error);
void words_clear(struct words *w);

#endif
