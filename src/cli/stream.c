/* stream.c - connects to the node and moves bytes. */
#include "cli/stream.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "crypto/tls_client.h"
#include "util/mem.h"

struct stream {
    int fd;
    struct tls_client *tls; /* NULL: plain */
};

/* Linux counts SO_SNDTIMEO for connect(2), too. Takes the socket on failure. */
static int connect_with(int fd, const struct sockaddr *a, socklen_t len, int timeout_s)
{
    struct timeval tv = {timeout_s, 0};

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    if (connect(fd, a, len) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_unix(const char *path, int timeout_s)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(a.sun_path))
        return -1;
    memcpy(a.sun_path, path, strlen(path) + 1);
    return connect_with(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), (const struct sockaddr *)&a, sizeof(a), timeout_s);
}

static int connect_tcp(const char *host, uint16_t port, int timeout_s, char **error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
    char service[8];
    int fd = -1;

    snprintf(service, sizeof(service), "%u", port);
    if (!*host || getaddrinfo(host, service, &hints, &list) != 0) {
        *error = xasprintf("Could not resolve host: %s", host);
        return -1;
    }
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd =
            connect_with(socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol), a->ai_addr, a->ai_addrlen, timeout_s);
    freeaddrinfo(list);
    return fd;
}

struct stream *stream_open(const struct stream_target *t, bool *tls_failed, char **error)
{
    struct stream *s;
    int fd;

    *error = NULL;
    *tls_failed = false;
    fd = t->unix_path ? connect_unix(t->unix_path, t->timeout_s) : connect_tcp(t->host, t->port, t->timeout_s, error);
    if (fd < 0) {
        if (!*error)
            *error = xstrdup("Could not connect to the server");
        return NULL;
    }
    s = xcalloc(1, sizeof(*s));
    s->fd = fd;
    if (!t->tls || (s->tls = tls_client_new(fd, t->host, t->ca_path, t->fingerprint, error)) != NULL)
        return s;
    *tls_failed = true;
    stream_close(s);
    return NULL;
}

bool stream_write(struct stream *s, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = s->tls ? tls_client_write(s->tls, p, len) : send(s->fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

ssize_t stream_read(struct stream *s, void *data, size_t len)
{
    ssize_t n;

    do {
        n = s->tls ? tls_client_read(s->tls, data, len) : recv(s->fd, data, len, 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

void stream_close(struct stream *s)
{
    tls_client_free(s->tls);
    close(s->fd);
    free(s);
}
