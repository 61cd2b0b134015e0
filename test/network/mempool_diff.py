#!/usr/bin/env python3
"""The mempool against another node's: a random stream of transactions, packages, blocks and reorganisations goes to both, and every answer, every
reject reason and the pools must be equal. Differences are counted by kind; the first of each kind is written out. What is known to differ and why:
doc/mempool-differences.md."""
import argparse
import json
import os
import re
import sys
import time

import topology  # noqa: F401  (the path to the functional tests' modules)
from framework import equal, main
from txgen import carrier
from txstream import Stream

OPTIONS = ("-persistmempool=0", "-dnsseed=0", "-fixedseeds=0", "-natpmp=0", "-discover=0", "-checkblockindex=0", "-acceptnonstdtxn=0")


def shape(text):
    """A text without its ids and numbers."""
    return re.sub(r"-?\d+(\.\d+)?", "N", re.sub(r"[0-9a-f]{64,}", "H", text))


class Pair:
    def __init__(self, ours, theirs, out):
        self.nodes = [ours, theirs]
        self.found = {}
        self.calls = 0
        self.exchanged = 0  # pools, through their files
        self.last = ""      # call, for what is written of a difference
        self.out = out

    def raw(self, node, method, params):
        _, text = node.post(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        return text

    def differs(self, kind, detail):
        self.found[kind] = self.found.get(kind, 0) + 1
        if self.found[kind] <= 3:
            print("difference (call %d): %s\n   %s" % (self.calls, kind, "\n   ".join(str(d)[:400] for d in detail)), flush=True)
            if self.out:
                with open(self.out, "a", encoding="utf-8") as f:
                    f.write(json.dumps([self.calls, kind, detail]) + "\n")

    def ask(self, method, *params):
        signing = method == "signrawtransactionwithkey"  # no matter of the mempool
        self.calls += not signing
        a, b = (self.raw(node, method, params) for node in (self.nodes if not signing else self.nodes[:1] * 2))
        x, y = (json.loads(text, object_pairs_hook=once) for text in (a, b))
        if a != b:
            self.compare(method, params, x, y)
        if not signing:
            self.last = "before that: %s %s" % (method, json.dumps(params)[:200])
        if x.get("error"):
            return "error", x["error"]["code"], x["error"]["message"]
        return "ok", x["result"]

    def compare_ids(self, method, params, x, y):
        """Lists of ids, with no order but getrawmempool's: there the place in the mining order decides."""
        if sorted(x) != sorted(y):
            self.differs("%s: other transactions" % method, ["%d, %d" % (len(x), len(y)), "ours more: %s" % sorted(set(x) - set(y)),
                                                             "theirs more: %s" % sorted(set(y) - set(x)), json.dumps(params), self.last])
        elif method == "getrawmempool":
            compare_order(self, x, y)

    def compare(self, method, params, x, y):
        if x.get("error") or y.get("error"):
            if x.get("error") != y.get("error"):
                x, y = (v["error"]["message"] if v.get("error") else "no error" for v in (x, y))
                self.differs("%s: %s / %s" % (method, shape(x), shape(y)), [x, y, json.dumps(params)])
            return
        x, y = x["result"], y["result"]
        if isinstance(x, list) and isinstance(y, list) and all(isinstance(v, str) for v in x + y):
            self.compare_ids(method, params, x, y)
            return
        form = FORM.get(method)
        if form:
            x, y = form(x), form(y)
        for path, a, b in sorted(parts(x, y)):
            self.differs("%s: %s" % (method, path), [a, b, json.dumps(x), json.dumps(y), json.dumps(params)])


def once(pairs):
    """A JSON object in which no name stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise AssertionError("a name stands twice: %r" % pairs)
    return found


def parts(x, y, path=""):
    """What differs in two JSON values: (path, shapes)."""
    if isinstance(x, dict) and isinstance(y, dict):
        if list(x) != list(y) and sorted(x) == sorted(y):
            yield path + " order", "", ""
        for key in sorted({*x, *y}):
            yield from parts(x.get(key), y.get(key), path + "." + shape(key))
    elif isinstance(x, list) and isinstance(y, list) and len(x) == len(y):
        for a, b in zip(x, y):
            yield from parts(a, b, path + "[]")
    elif x != y:
        yield path + (": %s / %s" % (shape(x), shape(y)) if isinstance(x, str) and isinstance(y, str) else ""), str(x)[:300], str(y)[:300]


def without(*names):
    return lambda info: {k: v for k, v in info.items() if k not in names}


def entry_form(e):
    """An entry of the pool without the order of its children and without what older clients alone read."""
    return {k: sorted(v) if k == "spentby" else v for k, v in e.items() if k != "bip125-replaceable"}


def entries_form(r):
    return {k: entry_form(v) for k, v in r.items()} if isinstance(r, dict) else sorted(r)


def package_form(r):
    """What was replaced has no order."""
    return dict(r, **{"replaced-transactions": sorted(r["replaced-transactions"])})


FORM = {"getmempoolinfo": without("usage", "fullrbf"), "getrawmempool": entries_form, "getmempoolentry": entry_form, "getmempoolancestors": entries_form,
        "getmempooldescendants": entries_form, "submitpackage": package_form}


def compare_pools(pair, stream, everything):
    """Returns: whether both have the same transactions."""
    a, b = ([*node.getrawmempool()] for node in pair.nodes)
    same = sorted(a) == sorted(b)
    if not same:
        pair.differs("pools: transactions", ["ours more: %r" % sorted(set(a) - set(b)), "theirs more: %r" % sorted(set(b) - set(a))])
        return False
    stream.m.sync_pool(set(a))
    pair.ask("getmempoolinfo")
    if everything:
        compare_entries(pair, *(node.getrawmempool(True) for node in pair.nodes))
        compare_order(pair, a, b)
        pair.ask("getprioritisedtransactions")
    return True


def compare_entries(pair, a, b):
    for txid, x in a.items():
        for path, p, q in parts(entry_form(x), entry_form(b[txid])):
            pair.differs("entry: " + path, [p, q, txid, json.dumps(x), json.dumps(b[txid])])


def compare_order(pair, a, b):
    if a != b:
        at = next(i for i, (x, y) in enumerate(zip(a, b)) if x != y)
        entries = pair.nodes[0].getrawmempool(True)

        def rate(t):
            return entries[t]["fees"]["chunk"] / entries[t]["chunkweight"]
        equal_rates = [rate(t) for t in a] == [rate(t) for t in b]
        pair.differs("pools: order, %s fee rates" % ("equal" if equal_rates else "other"), [at, a[at:at + 5], b[at:at + 5], [rate(t) for t in a[at:at + 5]], [rate(t) for t in b[at:at + 5]]])


def compare_templates(pair, stream):
    stream.set_time(10)
    x, y = (node.getblocktemplate({"rules": ["segwit"]}) for node in pair.nodes)
    if x["coinbasevalue"] != y["coinbasevalue"]:
        pair.differs("template: value", [x["coinbasevalue"], y["coinbasevalue"]])
    a, b = ([t["txid"] for t in z["transactions"]] for z in (x, y))
    if sorted(a) != sorted(b):
        pair.differs("template: transactions", [sorted(set(a) - set(b)), sorted(set(b) - set(a))])
    elif a != b:
        pair.differs("template: order", [])
    elif x["transactions"] != y["transactions"]:
        pair.differs("template: fields", [])


def heal(pair, stream):
    """Both start again with an empty pool."""
    for node in pair.nodes:
        node.stop()
        node.start()
        node.setmocktime(stream.time)
    stream.m.sync_pool(set())
    equal(pair.nodes[0].getbestblockhash(), pair.nodes[1].getbestblockhash())


def exchange(pair, stream):
    """Each saves its pool, starts again with an empty one, and takes what the other one has saved."""
    tip = pair.nodes[0].getblockheader(pair.nodes[0].getbestblockhash())
    if stream.time - tip["time"] > 20 * 3600:
        return True  # who starts with such a tip imports nothing before the next block
    what = {"use_current_time": False, "apply_fee_delta_priority": True, "apply_unbroadcast_set": True}
    files = [node.savemempool()["filename"] for node in pair.nodes]
    sizes = [os.path.getsize(path) for path in files]
    if sizes[0] != sizes[1]:
        pair.differs("mempool.dat: size", sizes)
    for node in pair.nodes:
        node.stop()
        node.start("-mocktime=%d" % stream.time)  # from the start, so that the tip is recent
    for node, path in zip(pair.nodes, reversed(files)):
        equal(node.importmempool(path, what), {})
    pair.exchanged += 1
    return compare_pools(pair, stream, True)


def calls(pair, options):
    stream = Stream(options.seed, pair.nodes, pair.ask, options.signed)
    stream.fund()
    start, heals, rounds = time.monotonic(), 0, 0
    while stream.done < options.n and time.monotonic() - start < options.seconds:
        before = sum(pair.found.values())
        for _ in range(options.every):
            stream.step()
            if sum(pair.found.values()) != before:
                before = sum(pair.found.values())
                if sorted(pair.nodes[0].getrawmempool()) != sorted(pair.nodes[1].getrawmempool()):
                    heals += 1
                    heal(pair, stream)
        rounds += 1
        if not compare_pools(pair, stream, True) or (rounds % 15 == 0 and not exchange(pair, stream)):
            heals += 1
            heal(pair, stream)
        if rounds % 4 == 0:
            compare_templates(pair, stream)
        stream.refill()
        if rounds % 20 == 0:
            print("%d transactions, %d accepted, %d calls, pool %d, height %d, %.0f s" %
                  (stream.done, stream.accepted, pair.calls, len(stream.m.pool), stream.g.height, time.monotonic() - start), flush=True)
    for name, n in sorted(stream.verdicts.items()):
        print("%7d  %s" % (n, name))
    print("seed %d: %d transactions in %d calls, %d accepted, %d blocks; %d kinds of differences, %d in all, %d times started anew, pools exchanged %d times" %
          (options.seed, stream.done, pair.calls, stream.accepted, stream.g.height, len(pair.found), sum(pair.found.values()), heals, pair.exchanged))
    for kind, n in sorted(pair.found.items()):
        print("%7d  %s" % (n, kind))


def full(pair, options):
    """More than the pools hold. Both count their own memory, so that they do not drop the same transaction at the same moment; but what only one of
    them has must pay less than what both would keep, and the minimum fee must rise and fall in the same way."""
    stream = Stream(options.seed, pair.nodes, pair.ask, 0)
    stream.fund()
    g, verdicts = stream.g, {}
    for _ in range(options.n):
        coin = g.confirmed() if g.r.random() < 0.7 else g.unconfirmed()
        item = g.build([coin], [g.true, g.true], g.r.choice((100, 300, 1000, 2000, 5000, 10_000)) + g.r.randrange(50), data=[(0, carrier(g.r.randrange(500, 12_000)))])
        answers = [json.loads(pair.raw(node, "sendrawtransaction", [item.hex, 0])) for node in pair.nodes]
        words = tuple(shape(a["error"]["message"]) if a.get("error") else "accepted" for a in answers)
        verdicts[words] = verdicts.get(words, 0) + 1
        if words == ("accepted", "accepted") and item.txid not in stream.m.pool:
            stream.m.add(item)
    for words, n in sorted(verdicts.items()):
        print("%7d  %s / %s" % (n, *words))
    compare_full(pair)
    compare_decay(pair, stream)


def compare_full(pair):
    entries = [node.getrawmempool(True) for node in pair.nodes]
    floors = [node.getmempoolinfo()["mempoolminfee"] * 1e8 for node in pair.nodes]

    def rate(e):
        return e["fees"]["chunk"] * 1e8 / (e["chunkweight"] / 4) * 1000
    for mine, other in ((0, 1), (1, 0)):
        only = {t: rate(e) for t, e in entries[mine].items() if t not in entries[other]}
        print("%s: %d transactions, %d of them alone, minimum fee %.0f, the worst chunk pays %.0f" %
              (("ours", "theirs")[mine], len(entries[mine]), len(only), floors[mine], min(map(rate, entries[mine].values()))))
        for txid, r in only.items():
            if r > max(floors) + 1:
                pair.differs("full: dropped by one although it pays", [mine, txid, r, floors])
    if abs(floors[0] - floors[1]) > 0.2 * max(floors):
        pair.differs("full: minimum fees", floors)


def compare_decay(pair, stream):
    stream.block_with([])
    last = [node.getmempoolinfo()["mempoolminfee"] for node in pair.nodes]
    for hours in (1, 5, 12, 24):
        stream.set_time(hours * 3600)
        now = [node.getmempoolinfo()["mempoolminfee"] for node in pair.nodes]
        ratios = [b / a for a, b in zip(last, now)]
        if abs(ratios[0] - ratios[1]) > 0.01:
            pair.differs("full: decay of the minimum fee", [hours, last, now])
        last = now


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", required=True, help="daemon of another node")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("-n", type=int, default=50_000, help="transactions")
    p.add_argument("--seconds", type=float, default=1e9)
    p.add_argument("--every", type=int, default=100, help="calls between comparisons of the pools")
    p.add_argument("--signed", type=float, default=0.3, help="share of coins that need signatures")
    p.add_argument("--out", help="file for the differences, one JSON a line")
    p.add_argument("--full", action="store_true", help="pools of 5 MB, filled: -n some 2,000")
    p.add_argument("--arg", action="append", default=[], help="further option of both nodes")
    options = p.parse_args()
    options.arg += ["-maxmempool=5"] if options.full else []
    ours = t.node(*OPTIONS, *options.arg, debug="none", start=False)
    theirs = t.node(*OPTIONS, *options.arg, program=options.other, debug="none", start=False)
    for node in (ours, theirs):
        node.start()
    pair = Pair(ours, theirs, options.out)
    (full if options.full else calls)(pair, options)
    print("%d differences" % sum(pair.found.values()))
    sys.stdout.flush()


if __name__ == "__main__":
    main(run)
