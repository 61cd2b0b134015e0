/* fuzz_address.c - any text as an address, a private key, bech32 and base58; and any bytes as a script to show. */
#include <stdlib.h>

#include "primitives/address.h"
#include "util/assert.h"
#include "util/mem.h"

#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct address_prefixes networks[3] = {
    {0, 5, 128, {4, 0x88, 0xb2, 0x1e}, {4, 0x88, 0xad, 0xe4}, "bc"},
    {111, 196, 239, {4, 0x35, 0x87, 0xcf}, {4, 0x35, 0x83, 0x94}, "tb"},
    {111, 196, 239, {4, 0x35, 0x87, 0xcf}, {4, 0x35, 0x83, 0x94}, "bcrt"},
};

static void check_text(const char *text, const struct address_prefixes *p)
{
    uint8_t script[ADDRESS_SCRIPT_MAX], again[ADDRESS_SCRIPT_MAX], key[32];
    struct address_error error;
    size_t len, again_len;
    bool compressed;

    if (address_decode(script, &len, &error, text, p)) {
        ASSERT(error.text[0] == '\0' && len <= ADDRESS_SCRIPT_MAX);
        char *shown = address_encode(script, len, p);
        ASSERT(shown && address_decode(again, &again_len, NULL, shown, p));
        ASSERT(again_len == len && memcmp(again, script, len) == 0);
        free(shown);
    } else {
        ASSERT(error.text[0] != '\0');
    }
    if (wif_decode(key, &compressed, text, p)) {
        char *shown = wif_encode(key, compressed, p);
        ASSERT(strstr(text, shown) != NULL); /* there may be blanks around it */
        free(shown);
    }
}

static void check_bech32(const char *text)
{
    char hrp[84];
    uint8_t values[90];
    size_t len, n = strlen(text);
    int *at = xmalloc((n + 1) * sizeof(*at));
    enum bech32_encoding enc = bech32_decode(hrp, values, &len, text);
    const char *message = bech32_locate_errors(text, at, &n);

    ASSERT((enc != BECH32_INVALID) == (message[0] == '\0'));
    for (size_t i = 0; i < n; i++)
        ASSERT(at[i] >= 0 && (size_t)at[i] < strlen(text) && (i == 0 || at[i] > at[i - 1]));
    if (enc != BECH32_INVALID) {
        char *again = bech32_encode(hrp, values, len, enc);
        ASSERT(again && strcasecmp(again, text) == 0);
        free(again);
    }
    free(at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t raw[128], back[132];
    size_t len = sizeof(raw);

    if (size > 1000)
        return 0;
    char *text = xmalloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; i < 3; i++) {
        check_text(text, &networks[i]);
        char *shown = address_encode(data, size, &networks[i]);
        if (shown)
            check_text(shown, &networks[i]);
        free(shown);
    }
    check_bech32(text);
    if (base58_decode(raw, &len, text)) {
        char *shown = base58_encode(raw, len);
        size_t back_len = sizeof(back);
        ASSERT(base58_decode(back, &back_len, shown) && back_len == len && memcmp(back, raw, len) == 0);
        free(shown);
    }
    free(text);
    return 0;
}
