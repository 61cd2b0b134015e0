/* stratum_share.c - jobs as a client gets them, and the shares that it sends of them. Loop thread. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha256.h"
#include "rpc/stratum_session.h"

#define VERSION_AT 0
#define ROOT_AT 36
#define TIME_AT 68
#define BITS_AT 72
#define NONCE_AT 76
#define MAX_FUTURE 7200 /* s; what the rules allow */

/* ---- jobs ---- */

static void drop_jobs(struct stratum_session *s)
{
    for (size_t i = 0; i < STRATUM_JOBS; i++) {
        mining_work_unref(s->jobs[i].work);
        s->jobs[i] = (struct stratum_job){0};
    }
    s->n_shares = 0;
}

static struct stratum_job *new_job(struct stratum_session *s)
{
    const struct block_template *t = s->work->t;
    struct block_header h = {.version = t->version, .prev = t->prev->node.hash, .bits = t->bits};
    struct stratum_job *job = &s->jobs[++s->last_job % STRATUM_JOBS];

    mining_work_unref(job->work);
    job->id = s->last_job;
    job->work = mining_work_ref(s->work);
    job->difficulty = s->difficulty;
    block_header_encode(job->header, &h);
    mining_work_set_time(job->header, s->work, s->params, time_now());
    return job;
}

static struct stratum_job *find_job(struct stratum_session *s, const char *id)
{
    char *end;
    unsigned long n = strtoul(id, &end, 16);
    struct stratum_job *job = &s->jobs[n % STRATUM_JOBS];

    return *id && !*end && job->work && job->id == n ? job : NULL;
}

static void write_method(struct json_writer *j, const char *method)
{
    j->comma = false;
    jw_obj_begin(j);
    jw_key(j, "id");
    jw_null(j);
    jw_kv_str(j, "method", method);
    jw_key(j, "params");
    jw_arr_begin(j);
}

static void end_method(struct json_writer *j)
{
    jw_arr_end(j);
    jw_obj_end(j);
    write_u8(&j->w, '\n');
    j->comma = false;
}

/* The previous block's hash goes out with the bytes of each of its eight words turned round: an old habit of the protocol. */
static void write_prev(struct json_writer *j, const struct block_hash *prev)
{
    uint8_t words[32];

    for (int i = 0; i < 32; i += 4)
        put_be32(words + i, get_le32(prev->b + i));
    jw_hex(j, words, sizeof(words));
}

static void write_job(struct stratum_session *s, const struct stratum_job *job, bool clean)
{
    struct json_writer *j = &s->out;
    struct writer head = WRITER_INIT, tail = WRITER_INIT;
    char id[16];

    snprintf(id, sizeof(id), "%x", job->id);
    mining_work_coinbase(&head, &tail, job->work, s->script, s->script_len, STRATUM_EXTRA1 + STRATUM_EXTRA2);
    write_method(j, "mining.notify");
    jw_str(j, id);
    write_prev(j, &job->work->t->prev->node.hash);
    jw_hex(j, head.data, head.len);
    jw_hex(j, tail.data, tail.len);
    jw_arr_begin(j);
    for (size_t i = 0; i < job->work->n_branch; i++)
        jw_hex(j, job->work->branch[i].b, 32);
    jw_arr_end(j);
    jw_hex32(j, get_le32(job->header + VERSION_AT));
    jw_hex32(j, get_le32(job->header + BITS_AT));
    jw_hex32(j, get_le32(job->header + TIME_AT));
    jw_bool(j, clean);
    end_method(j);
    writer_clear(&head);
    writer_clear(&tail);
}

void stratum_notify(struct stratum_session *s, bool clean)
{
    if (!stratum_session_ready(s) || !s->work)
        return;
    stratum_set_difficulty(s, s->difficulty); /* the network's may be another by now */
    if (s->difficulty < s->told || s->difficulty > s->told) {
        write_method(&s->out, "mining.set_difficulty");
        jw_double(&s->out, s->difficulty);
        end_method(&s->out);
        s->told = s->difficulty;
    }
    write_job(s, new_job(s), clean);
}

void stratum_session_work(struct stratum_session *s, struct mining_work *w, bool clean)
{
    mining_work_unref(s->work);
    s->work = w ? mining_work_ref(w) : NULL;
    if (clean)
        drop_jobs(s);
    stratum_notify(s, clean);
}

/* ---- shares ---- */

struct share {
    uint8_t extra2[STRATUM_EXTRA2];
    uint32_t time, nonce, version_bits;
    bool has_version;
};

static bool read_hex32(uint32_t *out, const char *text)
{
    uint8_t b[4];

    if (!text || !hex_decode(b, sizeof(b), text))
        return false;
    *out = get_be32(b);
    return true;
}

static bool read_share(struct share *sh, struct json_object *params)
{
    const char *extra2 = stratum_text(params, 2);

    *sh = (struct share){.has_version = json_object_array_length(params) > 5};
    return extra2 && hex_decode(sh->extra2, sizeof(sh->extra2), extra2) && read_hex32(&sh->time, stratum_text(params, 3)) &&
           read_hex32(&sh->nonce, stratum_text(params, 4)) &&
           (!sh->has_version || read_hex32(&sh->version_bits, stratum_text(params, 5)));
}

/* The time must be one that the chain would take, with these very bits. */
static bool time_fits(const struct stratum_session *s, const struct stratum_job *job, uint32_t when)
{
    const struct block_template *t = job->work->t;
    int64_t latest = time_now() > get_le32(job->header + TIME_AT) ? time_now() : get_le32(job->header + TIME_AT);

    if (when < t->min_time || when > latest + MAX_FUTURE)
        return false;
    return !s->params->pow_min_difficulty_blocks ||
           next_work_required(s->params, &t->prev->node, when) == get_le32(job->header + BITS_AT);
}

/* The header that the client has hashed, and the coinbase in it. */
static void build_header(uint8_t header[BLOCK_HEADER_SIZE], struct writer *coinbase, const struct stratum_session *s,
                         const struct stratum_job *job, const struct share *sh)
{
    struct writer tail = WRITER_INIT;
    uint8_t id[32];
    struct hash256 root;

    mining_work_coinbase(coinbase, &tail, job->work, s->script, s->script_len, STRATUM_EXTRA1 + STRATUM_EXTRA2);
    write_bytes(coinbase, s->extra1, STRATUM_EXTRA1);
    write_bytes(coinbase, sh->extra2, STRATUM_EXTRA2);
    write_bytes(coinbase, tail.data, tail.len);
    writer_clear(&tail);
    sha256d(id, coinbase->data, coinbase->len);
    root = mining_work_root(job->work, id);
    memcpy(header, job->header, BLOCK_HEADER_SIZE);
    if (sh->has_version)
        put_le32(header + VERSION_AT, (get_le32(header + VERSION_AT) & ~s->version_mask) | sh->version_bits);
    memcpy(header + ROOT_AT, root.b, 32);
    put_le32(header + TIME_AT, sh->time);
    put_le32(header + NONCE_AT, sh->nonce);
}

static bool seen_before(const struct stratum_session *s, uint64_t key)
{
    size_t n = s->n_shares < STRATUM_SHARES ? s->n_shares : STRATUM_SHARES;

    for (size_t i = 0; i < n; i++) {
        if (s->shares[i] == key)
            return true;
    }
    return false;
}

/* Judges a share that is well formed. */
static int judge(struct stratum_session *s, const struct stratum_job *job, const struct share *sh, const char **text,
                 int64_t now_us)
{
    uint8_t header[BLOCK_HEADER_SIZE], hash[32];
    struct writer coinbase = WRITER_INIT;
    struct u256 number;
    bool solves;
    int code = 0;

    build_header(header, &coinbase, s, job, sh);
    sha256d(hash, header, sizeof(header));
    number = u256_from_le(hash);
    solves = u256_cmp(number, target_from_bits(get_le32(header + BITS_AT), NULL, NULL)) <= 0;
    if (seen_before(s, get_le64(hash))) {
        code = STRATUM_DUPLICATE;
        *text = "Duplicate share";
    } else if (!solves && u256_cmp(number, stratum_target(job->difficulty)) > 0) {
        code = STRATUM_LOW;
        *text = "Low difficulty share";
    } else {
        s->shares[s->n_shares++ % STRATUM_SHARES] = get_le64(hash);
        stratum_count_share(s, job->difficulty, now_us);
        if (stratum_hash_difficulty(hash) > s->best)
            s->best = stratum_hash_difficulty(hash);
        if (solves && !s->found)
            s->found = mining_work_block(job->work, header, coinbase.data, coinbase.len);
    }
    writer_clear(&coinbase);
    return code;
}

int stratum_submit(struct stratum_session *s, struct json_object *params, const char **text, int64_t now_us)
{
    const char *user = stratum_text(params, 0), *id = stratum_text(params, 1);
    const struct stratum_job *job;
    struct share sh;

    if (!s->subscribed) {
        *text = "Not subscribed";
        return STRATUM_NOT_SUBSCRIBED;
    }
    if (!s->script_len || !user || stratum_address_len(user) != stratum_address_len(s->user) ||
        strncmp(user, s->user, stratum_address_len(user)) != 0) {
        *text = "Unauthorized worker";
        return STRATUM_UNAUTHORIZED;
    }
    *text = "Malformed share";
    if (!id || !read_share(&sh, params))
        return STRATUM_OTHER;
    job = find_job(s, id);
    if (!job) {
        *text = "Job not found";
        return STRATUM_STALE;
    }
    *text = "Version bits outside of the mask";
    if (sh.version_bits & ~s->version_mask)
        return STRATUM_OTHER;
    *text = "Time out of range";
    if (!time_fits(s, job, sh.time))
        return STRATUM_OTHER;
    return judge(s, job, &sh, text, now_us);
}
