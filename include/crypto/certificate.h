/* certificate.h - a key and a self-signed certificate for TLS, for nodes whose owner has none. Any thread. */
#ifndef FARTHING_CRYPTO_CERTIFICATE_H
#define FARTHING_CRYPTO_CERTIFICATE_H

#include <stdbool.h>

/** Makes a P-256 key and a certificate signed by itself, valid for ten years for this machine's name, localhost, 127.0.0.1 and ::1, unless both
 *  files are there. The key's file may be read by its owner only. Returns: false with *error (to free): one of two files is missing, or they
 *  cannot be written. Out: *made (may be NULL): were they written? */
bool certificate_ensure(const char *cert_path, const char *key_path, bool *made, char **error);

#endif
