/* daemon.h - the process: background, pid file, user commands. Main thread at start and end, unless stated. */
#ifndef FARTHING_NODE_DAEMON_H
#define FARTHING_NODE_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Goes to the background. The parent prints "Farthing starting" and leaves: at once, or with wait once daemon_ready is called
 *  (its exit code is 1 if the child ends before). Returns in the child only: the descriptor for daemon_ready, -1 on failure. */
int daemon_start(bool wait);
/** Tells a waiting parent that initialization is finished; with ok false, that it failed. fd: of daemon_start; negative: nothing to do. */
void daemon_ready(int fd, bool ok);
/** Writes the process id and a newline. Returns: false if the file cannot be written. */
bool daemon_write_pid(const char *path);
/** Runs a command of the user in a shell, %s replaced by arg (may be NULL), without waiting for it; failures are logged. Any thread. */
void daemon_run_command(const char *command, const char *arg);
/** Runs commands beside each other, and waits for the end of all. Empty ones are none. */
void daemon_run_commands_wait(const char *const *commands, size_t n);
/** Tells systemd a state ("READY=1", "STOPPING=1", "STATUS=..."), when it asked for that through NOTIFY_SOCKET. Any thread. */
void daemon_notify_systemd(const char *state);
/** How often systemd wants to hear "WATCHDOG=1" (WatchdogSec=), halved for safety. Returns: microseconds, 0: not at all. */
int64_t daemon_watchdog_us(void);

#endif
