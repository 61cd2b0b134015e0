"""Every example of the commands' documentation, with the samples in it replaced by what a node has: sent over HTTP to one node and through
farthing-cli to another with the same chain. The answer must be a result (checked against the documentation by -rpcdoccheck) or the error
that is documented. doc/rpc.md, the man pages and the completions must be what `make docs` writes."""
import json
import os
import re
import shlex
import subprocess
import sys

from blocks import TRUE_ADDRESS, coins_of, spend
from framework import BUILD, ROOT, RpcError, call, equal, main

LAST = ("generateblock", "generatetoaddress", "generatetodescriptor", "invalidateblock", "reconsiderblock", "stop")  # in this order
START = 1296688602 + 86400


def make_chain(nodes):
    """The same chain and memory pool for all. Returns: what stands for the samples."""
    first = nodes[0]
    for node in nodes:
        node.setmocktime(START)
    first.mine(110, TRUE_ADDRESS)
    coin, *_ = coins_of(first, 1, 1)
    outputs = [10_0000_0000, 10_0000_0000, 29_9999_0000]
    mined = spend([coin[:2]], outputs)
    first.sendrawtransaction(mined.hex())
    first.mine(1, TRUE_ADDRESS)
    first.mine(9, TRUE_ADDRESS)
    for height in range(1, 121):
        for node in nodes[1:]:
            equal(node.submitblock(first.getblock(first.getblockhash(height), 0)), None)
    waiting = spend([(mined.txid, 2)], [29_9998_0000])
    for node in nodes:
        equal(node.sendrawtransaction(waiting.hex()), waiting.txid)
    block = first.getblockhash(111)
    return {"block": first.getblockhash(100), "txblock": block, "txid": mined.txid, "pooltx": waiting.txid,
            "address": "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "privkey": "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA",
            "proof": first.gettxoutproof([mined.txid]), "blockhex": first.getblock(block, 0), "headerhex": first.getblockheader(block, False)}


def fill(text, samples):
    """@name in an example: a string by itself, or a part of one."""
    out, quoted, i = "", False, 0
    while i < len(text):
        found = re.match(r"@([a-z]+)", text[i:])
        quoted ^= text[i] == '"' and text[i - 1:i] != "\\"
        if found and found.group(1) in samples:
            value = samples[found.group(1)]
            out += value if quoted else json.dumps(value)
            i += found.end()
        else:
            out += text[i]
            i += 1
    return out


def over_http(node, command, params):
    try:
        call(node, command["name"], *params) if isinstance(params, list) else call(node, command["name"], **params)
        return 0, ""
    except RpcError as error:
        return error.code, error.message


def over_cli(node, words):
    done = subprocess.run([*node.cli_command(), *shlex.split(words)], capture_output=True, text=True, check=False)
    code = re.match(r"error code: (-?\d+)\n", done.stderr)
    return (int(code.group(1)) if code else done.returncode), done.stdout + done.stderr


def run_examples(t, commands):
    http, client = t.node("-miningaddress=" + TRUE_ADDRESS), t.node("-miningaddress=" + TRUE_ADDRESS)
    samples = make_chain([http, client])
    # What has no counterpart on a regtest node is run as it stands.
    shown = {key: value for key, value in samples.items() if key in commands["samples"]}
    wrong = []
    ordered = sorted(commands["commands"], key=lambda c: (LAST.index(c["name"]) + 1 if c["name"] in LAST else 0, c["name"]))
    for command in ordered:
        for example in command["examples"]:
            line = example["line"].split(" ! ")[0]
            params = fill(line, {**commands["samples"], **shown})
            words = example["words"]
            for name, value in shown.items():
                words = words.replace(commands["samples"][name], value)
            for how, (code, text) in (("HTTP", over_http(http, command, json.loads(params))), ("farthing-cli", over_cli(client, words))):
                if code != example["error"]:
                    wrong.append("%s %s over %s: %d instead of %d: %s" % (command["name"], line, how, code, example["error"], text[:300]))
    if wrong:
        raise AssertionError("\n" + "\n".join(wrong))
    for node in (http, client):
        equal(node.wait_end(), 0)


def run(t):
    if not os.access(os.path.join(BUILD, "reference-dump"), os.X_OK):
        raise AssertionError("reference-dump is not built (make docs)")
    run_examples(t, json.loads(subprocess.run([os.path.join(BUILD, "reference-dump")], capture_output=True, text=True, check=True).stdout))
    done = subprocess.run([sys.executable, os.path.join(ROOT, "contrib", "reference", "reference.py"), BUILD, "--check"],
                          capture_output=True, text=True, check=False)
    equal(done.stdout, "")
    equal(done.returncode, 0)


main(run)
