/* error.c - names and sentences of the script errors, as Bitcoin Core's vectors and reject reasons have them. Pure; any thread. */
#include "script/verify.h"

/* An error with its sentence, alone and as the reason to refuse a block. */
#define ENTRY(name_, text_)                                                                                                        \
    {                                                                                                                              \
        name_, text_, "block-script-verify-flag-failed (" text_ ")"                                                                \
    }

static const struct {
    const char *name;
    const char *text;
    const char *block_reason;
} errors[SCRIPT_ERR_COUNT] = {
    [SCRIPT_ERR_OK] = ENTRY("OK", "No error"),
    [SCRIPT_ERR_UNKNOWN] = ENTRY("UNKNOWN_ERROR", "unknown error"),
    [SCRIPT_ERR_EVAL_FALSE] =
        ENTRY("EVAL_FALSE", "Script evaluated without error but finished with a false/empty top stack element"),
    [SCRIPT_ERR_OP_RETURN] = ENTRY("OP_RETURN", "OP_RETURN was encountered"),
    [SCRIPT_ERR_SCRIPT_SIZE] = ENTRY("SCRIPT_SIZE", "Script is too big"),
    [SCRIPT_ERR_PUSH_SIZE] = ENTRY("PUSH_SIZE", "Push value size limit exceeded"),
    [SCRIPT_ERR_OP_COUNT] = ENTRY("OP_COUNT", "Operation limit exceeded"),
    [SCRIPT_ERR_STACK_SIZE] = ENTRY("STACK_SIZE", "Stack size limit exceeded"),
    [SCRIPT_ERR_SIG_COUNT] = ENTRY("SIG_COUNT", "Signature count negative or greater than pubkey count"),
    [SCRIPT_ERR_PUBKEY_COUNT] = ENTRY("PUBKEY_COUNT", "Pubkey count negative or limit exceeded"),
    [SCRIPT_ERR_VERIFY] = ENTRY("VERIFY", "Script failed an OP_VERIFY operation"),
    [SCRIPT_ERR_EQUALVERIFY] = ENTRY("EQUALVERIFY", "Script failed an OP_EQUALVERIFY operation"),
    [SCRIPT_ERR_CHECKMULTISIGVERIFY] = ENTRY("CHECKMULTISIGVERIFY", "Script failed an OP_CHECKMULTISIGVERIFY operation"),
    [SCRIPT_ERR_CHECKSIGVERIFY] = ENTRY("CHECKSIGVERIFY", "Script failed an OP_CHECKSIGVERIFY operation"),
    [SCRIPT_ERR_NUMEQUALVERIFY] = ENTRY("NUMEQUALVERIFY", "Script failed an OP_NUMEQUALVERIFY operation"),
    [SCRIPT_ERR_BAD_OPCODE] = ENTRY("BAD_OPCODE", "Opcode missing or not understood"),
    [SCRIPT_ERR_DISABLED_OPCODE] = ENTRY("DISABLED_OPCODE", "Attempted to use a disabled opcode"),
    [SCRIPT_ERR_INVALID_STACK_OPERATION] = ENTRY("INVALID_STACK_OPERATION", "Operation not valid with the current stack size"),
    [SCRIPT_ERR_INVALID_ALTSTACK_OPERATION] =
        ENTRY("INVALID_ALTSTACK_OPERATION", "Operation not valid with the current altstack size"),
    [SCRIPT_ERR_UNBALANCED_CONDITIONAL] = ENTRY("UNBALANCED_CONDITIONAL", "Invalid OP_IF construction"),
    [SCRIPT_ERR_NEGATIVE_LOCKTIME] = ENTRY("NEGATIVE_LOCKTIME", "Negative locktime"),
    [SCRIPT_ERR_UNSATISFIED_LOCKTIME] = ENTRY("UNSATISFIED_LOCKTIME", "Locktime requirement not satisfied"),
    [SCRIPT_ERR_SIG_HASHTYPE] = ENTRY("SIG_HASHTYPE", "Signature hash type missing or not understood"),
    [SCRIPT_ERR_SIG_DER] = ENTRY("SIG_DER", "Non-canonical DER signature"),
    [SCRIPT_ERR_MINIMALDATA] = ENTRY("MINIMALDATA", "Data push larger than necessary"),
    [SCRIPT_ERR_SIG_PUSHONLY] = ENTRY("SIG_PUSHONLY", "Only push operators allowed in signatures"),
    [SCRIPT_ERR_SIG_HIGH_S] = ENTRY("SIG_HIGH_S", "Non-canonical signature: S value is unnecessarily high"),
    [SCRIPT_ERR_SIG_NULLDUMMY] = ENTRY("SIG_NULLDUMMY", "Dummy CHECKMULTISIG argument must be zero"),
    [SCRIPT_ERR_PUBKEYTYPE] = ENTRY("PUBKEYTYPE", "Public key is neither compressed or uncompressed"),
    [SCRIPT_ERR_CLEANSTACK] = ENTRY("CLEANSTACK", "Stack size must be exactly one after execution"),
    [SCRIPT_ERR_MINIMALIF] = ENTRY("MINIMALIF", "OP_IF/NOTIF argument must be minimal"),
    [SCRIPT_ERR_SIG_NULLFAIL] = ENTRY("NULLFAIL", "Signature must be zero for failed CHECK(MULTI)SIG operation"),
    [SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS] = ENTRY("DISCOURAGE_UPGRADABLE_NOPS", "NOPx reserved for soft-fork upgrades"),
    [SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM] =
        ENTRY("DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM", "Witness version reserved for soft-fork upgrades"),
    [SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION] =
        ENTRY("DISCOURAGE_UPGRADABLE_TAPROOT_VERSION", "Taproot version reserved for soft-fork upgrades"),
    [SCRIPT_ERR_DISCOURAGE_OP_SUCCESS] = ENTRY("DISCOURAGE_OP_SUCCESS", "OP_SUCCESSx reserved for soft-fork upgrades"),
    [SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE] =
        ENTRY("DISCOURAGE_UPGRADABLE_PUBKEYTYPE", "Public key version reserved for soft-fork upgrades"),
    [SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH] = ENTRY("WITNESS_PROGRAM_WRONG_LENGTH", "Witness program has incorrect length"),
    [SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY] =
        ENTRY("WITNESS_PROGRAM_WITNESS_EMPTY", "Witness program was passed an empty witness"),
    [SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH] = ENTRY("WITNESS_PROGRAM_MISMATCH", "Witness program hash mismatch"),
    [SCRIPT_ERR_WITNESS_MALLEATED] = ENTRY("WITNESS_MALLEATED", "Witness requires empty scriptSig"),
    [SCRIPT_ERR_WITNESS_MALLEATED_P2SH] = ENTRY("WITNESS_MALLEATED_P2SH", "Witness requires only-redeemscript scriptSig"),
    [SCRIPT_ERR_WITNESS_UNEXPECTED] = ENTRY("WITNESS_UNEXPECTED", "Witness provided for non-witness script"),
    [SCRIPT_ERR_WITNESS_PUBKEYTYPE] = ENTRY("WITNESS_PUBKEYTYPE", "Using non-compressed keys in segwit"),
    [SCRIPT_ERR_SCHNORR_SIG_SIZE] = ENTRY("SCHNORR_SIG_SIZE", "Invalid Schnorr signature size"),
    [SCRIPT_ERR_SCHNORR_SIG_HASHTYPE] = ENTRY("SCHNORR_SIG_HASHTYPE", "Invalid Schnorr signature hash type"),
    [SCRIPT_ERR_SCHNORR_SIG] = ENTRY("SCHNORR_SIG", "Invalid Schnorr signature"),
    [SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE] = ENTRY("TAPROOT_WRONG_CONTROL_SIZE", "Invalid Taproot control block size"),
    [SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT] =
        ENTRY("TAPSCRIPT_VALIDATION_WEIGHT", "Too much signature validation relative to witness weight"),
    [SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG] =
        ENTRY("TAPSCRIPT_CHECKMULTISIG", "OP_CHECKMULTISIG(VERIFY) is not available in tapscript"),
    [SCRIPT_ERR_TAPSCRIPT_MINIMALIF] = ENTRY("TAPSCRIPT_MINIMALIF", "OP_IF/NOTIF argument must be minimal in tapscript"),
    [SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY] = ENTRY("TAPSCRIPT_EMPTY_PUBKEY", "Empty public key in tapscript"),
    [SCRIPT_ERR_OP_CODESEPARATOR] = ENTRY("OP_CODESEPARATOR", "Using OP_CODESEPARATOR in non-witness script"),
    [SCRIPT_ERR_SIG_FINDANDDELETE] = ENTRY("SIG_FINDANDDELETE", "Signature is found in scriptCode"),
    [SCRIPT_ERR_SCRIPTNUM] = ENTRY("SCRIPTNUM", "Script number overflowed or is non-minimally encoded"),
};

const char *script_error_name(enum script_error e)
{
    return (unsigned)e < SCRIPT_ERR_COUNT ? errors[e].name : "UNKNOWN_ERROR";
}

const char *script_error_text(enum script_error e)
{
    return (unsigned)e < SCRIPT_ERR_COUNT ? errors[e].text : "unknown error";
}

const char *script_error_block_reason(enum script_error e)
{
    return errors[(unsigned)e < SCRIPT_ERR_COUNT ? e : SCRIPT_ERR_UNKNOWN].block_reason;
}
