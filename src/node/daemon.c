/* daemon.c - background process, pid file, user commands, systemd's readiness protocol. Called by main and node. */
#include "node/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/thread.h"

/* The parent's part: leaves with the child's first word, or at once. */
_Noreturn static void parent_leave(int fd, bool wait)
{
    char ok = 1;
    printf("Farthing starting\n");
    fflush(stdout);
    if (wait && read(fd, &ok, 1) != 1)
        ok = 0; /* the child ended without a word */
    _exit(ok ? 0 : 1);
}

int daemon_start(bool wait)
{
    int fds[2];
    int null;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    pid = fork();
    if (pid < 0)
        return -1;
    if (pid > 0) {
        close(fds[1]);
        parent_leave(fds[0], wait);
    }
    close(fds[0]);
    setsid();
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        /* Errors of the start are still shown when somebody waits for it. */
        if (!wait)
            dup2(null, STDERR_FILENO);
        close(null);
    }
    return fds[1];
}

void daemon_ready(int fd, bool ok)
{
    char token = ok ? 1 : 0;
    int null;

    if (fd < 0)
        return;
    /* From now on nobody reads along: a pipe that the caller waits for the end of must not stay open. */
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDERR_FILENO);
        close(null);
    }
    if (write(fd, &token, 1) != 1)
        log_warning("The waiting parent process is gone");
    close(fd);
}

bool daemon_write_pid(const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    fprintf(f, "%d\n", (int)getpid());
    return fclose(f) == 0;
}

/* command with every %s replaced. */
static char *expand(const char *command, const char *arg)
{
    struct writer w = WRITER_INIT;
    for (const char *p = command; *p; p++) {
        if (arg && p[0] == '%' && p[1] == 's') {
            write_bytes(&w, arg, strlen(arg));
            p++;
        } else {
            write_u8(&w, (uint8_t)*p);
        }
    }
    write_u8(&w, 0);
    return (char *)w.data;
}

static void *run_thread(void *arg)
{
    char *command = arg;
    int status = *command ? system(command) : 0;

    if (status != 0)
        log_error("runCommand error: system(%s) returned %d", command, status);
    free(command);
    return NULL;
}

void daemon_run_commands_wait(const char *const *commands, size_t n)
{
    pthread_t *threads = xcalloc(n + 1, sizeof(*threads));

    for (size_t i = 0; i < n; i++)
        threads[i] = thread_start("runcommand", run_thread, xstrdup(commands[i]));
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

void daemon_run_command(const char *command, const char *arg)
{
    pthread_detach(thread_start("runcommand", run_thread, expand(command, arg)));
}

void daemon_notify_systemd(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    int fd;

    if (len == 0 || len >= sizeof(addr.sun_path))
        return;
    memcpy(addr.sun_path, path, len);
    if (addr.sun_path[0] == '@')
        addr.sun_path[0] = 0; /* abstract name */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&addr,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        log_warning("systemd was not told %s: %s", state, strerror(errno));
    close(fd);
}

int64_t daemon_watchdog_us(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

    if (!getenv("NOTIFY_SOCKET") || !usec || (pid && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    return strtoll(usec, NULL, 10) / 2;
}
