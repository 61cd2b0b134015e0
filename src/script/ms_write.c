/* ms_write.c - a miniscript as script bytes. Called by descriptors; pure. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "script/ms_internal.h"
#include "util/mem.h"

/* What is still to be written: an opcode, a node, or, with OP_EQUAL, a node's threshold. */
struct task {
    const struct ms_node *node;
    bool verify; /* an OP_VERIFY follows, which its last opcode takes in */
    uint8_t op;
};
struct emitter {
    struct writer *w;
    struct task *tasks; /* the next one last */
    size_t n, cap;
    bool tapscript;
    void (*key_bytes)(const void *arg, uint8_t *out, uint32_t key);
    const void *arg;
};

static void add(struct emitter *e, const struct ms_node *node, bool verify, uint8_t op)
{
    if (e->n == e->cap) {
        e->cap = e->cap ? 2 * e->cap : 64;
        e->tasks = xrealloc(e->tasks, e->cap * sizeof(*e->tasks));
    }
    e->tasks[e->n++] = (struct task){node, verify, op};
}

static void add_op(struct emitter *e, uint8_t op)
{
    add(e, NULL, false, op);
}

static void add_node(struct emitter *e, const struct ms_node *node)
{
    add(e, node, false, 0);
}

static void write_key(struct emitter *e, uint32_t key)
{
    uint8_t bytes[33];

    e->key_bytes(e->arg, bytes, key);
    script_write_push(e->w, bytes, e->tapscript ? 32 : 33);
}

static void write_hash_check(struct emitter *e, const struct ms_node *n, uint8_t op, size_t len, bool verify)
{
    write_u8(e->w, OP_SIZE);
    script_write_int(e->w, 32);
    write_u8(e->w, OP_EQUALVERIFY);
    write_u8(e->w, op);
    script_write_push(e->w, n->data, len);
    write_u8(e->w, verify ? OP_EQUALVERIFY : OP_EQUAL);
}

static void write_leaf(struct emitter *e, const struct ms_node *n, bool verify)
{
    uint8_t bytes[33], hash[20];

    switch (n->fragment) {
    case MS_0:
    case MS_1:
        write_u8(e->w, n->fragment == MS_1 ? OP_1 : OP_0);
        break;
    case MS_PK_K:
        write_key(e, n->keys[0]);
        break;
    case MS_PK_H:
        e->key_bytes(e->arg, bytes, n->keys[0]);
        hash160(hash, bytes, e->tapscript ? 32 : 33);
        write_u8(e->w, OP_DUP);
        write_u8(e->w, OP_HASH160);
        script_write_push(e->w, hash, 20);
        write_u8(e->w, OP_EQUALVERIFY);
        break;
    case MS_OLDER:
    case MS_AFTER:
        script_write_int(e->w, n->k);
        write_u8(e->w, n->fragment == MS_OLDER ? OP_CHECKSEQUENCEVERIFY : OP_CHECKLOCKTIMEVERIFY);
        break;
    case MS_SHA256:
        write_hash_check(e, n, OP_SHA256, 32, verify);
        break;
    case MS_HASH256:
        write_hash_check(e, n, OP_HASH256, 32, verify);
        break;
    case MS_RIPEMD160:
        write_hash_check(e, n, OP_RIPEMD160, 20, verify);
        break;
    case MS_HASH160:
        write_hash_check(e, n, OP_HASH160, 20, verify);
        break;
    case MS_MULTI:
        script_write_int(e->w, n->k);
        for (uint32_t i = 0; i < n->n_keys; i++)
            write_key(e, n->keys[i]);
        script_write_int(e->w, n->n_keys);
        write_u8(e->w, verify ? OP_CHECKMULTISIGVERIFY : OP_CHECKMULTISIG);
        break;
    default: /* multi_a */
        for (uint32_t i = 0; i < n->n_keys; i++) {
            write_key(e, n->keys[i]);
            write_u8(e->w, i ? OP_CHECKSIGADD : OP_CHECKSIG);
        }
        script_write_int(e->w, n->k);
        write_u8(e->w, verify ? OP_NUMEQUALVERIFY : OP_NUMEQUAL);
    }
}

static void add_thresh(struct emitter *e, const struct ms_node *n, bool verify)
{
    add_op(e, verify ? OP_EQUALVERIFY : OP_EQUAL);
    add(e, n, false, OP_EQUAL); /* its threshold only */
    for (uint32_t i = n->n_subs; i-- > 0;) {
        if (i)
            add_op(e, OP_ADD);
        add_node(e, n->subs[i]);
    }
}

/* Adds a wrapper's parts, the last one first. */
static void add_wrapper(struct emitter *e, const struct ms_node *n, bool verify)
{
    const struct ms_node *x = n->subs[0];

    switch (n->fragment) {
    case MS_WRAP_A:
        add_op(e, OP_FROMALTSTACK);
        add_node(e, x);
        add_op(e, OP_TOALTSTACK);
        break;
    case MS_WRAP_S:
        add(e, x, verify, 0);
        add_op(e, OP_SWAP);
        break;
    case MS_WRAP_C:
        add_op(e, verify ? OP_CHECKSIGVERIFY : OP_CHECKSIG);
        add_node(e, x);
        break;
    case MS_WRAP_V:
        if (x->type & MS_x)
            add_op(e, OP_VERIFY);
        add(e, x, true, 0);
        break;
    case MS_WRAP_N:
        add_op(e, OP_0NOTEQUAL);
        add_node(e, x);
        break;
    default: /* d: and j: */
        add_op(e, OP_ENDIF);
        add_node(e, x);
        add_op(e, OP_IF);
        add_op(e, n->fragment == MS_WRAP_D ? OP_DUP : OP_0NOTEQUAL);
        if (n->fragment == MS_WRAP_J)
            add_op(e, OP_SIZE);
    }
}

static void add_branches(struct emitter *e, const struct ms_node *n, bool verify)
{
    switch (n->fragment) {
    case MS_AND_V:
        add(e, n->subs[1], verify, 0);
        add_node(e, n->subs[0]);
        break;
    case MS_AND_B:
    case MS_OR_B:
        add_op(e, n->fragment == MS_AND_B ? OP_BOOLAND : OP_BOOLOR);
        add_node(e, n->subs[1]);
        add_node(e, n->subs[0]);
        break;
    case MS_OR_I:
        add_op(e, OP_ENDIF);
        add_node(e, n->subs[1]);
        add_op(e, OP_ELSE);
        add_node(e, n->subs[0]);
        add_op(e, OP_IF);
        break;
    case MS_ANDOR:
        add_op(e, OP_ENDIF);
        add_node(e, n->subs[1]);
        add_op(e, OP_ELSE);
        add_node(e, n->subs[2]);
        add_op(e, OP_NOTIF);
        add_node(e, n->subs[0]);
        break;
    default: /* or_c, or_d */
        add_op(e, OP_ENDIF);
        add_node(e, n->subs[1]);
        add_op(e, OP_NOTIF);
        if (n->fragment == MS_OR_D)
            add_op(e, OP_IFDUP);
        add_node(e, n->subs[0]);
    }
}

void ms_to_script(struct writer *w, const struct miniscript *ms, void (*key_bytes)(const void *arg, uint8_t *out, uint32_t key),
                  const void *arg)
{
    struct emitter e = {.w = w, .tapscript = ms->context == MS_TAPSCRIPT, .key_bytes = key_bytes, .arg = arg};

    add_node(&e, ms->root);
    while (e.n) {
        struct task t = e.tasks[--e.n];
        if (!t.node)
            write_u8(w, t.op);
        else if (t.op == OP_EQUAL)
            script_write_int(w, t.node->k);
        else if (t.node->fragment == MS_THRESH)
            add_thresh(&e, t.node, t.verify);
        else if (t.node->n_subs == 0)
            write_leaf(&e, t.node, t.verify);
        else if (t.node->n_subs == 1)
            add_wrapper(&e, t.node, t.verify);
        else
            add_branches(&e, t.node, t.verify);
    }
    free(e.tasks);
}
