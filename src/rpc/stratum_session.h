/* stratum_session.h - one client's side of stratum v1, without its socket: lines in, lines out, shares judged, difficulty adjusted. Used by
 * stratum.c on the loop thread, by unit tests and by the fuzzer. */
#ifndef FARTHING_RPC_STRATUM_SESSION_H
#define FARTHING_RPC_STRATUM_SESSION_H

#include "mining/work.h"
#include "rpc/priv.h"

#define STRATUM_EXTRA1 4 /* bytes of extra nonce that we choose, one value a client */
#define STRATUM_EXTRA2 8 /* and that the client chooses */
#define STRATUM_JOBS 8   /* jobs a client may still send shares of */
#define STRATUM_SHARES 1024
#define STRATUM_LINE_MAX 4096
#define STRATUM_VERSION_MASK 0x1fffe000u /* BIP320 */
#define STRATUM_SHARE_US 10000000        /* a share in this time is what the difficulty is set for */
#define STRATUM_MIN_DIFFICULTY (1.0 / (1 << 24))

/* The error codes that pools answer with. */
enum stratum_error {
    STRATUM_OTHER = 20,
    STRATUM_STALE = 21,
    STRATUM_DUPLICATE = 22,
    STRATUM_LOW = 23,
    STRATUM_UNAUTHORIZED = 24,
    STRATUM_NOT_SUBSCRIBED = 25
};

struct stratum_job {
    uint32_t id;
    struct mining_work *work; /* one reference */
    double difficulty;
    uint8_t header[BLOCK_HEADER_SIZE]; /* as sent: version, previous block, time, bits */
};

struct stratum_session {
    const struct chain_params *params;
    uint8_t extra1[STRATUM_EXTRA1];
    bool subscribed;
    char agent[64];
    char user[128];                     /* the worker's name, for people to read */
    uint8_t script[ADDRESS_SCRIPT_MAX]; /* of its address */
    size_t script_len;                  /* 0: not authorised */
    uint32_t version_mask;              /* bits of the version that it may choose */

    struct mining_work *work;              /* the newest; NULL: none yet */
    struct stratum_job jobs[STRATUM_JOBS]; /* a ring */
    uint32_t last_job;                     /* id; 0: none yet */
    uint64_t shares[STRATUM_SHARES];       /* the start of the hashes of those accepted, a ring */
    size_t n_shares;                       /* since the jobs were last dropped */
    double difficulty, told, least;        /* now; as the client was last told; what it asked for at least */
    int64_t window_us;                     /* when the difficulty was last looked at */
    unsigned window_shares;                /* accepted since */

    uint64_t accepted, rejected, stale;
    double best;      /* difficulty of its best share */
    double done;      /* difficulties of its shares, fading away */
    int64_t start_us; /* when it came */
    int64_t done_us;  /* the time of `done` */
    unsigned faults;  /* bad lines and shares, less the good ones */

    struct json_writer out; /* lines to be sent; the caller empties it */
    struct block *found;    /* a share that is a block; the caller takes it */
};

/** difficulty: to begin with. */
void stratum_session_init(struct stratum_session *s, const struct chain_params *p, const uint8_t extra1[STRATUM_EXTRA1],
                          double difficulty, int64_t now_us);
void stratum_session_clear(struct stratum_session *s);
/** Subscribed and authorised: it gets work. */
bool stratum_session_ready(const struct stratum_session *s);
/** One line without its end. Returns: false to hang up. */
bool stratum_session_line(struct stratum_session *s, const char *line, size_t len, int64_t now_us);
/** Other work from now on. clean: the old jobs are worth nothing any more. */
void stratum_session_work(struct stratum_session *s, struct mining_work *w, bool clean);
/** Once a second. */
void stratum_session_tick(struct stratum_session *s, int64_t now_us);
/** Hashes a second over the last minutes. */
double stratum_session_rate(const struct stratum_session *s, int64_t now_us);

/* ---- between the files of the session ---- */
/** A line with difficulty and one with work, if there is some. (stratum_share.c) */
void stratum_notify(struct stratum_session *s, bool clean);
/** mining.submit (stratum_share.c). Returns: 0, or the error with its text. */
int stratum_submit(struct stratum_session *s, struct json_object *params, const char **text, int64_t now_us);
/** Sets the difficulty within bounds: not below what the client wants, not above the network's. (stratum_difficulty.c) */
void stratum_set_difficulty(struct stratum_session *s, double difficulty);
void stratum_count_share(struct stratum_session *s, double difficulty, int64_t now_us);
struct u256 stratum_target(double difficulty);
/** The difficulty that a hash meets. */
double stratum_hash_difficulty(const uint8_t hash[32]);
/** String i of an array; NULL if it is none. */
const char *stratum_text(struct json_object *params, size_t i);
/** "<address>[.<worker>]": the part in front of the first dot. */
size_t stratum_address_len(const char *user);

#endif
