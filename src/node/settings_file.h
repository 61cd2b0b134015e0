/* settings_file.h - settings.json: options that programs around the node keep (Core's GUI, its wallets), below the command line and above the
 * config file. Read at start and written back as it was, so that it is there to be edited. Main thread, at start. */
#ifndef FARTHING_NODE_SETTINGS_FILE_H
#define FARTHING_NODE_SETTINGS_FILE_H

#include <stdbool.h>

#include "util/args.h"

/** Reads -settings (<net_dir>/settings.json unless another is named; nothing with -nosettings) into args, and writes it with Core's comment,
 *  through a temporary file. The log says which settings there are, and which of them are no options. Returns: false with *error (to free): "Settings file could not be read" and why. */
bool settings_file_read(struct args *a, const char *net_dir, char **error);
#endif
