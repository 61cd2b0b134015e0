#!/usr/bin/env python3
"""Holds the address index against everything else that is known of a chain: for every script that ever had an output, its balance, unspent outputs
and history against a plain walk over all blocks, and the unspent outputs of all against scantxoutset; at the tip, after the last --back blocks were
taken away and others came, and back again.

    address_check.py --blocks=chain.dat [--back=100] [--top=455]

The blocks go in by -loadblock; those above --top are taken away at once, as the last ones of a chain may hold nothing but coinbases. Needs some GB of memory for a chain of 400,000 transactions, as the model holds all of it.
"""
import argparse
import base64
import collections
import http.client
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "functional"))
from blocks import sha256d  # noqa: E402
from framework import BUILD, free_port  # noqa: E402
from p2p import parse_compact  # noqa: E402

MATURITY = 100


class Node:
    def __init__(self, folder, args):
        self.dir, self.port = folder, free_port()
        self.process = subprocess.Popen([os.path.join(BUILD, "farthingd"), "-regtest", "-datadir=" + folder, "-rpcport=%d" % self.port, "-listen=0",
                                         "-printtoconsole=0", "-checkblockindex=0", "-persistmempool=0", "-rpcdoccheck=0", *args],
                                        stdout=subprocess.DEVNULL)
        self.http = None

    def post(self, body):
        with open(os.path.join(self.dir, "regtest", ".cookie"), encoding="ascii") as f:
            auth = base64.b64encode(f.read().strip().encode()).decode()
        if not self.http:
            self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3600)
        self.http.request("POST", "/", body, {"Authorization": "Basic " + auth, "Content-Type": "application/json"})
        return json.loads(self.http.getresponse().read())

    def call(self, method, *params):
        answer = self.post(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def batch(self, method, params):
        answers = self.post(json.dumps([{"jsonrpc": "2.0", "id": i, "method": method, "params": p} for i, p in enumerate(params)]))
        answers.sort(key=lambda a: a["id"])
        return [a["result"] for a in answers]

    def ready(self, height=None):
        while True:
            try:
                index = self.call("getindexinfo", "addressindex")["addressindex"]
                if self.call("getmempoolinfo")["loaded"] and index["synced"] and index["best_block_height"] >= self.call("getblockcount"):
                    return
            except (OSError, RuntimeError, KeyError, http.client.HTTPException, ValueError):
                self.http = None
            if self.process.poll() is not None:
                raise SystemExit("the node ended")
            time.sleep(0.2)


# ---- the plain walk ----

def read_tx(data, at):
    """Returns: txid, prevouts, outputs, where it ends."""
    start, witness = at, data[at + 4:at + 6] == b"\x00\x01"
    at += 6 if witness else 4
    body = at
    n, at = parse_compact(data, at)
    ins, outs = [], []
    for _ in range(n):
        ins.append(data[at:at + 36])
        size, at = parse_compact(data, at + 36)
        at += size + 4
    n, at = parse_compact(data, at)
    for _ in range(n):
        value = struct.unpack_from("<q", data, at)[0]
        size, at = parse_compact(data, at + 8)
        outs.append((value, data[at:at + size]))
        at += size
    end = at
    if witness:
        for _ in ins:
            items, at = parse_compact(data, at)
            for _ in range(items):
                size, at = parse_compact(data, at)
                at += size
        plain = data[start:start + 4] + data[body:end] + data[at:at + 4]
    else:
        plain = data[start:at + 4]
    return sha256d(plain), ins, outs, at + 4


class Model:
    """Scripts with their histories and coins, up to a block."""

    def __init__(self):
        self.history = collections.defaultdict(list)  # script: [height, position, txid, received, spent]
        self.coins = {}  # outpoint: script, value, height, position
        self.height = 0

    def block(self, data):
        self.height += 1
        n, at = parse_compact(data, 80)
        for pos in range(n):
            txid, ins, outs, at = read_tx(data, at)
            sums = {}
            for prevout in ins if pos else ():
                script, value, _, _ = self.coins.pop(prevout)
                sums.setdefault(script, [0, 0])[1] += value
            for i, (value, script) in enumerate(outs):
                if script[:1] == b"\x6a" or len(script) > 10000:
                    continue
                self.coins[txid + struct.pack("<I", i)] = script, value, self.height, pos
                sums.setdefault(script, [0, 0])[0] += value
            for script, (received, spent) in sums.items():
                self.history[script].append((self.height, pos, txid, received, spent))


def walk(node, model, to):
    while model.height < to:
        heights = range(model.height + 1, min(to, model.height + 20) + 1)
        hashes = node.batch("getblockhash", [[h] for h in heights])
        for raw in node.batch("getblock", [[h, 0] for h in hashes]):
            model.block(bytes.fromhex(raw))


# ---- comparing ----

def must(got, expected, what):
    if got != expected:
        raise SystemExit("%s: got %r, expected %r" % (what, str(got)[:2000], str(expected)[:2000]))


def compare(node, model, label):
    start = time.monotonic()
    node.ready()
    must(node.call("getblockcount"), model.height, "height")
    coins = collections.defaultdict(list)
    for outpoint, (script, value, height, pos) in model.coins.items():
        coins[script].append((height, pos, struct.unpack("<I", outpoint[32:])[0], outpoint[:32][::-1].hex(), value))
    scripts = list(model.history)
    n_history = 0
    pooled = node.call("getmempoolinfo")["size"] > 0  # what a reorganisation gave back: it changes nothing of what is confirmed
    for i in range(0, len(scripts), 500):
        part = scripts[i:i + 500]
        ask = [[{"addresses": [s.hex()]}] for s in part]
        for script, balance, utxos in zip(part, node.batch("getaddressbalance", ask), node.batch("getaddressutxos", ask)):
            rows, held = model.history[script], sorted(coins.get(script, ()))
            young = sum(c[4] for c in held if c[1] == 0 and model.height + 1 - c[0] < MATURITY)
            total = sum(c[4] for c in held)
            must([balance[k] for k in ("balance", "received", "confirmed", "immature", "unconfirmed", "txs", "utxos")],
                 [total, sum(r[3] for r in rows), total - young, young, balance["unconfirmed"] if pooled else 0, len(rows), len(held)],
                 "balance of " + script.hex())
            must([(u["height"], u["outputIndex"], u["txid"], u["satoshis"], u["script"]) for u in utxos],
                 [(c[0], c[2], c[3], c[4], script.hex()) for c in held], "coins of " + script.hex())
        for script, history in zip(part, node.batch("getaddresshistory", [[s.hex(), {"limit": 200000}] for s in part])):
            must([(h["height"], h["blockindex"], h["txid"], h["received"], h["spent"]) for h in history["history"] if h["height"] > 0],
                 [(r[0], r[1], r[2][::-1].hex(), r[3], r[4]) for r in model.history[script]], "history of " + script.hex())
            n_history += len(model.history[script])
    n_scan = scan(node, coins)
    print("%s: height %d, %d scripts, %d lines of history, %d coins, of which scantxoutset knows %d: all equal (%.0f s)"
          % (label, model.height, len(scripts), n_history, len(model.coins), n_scan, time.monotonic() - start), flush=True)


def scan(node, coins):
    """scantxoutset of all scripts that hold coins. Returns: how many it found."""
    scripts, found = list(coins), 0
    for i in range(0, len(scripts), 50000):
        part = scripts[i:i + 50000]
        unspents = node.call("scantxoutset", "start", ["raw(%s)" % s.hex() for s in part])["unspents"]
        got = sorted((u["scriptPubKey"], u["height"], u["txid"], u["vout"], round(u["amount"] * 100_000_000)) for u in unspents)
        must(got, sorted((s.hex(), c[0], c[3], c[2], c[4]) for s in part for c in coins[s]), "scantxoutset")
        found += len(got)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", required=True)
    parser.add_argument("--back", type=int, default=100)
    parser.add_argument("--top", type=int)
    parser.add_argument("--assumevalid", default="0")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="farthing_address_")
    node = Node(folder, ["-loadblock=" + os.path.abspath(options.blocks), "-addressindex", "-txindex", "-assumevalid=" + options.assumevalid,
                         "-rpcworkqueue=100000"])
    try:
        node.ready()
        above = node.call("getblockhash", options.top + 1) if options.top else None
        if above:
            node.call("invalidateblock", above)
        top = node.call("getblockcount")
        short, model = Model(), Model()
        walk(node, short, top - options.back)
        walk(node, model, top)
        compare(node, model, "tip")
        lost = node.call("getblockhash", top - options.back + 1)
        node.call("invalidateblock", lost)
        compare(node, short, "%d blocks taken away" % options.back)
        node.call("generatetoaddress", 3, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")
        walk(node, short, top - options.back + 3)
        compare(node, short, "others in their place")
        node.call("reconsiderblock", lost)
        if above:  # reconsidered with those below it
            node.call("invalidateblock", above)
        compare(node, model, "reorganised back")
        node.call("stop")
        node.process.wait(300)
    finally:
        if node.process.poll() is None:
            node.process.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
