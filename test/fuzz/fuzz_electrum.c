/* fuzz_electrum.c - the lines of an Electrum client. What is answered must be lines of JSON, and not much more than what is known. */
#include "../unit/electrum/fake_source.h"
#include "electrum/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_out(struct electrum_session *s)
{
    struct writer *w = &s->out.w;
    size_t at = 0;

    for (size_t i = 0; i < w->len; i++) {
        struct json_object *o;
        if (w->data[i] != '\n')
            continue;
        ASSERT(json_read(&o, (const char *)w->data + at, i - at));
        ASSERT(json_object_is_type(o, json_type_object) || json_object_is_type(o, json_type_array));
        json_object_put(o);
        at = i + 1;
    }
    ASSERT(at == w->len);
    jw_clear(&s->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data, *end = p + size;
    struct electrum_session s;
    bool goes_on = true;
    struct fake f;

    fake_init(&f);
    electrum_session_init(&s, &f.src, 7);
    while (p < end && goes_on) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((stop ? stop : end) - p);
        if (len <= electrum_session_limit(&s))
            goes_on = electrum_session_line(&s, p, len);
        ASSERT(s.cost >= 0);
        check_out(&s);
        p = stop ? stop + 1 : end;
    }
    watch_remove_all(f.watches, &s.watcher);
    ASSERT(watch_count(f.watches) == 0);
    electrum_session_clear(&s);
    fake_clear(&f);
    return 0;
}
