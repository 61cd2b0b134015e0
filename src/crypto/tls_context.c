/* tls_context.c - the OpenSSL side of a TLS server: its certificate, its key and what it accepts. Made at start, read-only after. */
#include "crypto/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/mem.h"

struct tls_context {
    SSL_CTX *ssl;
};

/* OpenSSL would ask for the password of an encrypted key on the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

const char *tls_error_text(unsigned long code)
{
    const char *text = code ? ERR_reason_error_string(code) : NULL;

    return text ? text : "unknown error";
}

static const char *reason(void)
{
    return tls_error_text(ERR_peek_last_error());
}

static bool configure(SSL_CTX *ssl, const char *cert_path, const char *key_path, char **error)
{
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(ssl, no_password);
    if (SSL_CTX_use_certificate_chain_file(ssl, cert_path) != 1)
        *error = xasprintf("Could not read the TLS certificate %s: %s", cert_path, reason());
    else if (SSL_CTX_use_PrivateKey_file(ssl, key_path, SSL_FILETYPE_PEM) != 1)
        *error = xasprintf("Could not read the TLS key %s: %s", key_path, reason());
    else if (SSL_CTX_check_private_key(ssl) != 1)
        *error = xasprintf("The TLS key %s does not belong to the certificate %s", key_path, cert_path);
    else
        return true;
    return false;
}

struct tls_context *tls_context_new(const char *cert_path, const char *key_path, char **error)
{
    struct tls_context *ctx;
    SSL_CTX *ssl;

    ERR_clear_error();
    ssl = SSL_CTX_new(TLS_server_method());
    if (!ssl) {
        *error = xasprintf("TLS is not to be had: %s", reason());
        return NULL;
    }
    if (!configure(ssl, cert_path, key_path, error)) {
        SSL_CTX_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    ctx = xcalloc(1, sizeof(*ctx));
    ctx->ssl = ssl;
    return ctx;
}

void tls_context_free(struct tls_context *ctx)
{
    if (!ctx)
        return;
    SSL_CTX_free(ctx->ssl);
    free(ctx);
}

struct ssl_st *tls_context_session(const struct tls_context *ctx)
{
    return SSL_new(ctx->ssl);
}
