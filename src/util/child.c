/* child.c - another program, its two outputs read side by side. Called by commands that need one, on pool threads. */
#include "util/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/mem.h"

extern char **environ;

#define ASK_MS 100

/* One output: the end of a pipe that is read, -1 once it is closed. */
struct pipe_end {
    int fd;
    struct writer data;
};

static int spawn(pid_t *pid, char *const *words, int out, int err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    int rc;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    posix_spawnattr_init(&attr);
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawnp(pid, words[0], &actions, &attr, words, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* Returns: 0, EFBIG if there is too much. */
static int read_some(struct pipe_end *p, size_t most)
{
    uint8_t piece[4096];
    ssize_t n = read(p->fd, piece, sizeof(piece));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) {
        close(p->fd);
        p->fd = -1;
        return 0;
    }
    if (p->data.len + (size_t)n > most)
        return EFBIG;
    write_bytes(&p->data, piece, (size_t)n);
    return 0;
}

static int collect(struct pipe_end ends[2], size_t most, bool (*stop)(void *ctx), void *ctx)
{
    int rc = 0;

    while (rc == 0 && (ends[0].fd >= 0 || ends[1].fd >= 0)) {
        struct pollfd fds[2] = {{ends[0].fd, POLLIN, 0}, {ends[1].fd, POLLIN, 0}};
        if (stop && stop(ctx))
            return ECANCELED;
        if (poll(fds, 2, ASK_MS) <= 0)
            continue;
        for (int i = 0; i < 2 && rc == 0; i++) {
            if (ends[i].fd >= 0 && fds[i].revents)
                rc = read_some(&ends[i], most);
        }
    }
    return rc;
}

static int code_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Both outputs are closed, but it may go on: then it is asked whether to stop, too. */
static int await(pid_t pid, bool kill_it, bool (*stop)(void *ctx), void *ctx, int *code)
{
    const struct timespec pause = {0, 1000000L * ASK_MS};
    int status = 0, rc = 0;
    pid_t done;

    while (!kill_it && (done = waitpid(pid, &status, stop ? WNOHANG : 0)) <= 0) {
        if (done < 0 && errno != EINTR)
            return errno;
        if (stop && stop(ctx)) {
            kill_it = true;
            rc = ECANCELED;
        } else if (done == 0) {
            nanosleep(&pause, NULL);
        }
    }
    if (kill_it) {
        kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    *code = code_of(status);
    return rc;
}

int child_run(struct child_result *r, char *const *words, size_t most, bool (*stop)(void *ctx), void *ctx)
{
    struct pipe_end ends[2] = {{-1, WRITER_INIT}, {-1, WRITER_INIT}};
    int out[2], err[2], rc, ended;
    pid_t pid;

    memset(r, 0, sizeof(*r));
    if (pipe2(out, O_CLOEXEC) != 0)
        return errno;
    if (pipe2(err, O_CLOEXEC) != 0) {
        rc = errno;
        close(out[0]);
        close(out[1]);
        return rc;
    }
    rc = spawn(&pid, words, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    ends[0].fd = out[0];
    ends[1].fd = err[0];
    if (rc == 0) {
        rc = collect(ends, most, stop, ctx);
        ended = await(pid, rc != 0, stop, ctx, &r->code);
        rc = rc ? rc : ended;
    }
    for (int i = 0; i < 2; i++) {
        if (ends[i].fd >= 0)
            close(ends[i].fd);
        write_u8(&ends[i].data, 0);
    }
    r->out = (char *)ends[0].data.data;
    r->err = (char *)ends[1].data.data;
    if (rc)
        child_result_clear(r);
    return rc;
}

void child_result_clear(struct child_result *r)
{
    free(r->out);
    free(r->err);
    r->out = r->err = NULL;
}
