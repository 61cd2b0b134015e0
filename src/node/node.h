/* node.h - the composition root: opens the parts in order, runs the loop, closes them in reverse. */
#ifndef FARTHING_NODE_NODE_H
#define FARTHING_NODE_NODE_H

#include "node/config.h"

/** Runs the node until it is told to stop. Main thread, which becomes the loop thread. ready_fd: see daemon_ready.
 *  Returns: the process's exit code; errors were reported. */
int node_run(struct node_config *config, int ready_fd);

#endif
