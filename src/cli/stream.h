/* stream.h - the client's connection: TCP, a unix socket, or TLS over either. Blocking, with a limit for each wait. */
#ifndef FARTHING_CLI_STREAM_H
#define FARTHING_CLI_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream;
struct stream_target {
    const char *host; /* name or address; of a unix socket: what a certificate must be for */
    uint16_t port;
    const char *unix_path; /* NULL: TCP */
    bool tls;
    const char *ca_path, *fingerprint; /* of TLS, as tls_client_new has them; NULL: none */
    int timeout_s;                     /* of each wait */
};

/** Connects. Returns: NULL with the reason in *error (to free); *tls_failed: there was a connection. */
struct stream *stream_open(const struct stream_target *t, bool *tls_failed, char **error);
/** All of data. Returns: false on an error. */
bool stream_write(struct stream *s, const void *data, size_t len);
/** Up to len bytes. Returns: 0 at the end, -1 on an error, errno EAGAIN if time is up. */
ssize_t stream_read(struct stream *s, void *data, size_t len);
void stream_close(struct stream *s);

#endif
