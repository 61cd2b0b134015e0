/* Another program: what it writes, its exit code, and the ways in which it is ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/child.h"

static bool at_once(void *asked)
{
    ++*(int *)asked;
    return true;
}

static int sh(struct child_result *r, const char *script, size_t most, int *asked)
{
    char shell[] = "sh", option[] = "-c", text[256], *words[] = {shell, option, text, NULL};

    assert_true(strlen(script) < sizeof(text));
    memcpy(text, script, strlen(script) + 1);
    return child_run(r, words, most, asked ? at_once : NULL, asked);
}

static void test_outputs(void **state)
{
    struct child_result r;

    (void)state;
    assert_int_equal(sh(&r, "echo a; echo b >&2; printf c; read x || exit 3", 100, NULL), 0);
    assert_string_equal(r.out, "a\nc");
    assert_string_equal(r.err, "b\n");
    assert_int_equal(r.code, 3);
    child_result_clear(&r);
    assert_int_equal(sh(&r, "kill -9 $$", 100, NULL), 0);
    assert_string_equal(r.out, "");
    assert_int_equal(r.code, 128 + 9);
    child_result_clear(&r);
    assert_int_equal(sh(&r, "head -c 200000 /dev/zero | tr '\\0' x; head -c 200000 /dev/zero | tr '\\0' y >&2", 200000, NULL), 0);
    assert_int_equal(strlen(r.out), 200000);
    assert_int_equal(strlen(r.err), 200000);
    child_result_clear(&r);
}

static void test_ends(void **state)
{
    char none[] = "/nonexistent/program", *words[] = {none, NULL};
    struct child_result r;
    int asked = 0;

    (void)state;
    assert_int_equal(child_run(&r, words, 100, NULL, NULL), ENOENT);
    assert_null(r.out);
    assert_int_equal(sh(&r, "exec yes", 1000, NULL), EFBIG);
    assert_int_equal(sh(&r, "exec sleep 1000", 1000, &asked), ECANCELED);
    assert_true(asked > 0);
    asked = 0;
    assert_int_equal(sh(&r, "exec sleep 1000 >&- 2>&-", 1000, &asked), ECANCELED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_outputs), cmocka_unit_test(test_ends)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
