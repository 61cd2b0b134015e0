/* tls_client.c - TLS of the command line's client: one connection, one thread. */
#include "crypto/tls_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crypto/tls_context.h"
#include "util/hex.h"
#include "util/mem.h"

struct tls_client {
    SSL_CTX *ctx;
    SSL *ssl;
};

static const char *reason(void)
{
    return tls_error_text(ERR_peek_last_error());
}

static bool load_trust(SSL_CTX *ctx, const char *ca_path, char **error)
{
    if (!ca_path) {
        SSL_CTX_set_default_verify_paths(ctx);
        return true;
    }
    if (SSL_CTX_load_verify_locations(ctx, ca_path, NULL) == 1)
        return true;
    *error = xasprintf("Could not read certificates from %s: %s", ca_path, reason());
    return false;
}

/* The certificate must name the host; an address is looked for among addresses. */
static bool expect_host(SSL *ssl, const char *host)
{
    uint8_t address[16];

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_tlsext_host_name(ssl, host);
    return SSL_set1_host(ssl, host) == 1;
}

static bool fingerprint_fits(SSL *ssl, const char *fingerprint)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    uint8_t digest[32];
    char text[65] = "";

    if (cert && X509_digest(cert, EVP_sha256(), digest, NULL) == 1)
        hex_encode(text, digest, sizeof(digest));
    X509_free(cert);
    return strcasecmp(text, fingerprint) == 0;
}

static bool shake_hands(SSL *ssl, int fd, const char *host, const char *fingerprint, char **error)
{
    long verdict;

    SSL_set_verify(ssl, fingerprint ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (SSL_set_fd(ssl, fd) != 1 || !expect_host(ssl, host)) {
        *error = xasprintf("TLS: %s", reason());
        return false;
    }
    if (SSL_connect(ssl) != 1) {
        verdict = SSL_get_verify_result(ssl);
        *error = xasprintf("TLS: %s", verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : reason());
        return false;
    }
    if (!fingerprint || fingerprint_fits(ssl, fingerprint))
        return true;
    *error = xstrdup("TLS: the server's certificate has another fingerprint");
    return false;
}

struct tls_client *tls_client_new(int fd, const char *host, const char *ca_path, const char *fingerprint, char **error)
{
    struct tls_client *t = xcalloc(1, sizeof(*t));

    ERR_clear_error();
    t->ctx = SSL_CTX_new(TLS_client_method());
    if (t->ctx) {
        SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
        SSL_CTX_set_mode(t->ctx, SSL_MODE_AUTO_RETRY);
        if (load_trust(t->ctx, ca_path, error) && (t->ssl = SSL_new(t->ctx)) != NULL &&
            shake_hands(t->ssl, fd, host, fingerprint, error))
            return t;
    }
    if (!*error)
        *error = xasprintf("TLS is not to be had: %s", reason());
    ERR_clear_error();
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    free(t);
    return NULL;
}

/* Turns what OpenSSL answers into what read(2) and write(2) would. */
static ssize_t outcome(struct tls_client *t, int n)
{
    int kind;

    if (n > 0)
        return n;
    kind = SSL_get_error(t->ssl, n);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    return kind == SSL_ERROR_ZERO_RETURN || (kind == SSL_ERROR_SYSCALL && errno == 0) ? 0 : -1;
}

ssize_t tls_client_read(struct tls_client *t, void *data, size_t len)
{
    errno = 0;
    ERR_clear_error();
    return outcome(t, SSL_read(t->ssl, data, len > INT_MAX ? INT_MAX : (int)len));
}

ssize_t tls_client_write(struct tls_client *t, const void *data, size_t len)
{
    errno = 0;
    ERR_clear_error();
    return outcome(t, SSL_write(t->ssl, data, len > INT_MAX ? INT_MAX : (int)len));
}

void tls_client_free(struct tls_client *t)
{
    if (!t)
        return;
    SSL_shutdown(t->ssl);
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    free(t);
}
