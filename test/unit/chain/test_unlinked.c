/* test_unlinked.c - blocks that wait for an ancestor's data come back in the order in which they arrived, whatever the table went
 * through: among branches of equal work the first one counts. */
#include "chain/chain_test.h"

#include "chain/internal.h"

#define PARENTS 64u
#define CHILDREN 40u /* the table grows once; in some runs they stand across its end */

static struct block_entry parents[PARENTS], children[PARENTS][CHILDREN];

static void arrival_order_of(unsigned i)
{
    struct unlinked u;

    unlinked_init(&u);
    for (unsigned k = 0; k < CHILDREN; k++) {
        children[i][k].node.prev = &parents[i].node;
        unlinked_add(&u, &children[i][k]);
    }
    unlinked_add(&u, &children[i][2]); /* is there already: keeps its place */
    unlinked_erase(&u, &children[i][1]);
    assert_int_equal(u.count, CHILDREN - 1);
    for (unsigned k = 0; k < CHILDREN; k++) {
        if (k != 1)
            assert_ptr_equal(unlinked_take(&u, &parents[i]), &children[i][k]);
    }
    assert_null(unlinked_take(&u, &parents[i]));
    assert_int_equal(u.count, 0);
    free(u.slots);
}

static void arrival_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PARENTS; i++)
        arrival_order_of(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(arrival_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
