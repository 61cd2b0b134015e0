#!/usr/bin/env python3
"""The indexes against another node's: each builds them from the same blocks; every answer must be equal. Then each opens what the other made, in
turn, without building it again, and adds blocks and a reorganisation to it."""
import argparse
import hashlib
import json
import shutil
import time

import topology  # noqa: F401  (the path to the functional tests' modules)
from framework import equal, main, wait_until

INDEXES = ("-txindex", "-txospenderindex", "-coinstatsindex", "-blockfilterindex")
OPTIONS = ("-persistmempool=0", "-dnsseed=0", "-fixedseeds=0", "-natpmp=0", "-discover=0", "-minimumchainwork=0", "-checkblockindex=0",
           "-rpcservertimeout=600")
ADDRESS = "bcrt1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk"
BATCH = 100


def ask(node, calls, batch=BATCH):
    """The results of many calls, errors among them."""
    for at in range(0, len(calls), batch):
        body = [{"jsonrpc": "2.0", "id": i, "method": m, "params": p} for i, (m, p) in enumerate(calls[at:at + batch])]
        _, text = node.post(json.dumps(body))
        for answer in sorted(json.loads(text), key=lambda a: a["id"]):
            yield answer.get("result", answer.get("error"))


def synced(node):
    height = node.getblockcount()
    info = node.getindexinfo()
    return len(info) == len(INDEXES) and all(i == {"synced": True, "best_block_height": height} for i in info.values())


class Answers:
    """What a node says of its whole chain: a digest for each kind of question."""

    def __init__(self, node, every):
        wait_until(lambda: synced(node), 600, "the indexes")
        self.digest, self.count, self.seconds = {}, {}, {}
        hashes = list(ask(node, [("getblockhash", [h]) for h in range(node.getblockcount() + 1)]))
        self.note(node, "coinstats", [("gettxoutsetinfo", ["muhash", h]) for h in hashes])
        self.note(node, "filters", [("getblockfilter", [h]) for h in hashes])
        txids, spent = [], []
        for block in ask(node, [("getblock", [h, 2]) for h in hashes[1::max(1, every // 10)]], 3):
            for tx in block["tx"][::every if len(block["tx"]) > every else 1]:
                txids.append(tx["txid"])
                spent += [{"txid": tx["txid"], "vout": o["n"]} for o in tx["vout"][:2]]
        self.note(node, "txindex", [("getrawtransaction", [t, 1]) for t in txids])
        self.note(node, "spenders", [("gettxspendingprevout", [spent[i:i + 50], {"return_spending_tx": True, "mempool_only": False}])
                                     for i in range(0, len(spent), 50)])
        self.count["spenders"] = len(spent)

    def note(self, node, kind, calls):
        start = time.monotonic()
        self.digest[kind] = [(call, hashlib.sha256(json.dumps(result, sort_keys=True).encode()).digest())
                             for call, result in zip(calls, ask(node, calls))]
        self.count[kind], self.seconds[kind] = len(calls), time.monotonic() - start


def compare(what, ours, theirs):
    for kind in ours.digest:
        same = ours.digest[kind] == theirs.digest[kind]
        print("%-34s %-10s %7d answers %s (%.1f s, %.1f s)" % (what, kind, ours.count[kind], "equal" if same else "DIFFER",
                                                              ours.seconds[kind], theirs.seconds[kind]), flush=True)
        for (call, a), (_, b) in zip(ours.digest[kind], theirs.digest[kind]):
            if a != b:
                print("first: %s" % json.dumps(call)[:300])
                break
        equal(same, True)


def opens(node):
    """Starts on what is there: all indexes must stand at the tip at once."""
    node.start()
    info = node.getindexinfo()
    equal({i["best_block_height"] for i in info.values()}, {node.getblockcount()})
    log = node.log()
    for text in ("Wiping LevelDB", "Please rebuild"):
        equal(text in log, False)


def hand_over(giver, taker):
    """The taker's folders become the giver's."""
    giver.stop()
    shutil.rmtree(taker.net_dir, ignore_errors=True)
    shutil.copytree(giver.net_dir, taker.net_dir)
    shutil.move(taker.net_dir + "/debug.log", taker.net_dir + "/debug.log.other")


def extend(node):
    """Blocks, and a branch of them that is given up. Returns: the hash of a block outside the active chain."""
    node.generatetoaddress(3, ADDRESS)
    lost = node.generatetoaddress(2, ADDRESS)
    wait_until(lambda: synced(node), what="the indexes")
    node.invalidateblock(lost[0])
    node.generatetoaddress(4, "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry")
    wait_until(lambda: synced(node), what="the indexes")
    return lost[1]


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", required=True, help="daemon of another node")
    p.add_argument("--chain", default="regtest")
    p.add_argument("--blocks", required=True, help="file of blocks")
    p.add_argument("--every", type=int, default=20, help="transactions of a block to one that is asked for")
    o = p.parse_args()
    ours = t.node(*INDEXES, *OPTIONS, chain=o.chain, debug="none", start=False)
    theirs = t.node(*INDEXES, *OPTIONS, chain=o.chain, program=o.other, debug="none", start=False)
    answers = []
    for node in (ours, theirs):
        node.start("-loadblock=" + o.blocks)
        wait_until(lambda: node.getmempoolinfo()["loaded"], 600, "the import")
        answers.append(Answers(node, o.every))
    compare("each its own", *answers)
    takers = [t.node(*INDEXES, *OPTIONS, chain=o.chain, program=program, debug="none", start=False) for program in (o.other, None)]
    for giver, taker, said, what in ((ours, takers[0], answers[0], "they open ours"), (theirs, takers[1], answers[1], "we open theirs")):
        hand_over(giver, taker)
        opens(taker)
        compare(what, said, Answers(taker, o.every))
    if o.chain == "regtest":
        in_turn(t, takers, o)
    for node in takers:
        node.stop()


def in_turn(t, nodes, o):
    """Both databases are extended by the one and the other program in turn, and answer as a fresh index does in the end."""
    for _ in range(2):
        lost = [extend(node) for node in nodes]
        before = [said_of(node, gone) for node, gone in zip(nodes, lost)]
        for node in nodes:
            node.stop()
        nodes[0].program, nodes[1].program = nodes[1].program, nodes[0].program
        for node, gone, said in zip(nodes, lost, before):
            opens(node)
            equal(said_of(node, gone), said)
    for node in nodes:
        fresh = t.node(*INDEXES, *OPTIONS, debug="none")
        for height in range(1, node.getblockcount() + 1):
            fresh.submitblock(node.getblock(node.getblockhash(height), 0))
        compare("extended in turn, against a new one", Answers(node, o.every), Answers(fresh, o.every))
        fresh.stop()


def said_of(node, block):
    """Of a block that left the active chain."""
    return node.gettxoutsetinfo("muhash", block), node.getblockfilter(block), node.getrawtransaction(node.getblock(block)["tx"][0])


if __name__ == "__main__":
    main(run)
