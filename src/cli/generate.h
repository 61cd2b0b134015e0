/* generate.h - farthing-cli -generate: blocks for tests. */
#ifndef FARTHING_CLI_GENERATE_H
#define FARTHING_CLI_GENERATE_H

#include <stddef.h>

#include "cli/client.h"

/** Mines blocks to a new address of the wallet; without one, to -miningaddress. words: [number of blocks [most tries a block]].
 *  Prints {"address", "blocks"}. Returns: the exit code. */
int generate_run(const struct client *c, const char *const *words, size_t n);

#endif
