/* blockfiles_read.c - reading records back. Any thread: each read opens the file for itself, so that pruning and writing need
 * not know of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blockfiles_internal.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "util/bytes.h"
#include "util/fs.h"
#include "util/mem.h"

#define PIECE ((size_t)128 << 10)

/* One record, opened. */
struct record {
    const struct blockfiles *bf;
    char *path;
    int fd;
    bool cached;  /* read it only if that needs no disk */
    uint64_t pos; /* of the data */
    uint32_t len; /* as its header says, and the file is long enough for it */
};

static void record_close(struct record *r)
{
    if (r->fd >= 0)
        close(r->fd);
    free(r->path);
}

/* In pieces that stay in the processor's cache until they are in the clear. */
static enum rc record_bytes(const struct record *r, uint8_t *out, size_t len, uint64_t pos)
{
    while (len) {
        size_t n = len < PIECE ? len : PIECE;
        enum rc rc = r->cached ? fs_pread_cached(r->fd, out, n, pos) : fs_pread(r->fd, out, n, pos);

        if (rc == RC_BUSY)
            return rc;
        if (rc != RC_OK)
            return storage_error_errno(rc, "Cannot read", r->path);
        obfuscate(out, n, r->bf->key, pos);
        out += n;
        pos += n;
        len -= n;
    }
    return RC_OK;
}

/* Reads and checks magic and length; extra: bytes that must stand behind the data. */
static enum rc record_header(struct record *r, uint32_t max, uint32_t extra)
{
    uint8_t head[BLOCKFILE_HEADER];
    struct stat st;
    enum rc rc = record_bytes(r, head, sizeof(head), r->pos - BLOCKFILE_HEADER);

    if (rc != RC_OK)
        return rc;
    if (memcmp(head, r->bf->magic, 4) != 0) {
        storage_error_set("No record at position %llu of %s: wrong magic", (unsigned long long)r->pos, r->path);
        return RC_CORRUPT;
    }
    if (fstat(r->fd, &st) != 0)
        return storage_error_errno(RC_IO, "Cannot examine", r->path);
    r->len = get_le32(head + 4);
    if (r->len > max || r->pos + r->len + extra > (uint64_t)st.st_size) {
        storage_error_set("The record at position %llu of %s has an impossible length: %u", (unsigned long long)r->pos, r->path,
                          r->len);
        return RC_CORRUPT;
    }
    return RC_OK;
}

static enum rc record_begin(struct record *r, enum file_kind kind, int32_t file)
{
    if (file < 0 || r->pos < BLOCKFILE_HEADER) {
        storage_error_set("No record can stand at file %d, position %llu", file, (unsigned long long)r->pos);
        return RC_INVALID;
    }
    r->path = blockfiles_path(r->bf, kind, (unsigned)file);
    r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return storage_error_errno(errno == ENOENT ? RC_NOT_FOUND : RC_IO, "Unable to open file", r->path);
    return kind == FILE_BLOCKS ? record_header(r, COMPACT_SIZE_MAX, 0) : record_header(r, BLOCKFILE_UNDO_MAX, 32);
}

/* Opens the file and checks the record's header. record_close in any case. */
static enum rc record_open(struct record *r, const struct blockfiles *bf, enum file_kind kind, int32_t file, uint32_t pos)
{
    *r = (struct record){.bf = bf, .fd = -1, .pos = pos};
    return record_begin(r, kind, file);
}

enum rc blockfiles_read(struct blockfiles *bf, uint8_t **data, size_t *len, struct disk_pos pos)
{
    struct record r;
    enum rc rc = record_open(&r, bf, FILE_BLOCKS, pos.file, pos.pos);

    *data = NULL;
    *len = 0;
    if (rc == RC_OK) {
        uint8_t *buf = xmalloc(r.len);
        rc = record_bytes(&r, buf, r.len, r.pos);
        if (rc == RC_OK) {
            *data = buf;
            *len = r.len;
        } else {
            free(buf);
        }
    }
    record_close(&r);
    return rc;
}

enum rc blockfiles_read_cached(struct blockfiles *bf, uint8_t *out, size_t *len, size_t cap, struct disk_pos pos)
{
    struct record r = {.bf = bf, .fd = -1, .pos = pos.pos, .cached = true};
    enum rc rc = record_begin(&r, FILE_BLOCKS, pos.file);

    *len = 0;
    if (rc == RC_OK && r.len > cap)
        rc = RC_INVALID;
    if (rc == RC_OK)
        rc = record_bytes(&r, out, r.len, r.pos);
    if (rc == RC_OK)
        *len = r.len;
    record_close(&r);
    return rc;
}

enum rc blockfiles_read_part(struct blockfiles *bf, uint8_t *out, struct disk_pos pos, uint32_t offset, uint32_t len)
{
    struct record r;
    enum rc rc = record_open(&r, bf, FILE_BLOCKS, pos.file, pos.pos);

    if (rc == RC_OK && (len == 0 || (uint64_t)offset + len > r.len))
        rc = RC_INVALID;
    if (rc == RC_OK)
        rc = record_bytes(&r, out, len, r.pos + offset);
    record_close(&r);
    return rc;
}

enum rc blockfiles_read_some(struct blockfiles *bf, uint8_t *out, size_t *len, size_t cap, struct disk_pos pos, uint32_t offset)
{
    struct record r;
    enum rc rc = record_open(&r, bf, FILE_BLOCKS, pos.file, pos.pos);

    *len = 0;
    if (rc == RC_OK && offset >= r.len)
        rc = RC_INVALID;
    if (rc == RC_OK) {
        size_t n = r.len - offset < cap ? r.len - offset : cap;

        rc = record_bytes(&r, out, n, r.pos + offset);
        if (rc == RC_OK)
            *len = n;
    }
    record_close(&r);
    return rc;
}

enum rc blockfiles_read_undo(struct blockfiles *bf, uint8_t **data, size_t *len, int32_t file, uint32_t undo_pos,
                             const struct block_hash *prev)
{
    uint8_t sum[32], *buf = NULL;
    struct sha256 ctx;
    struct record r;
    enum rc rc = record_open(&r, bf, FILE_UNDO, file, undo_pos);

    *data = NULL;
    *len = 0;
    if (rc == RC_OK) {
        buf = xmalloc((size_t)r.len + 32);
        rc = record_bytes(&r, buf, (size_t)r.len + 32, r.pos);
    }
    if (rc == RC_OK) {
        sha256_init(&ctx);
        sha256_write(&ctx, prev->b, sizeof(prev->b));
        sha256_write(&ctx, buf, r.len);
        sha256d_finish(&ctx, sum);
        if (memcmp(sum, buf + r.len, 32) != 0) {
            storage_error_set("Checksum mismatch at position %u of %s", undo_pos, r.path);
            rc = RC_CORRUPT;
        }
    }
    if (rc == RC_OK) {
        *data = buf;
        *len = r.len;
        buf = NULL;
    }
    free(buf);
    record_close(&r);
    return rc;
}
