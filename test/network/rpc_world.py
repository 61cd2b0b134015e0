"""The world that rpc_diff.py asks two nodes about: the same chain on both, with every kind of output and of spending, stale branches, blocks of which
only the header is known, invalid ones, and the same mempool. What is in it is found under the names of World.s (samples)."""
import json
import random

import topology  # noqa: F401  (the path to the functional tests' modules)
from blocks import COIN, TRUE_ADDRESS, TRUE_OUTPUT, Block, Tx, coinbase, make_chain, push, spend
from coinkinds import KEY, hash160, long_push, p2sh, p2wsh
from framework import equal
from txgen import Coin, Item
from txstream import Stream

G_KEY = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
LONG_KEY = bytes.fromhex("0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                         "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")


def multisig(m, *keys, tail=b"\xae"):
    return bytes([0x50 + m]) + b"".join(map(push, keys)) + bytes([0x50 + len(keys)]) + tail


def timed(key):
    return push(key) + b"\xad\x02\x90\x00\xb2"  # pk() and older(144): miniscript


def odd_scripts(r):
    """Scripts of all types, and what is almost one."""
    out = [b"", b"\x51", b"\x00", b"\x6a", b"\x6a\x00", b"\x6a\x51\x60", b"\x6a" + push(b"text"), b"\x6a" + long_push(bytes(80)), b"\x6a" + long_push(bytes(300)),
           b"\x6a\x05\x01", b"\x6a\xff", b"\x6a\x04abcd\x4c", push(G_KEY) + b"\xac", push(LONG_KEY) + b"\xac", push(b"\x05" + G_KEY[1:]) + b"\xac",
           b"\x76\xa9\x14" + hash160(G_KEY) + b"\x88\xac", p2sh(b"\x51"), p2wsh(b"\x51"), b"\x00\x14" + hash160(G_KEY), b"\x51\x20" + G_KEY[1:],
           b"\x51\x20" + bytes([255]) * 32, b"\x52\x20" + bytes(32), b"\x60\x28" + bytes(40), b"\x60\x29" + bytes(41), b"\x51\x02\x4e\x73", b"\x51\x02\x4e\x74", b"\x51\x03abc",
           b"\x00\x15" + bytes(21), b"\x00\x02ab", multisig(1, G_KEY), multisig(1, G_KEY, LONG_KEY), multisig(2, G_KEY, G_KEY, G_KEY), multisig(3, G_KEY, G_KEY),
           multisig(1, *[G_KEY] * 4), multisig(1, *[G_KEY] * 15), multisig(1, *[G_KEY] * 16), multisig(1, b"\x05" + G_KEY[1:]), multisig(1, G_KEY, tail=b"\xaf"),
           b"\x01\x11" + b"\x01\x91", b"\x4f", b"\x01\x81", b"\x4c\x01\x05", b"\x4d\x01\x00\x05", b"\x4e\x01\x00\x00\x00\x05", push(bytes(4)), push(b"\xff\xff\xff\xff"),
           push(b"\xff\xff\xff\x7f"), push(bytes(5)), b"\x50", b"\x61\x62\x63\x64\x65\x66", b"\xba", b"\xbb\xfe\xff", bytes(range(0x4f, 0x100)), b"\x7e" * 12, b"\x51" * 300,
           push(G_KEY) + push(G_KEY) + b"\xae", b"\x30" + bytes(48), push(bytes.fromhex("3006020101020101") + b"\x01"), timed(G_KEY), b"\x21" + G_KEY, b"\x02\x90\x00\xb2",
           b"\x6a\x24\xaa\x21\xa9\xed" + bytes(32), b"\x63" + push(G_KEY) + b"\x67\x02\x90\x00\xb2\x75" + push(b"\x03" + G_KEY[1:]) + b"\x68\xac"]
    for _ in range(60):
        size = r.choice((1, 2, 3, 5, 10, 23, 25, 34, 36, 40, 100))
        out.append(r.randbytes(size))
    for _ in range(30):
        out.append(b"".join(r.choice((push(r.randbytes(r.randrange(1, 40))), bytes([r.randrange(0x4f, 0xbb)]), b"\x00")) for _ in range(r.randrange(1, 8))))
    return out


class World:
    def __init__(self, pair, seed, steps):
        self.pair = pair
        self.r = random.Random(seed)
        self.s = {}
        self.stream = Stream(seed, pair.nodes, self.ask, 0.4)
        self.g = self.stream.g
        self.stream.fund()
        self.odd_block()
        for _ in range(steps):
            if self.r.random() < 0.04:
                self.r.choice((self.stream.mine, self.stream.reorganise))()
            self.stream.send()
        self.branches()
        self.pool()
        self.check()
        self.samples()

    def ask(self, method, *params):
        """Both nodes must say the same. Returns: as Stream wants it."""
        texts = [node.post(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))[1]
                 for node in (self.pair.nodes if method != "signrawtransactionwithkey" else self.pair.nodes[:1])]
        answers = [json.loads(text) for text in texts]
        if method in ("getrawmempool", "submitblock", "getbestblockhash") and "error" not in answers[0]:
            equal(*(sorted(a["result"] or "") for a in answers)) if len(answers) > 1 else None
        first = answers[0]
        return ("error", first["error"]["code"], first["error"]["message"]) if first.get("error") else ("ok", first["result"])

    def check(self):
        for method in ("getbestblockhash", "getrawmempool", "getchaintips"):
            equal(*(json.dumps(sorted(map(str, r)) if isinstance(r, list) else r) for r in (getattr(n, method)() for n in self.pair.nodes)))

    def spendable(self, kind=None):
        """A confirmed coin that no transaction of the pool spends."""
        m = self.g.m
        for point, coin in m.coins.items():
            if point not in m.spent and (not coin.height or self.g.height - coin.height > 100) and coin.kind is (kind or self.g.true) and coin.value > 100_000:
                m.spent[point] = "taken"
                return coin
        raise AssertionError("no coin of that kind is left")

    def odd_block(self):
        """One transaction with outputs of all scripts, one that spends from it, and coinbases that pay to several."""
        self.scripts = odd_scripts(self.r)
        coin = self.spendable()
        each = coin.value // (len(self.scripts) + 2)
        tx = spend([coin.point], [(0 if s[:1] == b"\x6a" else each, s) for s in self.scripts])
        item = Item(tx, [coin], [None] * len(self.scripts))
        bare = self.scripts.index(b"\x51")
        child = Item(Tx([(tx.txid, bare, 0xfffffffe, b"", [])], [(each - 1000, TRUE_OUTPUT)], locktime=3), [Coin(tx.txid, bare, each, self.g.true)], [self.g.true])
        equal(self.stream.block_with([item, child])[1], None)
        self.odd, self.odd_child = item, child

    def branches(self):
        """Stale blocks, one block that is known by its header only, invalid ones."""
        tip = self.g.m.blocks[-1]
        head = self.pair.nodes[0].getblockheader(self.g.m.blocks[-4])
        for block in make_chain(head["hash"], head["height"], head["mediantime"] + 1, 2, b"stale"):
            self.s["stale"] = block.hash
            for node in self.pair.nodes:
                equal(node.submitblock(block.hex()), "inconclusive")
        last = self.pair.nodes[0].getblockheader(tip)
        height, when = last["height"] + 1, last["mediantime"] + 1
        ahead = make_chain(self.s["stale"], head["height"] + 2, when, 1, b"h")[0]
        bad = Block(tip, height, when, base=coinbase(height, 51 * COIN, b"bad")).solve()
        flawed = Block(tip, height, when, [spend([("77" * 32, 0)], [COIN])], base=coinbase(height, extra=b"f")).solve()
        for node in self.pair.nodes:
            node.submitheader(ahead.header().hex())
            equal(node.submitblock(bad.hex()), "bad-cb-amount")
            node.submitblock(flawed.hex())
        self.s["headeronly"], self.s["invalid"] = ahead.hash, bad.hash
        self.s["header_hex"], self.s["bad_block_hex"] = ahead.header().hex(), bad.hex()

    def send(self, item):
        for node in self.pair.nodes:
            equal(node.sendrawtransaction(item.hex, 0, 1), item.txid)
        self.g.m.add(item)
        return item

    def pool(self):
        """A family, a transaction that can be replaced, prioritised ones, one that spends outputs of all kinds that need signatures."""
        g = self.g
        coins = [self.spendable(k) for k in g.good if k.sign is not None]
        self.signed = self.send(g.build(coins, [g.true], 3000))
        parent = self.send(g.build([self.spendable()], [g.true, g.true, g.true], 1500))
        child = self.send(g.build([parent.outputs[0], parent.outputs[1]], [g.true], 4000))
        self.send(g.build([child.outputs[0]], [g.true, g.true], 1000))
        alone = self.send(g.build([self.spendable()], [g.true], 20_000))
        for node in self.pair.nodes:
            node.prioritisetransaction(alone.txid, 0, 12345)
            node.prioritisetransaction("ab" * 32, 0, -777)
        self.family = (parent, child)
        self.s.update(pooled=child.txid, pooled_parent=parent.txid, pooled_hex=child.hex, lone=alone.txid)
        ready = g.build([self.spendable()], [g.true], 2000)
        top = g.build([ready.outputs[0]], [g.true], 5000)
        self.s.update(ready_hex=ready.hex, ready=ready.txid, ready_wtxid=ready.tx.wtxid, top_hex=top.hex, top=top.txid, top_wtxid=top.tx.wtxid)
        free = g.build([self.spendable()], [g.true], 10)
        other = Item(spend([parent.points[0]], [parent.outputs[0].value * 3 - 50_000]), parent.coins, [g.true])
        self.s.update(free_hex=free.hex, replacing_hex=other.hex, orphan_hex=spend([("55" * 32, 1)], [COIN]).hex(),
                      burning_hex=g.build([self.spendable()], [g.true], 3000, data=[(5000, b"\x6a\x01\x01")]).hex)

    def samples(self):
        node, s = self.pair.nodes[0], self.s
        tip = node.getblockcount()
        s.update(tip=tip, height=tip - 3, block=node.getblockhash(tip - 2), best=node.getblockhash(tip), genesis=node.getblockhash(0), odd_txid=self.odd.txid,
                 odd_child=self.odd_child.txid, odd_hex=self.odd.hex, block_hex=node.getblock(node.getblockhash(tip - 1), 0), none="00" * 32, unknown="12" * 32, key=KEY,
                 address=TRUE_ADDRESS, signed_hex=self.signed.hex, signed=self.signed.txid)
        info = node.getblock(node.getblockhash(tip - 2))
        for height in range(tip - 2, 130, -1):
            info = node.getblock(node.getblockhash(height))
            if len(info["tx"]) > 2:
                break
        s.update(busy=info["hash"], busy_txid=info["tx"][1], busy_coinbase=info["tx"][0], busy_last=info["tx"][-1])
        for node in self.pair.nodes:
            equal(node.getblock(node.getblockhash(tip - 1), 0), s["block_hex"])
        s["busy_hex"], s["coinbase_hex"] = (tx["hex"] for tx in node.getblock(s["busy"], 2)["tx"][1::-1])
        s["odd_block"] = next(h for h in self.g.m.blocks if self.odd.txid in node.getblock(h)["tx"])
        self.partial()
        s["merkleblock"] = node.gettxoutproof([s["busy_txid"]], s["busy"])
        s["unspent"] = [c.point for c in list(self.g.m.coins.values())[:8]]
        s["spent"] = [p for p, t in list(self.g.m.spent.items())[-4:]]
        s["scripts"] = [x.hex() for x in self.scripts]

    def partial(self):
        """PSBTs in several states, made by the other node."""
        node, g = self.pair.nodes[1], self.g
        coins = [self.spendable(k) for k in (g.true, *(k for k in g.good if k.sign is not None))]
        inputs = [{"txid": c.point[0], "vout": c.point[1]} for c in coins]
        out = [{TRUE_ADDRESS: 0.001}, {"data": "00ff"}]
        bare = [node.createpsbt(inputs, out), node.createpsbt(inputs[:2], out, 5, False), node.createpsbt(inputs[2:3], out, 0, True, 1), node.createpsbt([], []),
                node.createpsbt([{"txid": "55" * 32, "vout": 1}], out), node.createpsbt(inputs=inputs, outputs=out, psbt_version=0)]
        known = [node.utxoupdatepsbt(p, ["%s(%s)" % (n, KEY) for n in ("pk", "pkh", "wpkh", "tr")] + ["sh(wpkh(%s))" % KEY]) for p in bare[:3]]
        signed = [node.descriptorprocesspsbt(p, ["%s(%s)" % (n, KEY) for n in ("wpkh", "combo")], "ALL", True, final)["psbt"] for p in known for final in (True, False)]
        self.s["psbts"] = [*bare, *known, *signed, node.combinepsbt([known[0], signed[0]])]
