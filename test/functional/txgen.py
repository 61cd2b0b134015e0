"""A seeded stream of calls that hand a node transactions of every kind: good, bad, in conflict, in packages, dependent, cheap. The generator
follows what the node (or the first of two) answers, so that the next calls find coins and victims; the stream depends on the seed and on the
answers alone."""
import random

import coinkinds
from blocks import COIN, TRUE_OUTPUT, TRUE_WITNESS, Tx, push

FINAL = 0xffffffff
RATES = (0, 20, 99, 100, 101, 150, 300, 500, 999, 1000, 1000, 1001, 2000, 2000, 5000, 10000, 20000, 100_000)  # satoshi per 1,000 vB


class Coin:
    def __init__(self, txid, n, value, kind, height=0, version=2):
        self.point = (txid, n)
        self.value = value
        self.kind = kind
        self.height = height  # of a coinbase, else 0
        self.version = version


class Item:
    """A transaction and what is known of it: its coins, fee and outputs."""

    def __init__(self, tx, coins, kinds):
        self.tx = tx
        self.txid = tx.txid
        self.coins = coins
        self.points = [(i[0], i[1]) for i in tx.inputs]
        self.outputs = [Coin(self.txid, n, value, kind, 0, tx.version) for n, ((value, _), kind) in enumerate(zip(tx.outputs, kinds)) if kind]
        self.fee = sum(c.value for c in coins) - sum(value for value, _ in tx.outputs)
        self.vsize = vsize(tx)
        self.hex = tx.hex()


def vsize(tx):
    return (3 * len(tx.encode(False)) + len(tx.encode()) + 3) // 4


class Model:
    """What the node is believed to have."""

    def __init__(self):
        self.known = {}  # txid: Item
        self.pool = {}
        self.order = []  # of the pool's ids, as they came; some are gone
        self.spent = {}  # outpoint: id of the pool's transaction
        self.coins = {}  # confirmed ones
        self.free = []  # their outpoints; some are spent
        self.blocks = []  # (hash, coinbase coin, ids)
        self.undo = []

    def add(self, item):
        for point in item.points:
            if point in self.spent:
                self.drop(self.spent[point])
        self.known[item.txid] = self.pool[item.txid] = item
        self.order.append(item.txid)
        for point in item.points:
            self.spent[point] = item.txid

    def drop(self, txid):
        item = self.pool.pop(txid, None)
        if not item:
            return
        for point in item.points:
            if self.spent.get(point) == txid:
                del self.spent[point]
        for coin in item.outputs:
            if coin.point in self.spent:
                self.drop(self.spent[coin.point])

    def sync_pool(self, ids):
        gone = [txid for txid in self.pool if txid not in ids]
        for txid in gone:
            item = self.pool.pop(txid)
            for point in item.points:
                if self.spent.get(point) == txid:
                    del self.spent[point]
        for txid in sorted(ids):
            if txid not in self.pool and txid in self.known:
                self.pool[txid] = self.known[txid]
                self.order.append(txid)
                for point in self.known[txid].points:
                    self.spent[point] = txid
        self.order = [txid for txid in self.order if txid in self.pool]

    def _put(self, coin):
        self.coins[coin.point] = coin
        self.free.append(coin.point)

    def connect(self, name, base, ids):
        taken, made = [], []
        if base:
            made.append(base)
            self._put(base)
        for txid in ids:
            item = self.known.get(txid)
            if not item:  # a malformed one that was sound after all
                continue
            self.drop_confirmed(item)
            for point in item.points:
                if point in self.coins:
                    taken.append(self.coins.pop(point))
            for coin in item.outputs:
                made.append(coin)
                self._put(coin)
        self.blocks.append(name)
        self.undo.append((taken, made))

    def drop_confirmed(self, item):
        """It leaves the pool for a block, and so do those in conflict with it; what depends on it stays."""
        for point in item.points:
            other = self.spent.get(point)
            if other and other != item.txid:
                self.drop(other)
        if self.pool.pop(item.txid, None):
            for point in item.points:
                self.spent.pop(point, None)

    def disconnect(self):
        taken, made = self.undo.pop()
        for coin in made:
            self.coins.pop(coin.point, None)
        for coin in taken:
            self._put(coin)
        return self.blocks.pop()


class Generator:
    """single(), package() and tested() give the next transactions. signed: share of the coins needing signatures that is used; ask: calls the node."""

    def __init__(self, seed, node, ask, signed):
        self.r = random.Random(seed)
        self.m = Model()
        self.good, self.bad = coinkinds.kinds(node)
        self.by_script = {k.script: k for k in [*self.bad, *self.good]}
        self.signed = signed
        self.ask = ask
        self.height = 0
        self.time = 0
        self.true = self.good[0]

    # -- coins --

    def confirmed(self):
        free = self.m.free
        for _ in range(50):
            if not free:
                break
            i = self.r.randrange(len(free))
            point = free[i]
            coin = self.m.coins.get(point)
            if not coin or point in self.m.spent:
                free[i] = free[-1]
                free.pop()
                if coin:  # it may come free again
                    self.m.free.insert(0, point)
                continue
            if coin.height and self.height + 1 - coin.height < 100 and self.r.random() < 0.98:
                continue
            if self.usable(coin):
                return coin
        return None

    def usable(self, coin):
        return coin.kind.sign is None or self.r.random() < self.signed

    def of_item(self, item):
        left = [c for c in item.outputs if c.point not in self.m.spent and self.usable(c)]
        return self.r.choice(left) if left else None

    def victim(self):
        order = self.m.order
        for _ in range(20):
            if not order:
                return None
            i = len(order) - 1 - int(self.r.expovariate(1 / 15)) if self.r.random() < 0.6 else self.r.randrange(len(order))
            if i >= 0 and order[i] in self.m.pool:
                return self.m.pool[order[i]]
        return None

    def unconfirmed(self):
        for _ in range(10):
            item = self.victim()
            coin = item and self.of_item(item)
            if coin:
                return coin
        return self.confirmed()

    def conflicting(self):
        item = self.victim()
        return self.r.choice(item.coins) if item else self.confirmed()

    def missing(self):
        return Coin("%064x" % self.r.getrandbits(256), self.r.randrange(3), COIN, self.true)

    # -- parts --

    def out_kind(self):
        x = self.r.random()
        if x < 0.55:
            return self.true
        return self.r.choice(self.good) if x < 0.94 else self.r.choice(self.bad)

    def sequence(self):
        x = self.r.random()
        return (0xfffffffd if x < 0.5 else FINAL if x < 0.75 else 0xfffffffe if x < 0.8 else self.r.randrange(1, 12) if x < 0.95 else
                0x400000 | self.r.randrange(4) if x < 0.98 else self.r.getrandbits(32))

    def locktime(self):
        x = self.r.random()
        return (0 if x < 0.8 else self.height + self.r.randrange(-3, 4) if x < 0.92 else self.time + self.r.randrange(-7200, 3600) if x < 0.98 else
                self.r.getrandbits(32))

    def build(self, coins, kinds, fee_rate=None, fee=None, version=2, locktime=0, sequences=None, data=()):
        """kinds: of the outputs, which share what remains of the value; data: further outputs (value, script)."""
        inputs = []
        for i, c in enumerate(coins):
            sequence = sequences[i] if sequences else self.default_sequence(c)
            inputs.append((*c.point, sequence, c.kind.sig, c.kind.witness))
        outputs = [(0, k.script) for k in kinds] + list(data)
        tx = Tx(inputs, outputs, version=version, locktime=locktime)
        size = vsize(tx) + sum(27 if c.kind.name in ("wpkh", "sh-wpkh", "tr") else 110 for c in coins if c.kind.sign is not None)
        total = sum(c.value for c in coins) - sum(value for value, _ in data)
        pay = fee if fee is not None else (fee_rate * size + 999) // 1000
        share = max((total - pay) // len(kinds), 0) if kinds else 0
        rest = total - pay - share * len(kinds) if kinds else 0
        tx.outputs = [(share + (max(rest, 0) if i == 0 else 0), k.script) for i, k in enumerate(kinds)] + list(data)
        return self.finish(tx, coins)

    def default_sequence(self, coin):
        if coin.kind.name == "csv-3":
            return self.r.choice((3, 3, 3, 2))
        return 0xfffffffd if self.r.random() < 0.9 else FINAL

    def finish(self, tx, coins):
        prevs = [{"txid": c.point[0], "vout": c.point[1], "scriptPubKey": c.kind.script.hex(), "amount": "%d.%08d" % divmod(c.value, COIN), **c.kind.sign}
                 for c in coins if c.kind.sign is not None]
        if prevs:
            self.sign(tx, coins, prevs)
        kinds = [self.by_script.get(script) for _, script in tx.outputs]
        return Item(tx, coins, kinds)

    def sign(self, tx, coins, prevs):
        """Has the node sign what needs a signature."""
        prevs += [{"txid": c.point[0], "vout": c.point[1], "scriptPubKey": c.kind.script.hex(), "amount": "%d.%08d" % divmod(c.value, COIN)}
                  for c in coins if c.kind.sign is None]
        answer = self.ask("signrawtransactionwithkey", tx.encode(False).hex(), [coinkinds.KEY], prevs)
        if answer[0] != "ok":  # an absurd transaction: it stays unsigned
            return
        sigs = split(bytes.fromhex(answer[1]["hex"]))
        tx.inputs = [(*entry[:3], sig, witness) if c.kind.sign is not None else entry for entry, c, (sig, witness) in zip(tx.inputs, coins, sigs)]

    def pick(self, where=None):
        x = self.r.random() if where is None else where
        coin = (self.confirmed() if x < 0.45 else self.unconfirmed() if x < 0.8 else self.conflicting() if x < 0.97 else self.missing())
        return coin or self.missing()

    def rate(self):
        return self.r.choice(RATES) if self.r.random() < 0.8 else self.r.randrange(50, 5000)

    # -- transactions --

    def distinct(self, coins):
        return list({c.point: c for c in coins}.values())

    def plain(self):
        n = self.r.choice((1, 1, 1, 1, 2, 2, 3, 5))
        where = self.r.choice((0.1, 0.1, 0.6, 0.6, 0.6, None))
        coins = self.distinct(self.pick(where) for _ in range(n))
        kinds = [self.out_kind() for _ in range(self.r.choice((1, 1, 2, 2, 2, 3, 5)))]
        version = 3 if all(c.version == 3 for c in coins if c.point in self.m_outputs(coins)) and self.r.random() < 0.1 else \
            self.r.choice((1, 2, 2, 2, 2, 3, 2, 2, 2)) if self.r.random() < 0.95 else self.r.choice((0, 4, -1, 2**31 - 1))
        if any(c.version == 3 for c in coins) and self.r.random() < 0.7:
            version = 3
        odd = self.r.random() < 0.15
        return self.build(coins, kinds, self.rate(), version=version, locktime=self.locktime() if odd else 0,
                          sequences=[self.sequence() for _ in coins] if odd else None)

    def m_outputs(self, coins):
        return {c.point for c in coins if c.point[0] in self.m.pool}

    def big(self):
        coin = self.pick(self.r.choice((0.1, 0.6)))
        size = self.r.choice((1000, 5000, 9900, 10_000, 20_000, 33_000, 60_000, 99_800, 99_900, 100_100))
        return self.build([coin], [self.true], self.r.choice((100, 500, 1000, 2000)), data=[(0, carrier(size))],
                          version=3 if self.r.random() < 0.2 else 2)

    def wide(self):
        """Many outputs, for trees; or many inputs."""
        if self.r.random() < 0.6:
            coin = self.pick(self.r.choice((0.1, 0.6)))
            return self.build([coin], [self.out_kind() for _ in range(self.r.randrange(10, 70))], self.r.choice((500, 1000, 2000)))
        coins = self.distinct(self.pick(self.r.choice((0.1, 0.6))) for _ in range(self.r.randrange(6, 40)))
        return self.build(coins, [self.true, self.true], self.r.choice((500, 1000, 2000)))

    def dependent(self):
        """At the newest end: chains grow."""
        item = self.m.pool.get(self.m.order[-1]) if self.m.order else None
        coin = item and self.of_item(item)
        coins = self.distinct([coin or self.pick(0.6)] + ([self.unconfirmed() or self.pick()] if self.r.random() < 0.15 else []))
        return self.build(coins, [self.true] * self.r.choice((1, 2, 2)), self.r.choice((0, 100, 500, 1000, 2000, 3000, 10000)))

    def family(self, item, seen=None):
        """It and what depends on it in the pool."""
        seen = {} if seen is None else seen
        seen[item.txid] = item
        for c in item.outputs:
            child = self.m.spent.get(c.point)
            if child and child not in seen:
                self.family(self.m.pool[child], seen)
        return seen

    def replacement(self):
        victims = [v for v in (self.victim() for _ in range(self.r.choice((1, 1, 1, 2, 3)))) if v]
        if not victims:
            return self.plain()
        gone = {}
        for v in victims:
            self.family(v, gone)
        coins = self.distinct(self.r.choice(v.coins) for v in victims)
        if self.r.random() < 0.4:
            coins = self.distinct([*coins, self.pick(self.r.choice((0.1, 0.6)))])
        kinds = [self.true] * self.r.choice((1, 2, 3))
        trial = self.build(coins, kinds, fee=0)
        old = sum(i.fee for i in gone.values())
        relay = (100 * trial.vsize + 999) // 1000
        fee = old + self.r.choice((-1000, -1, 0, relay - 1, relay, relay, relay + 1, 500, 2000, 5000, old // 2, old * 2))
        version = 3 if any(v.tx.version == 3 for v in victims) and self.r.random() < 0.7 else 2
        return self.build(coins, kinds, fee=max(fee, 0), version=version)

    def many_conflicts(self):
        """A hundred clusters are at stake, more or fewer."""
        n = self.r.choice((99, 100, 101, 101, 105))
        roots = {}
        for txid in list(self.m.order):
            item = self.m.pool.get(txid)
            if item and item.coins and item.coins[0].point in self.m.coins and item.coins[0].kind.sign is None:
                roots[item.coins[0].point] = item
            if len(roots) == n:
                break
        if len(roots) < 90:
            return self.plain()
        gone = {}
        for item in roots.values():
            self.family(item, gone)
        coins = [item.coins[0] for item in roots.values()]
        return self.build(coins, [self.true], fee=sum(i.fee for i in gone.values()) + self.r.choice((0, 5000, 100_000)))

    def truc(self, coin=None, rate=None):
        coin = coin or self.pick(self.r.choice((0.1, 0.1, 0.6, 0.9)))
        return self.build([coin], [self.true] * self.r.choice((1, 2)), self.r.choice((0, 100, 1000, 3000)) if rate is None else rate,
                          version=self.r.choice((3, 3, 3, 2)), data=[(0, carrier(self.r.choice((100, 600, 900, 950, 9700))))] if self.r.random() < 0.3 else [])

    def broken(self):
        """A transaction with one fault."""
        coin = self.pick(0.1 if self.r.random() < 0.8 else 0.6)
        base = self.build([coin], [self.true, self.true], 1000)
        return self.r.choice(FAULTS)(self, base, coin)

    def spend_bad(self):
        """Spends a confirmed coin of a kind that policy minds."""
        for _ in range(30):
            coin = self.confirmed()
            if coin and coin.kind in self.bad:
                return self.build([coin], [self.true], 2000, sequences=[FINAL])
        return self.plain()

    def single(self):
        return self.r.choices((self.plain, self.dependent, self.replacement, self.broken, self.truc, self.big, self.wide, self.spend_bad, self.many_conflicts),
                              (30, 22, 18, 14, 6, 3, 3, 3, 0.3))[0]()

    # -- packages --

    def family_package(self):
        """Parents and their child."""
        n = self.r.choice((1, 1, 1, 1, 2, 3, 5, 24))
        version = 3 if self.r.random() < 0.3 else 2
        parents = []
        for _ in range(n):
            coin = self.pick(self.r.choice((0.1, 0.1, 0.1, 0.6, 0.9)))
            rate = self.r.choice((0, 0, 50, 100, 500, 1000, 2000))
            data = [(self.r.choice((0, 0, 100, 239, 240)), self.r.choice((self.true.script, bytes.fromhex("51024e73"))))] if self.r.random() < 0.25 else []
            parents.append(self.build([coin], [self.true] * self.r.choice((1, 2)), rate, version=version if self.r.random() < 0.93 else 5 - version, data=data))
        coins = []
        for p in parents:
            outs = [c for c in p.outputs if c.kind.sign is None]
            if outs:
                coins += outs if self.r.random() < 0.6 else [self.r.choice(outs)]
        if self.r.random() < 0.2:
            coins.append(self.pick(self.r.choice((0.1, 0.6, 0.9))))
        coins = self.distinct(coins) or [self.missing()]
        fee_rate = self.r.choice((0, 100, 500, 1000, 1000, 2000, 5000, 20000))
        child = self.build(coins, [self.true], fee=fee_rate * 150 * (n + 1) // 1000, version=version if self.r.random() < 0.93 else 5 - version)
        return [*parents, child]

    def replacing_package(self):
        """A parent that pays nothing takes the place of something, its child pays."""
        victim = self.victim()
        if not victim:
            return self.family_package()
        old = sum(i.fee for i in self.family(victim).values())
        parent = self.build([self.r.choice(victim.coins)], [self.true], self.r.choice((0, 100, 500)), version=self.r.choice((2, 3)))
        if not parent.outputs:
            return self.family_package()
        child = self.build([parent.outputs[0]], [self.true], fee=old + self.r.choice((-100, 0, 20, 30, 100, 1000, 10000)), version=parent.tx.version)
        return [parent, child]

    def other_witness(self, item):
        """The same transaction with another witness, or None."""
        tx = Tx(list(item.tx.inputs), item.tx.outputs, item.tx.version, item.tx.locktime)
        for i, entry in enumerate(tx.inputs):
            if entry[4]:
                tx.inputs[i] = (*entry[:4], self.r.choice(([], entry[4] + [b"\x51"], [b"\x01", *entry[4]])))
                return Item(tx, item.coins, [self.by_script.get(s) for _, s in tx.outputs])
        return None

    def package(self):
        items = self.r.choices((self.family_package, self.replacing_package), (5, 1))[0]()
        x = self.r.random()
        if x < 0.05:
            items = items[::-1]
        elif x < 0.08:
            items.insert(self.r.randrange(len(items)), self.r.choice(items))
        elif x < 0.11:
            items.insert(0, self.single())
        elif x < 0.14:
            items.insert(0, self.victim() or items[0])
        elif x < 0.17:
            other = self.other_witness(items[0])
            items = [other or items[0], *items[1:]]
        elif x < 0.20:
            items.append(self.build([self.r.choice(items[-1].outputs or [self.missing()])], [self.true], 2000))
        elif x < 0.22:
            items = [self.single() for _ in range(self.r.choice((1, 2, 3, 26)))]
        elif x < 0.26 and (parent := self.victim()):  # a parent that is there already
            coin = self.of_item(parent)
            items = [parent, self.build([coin or self.missing()], [self.true], self.r.choice((100, 1000, 5000)), version=parent.tx.version)]
            if self.r.random() < 0.4:
                items[0] = self.other_witness(parent) or parent
        elif x < 0.28:
            items[self.r.randrange(len(items))] = self.broken()
        return items

    def tested(self):
        """For testmempoolaccept: chains as well."""
        x = self.r.random()
        if x < 0.4:
            return [self.single()]
        if x < 0.7:
            return self.package()
        items = [self.single()]
        for _ in range(self.r.choice((1, 2, 4, 9, 24, 25))):
            outs = [c for c in self.r.choice(items).outputs if c.kind.sign is None]
            items.append(self.build([self.r.choice(outs)], [self.true, self.true], self.rate(), version=self.r.choice((2, 2, 2, 3))) if outs and self.r.random() < 0.95
                         else self.single())
        return items[:self.r.choice((25, 25, 26))]


def carrier(size):
    """An OP_RETURN script of about that size."""
    return b"\x6a" + (push(bytes(size)) if size < 76 else b"\x4d" + size.to_bytes(2, "little") + bytes(size) if size < 65536 else
                      b"\x4e" + size.to_bytes(4, "little") + bytes(size))


def split(raw):
    """scriptSig and witness of each input of an encoded transaction that has a witness or not."""
    from p2p import parse_compact
    at, has_witness = 4, raw[4] == 0
    at += 2 if has_witness else 0
    n, at = parse_compact(raw, at)
    sigs = []
    for _ in range(n):
        size, at = parse_compact(raw, at + 36)
        sigs.append(raw[at:at + size])
        at += size + 4
    count, at = parse_compact(raw, at)
    for _ in range(count):
        size, at = parse_compact(raw, at + 8)
        at += size
    out = []
    for sig in sigs:
        items, count = [], 0
        if has_witness:
            count, at = parse_compact(raw, at)
        for _ in range(count):
            size, at = parse_compact(raw, at)
            items.append(raw[at:at + size])
            at += size
        out.append((sig, items))
    return out


# -- faults: functions of generator, sound transaction and its coin --

def changed(g, base, inputs=None, outputs=None, version=None, locktime=None):
    tx = Tx(base.tx.inputs if inputs is None else inputs, base.tx.outputs if outputs is None else outputs,
            base.tx.version if version is None else version, base.tx.locktime if locktime is None else locktime)
    return Item(tx, base.coins, [g.by_script.get(script) for _, script in tx.outputs])


def with_output(value, script):
    return lambda g, base, coin: changed(g, base, outputs=[*base.tx.outputs, (value(g) if callable(value) else value, script(g) if callable(script) else script)])


def take(n):
    """Pays for a further output of n satoshi."""
    def fault(g, base, coin):
        script = g.r.choice([*g.good, *g.bad]).script
        (first, s), *rest = base.tx.outputs
        return changed(g, base, outputs=[(max(first - n, 0), s), *rest, (n, script)])
    return fault


def multisig(g):
    n = g.r.choice((1, 2, 3, 4))
    m = g.r.randrange(1, n + 1)
    return bytes([0x50 + m]) + b"".join(push(b"\x02" + g.r.randbytes(32)) for _ in range(n)) + bytes([0x50 + n]) + b"\xae"


def sig(fn):
    return lambda g, base, coin: changed(g, base, inputs=[(*e[:3], fn(g, e), e[4]) for e in base.tx.inputs])


def witness(fn):
    return lambda g, base, coin: changed(g, base, inputs=[(*e[:4], fn(g, list(e[4]))) for e in base.tx.inputs])


def locked(sequence, locktime):
    return lambda g, base, coin: changed(g, base, inputs=[(*e[:2], sequence(g), *e[3:]) for e in base.tx.inputs], locktime=locktime(g))


def tiny(g, base, coin):
    """60 to 66 bytes without the witness."""
    return changed(g, base, outputs=[(coin.value - 500, b"\x6a" + push(bytes(g.r.randrange(8))) if g.r.random() < 0.5 else b"\x51\x02\x4e\x73")])


def two_dusts(g, base, coin):
    return changed(g, base, outputs=[(coin.value - 220, TRUE_OUTPUT), (1, TRUE_OUTPUT), (2, TRUE_OUTPUT)])


def free_dust(g, base, coin):
    return changed(g, base, outputs=[(coin.value - g.r.choice((0, 5)), TRUE_OUTPUT), (g.r.choice((0, 5)), TRUE_OUTPUT)])


def sigop_heavy(g, base, coin):
    n = g.r.choice((1, 2, 4, 5, 6))
    coins = [c for c in (g.confirmed() for _ in range(400)) if c and c.kind.name == "wsh-many-sigops"]
    coins = g.distinct(coins)[:n]
    return g.build(coins, [g.true], 5000) if coins else base


def legacy_sigops(g, base, coin):
    """Outputs of bare multisig count twenty each."""
    script = b"\x51" + push(b"\x02" + bytes(32)) + b"\x51\xae"
    n = g.r.choice((100, 199, 200, 201))
    return g.build([coin], [g.true], 2000, data=[(1000, script)] * n)


FAULTS = [
    take(0), take(1), take(239), take(240), take(293), take(294), take(329), take(330), take(545), take(546), take(99), take(100),
    with_output(0, lambda g: carrier(g.r.choice((0, 1, 40, 75, 80, 83, 84, 200, 5000)))), with_output(0, b"\x6a"), with_output(1000, b"\x6a\x51"),
    with_output(0, b"\x6a\xff"), with_output(0, b"\x6a\x05\x01"), with_output(lambda g: g.r.choice((0, 1000, 800)), multisig), with_output(0, b"\x51\x02\x4e\x74"),
    with_output(-1, TRUE_OUTPUT), with_output(21_000_000 * COIN, TRUE_OUTPUT), with_output(21_000_000 * COIN + 1, TRUE_OUTPUT), with_output(2**63 - 1, TRUE_OUTPUT),
    with_output(-2**63, TRUE_OUTPUT), with_output(5 * COIN, TRUE_OUTPUT), with_output(1000, b""), with_output(1000, b"\x51" * 34), with_output(1000, bytes(10_001)),
    with_output(1000, b"\x51\x28" + bytes(40)), with_output(1000, b"\x51\x29" + bytes(41)), with_output(1000, b"\x00\x15" + bytes(21)),
    with_output(1000, b"\x21\x05" + bytes(32) + b"\xac"), with_output(1000, b"\x60\x02\x4e\x73"), with_output(lambda g: g.r.choice((0, 1)), bytes.fromhex("51024e73")),
    sig(lambda g, e: b"\x51" + e[3]), sig(lambda g, e: b"\x61" + e[3]), sig(lambda g, e: b"\x51" * 1651), sig(lambda g, e: b"\x51" * 1650), sig(lambda g, e: b"\x4c"),
    sig(lambda g, e: b""), sig(lambda g, e: b"\x4c\x01\x51" if len(e[3]) == 2 else e[3] + b"\x00"),
    witness(lambda g, w: []), witness(lambda g, w: w[:-1]), witness(lambda g, w: [b"\x01", *w]), witness(lambda g, w: [*w, b"\x50"]), witness(lambda g, w: [*w, b"\x50abc"]),
    witness(lambda g, w: [bytes(81), *w]), witness(lambda g, w: [bytes(521), *w]), witness(lambda g, w: [b"", *w]), witness(lambda g, w: [*w, bytes(3601)]),
    witness(lambda g, w: [b"\x51"] * 101), witness(lambda g, w: [b"\x51\x51"]), witness(lambda g, w: [b"\x00" + bytes(20)]), witness(lambda g, w: w[::-1]),
    locked(lambda g: FINAL, lambda g: 2**32 - 1), locked(lambda g: 0xfffffffe, lambda g: g.height + g.r.randrange(-1, 3)), locked(lambda g: 0, lambda g: 0),
    locked(lambda g: 0xfffffffe, lambda g: g.time + g.r.randrange(-5000, 100)), locked(lambda g: g.r.randrange(20), lambda g: 0), locked(lambda g: 0xffff, lambda g: 0),
    locked(lambda g: 0x400000 | g.r.randrange(30), lambda g: 0), locked(lambda g: 0x80000000, lambda g: 0), locked(lambda g: 0x40ffff, lambda g: 0),
    lambda g, base, coin: changed(g, base, inputs=[*base.tx.inputs, *base.tx.inputs]), lambda g, base, coin: changed(g, base, outputs=[]),
    lambda g, base, coin: changed(g, base, inputs=[*base.tx.inputs, ("00" * 32, 0xffffffff, 0, b"", [])]), lambda g, base, coin: changed(g, base, inputs=[]),
    lambda g, base, coin: changed(g, base, inputs=[("00" * 32, 0xffffffff, 0, b"\x01\x02\x03", [])]),
    lambda g, base, coin: changed(g, base, inputs=[("00" * 32, 0xffffffff, 0, b"\x01", [])]),
    lambda g, base, coin: changed(g, base, inputs=[(coin.point[0], 77, FINAL, b"", TRUE_WITNESS)]),
    lambda g, base, coin: changed(g, base, version=g.r.choice((0, 3, 4, -1, 1))),
    lambda g, base, coin: g.build([coin], [g.true], g.r.choice((99, 100, 101, 10_000_000, 9_999_000, 10_001_000))),
    lambda g, base, coin: g.build([coin], [g.true], fee=coin.value), lambda g, base, coin: g.build([coin], [g.true], fee=coin.value - 300),
    lambda g, base, coin: g.build([coin] + [g.missing()], [g.true], 1000), lambda g, base, coin: g.victim() or base,
    lambda g, base, coin: ((victim := g.victim()) and g.other_witness(victim)) or base, tiny, two_dusts, free_dust, sigop_heavy, legacy_sigops,
    lambda g, base, coin: g.build([coin] + [c for c in [g.m.coins.get(g.m.blocks and g.m.undo[-1][1] and g.m.undo[-1][1][0].point)] if c], [g.true], 1000),
]
