/* logging.h - the log as the options want it. Main thread, at start. */
#ifndef FARTHING_NODE_LOGGING_H
#define FARTHING_NODE_LOGGING_H

#include "node/config.h"

/** Opens the log, sets its categories and levels, and writes what is being started. foreground: -printtoconsole's default.
 *  Returns: false with *error. */
bool node_logging_open(const struct node_config *c, bool foreground, char **error);

#endif
