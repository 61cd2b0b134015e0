/* test_filter_kill.c - kill -9 while the index follows a chain that reorganises: after each start it is whole. */
#include <signal.h>
#include <sys/wait.h>

#include "index/index_test.h"

/* What the process does that is going to be killed. */
static void work(struct follow *t, const struct forest *f)
{
    char *error = NULL;

    if (chain_open(&t->bed.c, &t->bed.o, &error) != RC_OK || follow_try_open(t, &error) != RC_OK) {
        fprintf(stderr, "child: %s\n", error);
        _exit(2);
    }
    for (int i = 0; i < f->n; i++) {
        chain_process_block(t->bed.c, f->plant[i].block, true, true, NULL, NULL);
        index_wake(filter_index_base(t->fi));
        if (i % 13 == 0 && chain_flush(t->bed.c) != RC_OK)
            _exit(3);
    }
    chain_drain(t->bed.c);
    pause();
    _exit(0);
}

static void kills(void **state)
{
    struct forest f;
    struct follow t;
    struct rng rng;
    int at;

    (void)state;
    follow_init(&t, CHAIN_REGTEST);
    t.bed.o.events = (struct chain_events){0};
    t.bed.o.check_block_index = false;
    t.file_size = 5000;
    forest_init(&f, &t.bed.params, 99);
    rng_init(&rng);
    at = forest_trunk(&f);
    for (int i = 0; i < 150; i++)
        at = forest_grow(&f, i % 20 == 15 ? at - 3 : at, 8, FLAW_NONE);
    for (int k = 0; k < 8; k++) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            work(&t, &f);
        usleep(5000 + (useconds_t)rng_below(&rng, 200000));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        /* In a process of its own: this one stays without threads, which do not go through a fork. */
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            follow_open(&t);
            follow_check_all(&t);
            follow_close(&t);
            _exit(0); /* an assertion that fails ends the whole program with its own code */
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    follow_open(&t);
    for (int i = 0; i < f.n; i++)
        chain_process_block(t.bed.c, f.plant[i].block, true, true, NULL, NULL);
    chain_drain(t.bed.c);
    index_wake(filter_index_base(t.fi));
    assert_int_equal(chain_height(t.bed.c), f.plant[at].height);
    follow_check_all(&t);
    follow_clear(&t);
    forest_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kills)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
