/* test_stratum.c - a client's side of stratum v1 against a miner that knows only the protocol: work to header and block, what is refused, difficulty
 * over a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/sha256.h"
#include "rpc/server_priv.h"
#include "rpc/stratum_session.h"

#define USER "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
#define NOW 1700000000
#define SECOND 1000000

struct bench {
    struct chain_params params;
    struct block_entry prev;
    struct mining_work *work;
    struct stratum_session s;
    struct json_object *lines; /* what came out, an array */
    uint32_t mask;
};

static struct tx *some_tx(unsigned seed)
{
    struct outpoint from = {.n = seed};
    struct tx_builder b;
    struct tx *tx;

    memset(from.txid.b, (int)seed + 1, 32);
    tx_builder_init(&b, 2, 0);
    tx_builder_add_in(&b, &from, "\x51", 1, 0xffffffff);
    tx_builder_add_out(&b, 1000 + seed, "\x51", 1);
    tx = tx_build(&b);
    tx_builder_clear(&b);
    return tx;
}

static struct mining_work *make_work(const struct block_entry *prev, uint32_t bits, size_t n_txs, bool segwit)
{
    struct block_template *t = xcalloc(1, sizeof(*t));

    t->prev = prev;
    t->height = prev->node.height + 1;
    t->version = 0x20000000;
    t->bits = bits;
    t->time = NOW;
    t->min_time = NOW - 1000;
    t->coinbase_value = 5000000000;
    t->segwit_active = segwit;
    t->commitment_len = 38;
    t->commitment = xcalloc(1, 38);
    t->commitment[0] = OP_RETURN;
    t->commitment[1] = 36;
    t->n_txs = n_txs;
    t->txs = xcalloc(n_txs + 1, sizeof(*t->txs));
    for (size_t i = 0; i < n_txs; i++)
        t->txs[i].tx = some_tx((unsigned)i);
    return mining_work_new(t);
}

static void bench_open(struct bench *b, enum chain_id id, uint32_t bits, size_t n_txs, bool segwit)
{
    static const uint8_t extra1[STRATUM_EXTRA1] = {0xde, 0xad, 0xbe, 0xef};

    memset(b, 0, sizeof(*b));
    time_mock_set(NOW);
    chain_params_init(&b->params, id);
    b->prev.node.height = 99;
    b->prev.node.bits = bits;
    b->prev.node.time = NOW - 100;
    for (int i = 0; i < 32; i++)
        b->prev.node.hash.b[i] = (uint8_t)(i + 1);
    b->work = make_work(&b->prev, bits, n_txs, segwit);
    stratum_session_init(&b->s, &b->params, extra1, 1, 0);
}

static void bench_close(struct bench *b)
{
    stratum_session_clear(&b->s);
    mining_work_unref(b->work);
    json_object_put(b->lines);
    chain_params_clear(&b->params);
    time_mock_set(0);
}

/* Reads what the session wrote. */
static void drain(struct bench *b)
{
    struct writer *w = &b->s.out.w;
    size_t at = 0;

    json_object_put(b->lines);
    b->lines = json_object_new_array();
    for (size_t i = 0; i < w->len; i++) {
        if (w->data[i] != '\n')
            continue;
        struct json_object *o = rpc_parse((const char *)w->data + at, i - at);
        assert_non_null(o);
        json_object_array_add(b->lines, o);
        at = i + 1;
    }
    assert_int_equal(at, w->len);
    jw_clear(&b->s.out);
}

static bool say(struct bench *b, const char *line, int64_t now)
{
    bool ok = stratum_session_line(&b->s, line, strlen(line), now);
    drain(b);
    return ok;
}

/* The newest message of that method. */
static struct json_object *heard(struct bench *b, const char *method)
{
    for (size_t i = json_object_array_length(b->lines); i-- > 0;) {
        struct json_object *o = json_object_array_get_idx(b->lines, i);
        const char *m = json_object_get_string(rpc_member(o, "method"));
        if (m && strcmp(m, method) == 0)
            return rpc_member(o, "params");
    }
    return NULL;
}

/* The error's code in the first line; 0 for `true`. */
static int code_of(struct bench *b)
{
    struct json_object *o = json_object_array_get_idx(b->lines, 0), *e = rpc_member(o, "error");

    if (json_object_is_type(e, json_type_array))
        return json_object_get_int(json_object_array_get_idx(e, 0));
    assert_true(json_object_get_boolean(rpc_member(o, "result")));
    return 0;
}

static void log_in(struct bench *b)
{
    assert_true(say(b, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cgminer/4.10\"]}", 0));
    assert_true(say(b, "{\"id\":\"two\",\"method\":\"mining.authorize\",\"params\":[\"" USER ".w\",\"x\"]}", 0));
    assert_string_equal(json_object_get_string(rpc_member(json_object_array_get_idx(b->lines, 0), "id")), "two");
    assert_int_equal(json_object_array_length(b->lines), 1); /* there is no work yet */
    stratum_session_work(&b->s, b->work, true);
    drain(b);
}

static void append_hex(struct writer *w, const char *hex)
{
    size_t n = strlen(hex) / 2;
    assert_true(hex_decode(writer_extend(w, n), n, hex));
}

/* As a miner does it. Out: header without nonce. */
static void header_of(uint8_t header[80], struct json_object *job, const char *extra2, uint32_t version_bits, uint32_t mask)
{
    struct writer coinbase = WRITER_INIT;
    struct json_object *branch = json_object_array_get_idx(job, 4);
    uint8_t pair[64], words[32], field[4];

    append_hex(&coinbase, stratum_text(job, 2));
    append_hex(&coinbase, "deadbeef");
    append_hex(&coinbase, extra2);
    append_hex(&coinbase, stratum_text(job, 3));
    sha256d(pair, coinbase.data, coinbase.len);
    writer_clear(&coinbase);
    for (size_t i = 0; i < json_object_array_length(branch); i++) {
        assert_true(hex_decode(pair + 32, 32, json_object_get_string(json_object_array_get_idx(branch, i))));
        sha256d(pair, pair, 64);
    }
    assert_true(hex_decode(field, 4, stratum_text(job, 5)));
    put_le32(header, (get_be32(field) & ~mask) | version_bits);
    assert_true(hex_decode(words, 32, stratum_text(job, 1)));
    for (int i = 0; i < 8; i++)
        put_le32(header + 4 + 4 * i, get_be32(words + 4 * i));
    memcpy(header + 36, pair, 32);
    assert_true(hex_decode(field, 4, stratum_text(job, 7)));
    put_le32(header + 68, get_be32(field));
    assert_true(hex_decode(field, 4, stratum_text(job, 6)));
    put_le32(header + 72, get_be32(field));
}

/* Searches a share with extra2 whose hash meets the target or, with good false, does not. Out: its line. */
static char *find_share(struct bench *b, uint8_t header[80], struct json_object *job, uint64_t extra2, struct u256 target,
                        bool good, uint32_t version_bits)
{
    char text[17], version[16] = "";
    uint8_t hash[32];

    snprintf(text, sizeof(text), "%016llx", (unsigned long long)extra2);
    header_of(header, job, text, version_bits, b->mask);
    for (uint32_t nonce = 0;; nonce++) {
        put_le32(header + 76, nonce);
        sha256d(hash, header, 80);
        if ((u256_cmp(u256_from_le(hash), target) <= 0) != good)
            continue;
        if (b->mask)
            snprintf(version, sizeof(version), ",\"%08x\"", version_bits);
        return xasprintf("{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"" USER ".w\",\"%s\",\"%s\",\"%08x\",\"%08x\"%s]}",
                         stratum_text(job, 0), text, get_le32(header + 68), nonce, version);
    }
}

/* Blocks out of work with every shape of a small tree, before segwit and after. */
static void solves_blocks(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 20; n++) {
        struct bench b;
        struct arena scratch = {0};
        struct hash256 root;
        uint8_t header[80];
        struct block_hash hash;
        bool mutated, segwit = n >= 10;
        char *line;

        bench_open(&b, CHAIN_REGTEST, 0x207fffff, n % 10, segwit);
        log_in(&b);
        line = find_share(&b, header, heard(&b, "mining.notify"), n, target_from_bits(0x207fffff, NULL, NULL), true, 0);
        assert_true(say(&b, line, 0));
        assert_int_equal(code_of(&b), 0);
        assert_non_null(b.s.found);
        sha256d(hash.b, header, 80);
        assert_memory_equal(&b.s.found->hash, &hash, 32);
        assert_int_equal(b.s.found->n_tx, n % 10 + 1);
        root = block_merkle_root(b.s.found, &mutated, &scratch);
        assert_memory_equal(&root, header + 36, 32);
        assert_false(mutated);
        assert_int_equal(b.s.found->tx[0].has_witness, segwit);
        assert_int_equal(b.s.found->tx[0].in[0].script[0], 1); /* BIP34: 100 */
        assert_int_equal(b.s.found->tx[0].in[0].script[1], 100);
        assert_int_equal(b.s.found->tx[0].out[0].value, 5000000000);
        assert_int_equal(b.s.found->tx[0].out[0].script_len, 22);
        assert_memory_equal(&b.s.found->header.prev, &b.prev.node.hash, 32);
        /* The same again. */
        assert_true(say(&b, line, 0));
        assert_int_equal(code_of(&b), STRATUM_DUPLICATE);
        free(line);
        arena_clear(&scratch);
        bench_close(&b);
    }
}

static void rolls_versions(void **state)
{
    struct bench b;
    uint8_t header[80];
    struct u256 target = target_from_bits(0x207fffff, NULL, NULL);
    char *line;

    (void)state;
    bench_open(&b, CHAIN_REGTEST, 0x207fffff, 2, true);
    assert_true(say(
        &b, "{\"id\":0,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],{\"version-rolling.mask\":\"1f00ffff\"}]}",
        0));
    assert_string_equal(
        json_object_get_string(rpc_member(rpc_member(json_object_array_get_idx(b.lines, 0), "result"), "version-rolling.mask")),
        "1f00e000");
    b.mask = 0x1f00e000;
    log_in(&b);
    struct json_object *job = json_object_get(heard(&b, "mining.notify"));
    line = find_share(&b, header, job, 1, target, true, 0x0100a000);
    assert_true(say(&b, line, 0));
    assert_int_equal(code_of(&b), 0);
    assert_int_equal(b.s.found->header.version, 0x2100a000);
    free(line);
    line = find_share(&b, header, job, 2, target, true, 0x00010000);
    assert_true(say(&b, line, 0));
    assert_int_equal(code_of(&b), STRATUM_OTHER);
    free(line);
    json_object_put(job);
    bench_close(&b);
}

/* A network at difficulty 1, shares a millionth of it. */
static void judges_shares(void **state)
{
    struct bench b;
    uint8_t header[80];
    struct json_object *job;
    char *line, *stale;

    (void)state;
    bench_open(&b, CHAIN_MAIN, 0x1d00ffff, 0, true);
    stratum_set_difficulty(&b.s, 1e-6);
    assert_true(say(&b, "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}", 0));
    assert_true(say(&b, "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"" USER "\",\"\"]}", 0)); /* of another network */
    assert_int_equal(code_of(&b), STRATUM_UNAUTHORIZED);
    chain_params_clear(&b.params);
    chain_params_init(&b.params, CHAIN_REGTEST);
    log_in(&b);
    assert_true(json_object_get_double(json_object_array_get_idx(heard(&b, "mining.set_difficulty"), 0)) == 1e-6);
    job = json_object_get(heard(&b, "mining.notify"));
    line = find_share(&b, header, job, 1, stratum_target(1e-6), true, 0);
    assert_true(say(&b, line, 0));
    assert_int_equal(code_of(&b), 0);
    assert_null(b.s.found);
    free(line);
    line = find_share(&b, header, job, 2, stratum_target(1e-6), false, 0);
    assert_true(say(&b, line, 0));
    assert_int_equal(code_of(&b), STRATUM_LOW);
    free(line);
    /* Fees changed: the old job is still good. Then a tip: it is not. */
    stratum_session_work(&b.s, b.work, false);
    drain(&b);
    assert_false(json_object_get_boolean(json_object_array_get_idx(heard(&b, "mining.notify"), 8)));
    line = find_share(&b, header, job, 3, stratum_target(1e-6), true, 0);
    stale = find_share(&b, header, job, 4, stratum_target(1e-6), true, 0);
    assert_true(say(&b, line, 0));
    assert_int_equal(code_of(&b), 0);
    stratum_session_work(&b.s, b.work, true);
    drain(&b);
    assert_true(json_object_get_boolean(json_object_array_get_idx(heard(&b, "mining.notify"), 8)));
    assert_true(say(&b, stale, 0));
    assert_int_equal(code_of(&b), STRATUM_STALE);
    assert_int_equal(b.s.accepted, 2);
    assert_int_equal(b.s.rejected, 1);
    assert_int_equal(b.s.stale, 1);
    assert_true(b.s.best >= 1e-6);
    free(line);
    free(stale);
    json_object_put(job);
    bench_close(&b);
}

/* Shares at a steady speed of `rate` hashes a second, for so many seconds. Returns: how many in the last minute. */
static unsigned mine_for(struct bench *b, double rate, int seconds, int64_t *now)
{
    double owed = 0;
    unsigned last = 0;

    for (int i = 0; i < seconds; i++) {
        *now += SECOND;
        owed += rate / (b->s.difficulty * 4294967296.0);
        for (; owed >= 1; owed--) {
            stratum_count_share(&b->s, b->s.difficulty, *now);
            last += i >= seconds - 60;
        }
        stratum_session_tick(&b->s, *now);
        drain(b);
    }
    return last;
}

static void adjusts_difficulty(void **state)
{
    static const double rates[] = {5e4, 1e8, 1e12, 1e14, 5e9};
    struct bench b;
    int64_t now = 0;
    double told;

    (void)state;
    bench_open(&b, CHAIN_REGTEST, 0x1703ffff, 0, true);
    log_in(&b);
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        unsigned n = mine_for(&b, rates[i], 1800, &now);
        double shown = stratum_session_rate(&b.s, now);
        if (n < 3 || n > 10)
            fail_msg("at %g hashes a second: %u shares a minute, difficulty %g", rates[i], n, b.s.difficulty);
        /* What was faster long ago still shows a little. */
        if (shown < rates[i] * 0.7 || (shown > rates[i] * 1.5 && (i == 0 || rates[i - 1] < rates[i])))
            fail_msg("%g hashes a second are shown as %g", rates[i], shown);
    }
    /* Bounds: what the client wants at least, and the network. */
    assert_true(say(
        &b, "{\"id\":5,\"method\":\"mining.configure\",\"params\":[[\"minimum-difficulty\"],{\"minimum-difficulty.value\":4096}]}",
        now));
    mine_for(&b, 10, 3600, &now);
    assert_true(b.s.difficulty == 4096);
    assert_true(say(&b, "{\"id\":6,\"method\":\"mining.suggest_difficulty\",\"params\":[1e300]}", now));
    assert_true(b.s.difficulty == difficulty_from_bits(0x1703ffff));
    told = json_object_get_double(json_object_array_get_idx(heard(&b, "mining.set_difficulty"), 0)) / b.s.difficulty;
    assert_true(told > 0.999999999 && told < 1.000000001); /* 16 digits */
    bench_close(&b);
}

static void targets(void **state)
{
    (void)state;
    assert_string_equal(u256_hex(stratum_target(1)).s, "00000000ffff0000000000000000000000000000000000000000000000000000");
    assert_string_equal(u256_hex(stratum_target(65535.0 * 65536)).s,
                        "0000000000000001000000000000000000000000000000000000000000000000");
    assert_string_equal(u256_hex(stratum_target(0.5)).s, "00000001fffe0000000000000000000000000000000000000000000000000000");
    assert_string_equal(u256_hex(stratum_target(1e-12)).s, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
    assert_true(u256_is_zero(stratum_target(1e100)));
    for (double d = 1e-9; d < 1e20; d *= 3.7) {
        uint8_t le[32];
        double back;
        u256_to_le(le, stratum_target(d));
        back = stratum_hash_difficulty(le);
        if (back < d * 0.9999999 || back > d * 1.0000001)
            fail_msg("%g comes back as %g", d, back);
    }
}

static void hangs_up(void **state)
{
    static const char *const wrong[] = {
        "", "GET / HTTP/1.1", "[]", "null", "{", "{\"method\":5}", "{\"method\":\"mining.submit\",\"params\":{}}"};
    struct bench b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        bool up = true;
        bench_open(&b, CHAIN_REGTEST, 0x207fffff, 0, true);
        for (int k = 0; k < 100 && up; k++)
            up = say(&b, wrong[i], 0);
        if (up)
            fail_msg("still there after '%s'", wrong[i]);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solves_blocks),      cmocka_unit_test(rolls_versions), cmocka_unit_test(judges_shares),
        cmocka_unit_test(adjusts_difficulty), cmocka_unit_test(targets),        cmocka_unit_test(hangs_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
