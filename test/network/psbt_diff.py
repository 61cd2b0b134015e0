#!/usr/bin/env python3
"""Partially signed transactions against another node: both make, fill, sign, combine, finalise and analyse the same random PSBTs, whole ones and mutated
ones, of all kinds of outputs; every answer and every error must be equal, byte for byte. What both could complete is offered to both mempools."""
import argparse
import base64
import difflib
import hashlib
import json
import random
from concurrent.futures import ThreadPoolExecutor

import topology  # noqa: F401  (the path to the functional tests' modules)
from blocks import compact
from framework import equal, main, wait_until
from p2p import parse_compact

OPTIONS = ("-persistmempool=0", "-dnsseed=0", "-fixedseeds=0", "-natpmp=0", "-discover=0", "-checkblockindex=0", "-acceptnonstdtxn=0")
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
HASH_TYPES = ("DEFAULT", "ALL", "NONE", "SINGLE", "ALL|ANYONECANPAY", "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY")
PREIMAGE = bytes(range(32))
SHA256 = hashlib.sha256(PREIMAGE).digest()
HASH256 = hashlib.sha256(SHA256).digest()


def base58check(data):
    data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    n, text = int.from_bytes(data, "big"), ""
    while n:
        n, digit = divmod(n, 58)
        text = ALPHABET[digit] + text
    return text


def secret(i):
    return hashlib.sha256(b"psbt %d" % i).digest()


def wif(i):
    return base58check(b"\xef" + secret(i) + b"\x01")


def xprv(i):
    return base58check(bytes.fromhex("04358394") + bytes(9) + secret(1000 + i) + b"\x00" + secret(i))


def kinds():
    """Descriptors with private keys, of every form; those with * are expanded over a few positions."""
    k = [wif(i) for i in range(12)]
    x = [("[%08x/84h/1h]" % i if i % 2 else "") + xprv(i) + "/0/*" for i in range(20, 24)]
    sane, tap_sane = [], []
    for o, scripts in ((40, sane), (50, tap_sane)):  # keys behind hashes are their own: ours finds them in whatever form another descriptor has them
        scripts += [
            "and_v(v:pk(%s),older(2))" % k[0], "or_d(pk(%s),and_v(v:pkh(%s),older(3)))" % (k[1], wif(o)),
            "andor(pk(%s),sha256(%s),pk(%s))" % (k[3], SHA256.hex(), k[4]), "thresh(2,pk(%s),s:pk(%s),s:pk(%s))" % (k[5], k[6], k[7]),
            "and_v(v:hash256(%s),and_v(v:pk(%s),after(90)))" % (HASH256.hex(), k[8]),
            "or_i(and_v(v:pkh(%s/0/*),older(1)),and_v(v:pk(%s),pk(%s)))" % (xprv(o + 20), x[1], k[9])]
    leaves = tap_sane + ["pk(%s)" % k[10], "multi_a(2,%s,%s,%s)" % (x[2], k[0], k[1]), "sortedmulti_a(1,%s,%s)" % (k[2], k[3])]
    multi = "multi(2,%s,%s,%s)" % (k[0], k[1], x[0])
    out = ["pkh(%s)" % k[0], "wpkh(%s)" % k[1], "sh(wpkh(%s))" % k[2], "wpkh(%s)" % x[0], "pkh(%s)" % x[1], "sh(wpkh(%s))" % x[2],
           "sh(%s)" % multi, "wsh(%s)" % multi, "sh(wsh(%s))" % multi, "wsh(sortedmulti(1,%s,%s))" % (x[1], k[3]), "sh(pkh(%s))" % k[4],
           "wsh(pkh(%s))" % k[5], "sh(wsh(pk(%s)))" % k[6], "tr(%s)" % k[0], "tr(%s)" % x[3], "rawtr(%s)" % k[7]]
    out += ["wsh(%s)" % s for s in sane] + ["sh(wsh(%s))" % s for s in sane[:2]]
    out += ["tr(%s,%s)" % (k[11], s) for s in leaves]
    unspendable = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0"
    out += ["tr(%s,{%s,{%s,%s}})" % (unspendable, leaves[6], leaves[1], leaves[7]), "tr(%s,{{%s,%s},%s})" % (x[0], leaves[0], leaves[3], leaves[8]),
            "tr(%s,{%s,%s})" % (unspendable, leaves[6], leaves[6])]
    musig = "musig(%s,%s)" % (wif(32), wif(33))  # public nonces are random: nobody has these keys
    return out, ["tr(%s)" % musig, "tr(%s,pk(%s))" % (k[5], musig), "tr(musig(%s,%s)/0/*)" % (xprv(30), xprv(31))]


# ---- PSBTs as records ----

def split(psbt):
    """Maps, each a list of [key, value]."""
    data, maps, at, current = base64.b64decode(psbt), [], 5, []
    while at < len(data):
        size, at = parse_compact(data, at)
        if size == 0:
            maps.append(current)
            current = []
            continue
        key = data[at:at + size]
        length, at = parse_compact(data, at + size)
        current.append([key, data[at:at + length]])
        at += length
    return maps


def join(maps):
    out = b"psbt\xff"
    for m in maps:
        for key, value in m:
            out += compact(len(key)) + key + compact(len(value)) + value
        out += b"\x00"
    return base64.b64encode(out).decode()


class Mutator:
    def __init__(self, rng):
        self.rng, self.pool = rng, []

    def learn(self, psbt):
        self.pool += [r for m in split(psbt)[1:] for r in m]
        if len(self.pool) > 2000:
            self.pool = self.rng.sample(self.pool, 1000)

    def record(self):
        r = self.rng
        if self.pool and r.random() < 0.7:
            key, value = r.choice(self.pool)
            return [bytes(key), bytes(value)]
        kind = r.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x1a, 0x1b, 0x1c, 0xfb, 0xfc, 0x99))
        rest = r.choice((0, 0, 1, 20, 32, 33, 64, 66, 98))
        key = bytes([kind]) + (b"\x03abc\x05" + r.randbytes(3) if kind == 0xfc else r.randbytes(rest))
        return [key, r.choice((b"", b"\x01", r.randbytes(4), r.randbytes(32), r.randbytes(33), r.randbytes(64), r.randbytes(66), b"\x00\x00\x00\x00"))]

    def bytes_of(self, data):
        r, data = self.rng, bytearray(data)
        what = r.randrange(4)
        if what == 0 and data:
            data[r.randrange(len(data))] ^= 1 << r.randrange(8)
        elif what == 1:
            del data[r.randrange(len(data) + 1):]
        elif what == 2:
            data += r.randbytes(r.choice((1, 4, 32)))
        elif data:
            data[r.randrange(len(data))] = r.choice((0, 1, 0xff))
        return bytes(data)

    def mutate(self, psbt):
        r = self.rng
        if r.random() < 0.1:  # any byte
            return base64.b64encode(self.bytes_of(base64.b64decode(psbt))).decode()
        maps = split(psbt)
        for _ in range(r.choice((1, 1, 1, 2, 3))):
            m = r.choice(maps[1:] if len(maps) > 1 and r.random() < 0.85 else maps)
            what = r.randrange(8)
            if what <= 1 and m:
                m.pop(r.randrange(len(m)))
            elif what == 2 and m:
                m.insert(r.randrange(len(m) + 1), list(r.choice(m)))
            elif what == 3 and m:
                e = r.choice(m)
                e[1] = self.bytes_of(e[1])
            elif what == 4 and m:
                e = r.choice(m)
                e[0] = self.bytes_of(e[0])
            elif what == 5:
                r.shuffle(m)
            else:
                m.append(self.record())
        return join(maps)


# ---- two nodes ----

class Pair:
    def __init__(self, ours, theirs, show, width):
        self.width = width
        self.nodes, self.show, self.count, self.found, self.errors = (ours, theirs), show, {}, {}, {}
        self.threads = ThreadPoolExecutor(2)

    def ask(self, calls):
        """Asks both; notes differences. Returns: our answers, [error, result] each."""
        body = json.dumps([{"jsonrpc": "1.0", "id": i, "method": m, "params": p} for i, (m, p) in enumerate(calls)])
        texts = self.threads.map(lambda node: node.post(body)[1], self.nodes)
        answers = [sorted(json.loads(t, parse_float=str), key=lambda a: a["id"]) for t in texts]
        for (method, params), a, b in zip(calls, *answers):
            self.count[method] = self.count.get(method, 0) + 1
            if a["error"]:
                self.errors[method] = self.errors.get(method, 0) + 1
            if method == "joinpsbts" and not a["error"] and not b["error"]:
                a, b = dict(a, result=in_order(a["result"])), dict(b, result=in_order(b["result"]))
            if a["error"] != b["error"] or a["result"] != b["result"] or list(map(str, [a])) != list(map(str, [b])):
                self.found[method] = self.found.get(method, 0) + 1
                if self.found[method] <= self.show:
                    self.tell(method, params, a, b)
        return [(a["error"], a["result"]) for a in answers[0]]

    def tell(self, method, params, a, b):
        """Shows a difference: in the text of two PSBTs, or in the answers."""
        print("DIFFERENT %s %s" % (method, json.dumps(params)[:self.width]), flush=True)
        texts = [r.get("psbt") if isinstance(r, dict) else r for r in (a["result"], b["result"])]
        if method not in ("decodepsbt", "joinpsbts") and all(isinstance(text, str) for text in texts):
            a, b = (self.nodes[0].decodepsbt(text) for text in texts)
        lines = [json.dumps(x, indent=1).split("\n") for x in (a, b)]
        for line in list(difflib.unified_diff(*lines, "ours", "theirs", lineterm=""))[:60]:
            print("  " + line[:200])

    def one(self, method, *params):
        return self.ask([(method, params)])[0][1]


def in_order(psbt):
    """Inputs and outputs of a joined PSBT stand in an order by chance."""
    maps = split(psbt)
    tx = maps[0][0][1]
    n_in, at = parse_compact(tx, 4)
    ins = [tx[at + 41 * i:at + 41 * i + 41] for i in range(n_in)]
    n_out, at = parse_compact(tx, at + 41 * n_in)
    outs = []
    for _ in range(n_out):
        size, end = parse_compact(tx, at + 8)
        outs.append(tx[at:end + size])
        at = end + size
    return str([tx[:4], tx[at:], maps[0][1:], sorted(zip(ins, maps[1:1 + n_in])), sorted(zip(outs, maps[1 + n_in:]))])


class Cases:
    def __init__(self, pair, rng):
        self.pair, self.rng, self.mutator = pair, rng, Mutator(rng)
        self.private, musig = kinds()
        self.public = [pair.one("getdescriptorinfo", d)["descriptor"].split("#")[0] for d in self.private + musig]
        self.spends, self.last, self.completed, self.accepted = [], [], 0, 0
        self.fund()

    def outputs(self):
        for d in self.public:
            text = pair_checksum(self.pair, d)
            yield from self.pair.one("deriveaddresses", text, *([[0, 1]] if "*" in d else []))

    def fund(self):
        """Coins for all descriptors: in blocks, and in the mempool."""
        ours, theirs = self.pair.nodes
        mine = "wpkh(%s)" % wif(99)
        address = ours.deriveaddresses(pair_checksum(self.pair, self.pair.one("getdescriptorinfo", mine)["descriptor"].split("#")[0]))[0]
        self.addresses = list(self.outputs())
        hashes = ours.generatetoaddress(104, address)
        for where in range(2):
            base = ours.getblock(hashes[where], 2)["tx"][0]
            amount = 49.0 / len(self.addresses)
            raw = ours.createrawtransaction([{"txid": base["txid"], "vout": 0}], [{a: "%.8f" % amount} for a in self.addresses])
            signed = ours.signrawtransactionwithkey(raw, [wif(99)])
            equal(signed["complete"], True)
            txid = ours.sendrawtransaction(signed["hex"], 0)
            self.spends += [(txid, n) for n in range(len(self.addresses))]
            if where == 0:
                hashes += ours.generatetoaddress(1, address)
        for height in range(1, ours.getblockcount() + 1):
            theirs.submitblock(ours.getblock(ours.getblockhash(height), 0))
        equal(theirs.getbestblockhash(), ours.getbestblockhash())
        theirs.sendrawtransaction(signed["hex"], 0)
        for node in self.pair.nodes:
            wait_until(lambda: all(i["synced"] for i in node.getindexinfo().values()))

    def descriptors(self, private):
        r = self.rng
        out = []
        everything = self.private + self.public if private else self.public
        whole = private  # with an extended private key, the other node signs for the public one's descriptors, too, where ours signs for its own positions
        for d in (everything if r.random() < 0.2 else r.sample(everything, r.randrange(1, 25))):
            out.append({"desc": d, "range": 1 if whole else r.choice((0, 1, [0, 1]))} if "*" in d else d)
        return out

    def create(self):
        r = self.rng
        inputs = []
        for txid, n in r.sample(self.spends, r.choice((0, 1, 1, 1, 2, 3))):
            i = {"txid": txid if r.random() < 0.95 else r.randbytes(32).hex(), "vout": n}
            if r.random() < 0.5:
                i["sequence"] = r.choice((1, 2, 3, 0xfffffffd, 0xffffffff))
            inputs.append(i)
        outputs = [{a: "0.0%d" % r.randrange(1, 99)} for a in r.sample(self.addresses, r.choice((0, 1, 1, 2)))]
        if r.random() < 0.3:
            outputs.append({"data": r.randbytes(5).hex()})
        params = [inputs, outputs, r.choice((0, 0, 95, 100, 500000001)), r.random() < 0.5, r.choice((1, 2, 2, 3))]
        version = r.choice((0, 2))
        if r.random() < 0.3:
            (error, raw), = self.pair.ask([("createrawtransaction", params)])
            if not error:
                return self.pair.one("converttopsbt", raw, r.random() < 0.5, r.choice((None, True, False)), version)
        return self.pair.one("createpsbt", *params, version)

    def step(self, psbt):
        """Something that changes a PSBT. Returns: the call."""
        r = self.rng
        what = r.random()
        if what < 0.3:
            return "utxoupdatepsbt", [psbt, self.descriptors(False)] if r.random() < 0.9 else [psbt]
        if what < 0.8:
            kind = r.choice((None, None, None, None, r.choice(HASH_TYPES)))
            return "descriptorprocesspsbt", [psbt, self.descriptors(True), kind, r.random() < 0.8, r.random() < 0.4]
        if what < 0.9 and self.last:
            return "combinepsbt", [[psbt] + r.sample(self.last, min(len(self.last), r.choice((1, 2))))]
        return "finalizepsbt", [psbt, False]

    def look(self, psbt):
        calls = [("decodepsbt", [psbt]), ("analyzepsbt", [psbt]), ("finalizepsbt", [psbt]), ("finalizepsbt", [psbt, False]), ("combinepsbt", [[psbt, psbt]]),
                 ("utxoupdatepsbt", [psbt])]
        if self.last and self.rng.random() < 0.2:
            calls.append(("joinpsbts", [[psbt, self.rng.choice(self.last)]]))
        answers = self.pair.ask(calls)
        final = answers[2][1]
        if final and "hex" in final:
            self.completed += 1
            (_, tested), = self.pair.ask([("testmempoolaccept", [[final["hex"]], 0])])
            self.accepted += bool(tested and tested[0].get("allowed"))
        if not answers[4][0]:
            self.mutator.learn(answers[4][1])

    def add_preimages(self, psbt):
        maps = split(psbt)
        for m in maps[1:]:
            if self.rng.random() < 0.8:
                m += [[b"\x0b" + SHA256, PREIMAGE], [b"\x0d" + HASH256, PREIMAGE]]
        return join(maps)

    def case(self):
        r = self.rng
        psbt = self.create()
        if not psbt:
            return
        stages = [psbt]
        for _ in range(r.choice((1, 2, 3, 4))):
            if r.random() < 0.15:
                psbt = self.add_preimages(psbt)
            (error, result), = self.pair.ask([self.step(psbt)])
            if error:
                continue
            psbt = result if isinstance(result, str) else result["psbt"]
            stages.append(psbt)
        if len(stages) > 2 and r.random() < 0.5:
            self.pair.ask([("combinepsbt", [r.sample(stages, 2)])])
        for p in r.sample(stages, min(2, len(stages))):
            self.look(p)
        for _ in range(r.choice((1, 2, 4))):
            bad = self.mutator.mutate(r.choice(stages))
            self.look(bad)
            self.pair.ask([self.step(bad)])
        self.last = (self.last + stages)[-20:]


def pair_checksum(pair, descriptor):
    return pair.one("getdescriptorinfo", descriptor)["descriptor"]


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", required=True, help="daemon of another node")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("-n", type=int, default=1000, help="PSBTs")
    p.add_argument("--show", type=int, default=2, help="differences shown of each command")
    p.add_argument("--width", type=int, default=300, help="characters shown of a call")
    p.add_argument("--arg", action="append", default=[], help="further option of both nodes")
    o = p.parse_args()
    ours = t.node(*OPTIONS, "-rpcdoccheck", *o.arg, debug="none")
    theirs = t.node(*OPTIONS, *o.arg, program=o.other, debug="none")
    pair = Pair(ours, theirs, o.show, o.width)
    cases = Cases(pair, random.Random(o.seed))
    for _ in range(o.n):
        cases.case()
    for method, count in sorted(pair.count.items()):
        print("%-24s %6d answers, %5d errors, %d different" % (method, count, pair.errors.get(method, 0), pair.found.get(method, 0)))
    print("%d complete, %d of them accepted by both mempools" % (cases.completed, cases.accepted))
    equal(pair.found, {})


if __name__ == "__main__":
    main(run)
