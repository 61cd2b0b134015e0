"""-addressindex: balances, coins, histories and single deltas of every script against a walk over all blocks, through random spends, reorganisations,
mempool chains, restarts, kill -9 in the middle of building and of following, and pages; arguments of all forms and their errors."""
import hashlib
import random
import time

from blocks import Block, TRUE_ADDRESS, TRUE_OUTPUT, TRUE_SCRIPT, Tx, coinbase, next_block
from framework import contains, equal, main, raises, wait_until

NAME = "addressindex"
MATURITY = 100


def spender(k):
    """A script that anyone may spend, and its output."""
    inner = TRUE_SCRIPT if k == 0 else b"\x02" + k.to_bytes(2, "little") + b"\x75\x51"
    return inner, b"\x00\x20" + hashlib.sha256(inner).digest()


KINDS = [spender(k) for k in range(12)]
INNER = {output.hex(): inner for inner, output in KINDS}
assert KINDS[0][1] == TRUE_OUTPUT


def satoshi(coins):
    return int(round(coins * 100_000_000))


def new_row():
    return {"history": [], "coins": {}, "deltas": []}


def walk(node):
    """What the blocks say: by script, history, coins and deltas."""
    scripts, made = {}, {}
    for height in range(1, node.getblockcount() + 1):
        for pos, tx in enumerate(node.getblock(node.getblockhash(height), 2)["tx"]):
            sums = {}
            if pos:
                for i, vin in enumerate(tx["vin"]):
                    script, value, _ = made.pop((vin["txid"], vin["vout"]))
                    row = scripts[script]
                    del row["coins"][(vin["txid"], vin["vout"])]
                    row["deltas"].append((height, pos, tx["txid"], i, -value))
                    sums.setdefault(script, [0, 0])[1] += value
            for out in tx["vout"]:
                script, value = out["scriptPubKey"]["hex"], satoshi(out["value"])
                if script.startswith("6a"):
                    continue
                row = scripts.setdefault(script, new_row())
                made[(tx["txid"], out["n"])] = script, value, height
                row["coins"][(tx["txid"], out["n"])] = (height, pos, value)
                row["deltas"].append((height, pos, tx["txid"], out["n"], value))
                sums.setdefault(script, [0, 0])[0] += value
            for script, (received, spent) in sums.items():
                scripts[script]["history"].append((height, pos, tx["txid"], received, spent))
    return scripts


def pages(node, method, key, what, limit):
    """All rows, collected by pages."""
    rows, cursor = [], {}
    while True:
        answer = getattr(node, method)(what, {"limit": limit, **cursor})
        equal(answer["hash"], node.getbestblockhash())
        rows += answer[key]
        if "next" not in answer:
            return rows
        cursor = {"cursor": answer["next"]}


def check_script(node, script, row, rng):
    top = node.getblockcount()
    history = [(h["height"], h["blockindex"], h["txid"], h["received"], h["spent"])
               for h in pages(node, "getaddresshistory", "history", script, rng.choice((1, 7, 1000))) if h["height"] > 0]
    equal(history, row["history"])
    balance = node.getaddressbalance(script)
    coins = row["coins"].values()
    immature = sum(value for height, pos, value in coins if pos == 0 and top + 1 - height < MATURITY)
    equal([balance[k] for k in ("balance", "received", "confirmed", "immature", "txs", "utxos", "height")],
          [sum(c[2] for c in coins), sum(h[3] for h in row["history"]), sum(c[2] for c in coins) - immature, immature, len(row["history"]),
           len(coins), top])
    found = node.getaddressutxos({"addresses": [script]})
    equal([(u["txid"], u["outputIndex"]) for u in found],
          [k for k, c in sorted(row["coins"].items(), key=lambda kc: (kc[1][0], kc[1][1], kc[0][1]))])
    equal([(u["height"], u["satoshis"], u["script"]) for u in found],
          [(c[0], c[2], script) for k, c in sorted(row["coins"].items(), key=lambda kc: (kc[1][0], kc[1][1], kc[0][1]))])
    equal([(d["height"], d["blockindex"], d["txid"], d["index"], d["satoshis"]) for d in pages(node, "getaddressdeltas", "deltas", script, 9)],
          row["deltas"])
    equal(node.getaddresstxids({"addresses": [script]}), [h[2] for h in row["history"]])


def synced(node):
    wait_until(lambda: node.getindexinfo(NAME) == {NAME: {"synced": True, "best_block_height": node.getblockcount()}}, what="the address index")


def check(node, rng, at_tip=True):
    if at_tip:
        synced(node)
    scripts = walk(node)
    for script, row in scripts.items():
        check_script(node, script, row, rng)
    # all at once: each transaction once, in the order of the chain
    everything = list(scripts)
    order = sorted({(h[0], h[1], h[2]) for row in scripts.values() for h in row["history"]})
    equal(node.getaddresstxids({"addresses": everything}), [o[2] for o in order])
    low, high = order[len(order) // 3][0], order[2 * len(order) // 3][0]
    equal(node.getaddresstxids(everything, {"start": low, "end": high, "limit": 100000})["txids"], [o[2] for o in order if low <= o[0] <= high])
    lines = [h for row in scripts.values() for h in row["history"]]
    for start, end in ((low, high), (0, high), (low, None)):
        part = [h for h in lines if start <= h[0] and (end is None or h[0] <= end)]
        part = sum(h[3] for h in part), sum(h[4] for h in part), len(part)
        said = node.getaddressbalance(everything, {"start": start} if end is None else {"start": start, "end": end})
        equal((said["received"], said["spent"], said["txs"], said["balance"]), (*part, part[0] - part[1]))
    total = node.getaddressbalance(everything + everything)
    equal(total["balance"], sum(c[2] for row in scripts.values() for c in row["coins"].values()))
    return scripts


class Payer:
    """Makes random transactions out of the node's mature coins of the known scripts."""

    def __init__(self, rng):
        self.rng = rng
        self.n = 0

    def txs(self, scripts, top, count):
        coins = [(k, s, c) for s, row in sorted(scripts.items()) if s in INNER for k, c in sorted(row["coins"].items())
                 if c[2] > 10000 and (c[1] or top + 1 - c[0] >= MATURITY)]
        self.rng.shuffle(coins)
        made = []
        while coins and len(made) < count:
            took = [coins.pop() for _ in range(min(len(coins), self.rng.randint(1, 4)))]
            tx = self.pay([(k, s) for k, s, c in took], sum(c[2] for _, _, c in took))
            made.append(tx)
            for n, (value, script) in enumerate(tx.outputs):  # chains within the block
                if value > 10000 and self.rng.random() < 0.4:
                    coins.append(((tx.txid, n), script.hex(), (top + 1, 1, value)))
        return made

    def pay(self, took, value):
        self.n += 1
        count = self.rng.randint(1, 5)
        fee = 2000 + self.n % 50
        outputs = [((value - fee) // count, self.rng.choice(KINDS)[1]) for _ in range(count)]
        return Tx([(k[0], k[1], 0xfffffffd, b"", [INNER[s]]) for k, s in took], outputs)


def grow(node, payer, blocks, count):
    for _ in range(blocks):
        block = next_block(node, payer.txs(walk(node), node.getblockcount(), count), base=None)
        equal(node.submitblock(block.hex()), None)


def branch(node, back, n):
    """A longer branch of empty blocks that takes the last `back` blocks away."""
    height = node.getblockcount() - back
    head = node.getblockheader(node.getblockhash(height))
    prev, when = head["hash"], head["mediantime"] + 1
    for i in range(n):
        b = Block(prev, height + 1 + i, when + i, base=coinbase(height + 1 + i, extra=b"b%d" % random.randrange(1 << 30), script=KINDS[i % 12][1])).solve()
        node.submitblock(b.hex())
        prev = b.hash
    equal(node.getbestblockhash(), prev)


def mempool(node, rng):
    """Unconfirmed: a chain of three, and what each command says of it."""
    node.mine(1)
    scripts = walk(node)
    top = node.getblockcount()
    script, key, coin = next((s, k, c) for s, row in scripts.items() if s in INNER for k, c in row["coins"].items()
                             if c[2] > 200000 and (c[1] or top + 1 - c[0] >= MATURITY))
    value, prev, sent = coin[2], (key, script), []
    target = [KINDS[1][1], KINDS[2][1], KINDS[1][1]]
    before = [node.getaddressbalance(k[1].hex()) for k in KINDS]
    for out in target:
        value -= 1000
        tx = Tx([(prev[0][0], prev[0][1], 0xfffffffd, b"", [INNER[prev[1]]])], [(value, out)])
        node.sendrawtransaction(tx.hex())
        sent.append(tx)
        prev = ((tx.txid, 0), out.hex())
    after = [node.getaddressbalance(k[1].hex()) for k in KINDS]
    change = [a["unconfirmed"] for a in after]
    expected = [0] * len(KINDS)
    expected[[k[1].hex() for k in KINDS].index(script)] -= coin[2]
    expected[1] += value
    equal(change, expected)
    for a, b in zip(after, before):
        equal({**a, "unconfirmed": 0}, {**b, "unconfirmed": 0})
    one = KINDS[1][1].hex()
    history = node.getaddresshistory(one, {"limit": 100000})["history"]
    unconfirmed = [h for h in history if h["height"] <= 0]
    equal({h["txid"]: h["height"] for h in unconfirmed}, {sent[0].txid: 0, sent[1].txid: -1, sent[2].txid: -1})
    equal([h["fee"] for h in unconfirmed], [1000] * 3)
    coins = node.getaddressutxos(one, {"limit": 100000})["utxos"]
    equal([(u["txid"], u["confirmations"]) for u in coins if u["height"] == 0], [(sent[2].txid, 0)])
    if script != one:
        equal([u for u in node.getaddressutxos(script, {"limit": 100000})["utxos"] if (u["txid"], u["outputIndex"]) == key], [])
    else:
        equal([u for u in coins if (u["txid"], u["outputIndex"]) == key], [])
    deltas = node.getaddressmempool({"addresses": [one]})
    got = {(d["txid"], d["index"], d["satoshis"], d.get("prevtxid")) for d in deltas}
    wanted = {(sent[0].txid, 0, coin[2] - 1000, None), (sent[1].txid, 0, -(coin[2] - 1000), sent[0].txid), (sent[2].txid, 0, value, None)}
    if script == one:
        wanted.add((sent[0].txid, 0, -coin[2], key[0]))
    equal(got, wanted)
    # mined, taken back, mined again
    node.mine(1)
    equal(node.getrawmempool(), [])
    equal(node.getaddressmempool(one)["deltas"], [])
    equal(node.getaddressbalance(one)["unconfirmed"], 0)
    check(node, rng)
    node.invalidateblock(node.getbestblockhash())
    equal(sorted(node.getrawmempool()), sorted(t.txid for t in sent))
    equal([node.getaddressbalance(k[1].hex())["unconfirmed"] for k in KINDS], expected)
    check(node, rng, at_tip=False)
    # deeper, where other transactions are lost, and forth again
    for height in (node.getblockcount() - 9, node.getblockcount() - 2):
        lost = node.getblockhash(height)
        node.invalidateblock(lost)
        check(node, rng, at_tip=False)
        node.reconsiderblock(lost)
        check(node, rng, at_tip=False)
    node.mine(2, TRUE_ADDRESS)
    check(node, rng)


TPRV = "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK"


def extended_keys(node):
    """A key alone is all usual kinds of addresses; descriptors have ranges."""
    tpub = node.getdescriptorinfo("pkh(%s)" % TPRV)["descriptor"].split("(")[1].split(")")[0]
    paid = 0
    for n, (kind, step, index) in enumerate([("pkh(%s/0/*)", 0, 5), ("sh(wpkh(%s/1/*))", 1, 0), ("wpkh(%s/0/*)", 0, 999), ("tr(%s/1/*)", 1, 7)]):
        descriptor = node.getdescriptorinfo(kind % tpub)["descriptor"]
        address = node.deriveaddresses(descriptor, [index, index])[0]
        node.mine(1, address)
        value = node.getaddressbalance(address)["balance"]
        assert value > 0
        paid += value
        equal(node.getaddressbalance(tpub)["balance"], paid)
        equal(node.getaddressbalance({"desc": descriptor, "range": [index, index + 1]})["balance"], value)
        if index:
            equal(node.getaddressbalance({"desc": descriptor, "range": index - 1})["balance"], 0)
        equal(node.getaddressbalance([descriptor, address])["balance"], value)
        equal(len(node.getaddresshistory({"desc": tpub})["history"]), n + 1)
    equal(node.getaddressbalance({"desc": tpub, "range": [6, 8]})["txs"], 1)
    raises(-5, "", node.getaddressbalance, tpub[:-1] + ("a" if tpub[-1] != "a" else "b"))


def errors(t, node):
    raises(-5, "Neither an address nor a script", node.getaddressbalance, "nonsense")
    raises(-5, "", node.getaddressbalance, "addr(nonsense)")
    raises(-8, "No address is given", node.getaddressbalance, [])
    raises(-8, "Unexpected key", node.getaddresstxids, TRUE_ADDRESS, {"ending": 3})
    raises(-8, "Unexpected key", node.getaddresstxids, {"addresses": [TRUE_ADDRESS], "ending": 3})
    raises(-8, "cursor", node.getaddresstxids, TRUE_ADDRESS, {"cursor": "7"})
    raises(-8, "limit", node.getaddresstxids, TRUE_ADDRESS, {"limit": 0})
    raises(-8, "End value", node.getaddresstxids, TRUE_ADDRESS, {"start": 9, "end": 3})
    raises(-3, "", node.getaddressbalance, 5)
    by_address = node.getaddressbalance(TRUE_ADDRESS)
    for same in (TRUE_OUTPUT.hex(), "addr(%s)" % TRUE_ADDRESS, "raw(%s)" % TRUE_OUTPUT.hex(), {"desc": "addr(%s)" % TRUE_ADDRESS}, [TRUE_ADDRESS],
                 [TRUE_ADDRESS, TRUE_OUTPUT.hex()], {"addresses": [TRUE_ADDRESS]}):
        equal(node.getaddressbalance(same), by_address)
    nobody = node.getaddressbalance("51")
    equal([nobody[k] for k in ("balance", "received", "txs", "utxos")], [0, 0, 0, 0])
    info = node.getaddressutxos({"addresses": [TRUE_ADDRESS], "chainInfo": True})
    equal((info["height"], info["hash"]), (node.getblockcount(), node.getbestblockhash()))
    plain = t.node()
    raises(-1, "-addressindex", plain.getaddressbalance, TRUE_ADDRESS)


def run(t):
    rng = random.Random(11)
    node = t.node("-addressindex", "-checkmempool=0")
    node.mine(110, TRUE_ADDRESS)
    payer = Payer(rng)
    grow(node, payer, 12, 8)
    check(node, rng)
    branch(node, 5, 7)
    check(node, rng)
    grow(node, payer, 4, 8)
    mempool(node, rng)
    errors(t, node)
    extended_keys(node)

    scripts = check(node, rng)
    node.stop()
    node.start()
    equal(check(node, rng), scripts)

    # killed while it follows: what was appended after the last flush is lost to the chain, and another branch comes
    for _ in range(3):
        grow(node, payer, 3, 5)
        synced(node)
        node.getaddressbalance(TRUE_ADDRESS)
        node.kill()
        node.start()
        check(node, rng)
        branch(node, 0, 4)
        check(node, rng)

    assert "built anew" not in node.log(), "rows were given up though nothing was damaged"

    # built later, in the background, and killed there
    node.stop()
    node.args = [a for a in node.args if a != "-addressindex"]
    node.start()
    raises(-1, "-addressindex", node.getaddressbalance, TRUE_ADDRESS)
    grow(node, payer, 4, 6)
    branch(node, 2, 3)
    node.stop()
    node.args = [*node.args, "-addressindex"]
    for delay in (0, 0.01, 0.05):
        node.spawn()
        time.sleep(delay)  # kills at different moments; nothing waits for it
        node.kill()
    node.start()
    check(node, rng)

    # damaged: built anew
    node.stop()
    for name in (p for p in (t_path(node)).iterdir() if p.suffix == ".ldb" or p.suffix == ".log"):
        data = bytearray(name.read_bytes())
        for i in range(len(data) // 2, min(len(data), len(data) // 2 + 64)):
            data[i] ^= 0x55
        name.write_bytes(data)
    node.start()
    check(node, rng)
    contains(node.log(), "built anew")


def t_path(node):
    import pathlib
    return pathlib.Path(node.dir) / "regtest" / "indexes" / NAME


if __name__ == "__main__":
    main(run)
