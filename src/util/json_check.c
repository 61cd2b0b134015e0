/* json_check.c - the grammar of RFC 8259. Called by rpc for request bodies and by the client for its arguments; any thread. */
#include "util/json_check.h"

#include <stdint.h>
#include <string.h>

struct text {
    const char *p;
    const char *end;
};

static bool at(const struct text *t, char ch)
{
    return t->p < t->end && *t->p == ch;
}

static bool take(struct text *t, char ch)
{
    if (!at(t, ch))
        return false;
    t->p++;
    return true;
}

static bool at_digit(const struct text *t)
{
    return t->p < t->end && *t->p >= '0' && *t->p <= '9';
}

static void skip_blanks(struct text *t)
{
    while (at(t, ' ') || at(t, '\t') || at(t, '\n') || at(t, '\r'))
        t->p++;
}

static bool take_word(struct text *t, const char *word)
{
    const size_t len = strlen(word);

    if ((size_t)(t->end - t->p) < len || memcmp(t->p, word, len) != 0)
        return false;
    t->p += len;
    return true;
}

static bool take_digits(struct text *t)
{
    if (!at_digit(t))
        return false;
    while (at_digit(t))
        t->p++;
    return true;
}

static bool check_number(struct text *t)
{
    (void)take(t, '-');
    if (!take(t, '0') && !take_digits(t))
        return false;
    if (take(t, '.') && !take_digits(t))
        return false;
    if (take(t, 'e') || take(t, 'E')) {
        if (!take(t, '+'))
            (void)take(t, '-');
        return take_digits(t);
    }
    return !at_digit(t);
}

/* The four digits behind \u. */
static bool take_unit(struct text *t, unsigned *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, t->p++) {
        const char *digits = "0123456789abcdefABCDEF";
        const char *digit = t->p < t->end && *t->p ? strchr(digits, *t->p) : NULL;
        if (!digit)
            return false;
        *unit = *unit << 4 | (unsigned)(digit - digits < 16 ? digit - digits : digit - digits - 6);
    }
    return true;
}

/* What follows a backslash. UTF-16 surrogates come in pairs or not at all. */
static bool check_escape(struct text *t)
{
    unsigned unit;

    if (take(t, 'u')) {
        if (!take_unit(t, &unit))
            return false;
        if (unit >= 0xd800 && unit < 0xdc00)
            return take_word(t, "\\u") && take_unit(t, &unit) && unit >= 0xdc00 && unit < 0xe000;
        return unit < 0xdc00 || unit >= 0xe000;
    }
    return t->p < t->end && *t->p && strchr("\"\\/bfnrt", *t->p++);
}

/* One character of more than one byte: shortest form, no surrogate, at most U+10FFFF. */
static bool check_utf8(struct text *t)
{
    const unsigned char first = (unsigned char)*t->p++;
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t code = first & (0x3fu >> more);

    if (first < 0xc2 || first > 0xf4)
        return false;
    for (int i = 0; i < more; i++, t->p++) {
        if (t->p == t->end || ((unsigned char)*t->p & 0xc0) != 0x80)
            return false;
        code = code << 6 | ((unsigned char)*t->p & 0x3fu);
    }
    return code >= least[more] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static bool check_string(struct text *t)
{
    if (!take(t, '"'))
        return false;
    while (t->p < t->end) {
        const unsigned char ch = (unsigned char)*t->p;
        if (take(t, '"'))
            return true;
        if (ch < 0x20)
            return false;
        if (ch >= 0x80) {
            if (!check_utf8(t))
                return false;
            continue;
        }
        t->p++;
        if (ch == '\\' && !check_escape(t))
            return false;
    }
    return false;
}

static bool check_value(struct text *t, int depth);

/* The members up to the closing bracket; the opening one has been read. */
static bool check_members(struct text *t, bool object, int depth)
{
    const char close = object ? '}' : ']';

    skip_blanks(t);
    if (take(t, close))
        return true;
    do {
        if (object) {
            skip_blanks(t);
            if (!check_string(t))
                return false;
            skip_blanks(t);
            if (!take(t, ':'))
                return false;
        }
        if (!check_value(t, depth))
            return false;
    } while (take(t, ','));
    return take(t, close);
}

static bool check_value(struct text *t, int depth)
{
    bool ok;

    skip_blanks(t);
    if (take(t, '['))
        ok = depth > 0 && check_members(t, false, depth - 1);
    else if (take(t, '{'))
        ok = depth > 0 && check_members(t, true, depth - 1);
    else if (at(t, '"'))
        ok = check_string(t);
    else
        ok = take_word(t, "null") || take_word(t, "true") || take_word(t, "false") || check_number(t);
    skip_blanks(t);
    return ok;
}

bool json_check(const char *text, size_t len)
{
    struct text t = {text, text + len};
    return len > 0 && check_value(&t, JSON_CHECK_DEPTH) && t.p == t.end;
}
