/* socket.c - libzmq behind what publisher.c needs of it. See socket.h for threads. */
#include "zmq/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "util/bytes.h"
#include "util/log.h"
#include "util/mem.h"

#define LINGER_MS 250 /* at the end, for what is on its way */

struct address {
    char *name;
    void *socket;
    unsigned feeds; /* that use it; 0: closed */
};

struct zmq_sockets {
    void *context;
    struct address *address;
    int n;
};

static void log_failure(const char *what)
{
    log_debug(LOG_ZMQ, "Error: %s, msg: %s", what, zmq_strerror(errno));
}

struct zmq_sockets *zmq_sockets_new(void)
{
    struct zmq_sockets *s;
    int major, minor, patch;
    void *context;

    zmq_version(&major, &minor, &patch);
    log_debug(LOG_ZMQ, "version %d.%d.%d", major, minor, patch);
    log_debug(LOG_ZMQ, "Initialize notification interface");
    context = zmq_ctx_new();
    if (!context) {
        log_failure("Unable to initialize context");
        return NULL;
    }
    s = xcalloc(1, sizeof(*s));
    s->context = context;
    return s;
}

static void close_socket(struct address *a)
{
    int linger = LINGER_MS;

    log_debug(LOG_ZMQ, "Close socket at address %s", a->name);
    zmq_setsockopt(a->socket, ZMQ_LINGER, &linger, sizeof(linger));
    zmq_close(a->socket);
    a->feeds = 0;
}

void zmq_sockets_free(struct zmq_sockets *s)
{
    for (int i = 0; i < s->n; i++) {
        if (s->address[i].feeds)
            close_socket(&s->address[i]);
        free(s->address[i].name);
    }
    while (zmq_ctx_term(s->context) != 0 && errno == EINTR)
        continue;
    free(s->address);
    free(s);
}

/* "tcp://[::1]:28332": an address of digits with colons between them. Some systems dislike the option on sockets of IPv4. */
static int is_ipv6(const char *address)
{
    const char *host = address + 6, *port = strrchr(address, ':');

    return strncmp(address, "tcp://", 6) == 0 && port >= host && memchr(host, ':', (size_t)(port - host)) != NULL;
}

static bool set_option(void *socket, int option, int value, const char *failure)
{
    if (zmq_setsockopt(socket, option, &value, sizeof(value)) == 0)
        return true;
    log_failure(failure);
    return false;
}

static void *open_socket(void *context, const char *address, int hwm)
{
    void *socket = zmq_socket(context, ZMQ_PUB);

    if (!socket) {
        log_failure("Failed to create socket");
        return NULL;
    }
    if (!set_option(socket, ZMQ_SNDHWM, hwm, "Failed to set outbound message high water mark") ||
        !set_option(socket, ZMQ_TCP_KEEPALIVE, 1, "Failed to set SO_KEEPALIVE") ||
        !set_option(socket, ZMQ_IPV6, is_ipv6(address), "Failed to set ZMQ_IPV6")) {
        zmq_close(socket);
        return NULL;
    }
    if (zmq_bind(socket, address) != 0) {
        log_failure("Failed to bind address");
        log_warning("ZMQ: cannot bind to %s (%s)", address, zmq_strerror(errno));
        zmq_close(socket);
        return NULL;
    }
    return socket;
}

int zmq_sockets_bind(struct zmq_sockets *s, const char *address, const char *name, int hwm)
{
    void *socket;
    int i = 0;

    while (i < s->n && strcmp(s->address[i].name, address) != 0)
        i++;
    if (i < s->n)
        log_debug(LOG_ZMQ, "Reusing socket for address %s", address);
    log_debug(LOG_ZMQ, "Outbound message high water mark for pub%s at %s is %d", name, address, hwm);
    if (i == s->n) {
        socket = open_socket(s->context, address, hwm);
        if (!socket)
            return -1;
        s->address = xrealloc(s->address, (size_t)(s->n + 1) * sizeof(*s->address));
        s->address[s->n++] = (struct address){xstrdup(address), socket, 0};
    }
    s->address[i].feeds++;
    return i;
}

static bool send_part(void *socket, const void *data, size_t len, int flags)
{
    zmq_msg_t msg;

    if (zmq_msg_init_size(&msg, len) != 0) {
        log_failure("Unable to initialize ZMQ msg");
        return false;
    }
    if (len)
        memcpy(zmq_msg_data(&msg), data, len);
    while (zmq_msg_send(&msg, socket, flags) < 0) {
        if (errno == EINTR)
            continue;
        log_failure("Unable to send ZMQ msg");
        zmq_msg_close(&msg);
        return false;
    }
    return true; /* the message is the socket's now */
}

bool zmq_sockets_send(struct zmq_sockets *s, int socket, const char *name, const void *body, size_t len, uint32_t sequence)
{
    void *z = s->address[socket].socket;
    uint8_t number[4];

    put_le32(number, sequence);
    return send_part(z, name, strlen(name), ZMQ_SNDMORE) && send_part(z, body, len, ZMQ_SNDMORE) && send_part(z, number, 4, 0);
}

void zmq_sockets_release(struct zmq_sockets *s, int socket)
{
    struct address *a = &s->address[socket];

    if (--a->feeds == 0)
        close_socket(a);
}
