/* reason.c - rules put their reason into the caller's verdict; the library hands out pointers that outlive it. Any thread. */
#include "reason.h"

#include <string.h>

#include "util/mem.h"

const char *reason_constant(const char *reason)
{
    static const char *const reasons[] = {
        "high-hash",
        "bad-signet-blksig",
        "bad-txnmrklroot",
        "bad-txns-duplicate",
        "bad-blk-length",
        "bad-cb-missing",
        "bad-cb-multiple",
        "bad-blk-sigops",
        "bad-version",
        "bad-txns-nonfinal",
        "bad-cb-height",
        "bad-witness-nonce-size",
        "bad-witness-merkle-match",
        "unexpected-witness",
        "bad-blk-weight",
        "bad-txns-vin-empty",
        "bad-txns-vout-empty",
        "bad-txns-oversize",
        "bad-txns-vout-negative",
        "bad-txns-vout-toolarge",
        "bad-txns-txouttotal-toolarge",
        "bad-txns-inputs-duplicate",
        "bad-cb-length",
        "bad-txns-prevout-null",
        "bad-txns-premature-spend-of-coinbase",
        "bad-txns-inputvalues-outofrange",
        "bad-txns-in-belowout",
        "bad-txns-accumulated-fee-outofrange",
        "bad-cb-amount",
    };
    size_t len = strcspn(reason, "(");
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (strlen(reasons[i]) == len && memcmp(reasons[i], reason, len) == 0)
            return reasons[i];
    }
    return "invalid"; /* a rule without an entry above: the tests see to it that there is none */
}
