/* json_read.c - JSON texts to json-c's objects. json-c's own parser keeps the last of equal names and nothing of the others, makes large numbers small
 * and takes room for 32 elements for an empty array; here the text is checked (util/json_check.h), its cost is known before it is read, and then
 * reading it cannot fail. Called for requests of JSON-RPC and Stratum; any thread. */
#include "rpc/json_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_check.h"
#include "util/mem.h"

/* About what json-c takes for each, bookkeeping included. */
#define VALUE_COST 80
#define ARRAY_COST 160
#define OBJECT_COST 800
#define ARRAY_ROOM 4 /* elements of a new array */

/* A text that is known to be JSON. */
struct text {
    const char *p;
    const char *end;
};

static struct json_object *read_value(struct text *t);

static bool is_affordable(const char *s, size_t len)
{
    size_t cost = len;
    bool in_string = false;

    for (size_t i = 0; i < len; i++) {
        if (in_string) {
            if (s[i] == '\\')
                i++;
            else if (s[i] == '"')
                in_string = false;
            continue;
        }
        in_string = s[i] == '"';
        cost += s[i] == ',' ? VALUE_COST : s[i] == '[' ? ARRAY_COST : s[i] == '{' ? OBJECT_COST : 0;
    }
    return cost <= JSON_READ_MEMORY_MAX;
}

static void skip_blanks(struct text *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
        t->p++;
}

/* ---- strings ---- */

static unsigned read_unit(const char *p)
{
    unsigned unit = 0;

    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return unit;
}

static char *put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xe0 | code >> 12);
        } else {
            *out++ = (char)(0xf0 | code >> 18);
            *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (code & 0x3f));
    return out;
}

/* Behind the backslash. */
static char *read_escape(struct text *t, char *out)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char *name = strchr(names, *t->p);
    unsigned code;

    if (*t->p != 'u') {
        *out++ = name ? values[name - names] : *t->p;
        t->p++;
        return out;
    }
    code = read_unit(t->p + 1);
    t->p += 5;
    if (code >= 0xd800 && code < 0xdc00) { /* the other half follows */
        code = 0x10000 + ((code - 0xd800) << 10) + (read_unit(t->p + 2) - 0xdc00);
        t->p += 6;
    }
    return put_utf8(out, code);
}

/* A string without its quotes; t stands behind it. Out: *len. Returns: in the text, or *own (to free). */
static const char *read_string(struct text *t, size_t *len, char **own)
{
    const char *start = ++t->p, *quote = start;
    char *out;

    while (*quote != '"' && *quote != '\\')
        quote++;
    *own = NULL;
    if (*quote == '"') {
        *len = (size_t)(quote - start);
        t->p = quote + 1;
        return start;
    }
    for (quote = start; *quote != '"'; quote++)
        quote += *quote == '\\';
    out = *own = xmalloc((size_t)(quote - start) + 1); /* no escape is shorter than what it stands for */
    while (*t->p != '"') {
        if (*t->p != '\\') {
            *out++ = *t->p++;
            continue;
        }
        t->p++;
        out = read_escape(t, out);
    }
    t->p++;
    *len = (size_t)(out - *own);
    return *own;
}

static struct json_object *read_text(struct text *t)
{
    char *own;
    size_t len;
    const char *s = read_string(t, &len, &own);
    struct json_object *o = json_object_new_string_len(s, (int)len);

    free(own);
    return o;
}

/* ---- numbers ---- */

static struct json_object *read_number(struct text *t)
{
    const char *start = t->p;
    bool whole = true;
    struct json_object *o;
    char text[32], *copy;
    size_t n;

    for (; t->p < t->end && strchr("+-.0123456789eE", *t->p) && *t->p; t->p++)
        whole &= *t->p != '.' && *t->p != 'e' && *t->p != 'E';
    n = (size_t)(t->p - start);
    if (whole && n < sizeof(text)) {
        long long v;
        memcpy(text, start, n);
        text[n] = 0;
        errno = 0;
        v = strtoll(text, NULL, 10);
        if (errno == 0 && (v != 0 || n == 1))
            return json_object_new_int64(v);
    }
    copy = xmalloc(n + 1);
    memcpy(copy, start, n);
    copy[n] = 0;
    o = json_object_new_double_s(strtod(copy, NULL), copy); /* shown as it was written */
    free(copy);
    return o;
}

/* ---- arrays and objects ---- */

static struct json_object *read_array(struct text *t)
{
    struct json_object *o = json_object_new_array_ext(ARRAY_ROOM);

    t->p++;
    skip_blanks(t);
    while (*t->p != ']') {
        json_object_array_add(o, read_value(t));
        t->p += *t->p == ',';
    }
    t->p++;
    return o;
}

static void free_key(struct json_object *o, void *key)
{
    (void)o;
    free(key);
}

/* Takes value. */
static void add_member(struct json_object *o, const char *key, struct json_object *value_take)
{
    if (!json_object_object_get_ex(o, key, NULL)) {
        json_object_object_add_ex(o, key, value_take, JSON_C_OBJECT_ADD_KEY_IS_NEW);
        return;
    }
    if (!json_object_get_userdata(o))
        json_object_set_userdata(o, xstrdup(key), free_key);
    json_object_put(value_take);
}

/* json-c ends names at a NUL, which would make one name of two. */
static char *copy_key(const char *s, size_t len)
{
    char *key = xmalloc(len + 1);

    for (size_t i = 0; i < len; i++)
        key[i] = s[i] ? s[i] : '?';
    key[len] = 0;
    return key;
}

static struct json_object *read_object(struct text *t)
{
    struct json_object *o = json_object_new_object();

    t->p++;
    skip_blanks(t);
    while (*t->p != '}') {
        char *own, *key;
        size_t len;
        const char *s;
        skip_blanks(t); /* behind a comma */
        s = read_string(t, &len, &own);
        key = copy_key(s, len);
        free(own);
        skip_blanks(t);
        t->p++; /* the colon */
        add_member(o, key, read_value(t));
        free(key);
        t->p += *t->p == ',';
    }
    t->p++;
    return o;
}

/* A value with the blanks around it. */
static struct json_object *read_value(struct text *t)
{
    struct json_object *o = NULL;

    skip_blanks(t);
    switch (*t->p) {
    case '{':
        o = read_object(t);
        break;
    case '[':
        o = read_array(t);
        break;
    case '"':
        o = read_text(t);
        break;
    case 't':
        o = json_object_new_boolean(true);
        t->p += 4;
        break;
    case 'f':
        o = json_object_new_boolean(false);
        t->p += 5;
        break;
    case 'n':
        t->p += 4;
        break;
    default:
        o = read_number(t);
    }
    skip_blanks(t);
    return o;
}

bool json_read(struct json_object **out, const char *text, size_t len)
{
    struct text t = {text, text + len};

    *out = NULL;
    if (len > INT32_MAX - 1 || !json_check(text, len) || !is_affordable(text, len))
        return false;
    *out = read_value(&t);
    return true;
}

const char *json_duplicate_key(struct json_object *o)
{
    return json_object_is_type(o, json_type_object) ? json_object_get_userdata(o) : NULL;
}
