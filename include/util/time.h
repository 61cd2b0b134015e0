/* time.h - clocks. The wall clock can be set by -mocktime and RPC setmocktime (tests); the monotonic one cannot.
 * The mocked value is the one process-wide variable besides the log (doc/adr/0001). Any thread. */
#ifndef FARTHING_UTIL_TIME_H
#define FARTHING_UTIL_TIME_H

#include <stddef.h>
#include <stdint.h>

/** Unix time in seconds / microseconds: the mocked one when set, else the system's. */
int64_t time_now(void);
int64_t time_now_us(void);
/** Unix time of the system, never mocked. */
int64_t time_real(void);
int64_t time_real_us(void);
/** Sets the mocked time (seconds); 0 goes back to the system's clock. */
void time_mock_set(int64_t seconds);
/** The mocked time, 0 if none. */
int64_t time_mock_get(void);
/** Microseconds of a clock that never steps back; unaffected by mocking. For measuring. */
int64_t time_mono_us(void);
/** ISO 8601 UTC "2026-08-21T12:40:23Z". Out: out (at least 21 bytes). */
void time_format_iso(char *out, size_t size, int64_t seconds);

#endif
