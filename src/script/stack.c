/* stack.c - growing, copying and comparing of stack elements. Called by the interpreter only; one evaluation on one thread. */
#include "script/stack.h"

#include "script/number.h"
#include "util/assert.h"
#include "util/mem.h"

#include <stdlib.h>

void stack_init(struct stack *s)
{
    s->items = s->first;
    s->len = 0;
    s->cap = STACK_INLINE;
}

void stack_clear(struct stack *s)
{
    if (s->items != s->first)
        free(s->items);
    stack_init(s);
}

void stack_reserve(struct stack *s, uint32_t extra)
{
    uint32_t cap = s->cap;

    if (extra <= s->cap - s->len)
        return;
    while (cap - s->len < extra)
        cap *= 2;
    if (s->items == s->first) {
        s->items = xmalloc((size_t)cap * sizeof(*s->items));
        memcpy(s->items, s->first, s->len * sizeof(*s->items));
    } else {
        s->items = xrealloc(s->items, (size_t)cap * sizeof(*s->items));
    }
    s->cap = cap;
}

void stack_push_copy(struct stack *s, const uint8_t *data, size_t len)
{
    struct stack_item *it = stack_grow(s);

    ASSERT(len <= STACK_ITEM_OWN);
    it->ext = NULL;
    it->len = (uint32_t)len;
    memcpy(it->own, data, len);
}

void stack_push_number(struct stack *s, int64_t value)
{
    struct stack_item *it = stack_grow(s);

    it->ext = NULL;
    it->len = (uint32_t)script_number_encode(it->own, value);
}

void stack_pick(struct stack *s, uint32_t below)
{
    struct stack_item *to = stack_grow(s);

    *to = *stack_at(s, below + 1);
}

void stack_remove(struct stack *s, uint32_t below)
{
    struct stack_item *it = stack_at(s, below);

    memmove(it, it + 1, below * sizeof(*it));
    s->len--;
}

void stack_swap(struct stack *s, uint32_t a, uint32_t b)
{
    const struct stack_item t = *stack_at(s, a);

    *stack_at(s, a) = *stack_at(s, b);
    *stack_at(s, b) = t;
}

bool item_is_true(const struct stack_item *it)
{
    const uint8_t *p = item_data(it);

    for (uint32_t i = 0; i < it->len; i++) {
        if (p[i])
            return i + 1 < it->len || p[i] != 0x80;
    }
    return false;
}

bool item_equal(const struct stack_item *a, const struct stack_item *b)
{
    return a->len == b->len && memcmp(item_data(a), item_data(b), a->len) == 0;
}
