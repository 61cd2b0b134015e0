/* dispatch.c - from a method's name and its parameters to its handler: lookup, named parameters, count and types. Any thread. */
#include <stdlib.h>

#include "rpc/json_read.h"
#include "rpc/server_priv.h"

const struct rpc_command *const rpc_tables[] = {rpc_block_commands,
                                                rpc_chain_commands,
                                                rpc_stats_commands,
                                                rpc_chain_control_commands,
                                                rpc_coins_commands,
                                                rpc_scan_commands,
                                                rpc_mining_commands,
                                                rpc_template_commands,
                                                rpc_generate_commands,
                                                rpc_network_commands,
                                                rpc_address_book_commands,
                                                rpc_peer_commands,
                                                rpc_rawtx_commands,
                                                rpc_create_commands,
                                                rpc_sign_commands,
                                                rpc_psbt_commands,
                                                rpc_psbt_show_commands,
                                                rpc_psbt_process_commands,
                                                rpc_multisig_commands,
                                                rpc_message_commands,
                                                rpc_send_commands,
                                                rpc_privcast_commands,
                                                rpc_package_commands,
                                                rpc_mempool_commands,
                                                rpc_mempool_cluster_commands,
                                                rpc_mempool_file_commands,
                                                rpc_control_commands,
                                                rpc_util_commands,
                                                rpc_index_commands,
                                                rpc_wait_commands,
                                                rpc_proof_commands,
                                                rpc_hidden_commands,
                                                rpc_miner_commands,
                                                rpc_fees_commands,
                                                rpc_snapshot_commands,
                                                rpc_zmq_commands,
                                                rpc_scanblocks_commands,
                                                rpc_signer_commands,
                                                rpc_address_index_commands,
                                                NULL};

const struct rpc_command *rpc_find_command(const char *name)
{
    for (const struct rpc_command *const *t = rpc_tables; *t; t++) {
        for (const struct rpc_command *c = *t; c->name; c++) {
            if (strcmp(c->name, name) == 0)
                return c;
        }
    }
    return NULL;
}

/* ---- lookup: every name in a table of twice as many places or more ---- */

struct command_table {
    size_t mask;
    const struct rpc_command *place[];
};

static size_t name_hash(const char *name)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h ^ h >> 15;
}

struct command_table *command_table_new(void)
{
    size_t n = 0, size = 64;
    struct command_table *table;

    for (const struct rpc_command *const *t = rpc_tables; *t; t++) {
        for (const struct rpc_command *c = *t; c->name; c++)
            n++;
    }
    while (size < 2 * n)
        size *= 2;
    table = xcalloc(1, sizeof(*table) + size * sizeof(table->place[0]));
    table->mask = size - 1;
    for (const struct rpc_command *const *t = rpc_tables; *t; t++) {
        for (const struct rpc_command *c = *t; c->name; c++) {
            size_t i = name_hash(c->name) & table->mask;
            while (table->place[i])
                i = (i + 1) & table->mask;
            table->place[i] = c;
        }
    }
    return table;
}

const struct rpc_command *rpc_lookup(const struct rpc_server *s, const char *name)
{
    const struct command_table *t = s->commands;
    size_t i = name_hash(name) & t->mask;

    while (t->place[i] && strcmp(t->place[i]->name, name) != 0)
        i = (i + 1) & t->mask;
    return t->place[i];
}

/* ---- named parameters ---- */

/* Finds the value given under one of the names "a|b"; *key: the name used. */
static bool take_named(struct json_object *named, const char *names, struct json_object **v, char key[64])
{
    while (*names) {
        size_t n = strcspn(names, "|");
        if (n < 64) {
            memcpy(key, names, n);
            key[n] = 0;
            if (json_object_object_get_ex(named, key, v))
                return true;
        }
        names += n + (names[n] == '|');
    }
    return false;
}

struct name_mapping {
    struct rpc_call *call;
    struct json_object *named; /* what is left of the given ones */
    struct json_object *out;   /* positions */
    struct json_object *options;
    char option_key[64]; /* the first option */
    const char *first;   /* names of the first parameter that was given */
    size_t hole, initial_hole;
};

static bool map_one(struct name_mapping *m, const struct rpc_param *p)
{
    struct json_object *v = NULL;
    char key[64];
    bool given = take_named(m->named, p->names, &v, key);

    if (p->flags & RPC_OPTION) {
        if (!given)
            return true;
        if (!m->options) {
            m->options = json_object_new_object();
            memcpy(m->option_key, key, sizeof(key));
        }
        json_object_object_add(m->options, key, json_object_get(v));
        json_object_object_del(m->named, key);
        return true;
    }
    if (!given && !m->options) {
        m->hole++;
        if (json_object_array_length(m->out) == 0)
            m->initial_hole = m->hole;
        return true;
    }
    for (; m->hole > 0; m->hole--)
        json_object_array_add(m->out, NULL);
    if (!m->first)
        m->first = p->names;
    if (given && m->options)
        return rpc_error(m->call, RPC_INVALID_PARAMETER, "Parameter %s conflicts with parameter %s", key, m->option_key);
    if (given) {
        json_object_array_add(m->out, json_object_get(v));
        json_object_object_del(m->named, key);
    } else {
        json_object_array_add(m->out, m->options);
        m->options = NULL;
    }
    return true;
}

/* "args": positions in front of the named ones. */
static bool merge_args(struct name_mapping *m)
{
    struct json_object *args = rpc_member(m->named, "args"), *all;

    if (!args || !json_object_is_type(args, json_type_array)) {
        json_object_object_del(m->named, "args");
        return true;
    }
    if (m->initial_hole < json_object_array_length(args) && m->first)
        return rpc_error(m->call, RPC_INVALID_PARAMETER, "Parameter %s specified twice both as positional and named argument",
                         m->first);
    all = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(args); i++)
        json_object_array_add(all, json_object_get(json_object_array_get_idx(args, i)));
    for (size_t i = json_object_array_length(all); i < json_object_array_length(m->out); i++)
        json_object_array_add(all, json_object_get(json_object_array_get_idx(m->out, i)));
    json_object_put(m->out);
    m->out = all;
    json_object_object_del(m->named, "args");
    return true;
}

static struct json_object *shallow_copy(struct json_object *o)
{
    struct json_object *copy = json_object_new_object();

    json_object_object_foreach(o, key, v) json_object_object_add(copy, key, json_object_get(v));
    return copy;
}

/* Returns: an array (one reference), NULL with the error set. */
static struct json_object *positions_of(struct rpc_call *call, struct json_object *named)
{
    struct name_mapping m = {.call = call, .named = shallow_copy(named), .out = json_object_new_array()};
    const char *twice = json_duplicate_key(named);
    bool ok = !twice || rpc_error(call, RPC_INVALID_PARAMETER, "Parameter %s specified multiple times", twice);

    for (const struct rpc_param *p = call->command->params; ok && p && p->names; p++)
        ok = map_one(&m, p);
    ok = ok && merge_args(&m);
    if (ok) {
        json_object_object_foreach(m.named, key, v)
        {
            (void)v;
            ok = rpc_error(call, RPC_INVALID_PARAMETER, "Unknown named parameter %s", key);
            break;
        }
    }
    json_object_put(m.named);
    json_object_put(m.options);
    if (!ok) {
        json_object_put(m.out);
        return NULL;
    }
    return m.out;
}

/* ---- count and types ---- */

static bool check_count(struct rpc_call *call)
{
    size_t n = json_object_array_length(call->params), most = 0, least = 0;

    for (const struct rpc_param *p = call->command->params; p && p->names; p++) {
        if (p->flags & RPC_OPTION)
            continue;
        most++;
        if (p->flags & RPC_REQUIRED)
            least = most;
    }
    if (n < least || n > most)
        return rpc_error_usage(call, RPC_MISC_ERROR);
    return true;
}

static bool type_fits(const struct rpc_param *p, const struct json_object *v, const char **expected)
{
    static const char *const names[] = {"string", "string", "number", "bool", NULL, "object", "array", "object"};

    *expected = names[p->type];
    if ((p->flags & RPC_ANY_TYPE) || !*expected || (!v && !(p->flags & RPC_REQUIRED)))
        return true;
    return strcmp(rpc_type_name(v), *expected) == 0;
}

static bool check_types(struct rpc_call *call)
{
    struct writer w = WRITER_INIT;
    size_t i = 0;

    for (const struct rpc_param *p = call->command->params; p && p->names; p++) {
        const char *expected;
        if (p->flags & RPC_OPTION)
            continue;
        if (!type_fits(p, rpc_arg(call, i), &expected)) {
            char *line = xasprintf("%s    \"Position %zu (%s)\": \"JSON value of type %s is not of expected type %s\"",
                                   w.len ? ",\n" : "", i + 1, p->names, rpc_type_name(rpc_arg(call, i)), expected);
            write_bytes(&w, line, strlen(line));
            free(line);
        }
        i++;
    }
    if (w.len == 0)
        return true;
    rpc_error(call, RPC_TYPE_ERROR, "Wrong type passed:\n{\n%.*s\n}", (int)w.len, (const char *)w.data);
    writer_clear(&w);
    return false;
}

static void run_command(void *arg)
{
    struct rpc_call *call = arg;
    call->command->run(call);
}

void rpc_run(struct rpc_call *call, struct json_object *params)
{
    if (!call->command) {
        rpc_error(call, RPC_METHOD_NOT_FOUND, "Method not found");
        return;
    }
    if (params && json_object_is_type(params, json_type_object))
        call->params = positions_of(call, params);
    else
        call->params = params ? json_object_get(params) : json_object_new_array();
    if (!call->params || !check_count(call) || !check_types(call))
        return;
    /* Large requests and batches are read on a pool thread. */
    if ((call->command->flags & (RPC_INLINE | RPC_WAITS)) && !(call->command->flags & RPC_ANYWHERE))
        rpc_on_loop(call, run_command, call);
    else
        call->command->run(call);
}
