/* bench_send.c - a client that costs little: sends transactions by sendrawtransaction over several keep-alive connections and measures how
 * long the node takes. Usage: bench_send PORT COOKIE_FILE TRANSACTIONS CONNECTIONS; TRANSACTIONS: hex, one a line.
 *
 * Requests are built before the clock starts; each connection has one on its way at a time. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/base64.h"
#include "util/mem.h"
#include "util/time.h"

#define CONNECTIONS_MAX 64
#define ANSWER_MAX 4096

struct request {
    char *text;
    size_t len;
};
struct connection {
    char in[ANSWER_MAX + 1];
    size_t n_in;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_send: %s\n", what);
    exit(1);
}

static char *authorization(const char *cookie_file)
{
    char cookie[256], *nl, *text;
    FILE *f = fopen(cookie_file, "r");

    if (!f || !fgets(cookie, sizeof(cookie), f))
        fail("no cookie");
    fclose(f);
    nl = strchr(cookie, '\n');
    if (nl)
        *nl = 0;
    text = base64_encode(cookie, strlen(cookie));
    return text;
}

static struct request *read_requests(const char *path, const char *auth, size_t *n)
{
    struct request *all = NULL;
    char *line = NULL;
    size_t room = 0, cap = 0;
    ssize_t len;
    FILE *f = fopen(path, "r");

    if (!f)
        fail("no transactions");
    for (*n = 0; (len = getline(&line, &room, f)) > 1; (*n)++) {
        static const char before[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sendrawtransaction\",\"params\":[\"",
                          after[] = "\"]}";
        line[len - 1] = 0;
        if (*n == cap) {
            cap = cap ? 2 * cap : 1024;
            all = xrealloc(all, cap * sizeof(*all));
        }
        all[*n].text =
            xasprintf("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic %s\r\nContent-Type: application/json\r\n"
                      "Content-Length: %zu\r\n\r\n%s%s%s",
                      auth, sizeof(before) + sizeof(after) - 2 + (size_t)len - 1, before, line, after);
        all[*n].len = strlen(all[*n].text);
    }
    free(line);
    fclose(f);
    return all;
}

static int open_connection(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (fd < 0 || connect(fd, (const struct sockaddr *)(const void *)&a, sizeof(a)) < 0)
        fail("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void send_request(int fd, const struct request *r)
{
    if (send(fd, r->text, r->len, 0) != (ssize_t)r->len)
        fail("cannot send");
}

/* Returns: is the answer whole? Out: *ok: did the node take the transaction? */
static bool take_answer(int fd, struct connection *c, bool *ok)
{
    ssize_t got = recv(fd, c->in + c->n_in, ANSWER_MAX - c->n_in, 0);
    const char *body, *length;

    if (got <= 0)
        fail("the connection ended");
    c->n_in += (size_t)got;
    c->in[c->n_in] = 0;
    body = strstr(c->in, "\r\n\r\n");
    length = body ? strcasestr(c->in, "content-length:") : NULL;
    if (!length || c->n_in < (size_t)(body + 4 - c->in) + strtoul(length + 15, NULL, 10))
        return false;
    *ok = strstr(body, "\"error\":{") == NULL;
    if (!*ok)
        fprintf(stderr, "%s", body + 4);
    c->n_in = 0;
    return true;
}

int main(int argc, char **argv)
{
    struct connection *c = xcalloc(CONNECTIONS_MAX, sizeof(*c));
    struct pollfd fds[CONNECTIONS_MAX];
    size_t n, sent = 0, answered = 0, taken = 0, width;
    struct request *all;
    int64_t start;
    char *auth;

    if (argc < 5)
        fail("usage: bench_send PORT COOKIE_FILE TRANSACTIONS CONNECTIONS");
    auth = authorization(argv[2]);
    all = read_requests(argv[3], auth, &n);
    width = strtoul(argv[4], NULL, 10);
    width = width > CONNECTIONS_MAX ? CONNECTIONS_MAX : width > n ? n : width;
    for (size_t i = 0; i < width; i++)
        fds[i] = (struct pollfd){open_connection((uint16_t)strtoul(argv[1], NULL, 10)), POLLIN, 0};
    start = time_mono_us();
    for (size_t i = 0; i < width; i++)
        send_request(fds[i].fd, &all[sent++]);
    while (answered < n) {
        if (poll(fds, (nfds_t)width, -1) < 0)
            fail("poll");
        for (size_t i = 0; i < width; i++) {
            bool ok;
            if (!fds[i].revents || !take_answer(fds[i].fd, &c[i], &ok))
                continue;
            answered++;
            taken += ok;
            if (sent < n)
                send_request(fds[i].fd, &all[sent++]);
        }
    }
    printf("{\"seconds\": %.6f, \"sent\": %zu, \"taken\": %zu}\n", (double)(time_mono_us() - start) / 1e6, n, taken);
    for (size_t i = 0; i < width; i++)
        close(fds[i].fd);
    for (size_t i = 0; i < n; i++)
        free(all[i].text);
    free(all);
    free(auth);
    free(c);
    return 0;
}
