/* PSBTs of any bytes: what is read is written and read again without a change, and all that commands do with it does no harm. */
#include <stdlib.h>

#include "psbt/psbt.h"
#include "util/assert.h"
#include "util/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct writer encoded(const struct psbt *p)
{
    struct writer w = WRITER_INIT;

    psbt_encode(&w, p);
    return w;
}

static void assert_same(struct writer a, struct writer b)
{
    ASSERT(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
    writer_clear(&a);
    writer_clear(&b);
}

/* A ring of a key, a script and a tree that corpora may hold. */
static void make_ring(struct keyring *ring)
{
    static const uint8_t secret[32] = {[31] = 1}, script[34] = {0x20, [33] = 0xac};
    static const uint32_t path[2] = {0x80000054, 7};
    uint8_t output[32];

    keyring_add_key(ring, secret, true);
    keyring_add_pub(ring, ring->keys[0].pub, 33, secret, path, 2);
    keyring_add_script(ring, script, sizeof(script));
    keyring_add_tap_tree(output, ring, ring->keys[0].pub + 1, &(struct tap_tree_leaf){0, 0xc0, script, sizeof(script)}, 1);
}

static void sign(struct psbt *p, const struct keyring *ring, bool dummy)
{
    const struct psbt_signing s = {.ring = ring, .finalize = p->n_in & 1, .dummy = dummy};
    struct psbt_work w;

    if (psbt_work_init(&w, p)) {
        for (size_t i = 0; i < p->n_in; i++) {
            struct sign_data d = {.n_sigs = 0};
            psbt_sign(&w, i, &s, &d);
            sign_data_clear(&d);
        }
        psbt_work_clear(&w);
    }
    for (size_t i = 0; i < p->n_out; i++)
        psbt_update_output(p, i, ring, false);
    psbt_drop_unneeded(p);
}

/* One made of a transaction is a PSBT of it. */
static void check_made(const struct tx *tx, uint32_t version)
{
    struct psbt *p = psbt_of_tx(tx, version), *again;
    struct writer w = encoded(p);
    struct tx *same;
    char *error;

    again = psbt_decode(w.data, w.len, &error);
    ASSERT(again && again->n_in == tx->n_in && again->n_out == tx->n_out);
    assert_same(encoded(again), encoded(p));
    same = psbt_unsigned_tx(again);
    ASSERT(same && same->version == tx->version && same->lock_time == tx->lock_time);
    tx_unref(same);
    writer_clear(&w);
    psbt_free(again);
    psbt_free(p);
}

static void work_on(const struct psbt *original)
{
    struct psbt *p = psbt_clone(original);
    struct psbt_analysis a;
    struct keyring ring = {.n_keys = 0};
    struct outpoint twice;
    struct tx *tx;
    char *error;

    make_ring(&ring);
    sign(p, &ring, false);
    {
        struct writer w = encoded(p); /* what came of it is a PSBT, too, unless a tree was written that no one can read */
        struct psbt *q = psbt_decode(w.data, w.len, &error);
        if (q) {
            psbt_merge(q, original);
            psbt_free(q);
        }
        free(error);
        writer_clear(&w);
    }
    psbt_analyze(&a, p, 20);
    psbt_analysis_clear(&a);
    psbt_free(p);
    p = psbt_clone(original);
    psbt_finalize(p);
    tx = psbt_extract(p);
    if (tx)
        check_made(tx, original->version);
    tx_unref(tx);
    psbt_free(p);
    if (original->version == 0) {
        p = psbt_join((struct psbt *const[]){(struct psbt *)(uintptr_t)original}, 1, &twice);
        psbt_free(p);
    }
    keyring_clear(&ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *error;
    struct psbt *p = psbt_decode(data, size, &error), *again, *merged;
    struct writer w;

    ASSERT((p == NULL) == (error != NULL));
    free(error);
    if (!p)
        return 0;
    w = encoded(p);
    again = psbt_decode(w.data, w.len, &error);
    ASSERT(again);
    assert_same(encoded(again), encoded(p));
    merged = psbt_clone(again);
    if (psbt_merge(merged, p))
        assert_same(encoded(merged), encoded(p));
    work_on(again);
    writer_clear(&w);
    psbt_free(merged);
    psbt_free(again);
    psbt_free(p);
    return 0;
}
