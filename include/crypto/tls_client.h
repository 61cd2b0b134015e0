/* tls_client.h - the client's side of TLS on a blocking socket, for the command line. */
#ifndef FARTHING_CRYPTO_TLS_CLIENT_H
#define FARTHING_CRYPTO_TLS_CLIENT_H

#include <stddef.h>
#include <sys/types.h>

struct tls_client;

/** Shakes hands on a connected socket, which stays the caller's; its timeouts (SO_RCVTIMEO, SO_SNDTIMEO) count. TLS 1.2 and newer.
 *  host: the name or address that the certificate must be for. ca_path: a PEM file of certificates to trust (a self-signed one is its own);
 *  NULL: those of the system. fingerprint: 64 hex digits, the SHA-256 of the one certificate to trust, whatever its name; NULL: none.
 *  Any thread. Returns: NULL with *error (to free). */
struct tls_client *tls_client_new(int fd, const char *host, const char *ca_path, const char *fingerprint, char **error);
/** As read(2) and write(2): bytes, 0 at the end, -1 on an error (errno EAGAIN: the socket's timeout). */
ssize_t tls_client_read(struct tls_client *t, void *data, size_t len);
ssize_t tls_client_write(struct tls_client *t, const void *data, size_t len);
/** Says goodbye if it can. NULL: nothing. */
void tls_client_free(struct tls_client *t);

#endif
