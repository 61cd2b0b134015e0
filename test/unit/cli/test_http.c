/* test_http.c - what the client sends to a server of the test's own: address, path, credentials, body; and how it reports failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/http.h"
#include "util/fs.h"
#include "util/mem.h"

static const struct arg_spec SPECS[] = {
    {"rpcconnect", NULL, NULL, 0, NULL},  {"rpcport", NULL, NULL, 0, NULL},       {"rpcuser", NULL, NULL, 0, NULL},
    {"rpcpassword", NULL, NULL, 0, NULL}, {"rpccookiefile", NULL, NULL, 0, NULL}, {"rpcclienttimeout", NULL, NULL, 0, NULL},
};

static const struct network_name REGTEST = {.name = "regtest", .folder = "regtest", .rpc_port = 18443};

/* Answers one request and keeps it. */
struct server {
    int fd;
    uint16_t port;
    const char *answer; /* the whole response; "": the connection is closed without one */
    char request[4096];
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct server *s = arg;
    const int fd = accept(s->fd, NULL, NULL);
    size_t len = 0, want = SIZE_MAX;
    ssize_t n;

    while (fd >= 0 && len < want && len < sizeof(s->request) - 1 &&
           (n = read(fd, s->request + len, sizeof(s->request) - 1 - len)) > 0) {
        char *end, *size;
        len += (size_t)n;
        s->request[len] = 0;
        end = strstr(s->request, "\r\n\r\n");
        size = strcasestr(s->request, "content-length: ");
        if (end && size)
            want = (size_t)(end + 4 - s->request) + strtoul(size + 16, NULL, 10);
    }
    if (fd >= 0 && *s->answer)
        (void)!write(fd, s->answer, strlen(s->answer));
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void server_start(struct server *s, const char *answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);

    memset(s, 0, sizeof(*s));
    s->answer = answer;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(s->fd, 1), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR); /* should nobody have come */
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    close(s->fd);
}

struct call {
    struct args *args;
    struct confdir dir;
    struct http_reply reply;
    enum http_outcome outcome;
    bool cookie_used, cookie_found;
    char *error;
    char folder[64];
};

static int setup(void **state)
{
    struct call *c = xcalloc(1, sizeof(*c));

    strcpy(c->folder, "/tmp/farthing-http-XXXXXX");
    *state = c;
    return mkdtemp(c->folder) ? 0 : -1;
}

static void reset(struct call *c)
{
    args_free(c->args);
    free(c->reply.body);
    free(c->error);
    c->args = NULL;
    c->reply.body = c->error = NULL;
}

static int teardown(void **state)
{
    struct call *c = *state;
    const enum rc rc = fs_remove_tree(c->folder);

    reset(c);
    free(c);
    return rc == RC_OK ? 0 : -1;
}

/* line: options, parted by single blanks. */
static void post(struct call *c, const char *line, const char *path, const char *body)
{
    char *copy = xstrdup(line), *argv[10] = {"prog"}, *save = NULL;
    int argc = 1, rest;

    reset(c);
    c->args = args_new(SPECS, ARRAY_LEN(SPECS));
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    assert_true(args_parse(c->args, argc, argv, &rest, &c->error));
    c->dir = (struct confdir){.net_dir = c->folder, .network = &REGTEST};
    c->outcome = http_post(&c->reply, c->args, &c->dir, path, body, &c->cookie_used, &c->cookie_found, &c->error);
    free(copy);
}

static void post_to(struct call *c, struct server *s, const char *options, const char *answer)
{
    char *line;

    server_start(s, answer);
    line = xasprintf("-rpcport=%u %s", s->port, options);
    post(c, line, "/", "{}\n");
    server_stop(s);
    free(line);
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]"

static void request_and_reply(void **state)
{
    struct call *c = *state;
    struct server s;
    char *line;

    server_start(&s, OK_ANSWER);
    line = xasprintf("-rpcconnect=127.0.0.1:%u -rpcuser=Aladdin -rpcpassword=open", s.port);
    post(c, line, "/wallet/a%20b", "{\"method\":\"x\"}\n");
    server_stop(&s);
    free(line);
    assert_int_equal(c->outcome, HTTP_OK_REPLY);
    assert_int_equal(c->reply.status, 200);
    assert_string_equal(c->reply.body, "[1]");
    assert_false(c->cookie_used);
    assert_memory_equal(s.request, "POST /wallet/a%20b HTTP/1.1\r\n", 29);
    assert_non_null(strstr(s.request, "\r\nHost: 127.0.0.1\r\n"));
    assert_non_null(strstr(s.request, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(s.request, "\r\nAuthorization: Basic QWxhZGRpbjpvcGVu\r\n"));
    assert_string_equal(strstr(s.request, "\r\n\r\n") + 4, "{\"method\":\"x\"}\n");
}

/* Base64 of each remainder; the user's name may be absent. */
static void passwords(void **state)
{
    static const struct {
        const char *options, *header;
    } cases[] = {
        {"-rpcuser=a -rpcpassword=b", "Basic YTpi\r\n"},
        {"-rpcuser=a -rpcpassword=bc", "Basic YTpiYw==\r\n"},
        {"-rpcuser=a -rpcpassword=bcd", "Basic YTpiY2Q=\r\n"},
        {"-rpcpassword=\xc3\xbf:", "Basic OsO/Og==\r\n"},
    };
    struct server s;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        post_to(*state, &s, cases[i].options, OK_ANSWER);
        assert_non_null(strstr(s.request, cases[i].header));
    }
}

static void cookies(void **state)
{
    struct call *c = *state;
    struct server s;
    char *path = fs_join(c->folder, ".cookie");

    post_to(c, &s, "", OK_ANSWER);
    assert_true(c->cookie_used && !c->cookie_found);
    assert_int_equal(fs_write_atomic(path, "__cookie__:1f\n", 14, 0600), RC_OK);
    post_to(c, &s, "-rpcuser=ignored", OK_ANSWER);
    assert_true(c->cookie_used && c->cookie_found);
    assert_non_null(strstr(s.request, "Basic X19jb29raWVfXzoxZg==\r\n"));
    post_to(c, &s, "-norpccookiefile", OK_ANSWER);
    assert_true(c->cookie_used && !c->cookie_found);
    post_to(c, &s, "-rpccookiefile=other", OK_ANSWER);
    assert_true(c->cookie_used && !c->cookie_found);
    free(path);
}

static void statuses(void **state)
{
    struct call *c = *state;
    struct server s;

    post_to(c, &s, "", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(c->outcome, HTTP_OK_REPLY);
    assert_int_equal(c->reply.status, 401);
    assert_string_equal(c->reply.body, "");
    post_to(c, &s, "", "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(c->reply.status, 500);
    assert_string_equal(c->reply.body, "{}");
    post_to(c, &s, "", "HTTP/1.0 200 OK\r\n\r\nup to the end");
    assert_string_equal(c->reply.body, "up to the end");
}

/* Lengths in each form; interim answers; and what is no HTTP. */
static void bodies(void **state)
{
    static const struct {
        const char *answer, *body, *error;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", "abc0123456789",
         NULL},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nContent-Length:2 \n\n[]", "[]", NULL},
        {"HTTP/1.1 204 No Content\r\n\r\n", "", NULL},
        {"HTTP/2 200 OK\r\nContent-Length: 2\r\nContent-Length: 1\r\n\r\n[]", "[]", NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[1]", NULL, "(EOF)"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", NULL, "(EOF)"},
        {"HTTP/1.1 200 OK\r\nContent-Le", NULL, "(EOF)"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc", NULL, "(HTTP error: Invalid chunk size)"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nabc", NULL, "(HTTP error: Invalid chunk size)"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", NULL, "(HTTP error: Invalid Content-Length)"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", NULL, "(HTTP error: Invalid Content-Length)"},
        {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", NULL, "(HTTP error: Header missing colon (:))"},
        {"HTTP/1.1 200 OK\r\n: x\r\n\r\n", NULL, "(HTTP error: Empty header name)"},
        {"HTTP/2 200\r\n\r\n", NULL, "(HTTP error: Invalid status line)"},
        {"HTTP/1.1 9\r\n\r\n", NULL, "(HTTP error: Invalid status line)"},
        {"HTTP/1.1 abc OK\r\n\r\n", NULL, "(HTTP error: Invalid status code)"},
        {"SSH-2.0-x-and-more\r\n", NULL, "(HTTP error: Invalid status line)"},
    };
    struct call *c = *state;
    struct server s;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        post_to(c, &s, "", cases[i].answer);
        assert_int_equal(c->outcome, cases[i].body ? HTTP_OK_REPLY : HTTP_NO_CONNECTION);
        if (cases[i].body)
            assert_string_equal(c->reply.body, cases[i].body);
        else
            assert_non_null(strstr(c->error, cases[i].error));
    }
}

static void no_answer(void **state)
{
    struct call *c = *state;
    struct server s;
    char *want;

    post_to(c, &s, "", "");
    assert_int_equal(c->outcome, HTTP_NO_CONNECTION);
    want = xasprintf("Error while attempting to communicate with server 127.0.0.1:%u (", s.port);
    assert_memory_equal(c->error, want, strlen(want));
    free(want);
    want = xasprintf("-rpcport=%u", s.port); /* nobody listens there any more */
    post(c, want, "/", "{}");
    assert_int_equal(c->outcome, HTTP_NO_CONNECTION);
    assert_non_null(strstr(c->error, "(Could not connect to the server)\n\nMake sure the farthingd server is running"));
    free(want);
}

static void a_silent_server(void **state)
{
    struct call *c = *state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    char *line;

    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    line = xasprintf("-rpcclienttimeout=1 -rpcport=%u", ntohs(a.sin_port));
    post(c, line, "/", "{}");
    assert_int_equal(c->outcome, HTTP_NO_CONNECTION);
    assert_non_null(strstr(c->error, "(timeout)"));
    free(line);
    close(fd);
}

static void bad_settings(void **state)
{
    static const struct {
        const char *options, *error;
    } cases[] = {
        {"-rpcconnect=127.0.0.1:0", "Invalid port provided in -rpcconnect: 127.0.0.1:0"},
        {"-rpcconnect=127.0.0.1:65536", "Invalid port provided in -rpcconnect: 127.0.0.1:65536"},
        {"-rpcconnect=h:1x", "Invalid port provided in -rpcconnect: h:1x"},
        {"-rpcconnect=[::1]:", "Invalid port provided in -rpcconnect: [::1]:"},
        {"-rpcport=0", "Invalid port provided in -rpcport: 0"},
        {"-rpcport=abc", "Invalid port provided in -rpcport: abc"},
        {"-rpcport=99999", "Invalid port provided in -rpcport: 99999"},
    };
    struct call *c = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        post(c, cases[i].options, "/", "{}");
        assert_int_equal(c->outcome, HTTP_BAD_SETTING);
        assert_string_equal(c->error, cases[i].error);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(request_and_reply), T(passwords),       T(cookies),     T(statuses), T(bodies),
                                       T(no_answer),         T(a_silent_server), T(bad_settings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
