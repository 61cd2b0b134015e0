/* message.c - signed messages: signmessagewithprivkey, verifymessage. Pure work on a pool thread. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/sha256.h"
#include "primitives/serialize.h"
#include "rpc/priv.h"
#include "script/script.h"
#include "util/base64.h"

#define SIGNATURE_SIZE 65

/* The prefix keeps a signed message from being a signed transaction. */
static void message_hash(uint8_t out[32], const char *message)
{
    static const char prefix[] = "Bitcoin Signed Message:\n";
    struct writer w = WRITER_INIT;

    write_var_bytes(&w, prefix, sizeof(prefix) - 1);
    write_var_bytes(&w, message, strlen(message));
    sha256d(out, w.data, w.len);
    writer_clear(&w);
}

static void signmessagewithprivkey(struct rpc_call *call)
{
    uint8_t secret[32], hash[32], sig[SIGNATURE_SIZE];
    const char *key, *message;
    bool compressed, ok;
    char *text;

    if (!rpc_text(call, &key, 0, "") || !rpc_text(call, &message, 1, ""))
        return;
    if (!wif_decode(secret, &compressed, key, &call->host->params->address) || !seckey_is_valid(secret)) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid private key");
        return;
    }
    message_hash(hash, message);
    ok = ecdsa_sign_compact(sig, hash, secret, compressed);
    crypto_wipe(secret, sizeof(secret));
    if (!ok) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Sign failed");
        return;
    }
    text = base64_encode(sig, sizeof(sig));
    jw_str(&call->out, text);
    free(text);
}

static bool is_signed(const uint8_t key_hash[20], const uint8_t *sig, size_t len, const char *message)
{
    uint8_t hash[32], pub[65], h[20];
    size_t pub_len;

    message_hash(hash, message);
    if (len != SIGNATURE_SIZE || !ecdsa_recover_compact(pub, &pub_len, sig, hash))
        return false;
    hash160(h, pub, pub_len);
    return memcmp(h, key_hash, sizeof(h)) == 0;
}

static void verifymessage(struct rpc_call *call)
{
    const char *address, *signature, *message;
    uint8_t script[ADDRESS_SCRIPT_MAX], *sig;
    struct script_solution s;
    size_t len;

    if (!rpc_text(call, &address, 0, "") || !rpc_text(call, &signature, 1, "") || !rpc_text(call, &message, 2, ""))
        return;
    if (!address_decode(script, &len, NULL, address, &call->host->params->address)) {
        rpc_error(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid address");
        return;
    }
    if (script_solve(&s, script, len) != SCRIPT_PUBKEYHASH) {
        rpc_error(call, RPC_TYPE_ERROR, "Address does not refer to key");
        return;
    }
    len = strlen(signature);
    sig = xmalloc(len + 1);
    if (base64_decode(sig, &len, signature, strlen(signature)))
        jw_bool(&call->out, is_signed(s.item[0], sig, len, message));
    else
        rpc_error(call, RPC_TYPE_ERROR, "Malformed base64 encoding");
    free(sig);
}

const struct rpc_command rpc_message_commands[] = {
    {"util", "signmessagewithprivkey", signmessagewithprivkey,
     RPC_PARAMS({"privkey", RPC_STR, RPC_REQUIRED, NULL, "The private key to sign the message with.", NULL},
                {"message", RPC_STR, RPC_REQUIRED, NULL, "The message to create a signature of.", NULL}),
     0, "Sign a message with the private key of an address\n"},
    {"util", "verifymessage", verifymessage,
     RPC_PARAMS({"address", RPC_STR, RPC_REQUIRED, NULL, "The bitcoin address to use for the signature.", NULL},
                {"signature", RPC_STR, RPC_REQUIRED, NULL,
                 "The signature provided by the signer in base 64 encoding (see signmessage).", NULL},
                {"message", RPC_STR, RPC_REQUIRED, NULL, "The message that was signed.", NULL}),
     0, "Verify a signed message."},
    {NULL, NULL, NULL, NULL, 0, NULL}};
