/* fuzz_snapshot.c - any bytes as a snapshot file of regtest: what it yields obeys the rules of coins, and it ends. */
#include "chain/snapshot_read.h"

#include <stdlib.h>

#include "util/assert.h"

#define HEIGHT 299

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t n;
    int64_t script_bytes; /* read, so that a sanitizer sees what is not there */
};

static bool take(void *ctx, const struct outpoint *o, const struct coin *c, char **error)
{
    struct seen *s = ctx;

    (void)error;
    ASSERT(c->height <= HEIGHT && money_in_range(c->out.value) && o->n <= INT32_MAX);
    for (uint32_t i = 0; i < c->out.script_len; i++)
        s->script_bytes += c->out.script[i];
    s->n++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {0};
    struct snapshot_reading r = {.height = HEIGHT, .take = take, .ctx = &seen};
    struct snapshot_head head;
    struct chain_params p;
    char *error = NULL;
    FILE *f = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;

    if (!f)
        return 0;
    chain_params_init(&p, CHAIN_REGTEST);
    if (snapshot_read_head(&head, f, &p, &error)) {
        bool ok;

        ASSERT(!error);
        r.coins = head.coins;
        ok = snapshot_read_coins(f, &r, &error);
        ASSERT(ok == !error && seen.n <= head.coins && (!ok || seen.n == head.coins));
    } else {
        ASSERT(error);
    }
    free(error);
    chain_params_clear(&p);
    fclose(f);
    return 0;
}
