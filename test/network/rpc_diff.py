#!/usr/bin/env python3
"""Every command against another node's: both have the same chain, mempool and clock, and get the same calls, good and bad; status, error code and text
and every member of the result, its place and the form of its numbers must be equal. What may differ, with the reason, is in ALLOWED; the first calls
of each other difference are written out, and the program fails."""
import argparse
import collections
import json
import re
import sys
import time

import topology  # noqa: F401  (the path to the functional tests' modules)
from framework import call, main, wait_until
from rpc_allowed import ALLOWED
from rpc_calls import questions, systematic
from rpc_paths import http_calls
from rpc_changes import changes
from rpc_world import World

OPTIONS = ("-persistmempool=0", "-dnsseed=0", "-fixedseeds=0", "-natpmp=0", "-discover=0", "-checkblockindex=0", "-rest", "-dns=0", "-mocktime=1700000000", "-rpcworkqueue=200",
           "-rpcservertimeout=600", "-test=addrman")
INDEXES = ("-txindex", "-txospenderindex", "-coinstatsindex", "-blockfilterindex")


UNORDERED = ("getchaintips", "getnodeaddresses")  # branches of one height; picked at random


class Num(str):
    """A number as it is written."""


def read(text):
    """JSON with the order of members, which may stand twice, and the form of numbers."""
    return json.loads(text, parse_int=Num, parse_float=Num, parse_constant=Num, object_pairs_hook=tuple)


def first_line(x):
    """An error whose text is a help shows how the command is used, in its first line."""
    if isinstance(x, str) and not isinstance(x, Num) and "\n\nArguments:\n" in x or isinstance(x, str) and re.search(r"\n\nResult( \(|:)", x):
        return x.split("\n")[0]
    return x


def parts(x, y, path=""):
    """What differs in two values: (path, ours, theirs)."""
    if isinstance(x, tuple) and isinstance(y, tuple):
        kx, ky = [k for k, _ in x], [k for k, _ in y]
        if len(set(kx)) != len(kx):
            yield path + " twice", kx, ky
        if [k for k in kx if k in ky] != [k for k in ky if k in kx]:
            yield path + " order", kx, ky
        dx, dy = dict(x), dict(y)
        for key in [*kx, *(k for k in ky if k not in dx)]:
            name = re.sub(r"^[0-9a-f]{16,}$", "H", key)
            if key not in dy:
                yield "%s.%s more" % (path, name), dx[key], None
            elif key not in dx:
                yield "%s.%s missing" % (path, name), None, dy[key]
            else:
                yield from parts(dx[key], dy[key], "%s.%s" % (path, name))
    elif isinstance(x, list) and isinstance(y, list) and len(x) == len(y):
        for a, b in zip(x, y):
            yield from parts(a, b, path + "[]")
    elif x != y or type(x) is not type(y):
        yield path, x, y


def plain(what, x):
    """An answer with its lists sorted that have no order."""
    def member(k, v):
        if isinstance(v, list) and k in ("spentby", "replaced-transactions", "localaddresses"):
            return sorted(v)
        if isinstance(v, list) and k == "result" and what in UNORDERED:
            return sorted(v, key=repr)
        return plain(what, v)
    if isinstance(x, tuple):
        return tuple((k, member(k, v)) for k, v in x)
    return [plain(what, v) for v in x] if isinstance(x, list) else x


def why(what, path, ours, theirs):
    """The reason for which this difference is allowed."""
    return next((r for m, p, r, ok in ALLOWED if re.fullmatch(m, what, re.S) and re.fullmatch(p, path, re.S) and (ok is None or ok(ours, theirs))), None)


class Pair:
    def __init__(self, nodes):
        self.nodes = nodes
        self.calls = self.equal = 0
        self.allowed = collections.Counter()
        self.found = collections.Counter()
        self.of = collections.Counter()  # calls by command
        self.only, self.all, self.slowest = None, False, 0
        self.show = 2

    def both(self, body, path="/", **more):
        """One exchange with each. Returns: [(status, text)]"""
        return [self.tidy(node, *self.exchange(node, body.replace("DIR", node.dir), path, **more)) for node in self.nodes]

    def exchange(self, node, body, path, **more):
        try:
            return node.post(body, path, timeout=20, **more)
        except OSError as error:
            return 0, repr(error)

    def tidy(self, node, status, text):
        """What depends on the node's own folder."""
        text = re.sub(r'(?<=\[)"This is a pre-release test build[^"]*"(?=\])|(?<="),"This is a pre-release test build[^"]*"(?=\])', "", text)  # of a test build alone
        return status, text.replace(node.dir, "DIR")

    def ask(self, method, params, version=None):
        if self.only and not re.fullmatch(self.only, method) and not self.all:
            return None
        request = {"id": 1, "method": method, "params": params}
        if version:
            request["jsonrpc"] = version
        start = time.monotonic()
        a, b = self.both(json.dumps(request))
        self.slowest = time.monotonic() - start
        self.of[method] += 1
        self.compare(method, json.dumps(params), a, b)
        return a, b

    def compare(self, what, detail, a, b):
        """a, b: (status, text)"""
        self.calls += 1
        if a == b:
            self.equal += 1
            return
        found = [("status", a[0], b[0])] if a[0] != b[0] else []
        try:
            x, y = read(a[1]), read(b[1])
        except ValueError:
            found += [("text", a[1], b[1])] if a[1] != b[1] else []
        else:
            more = [(p, u, v) for p, u, v in parts(plain(what, x), plain(what, y)) if first_line(u) != first_line(v)]
            found += more or ([("text", a[1], b[1])] if not found and x == y else [])
        reasons, wrong = set(), []
        for f in found:
            reason = why(what, *f)
            (wrong.append(f) if reason is None else reasons.add(reason))
        if not wrong:
            self.allowed.update(reasons or {"texts of help, but for the first line; lists without an order"})
        for path, u, v in wrong:
            self.report(what, path, u, v, detail)

    def report(self, what, path, u, v, detail):
        reason = why(what, path, u, v)
        if reason:
            self.allowed[reason] += 1
            return
        kind = "%s %s" % (what, path)
        if path in (".error.message", ".result", ".error") or isinstance(u, str) and isinstance(v, str) and not isinstance(u, Num):
            kind += ": %s / %s" % tuple(re.sub(r"\d+", "N", re.sub(r"[0-9a-f]{16,}", "H", str(t)))[:90] for t in (u, v))
        self.found[kind] += 1
        if self.found[kind] <= self.show:
            print("%s %s\n    %s\n  ours   %s\n  theirs %s" % (what, path, detail[:300], str(u)[:400], str(v)[:400]), flush=True)


def synced(node):
    height = node.getblockcount()
    return all(i["synced"] and i["best_block_height"] == height for i in node.getindexinfo().values())


def commands(pair):
    """The commands of both, with the names of their parameters: as the other node describes them."""
    docs = [{m["name"]: m for m in node.getopenrpcinfo(True)["methods"]} for node in pair.nodes]
    for name in [*docs[1]]:
        if name not in docs[0]:
            pair.report("commands", "missing", None, name, "getopenrpcinfo")
            del docs[1][name]
    more = sorted(set(docs[0]) - set(docs[1]))
    print("commands: %d of both; ours beside: %s" % (len(docs[1]), " ".join(more)))
    lists = [{line for line in node.help().split("\n") if line and line[:2] != "=="} for node in pair.nodes]
    for line in sorted(lists[1] - lists[0]):
        pair.report("commands", "help", None, line, "help")
    return {name: [p["name"] for p in m["params"]] for name, m in docs[1].items()}


def documents(pair):
    """The descriptions of the commands, but for the words."""
    for method, params in (("getopenrpcinfo", []), ("getopenrpcinfo", [True]), ("rpc.discover", [])):
        texts = []
        for node in pair.nodes:
            document = call(node, method, *params)
            document["methods"] = {m["name"]: {**m, "params": {p["name"]: p for p in m["params"]}} for m in document["methods"]}
            texts.append(document)
        for name in set(texts[0]["methods"]) - set(texts[1]["methods"]):
            del texts[0]["methods"][name]
        pair.of[method] += 1
        pair.compare("documents", method, *((200, json.dumps({"result": d})) for d in texts))


def ask_all(pair, names, s):
    asked = questions(s, names)
    for method in asked:
        for params in asked[method]:
            pair.ask(method, params)
            if len(params) > 0 and not any(p is None for p in params):
                pair.ask(method, dict(zip(names[method], params)), "2.0")
        before = pair.calls
        for params in systematic(method, names[method], asked[method]):
            pair.ask(method, params, "2.0" if pair.calls % 2 else None)
            if pair.verbose and pair.slowest > 1:
                print("%.1f s: %s %s" % (pair.slowest, method, json.dumps(params)[:200]), flush=True)
            if method in ("setmocktime", "mockscheduler"):
                for node in pair.nodes:
                    node.setmocktime(pair.time)
        if pair.verbose:
            print("%s: %d calls" % (method, pair.calls - before), flush=True)


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", required=True, help="daemon of another node")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--steps", type=int, default=400, help="transactions that make the world")
    p.add_argument("--only", help="commands, a regular expression; rest, http and changes are further ones")
    p.add_argument("--show", type=int, default=2, help="examples of each difference")
    p.add_argument("--no-index", action="store_true", help="both without indexes")
    p.add_argument("--arg", action="append", default=[], help="further option of both nodes")
    p.add_argument("--verbose", action="store_true")
    o = p.parse_args()
    args = (*OPTIONS, *(() if o.no_index else INDEXES), *o.arg)
    ours = t.node(*args, debug="none", start=False)
    theirs = t.node(*args, program=o.other, debug="none", start=False)
    for node in (ours, theirs):
        node.start()
    pair = Pair([ours, theirs])
    pair.only, pair.show, pair.verbose = o.only, o.show, o.verbose
    start = time.monotonic()
    world = World(pair, o.seed, o.steps)
    pair.time = world.stream.time
    for node in pair.nodes:
        wait_until(lambda node=node: synced(node), 120, "the indexes")
    print("world of %d blocks, %d in the pool: %.0f s" % (world.s["tip"], len(ours.getrawmempool()), time.monotonic() - start), flush=True)
    try:
        names = commands(pair)
        documents(pair)
        ask_all(pair, names, world.s)
        for name, part in (("http", http_calls), ("changes", changes)):
            if not o.only or re.fullmatch(o.only, name):
                pair.all = True
                part(pair, world)
    finally:
        summary(pair, start)
    if pair.found:
        raise AssertionError("%d kinds of differences" % len(pair.found))


def summary(pair, start):
    print("\n%d calls of %d commands in %.0f s: %d equal" % (pair.calls, len(pair.of), time.monotonic() - start, pair.equal))
    for reason, n in sorted(pair.allowed.items()):
        print("%7d allowed: %s" % (n, reason))
    for kind, n in sorted(pair.found.items()):
        print("%7d DIFFER: %s" % (n, kind))
    print("%d unexpected differences" % sum(pair.found.values()))
    sys.stdout.flush()


if __name__ == "__main__":
    main(run)
