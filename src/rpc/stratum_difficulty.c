/* stratum_difficulty.c - how hard a client's shares are: targets, and the adjustment that aims at a share every ten seconds. Loop thread. */
#include <math.h>

#include "rpc/stratum_session.h"

#define WINDOW_SHARES 16    /* enough to judge by */
#define WINDOW_US 60000000  /* or time enough */
#define SILENCE_US 30000000 /* no share at all for so long: easier */
#define TOLERANCE 1.5       /* a difficulty that is off by less stays */
#define STEP_UP 16.0        /* at most, at a time */
#define STEP_DOWN 4.0
#define FADE_US 300000000.0 /* the time constant of hash rates */
#define HASHES 4294967296.0 /* at difficulty 1, for a share */

/* 65535 * 2^208 / difficulty. */
struct u256 stratum_target(double difficulty)
{
    int exponent;
    double fraction = frexp(65535.0 / difficulty, &exponent);
    struct u256 mantissa = u256_from_u64((uint64_t)ldexp(fraction, 53));
    int shift = exponent - 53 + 208;

    if (shift > 256 - 53)
        return u256_not(u256_from_u64(0));
    return shift >= 0 ? u256_shl(mantissa, (unsigned)shift) : shift > -53 ? u256_shr(mantissa, (unsigned)-shift) : u256_from_u64(0);
}

double stratum_hash_difficulty(const uint8_t hash[32])
{
    double v = u256_to_double(u256_from_le(hash));

    return v > 0 ? ldexp(65535.0, 208) / v : 0;
}

void stratum_set_difficulty(struct stratum_session *s, double difficulty)
{
    double least = s->least > STRATUM_MIN_DIFFICULTY ? s->least : STRATUM_MIN_DIFFICULTY;
    double most = s->work ? difficulty_from_bits(s->work->t->bits) : difficulty;

    if (!(difficulty > least))
        difficulty = least;
    if (difficulty >= 1)
        difficulty = floor(difficulty + 0.5); /* some hardware reads whole numbers only */
    s->difficulty = difficulty > most ? most : difficulty;
}

static double fade(double v, int64_t us)
{
    return us > 0 ? v * exp(-(double)us / FADE_US) : v;
}

void stratum_count_share(struct stratum_session *s, double difficulty, int64_t now_us)
{
    s->done = fade(s->done, now_us - s->done_us) + difficulty;
    s->done_us = now_us;
    s->window_shares++;
    s->accepted++;
    s->faults = 0;
}

double stratum_session_rate(const struct stratum_session *s, int64_t now_us)
{
    double seen =
        FADE_US * (1 - exp(-(double)(now_us - s->start_us + 1000000) / FADE_US)); /* the part of FADE_US that it was here */

    return fade(s->done, now_us - s->done_us) * HASHES * 1e6 / seen;
}

void stratum_session_tick(struct stratum_session *s, int64_t now_us)
{
    int64_t elapsed = now_us - s->window_us;
    double old = s->difficulty, ratio;

    if (!stratum_session_ready(s) || !s->work) {
        s->window_us = now_us;
        return;
    }
    if (elapsed < 1000000 || (s->window_shares < WINDOW_SHARES && elapsed < (s->window_shares ? WINDOW_US : SILENCE_US)))
        return;
    ratio = s->window_shares * (double)STRATUM_SHARE_US / (double)elapsed;
    ratio = ratio > STEP_UP ? STEP_UP : ratio < 1 / STEP_DOWN ? 1 / STEP_DOWN : ratio;
    s->window_us = now_us;
    s->window_shares = 0;
    if (ratio < TOLERANCE && ratio > 1 / TOLERANCE)
        return;
    stratum_set_difficulty(s, old * ratio);
    if (s->difficulty < old || s->difficulty > old)
        stratum_notify(s, false);
}
