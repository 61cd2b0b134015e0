/* time.c - clocks. The mocked time is one atomic, read on every thread and set by -mocktime and RPC setmocktime. */
#include "util/time.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int64_t mocked; /* seconds, 0: none */

static int64_t clock_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t time_real(void)
{
    return clock_us(CLOCK_REALTIME) / 1000000;
}

int64_t time_real_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t time_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t time_now(void)
{
    int64_t m = time_mock_get();
    return m ? m : time_real();
}

int64_t time_now_us(void)
{
    int64_t m = time_mock_get();
    return m ? m * 1000000 : time_real_us();
}

void time_mock_set(int64_t seconds)
{
    atomic_store_explicit(&mocked, seconds, memory_order_relaxed);
}

int64_t time_mock_get(void)
{
    return atomic_load_explicit(&mocked, memory_order_relaxed);
}

void time_format_iso(char *out, size_t size, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&t, &tm)) {
        snprintf(out, size, "?");
        return;
    }
    snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
}
