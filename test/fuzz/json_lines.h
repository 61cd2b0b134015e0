/* json_lines.h - what fuzz targets of servers that answer in lines ask of all of them. */
#ifndef FARTHING_TEST_FUZZ_JSON_LINES_H
#define FARTHING_TEST_FUZZ_JSON_LINES_H

#include "rpc/json_read.h"
#include "rpc/json_write.h"
#include "util/assert.h"

/* What was written is whole lines, each a JSON object, or an array where these may be. It is cleared. */
static inline void check_json_lines(struct json_writer *out, bool arrays)
{
    struct writer *w = &out->w;
    size_t at = 0;

    for (size_t i = 0; i < w->len; i++) {
        struct json_object *o;
        if (w->data[i] != '\n')
            continue;
        ASSERT(json_read(&o, (const char *)w->data + at, i - at));
        ASSERT(json_object_is_type(o, json_type_object) || (arrays && json_object_is_type(o, json_type_array)));
        json_object_put(o);
        at = i + 1;
    }
    ASSERT(at == w->len);
    jw_clear(out);
}

#endif
