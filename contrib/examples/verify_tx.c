/* verify_tx.c - an example of libfarthingconsensus: is every input of a transaction satisfied by the outputs that it spends?
 *
 *   verify_tx                                            the first payment ever made: 10 bitcoins from Satoshi Nakamoto to Hal Finney
 *   verify_tx <transaction> <value>:<script> ...         any other; hex, and the spent outputs in the order of the inputs
 *
 * Prints a line for each input. Exits with 0 if all are satisfied, with 1 if not, with 2 if it does not understand its arguments.
 * Build: cc verify_tx.c $(pkg-config --cflags --libs libfarthingconsensus) */
#include <farthingconsensus.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Block 170, 12 January 2009. */
static const char first_payment[] =
    "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961a1d3a1a25fdf"
    "3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b000000"
    "00434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1baded5c72a70"
    "4f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e16"
    "0bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000";
static const char first_payment_spends[] =
    "5000000000:410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f"
    "999b8643f656b412a3ac";

/* Bytes from hex, to free(). Returns: NULL if it is none. */
static unsigned char *from_hex(const char *hex, size_t *len)
{
    unsigned char *out = malloc(strlen(hex) / 2 + 1);
    for (*len = 0; out && hex[0]; hex += 2) {
        char two[3] = {hex[0], hex[1], 0}, *end;
        out[(*len)++] = (unsigned char)strtoul(two, &end, 16);
        if (end != two + 2 || two[0] == '-' || two[0] == '+' || two[0] == ' ') {
            free(out);
            return NULL;
        }
    }
    return out;
}

/* "value:script". */
static int parse_output(struct farthing_output *out, const char *text)
{
    char *colon;
    out->value = strtoll(text, &colon, 10);
    if (*colon != ':')
        return 0;
    out->script = from_hex(colon + 1, &out->script_len);
    return out->script != NULL;
}

static int verify(const unsigned char *tx, size_t tx_len, const struct farthing_output *spent, size_t n)
{
    int all = n > 0;
    for (size_t i = 0; i < n; i++) {
        const char *error;
        int ok = farthing_verify_input(&error, tx, tx_len, i, spent, n, FARTHING_VERIFY_ALL);
        printf("input %zu, %" PRId64 " satoshi: %s\n", i, spent[i].value, error);
        all = all && ok;
    }
    return all;
}

int main(int argc, char **argv)
{
    size_t n = argc > 2 ? (size_t)argc - 2 : 1, tx_len = 0;
    struct farthing_output *spent = calloc(n, sizeof(*spent));
    unsigned char *tx = from_hex(argc > 1 ? argv[1] : first_payment, &tx_len);
    int understood = spent && tx, ok = 0;
    for (size_t i = 0; understood && i < n; i++)
        understood = parse_output(&spent[i], argc > 2 ? argv[2 + i] : first_payment_spends);
    if (understood)
        ok = verify(tx, tx_len, spent, n);
    else
        fprintf(stderr, "usage: verify_tx [<transaction hex> <value in satoshi>:<script hex> ...]\n");
    for (size_t i = 0; spent && i < n; i++)
        free((void *)spent[i].script);
    free(spent);
    free(tx);
    return !understood ? 2 : !ok;
}
