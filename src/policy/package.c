/* package.c - transactions that are judged together: what can be said against the package without looking at coins. Called by RPC; pure. */
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "policy/policy.h"
#include "util/mem.h"

#define MAX_PACKAGE_COUNT 25
#define MAX_PACKAGE_WEIGHT 404000

/* An input and the transaction that it is of. */
struct spend {
    struct outpoint prevout;
    size_t of;
};

static int by_prevout(const void *a, const void *b)
{
    const struct spend *x = a, *y = b;
    int d = memcmp(x->prevout.txid.b, y->prevout.txid.b, 32);

    if (d == 0 && x->prevout.n != y->prevout.n)
        d = x->prevout.n < y->prevout.n ? -1 : 1;
    return d;
}

/* Do two of them spend the same? (One that spends something twice has a fault of its own.) */
static bool has_conflict(struct tx *const *txs, size_t n)
{
    size_t total = 0, k = 0;
    struct spend *spends;
    bool found = false;

    for (size_t i = 0; i < n; i++)
        total += txs[i]->n_in;
    spends = xmalloc((total + 1) * sizeof(*spends));
    for (size_t i = 0; i < n; i++) {
        for (uint32_t in = 0; in < txs[i]->n_in; in++)
            spends[k++] = (struct spend){*txs[i]->in[in].prevout, i};
    }
    qsort(spends, total, sizeof(*spends), by_prevout);
    for (k = 1; k < total && !found; k++)
        found = by_prevout(&spends[k - 1], &spends[k]) == 0 && spends[k - 1].of != spends[k].of;
    free(spends);
    return found;
}

static bool has_duplicate(struct tx *const *txs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (txid_equal(&txs[i]->txid, &txs[k]->txid))
                return true;
        }
    }
    return false;
}

/* Do parents come before their children? */
static bool is_sorted(struct tx *const *txs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (uint32_t in = 0; in < txs[i]->n_in; in++) {
            for (size_t k = i; k < n; k++) {
                if (txid_equal(&txs[i]->in[in].prevout->txid, &txs[k]->txid))
                    return false;
            }
        }
    }
    return true;
}

const char *policy_package_error(struct tx *const *txs, size_t n)
{
    int64_t weight = 0;

    for (size_t i = 0; i < n; i++)
        weight += tx_weight(txs[i]);
    if (n > MAX_PACKAGE_COUNT)
        return "package-too-many-transactions";
    if (n > 1 && weight > MAX_PACKAGE_WEIGHT)
        return "package-too-large";
    if (has_duplicate(txs, n))
        return "package-contains-duplicates";
    if (!is_sorted(txs, n))
        return "package-not-sorted";
    return has_conflict(txs, n) ? "conflict-in-package" : NULL;
}

static bool spends_any(const struct tx *child, const struct tx *parent)
{
    for (uint32_t i = 0; i < child->n_in; i++) {
        if (txid_equal(&child->in[i].prevout->txid, &parent->txid))
            return true;
    }
    return false;
}

bool policy_is_child_with_parents(struct tx *const *txs, size_t n, bool tree)
{
    if (n < 2)
        return false;
    for (size_t i = 0; i + 1 < n; i++) {
        if (!spends_any(txs[n - 1], txs[i]))
            return false;
        for (size_t k = 0; tree && k + 1 < n; k++) {
            if (spends_any(txs[i], txs[k]))
                return false;
        }
    }
    return true;
}

struct hash256 policy_package_hash(struct tx *const *txs, size_t n)
{
    uint8_t *ids = xmalloc(n * 32 + 1);
    struct hash256 out;

    for (size_t i = 0; i < n; i++)
        memcpy(ids + 32 * i, txs[i]->wtxid.b, 32);
    qsort(ids, n, 32, hash_by_number);
    sha256(out.b, ids, n * 32);
    free(ids);
    return out;
}
