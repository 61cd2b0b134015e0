/* fuzz_electrum.c - the lines of an Electrum client. What is answered must be lines of JSON, and not much more than what is known. After an empty
 * line something happens to every script that the client watches, and it is told. */
#include "../unit/electrum/fake_source.h"
#include "electrum/session.h"
#include "json_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct listener {
    struct electrum_session *session;
    size_t n;
};

static void tell(void *ctx, uint64_t watcher, const struct script_hash *h, const char *address, const struct script_status *status)
{
    struct listener *l = ctx;

    ASSERT(watcher == l->session->watcher.id);
    electrum_write_change(&l->session->out, h, address, status);
    l->n++;
}

/* All scripts have another history than the client was told of. */
static void notify(struct electrum_session *s, struct fake *f)
{
    const struct script_status changed = {.any = true, .hash = {0x77}};
    struct listener l = {.session = s, .n = 0};
    struct touched_script touched[8];
    size_t n;

    watch_touch_all(f->watches, false);
    while ((n = watch_take(f->watches, touched, ARRAY_LEN(touched))) > 0) {
        for (size_t i = 0; i < n; i++)
            watch_publish(f->watches, &touched[i].hash, &changed, tell, &l);
    }
    ASSERT(l.n <= watch_count(f->watches));
    check_json_lines(&s->out, true);
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
        check_json_lines(&s.out, true);
        if (len == 0)
            notify(&s, &f);
        p = stop ? stop + 1 : end;
    }
    watch_remove_all(f.watches, &s.watcher);
    ASSERT(watch_count(f.watches) == 0);
    electrum_session_clear(&s);
    fake_clear(&f);
    return 0;
}
