#!/usr/bin/env python3
"""The main job, to watch: two nodes on loopback, one mines and pays, the other verifies; then real mainnet blocks are imported.

Everything happens in a temporary folder that is removed at the end.
"""
import argparse
import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MINER = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
FRIEND = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"
COLOR = sys.stdout.isatty() or os.environ.get("FORCE_COLOR")


def paint(code, text):
    return "\x1b[%sm%s\x1b[0m" % (code, text) if COLOR else text


def say(text):
    print(paint("1;36", "==> ") + paint("1", text), flush=True)


def fact(label, value):
    print("    %-22s %s" % (label, paint("32", str(value))), flush=True)


def bar(done, total, label):
    width = 40
    filled = width * done // max(total, 1)
    end = "\n" if done >= total else "\r"
    if COLOR or done >= total:
        print("    [%s%s] %d/%d %s" % (paint("33", "#" * filled), "." * (width - filled), done, total, label), end=end, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node:
    def __init__(self, build, folder, chain, *args):
        self.dir, self.chain = folder, chain
        os.makedirs(folder)
        self.port, self.rpc_port = free_port(), free_port()
        self.command = [os.path.join(build, "farthingd"), "-datadir=" + folder, "-chain=" + chain, "-port=%d" % self.port, "-rpcport=%d" % self.rpc_port,
                        "-bind=127.0.0.1", "-connect=0", "-listen=1", "-printtoconsole=0", *args]
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.call("getblockcount")
                return
            except (OSError, http.client.HTTPException, RuntimeError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the node did not start: " + " ".join(self.command))
                time.sleep(0.05)

    def call(self, method, *params):
        with open(os.path.join(self.dir, "" if self.chain == "main" else self.chain, ".cookie")) as f:
            token = base64.b64encode(f.read().strip().encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.rpc_port, timeout=120)
        connection.request("POST", "/", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}), {"Authorization": "Basic " + token})
        answer = json.loads(connection.getresponse().read())
        if answer.get("error"):
            raise RuntimeError(answer["error"])
        return answer["result"]

    def stop(self):
        if self.process.poll() is None:
            try:
                self.call("stop")
                self.process.wait(30)
            except (OSError, http.client.HTTPException, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()


def two_nodes(build, work, nodes):
    say("Two nodes on a chain of their own (regtest), connected with each other")
    alice = Node(build, os.path.join(work, "alice"), "regtest")
    nodes.append(alice)
    bob = Node(build, os.path.join(work, "bob"), "regtest")
    nodes.append(bob)
    bob.call("addnode", "127.0.0.1:%d" % alice.port, "onetry")
    say("Alice mines 101 blocks, Bob verifies each")
    for done in range(0, 101):
        alice.call("generatetoaddress", 1, MINER)
        if done % 10 == 0 or done == 100:
            bar(done + 1, 101, "blocks mined")
    deadline = time.monotonic() + 30
    while bob.call("getbestblockhash") != alice.call("getbestblockhash"):
        if time.monotonic() > deadline:
            raise SystemExit("Bob did not follow")
        time.sleep(0.05)
    say("Alice mines a block that pays a friend; Bob finds the coin")
    block = alice.call("generatetoaddress", 1, FRIEND)[0]
    while bob.call("getbestblockhash") != block:
        if time.monotonic() > deadline:
            raise SystemExit("Bob did not follow")
        time.sleep(0.05)
    coinbase = bob.call("getblock", block, 2)["tx"][0]
    coin = bob.call("gettxout", coinbase["txid"], 0)
    fact("paid to", coin["scriptPubKey"]["address"])
    fact("amount", "%s BTC" % coin["value"])
    for name, node in (("Alice", alice), ("Bob", bob)):
        info = node.call("gettxoutsetinfo", "muhash")
        fact(name + "'s coins", "%d, %s BTC, hash %s..." % (info["txouts"], info["total_amount"], info["muhash"][:16]))


def real_blocks(build, work, nodes):
    path = os.path.join(ROOT, "..", "shared", "vectors", "chain", "mainnet", "blocks-000000-004312.dat")
    if not os.path.exists(path):
        say("No file of mainnet blocks here, so that part is left out")
        return
    say("The first blocks of Bitcoin's real chain, every rule of every one verified")
    start = time.monotonic()
    node = Node(build, os.path.join(work, "mainnet"), "main", "-loadblock=" + path)
    nodes.append(node)
    while True:
        height = node.call("getblockcount")
        bar(height, 4312, "blocks")
        if height >= 4312 or time.monotonic() - start > 60:
            break
        time.sleep(0.1)
    tip = node.call("getblockheader", node.call("getbestblockhash"))
    fact("tip", tip["hash"])
    fact("height, mined", "%d, %s UTC" % (tip["height"], time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(tip["time"]))))
    fact("verified in", "%.1f seconds" % (time.monotonic() - start))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    build = os.path.abspath(parser.parse_args().build)
    work = tempfile.mkdtemp(prefix="farthing_demo_")
    nodes = []
    try:
        two_nodes(build, work, nodes)
        real_blocks(build, work, nodes)
    finally:
        for node in nodes:
            node.stop()
        shutil.rmtree(work, ignore_errors=True)
    relative = os.path.relpath(build)
    say("That was it. A node of your own:")
    print("    %s/farthingd -signet -addnode=HOST     # or mainnet, without -signet; data in ~/.farthing" % relative)
    print("    %s/farthing-cli -signet -getinfo" % relative)
    print("    %s/farthingd -help" % relative)


if __name__ == "__main__":
    main()
