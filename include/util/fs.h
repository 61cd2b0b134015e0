/* fs.h - files and folders. All functions set errno on failure. Any thread. */
#ifndef FARTHING_UTIL_FS_H
#define FARTHING_UTIL_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/rc.h"

/** dir "/" name in a new string. */
char *fs_join(const char *dir, const char *name);
bool fs_exists(const char *path);
bool fs_is_dir(const char *path);
/** Do both paths lead to the same existing file or folder? */
bool fs_same(const char *a, const char *b);
/** When a file was last changed. Out: *seconds (Unix time). Returns: false if there is none. */
bool fs_mtime(const char *path, int64_t *seconds);
/** mkdir -p with mode 0700. */
enum rc fs_mkdirs(const char *path);
/** Reads a whole file of at most max bytes (RC_CORRUPT if it is larger). Out: *data (to free, NUL-terminated beyond len), *len. */
enum rc fs_read(const char *path, size_t max, uint8_t **data, size_t *len);
/** Writes path.tmp, fsyncs, renames over path, fsyncs the folder: either the old or the new content survives a crash. */
enum rc fs_write_atomic(const char *path, const void *data, size_t len, unsigned mode);
/** fsync of a folder, so that a rename or creation in it survives. */
enum rc fs_sync_dir(const char *path);
/** Whole reads and writes at an offset (pread/pwrite until done). A short file is RC_CORRUPT. */
enum rc fs_pread(int fd, void *out, size_t len, uint64_t offset);
/** The same only if nothing of it has to be fetched from a disk. RC_BUSY: it would have to be, or that can not be told, or nothing can be read. */
enum rc fs_pread_cached(int fd, void *out, size_t len, uint64_t offset);
enum rc fs_pwrite(int fd, const void *data, size_t len, uint64_t offset);
/** Makes sure that [offset, offset+len) is allocated on disk. */
enum rc fs_preallocate(int fd, uint64_t offset, uint64_t len);
/** Free bytes on the file system of path; UINT64_MAX when unknown. */
uint64_t fs_free_space(const char *path);
/** Takes an exclusive lock on a file, creating it; held until *fd is closed. Returns: RC_BUSY if another process has it. */
enum rc fs_lock(const char *path, int *fd);
/** rm -r. A missing path is RC_OK. */
enum rc fs_remove_tree(const char *path);

/** Raises the number of files that the process may have open, as far as the system lets it. want: at least so many. Any thread.
 *  Returns: the limit now in force. */
size_t fs_raise_open_files(size_t want);

#endif
