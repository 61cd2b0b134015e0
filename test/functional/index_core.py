"""-txindex, -txospenderindex and -coinstatsindex: every answer against a plain walk over the blocks, through reorganisations, restarts and kill -9
while they are built, and what the node says when an index lacks something, is damaged, or cannot be had."""
import copy
import glob
import http.client
import json
import os
import random
import shutil
import threading
import time
from decimal import Decimal

from blocks import COIN, TRUE_ADDRESS, TRUE_OUTPUT, coins_of, next_block, spend, subsidy
from framework import RpcError, call, contains, equal, main, raises, vectors, wait_until

INDEXES = ("-txindex", "-txospenderindex", "-coinstatsindex")
NAMES = ["txindex", "coinstatsindex", "txospenderindex"]
RETURN = b"\x6a\x04gone"
NEVER = "00" * 31 + "07"


def synced(node):
    height = node.getblockcount()
    wait_until(lambda: all(i == {"synced": True, "best_block_height": height} for i in node.getindexinfo().values()), what="the indexes")


def coins(amount):
    return int(Decimal(str(amount)) * COIN)


class Traffic:
    """Blocks full of small transactions on a node: spends of spends, outputs that nobody can spend, fees that no miner takes."""

    def __init__(self, node, seed):
        self.node = node
        self.random = random.Random(seed)
        self.free = [(txid, n, 50 * COIN) for txid, n in coins_of(node, 1, 100)]

    def transaction(self):
        picked = [self.free.pop(self.random.randrange(len(self.free))) for _ in range(self.random.randint(1, 3))]
        value = sum(c[2] for c in picked) - 1000
        if self.random.random() < 0.2:
            tx = spend([c[:2] for c in picked], [value - 5000, (5000, RETURN)])
            values = [value - 5000]
        else:
            values = [value // 3, value // 3, value - 2 * (value // 3)]
            tx = spend([c[:2] for c in picked], values)
        self.free += [(tx.txid, n, v) for n, v in enumerate(values)]
        return tx

    def block(self, n):
        block = next_block(self.node, [self.transaction() for _ in range(n)])
        self.node.submitblock(block.hex())
        equal(self.node.getbestblockhash(), block.hash)
        return block


class Walk:
    """What the indexes must say, from the blocks alone."""

    def __init__(self, node):
        self.where, self.spender, self.stats, value = {}, {}, [], {}
        live, amount, lost = 0, 0, 50 * COIN
        for height in range(1, node.getblockcount() + 1):
            block = node.getblock(node.getblockhash(height), 2)
            made, gone, unspendable = 0, 0, 0
            for i, tx in enumerate(block["tx"]):
                self.where[tx["txid"]] = block["hash"], tx["hex"]
                for vin in tx["vin"] if i else ():
                    point = vin["txid"], vin["vout"]
                    self.spender[point] = tx["txid"], block["hash"]
                    gone += value.pop(point)
                    live -= 1
                for out in tx["vout"]:
                    if out["scriptPubKey"]["hex"].startswith("6a"):
                        unspendable += coins(out["value"])
                        continue
                    value[(tx["txid"], out["n"])] = coins(out["value"])
                    made += coins(out["value"])
                    live += 1
            unclaimed = gone + subsidy(height) - made - unspendable
            amount += made - gone
            lost += unspendable + unclaimed
            self.stats.append((block["hash"], live, amount, lost, gone, unspendable, unclaimed))
        self.unspent = list(value)

    def check(self, node):
        synced(node)
        for txid, (block, raw) in self.where.items():
            equal(node.getrawtransaction(txid), raw)
        for txid in list(self.where)[::7]:
            equal(node.getrawtransaction(txid, 1)["blockhash"], self.where[txid][0])
        points = list(self.spender)
        asked = [{"txid": t, "vout": n} for t, n in points]
        for answer, point in zip(node.gettxspendingprevout(asked), points) if asked else ():
            equal((answer["spendingtxid"], answer["blockhash"]), self.spender[point])
        if self.unspent:
            for answer in node.gettxspendingprevout([{"txid": t, "vout": n} for t, n in self.unspent]):
                equal(sorted(answer), ["txid", "vout"])
        for height, (block, live, amount, lost, gone, unspendable, unclaimed) in enumerate(self.stats, 1):
            s = node.gettxoutsetinfo("muhash", block if height % 2 else height)
            equal((s["height"], s["bestblock"], s["txouts"], coins(s["total_amount"]), coins(s["total_unspendable_amount"])),
                  (height, block, live, amount, lost))
            info = s["block_info"]
            equal((coins(info["prevout_spent"]), coins(info["unspendables"]["scripts"]), coins(info["unspendables"]["unclaimed_rewards"]),
                   coins(info["unspendable"])), (gone, unspendable, unclaimed, unspendable + unclaimed))
        for kind in ("muhash", "none"):
            by_index, counted = node.gettxoutsetinfo(kind), node.gettxoutsetinfo(kind, None, False)
            equal("block_info" in counted, False)
            for key in ("height", "bestblock", "txouts", "bogosize", "muhash", "total_amount"):
                equal(by_index.get(key), counted.get(key))


def answers(t):
    node = t.node(*INDEXES)
    node.mine(200, TRUE_ADDRESS)
    traffic = Traffic(node, 1)
    for n in (1, 5, 30, 0, 20):
        traffic.block(n)
    equal(list(node.getindexinfo()), NAMES)
    equal(list(node.getindexinfo("txospenderindex")), ["txospenderindex"])
    Walk(node).check(node)
    proofs(node)

    # a branch of three blocks gives way to one of four
    kept = traffic.block(3)
    fork = node.getbestblockhash()
    spent = kept.txs[1].inputs[0][:2]
    old = [traffic.block(4) for _ in range(3)]
    synced(node)
    of_old = [node.gettxoutsetinfo("muhash", b.hash) for b in old]
    node.invalidateblock(old[0].hash)
    equal(node.getbestblockhash(), fork)
    walk_old = {tx.txid: b.hash for b in old for tx in b.txs}
    again = old[0].txs[1]
    node.submitblock(next_block(node, [again]).hex())
    node.mine(3, TRUE_ADDRESS)
    synced(node)
    walk = Walk(node)
    walk.check(node)
    equal(walk.where[again.txid][0] != walk_old[again.txid], True)
    equal(node.getrawtransaction(again.txid, 1)["blockhash"], walk.where[again.txid][0])
    equal([node.gettxoutsetinfo("muhash", b.hash) for b in old], of_old)
    equal(node.gettxspendingprevout([{"txid": spent[0], "vout": spent[1]}])[0]["spendingtxid"], kept.txs[1].txid)
    gone = old[2].txs[0].txid
    equal(node.getrawtransaction(gone, 1)["confirmations"], 0)
    equal(node.getrawtransaction(gone, 1)["blockhash"], old[2].hash)
    for restart in (node.stop, node.kill):
        restart()
        node.start()
        Walk(node).check(node)
    node.stop()
    node.start("-reindex")
    wait_until(lambda: node.getmempoolinfo()["loaded"], what="the reindex")
    Walk(node).check(node)
    node.stop()
    return node


def growing(t):
    """Blocks come while somebody asks for the statistics of the tip: they are those of a block that was the tip during the call."""
    node = t.node("-coinstatsindex", debug="none")
    miner = copy.copy(node)  # with a connection of its own
    miner.connection = None
    thread = threading.Thread(target=lambda: [miner.mine(1) for _ in range(300)])
    height = node.getblockcount()
    thread.start()
    while thread.is_alive():
        got = node.gettxoutsetinfo("muhash")
        equal(got["height"] >= height, True)
        height = node.getblockcount()
        equal(got["height"] <= height, True)
    thread.join()
    node.stop()


def proofs(node):
    """Of a transaction whose outputs are all spent."""
    walk = Walk(node)
    txid = next(t for t, n in walk.spender if not any(u[0] == t for u in walk.unspent))
    proof = node.gettxoutproof([txid])
    equal(node.gettxoutproof([txid], walk.where[txid][0]), proof)
    equal(node.verifytxoutproof(proof), [txid])
    raises(-5, "Transaction not yet in block", node.gettxoutproof, [NEVER])
    raises(-5, "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.", node.getrawtransaction, NEVER)
    shown = node.getrawtransaction(txid, 2)
    equal(("fee" in shown, shown["blockhash"]), ("vin" in shown and "txid" in shown["vin"][0], walk.where[txid][0]))


def without(t):
    """What the commands say where an index is missing."""
    node = t.node()
    node.mine(101, TRUE_ADDRESS)
    block = next_block(node, [spend(coins_of(node, 1, 1), [49 * COIN])])
    node.submitblock(block.hex())
    equal(node.getindexinfo(), {})
    raises(-5, "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries. Use "
           "gettransaction for wallet transactions.", node.getrawtransaction, block.txs[1].txid)
    for kind in ("muhash", "none"):
        raises(-8, "Querying specific block heights requires coinstatsindex", node.gettxoutsetinfo, kind, 5)
    point = {"txid": block.txs[1].inputs[0][0], "vout": 0}
    equal(node.gettxspendingprevout([point]), [point])
    raises(-1, "Mempool lacks a relevant spend, and txospenderindex is unavailable.",
           lambda: call(node, "gettxspendingprevout", outputs=[point], mempool_only=False))
    node.stop()
    for option in ("-txindex", "-txospenderindex"):
        node.start_fails("-prune=550", option, text="Prune mode is incompatible with %s." % option)
    node.start("-prune=550", "-coinstatsindex")
    synced(node)
    raises(-8, "hash_serialized_3 hash type cannot be queried for a specific block", node.gettxoutsetinfo, "hash_serialized_3", 5)
    raises(-8, "Cannot set use_index to false when querying for a specific block", node.gettxoutsetinfo, "none", 5, False)
    raises(-8, "Target block height 103 after current tip 102", node.gettxoutsetinfo, "none", 103)
    raises(-5, "Block not found", node.gettxoutsetinfo, "none", NEVER)
    old = os.path.join(node.net_dir, "indexes", "coinstats")
    node.stop()
    os.mkdir(old)
    node.start("-coinstatsindex")
    contains(node.log(), "Old version of coinstatsindex found at %s. This folder can be safely deleted unless you plan to downgrade your node to "
             "version 29 or lower." % old)
    node.stop()


def killed(t, source):
    """Killed while the indexes are built over a chain that is there, and while the chain grows: in the end every answer is right."""
    node = t.node(debug="none", start=False)
    shutil.copytree(source.net_dir, node.net_dir)
    shutil.rmtree(os.path.join(node.net_dir, "indexes"))
    node.args += INDEXES
    r = random.Random(7)
    for round_ in range(12):
        node.spawn()
        time.sleep(r.uniform(0, 0.3))  # any moment will do
        node.kill()
        if round_ == 6:
            node.start()
            traffic = Traffic.__new__(Traffic)
            traffic.node, traffic.random = node, random.Random(3)
            walk = Walk(node)
            synced(node)
            traffic.free = [(*p, coins(node.gettxout(*p)["value"])) for p in walk.unspent
                            if node.gettxout(*p)["scriptPubKey"]["hex"] == TRUE_OUTPUT.hex() and
                            (not node.gettxout(*p)["coinbase"] or node.gettxout(*p)["confirmations"] > 100)]
            for _ in range(5):
                block = traffic.block(10)
            node.invalidateblock(block.hash)
            node.mine(2)
            node.kill()
    node.start()
    Walk(node).check(node)
    node.stop()


def damaged(t, node):
    """A database that cannot be read is named, and what to do about it; without its folder the index is made again."""
    for folder in ("txindex", "txospenderindex/db", "coinstatsindex/db"):
        path = os.path.join(node.net_dir, "indexes", folder)
        kept = path + ".kept"
        for pattern in ("MANIFEST-*", "CURRENT"):
            shutil.copytree(path, kept)
            for file in glob.glob(os.path.join(path, pattern)):
                with open(file, "r+b") as f:
                    f.seek(0)
                    f.write(b"\xa5" * 100)
            node.start_fails(text="Please rebuild the index: delete %s" % path)
            shutil.rmtree(path)
            os.rename(kept, path)
        node.start()
        synced(node)
        node.stop()
        shutil.rmtree(path)
    node.start()
    Walk(node).check(node)
    node.stop()


def damaged_table(node):
    """Damage that only a reading finds stops the node, and the log says what to do about it."""
    folder = os.path.join(node.net_dir, "indexes", "coinstatsindex", "db")
    for _ in range(2):  # the second start has the log of the first one in a table
        node.start()
        synced(node)
        node.stop()
    for path in glob.glob(os.path.join(folder, "*.ldb")):
        with open(path, "r+b") as f:
            data = bytearray(f.read())
            data[10] ^= 1  # in the first block of rows, which are ordered by height
            f.seek(0)
            f.write(data)
    node.start()
    synced(node)
    node.invalidateblock(node.getblockhash(1))
    try:
        node.mine(3)
    except (RpcError, OSError, http.client.HTTPException):
        pass
    equal(node.wait_end(), 1)
    assert "The coinstatsindex is damaged. Please rebuild the index: delete its folder below indexes/ and start again" in node.log()
    shutil.rmtree(folder)
    node.start()
    synced(node)
    node.stop()


def real_blocks(t):
    data = vectors("chain", "mainnet", "blocks-000000-004312.dat")
    if not data:
        return
    with open(vectors("chain", "mainnet", "blocks-000000-004312.expected.json")) as f:
        expected = json.load(f, parse_float=Decimal)["gettxoutsetinfo_muhash"]
    node = t.node(*INDEXES, "-loadblock=" + data, chain="main")
    wait_until(lambda: node.getblockcount() == 4312, what="the import")
    synced(node)
    for e in expected:
        got = json.loads(node.post(json.dumps({"method": "gettxoutsetinfo", "params": ["muhash", e["height"]]}))[1], parse_float=Decimal)["result"]
        equal(got, e)
    node.stop()


def run(t):
    node = answers(t)
    growing(t)
    without(t)
    killed(t, node)
    damaged(t, node)
    damaged_table(node)
    real_blocks(t)


main(run)
