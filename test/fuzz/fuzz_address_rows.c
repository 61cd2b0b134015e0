/* fuzz_address_rows.c - any bytes as rows of the address index: what is read is written as it was meant, and read again. The first byte says which
 * kind of row it is. */
#include "index/address_rows.h"
#include "util/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void history(const uint8_t *data, size_t size)
{
    struct reader r = reader_make(data, size);
    struct writer w = WRITER_INIT;
    struct history_item item, again;
    uint64_t first = 0x1234500070ull & 0xffffffffffull, prev = first, last = 0;
    size_t n = 0;

    for (; read_history_item(&item, &r, prev, n == 0); n++) {
        ASSERT(n == 0 ? item.place == first : item.place > prev);
        ASSERT(item.received >= 0 && item.received <= MAX_MONEY && item.spent >= 0 && item.spent <= MAX_MONEY);
        write_history_item(&w, &item, prev, n == 0);
        prev = item.place;
    }
    last = prev;
    prev = first;
    r = reader_make(w.data, w.len);
    for (size_t i = 0; i < n; i++) {
        ASSERT(read_history_item(&again, &r, prev, i == 0));
        prev = again.place;
    }
    ASSERT(reader_done(&r) && prev == last);
    writer_clear(&w);
}

static void coin(const uint8_t *data, size_t size)
{
    struct writer w = WRITER_INIT;
    struct coin_row c, again;

    if (!read_coin_row(&c, reader_make(data, size)))
        return;
    write_coin_row(&w, &c);
    ASSERT(read_coin_row(&again, reader_make(w.data, w.len)));
    ASSERT(again.pos == c.pos && again.n == c.n && again.value == c.value);
    writer_clear(&w);
}

static void totals(const uint8_t *data, size_t size)
{
    struct writer w = WRITER_INIT;
    struct script_totals t, again;

    if (!read_totals(&t, reader_make(data, size)))
        return;
    write_totals(&w, &t);
    ASSERT(read_totals(&again, reader_make(w.data, w.len)));
    ASSERT(again.last == t.last && again.balance == t.balance && again.n_coins == t.n_coins);
    totals_add(&again, &(struct history_item){.place = t.last, .n_out = 1, .received = MAX_MONEY});
    writer_clear(&w);
}

static void pays(const uint8_t *data, size_t size)
{
    struct reader r = reader_make(data, size);
    struct coinbase_pay p, again;
    struct writer w = WRITER_INIT;

    while (read_coinbase_pay(&p, &r)) {
        struct reader back;

        w.len = 0;
        write_coinbase_pay(&w, &p);
        back = reader_make(w.data, w.len);
        ASSERT(read_coinbase_pay(&again, &back) && again.value == p.value && short_key_equal(&again.script, &p.script));
    }
    writer_clear(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t place;

    if (size == 0)
        return 0;
    switch (data[0] % 5) {
    case 0:
        history(data + 1, size - 1);
        break;
    case 1:
        coin(data + 1, size - 1);
        break;
    case 2:
        totals(data + 1, size - 1);
        break;
    case 3:
        pays(data + 1, size - 1);
        break;
    default:
        if (history_key_place(&place, reader_make(data + 1, size - 1)))
            ASSERT(place >> 40 == 0);
    }
    return 0;
}
