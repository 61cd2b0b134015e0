/* disk_addr.c - addresses as peers.dat and anchors.dat hold them. Pure; called by addrman_file.c and anchors.c. */
#include "net/disk_addr.h"

#include "crypto/sha256.h"
#include "net/addr_codec.h"
#include "primitives/serialize.h"

/* In front of each address stands what was a client version once; only the bits above say something today. */
#define VERSION_WRITTEN 220000u
#define VERSION_IGNORED 0x7ffffu
#define VERSION_ADDRV2 (1u << 29)

bool disk_addr_read(struct reader *r, struct addr_entry *e, bool v2, const char **problem)
{
    uint32_t version = read_u32(r) & ~VERSION_IGNORED;
    uint8_t ip[16];

    if (!r->failed && version != 0 && !(version == VERSION_ADDRV2 && v2)) {
        *problem = "Unsupported CAddress disk format version";
        return false;
    }
    e->time = read_u32(r);
    e->addr.port = 0;
    if (version) {
        e->services = read_compact_u64(r);
        if (!addr_read_v2(r, &e->addr, problem))
            return false;
    } else {
        e->services = read_u64(r);
        read_copy(r, ip, sizeof(ip));
        net_addr_from16(&e->addr, ip);
    }
    e->addr.port = addr_read_port(r);
    return !r->failed;
}

void disk_addr_write(struct writer *w, const struct addr_entry *e)
{
    write_u32(w, VERSION_WRITTEN | VERSION_ADDRV2);
    write_u32(w, e->time);
    write_compact_size(w, e->services);
    addr_write_v2(w, &e->addr);
    addr_write_port(w, e->addr.port);
}

void disk_file_end(struct writer *w)
{
    uint8_t hash[32];

    sha256d(hash, w->data, w->len);
    write_bytes(w, hash, sizeof(hash));
}

bool disk_file_check(struct reader *r, const uint8_t *data)
{
    uint8_t hash[32];
    const uint8_t *end = r->pos, *stored = read_bytes(r, sizeof(hash));

    if (!stored)
        return false;
    sha256d(hash, data, (size_t)(end - data));
    return memcmp(hash, stored, sizeof(hash)) == 0;
}
