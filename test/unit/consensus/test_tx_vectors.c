/* test_tx_vectors.c - Bitcoin Core's tx_valid.json and tx_invalid.json: transaction rules and scripts, and that flags only ever tighten. */
#include "../script/script_vectors.h"

#include "consensus/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct tx_case {
    struct tx *tx;
    struct tx_out *spent; /* in the order of the inputs */
    struct writer *scripts;
    size_t n_scripts;
    uint32_t flags;
    bool bad_tx; /* the transaction alone must be refused */
};

static struct json_object *at(struct json_object *array, size_t i)
{
    return json_object_array_get_idx(array, i);
}

static void find_spent(struct tx_case *c, struct json_object *prevout, const struct writer *script)
{
    struct outpoint o;

    assert_true(hash_from_hex(o.txid.b, json_object_get_string(at(prevout, 0))));
    o.n = (uint32_t)json_object_get_int64(at(prevout, 1));
    for (uint32_t i = 0; i < c->tx->n_in; i++) {
        if (!outpoint_equal(c->tx->in[i].prevout, &o))
            continue;
        c->spent[i].script = script->data ? script->data : (const uint8_t *)"";
        c->spent[i].script_len = (uint32_t)script->len;
        c->spent[i].value = json_object_array_length(prevout) > 3 ? json_object_get_int64(at(prevout, 3)) : 0;
    }
}

static void load_case(struct tx_case *c, struct json_object *row)
{
    size_t len;
    uint8_t *raw = vectors_hex(json_object_get_string(at(row, 1)), &len);
    const char *flags = json_object_get_string(at(row, 2));

    memset(c, 0, sizeof(*c));
    c->tx = tx_decode(raw, len, true);
    free(raw);
    assert_non_null(c->tx);
    c->spent = xcalloc(c->tx->n_in + 1, sizeof(*c->spent));
    c->n_scripts = json_object_array_length(at(row, 0));
    c->scripts = xcalloc(c->n_scripts + 1, sizeof(*c->scripts));
    for (size_t i = 0; i < c->n_scripts; i++) {
        c->scripts[i] = script_of(json_object_get_string(at(at(at(row, 0), i), 2)));
        find_spent(c, at(at(row, 0), i), &c->scripts[i]);
    }
    c->bad_tx = !strcmp(flags, "BADTX");
    if (!c->bad_tx)
        c->flags = flags_from_text(flags);
}

static void clear_case(struct tx_case *c)
{
    for (size_t i = 0; i < c->n_scripts; i++)
        writer_clear(&c->scripts[i]);
    free(c->scripts);
    free(c->spent);
    tx_unref(c->tx);
}

/* Only combinations that are legal: a clean stack needs witness, witness needs P2SH. */
static uint32_t trim_flags(uint32_t flags)
{
    if (!(flags & SCRIPT_VERIFY_P2SH))
        flags &= ~SCRIPT_VERIFY_WITNESS;
    if (!(flags & SCRIPT_VERIFY_WITNESS))
        flags &= ~SCRIPT_VERIFY_CLEANSTACK;
    return flags;
}

static uint32_t fill_flags(uint32_t flags)
{
    if (flags & SCRIPT_VERIFY_CLEANSTACK)
        flags |= SCRIPT_VERIFY_WITNESS;
    if (flags & SCRIPT_VERIFY_WITNESS)
        flags |= SCRIPT_VERIFY_P2SH;
    return flags;
}

static bool scripts_pass(const struct tx_case *c, uint32_t flags)
{
    struct tx_midstate mid;

    tx_midstate_init(&mid, c->tx, c->spent, true);
    for (uint32_t i = 0; i < c->tx->n_in; i++) {
        enum script_error err;
        const bool ok = script_verify_input(&err, c->tx, i, &c->spent[i], flags, &mid, NULL, false);
        assert_true(ok == (err == SCRIPT_ERR_OK));
        if (!ok)
            return false;
    }
    return true;
}

static bool check_valid(const struct tx_case *c, uint32_t *rnd)
{
    const uint32_t flags = ALL_SCRIPT_FLAGS & ~c->flags;
    struct verdict v;
    bool ok = true;

    verdict_init(&v);
    ok = check_transaction(c->tx, &v) && v.kind == VERDICT_VALID && fill_flags(flags) == flags && scripts_pass(c, flags);
    for (int bit = 0; bit < 21; bit++) {
        *rnd = *rnd * 1664525 + 1013904223;
        ok = ok && scripts_pass(c, trim_flags(flags & ~(1u << bit))) && scripts_pass(c, trim_flags(flags & ~(*rnd >> 8)));
        /* each flag left out is left out for a reason */
        const uint32_t fewer = trim_flags(c->flags & ~(1u << bit));
        if (fewer != c->flags)
            ok = ok && !scripts_pass(c, ALL_SCRIPT_FLAGS & ~fewer);
    }
    return ok;
}

static bool check_invalid(const struct tx_case *c, uint32_t *rnd)
{
    struct verdict v;
    bool ok;

    verdict_init(&v);
    if (c->bad_tx)
        return !check_transaction(c->tx, &v) && v.kind == VERDICT_INVALID && v.reason[0];
    ok = check_transaction(c->tx, &v) && fill_flags(c->flags) == c->flags && !scripts_pass(c, c->flags);
    for (int bit = 0; bit < 21; bit++) {
        *rnd = *rnd * 1664525 + 1013904223;
        ok = ok && !scripts_pass(c, fill_flags(c->flags | 1u << bit)) && !scripts_pass(c, fill_flags(c->flags | (*rnd >> 11)));
        const uint32_t less = trim_flags(c->flags & ~(1u << bit));
        if (less != c->flags)
            ok = ok && scripts_pass(c, less);
    }
    return ok;
}

static void run_file(const char *file, size_t expected, bool (*check)(const struct tx_case *c, uint32_t *rnd))
{
    struct json_object *rows = vectors_json(file);
    size_t run = 0, failed = 0;
    uint32_t rnd = 1;

    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        struct json_object *row = at(rows, i);
        struct tx_case c;
        if (!json_object_is_type(at(row, 0), json_type_array))
            continue;
        load_case(&c, row);
        run++;
        if (!check(&c, &rnd)) {
            failed++;
            fprintf(stderr, "%s: %s\n", file, json_object_to_json_string(row));
        }
        clear_case(&c);
    }
    if (rows) {
        printf("%s: %zu cases\n", file, run);
        assert_int_equal(run, expected);
    }
    assert_int_equal(failed, 0);
    json_object_put(rows);
}

static void tx_valid(void **state)
{
    (void)state;
    run_file("script/tx_valid.json", 121, check_valid);
}

static void tx_invalid(void **state)
{
    (void)state;
    run_file("script/tx_invalid.json", 93, check_invalid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tx_valid),
        cmocka_unit_test(tx_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
