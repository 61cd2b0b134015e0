/* vectors.h - test vectors kept outside the project, for all unit tests.
 *
 * They live in ../shared/vectors next to the project's root, or in the folder that FARTHING_VECTORS names. Where the folder
 * is missing, vectors_path says so in one line (once for each program) and the test passes with what it can do without. */
#ifndef FARTHING_TEST_VECTORS_H
#define FARTHING_TEST_VECTORS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

/** The path of a vector file. Returns: a string to free(), NULL if the whole folder is missing. A file that is missing from an
 *  existing folder ends the test program: that is a mistake, not a choice. */
static inline char *vectors_path(const char *rel)
{
    static const char *const places[] = {"../shared/vectors", "../../shared/vectors"};
    static bool told;
    const char *dir = getenv("FARTHING_VECTORS");
    char *path;

    for (size_t i = 0; !dir && i < ARRAY_LEN(places); i++)
        if (fs_is_dir(places[i]))
            dir = places[i];
    if (!dir || !fs_is_dir(dir)) {
        if (!told)
            printf("SKIP: no test vectors found (../shared/vectors or FARTHING_VECTORS)\n");
        told = true;
        return NULL;
    }
    path = fs_join(dir, rel);
    if (!fs_exists(path)) {
        fprintf(stderr, "no vector file %s\n", path);
        exit(1);
    }
    return path;
}

/** A whole vector file, NUL-terminated beyond len. Returns: to free(), NULL if the folder is missing. */
static inline uint8_t *vectors_read(const char *rel, size_t *len)
{
    char *path = vectors_path(rel);
    uint8_t *data = NULL;

    *len = 0;
    if (!path)
        return NULL;
    if (fs_read(path, (size_t)1 << 30, &data, len) != RC_OK) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    free(path);
    return data;
}

/** A parsed JSON vector file. Returns: to json_object_put(), NULL if the folder is missing. */
static inline struct json_object *vectors_json(const char *rel)
{
    size_t len;
    uint8_t *text = vectors_read(rel, &len);
    struct json_object *json;

    if (!text)
        return NULL;
    json = json_tokener_parse((const char *)text);
    free(text);
    if (!json) {
        fprintf(stderr, "%s is not JSON\n", rel);
        exit(1);
    }
    return json;
}

/** Hex of any length to bytes. Returns: to free(); ends the program if it is no hex. */
static inline uint8_t *vectors_hex(const char *hex, size_t *len)
{
    size_t n = strlen(hex) / 2;
    uint8_t *out = (uint8_t *)xmalloc(n);

    if (!hex_decode(out, n, hex)) {
        fprintf(stderr, "not hex: %.80s\n", hex);
        exit(1);
    }
    *len = n;
    return out;
}

/** The string member of a JSON object, NULL if it is absent. Borrowed. */
static inline const char *vectors_str(struct json_object *obj, const char *key)
{
    struct json_object *v;
    return json_object_object_get_ex(obj, key, &v) ? json_object_get_string(v) : NULL;
}

/** The hex member of a JSON object as bytes to free(). Ends the program if it is absent. */
static inline uint8_t *vectors_hex_member(struct json_object *obj, const char *key, size_t *len)
{
    const char *hex = vectors_str(obj, key);

    if (!hex) {
        fprintf(stderr, "no member %s\n", key);
        exit(1);
    }
    return vectors_hex(hex, len);
}

#endif
