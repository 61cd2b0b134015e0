/* A certificate made here, and a client that trusts it and talks through it. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/certificate.h"
#include "net/tls.h"
#include "util/fs.h"
#include "util/mem.h"

struct files {
    char dir[32];
    char *cert, *key;
};

static int setup(void **state)
{
    struct files *f = xcalloc(1, sizeof(*f));

    strcpy(f->dir, "/tmp/tls-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->cert = fs_join(f->dir, "cert.pem");
    f->key = fs_join(f->dir, "key.pem");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct files *f = *state;

    fs_remove_tree(f->dir);
    free(f->cert);
    free(f->key);
    free(f);
    return 0;
}

static void test_certificate(void **state)
{
    struct files *f = *state;
    struct tls_context *ctx;
    struct stat st;
    bool made;
    char *error = NULL, *other = fs_join(f->dir, "other.pem"), *other_key = fs_join(f->dir, "other.key");

    assert_true(certificate_ensure(f->cert, f->key, &made, &error));
    assert_true(made);
    assert_int_equal(stat(f->key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(certificate_ensure(f->cert, f->key, &made, &error)); /* the second time they are left alone */
    assert_false(made);
    ctx = tls_context_new(f->cert, f->key, &error);
    assert_non_null(ctx);
    tls_context_free(ctx);
    /* Halves of different pairs do not fit, and half a pair is not completed. */
    assert_true(certificate_ensure(other, other_key, NULL, &error));
    assert_null(tls_context_new(f->cert, other_key, &error));
    assert_non_null(strstr(error, other_key));
    free(error);
    assert_int_equal(unlink(other), 0);
    assert_false(certificate_ensure(other, other_key, &made, &error));
    assert_non_null(strstr(error, other));
    free(error);
    assert_null(tls_context_new(other, other_key, &error));
    free(error);
    assert_int_equal(fs_write_atomic(other, "no certificate", 14, 0600), RC_OK);
    assert_null(tls_context_new(other, other_key, &error));
    free(error);
    free(other);
    free(other_key);
}

static void echo(struct bufferevent *bev, void *arg)
{
    (void)arg;
    bufferevent_write_buffer(bev, bufferevent_get_input(bev));
}

static SSL *client_of(SSL_CTX **ctx, const struct files *f, int fd)
{
    SSL *ssl;

    *ctx = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_load_verify_locations(*ctx, f->cert, NULL), 1);
    SSL_CTX_set_verify(*ctx, SSL_VERIFY_PEER, NULL);
    ssl = SSL_new(*ctx);
    assert_int_equal(SSL_set1_host(ssl, "localhost"), 1);
    SSL_set_fd(ssl, fd);
    return ssl;
}

static void test_talk(void **state)
{
    struct files *f = *state;
    struct event_base *base = event_base_new();
    struct tls_context *ctx;
    struct bufferevent *bev;
    char *error = NULL, sent[20000], got[20000];
    size_t n = 0, out = 0;
    int fd[2], rc = 0;
    SSL_CTX *client_ctx;
    SSL *client;

    assert_true(certificate_ensure(f->cert, f->key, NULL, &error));
    ctx = tls_context_new(f->cert, f->key, &error);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    bev = tls_accept(ctx, base, fd[0]);
    assert_non_null(bev);
    bufferevent_setcb(bev, echo, NULL, NULL, NULL);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    client = client_of(&client_ctx, f, fd[1]);
    for (int i = 0; i < 1000 && rc != 1; i++) {
        rc = SSL_connect(client);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    assert_int_equal(rc, 1); /* the certificate is good for localhost */
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)(i * 7);
    for (int i = 0; i < 10000 && n < sizeof(got); i++) {
        int r = out < sizeof(sent) ? SSL_write(client, sent + out, (int)(sizeof(sent) - out)) : 0;
        out += r > 0 ? (size_t)r : 0;
        event_base_loop(base, EVLOOP_NONBLOCK);
        r = SSL_read(client, got + n, (int)(sizeof(got) - n));
        n += r > 0 ? (size_t)r : 0;
    }
    assert_int_equal(n, sizeof(sent));
    assert_memory_equal(got, sent, n);
    SSL_free(client);
    SSL_CTX_free(client_ctx);
    close(fd[1]);
    bufferevent_free(bev);
    tls_context_free(ctx);
    event_base_free(base);
}

static bool failed;

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)arg;
    failed = what & BEV_EVENT_ERROR && *tls_failure(bev);
}

/* Somebody who speaks something else. */
static void test_no_tls(void **state)
{
    struct files *f = *state;
    struct event_base *base = event_base_new();
    struct tls_context *ctx;
    struct bufferevent *bev;
    char *error = NULL;
    int fd[2];

    assert_true(certificate_ensure(f->cert, f->key, NULL, &error));
    ctx = tls_context_new(f->cert, f->key, &error);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    bev = tls_accept(ctx, base, fd[0]);
    bufferevent_setcb(bev, NULL, NULL, on_event, NULL);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    assert_int_equal(write(fd[1], "POST / HTTP/1.1\r\n", 17), 17);
    failed = false;
    for (int i = 0; i < 1000 && !failed; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
    assert_true(failed);
    close(fd[1]);
    bufferevent_free(bev);
    tls_context_free(ctx);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_certificate, setup, teardown),
                                       cmocka_unit_test_setup_teardown(test_talk, setup, teardown),
                                       cmocka_unit_test_setup_teardown(test_no_tls, setup, teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
