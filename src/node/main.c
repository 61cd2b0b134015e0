/* main.c - farthingd: reads the options, prepares the datadir, runs the node, reports failure on standard error with exit code 1. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/config.h"
#include "node/daemon.h"
#include "node/logging.h"
#include "node/net.h"
#include "node/node.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/time.h"

#define START_SPACE_MIN ((uint64_t)50 << 20)

static int fail(const char *text)
{
    fprintf(stderr, "Error: %s\n", text);
    return EXIT_FAILURE;
}

static void print_version(void)
{
    printf("%s daemon version v%s\n", FARTHING_NAME, FARTHING_VERSION);
}

static void print_help(const struct node_config *c)
{
    char *help = args_help(c->args, args_bool(c->args, "help-debug", false));
    print_version();
    printf("\nA full node of the Bitcoin network that verifies the whole chain for itself.\n\n"
           "Usage: farthingd [options]\n\nOptions may also stand, without the dash, in the configuration file.\n\n%s",
           help);
    free(help);
}

/* Makes a folder, writable and ours alone. Out: *lock_fd. */
static bool claim_folder(const char *folder, int *lock_fd, char **error)
{
    char *lock = fs_join(folder, ".lock");
    enum rc rc = fs_mkdirs(folder);

    if (rc == RC_OK)
        rc = fs_lock(lock, lock_fd);
    if (rc == RC_BUSY)
        *error = xasprintf("Cannot obtain a lock on directory %s. %s is probably already running.", folder, FARTHING_NAME);
    else if (rc != RC_OK)
        *error = xasprintf("Cannot write to directory '%s'; check permissions. (%s)", folder, strerror(errno));
    free(lock);
    return rc == RC_OK;
}

/* Out: locks of the network's folder and of the block files, which -blocksdir may have put where another node works. */
static bool claim_folders(const struct node_config *c, int locks[2], char **error)
{
    char *wallets = fs_join(c->dir.net_dir, "wallets");
    char *lock = fs_join(c->dir.net_dir, ".lock");
    bool fresh = !fs_exists(lock), ok = claim_folder(c->dir.net_dir, &locks[0], error);

    /* Core's tools expect the folder in a new datadir. */
    if (ok && fresh && !fs_exists(wallets) && fs_mkdirs(wallets) != RC_OK) {
        *error = xasprintf("Cannot create directory '%s' (%s)", wallets, strerror(errno));
        ok = false;
    }
    free(wallets);
    free(lock);
    return ok && claim_folder(c->blocks_dir, &locks[1], error);
}

/* A node that cannot write would stop a moment later, with less to say about it. */
static bool check_space(const struct node_config *c, char **error)
{
    const char *dirs[] = {c->dir.net_dir, c->blocks_dir};

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        if (fs_exists(dirs[i]) && fs_free_space(dirs[i]) < START_SPACE_MIN) {
            *error = xasprintf("Disk space is low for \"%s\"", dirs[i]);
            return false;
        }
    }
    return true;
}

/* What follows from the options; the log is open. */
static bool settle(struct node_config *c, char **error)
{
    node_net_interact(c->args);
    return node_config_apply(c, error) && node_net_check(c, error) && node_zmq_check(c->args, error);
}

/* What -shutdownnotify says, for a node that ends before it runs. Returns: the exit code. */
static int give_up(const struct node_config *c)
{
    const char *const *commands;
    size_t n = args_list(c->args, "shutdownnotify", &commands);

    daemon_run_commands_wait(commands, n);
    return EXIT_FAILURE;
}

static int run(struct node_config *c)
{
    bool wait = args_bool(c->args, "daemonwait", false);
    bool background = wait || args_bool(c->args, "daemon", false);
    int ready_fd = -1, locks[2] = {-1, -1}, code = EXIT_FAILURE;
    char *error = NULL;

    if (!node_config_check(c, &error)) {
        fail(error);
        free(error);
        return give_up(c);
    }
    if (background && (ready_fd = daemon_start(wait)) < 0)
        return fail("fork() failed");
    if (!claim_folders(c, locks, &error) || !check_space(c, &error) || !node_logging_open(c, !background, &error) ||
        !settle(c, &error)) {
        if (error) {
            log_error("%s", error);
            fail(error);
        }
        daemon_ready(ready_fd, false);
        give_up(c);
    } else {
        if (c->pid_path && !daemon_write_pid(c->pid_path)) {
            error = xasprintf("Unable to create the PID file '%s': %s", c->pid_path, strerror(errno));
            code = fail(error);
            daemon_ready(ready_fd, false);
            give_up(c);
        } else {
            code = node_run(c, ready_fd);
            if (c->pid_path)
                unlink(c->pid_path);
        }
    }
    free(error);
    log_info("Shutdown done");
    log_close();
    for (size_t i = 0; i < ARRAY_LEN(locks); i++)
        if (locks[i] >= 0)
            close(locks[i]);
    return code;
}

int main(int argc, char **argv)
{
    struct node_config c;
    char *error = NULL;
    int code = EXIT_SUCCESS;

    umask(0077);
    mem_few_heaps();
    log_thread_name("init");
    if (!node_config_read(&c, argc, argv, &error)) {
        code = fail(error);
    } else if (args_bool(c.args, "version", false)) {
        print_version();
    } else if (args_bool(c.args, "help", false) || args_bool(c.args, "h", false) || args_bool(c.args, "?", false) ||
               args_bool(c.args, "help-debug", false)) {
        print_help(&c);
    } else {
        code = run(&c);
    }
    free(error);
    node_config_clear(&c);
    return code;
}
