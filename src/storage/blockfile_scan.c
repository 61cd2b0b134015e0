/* blockfile_scan.c - looks for block records in a file without an index (reindex, -loadblock). One thread at a time. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blockfiles_internal.h"
#include "primitives/block.h"
#include "util/bytes.h"
#include "util/fs.h"
#include "util/mem.h"

/* Holds the largest record and then some, so that most records cost no read of their own. */
#define WINDOW (2u * MAX_BLOCK_SERIALIZED_SIZE)

struct blockfile_scan {
    char *path;
    int fd;
    uint8_t magic[4];
    uint8_t key[OBFUSCATION_KEY_SIZE];
    uint64_t size;
    uint64_t pos;    /* where the search goes on */
    uint64_t retry;  /* where it goes on if the last record is refused */
    uint8_t *window; /* bytes [start, start + held) of the file, in the clear */
    uint64_t start;
    size_t held;
};

enum rc blockfile_scan_open(struct blockfile_scan **out, const char *path, const uint8_t magic[4],
                            const struct blockfiles *xor_from)
{
    struct blockfile_scan *s;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *out = NULL;
    if (fd < 0)
        return storage_error_errno(errno == ENOENT ? RC_NOT_FOUND : RC_IO, "Unable to open file", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        storage_error_set("%s is not a regular file", path);
        close(fd);
        return RC_INVALID;
    }
    s = xcalloc(1, sizeof(*s));
    s->path = xstrdup(path);
    s->fd = fd;
    memcpy(s->magic, magic, sizeof(s->magic));
    if (xor_from)
        memcpy(s->key, xor_from->key, sizeof(s->key));
    s->size = (uint64_t)st.st_size;
    s->window = xmalloc(WINDOW);
    *out = s;
    return RC_OK;
}

/* Makes [pos, pos + len) available, len <= WINDOW and within the file. Out: *p. */
static enum rc scan_bytes(struct blockfile_scan *s, const uint8_t **p, uint64_t pos, size_t len)
{
    size_t keep = 0, want;
    enum rc rc;

    if (pos < s->start || pos + len > s->start + s->held) {
        if (pos >= s->start && pos < s->start + s->held) {
            keep = (size_t)(s->start + s->held - pos);
            memmove(s->window, s->window + (pos - s->start), keep);
        }
        s->start = pos;
        s->held = keep;
        want = s->size - pos < WINDOW ? (size_t)(s->size - pos) : WINDOW;
        rc = fs_pread(s->fd, s->window + keep, want - keep, pos + keep);
        if (rc != RC_OK)
            return storage_error_errno(rc, "Cannot read", s->path);
        obfuscate(s->window + keep, want - keep, s->key, pos + keep);
        s->held = want;
    }
    *p = s->window + (pos - s->start);
    return RC_OK;
}

/* Moves pos to the next place where magic stands with a length behind it. */
static enum rc find_magic(struct blockfile_scan *s)
{
    while (s->size - s->pos >= BLOCKFILE_HEADER) {
        const uint8_t *p, *hit;
        size_t len, searched;
        enum rc rc = scan_bytes(s, &p, s->pos, BLOCKFILE_HEADER);

        if (rc != RC_OK)
            return rc;
        len = (size_t)(s->start + s->held - s->pos);
        searched = len - (BLOCKFILE_HEADER - 1);
        hit = memchr(p, s->magic[0], searched);
        if (!hit) {
            s->pos += searched;
            continue;
        }
        s->pos += (uint64_t)(hit - p);
        if (memcmp(hit, s->magic, sizeof(s->magic)) == 0)
            return RC_OK;
        s->pos++;
    }
    return RC_NOT_FOUND;
}

enum rc blockfile_scan_next(struct blockfile_scan *s, uint8_t **data, size_t *len, uint64_t *pos)
{
    const uint8_t *p;
    uint32_t n;
    enum rc rc;

    *data = NULL;
    *len = 0;
    for (;;) {
        rc = find_magic(s);
        if (rc == RC_OK)
            rc = scan_bytes(s, &p, s->pos, BLOCKFILE_HEADER);
        if (rc != RC_OK)
            return rc;
        n = get_le32(p + 4);
        s->retry = s->pos + 1;
        if (n >= BLOCK_HEADER_SIZE && n <= MAX_BLOCK_SERIALIZED_SIZE && s->pos + BLOCKFILE_HEADER + n <= s->size)
            break;
        s->pos = s->retry;
    }
    *pos = s->pos + BLOCKFILE_HEADER;
    rc = scan_bytes(s, &p, *pos, n);
    if (rc != RC_OK)
        return rc;
    *data = xmemdup(p, n);
    *len = n;
    s->pos = *pos + n;
    return RC_OK;
}

enum rc blockfile_scan_skim(struct blockfile_scan *s, uint8_t header[80], size_t *len, uint64_t *pos)
{
    uint8_t front[BLOCKFILE_HEADER + BLOCK_HEADER_SIZE];
    enum rc rc;

    for (;;) {
        if (s->size - s->pos < sizeof(front))
            return RC_NOT_FOUND;
        rc = fs_pread(s->fd, front, sizeof(front), s->pos);
        if (rc != RC_OK)
            return storage_error_errno(rc, "Cannot read", s->path);
        obfuscate(front, sizeof(front), s->key, s->pos);
        *len = get_le32(front + 4);
        s->retry = s->pos + 1;
        if (memcmp(front, s->magic, sizeof(s->magic)) == 0 && *len >= BLOCK_HEADER_SIZE && *len <= MAX_BLOCK_SERIALIZED_SIZE &&
            s->pos + BLOCKFILE_HEADER + *len <= s->size)
            break;
        s->pos = s->retry;
        rc = find_magic(s);
        if (rc != RC_OK)
            return rc;
    }
    *pos = s->pos + BLOCKFILE_HEADER;
    memcpy(header, front + BLOCKFILE_HEADER, BLOCK_HEADER_SIZE);
    s->pos = *pos + *len;
    return RC_OK;
}

void blockfile_scan_retry(struct blockfile_scan *s)
{
    if (s->retry)
        s->pos = s->retry;
}

uint64_t blockfile_scan_offset(const struct blockfile_scan *s)
{
    return s->pos;
}

uint64_t blockfile_scan_size(const struct blockfile_scan *s)
{
    return s->size;
}

void blockfile_scan_close(struct blockfile_scan *s)
{
    if (!s)
        return;
    close(s->fd);
    free(s->window);
    free(s->path);
    free(s);
}
