"""The node ends itself between the batches of a coin flush (-dbcrashratio): while blocks and branches arrive, during the recovery itself, at
shutdown and in the middle of -reindex-chainstate. Every start after it stands at the tip with the coins of a node that never crashed."""
import http.client
import os
import random
import time

from blocks import Block, TRUE_ADDRESS, coinbase, spend
from framework import call, equal, main, wait_until

COINS = 110
INDEXES = ("-txindex", "-coinstatsindex", "-blockfilterindex", "-addressindex", "-txospenderindex")
BATCHES = "-dbbatchsize=2000"  # some thirty coins; a block makes more
GOODBYE = "Simulating a crash. Goodbye."


class Crasher:
    """A node that dies now and then: counts how often, and starts it again until it stays."""

    def __init__(self, t, *args):
        self.node = t.node(BATCHES, *args, start=False)
        self.crashes = self.again = 0

    def reap(self):
        """It must have ended as it said it would, by itself."""
        equal(self.node.wait_end(), 0)
        equal(self.node.log().count(GOODBYE), self.crashes + 1)
        self.crashes += 1

    def start(self, *extra):
        while True:
            self.node.spawn(*extra)
            try:
                self.node.wait_ready()
                return
            except AssertionError:
                if self.node.process.poll() is None:
                    raise
                self.reap()
                self.again += 1

    def ask(self, method, *args):
        """An answer, over as many crashes as it takes."""
        while True:
            try:
                return getattr(self.node, method)(*args)
            except (OSError, http.client.HTTPException):
                self.reap()
                self.start()

    def stop(self):
        try:
            call(self.node, "stop")
        except (OSError, http.client.HTTPException):
            pass  # it was faster than its answer
        self.node.process.wait()
        if self.node.log().count(GOODBYE) > self.crashes:
            self.reap()
        else:
            equal(self.node.wait_end(), 0)


def submit(crasher, block):
    """The block is stored before the coins are, so a start after a crash knows it: once more is a duplicate at worst."""
    result = crasher.ask("submitblock", block)
    if result not in (None, "duplicate", "inconclusive", "duplicate-inconclusive"):
        raise AssertionError("submitblock says " + result)


def branch(source, back, n, free, salt):
    """n blocks that leave the source's chain `back` blocks below its tip and spend coins that every branch may spend. Returns: in hex."""
    height = source.getblockcount() - back
    prev = source.getblockhash(height)
    when = source.getblockheader(prev)["mediantime"] + 1
    chain = []
    coins = random.sample(free, len(free))
    for i in range(n):
        value = 10 ** 7 + random.randrange(10 ** 6)
        fan = spend([coins.pop()], [value] * 40) if coins else None
        txs = [fan, spend([(fan.txid, 0), (fan.txid, 1)], [value, value // 2])] if fan else []
        chain.append(Block(prev, height + 1 + i, when + i, txs, base=coinbase(height + 1 + i, extra=salt + bytes([i]))).solve())
        prev = chain[-1].hash
    return [b.hex() for b in chain]


def same_coins(crasher, source):
    expected = source.getbestblockhash(), source.gettxoutsetinfo("hash_serialized_3")["hash_serialized_3"]
    info = crasher.ask("gettxoutsetinfo", "hash_serialized_3")
    equal((info["bestblock"], info["hash_serialized_3"]), expected)


def same_indexes(crasher, source):
    """What the indexes hold after all of it: they follow the coins, and never stay ahead of them or behind."""
    node = crasher.node
    height = source.getblockcount()
    wait_until(lambda: all(i["synced"] and i["best_block_height"] == height for i in crasher.ask("getindexinfo").values()),
               what="indexes at the tip")
    fresh = source.gettxoutsetinfo("muhash", None, False)
    for use_index in True, False:
        equal(node.gettxoutsetinfo("muhash", None, use_index)["muhash"], fresh["muhash"])
    best = source.getbestblockhash()
    for txid in source.getblock(best)["tx"]:
        equal(node.getrawtransaction(txid, True)["blockhash"], best)
    equal(node.getblockfilter(best), source.getblockfilter(best))
    held, expected = node.getaddressbalance(TRUE_ADDRESS), source.getaddressbalance(TRUE_ADDRESS)
    for field in "balance", "received", "txs", "utxos", "height", "hash":  # what is unconfirmed is the mempools'
        equal(held[field], expected[field])


def run(t):
    seed = int(os.environ.get("FARTHING_SEED", time.time_ns() % 10 ** 9))
    print("FARTHING_SEED=%d" % seed)
    random.seed(seed)
    source = t.node("-blockfilterindex", "-addressindex")
    source.mine(2 * COINS, TRUE_ADDRESS)
    free = [(source.getblock(source.getblockhash(h))["tx"][0], 0) for h in range(1, COINS + 1)]
    crasher = Crasher(t, "-dbcrashratio=8", *INDEXES)
    crasher.start()
    for h in range(1, 2 * COINS + 1):
        submit(crasher, source.getblock(source.getblockhash(h), 0))
    rounds = 0
    while rounds < 14 or crasher.again < 3:
        # Every other time a branch that is left: both ways of a replay, back and forth.
        back = random.randrange(1, 8) if rounds % 2 else 0
        free = [c for c in free if source.gettxout(*c)] if not back else free
        usable = [c for c in free if source.gettxout(*c)]
        for block in branch(source, back, back + random.randrange(1, 4), usable, bytes([rounds % 256])):
            equal(source.submitblock(block) in (None, "inconclusive"), True)
            submit(crasher, block)
        same_coins(crasher, source)
        rounds += 1
        if rounds > 100:
            raise AssertionError("%d crashes, %d of them in a recovery" % (crasher.crashes, crasher.again))
    same_indexes(crasher, source)

    crasher.stop()
    crasher.node.args[0] = "-dbbatchsize=20000"  # all coins go in one flush now: few enough batches to get through
    crasher.start("-reindex-chainstate")
    wait_until(lambda: crasher.ask("getblockcount") == source.getblockcount(), what="-reindex-chainstate")
    same_coins(crasher, source)
    same_indexes(crasher, source)
    crasher.stop()
    crasher.node.args.clear()
    crasher.node.start()
    equal(crasher.node.verifychain(4, 0), True)
    same_coins(crasher, source)
    print("%d crashes, %d of them in a recovery" % (crasher.crashes, crasher.again))


main(run)
