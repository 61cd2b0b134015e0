"""Drives nodes through the stream of txgen.py: calls with transactions, packages and questions, blocks, reorganisations, time. `ask` is what a
test gives: it hands a call to its node or nodes and returns ("ok", result) or ("error", code, message)."""
from blocks import COIN, REGTEST_GENESIS, TRUE_ADDRESS, Block, coinbase, make_chain
from txgen import Coin, Generator

START = 1_700_000_000
FANOUT = 150


class Stream:
    """ask(method, *params): of all nodes. submit(hex): gives all nodes a block. one(method, *params): of the node that mines, raises."""

    def __init__(self, seed, nodes, ask, signed):
        self.nodes = nodes
        self.ask = ask
        self.time = START
        self.g = Generator(seed, nodes[0], ask, signed)
        self.r = self.g.r
        self.m = self.g.m
        self.done = 0  # transactions handed over
        self.serial = 0
        self.stash = []
        self.verdicts = {}
        self.accepted = 0
        self.base = {}  # all blocks: (coinbase id, its value, other ids)

    # -- chain --

    def set_time(self, seconds):
        self.time += seconds
        self.g.time = self.time
        for node in self.nodes:
            node.setmocktime(self.time)

    def fund(self):
        """Coins of all kinds in confirmed outputs."""
        self.set_time(0)
        chain = make_chain(REGTEST_GENESIS, 0, START - 20_000, 130)
        for block in chain:
            self.submit(block)
        coins = [self.m.undo[i][1][0] for i in range(30)]
        while coins:
            self.fan_out(coins[:6])
            coins = coins[6:]

    def fan_out(self, coins):
        """A block of transactions that split coins."""
        items = []
        for coin in coins:
            kinds = [self.g.true if i % 3 == 0 else self.r.choice(self.g.good) if i % 10 < 8 else self.r.choice(self.g.bad) for i in range(FANOUT)]
            items.append(self.g.build([coin], kinds, 10_000))
        self.block_with(items)

    def block_with(self, items, extra=b""):
        head = self.nodes[0].getblockheader(self.m.blocks[-1])
        when = max(head["mediantime"] + 1, self.time)
        self.serial += 1
        block = Block(self.m.blocks[-1], self.g.height + 1, when, [i.tx for i in items], base=coinbase(self.g.height + 1, extra=b"%d" % self.serial + extra))
        return self.submit(block.solve(), items)

    def submit(self, block, items=()):
        """A block of ours on the tip."""
        for item in items:
            self.m.known[item.txid] = item
        answer = self.ask("submitblock", block.hex())
        if answer == ("ok", None):
            self.connected(block.hash, (block.txs[0].txid, block.txs[0].outputs[0][0]), [i.txid for i in items])
        return answer

    def remember(self, name, base, ids):
        """What is in a block, whether or not it is on the active chain."""
        self.base[name] = (base[0], base[1], ids)

    def connected(self, name, base, ids):
        self.remember(name, base, ids)
        self.connect(name)

    def connect(self, name):
        txid, value, ids = self.base[name]
        self.g.height += 1
        self.m.connect(name, Coin(txid, 0, value, self.g.true, self.g.height), ids)

    def follow_tip(self):
        """To the branch that the node has chosen."""
        path, name, known = [], self.ask("getbestblockhash")[1], set(self.m.blocks)
        while name not in known:
            path.append(name)
            name = self.nodes[0].getblockheader(name)["previousblockhash"]
        while self.m.blocks[-1] != name:
            self.m.disconnect()
            self.g.height -= 1
        for name in reversed(path):
            self.connect(name)

    def closure(self, item, out):
        """Its unconfirmed ancestors and itself, parents first."""
        for point in item.points:
            parent = self.m.pool.get(point[0])
            if parent and parent not in out:
                self.closure(parent, out)
        if item not in out:
            out.append(item)
        return out

    def mine(self):
        """One node mines, the others are given the block."""
        miner = self.r.choice(self.nodes)
        x = self.r.random()
        if x < 0.5:
            name = miner.generatetoaddress(1, TRUE_ADDRESS)[0]
        else:
            items = []
            for _ in range(self.r.choice((0, 1, 5, 30))):
                victim = self.g.victim()
                if victim:
                    self.closure(victim, items)
            if x > 0.8:  # what the pool does not know and may be in conflict with it
                for _ in range(self.r.choice((1, 3, 10))):
                    coin = self.g.conflicting() if self.r.random() < 0.5 else self.g.confirmed()
                    if coin and coin.point in self.m.coins and (not coin.height or coin.height + 100 <= self.g.height) and coin.kind in self.g.good and coin.kind.name != "csv-3":
                        item = self.g.build([coin], [self.g.out_kind(), self.g.true], 1000, sequences=[0xfffffffe])
                        if not any(p in i.points for p in item.points for i in items):
                            items.append(item)
            self.block_with(items)
            self.after_chain()
            return
        block = miner.getblock(name, 2)
        for node in self.nodes:
            if node is not miner:
                node.submitblock(miner.getblock(name, 0))
        first = block["tx"][0]
        self.connected(name, (first["txid"], round(first["vout"][0]["value"] * COIN)), [t["txid"] for t in block["tx"][1:]])
        self.after_chain()

    def reorganise(self):
        """A branch of ours with one block more, perhaps with transactions."""
        depth = min(self.r.choice((1, 1, 2, 3, 6)), len(self.m.blocks) - 140)
        if depth < 1:
            return
        prev, height = self.m.blocks[-depth - 1], self.g.height - depth
        when = max(self.nodes[0].getblockheader(prev)["mediantime"] + 1, self.time)
        chain, self.serial = [], self.serial + 1
        for i in range(depth + 1):
            chain.append(Block(prev, height + 1 + i, when + i, [], base=coinbase(height + 1 + i, extra=b"r%d" % self.serial)).solve())
            prev = chain[-1].hash
        for block in chain:
            self.remember(block.hash, (block.txs[0].txid, block.txs[0].outputs[0][0]), [])
            self.ask("submitblock", block.hex())
        self.after_chain()

    def invalidate(self):
        depth = min(self.r.choice((1, 1, 2, 3)), len(self.m.blocks) - 140)
        if depth < 1:
            return
        first = self.m.blocks[-depth]
        self.ask("invalidateblock", first)
        self.after_chain()
        if self.r.random() < 0.5:
            self.ask("reconsiderblock", first)
            self.after_chain()

    def after_chain(self):
        self.follow_tip()
        self.m.sync_pool(set(self.ask("getrawmempool")[1]))

    # -- calls --

    def note(self, answer, what):
        text = "accepted" if answer[0] == "ok" else answer[2]
        word = text.split(",")[0].split(" (")[0].split(": 0")[0][:60]
        self.verdicts[what + ": " + word] = self.verdicts.get(what + ": " + word, 0) + 1

    def send(self, item=None):
        item = item or self.g.single()
        more = self.r.choice(([0], [0], [0], [0, 50], [0, 50], [], [0.00002], ["0.1", "0.0001"]))
        answer = self.ask("sendrawtransaction", item.hex, *more)
        self.note(answer, "send")
        self.done += 1
        if answer[0] == "ok" and item.txid not in self.m.pool:
            self.m.add(item)
            self.accepted += 1
        elif self.r.random() < 0.3:
            self.stash = [*self.stash[-20:], item]

    def resend(self):
        self.send(self.r.choice(self.stash) if self.stash else None)

    def package(self):
        items = self.g.package()
        answer = self.ask("submitpackage", [i.hex for i in items], *self.r.choice(([0], [0], [0], [], [0, 10], [0.0001])))
        self.done += len(items)
        self.note(answer if answer[0] != "ok" else ("error", 0, answer[1]["package_msg"]), "package")
        if answer[0] == "ok":
            for item in items:
                if "fees" in answer[1]["tx-results"].get(item.tx.wtxid, {}) and item.txid not in self.m.pool:
                    self.m.add(item)
                    self.accepted += 1

    def test(self):
        items = self.g.tested()
        self.done += len(items)
        answer = self.ask("testmempoolaccept", [i.hex for i in items], *self.r.choice(([0], [0], [], [0.00002])))
        self.note(answer if answer[0] != "ok" else ("error", 0, answer[1][-1].get("reject-reason", answer[1][-1].get("package-error", "allowed"))), "test")

    def malformed(self):
        text = self.g.single().hex
        cut = self.r.randrange(len(text))
        text = self.r.choice((text[:cut], text[:cut // 2 * 2], text + "00", text[:cut] + "zz" + text[cut:], "", text.upper(), text[:8] + "0002" + text[12:],
                              text[:8] + "0001" + text[8:], text[:8] + "%02x" % self.r.getrandbits(8) + text[10:], " " + text,
                              text[:cut // 2 * 2] + "%02x" % self.r.getrandbits(8) + text[cut // 2 * 2 + 2:]))
        self.done += 1
        answer = self.ask(*self.r.choice((("sendrawtransaction", text), ("testmempoolaccept", [text]), ("submitpackage", [text]), ("submitpackage", [text, text]),
                                          ("decoderawtransaction", text))))
        self.note(answer, "malformed")
        self.m.sync_pool(set(self.ask("getrawmempool")[1]))

    def prioritise(self):
        victim = self.g.victim()
        if not victim or self.r.random() < 0.15:
            victim = self.g.single()
            self.stash.append(victim)
        delta = self.r.choice((1, -1, 100, -100, 1000, 10_000, -10_000, 10**6, -10**6, victim.fee, -victim.fee, -2 * victim.fee))
        self.ask("prioritisetransaction", victim.txid, 0, delta)

    def question(self):
        victim = self.g.victim()
        if not victim:
            return
        self.ask(*self.r.choice((
            ("getmempoolentry", victim.txid), ("getmempoolancestors", victim.txid), ("getmempoolancestors", victim.txid, True), ("getmempoolcluster", victim.txid),
            ("getmempooldescendants", victim.txid), ("getmempooldescendants", victim.txid, True), ("getrawtransaction", victim.txid),
            ("gettxspendingprevout", [{"txid": t, "vout": n} for t, n in victim.points][:20]),
            ("gettxspendingprevout", [{"txid": victim.txid, "vout": n} for n in range(3)]), ("gettxout", *victim.points[0]), ("gettxout", victim.txid, 0),
            ("gettxout", victim.txid, 0, False), ("getprioritisedtransactions",), ("getmempoolentry", "%064x" % self.r.getrandbits(256)))))

    def chain(self):
        """Up to the limit of a cluster."""
        coin = self.g.confirmed()
        for _ in range(self.r.choice((20, 63, 64, 66))):
            if not coin:
                return
            item = self.g.build([coin], [self.g.true] * self.r.choice((1, 2)), self.r.choice((100, 500, 1000, 2000)))
            self.send(item)
            coin = item.outputs[0] if item.txid in self.m.pool else None

    def tree(self):
        """A wide parent and children of random ones, in one cluster."""
        coin = self.g.confirmed()
        if not coin:
            return
        item = self.g.build([coin], [self.g.true] * 60, self.r.choice((100, 300, 1000)))
        self.send(item)
        coins = list(item.outputs) if item.txid in self.m.pool else []
        for _ in range(self.r.choice((5, 30, 70))):
            if not coins:
                return
            some = self.r.sample(coins, min(self.r.choice((1, 1, 2, 3, 8)), len(coins)))
            child = self.g.build(some, [self.g.true] * self.r.choice((1, 2)), self.r.choice((100, 300, 500, 1000, 2000, 5000)))
            self.send(child)
            if child.txid in self.m.pool:
                coins = [c for c in coins if c not in some] + child.outputs

    def crowd(self):
        """As many clusters as one transaction may be in conflict with, and one that is."""
        for _ in range(110):
            coin = self.g.confirmed()
            if coin:
                self.send(self.g.build([coin], [self.g.true], 300))
        self.send(self.g.many_conflicts())
        self.send(self.g.many_conflicts())

    def step(self):
        pick = self.r.choices(
            (self.send, self.package, self.test, self.question, self.prioritise, self.malformed, self.resend, self.chain, self.tree, self.crowd, self.mine,
             self.tick, self.reorganise, self.invalidate, self.expire),
            (60, 14, 10, 6, 2, 2, 2, 0.08, 0.15, 0.02, 0.8, 1, 0.12, 0.08, 0.01))[0]
        pick()

    def tick(self):
        self.set_time(self.r.choice((1, 11, 60, 600, 3600)))

    def expire(self):
        self.set_time(self.r.choice((336, 337)) * 3600)

    def refill(self):
        """New coins out of mature coinbases."""
        old = [c for c in self.m.coins.values() if c.height and c.height + 100 <= self.g.height and c.point not in self.m.spent and c.value > 2 * FANOUT * 5000]
        if len(self.m.coins) < 3000 and old:
            self.fan_out(old[:4])
            self.after_chain()
