/* fuzz_asmap.c - AS maps. The first 16 bytes are an address, the rest a map: one that passes the check must answer for every address. */
#include "net/asmap.h"
#include "net/netgroup.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t ip[16];
    uint32_t asn;
    struct netgroup *g;

    if (size < 16)
        return 0;
    memcpy(ip, data, 16);
    data += 16;
    size -= 16;
    if (!asmap_check(data, size)) {
        asmap_lookup(&asn, data, size, ip); /* the answer means nothing, but nothing is read beyond the end */
        return 0;
    }
    g = netgroup_new(data, size);
    ASSERT(g && netgroup_has_asmap(g));
    for (int i = 0; i < 128; i++) {
        ip[i / 8] ^= (uint8_t)(1 << i % 8);
        ASSERT(asmap_lookup(&asn, data, size, ip));
    }
    netgroup_free(g);
    return 0;
}
