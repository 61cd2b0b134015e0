/* log_format.c - the two forms of a line: Bitcoin Core's text and an object of JSON. Called by log.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log_priv.h"
#include "util/mem.h"
#include "util/time.h"

static void put_str(struct writer *w, const char *s)
{
    write_bytes(w, s, strlen(s));
}

/* "2026-08-21T12:40:23Z", with ".123456" before the Z. */
static void put_time(struct writer *w, int64_t time_us, bool micros)
{
    char iso[32], fraction[16];

    time_format_iso(iso, sizeof(iso), time_us / 1000000);
    if (micros) {
        snprintf(fraction, sizeof(fraction), ".%06dZ", (int)(time_us % 1000000));
        iso[strlen(iso) - 1] = 0;
        put_str(w, iso);
        put_str(w, fraction);
    } else {
        put_str(w, iso);
    }
}

static void put_timestamp(struct writer *w, const struct log_config *config, const struct log_entry *e)
{
    if (!config->timestamps)
        return;
    put_time(w, e->time_us, config->time_micros);
    if (e->mock) {
        put_str(w, " (mocktime: ");
        put_time(w, e->mock * 1000000, false);
        put_str(w, ")");
    }
    put_str(w, " ");
}

/* "[net] " for debug lines, "[net:trace] ", "[warning] ", nothing for plain info lines. */
static void put_category(struct writer *w, const struct log_config *config, const struct log_entry *e)
{
    bool has_category = e->category != LOG_NONE || config->level_always;

    if (!has_category && e->level == LOG_LEVEL_INFO)
        return;
    put_str(w, "[");
    if (has_category)
        put_str(w, log_category_name(e->category));
    if (config->level_always || !has_category || e->level != LOG_LEVEL_DEBUG) {
        if (has_category)
            put_str(w, ":");
        put_str(w, log_level_names[e->level]);
    }
    put_str(w, "] ");
}

/* Control characters of peers and files must not reach a terminal: they become \xNN, newlines stay. */
static void put_text(struct writer *w, const struct log_entry *e)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < e->len; i++) {
        uint8_t c = (uint8_t)e->text[i];
        if ((c >= 32 && c != 127) || c == '\n') {
            write_u8(w, c);
        } else {
            const char escape[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
            write_bytes(w, escape, 4);
        }
    }
    if (!w->len || w->data[w->len - 1] != '\n')
        write_u8(w, '\n');
}

void log_format_text(struct writer *w, const struct log_config *config, const struct log_entry *e)
{
    char place[32];

    put_timestamp(w, config, e);
    if (config->thread_names) {
        put_str(w, "[");
        put_str(w, *e->thread ? e->thread : "unknown");
        put_str(w, "] ");
    }
    if (config->source_locations) {
        snprintf(place, sizeof(place), ":%d] [", e->line);
        put_str(w, "[");
        put_str(w, strncmp(e->file, "./", 2) ? e->file : e->file + 2);
        put_str(w, place);
        put_str(w, e->func);
        put_str(w, "] ");
    }
    put_category(w, config, e);
    put_text(w, e);
}

/* Whatever is not plain ASCII goes as \u00NN of its byte, since texts of peers and files need not be UTF-8. */
static void put_json_str(struct writer *w, const char *s, size_t len)
{
    char code[8];

    write_u8(w, '"');
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)s[i];
        if (c < 32 || c >= 127) {
            snprintf(code, sizeof(code), "\\u%04x", c);
            put_str(w, code);
            continue;
        }
        if (c == '"' || c == '\\')
            write_u8(w, '\\');
        write_u8(w, c);
    }
    write_u8(w, '"');
}

static void put_member(struct writer *w, const char *name, const char *text)
{
    put_str(w, ",\"");
    put_str(w, name);
    put_str(w, "\":");
    put_json_str(w, text, strlen(text));
}

void log_format_json(struct writer *w, const struct log_entry *e)
{
    size_t len = e->len;

    while (len && e->text[len - 1] == '\n')
        len--;
    put_str(w, "{\"time\":\"");
    put_time(w, e->time_us, true);
    put_str(w, "\"");
    if (e->mock) {
        put_str(w, ",\"mocktime\":\"");
        put_time(w, e->mock * 1000000, false);
        put_str(w, "\"");
    }
    put_member(w, "level", log_level_names[e->level]);
    if (e->category != LOG_NONE)
        put_member(w, "category", log_category_name(e->category));
    put_member(w, "thread", e->thread);
    put_member(w, "event", e->event ? e->event : "log");
    write_bytes(w, e->text + e->len + 1, e->fields_len);
    put_str(w, ",\"message\":");
    put_json_str(w, e->text, len);
    put_str(w, "}\n");
}

struct log_entry *log_entry_new(enum log_level level, enum log_category c, const char *file, int line, const char *func,
                                const char *fmt, va_list ap)
{
    char small[512];
    struct log_entry *e;
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(small, sizeof(small), fmt, again);
    va_end(again);
    if (n < 0)
        n = 0;
    e = xcalloc(1, sizeof(*e) + (size_t)n + 1);
    if ((size_t)n < sizeof(small))
        memcpy(e->text, small, (size_t)n);
    else
        vsnprintf(e->text, (size_t)n + 1, fmt, ap);
    e->level = level;
    e->category = c;
    e->file = file;
    e->line = line;
    e->func = func;
    e->time_us = time_real_us();
    e->mock = time_mock_get();
    snprintf(e->thread, sizeof(e->thread), "%s", log_thread_name_get());
    e->len = (size_t)n;
    return e;
}

struct log_entry *log_entry_add_fields(struct log_entry *e_take, const struct log_field *fields, size_t n)
{
    struct writer w = WRITER_INIT;
    char number[24];

    for (size_t i = 0; i < n; i++) {
        if (fields[i].text) {
            put_member(&w, fields[i].name, fields[i].text);
            continue;
        }
        put_str(&w, ",\"");
        put_str(&w, fields[i].name);
        snprintf(number, sizeof(number), "\":%" PRId64, fields[i].number);
        put_str(&w, number);
    }
    e_take = xrealloc(e_take, sizeof(*e_take) + e_take->len + 1 + w.len);
    if (w.len)
        memcpy(e_take->text + e_take->len + 1, w.data, w.len);
    e_take->fields_len = w.len;
    writer_clear(&w);
    return e_take;
}
