/* history.c - the status of a script: one hash over its history, as the protocol defines it. Pure; any thread. */
#include <stdio.h>
#include <string.h>

#include "crypto/sha256.h"
#include "source.h"
#include "util/hex.h"

void script_status_of(struct script_status *out, const struct script_history *h)
{
    struct sha256 ctx;
    char text[64 + 16];

    memset(out, 0, sizeof(*out));
    out->any = h->n > 0;
    out->unconfirmed = h->n > h->n_confirmed;
    if (!out->any)
        return;
    sha256_init(&ctx);
    for (size_t i = 0; i < h->n; i++) {
        hex_encode_reversed(text, h->rows[i].txid.b, 32);
        sha256_write(&ctx, text, 64 + (size_t)snprintf(text + 64, sizeof(text) - 64, ":%d:", h->rows[i].height));
    }
    sha256_finish(&ctx, out->hash);
}

void jw_status(struct json_writer *j, const struct script_status *s)
{
    if (s->any)
        jw_hex(j, s->hash, 32);
    else
        jw_null(j);
}
