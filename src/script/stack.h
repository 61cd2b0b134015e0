/* stack.h - the interpreter's stack. Elements are immutable: pushed data are borrowed from the script or the witness, results of
 * operations (at most 32 bytes) live in the element itself. A few dozen elements fit in place, so that common scripts allocate
 * nothing. Belongs to one evaluation on one thread. */
#ifndef FARTHING_SCRIPT_STACK_H
#define FARTHING_SCRIPT_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define STACK_ITEM_OWN 32
#define STACK_INLINE 40

struct stack_item {
    const uint8_t *ext; /* borrowed bytes, NULL: they are in own */
    uint32_t len;
    uint8_t own[STACK_ITEM_OWN];
};

struct stack {
    struct stack_item *items; /* bottom first; first[] or on the heap */
    uint32_t len;
    uint32_t cap;
    struct stack_item first[STACK_INLINE];
};

void stack_init(struct stack *s);
/** Frees what outgrew the inline room; the stack is empty and usable again. */
void stack_clear(struct stack *s);
/** Makes room for `extra` more elements; pointers to elements are void after it. */
void stack_reserve(struct stack *s, uint32_t extra);

static inline const uint8_t *item_data(const struct stack_item *it)
{
    return it->ext ? it->ext : it->own;
}
/** The element that far below the top (0: the top itself), which must exist. */
static inline struct stack_item *stack_at(const struct stack *s, uint32_t below)
{
    return &s->items[s->len - 1 - below];
}
static inline void stack_drop(struct stack *s, uint32_t n)
{
    s->len -= n;
}
static inline struct stack_item *stack_grow(struct stack *s)
{
    if (s->len == s->cap)
        stack_reserve(s, 1);
    return &s->items[s->len++];
}
/** Pushes borrowed bytes, which must outlive the stack. */
static inline void stack_push_ref(struct stack *s, const uint8_t *data, size_t len)
{
    struct stack_item *it = stack_grow(s);
    it->ext = len ? data : NULL;
    it->len = (uint32_t)len;
}
/** Pushes a copy of at most STACK_ITEM_OWN bytes. */
void stack_push_copy(struct stack *s, const uint8_t *data, size_t len);
void stack_push_number(struct stack *s, int64_t value);
static inline void stack_push_bool(struct stack *s, bool value)
{
    struct stack_item *it = stack_grow(s);
    it->ext = NULL;
    it->len = value;
    it->own[0] = 1;
}
/** Pushes the element that far below the top again. */
void stack_pick(struct stack *s, uint32_t below);
/** Takes the element that far below the top out. */
void stack_remove(struct stack *s, uint32_t below);
void stack_swap(struct stack *s, uint32_t a, uint32_t b);

/** Truth of an element: any byte but zero, negative zero excepted. */
bool item_is_true(const struct stack_item *it);
bool item_equal(const struct stack_item *a, const struct stack_item *b);

#endif
