/* replay.c - runs a fuzz target over files and folders without libFuzzer: how `make check` replays the corpus. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX ((size_t)64 << 20)

static unsigned replay_file(const char *path)
{
    uint8_t *data, *exact;
    size_t len;

    if (fs_read(path, INPUT_MAX, &data, &len) != RC_OK) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    /* An allocation of just that size lets sanitizers see a read past the end. */
    exact = malloc(len ? len : 1);
    if (!exact)
        abort();
    memcpy(exact, data, len);
    free(data);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 1;
}

static unsigned replay_path(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    unsigned n = 0;

    if (!dir)
        return replay_file(path);
    while ((e = readdir(dir)) != NULL) {
        char *child;
        if (e->d_name[0] == '.')
            continue;
        child = fs_join(path, e->d_name);
        n += replay_path(child);
        free(child);
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    unsigned n = 0;
    for (int i = 1; i < argc; i++)
        n += replay_path(argv[i]);
    printf("%u inputs\n", n);
    return n ? 0 : 1;
}
