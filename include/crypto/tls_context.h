/* tls_context.h - certificate and settings of a TLS server. What moves the bytes is net/tls.h. */
#ifndef FARTHING_CRYPTO_TLS_CONTEXT_H
#define FARTHING_CRYPTO_TLS_CONTEXT_H

struct tls_context;
struct ssl_st; /* OpenSSL's SSL */

/** Reads a certificate (with its chain, if it has one) and its key, both PEM; the key may not be encrypted. TLS 1.2 and newer, no renegotiation,
 *  no compression. Any thread. Returns: NULL with *error (to free). */
struct tls_context *tls_context_new(const char *cert_path, const char *key_path, char **error);
void tls_context_free(struct tls_context *ctx);
/** A new server side session, for libevent to own. Returns: NULL if memory is out. */
struct ssl_st *tls_context_session(const struct tls_context *ctx);
/** What an error code of OpenSSL means. Returns: static text. */
const char *tls_error_text(unsigned long code);

#endif
