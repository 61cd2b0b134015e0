/* doc_example.c - examples of the documentation: sample values filled in, and the words of a shell made of them. Any thread. */
#include <ctype.h>
#include <stdlib.h>

#include "rpc/doc.h"

/* Values that many know by sight, of no worth to anyone. */
const struct rpc_sample rpc_samples[] = {
    {"block", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"},
    {"txblock", "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee"},
    {"txid", "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"},
    {"pooltx", "a1075db55d416d3ca199f55b6084e2115b9345e16c5cf302fc80e9d5fbf5d48d"},
    {"address", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
    {"pubkey", "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
    {"privkey", "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"},
    {"rawtx", "02000000018dd4f5fbd5e980fc02f35c6ce145935b11e284605bf599a13c6d415db55d07a10000000000fdffffff010000000000000000066a04"
              "0001020300"
              "000000"},
    {"psbt", "cHNidP8BAgQCAAAAAQMEAAAAAAEEAQEBBQEBAfsEAgAAAAABDiCN1PX71emA/ALzXGzhRZNbEeKEYFv1maE8bUFdtV0HoQEPBAAAAAABEAT9////AAED"
             "CAAAAAAAAAAAAQQGagQAAQIDAA=="},
    {"headerhex",
     "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a5132"
     "3a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"},
    {"blockhex",
     "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323"
     "a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c01010000000100000000000000000000000000000000000000000000000000000000000000"
     "00ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f6620"
     "7365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a8"
     "28e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"},
    {"proof",
     "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9f"
     "b8aa4b1e5e4a29ab5f49ffff001d1dac2b7c01000000013ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a0101"},
    {NULL, NULL},
};

const char *rpc_doc_sample(const char *name, size_t len)
{
    for (const struct rpc_sample *s = rpc_samples; s->name; s++) {
        if (strlen(s->name) == len && memcmp(s->name, name, len) == 0)
            return s->text;
    }
    return NULL;
}

static void put(struct writer *w, const char *s)
{
    write_bytes(w, s, strlen(s));
}

/* Fills the samples in: with quotes where one stands by itself. */
static char *fill_in(const char *text, size_t len)
{
    struct writer w = WRITER_INIT;
    bool quoted = false;

    for (const char *p = text; p < text + len; p++) {
        size_t n = 0;
        const char *sample;
        quoted ^= *p == '"' && (p == text || p[-1] != '\\');
        while (*p == '@' && islower((unsigned char)p[1 + n]))
            n++;
        sample = n ? rpc_doc_sample(p + 1, n) : NULL;
        if (!sample) {
            write_u8(&w, (uint8_t)*p);
            continue;
        }
        put(&w, quoted ? "" : "\"");
        put(&w, sample);
        put(&w, quoted ? "" : "\"");
        p += n;
    }
    write_u8(&w, 0);
    return (char *)w.data;
}

bool rpc_doc_next_example(struct rpc_example *e, const char **lines, struct arena *a)
{
    const char *line = *lines, *bang;
    size_t len = line ? strcspn(line, "\n") : 0;
    char *why;

    if (len == 0)
        return false;
    *lines = line + len + (line[len] == '\n');
    bang = memmem(line, len, " ! ", 3);
    e->params = fill_in(line, bang ? (size_t)(bang - line) : len);
    e->error = 0;
    e->why = "";
    if (bang) {
        size_t rest = (size_t)(line + len - bang - 3);
        why = arena_alloc(a, rest + 1);
        memcpy(why, bang + 3, rest);
        why[rest] = 0;
        e->error = (int)strtol(why, &why, 10);
        e->why = *why == ' ' ? why + 1 : why;
    }
    return true;
}

/* ---- words of a shell ---- */

static void put_word(struct writer *w, const char *s)
{
    static const char plain[] = "-_./:,=@+%";
    bool bare = *s != 0;

    for (const char *p = s; *p && bare; p++)
        bare = isalnum((unsigned char)*p) || strchr(plain, *p);
    put(w, " ");
    if (bare) {
        put(w, s);
        return;
    }
    put(w, "'");
    for (const char *p = s; *p; p++) {
        if (*p == '\'')
            put(w, "'\\''");
        else
            write_u8(w, (uint8_t)*p);
    }
    put(w, "'");
}

static const char *json_text(struct json_object *v)
{
    if (json_object_is_type(v, json_type_string))
        return json_object_get_string(v);
    return json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

char *rpc_doc_example_words(const struct rpc_command *c, const char *params)
{
    struct json_object *o = json_tokener_parse(params);
    struct writer w = WRITER_INIT;

    if (json_object_is_type(o, json_type_object)) {
        put(&w, "-named ");
        put(&w, c->name);
        json_object_object_foreach(o, key, v)
        {
            char *word = xasprintf("%s=%s", key, json_text(v));
            put_word(&w, word);
            free(word);
        }
    } else {
        put(&w, c->name);
        for (size_t i = 0; json_object_is_type(o, json_type_array) && i < json_object_array_length(o); i++)
            put_word(&w, json_text(json_object_array_get_idx(o, i)));
    }
    json_object_put(o);
    write_u8(&w, 0);
    return (char *)w.data;
}
