/* fuzz_stratum.c - the lines of a stratum client, with the clock going on in between. What is answered must be lines of JSON, and a block that is
 * found must be one. */
#include <stdlib.h>

#include "json_lines.h"
#include "rpc/server_priv.h"
#include "rpc/stratum_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1700000000

static struct mining_work *make_work(const struct block_entry *prev, uint32_t bits)
{
    struct block_template *t = xcalloc(1, sizeof(*t));

    t->prev = prev;
    t->height = prev->node.height + 1;
    t->version = 0x20000000;
    t->bits = bits;
    t->time = NOW;
    t->min_time = NOW - 1000;
    t->coinbase_value = 5000000000;
    t->segwit_active = true;
    t->commitment_len = 38;
    t->commitment = xcalloc(1, t->commitment_len);
    return mining_work_new(t);
}

static void check_out(struct stratum_session *s)
{
    check_json_lines(&s->out, false);
    if (s->found) {
        uint8_t hash[32];
        memcpy(hash, s->found->hash.b, 32);
        ASSERT(u256_cmp(u256_from_le(hash), target_from_bits(s->found->header.bits, NULL, NULL)) <= 0);
        block_unref(s->found);
        s->found = NULL;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t extra1[STRATUM_EXTRA1] = {1, 2, 3, 4};
    struct chain_params params;
    struct block_entry prev = {.node = {.height = 99, .time = NOW - 100, .bits = 0x207fffff}};
    struct mining_work *work;
    struct stratum_session *s = xcalloc(1, sizeof(*s));
    int64_t now = 0;
    bool up = true;

    time_mock_set(NOW);
    chain_params_init(&params, CHAIN_REGTEST);
    work = make_work(&prev, size && data[0] == '#' ? 0x1d00ffff : 0x207fffff);
    stratum_session_init(s, &params, extra1, 1, now);
    for (size_t at = 0, end; at < size && up; at = end + 1) {
        for (end = at; end < size && data[end] != '\n'; end++)
            continue;
        now += 700000;
        if (data[at] == '#') { /* events of our own */
            now += 10000000;
            stratum_session_tick(s, now);
            stratum_session_work(s, work, end - at > 1);
        } else {
            up = stratum_session_line(s, (const char *)data + at, end - at, now);
        }
        check_out(s);
    }
    ASSERT(stratum_session_rate(s, now) >= 0);
    stratum_session_clear(s);
    mining_work_unref(work);
    chain_params_clear(&params);
    free(s);
    time_mock_set(0);
    return 0;
}
