/* verdict.c - how rules say no. Called by every rule; any thread. */
#include "consensus/verdict.h"

#include <stdarg.h>
#include <stdio.h>

bool verdict_invalid(struct verdict *v, enum verdict_code code, const char *reason, const char *debug_fmt, ...)
{
    v->kind = VERDICT_INVALID;
    v->code = code;
    snprintf(v->reason, sizeof(v->reason), "%s", reason);
    v->debug[0] = 0;
    if (debug_fmt) {
        va_list ap;
        va_start(ap, debug_fmt);
        vsnprintf(v->debug, sizeof(v->debug), debug_fmt, ap);
        va_end(ap);
    }
    return false;
}

bool verdict_invalidf(struct verdict *v, enum verdict_code code, const char *reason_fmt, ...)
{
    va_list ap;
    v->kind = VERDICT_INVALID;
    v->code = code;
    v->debug[0] = 0;
    va_start(ap, reason_fmt);
    vsnprintf(v->reason, sizeof(v->reason), reason_fmt, ap);
    va_end(ap);
    return false;
}

bool verdict_internal(struct verdict *v, const char *fmt, ...)
{
    va_list ap;
    v->kind = VERDICT_INTERNAL;
    v->code = CODE_NONE;
    v->debug[0] = 0;
    va_start(ap, fmt);
    vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
    va_end(ap);
    return false;
}

const char *verdict_string(const struct verdict *v, char out[VERDICT_STRING_SIZE])
{
    if (v->kind == VERDICT_VALID)
        snprintf(out, VERDICT_STRING_SIZE, "Valid");
    else if (v->debug[0])
        snprintf(out, VERDICT_STRING_SIZE, "%s, %s", v->reason, v->debug);
    else
        snprintf(out, VERDICT_STRING_SIZE, "%s", v->reason);
    return out;
}
