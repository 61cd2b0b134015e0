"""Completion of farthing-cli in bash: options, values of some, commands, and nothing behind a command."""
import os
import shutil
import subprocess
import sys

from framework import ROOT, equal, main

SCRIPT = os.path.join(ROOT, "contrib", "completions", "farthing-cli.bash")


def complete(*words):
    """What bash offers for the last of the words, as it splits them ("=" is one)."""
    code = 'compopt() { :; }; . "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _farthing_cli; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", code, SCRIPT, "farthing-cli", *words], capture_output=True, text=True, check=True)
    equal(done.stderr, "")
    return done.stdout.split()


def run(_):
    if not shutil.which("bash"):
        sys.exit(77)
    equal(complete("getblockh"), ["getblockhash", "getblockheader"])
    equal(complete("-rpcw"), ["-rpcwait", "-rpcwaittimeout=", "-rpcwallet="])
    equal(complete("-color", "=", "a"), ["always", "auto"])
    equal(complete("-chain", "="), ["main", "test", "testnet4", "signet", "regtest"])
    equal(complete("-datadir", "=", "x"), [])  # files, by bash itself
    equal(complete("-regtest", "-rpcport", "=", "1", "getbes"), ["getbestblockhash"])
    equal(complete("help", "rpc."), ["rpc.discover"])
    equal(complete("getblock", ""), [])
    equal(complete("help", "getblock", "getb"), [])


main(run)
