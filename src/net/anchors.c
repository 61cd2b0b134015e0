/* anchors.c - anchors.dat: the addresses of block-relay-only peers of the last run. The node's loop calls it at start and end. */
#include <stdlib.h>
#include <unistd.h>

#include "net/addrman.h"
#include "net/disk_addr.h"
#include "primitives/serialize.h"
#include "util/fs.h"
#include "util/mem.h"

#define MAX_FILE (1 << 20)
#define LEAST_ENTRY 13 /* bytes of the shortest address: of an unknown network, with nothing in it */

static size_t decode(struct addr_entry *entries, size_t max, const uint8_t *data, size_t len, const uint8_t magic[4])
{
    struct reader r = reader_make(data, len);
    const uint8_t *m = read_bytes(&r, 4);
    uint64_t count = read_compact_size(&r);
    const char *problem;
    struct addr_entry e;

    if (!m || memcmp(m, magic, 4) != 0 || count > reader_left(&r) / LEAST_ENTRY)
        return 0;
    for (uint64_t i = 0; i < count; i++) {
        if (!disk_addr_read(&r, &e, true, &problem))
            return 0;
        if (i < max)
            entries[i] = e;
    }
    if (!disk_file_check(&r, data))
        return 0;
    return count < max ? (size_t)count : max;
}

size_t anchors_load(struct addr_entry *entries, size_t max, const char *path, const uint8_t magic[4])
{
    uint8_t *data;
    size_t len, n = 0;

    if (fs_read(path, MAX_FILE, &data, &len) == RC_OK) {
        n = decode(entries, max, data, len, magic);
        free(data);
    }
    unlink(path);
    return n;
}

enum rc anchors_save(const char *path, const struct addr_entry *entries, size_t n, const uint8_t magic[4])
{
    struct writer w = WRITER_INIT;
    enum rc rc;

    write_bytes(&w, magic, 4);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++)
        disk_addr_write(&w, &entries[i]);
    disk_file_end(&w);
    rc = fs_write_atomic(path, w.data, w.len, 0600);
    writer_clear(&w);
    return rc;
}
